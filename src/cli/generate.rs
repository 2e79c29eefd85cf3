//! Completions, man pages and links: everything made out of the command tree and the table of tools.

use std::path::PathBuf;

use clap::Args;

use super::Invocation;
use crate::client::settings::Settings;
use crate::commands::Command;
use crate::error::Result;
use crate::output::OutputOptions;

/// Print the completion script of a shell
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    shell: clap_complete::Shell,
}

/// Print the man page, or write all of them into a directory
#[derive(Args, Debug)]
pub struct ManArgs {
    /// Where to write kafkit.1, kafkit-topics.1, …
    dir: Option<PathBuf>,
}

/// Make links named after Apache Kafka's tools that run this program
#[derive(Args, Debug)]
pub struct InstallLinksArgs {
    /// Where to put kafka-topics, kafka-topics.sh, …
    dir: PathBuf,
    /// Replace files of these names that are not links to this program
    #[arg(long)]
    force: bool,
}

impl CompletionsArgs {
    pub(super) fn into_invocation(self) -> Result<Invocation> {
        Ok(local(Command::Completions(self.shell)))
    }
}

impl ManArgs {
    pub(super) fn into_invocation(self) -> Result<Invocation> {
        Ok(local(Command::Man(self.dir)))
    }
}

impl InstallLinksArgs {
    pub(super) fn into_invocation(self) -> Result<Invocation> {
        Ok(local(Command::InstallLinks {
            dir: self.dir,
            force: self.force,
        }))
    }
}

fn local(command: Command) -> Invocation {
    Invocation {
        command,
        settings: Settings::default(),
        output: OutputOptions::default(),
    }
}

/// Answers a shell's question for completions (the variable COMPLETE is set) and ends the program; else
/// returns.
pub(super) fn complete_if_asked() {
    clap_complete::CompleteEnv::with_factory(super::command_tree).complete();
}
