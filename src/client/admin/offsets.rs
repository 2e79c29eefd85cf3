//! First and next offsets of partitions, and offsets by time: `ListOffsets` (v1–10).
//!
//! <https://kafka.apache.org/protocol#The_Messages_ListOffsets>

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{self, ListOffsetsRequest, ListOffsetsResponse};

use super::led_partitions::{Asked, LedPartitions};
use super::topics::topic_name;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};
use crate::wire::error_codes::{NOT_LEADER_OR_FOLLOWER, OFFSET_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION};

/// The high watermark: the offset after the last replicated record.
pub const LATEST: i64 = -1;
/// The first offset that can still be read.
pub const EARLIEST: i64 = -2;
/// The record with the largest timestamp.
const NEWEST: i64 = -3;

/// The replica id of a consumer, for which a partition ends at its high watermark.
const CONSUMER: messages::BrokerId = messages::BrokerId(-1);
/// The replica id of a "debugging" client, for which it ends at its log end offset.
const DEBUGGER: messages::BrokerId = messages::BrokerId(-2);

/// Errors of a broker that does not know yet that it is the leader.
const NOT_YET: [i16; 3] = [
    UNKNOWN_TOPIC_OR_PARTITION,
    NOT_LEADER_OR_FOLLOWER,
    OFFSET_NOT_AVAILABLE,
];
/// How long such a broker is asked again, and the first pause; each later one is twice as long.
const PATIENCE: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// An offset and its record's timestamp (ms since 1970), or why there is none.
pub(super) type Answer = Result<(Offset, i64), ApiError>;
type Answers = BTreeMap<TopicPartition, Answer>;

/// The requested offset of each partition, or why there is none; -1 if no record matches.
pub type Offsets = BTreeMap<TopicPartition, Result<Offset, ApiError>>;

fn by_leader_of(partitions: &[(TopicPartition, BrokerId)]) -> LedPartitions<'_> {
    let partitions = partitions.iter();
    LedPartitions::by_leader(partitions.map(|(name, leader)| (name.topic.as_str(), name.partition, *leader)))
}

