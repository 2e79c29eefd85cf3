//! The interface of a noun of the native face: flags that become a command.

use super::connection_args::ConnectionArgs;
use super::output_args::OutputArgs;
use crate::client::settings::{Settings, Use};
use crate::commands::command::Command;
use crate::error::Result;
use crate::output::OutputOptions;

/// The flags of a noun, as clap has parsed them.
pub trait IntoInvocation {
    /// The command for the flags. `java` is for the nouns that also concern the Java tools.
    fn into_invocation(self, java: &JavaNames) -> Result<Invocation>;
}

/// A parsed command line: the command, its cluster, and the format of its output.
#[derive(Debug)]
pub struct Invocation {
    pub command: Box<dyn Command>,
    pub settings: Settings,
    pub output: OutputOptions,
}

impl Invocation {
    /// A command that asks a cluster, with the flags of all such commands.
    pub(super) fn asking(
        command: impl Command + 'static,
        connection: ConnectionArgs,
        output: OutputArgs,
    ) -> Result<Self> {
        Ok(Self {
            command: Box::new(command),
            settings: connection.into_settings(Use::Admin)?,
            output: output.into_options(),
        })
    }
}

/// What the native face needs to know of the Java tools: `install-links` and `man` use it.
#[derive(Debug)]
pub struct JavaNames {
    /// The file names under which the program answers as one of the tools.
    pub links: fn() -> Vec<String>,
    /// The man page's section about the tools' options, as roff.
    pub man_section: fn() -> String,
}
