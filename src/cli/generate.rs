//! Completions, man pages and links: everything made from the command tree and the table of tools.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use clap_complete::Shell;

use super::completion::{script, static_script};
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use crate::client::settings::Settings;
use crate::commands::command::Command;
use crate::commands::install_completions;
use crate::commands::install_links::{Action, Page};
use crate::completion::{self, Place, place};
use crate::error::{Error, Kind, Result};
use crate::output::OutputOptions;

/// Print the completion script of a shell, or put it in its place
///
/// The script asks kafkit itself at each press of the key, and so offers live names of topics, groups and more. It
/// completes Apache Kafka's tools, too.
#[derive(Args, Debug)]
#[command(
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = "Examples:
  kafkit completions install               for your shell, where it looks
  kafkit completions install zsh --dry-run
  source <(kafkit completions bash)        for this shell alone"
)]
pub struct CompletionsArgs {
    #[command(subcommand)]
    verb: Option<CompletionsVerb>,
    /// bash, zsh, fish, elvish or powershell
    #[arg(required = true)]
    shell: Option<Shell>,
    /// A script that works without kafkit, and so knows commands and flags but no live names
    #[arg(long = "static")]
    is_static: bool,
}

#[derive(Debug, Subcommand)]
enum CompletionsVerb {
    /// Write the script to where the shell looks for it
    ///
    /// Says what was written, and which line to add to the shell's start file where it does not find it by itself.
    #[command(after_help = "Examples:
  kafkit completions install
  kafkit completions install fish --dry-run")]
    Install {
        /// Your own, as $SHELL has it, when not given
        #[arg(value_parser = ["bash", "zsh", "fish"])]
        shell: Option<String>,
        /// Say what would be written and write nothing
        #[arg(long)]
        dry_run: bool,
        /// Replace files of other programs
        #[arg(long)]
        force: bool,
    },
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
        let names = (java.links)();
        match (self.verb, self.shell) {
            (
                Some(CompletionsVerb::Install {
                    shell,
                    dry_run,
                    force,
                }),
                _,
            ) => {
                let shell = shell_to_install_for(shell)?;
                let Place {
                    script,
                    links,
                    advice,
                } = place(shell, &names)?;
                Ok(local(install_completions::Action {
                    text: completion::script(shell, &names).into_bytes(),
                    script,
                    links,
                    advice,
                    is_dry_run: dry_run,
                    replaces: force,
                }))
            }
            (None, Some(shell)) if self.is_static => Ok(local(Action::Completions(static_script(shell)))),
            (None, Some(shell)) => Ok(local(Action::Completions(script(shell, &names)?))),
            (None, None) => Err(Error::usage("the shell is missing")),
        }
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

/// The shell that is named, or else the user's login shell.
fn shell_to_install_for(name: Option<String>) -> Result<completion::Shell> {
    let name = name.or_else(|| std::env::var("SHELL").ok()).unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    completion::Shell::of_name(name).ok_or_else(|| {
        Error::usage(format!(
            "$SHELL is \"{name}\", whose place for completions is not known"
        ))
        .hint("say bash, zsh or fish; `kafkit completions elvish` prints a script")
    })
}

fn local(action: impl Command + 'static) -> Invocation {
    Invocation {
        command: Box::new(action),
        settings: Settings::default(),
        output: OutputOptions::default(),
    }
}

/// The man pages: the program's own first, then one for every command with a help text of its own.
fn man_pages(java: &JavaNames) -> Result<Vec<Page>> {
    let mut tree = super::nouns::command_tree();
    tree.build();
    let mut pages = Vec::new();
    collect_pages(&tree, &mut pages)?;
    if let Some(first) = pages.first_mut() {
        first.text.extend_from_slice(Settings::man_section().as_bytes());
        first.text.extend_from_slice((java.man_section)().as_bytes());
    }
    pages.extend(super::handbook::man_pages());
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
