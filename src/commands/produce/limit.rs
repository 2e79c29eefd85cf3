//! The topic's `max.message.bytes`: batches are kept below it, and a record above it is named without being sent.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Account, Run};
use crate::client::record_sink::{DeliveryFailure, DeliveryListener as _};
use crate::error::{Kind, Result};
use crate::input::{BadInput, ParsedRecord};
use crate::output::size;

/// What a batch of one record adds to its key and value: header, lengths, offsets.
const OVERHEAD: usize = 61 + 7;
/// How long the topic's limit is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Java's default of `max.request.size`.
const MAX_REQUEST: usize = 1_048_576;

impl Run<'_> {
    /// Asks for the topic's limit; a cluster that will not say is no obstacle. A topic that takes less than our
    /// batches gets smaller ones, since a broker refuses a batch as a whole.
    pub(super) fn learn_topic_limit(&mut self) {
        let wait = self.action.topic_wait.min(PATIENCE);
        let Some(limit) = self.sink.max_message_bytes(&self.action.topic, wait) else {
            return;
        };
        let action = &self.action;
        let codec = action
            .overrides
            .iter()
            .rev()
            .find(|(name, _)| name == "compression.codec");
        // What compression makes of a record only the broker knows.
        if codec.is_none_or(|(_, codec)| codec == "none") && !action.fixed.value_is_file {
            let request = self.context.client.settings().get("max.request.size");
            let request = request
                .and_then(|bytes| bytes.trim().parse().ok())
                .unwrap_or(MAX_REQUEST);
            self.limit = Some(Limit {
                bytes: limit,
                end: action.oversized_ends_run.then_some(action.batch_bytes..=request),
            });
        }
        self.sink.limit_batches(limit);
    }
}

fn bytes(record: &ParsedRecord<'_>) -> usize {
    record.key.as_ref().map_or(0, |key| key.len()) + record.value.as_ref().map_or(0, |value| value.len())
}

/// What a topic takes.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    /// `max.message.bytes`.
    bytes: usize,
    /// Nothing may be sent after a record that is too big for its topic and of such a size: Java's producer splits
    /// a batch that is larger than `batch.size` for ever, and never gets to what follows. What is larger than
    /// `max.request.size` it does not even try.
    end: Option<RangeInclusive<usize>>,
}

impl Limit {
    /// Why a record is too big for its topic; one that Java does not even try is left to the sink, which refuses it first.
    pub(super) fn refuses(&self, record: &ParsedRecord<'_>) -> Option<TooLarge> {
        let whole = bytes(record) + OVERHEAD;
        let is_tried = self.end.as_ref().is_none_or(|end| whole <= *end.end());
        (whole > self.bytes && is_tried && record.topic.is_none()).then(|| TooLarge {
            problem: format!(
                "{} is over the topic's max.message.bytes {}",
                size(whole as u64),
                size(self.bytes as u64)
            ),
            is_the_end: self.end.as_ref().is_some_and(|end| end.contains(&bytes(record))),
        })
    }

    /// Whether a value of so many bytes, without key, is surely not too big.
    pub(super) fn takes(&self, bytes: usize) -> bool {
        bytes + OVERHEAD <= self.bytes
    }
}

/// A record that is too big for its topic.
#[derive(Debug)]
pub(super) struct TooLarge {
    problem: String,
    /// Nothing can be sent after it.
    is_the_end: bool,
}

impl TooLarge {
    /// Puts the record aside, or notes it as failed, which may end the run.
    pub(super) fn refuse(
        &self,
        piece: &[u8],
        record: &ParsedRecord<'_>,
        number: u64,
        is_sync: bool,
        account: &mut Account,
    ) -> Result<()> {
        if account.rejects.is_some() {
            return account.reject(piece, number, &BadInput::new(&self.problem));
        }
        account.sent += 1;
        account.failed(&DeliveryFailure {
            tag: number,
            partition: None,
            reason: &self.problem,
            kind: Kind::BadData,
            key_bytes: record.key.as_ref().map_or(0, |key| key.len()),
            value_bytes: record.value.as_ref().map_or(0, |value| value.len()),
        });
        if is_sync || self.is_the_end {
            account.first_failure()?;
        }
        Ok(())
    }
}
