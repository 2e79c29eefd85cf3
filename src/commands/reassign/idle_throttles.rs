//! Throttles that nothing needs any more: cleared, and named.

use super::throttles::{self, Changes};
use crate::client::admin::throttles::Throttled;
use crate::commands::Context;
use crate::error::{Error, Result};

/// `broker 1, broker 2, topic orders`
pub(super) fn names_of(found: &[Throttled]) -> String {
    let names: Vec<String> = found.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// Clears what was found, and says so; a refusal is an error.
pub(super) fn clear(found: Vec<Throttled>, context: &mut Context) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let names = names_of(&found);
    let mut changes = Changes::new();
    for throttled in found {
        changes.extend(match throttled {
            Throttled::Broker(id) => throttles::cleared_brokers([id]),
            Throttled::Topic(name) => throttles::cleared_topics([name]),
        });
    }
    let refused = context.client.admin()?.alter_throttles(&changes)?;
    if let Some((throttled, error)) = refused.into_iter().next() {
        return Err(Error::from(error).context(format!("throttle of {throttled}")));
    }
    context.printer.note(format_args!("throttle cleared on {names}"));
    Ok(())
}
