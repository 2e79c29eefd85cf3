//! Stopping, killing, pausing and starting single nodes of a running broker.

use std::path::Path;

use super::control_channel::{ask, not_understood};
use crate::broker::host::NodeStatus;
use crate::broker::host::control::{NodeVerb, Question, Reply};
use crate::error::{Kind, Result};
use crate::output::Printer;
use crate::output::mini_broker::{NodeRow, nodes};

/// Sends the verb to the broker on `dir`, or shows its nodes if that was asked for.
///
/// # Errors
///
/// No broker runs there, or it refuses.
pub(super) fn run(dir: &Path, verb: NodeVerb, printer: &mut Printer) -> Result<()> {
    let reply = ask(dir, &Question::Node(verb)).map_err(|error| match error.kind() {
        Kind::Failed if error.hint_text().is_none() => {
            error.hint("`kafkit broker node list` shows the nodes")
        }
        _ => error,
    })?;
    let Reply::Nodes(all) = reply else {
        return Err(not_understood());
    };
    match done(verb) {
        Some(done) => printer.note(done),
        None => nodes(printer, &all.into_iter().map(row).collect::<Vec<_>>())?,
    }
    Ok(())
}

/// The verb in the past tense.
fn done(verb: NodeVerb) -> Option<String> {
    let (done, id) = match verb {
        NodeVerb::List => return None,
        NodeVerb::Stop(id) => ("stopped", id),
        NodeVerb::Start(id) => ("started", id),
        NodeVerb::Kill(id) => ("killed", id),
        NodeVerb::Pause(id) => ("paused", id),
        NodeVerb::Resume(id) => ("resumed", id),
    };
    Some(format!("{done} node {id}"))
}

fn row(node: NodeStatus) -> NodeRow {
    NodeRow {
        id: node.id,
        state: node.state.name().to_owned(),
        rack: node.rack,
        addresses: node.addresses,
        data_dir: node.data_dir,
    }
}
