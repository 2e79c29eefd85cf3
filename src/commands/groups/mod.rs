//! The steps of listing, watching, resetting and deleting consumer groups.

mod delete;
mod inactive;
mod reset;
mod reset_targets;
mod undo_file;
mod watch;

use super::command::{Command, Needs};
use super::context::Context;
use crate::error::Result;
use crate::output::{Format, group_list as output};
pub use delete::{Deletion, OffsetDeletion};
pub use reset::Reset;
pub use reset_targets::Target;
pub use watch::Watch;

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    List,
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
            Self::List => list(context),
            Self::Watch(watch) => watch::run(&watch, context),
            Self::Reset(reset) => reset::run(&reset, context),
            Self::Delete(deletion) => delete::run(&deletion, context),
            Self::DeleteOffsets(deletion) => delete::offsets(&deletion, context),
        }
    }
}

/// Lists all groups; if only names are wanted, nothing else is requested.
pub(super) fn list(context: &mut Context) -> Result<()> {
    if context.printer.format() == Format::Name {
        let groups = context.client.admin()?.list_groups()?;
        return groups
            .iter()
            .try_for_each(|group| context.printer.line(&group.id));
    }
    let groups = context.client.admin()?.group_overview(&[])?;
    output::list(&mut context.printer, &groups)
}
