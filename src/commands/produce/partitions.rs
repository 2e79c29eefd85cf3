//! A record for a partition that the topic does not have: reported before it is sent, else the engine would wait.

use std::time::{Duration, Instant};

use super::Action;
use crate::client::record_sink::RecordSink;
use crate::client::silent_for;
use crate::error::{Error, Kind, Result};
use crate::output::stderr_line;
use crate::output::voice::SOON;

/// The number of partitions of the topic, if it is known.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    count: usize,
}

impl Partitions {
    /// Waits until the topic exists, and checks that it has the partition for all records.
    pub(super) fn learn(&mut self, sink: &mut dyn RecordSink, action: &Action) -> Result<()> {
        self.count = prepare(sink, action)?;
        match self.refuses(action.fixed.partition, sink, &action.topic, action.topic_wait)? {
            Some(problem) => Err(Error::not_found(problem)),
            None => Ok(()),
        }
    }

    /// Why a record cannot be sent to this partition; the topic may have grown since the last request.
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

/// Waits for the topic. Missing answers are reported soon, unless the face reports each failure by itself.
fn prepare(sink: &mut dyn RecordSink, action: &Action) -> Result<usize> {
    let (topic, wait) = (&action.topic, action.topic_wait);
    let first = if action.voice.notices_before_topic() {
        wait
    } else {
        wait.min(SOON)
    };
    let begun = Instant::now();
    match sink.prepare_topic(topic, first) {
        // An error before the time is over is a real one.
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
