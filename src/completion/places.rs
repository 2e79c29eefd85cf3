//! The paths of completion scripts, and the lines that a shell's start files need for them.

use std::fs;
use std::path::{Path, PathBuf};

use super::scripts::Shell;
use crate::client::mini_place::shown;
use crate::error::{Error, Result};

/// Where bash-completion is installed, which loads a script when its command is first completed.
const BASH_COMPLETION: &[&str] = &[
    "/usr/share/bash-completion/bash_completion",
    "/etc/bash_completion",
    "/usr/local/share/bash-completion/bash_completion",
    "/usr/local/etc/profile.d/bash_completion.sh",
    "/opt/homebrew/etc/profile.d/bash_completion.sh",
];

/// The files of one shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub script: PathBuf,
    /// Links to the script, for a shell that looks for a file with the command's name.
    pub links: Vec<PathBuf>,
    /// Advice for the user: that the shell finds the script by itself, or else which line to add where.
    pub advice: String,
}

/// The path for the script of a shell that also completes these other commands.
pub fn place(shell: Shell, others: &[String]) -> Result<Place> {
    match shell {
        Shell::Bash => {
            let own = set("BASH_COMPLETION_USER_DIR").map(|dir| dir.join("completions"));
            let dir = match own {
                Some(dir) => dir,
                None => home("XDG_DATA_HOME", ".local/share")?.join("bash-completion/completions"),
            };
            let script = dir.join("kafkit");
            Ok(Place {
                links: others.iter().map(|name| dir.join(name)).collect(),
                advice: bash_advice(&script),
                script,
            })
        }
        Shell::Zsh => {
            let dir = home("XDG_DATA_HOME", ".local/share")?.join("zsh/site-functions");
            Ok(Place {
                script: dir.join("_kafkit"),
                links: Vec::new(),
                advice: zsh_advice(&dir)?,
            })
        }
        Shell::Fish => {
            let dir = home("XDG_CONFIG_HOME", ".config")?.join("fish/completions");
            Ok(Place {
                script: dir.join("kafkit.fish"),
                links: others
                    .iter()
                    .map(|name| dir.join(format!("{name}.fish")))
                    .collect(),
                advice: "fish finds it by itself".to_owned(),
            })
        }
    }
}

fn bash_advice(script: &Path) -> String {
    if BASH_COMPLETION.iter().any(|path| Path::new(path).exists()) {
        return "bash-completion finds it by itself; open a new shell".to_owned();
    }
    let line = format!("source {}", quoted(script));
    format!("bash-completion is not installed: add this line to ~/.bashrc\n  {line}")
}

/// zsh searches the folders of `fpath`, which only a running zsh knows for sure.
fn zsh_advice(dir: &Path) -> Result<String> {
    let start_file = match set("ZDOTDIR") {
        Some(dir) => dir.join(".zshrc"),
        None => home("", "")?.join(".zshrc"),
    };
    let text = fs::read_to_string(&start_file).unwrap_or_default();
    let shown_dir = shown(dir);
    let is_named = text.contains(&shown_dir) || text.contains(&dir.display().to_string());
    let in_path = std::env::var("FPATH").is_ok_and(|path| path.split(':').any(|part| Path::new(part) == dir));
    if is_named || in_path {
        return Ok("zsh finds it by itself; open a new shell".to_owned());
    }
    let line = format!("fpath=({} $fpath)", quoted(dir));
    let start_file = shown(&start_file);
    Ok(if text.contains("compinit") || text.contains("oh-my-zsh") {
        format!("add this line to {start_file}, before the one with compinit or oh-my-zsh\n  {line}")
    } else {
        format!("add these lines to {start_file}\n  {line}\n  autoload -U compinit && compinit")
    })
}

/// A path as a shell reads it, with the home directory as `~` where nothing has to be quoted.
fn quoted(path: &Path) -> String {
    let text = shown(path);
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-~".contains(letter);
    if text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The folder in a variable, or else this one in the home directory.
fn home(variable: &str, folder: &str) -> Result<PathBuf> {
    let named = set(variable).filter(|path| path.is_absolute());
    named.or_else(|| Some(set("HOME")?.join(folder))).ok_or_else(|| {
        Error::failed("HOME is not set: no place for the script").hint("`kafkit completions SHELL` prints it")
    })
}
