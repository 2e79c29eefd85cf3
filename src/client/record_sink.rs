//! Records to a cluster: the trait that `produce` sends through; each engine implements it.
//!
//! Owns the promises: order within a partition, nothing lost in silence, a full queue waits, every failure
//! reported once under the tag its sender gave, all else counted. Names no engine's types and allocates nothing per
//! record.

use std::time::Duration;

use super::batch_bytes::BatchBytes;
use crate::error::{Error, Kind, Result};
use crate::interrupt::Interrupt;
use crate::records::Codec;
use crate::topic_partition::Offset;

/// One header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderView<'a> {
    pub name: &'a str,
    pub value: Option<&'a [u8]>,
}

/// A record to send, borrowed from the buffer it was read into.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    pub topic: &'a str,
    /// None leaves it to the partitioner: Java's, murmur2 of the key, and sticky without one.
    pub partition: Option<i32>,
    pub key: Option<&'a [u8]>,
    /// None is Kafka's null, a tombstone; not the same as empty.
    pub value: Option<&'a [u8]>,
    pub headers: &'a [HeaderView<'a>],
    /// Milliseconds since 1970; None is now.
    pub timestamp: Option<i64>,
}

/// A record that will not arrive.
#[derive(Debug)]
pub struct DeliveryFailure<'a> {
    /// The tag it was sent with.
    pub tag: u64,
    pub partition: Option<i32>,
    /// Why, in a few words.
    pub reason: &'a str,
    pub kind: Kind,
    /// Sizes, for a report that names no contents; None is null.
    pub key_bytes: usize,
    pub value_bytes: usize,
}

