//! A record for a partition that the topic does not have: named before it is sent, since the engine would wait for it.

use std::time::{Duration, Instant};

use super::Action;
use crate::client::record_sink::RecordSink;
use crate::client::silent_for;
use crate::error::{Error, Kind, Result};
use crate::output::stderr_line;
use crate::output::voice::SOON;

/// How many partitions the topic has, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    count: usize,
}

impl Partitions {
    /// Makes sure of the topic, and that it has the partition that all records are to go to.
    pub(super) fn learn(&mut self, sink: &mut dyn RecordSink, action: &Action) -> Result<()> {
        self.count = prepare(sink, action)?;
        match self.refuses(action.fixed.partition, sink, &action.topic, action.topic_wait)? {
            Some(problem) => Err(Error::not_found(problem)),
            None => Ok(()),
        }
    }

    /// Why a record cannot go to this partition; the topic may have grown since it was asked.
    pub(super) fn refuses(
        &mut self,
        partition: Option<i32>,
        sink: &mut dyn RecordSink,
        topic: &str,
        wait: Duration,
    ) -> Result<Option<String>> {
        let Some(partition) = partition.filter(|partition| !self.has(*partition)) else {
            return Ok(None);
        };
        self.count = sink.prepare_topic(topic, wait)?;
        Ok((!self.has(partition)).then(|| {
            format!(
                "topic \"{topic}\" has no partition {partition}; it has {}",
                self.count
            )
        }))
    }

    fn has(&self, partition: i32) -> bool {
        usize::try_from(partition).is_ok_and(|partition| partition < self.count)
    }
}

/// Asks for the topic. That nobody answers is said soon, unless the face says each failure by itself.
fn prepare(sink: &mut dyn RecordSink, action: &Action) -> Result<usize> {
    let (topic, wait) = (&action.topic, action.topic_wait);
    let first = if action.voice.notices_before_topic() {
        wait
    } else {
        wait.min(SOON)
    };
    let begun = Instant::now();
    match sink.prepare_topic(topic, first) {
        // What comes before its time is no matter of patience.
        Err(error) if first < wait && begun.elapsed() >= first && error.kind() != Kind::Interrupted => {
            if error.kind() == Kind::Unreachable {
                let trouble = silent_for(error, first).message();
                stderr_line(action.voice.waiting(&trouble, wait));
            }
            let outcome = sink.prepare_topic(topic, wait.saturating_sub(first));
            outcome.map_err(|error| silent_for(error, wait))
        }
        outcome => outcome,
    }
}