/// Takes the offset out of each answer.
fn into(offsets: &mut Offsets) -> impl FnMut(Asked<'_>, Answer) + '_ {
    |asked, answer| {
        let name = TopicPartition::new(asked.topic, asked.partition);
        offsets.insert(name, answer.map(|(offset, _)| offset));
    }
}

impl AdminClient {
    /// One offset of each partition, from its leader: [`LATEST`], [`EARLIEST`], or the first record at or after a time
    /// in milliseconds since 1970.
    pub fn list_offsets(
        &mut self,
        partitions: &[(TopicPartition, BrokerId)],
        timestamp: i64,
    ) -> Result<Offsets> {
        let mut offsets = Offsets::new();
        let leaders = by_leader_of(partitions);
        self.each_offset(&leaders, timestamp, into(&mut offsets))?;
        Ok(offsets)
    }

    /// [`AdminClient::list_offsets`] without retries at a broker that does not know yet that it is the leader.
    pub fn list_offsets_once(
        &mut self,
        partitions: &[(TopicPartition, BrokerId)],
        timestamp: i64,
    ) -> Result<Offsets> {
        let mut offsets = Offsets::new();
        let leaders = by_leader_of(partitions);
        self.ask_leaders(&leaders, timestamp, into(&mut offsets))?;
        Ok(offsets)
    }

    /// The log end offset of each partition's leader: the end of the appended records, replicated or not.
    pub fn log_end_offsets(&mut self, partitions: &[(TopicPartition, BrokerId)]) -> Result<Offsets> {
        let mut offsets = Offsets::new();
        let led = by_leader_of(partitions);
        let mut not_yet = LedPartitions::default();
        self.send_in_turns(
            &led.leaders(),
            |leader| question(led.topics_of(leader), LATEST).with_replica_id(DEBUGGER),
            |leader, answer: Result<ListOffsetsResponse>| {
                take_offsets(&led, leader, answer?, &mut not_yet, into(&mut offsets));
                Ok(())
            },
        )?;
        Ok(offsets)
    }

    /// The largest timestamp of each partition's records, in milliseconds since 1970; empty partitions, and those whose
    /// leader does not support this (KIP-734), are left out.
    pub fn newest_timestamps(
        &mut self,
        partitions: &[(TopicPartition, BrokerId)],
    ) -> Result<BTreeMap<TopicPartition, i64>> {
        let mut answers = Answers::new();
        self.each_offset(&by_leader_of(partitions), NEWEST, |asked, answer| {
            answers.insert(TopicPartition::new(asked.topic, asked.partition), answer);
        })?;
        let known = answers.into_iter().filter_map(|(partition, answer)| {
            let (_, timestamp) = answer.ok()?;
            (timestamp >= 0).then_some((partition, timestamp))
        });
        Ok(known.collect())
    }

    /// Calls `take` with one offset of each partition. A broker may learn of a new topic, or of its leadership, a
    /// moment after the others: it is asked again, and `take` is called again for the partition.
    fn each_offset(
        &mut self,
        led: &LedPartitions<'_>,
        timestamp: i64,
        mut take: impl FnMut(Asked<'_>, Answer),
    ) -> Result<()> {
        let open = self.ask_leaders(led, timestamp, &mut take)?;
        self.ask_again(open, timestamp, take)
    }

    /// Asks brokers again, for a while, that do not know yet that they lead a partition.
    pub(super) fn ask_again(
        &mut self,
        mut open: LedPartitions<'_>,
        timestamp: i64,
        mut take: impl FnMut(Asked<'_>, Answer),
    ) -> Result<()> {
        let end = Instant::now() + PATIENCE.min(self.time_left());
        let mut pause = FIRST_PAUSE;
        while !open.is_empty() && Instant::now() + pause < end {
            thread::sleep(pause);
            pause *= 2;
            open = self.ask_leaders(&open, timestamp, &mut take)?;
        }
        Ok(())
    }

    /// Calls `take` with the answers of the leaders; returns the partitions whose leaders do not know yet that they
    /// lead them.
    fn ask_leaders<'a>(
        &mut self,
        led: &LedPartitions<'a>,
        timestamp: i64,
        mut take: impl FnMut(Asked<'a>, Answer),
    ) -> Result<LedPartitions<'a>> {
        let mut open = LedPartitions::default();
        self.send_in_turns(
            &led.leaders(),
            |leader| question(led.topics_of(leader), timestamp),
            |leader, answer: Result<ListOffsetsResponse>| {
                take_offsets(led, leader, answer?, &mut open, &mut take);
                Ok(())
            },
        )?;
        open.sort();
        Ok(open)
    }
}

/// Calls `take` with a leader's answers, and adds to `open` the partitions that it does not know yet that it leads.
pub(super) fn take_offsets<'a>(
    led: &LedPartitions<'a>,
    leader: BrokerId,
    answer: ListOffsetsResponse,
    open: &mut LedPartitions<'a>,
    mut take: impl FnMut(Asked<'a>, Answer),
) {
    let mut answers = led.answers_of(leader);
    for topic in answer.topics {
        for partition in topic.partitions {
            let Some(asked) = answers.find(&topic.name, partition.partition_index) else {
                continue;
            };
            if NOT_YET.contains(&partition.error_code) {
                open.push(leader, asked);
            }
            let outcome = ApiError::check(partition.error_code, None::<String>);
            take(asked, outcome.map(|()| (partition.offset, partition.timestamp)));
        }
    }
}

/// The request for one offset of each of these partitions.
pub(super) fn question<'a>(
    topics: impl Iterator<Item = &'a [Asked<'a>]>,
    timestamp: i64,
) -> ListOffsetsRequest {
    let topics = topics.map(|some| {
        let wanted = some.iter().map(|asked| {
            ListOffsetsPartition::default()
                .with_partition_index(asked.partition)
                .with_timestamp(timestamp)
        });
        ListOffsetsTopic::default()
            .with_name(topic_name(some.first().map_or("", |asked| asked.topic)))
            .with_partitions(wanted.collect())
    });
    ListOffsetsRequest::default()
        .with_replica_id(CONSUMER)
        .with_topics(topics.collect())
}