/// Who is told how the records ended.
pub trait DeliveryListener {
    /// The cluster has so many more, as far as `acks` asked.
    fn delivered(&mut self, count: u64);
    fn failed(&mut self, failure: &DeliveryFailure<'_>);
    /// Whether [`Self::placed`] is wanted; it costs a call a record.
    fn wants_places(&self) -> bool {
        false
    }
    /// Where a record is, by its tag; just before it counts as delivered. Only the direct lane says so, and only with
    /// `acks` from brokers.
    fn placed(&mut self, _tag: u64, _partition: i32, _offset: Offset) {}
    /// Whether [`Self::delivered_run`] is wanted.
    fn wants_runs(&self) -> bool {
        false
    }
    /// The cluster has the records with `count` tags in a row from `first_tag` on; the first of them is at `offset` in its
    /// partition and the others follow, where the broker said so. Only the direct lane tells of runs.
    fn delivered_run(&mut self, _first_tag: u64, _count: u64, _offset: Option<Offset>) {}
    /// Something to be said at once, while the sink waits: why nothing is delivered, say. One line.
    fn notice(&mut self, line: &str);
}

/// Takes records and carries them to the cluster.
pub trait RecordSink {
    /// Takes a copy of a record. Waits while the queue is full; an interrupt ends the wait with
    /// [`Kind::Interrupted`], and the record was then not taken.
    fn send(&mut self, record: &RecordView<'_>, tag: u64, listener: &mut dyn DeliveryListener) -> Result<()>;

    /// The same for records in a row, tagged one after the other from `first_tag` on. The error comes with how many
    /// were taken before it.
    fn send_all(
        &mut self,
        records: &[RecordView<'_>],
        first_tag: u64,
        listener: &mut dyn DeliveryListener,
    ) -> Result<(), (usize, Error)>;

    /// Lets go what was gathered for a bigger batch; call it before waiting for input.
    fn dispatch(&mut self, listener: &mut dyn DeliveryListener) -> Result<()>;

    /// Reports deliveries, waiting up to `wait` for the first.
    fn poll(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) -> Result<()>;

    /// Sends at once what waits for company, and waits so long at most for all of it to be delivered. Else records
    /// leave when they fill a batch.
    fn hurry(&mut self, wait: Duration, listener: &mut dyn DeliveryListener);

    /// Waits until every record taken is delivered or has failed. From the first interrupt on (before the call, where
    /// `was_interrupted`) it waits only as long as records are still being delivered, and a few seconds in all; a second
    /// one ends it. What is not delivered by then is given up and reported as failed.
    fn flush(&mut self, was_interrupted: bool, listener: &mut dyn DeliveryListener) -> Result<()>;

    /// Gives up what is not delivered, and reports it.
    fn abandon(&mut self, listener: &mut dyn DeliveryListener);

    /// Records taken and not yet reported.
    fn in_flight(&self) -> usize;

    /// Makes sure that the topic exists (creating it if the cluster does that by itself), and how many
    /// partitions it has.
    fn prepare_topic(&mut self, topic: &str, wait: Duration) -> Result<usize>;

    /// Lets the question of [`RecordSink::max_message_bytes`] leave with those of [`RecordSink::prepare_topic`], so that
    /// nobody waits for its answer.
    fn want_max_message_bytes(&mut self, topic: &str);

    /// The topic's `max.message.bytes`, waiting up to `wait` for the answer; `None` where it is not known.
    fn max_message_bytes(&mut self, topic: &str, wait: Duration) -> Option<usize>;

    /// Keeps the batches that are begun from now on below this size, in bytes before compression.
    fn limit_batches(&mut self, bytes: usize);

    /// What happened on the way that a person should know (a broker lost, say), one line each.
    fn take_notices(&mut self) -> Vec<String>;
}

/// A finished batch of format 2. The sink stamps it with its own producer id and sequence number and sees to its checksum;
/// all else in it is the sender's.
#[derive(Debug)]
pub struct OutgoingBatch<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub bytes: OutgoingBytes,
    pub records: u32,
    /// The tag of its first record; the others follow.
    pub first_tag: u64,
}

/// The bytes of an outgoing batch, with base offset 0 and offsets without gaps.
#[derive(Debug)]
pub enum OutgoingBytes {
    /// To be sent as it is, with its checksum, which is kept right rather than computed anew: damage stays visible.
    Sealed(BatchBytes),
    /// Without a checksum and not compressed; the sink compresses it with this codec.
    Open(Vec<u8>, Codec),
}

impl OutgoingBytes {
    #[allow(clippy::len_without_is_empty, reason = "a batch has a header at least")]
    pub fn len(&self) -> usize {
        match self {
            Self::Sealed(bytes) => bytes.len(),
            Self::Open(bytes, _) => bytes.len(),
        }
    }
}

/// A transactional producer, as its coordinator has named it (KIP-98).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionalProducer {
    pub transactional_id: String,
    pub id: i64,
    pub epoch: i16,
}

/// A sink that takes whole batches too.
pub trait BatchSink: RecordSink {
    /// Takes a batch, behind what was taken for its partition before. Waits while the queue is full, as
    /// [`RecordSink::send`] does.
    fn send_batch(&mut self, batch: OutgoingBatch<'_>, listener: &mut dyn DeliveryListener) -> Result<()>;

    /// Whether brokers say what became of a batch, and so whether its checksum is wrong.
    fn is_answered(&self) -> bool;

    /// How many bytes are taken and not yet delivered.
    fn bytes_in_flight(&self) -> usize;

    /// Sends everything as part of this producer's transactions; call it before the first batch. Whoever opened the sink
    /// begins and ends them, and a batch that fails has spoiled the one that is open.
    fn produce_as(&mut self, producer: &TransactionalProducer);

    /// From now on, partitions that are sent to for the first time get nothing behind a batch that failed, so that what
    /// is written has no gap.
    fn stop_partitions_at_failures(&mut self);
}

/// How a sink works, beyond the settings.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// Ends waits.
    pub interrupt: Interrupt,
    /// Engine settings in librdkafka's names that the settings do not override (a codec flag, say).
    pub overrides: Vec<(String, String)>,
    /// Settings that hold where neither `overrides` nor the settings speak.
    pub defaults: Vec<(String, String)>,
}
