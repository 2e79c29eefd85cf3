//! What a noun of the native face is: flags that become a command.

use super::connection_args::ConnectionArgs;
use super::output_args::OutputArgs;
use crate::client::settings::{Settings, Use};
use crate::commands::command::Command;
use crate::error::Result;
use crate::output::OutputOptions;

/// The flags of a noun, as clap has read them.
pub trait IntoInvocation {
    /// What they ask for. `java` is for the nouns that are about the Java tools as well.
    fn into_invocation(self, java: &JavaNames) -> Result<Invocation>;
}

/// A command line understood: what to do, against which cluster, and how to show it.
#[derive(Debug)]
pub struct Invocation {
    pub command: Box<dyn Command>,
    pub settings: Settings,
    pub output: OutputOptions,
}

impl Invocation {
    /// A command that asks a cluster, as the flags say that all such commands have.
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

/// What the native face says about the Java tools beside it: `install-links` and `man` ask for it.
#[derive(Debug)]
pub struct JavaNames {
    /// The file names under which the program answers as one of the tools.
    pub links: fn() -> Vec<String>,
    /// The man page's section about the tools' options, as roff.
    pub man_section: fn() -> String,
}
