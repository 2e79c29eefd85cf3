//! Records into batches: which partition, which batch, and what happens when memory is used up.

use std::time::{Duration, Instant};

use super::lane::Lane;
use super::sealer::Ticket;
use super::{DirectSink, STEP, Topic, failures, partitioner};
use crate::client::record_sink::{DeliveryListener, RecordSink as _, RecordView};
use crate::client::request_limit::RequestLimit;
use crate::error::{Kind, Result};
use crate::records::Codec;
use crate::records::batch_header::HEADER_LEN;
use crate::records::record::Header;

/// A partition is left out of a round if its queue is longer than the shortest by more than this many
/// batches.
const LONGER_QUEUE: usize = 4;

impl DirectSink {
    pub(super) fn send_at(
        &mut self,
        topic: usize,
        record: &RecordView<'_>,
        tag: u64,
        now: (Instant, i64),
        listener: &mut dyn DeliveryListener,
    ) -> Result<()> {
        if let Some(refusal) = self.refusal(record) {
            failures::report_one(record, tag, &refusal, listener);
            return Ok(());
        }
        if self.memory >= self.settings.buffer_bytes {
            self.wait_for_memory(listener)?;
        }
        let Some(lane) = self.lane_for(topic, record) else {
            let count = self.topics.get(topic).map_or(0, |topic| topic.lanes.len());
            let partition = record.partition.unwrap_or(-1);
            let name = record.topic;
            let reason = format!("topic \"{name}\" has no partition {partition}; it has {count}");
            failures::report_one(record, tag, &(Kind::NotFound, reason), listener);
            return Ok(());
        };
        let timestamp = record.timestamp.unwrap_or(now.1);
        let bytes = if record.headers.is_empty() {
            self.append(lane, record, &[], timestamp, tag, now.0, listener)
        } else {
            let headers: Vec<Header<'_>> = record
                .headers
                .iter()
                .map(|header| Header {
                    key: header.name.as_bytes(),
                    value: header.value,
                })
                .collect();
            self.append(lane, record, &headers, timestamp, tag, now.0, listener)
        };
        if self.takes_turn(record)
            && let Some(topic) = self.topics.get_mut(topic)
        {
            topic.turns.count(bytes);
        }
        Ok(())
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the record and where it goes; a struct would be built for every record"
    )]
    #[inline]
    pub(super) fn append(
        &mut self,
        lane: usize,
        record: &RecordView<'_>,
        headers: &[Header<'_>],
        timestamp: i64,
        tag: u64,
        now: Instant,
        listener: &mut dyn DeliveryListener,
    ) -> usize {
        let limit = self.settings.batch_bytes;
        let mut bytes = self
            .lanes
            .get_mut(lane)
            .and_then(|lane| lane.append(record, headers, timestamp, tag, limit));
        if bytes.is_none() {
            self.close_batch(lane);
            self.drive_io(Duration::ZERO, listener);
            let buffer = self.spare.pop().unwrap_or_default();
            if let Some(lane) = self.lanes.get_mut(lane) {
                lane.begin(buffer, now);
                bytes = lane.append(record, headers, timestamp, tag, limit);
            }
        }
        let bytes = bytes.unwrap_or_default();
        self.memory += bytes;
        self.outstanding += 1;
        bytes
    }

    pub(super) fn refusal(&self, record: &RecordView<'_>) -> Option<(Kind, String)> {
        if let Some((failure, reason)) = &self.fatal {
            return Some((failure.kind(), reason.clone()));
        }
        let limit = self.settings.max_request_bytes?;
        let reason = RequestLimit(Some(limit)).refusal(record)?;
        Some((Kind::BadData, reason))
    }

    pub(super) fn topic_of(&mut self, name: &str) -> Result<usize> {
        let is_it = |topic: &Topic| topic.name == name;
        if self.topics.get(self.last_topic).is_some_and(is_it) {
            return Ok(self.last_topic);
        }
        if !self.topics.iter().any(is_it) {
            self.prepare_topic(name, self.settings.delivery_timeout)?;
        }
        self.last_topic = self.topics.iter().position(is_it).unwrap_or_default();
        Ok(self.last_topic)
    }

    pub(super) fn lane_for(&mut self, topic: usize, record: &RecordView<'_>) -> Option<usize> {
        let count = self.topics.get(topic)?.lanes.len();
        let partition = match record.partition {
            Some(partition) => partition,
            None if self.takes_turn(record) => match self.topics.get(topic)?.turns.partition() {
                Some(partition) => partition,
                None => self.begin_round(topic)?,
            },
            None => partitioner::of_key(self.settings.partitioner.hash, record.key, count),
        };
        let index = usize::try_from(partition).ok()?;
        self.topics.get(topic)?.lanes.get(index).copied()
    }

    fn takes_turn(&self, record: &RecordView<'_>) -> bool {
        record.partition.is_none() && partitioner::takes_turn(self.settings.partitioner, record.key)
    }

    /// Begins a round among the partitions whose leader accepts batches, or among all if none does.
    pub(super) fn begin_round(&mut self, topic: usize) -> Option<i32> {
        let (lanes, settings) = (&self.lanes, &self.settings);
        let topic = self.topics.get_mut(topic)?;
        let members = topic.lanes.iter().filter_map(|lane| lanes.get(*lane));
        let is_available = |lane: &&Lane| {
            let stuck = lane.stuck_since.map(|since| since.elapsed());
            let is_late = settings
                .availability_timeout
                .is_some_and(|limit| stuck.is_some_and(|stuck| stuck >= limit));
            lane.leader.is_some() && !lane.is_reported && !is_late
        };
        let available = members.clone().filter(is_available);
        let shortest = available.clone().map(|lane| lane.queue.len()).min();
        let longest = match shortest {
            Some(shortest) if settings.is_adaptive => shortest + LONGER_QUEUE,
            _ => usize::MAX,
        };
        let mut round: Vec<i32> = available
            .filter(|lane| lane.queue.len() <= longest)
            .map(|lane| lane.partition)
            .collect();
        if round.is_empty() {
            round = members.map(|lane| lane.partition).collect();
        }
        topic.turns.begin_round(round);
        topic.turns.partition()
    }

    pub(super) fn wait_for_memory(&mut self, listener: &mut dyn DeliveryListener) -> Result<()> {
        while self.memory >= self.settings.buffer_bytes {
            self.check()?;
            self.let_all_leave();
            self.drive_io(STEP, listener);
            for line in self.take_notices() {
                listener.notice(&line);
            }
        }
        Ok(())
    }

    pub(super) fn let_all_leave(&mut self) {
        for lane in &mut self.lanes {
            lane.leaves = lane.has_open();
        }
    }

    /// Closes a lane's open batch and queues it.
    pub(super) fn close_batch(&mut self, place: usize) {
        let id = self.next_batch;
        let Some(lane) = self.lanes.get_mut(place) else {
            return;
        };
        let open_bytes = lane.open_bytes();
        let Some(mut closed) = lane.close(id, self.rules.is_idempotent) else {
            return;
        };
        self.next_batch += 1;
        // The header was not counted while the batch was open.
        self.memory += closed.bytes.len().saturating_sub(open_bytes);
        closed.batch.memory = open_bytes.saturating_sub(HEADER_LEN);
        lane.queue.push(closed.batch);
        self.finish_batch(place, id, self.settings.codec, closed.bytes);
    }

    /// Gives a queued batch its bytes, compressed with `codec`.
    pub(super) fn finish_batch(&mut self, place: usize, id: u64, codec: Codec, bytes: Vec<u8>) {
        if codec == Codec::None {
            if let Some(lane) = self.lanes.get_mut(place) {
                lane.queue.finish(id, bytes.into());
            }
            return;
        }
        let ticket = Ticket {
            lane: place,
            batch: id,
        };
        self.sealer.seal(ticket, codec, bytes);
    }
}
