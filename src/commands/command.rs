//! The trait of commands, and how one is run.
//!
//! Names no command: each is an `Action` in its own file, which implements [`Command`].

use std::fmt;

use super::context::Context;
use crate::error::Result;

/// An action of the program.
pub trait Command: fmt::Debug {
    /// What must be prepared before its first step.
    fn needs(&self) -> Needs;

    /// All its steps.
    fn run(self: Box<Self>, context: &mut Context) -> Result<()>;
}

/// What a command needs before its first step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// A cluster: where none is configured, the user's mini broker is started.
    pub cluster: bool,
    /// Settings without effect are reported before anything else. The commands that carry records report them
    /// themselves, in the words of their face.
    pub warnings: bool,
    /// The command lasts as long as there is work: the time-out applies to each answer, not to the whole.
    pub lasts: bool,
}

impl Needs {
    /// No cluster is needed.
    pub const NOTHING: Self = Self {
        cluster: false,
        warnings: false,
        lasts: false,
    };
    /// A cluster is asked, within one time-out in all.
    pub const ANSWERS: Self = Self {
        cluster: true,
        warnings: true,
        lasts: false,
    };
    /// Records to or from a cluster.
    pub const RECORDS: Self = Self {
        cluster: true,
        warnings: false,
        lasts: true,
    };
}

/// Prepares what the command needs, runs it, and prints the client's notes.
pub fn run(command: Box<dyn Command>, context: &mut Context) -> Result<()> {
    let needs = command.needs();
    if needs.warnings {
        context.note_settings();
    }
    if needs.cluster {
        context.find_cluster()?;
    }
    if needs.lasts {
        context.client.wait_for_each_answer();
    }
    let outcome = command.run(context);
    context.print_notes();
    outcome.and_then(|()| context.check_absent())
}
