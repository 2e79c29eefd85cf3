//! Records to a cluster: the trait that `produce` sends through; each engine implements it.
//!
//! Owns the promises: order within a partition, nothing is lost silently, a full queue waits, every failure is reported
//! once with its record's tag, and deliveries are counted. Names no engine's types and allocates nothing per record.

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
    /// `None` leaves it to the partitioner, by default Java's: murmur2 of the key, and sticky without one.
    pub partition: Option<i32>,
    pub key: Option<&'a [u8]>,
    /// `None` is Kafka's null, a tombstone; not the same as empty.
    pub value: Option<&'a [u8]>,
    pub headers: &'a [HeaderView<'a>],
    /// Milliseconds since 1970; `None` is now.
    pub timestamp: Option<i64>,
}

/// A record that could not be delivered.
#[derive(Debug)]
pub struct DeliveryFailure<'a> {
    /// The tag it was sent with.
    pub tag: u64,
    pub partition: Option<i32>,
    /// Why, in a few words.
    pub reason: &'a str,
    pub kind: Kind,
    /// Sizes in bytes, for a report without contents; 0 for null.
    pub key_bytes: usize,
    pub value_bytes: usize,
}

/// Receives the outcomes of records.
pub trait DeliveryListener {
    /// The cluster has acknowledged this many more records, as `acks` requires.
    fn delivered(&mut self, count: u64);
    fn failed(&mut self, failure: &DeliveryFailure<'_>);
    /// Whether [`Self::placed`] is wanted; it costs a call for each record.
    fn wants_places(&self) -> bool {
        false
    }
    /// The partition and offset of a record, by its tag, just before it counts as delivered. Only the direct lane
    /// reports it; with `acks=0` there is no offset.
    fn placed(&mut self, _tag: u64, _partition: i32, _offset: Option<Offset>) {}
    /// Whether [`Self::delivered_run`] is wanted.
    fn wants_runs(&self) -> bool {
        false
    }
    /// The cluster has the records with `count` consecutive tags from `first_tag` on; the first is at `offset` in its
    /// partition and the others follow, if the broker returned an offset. Only the direct lane reports runs.
    fn delivered_run(&mut self, _first_tag: u64, _count: u64, _offset: Option<Offset>) {}
    /// A line to be shown at once, while the sink waits, for example why nothing is delivered.
    fn notice(&mut self, line: &str);
}

/// Takes records and sends them to the cluster.
pub trait RecordSink {
    /// Takes a copy of a record. Waits while the queue is full; an interrupt ends the wait with
    /// [`Kind::Interrupted`], and the record was then not taken.
    fn send(&mut self, record: &RecordView<'_>, tag: u64, listener: &mut dyn DeliveryListener) -> Result<()>;

    /// [`Self::send`] for several records, with consecutive tags from `first_tag` on. The error has the number of
    /// records that were taken before it.
    fn send_all(
        &mut self,
        records: &[RecordView<'_>],
        first_tag: u64,
        listener: &mut dyn DeliveryListener,
    ) -> Result<(), (usize, Error)>;

    /// Sends open batches that wait for more records; call it before waiting for input.
    fn dispatch(&mut self, listener: &mut dyn DeliveryListener) -> Result<()>;

    /// Reports deliveries, waiting up to `wait` for the first.
    fn poll(&mut self, wait: Duration, listener: &mut dyn DeliveryListener) -> Result<()>;

    /// Sends open batches at once, and waits up to `wait` until all records are delivered.
    fn flush_early(&mut self, wait: Duration, listener: &mut dyn DeliveryListener);

    /// Waits until every record taken is delivered or has failed. From the first interrupt on (before the call, if
    /// `was_interrupted`) it waits only as long as records are still being delivered, and a few seconds in all; a
    /// second one ends it. Records that are not delivered by then are given up and reported as failed.
    fn flush(&mut self, was_interrupted: bool, listener: &mut dyn DeliveryListener) -> Result<()>;

    /// Gives up the records that are not delivered, and reports them.
    fn abandon(&mut self, listener: &mut dyn DeliveryListener);

    /// Records taken and not yet reported.
    fn in_flight(&self) -> usize;

    /// Checks that the topic exists (the cluster may create it), and returns its number of partitions.
    fn prepare_topic(&mut self, topic: &str, wait: Duration) -> Result<usize>;

    /// Sends the request of [`RecordSink::max_message_bytes`] together with those of [`RecordSink::prepare_topic`], so
    /// that there is no extra wait for its answer.
    fn want_max_message_bytes(&mut self, topic: &str);

    /// The topic's `max.message.bytes`, waiting up to `wait` for the answer; `None` if it is not known.
    fn max_message_bytes(&mut self, topic: &str, wait: Duration) -> Option<usize>;

    /// Keeps the batches that are begun from now on below this size, in bytes before compression.
    fn limit_batches(&mut self, bytes: usize);

    /// Notices for the user (a lost broker, for example), one line each.
    fn take_notices(&mut self) -> Vec<String>;
}

/// A finished batch of format 2. The sink sets its producer id, sequence number and checksum; everything else in it is
/// the sender's.
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
    /// To be sent as it is, with its checksum, which is updated and not computed from the records: damage stays
    /// visible.
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

/// A transactional producer, with the id and epoch from its coordinator (KIP-98).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionalProducer {
    pub transactional_id: String,
    pub id: i64,
    pub epoch: i16,
}

/// A sink that also takes whole batches.
pub trait BatchSink: RecordSink {
    /// Takes a batch, to be sent after what was taken for its partition before. Waits while the queue is full, as
    /// [`RecordSink::send`] does.
    fn send_batch(&mut self, batch: OutgoingBatch<'_>, listener: &mut dyn DeliveryListener) -> Result<()>;

    /// Whether brokers answer (`acks` is not 0), and so report a wrong checksum.
    fn is_answered(&self) -> bool;

    /// Bytes that are taken and not yet delivered.
    fn bytes_in_flight(&self) -> usize;

    /// Sends everything as part of this producer's transactions; call it before the first batch. The caller begins and
    /// ends them, and must abort the open one after a failed batch.
    fn produce_as(&mut self, producer: &TransactionalProducer);

    /// From now on, partitions that are used for the first time get nothing after a failed batch, so that they have no
    /// gap.
    fn stop_partitions_at_failures(&mut self);
}

/// How a sink works, beyond the settings.
#[derive(Clone, Debug)]
pub struct SinkOptions {
    /// Ends all waits.
    pub interrupt: Interrupt,
    /// Settings with librdkafka's names that take precedence over the user's settings (for example of a codec flag).
    pub overrides: Vec<(String, String)>,
    /// Settings that apply where neither `overrides` nor the user's settings have a value.
    pub defaults: Vec<(String, String)>,
}
