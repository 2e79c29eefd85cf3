//! The steps of listing, watching, resetting and deleting consumer groups.

mod delete;
mod inactive;
mod list;
mod reset;
mod reset_targets;
mod undo_file;
mod watch;

use super::command::{Command, Needs};
use super::context::Context;
use crate::error::Result;
pub use delete::{Deletion, OffsetDeletion};
pub use list::Listing;
pub(super) use list::run as list;
pub use reset::Reset;
pub use reset_targets::Target;
pub use watch::Watch;

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    List(Listing),
    Watch(Watch),
    Reset(Reset),
    Delete(Deletion),
    DeleteOffsets(OffsetDeletion),
}

impl Command for Action {
    fn needs(&self) -> Needs {
        match self {
            Self::Watch(_) => Needs {
                lasts: true,
                ..Needs::ANSWERS
            },
            _ => Needs::ANSWERS,
        }
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        match *self {
            Self::List(listing) => list::run(&listing, context),
            Self::Watch(watch) => watch::run(&watch, context),
            Self::Reset(reset) => reset::run(&reset, context),
            Self::Delete(deletion) => delete::run(&deletion, context),
            Self::DeleteOffsets(deletion) => delete::offsets(&deletion, context),
        }
    }
}
