//! The topic's `max.message.bytes`: batches are kept below it, and a record above it is reported without being sent.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Account, Run};
use crate::client::record_sink::{DeliveryFailure, DeliveryListener as _};
use crate::error::{Kind, Result};
use crate::input::{BadInput, ParsedRecord};
use crate::output::size;

/// The bytes that a batch of one record has beside key and value: header, lengths, offsets.
const OVERHEAD: usize = 61 + 7;
/// How long to wait for the topic's limit.
const PATIENCE: Duration = Duration::from_secs(5);
/// Java's default of `max.request.size`.
const MAX_REQUEST: usize = 1_048_576;

impl Run<'_> {
    /// Looks up the topic's limit; it is no failure if the cluster does not report it. If the limit is below our batch
    /// size, batches get smaller, since a broker refuses a batch as a whole.
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
        // The size of a compressed record is known to the broker only.
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

/// The size limit of a topic.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    /// `max.message.bytes`.
    bytes: usize,
    /// Nothing can be sent after a record that is too large for its topic and has a size in this range: Java's producer
    /// splits a batch that is larger than `batch.size` for ever, and never sends what follows. A record that is larger
    /// than `max.request.size` is refused at once.
    end: Option<RangeInclusive<usize>>,
}

impl Limit {
    /// The refusal of a record that is too large for its topic; the sink refuses one above `max.request.size`.
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

    /// Whether a value of this many bytes, without a key, is surely small enough.
    pub(super) fn takes(&self, bytes: usize) -> bool {
        bytes + OVERHEAD <= self.bytes
    }
}

/// A record that is too large for its topic.
#[derive(Debug)]
pub(super) struct TooLarge {
    problem: String,
    /// Nothing can be sent after it.
    is_the_end: bool,
}

impl TooLarge {
    /// Rejects the record, or notes it as failed, which may end the run.
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
