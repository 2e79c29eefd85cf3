//! One partition of a topic in the producer: the batch that is being filled, and the queue of those to be sent.

use std::time::{Duration, Instant};

use super::partition_queue::{Batch, PartitionQueue, Rules};
use super::tags::Tags;
use crate::client::record_sink::RecordView;
use crate::records::batch_builder::{BatchBuilder, BatchOptions};
use crate::records::record::Header;
use crate::topic_partition::BrokerId;

/// A batch that accepts more records.
#[derive(Debug)]
pub(super) struct OpenBatch {
    builder: BatchBuilder,
    tags: Tags,
    created: Instant,
}

/// A batch that was closed: its bytes, and its data for the queue.
#[derive(Debug)]
pub(super) struct ClosedBatch {
    pub(super) batch: Batch,
    pub(super) bytes: Vec<u8>,
}

/// One partition.
#[derive(Debug)]
pub(super) struct Lane {
    /// The topic's index in the producer's list.
    pub(super) topic: usize,
    pub(super) partition: i32,
    pub(super) leader: Option<BrokerId>,
    pub(super) queue: PartitionQueue,
    open: Option<OpenBatch>,
    /// The open batch is sent as soon as possible.
    pub(super) leaves: bool,
    /// Since when there is no progress although batches wait.
    pub(super) stuck_since: Option<Instant>,
    pub(super) is_reported: bool,
}

impl Lane {
    pub(super) fn new(topic: usize, partition: i32, rules: Rules) -> Self {
        Self {
            topic,
            partition,
            leader: None,
            queue: PartitionQueue::new(rules),
            open: None,
            leaves: false,
            stuck_since: None,
            is_reported: false,
        }
    }

    pub(super) fn has_open(&self) -> bool {
        self.open.is_some()
    }

    /// Bytes of the batch that is being filled.
    pub(super) fn open_bytes(&self) -> usize {
        self.open
            .as_ref()
            .map_or(0, |open| open.builder.uncompressed_len())
    }

    /// Records that are neither delivered nor given up.
    pub(super) fn records(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |open| open.builder.count() as usize);
        open + self.queue.records()
    }

    /// Begins a batch in the memory of `buffer`.
    pub(super) fn begin(&mut self, buffer: Vec<u8>, now: Instant) {
        self.open = Some(OpenBatch {
            builder: BatchBuilder::with_buffer(BatchOptions::default(), buffer),
            tags: Tags::default(),
            created: now,
        });
    }

    /// Adds a record to the open batch and returns how many bytes it took; `None` if the batch would grow beyond
    /// `limit` bytes, so that the record must go into the next one. The first record of a batch may have any
    /// size.
    #[inline]
    pub(super) fn append(
        &mut self,
        record: &RecordView<'_>,
        headers: &[Header<'_>],
        timestamp: i64,
        tag: u64,
        limit: usize,
    ) -> Option<usize> {
        let open = self.open.as_mut()?;
        if let (None, Some(value), []) = (record.key, record.value, headers) {
            let bytes = open.builder.append_value(timestamp, value, limit)?;
            open.tags.push(tag);
            return Some(bytes);
        }
        let before = open.builder.uncompressed_len();
        if !open.builder.is_empty() {
            let bytes = open
                .builder
                .record_len(timestamp, record.key, record.value, headers);
            if before + bytes > limit || open.builder.count() == i32::MAX {
                return None;
            }
        }
        open.builder.append(timestamp, record.key, record.value, headers);
        open.tags.push(tag);
        Some(open.builder.uncompressed_len() - before)
    }

    /// Whether the open batch has reached the delivery timeout.
    pub(super) fn is_overdue(&self, now: Instant, delivery_timeout: Duration) -> bool {
        let created = self.open.as_ref().map(|open| open.created);
        created.is_some_and(|created| now.saturating_duration_since(created) >= delivery_timeout)
    }

    /// Whether nothing was accepted for as long as the user's patience lasts.
    pub(super) fn is_stuck_for(&self, now: Instant, patience: Option<Duration>) -> bool {
        let stuck = self.stuck_since.zip(patience);
        stuck.is_some_and(|(since, patience)| now.saturating_duration_since(since) >= patience)
    }

    /// Whether the open batch has reached `linger.ms`.
    pub(super) fn is_due(&self, now: Instant, linger: Option<Duration>) -> bool {
        match (&self.open, linger) {
            (Some(open), Some(linger)) => {
                self.leaves || now.saturating_duration_since(open.created) >= linger
            }
            (Some(_), None) => self.leaves,
            (None, _) => false,
        }
    }

    /// When the next step without an event is due.
    pub(super) fn next_deadline(
        &self,
        linger: Option<Duration>,
        patience: Option<Duration>,
    ) -> Option<Instant> {
        let open = self.open.as_ref().zip(linger);
        let leaves_at = open.map(|(open, linger)| open.created + linger);
        let stuck = self.stuck_since.zip(patience);
        let gives_up_at = stuck.and_then(|(since, patience)| since.checked_add(patience));
        [leaves_at, gives_up_at, self.queue.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Closes the open batch. With `is_stamped` it gets its checksum when it is stamped.
    pub(super) fn close(&mut self, id: u64, is_stamped: bool) -> Option<ClosedBatch> {
        self.leaves = false;
        let mut open = self.open.take().filter(|open| !open.builder.is_empty())?;
        let records = open.builder.count() as u32;
        let bytes = if is_stamped {
            open.builder.finish_unsealed()
        } else {
            open.builder.finish_uncompressed()
        };
        Some(ClosedBatch {
            batch: Batch::new(id, records, open.tags, open.created, bytes.len()),
            bytes,
        })
    }
}
