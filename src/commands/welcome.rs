//! The program's name alone at a terminal: which cluster commands would use, and what to try next.

use std::time::Duration;

use super::command::{Command, Needs};
use super::context::Context;
use crate::client::whereabouts;
use crate::error::Result;
use crate::output::welcome;

/// How long a user who types nothing but the name waits for the cluster.
const PATIENCE: Duration = Duration::from_millis(700);

/// Nothing was asked for.
#[derive(Debug)]
pub struct Action;

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::NOTHING
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let found = whereabouts::look(context.client.settings(), PATIENCE)?;
        context.printer.prose(&welcome::text(&found))
    }
}
