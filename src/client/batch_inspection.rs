//! Inspects stored batches over our own connection, when an engine makes no progress at them or skips records.
//!
//! Owns the judgement of what is wrong with a batch; without an answer of the cluster there is none. Each inspection
//! has its own thread, so that nobody waits for a silent broker.

use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use super::admin::{AdminClient, offsets};
use super::settings::{Origin, Settings};
use crate::error::{Error, Result};
use crate::records::batch_header::{computed_crc, crc_is_valid};
use crate::records::compression::CompressionError;
use crate::records::{Batch, Batches, RecordError};
use crate::topic_partition::{Offset, TopicPartition};

/// The longest time of an inspection.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes that a batch may inflate to; a larger one is not judged.
pub(super) const BATCH_LIMIT: usize = 256 << 20;

/// Bytes of valid batches that an inspection reads before it gives up; an engine fetches less at once.
const WALK: usize = 16 << 20;

/// How far an inspection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The batch that holds the offset, or the first after it.
    OneBatch,
    /// All batches from there on until one is damaged.
    UntilDamage,
}

/// A damaged batch, and the batches before it.
#[derive(Debug)]
pub(super) struct Damage {
    pub(super) error: Error,
    /// The whole batches from the offset on.
    pub(super) before: Vec<Bytes>,
}

/// An inspection in progress.
#[derive(Debug)]
pub(super) struct Inspection(Receiver<Option<Damage>>);

impl Inspection {
    /// Inspects batches from `offset` on; [`offsets::EARLIEST`] is the log start offset.
    pub(super) fn begin(
        settings: &Settings,
        (topic, partition, offset): (&str, i32, Offset),
        reach: Reach,
    ) -> Self {
        let (sender, receiver) = channel();
        let mut settings = settings.clone();
        let partition = TopicPartition {
            topic: topic.to_owned(),
            partition,
        };
        thread::spawn(move || {
            let patience = PATIENCE.as_millis().to_string();
            settings.set("default.api.timeout.ms", patience, Origin::Flag);
            // The receiver may be gone.
            let _ = sender.send(look(&settings, &partition, offset, reach).unwrap_or(None));
        });
        Self(receiver)
    }

    /// The damage, if there is any; pending during the inspection.
    pub(super) fn outcome(&self) -> Poll<Option<Damage>> {
        match self.0.try_recv() {
            Ok(found) => Poll::Ready(found),
            Err(TryRecvError::Empty) => Poll::Pending,
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
        }
    }

    /// Waits for the outcome, at most as long as an inspection may take.
    pub(super) fn wait(&self) -> Option<Damage> {
        self.0.recv_timeout(PATIENCE).unwrap_or(None)
    }
}

fn look(
    settings: &Settings,
    partition: &TopicPartition,
    mut offset: Offset,
    reach: Reach,
) -> Result<Option<Damage>> {
    let mut admin = AdminClient::connect(settings)?;
    let described = admin.describe_topics(std::slice::from_ref(&partition.topic), 1000)?;
    let Some((_, Ok(topic))) = described.into_iter().next() else {
        return Ok(None);
    };
    let found = topic
        .partitions
        .iter()
        .find(|found| found.partition == partition.partition);
    let Some(leader) = found.and_then(|found| found.leader) else {
        return Ok(None);
    };
    if offset == offsets::EARLIEST {
        let answers = admin.list_offsets(&[(partition.clone(), leader)], offset)?;
        match answers.get(partition) {
            Some(Ok(first)) => offset = *first,
            _ => return Ok(None),
        }
    }
    let (mut before, mut walked) = (Vec::new(), 0);
    while walked < WALK {
        let Ok(Some(bytes)) = admin.fetch_batch(partition, topic.id, leader, offset)? else {
            return Ok(None);
        };
        let next = match judge(&bytes, partition, offset) {
            Ok(Some(next)) if next > offset && reach == Reach::UntilDamage => next,
            Ok(_) => return Ok(None),
            Err(error) => return Ok(Some(Damage { error, before })),
        };
        walked += bytes.len();
        before.push(bytes);
        offset = next;
    }
    Ok(None)
}

/// The offset after the first batch of `bytes`, if it is whole.
fn judge(bytes: &[u8], partition: &TopicPartition, offset: Offset) -> Result<Option<Offset>> {
    let place = format!("{}-{} offset", partition.topic, partition.partition);
    let batch = match Batches::new(bytes).next() {
        None => return Ok(None),
        Some(Ok(batch)) => batch,
        Some(Err(error)) => {
            return Err(Error::bad_data(format!(
                "{place} {offset}: damaged batch: {error}"
            )));
        }
    };
    let (first, next) = (batch.header.base_offset, batch.header.next_offset());
    match fault(&batch) {
        None => Ok(Some(next)),
        Some(fault) => {
            let last = batch.header.last_offset();
            Err(Error::bad_data(format!(
                "{place} {first}: damaged batch of offsets {first} to {last}: {fault}"
            ))
            .hint(format!("what is behind it: -p {} -o {next}", partition.partition)))
        }
    }
}

/// What is wrong with a batch, as a consumer sees it.
fn fault(batch: &Batch<'_>) -> Option<String> {
    if batch.header.magic == 2 && !crc_is_valid(batch.bytes) {
        let (stored, computed) = (batch.header.crc, computed_crc(batch.bytes));
        return Some(format!(
            "its checksum is {stored:#010x}, its bytes have {computed:#010x}"
        ));
    }
    let mut scratch = Vec::new();
    let error = match batch.records(&mut scratch, BATCH_LIMIT) {
        Ok(mut records) => records.find_map(std::result::Result::err)?,
        Err(error) => error,
    };
    match error {
        RecordError::Compression(CompressionError::TooLarge { .. }) => None,
        error => Some(error.to_string()),
    }
}
