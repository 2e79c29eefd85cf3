//! The active producers of partitions, as their leaders report them (KIP-664).

use crate::client::admin::volumes::leaders;
use crate::commands::context::Context;
use crate::commands::describe::transactions::now_ms;
use crate::commands::partition_selection::{self, PartitionsOfTopic};
use crate::error::{Error, Result};
use crate::output::producers;

pub(super) fn describe(selection: &[PartitionsOfTopic], context: &mut Context) -> Result<()> {
    let topics = context.client.admin()?.all_topics()?;
    let wanted = partition_selection::find(selection, &topics, context)?;
    let mut led = leaders(&topics);
    led.retain(|(partition, _)| wanted.contains(partition));
    let mut rows = Vec::new();
    for (partition, answer) in context.client.admin()?.describe_producers(&led)? {
        let states = answer.map_err(|refusal| {
            Error::from(refusal).context(format_args!("cannot ask for the producers of {partition}"))
        })?;
        rows.push((partition, states));
    }
    if rows.iter().all(|(_, states)| states.is_empty()) {
        context.printer.note("no producers are remembered there");
    }
    producers::list(&mut context.printer, &rows, now_ms())
}
