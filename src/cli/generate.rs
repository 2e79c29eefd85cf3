//! Completions, man pages and links: everything made out of the command tree and the table of tools.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::Shell;

use super::completion;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use crate::client::settings::Settings;
use crate::commands::install_links::{Action, Page};
use crate::error::{Error, Kind, Result};
use crate::output::OutputOptions;

/// Print the completion script of a shell
///
/// The script asks kafkit itself at each press of the key, and so offers live names of topics and groups.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit completions bash > ~/.local/share/bash-completion/completions/kafkit
  kafkit completions zsh > ~/.zfunc/_kafkit
  kafkit completions fish > ~/.config/fish/completions/kafkit.fish")]
pub struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    shell: Shell,
    /// A script that works without kafkit, and so knows commands and flags but no live names
    #[arg(long = "static")]
    is_static: bool,
}

/// Print the man page, or write all of them into a directory
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit man | man -l -
  kafkit man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Where to write kafkit.1, kafkit-topics.1, …
    #[arg(value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// Make links named after Apache Kafka's tools that run this program
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit install-links ~/.local/bin
  kafkit install-links /opt/kafka/bin --force")]
pub struct InstallLinksArgs {
    /// Where to put kafka-topics, kafka-topics.sh, …
    #[arg(value_hint = ValueHint::DirPath)]
    dir: PathBuf,
    /// Replace files of these names that are not links to this program
    #[arg(long)]
    force: bool,
}

impl IntoInvocation for CompletionsArgs {
    fn into_invocation(self, java: &JavaNames) -> Result<Invocation> {
        let script = if self.is_static {
            completion::static_script(self.shell)
        } else {
            completion::script(self.shell, &(java.links)())?
        };
        Ok(local(Action::Completions(script)))
    }
}

impl IntoInvocation for ManArgs {
    fn into_invocation(self, java: &JavaNames) -> Result<Invocation> {
        let pages = man_pages(java)?;
        Ok(local(Action::Man { pages, dir: self.dir }))
    }
}

impl IntoInvocation for InstallLinksArgs {
    fn into_invocation(self, java: &JavaNames) -> Result<Invocation> {
        Ok(local(Action::InstallLinks {
            names: (java.links)(),
            dir: self.dir,
            force: self.force,
        }))
    }
}

fn local(action: Action) -> Invocation {
    Invocation {
        command: Box::new(action),
        settings: Settings::default(),
        output: OutputOptions::default(),
    }
}

/// The man pages: the program's own first, then one for every command that has something to say.
fn man_pages(java: &JavaNames) -> Result<Vec<Page>> {
    let mut tree = super::nouns::command_tree();
    tree.build();
    let mut pages = Vec::new();
    collect_pages(&tree, &mut pages)?;
    if let Some(first) = pages.first_mut() {
        first.text.extend_from_slice(Settings::man_section().as_bytes());
        first.text.extend_from_slice((java.man_section)().as_bytes());
    }
    Ok(pages)
}

fn collect_pages(command: &clap::Command, pages: &mut Vec<Page>) -> Result<()> {
    let name = command
        .get_display_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name.as_str())
        .render(&mut text)
        .map_err(|error| Error::from_cause(Kind::Failed, error))?;
    pages.push(Page {
        file: format!("{name}.1"),
        text,
    });
    command
        .get_subcommands()
        .filter(|command| command.get_name() != "help" && !command.is_hide_set())
        .try_for_each(|command| collect_pages(command, pages))
}
