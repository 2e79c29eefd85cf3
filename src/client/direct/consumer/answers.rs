//! Takes the answers to fetches, and updates the partitions in them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::aborted::Aborted;
use super::fetch_answer::{self, PartitionAnswer};
use super::position::{Position, State};
use super::show::Section;
use super::{Asked, DirectSource, Fetched, Note};
use crate::client::admin::ApiError;
use crate::client::consume_settings::{Isolation, OffsetReset};
use crate::client::direct::network::Node;
use crate::error::Error;
use crate::records::Batches;
use crate::topic_partition::{BrokerId, Offset};
use crate::wire::{Answer, Frame, WireError, error_codes as codes};

impl DirectSource {
    pub(super) fn take_answer(&mut self, node: Node, answer: Answer<Note>) {
        let Answer { note, version, frame } = answer;
        match note {
            Note::Fetch { broker, asked } => self.take_fetched(node, broker, &asked, version, frame),
            Note::Offsets { inquiry, asked } => {
                self.take_offsets(node, inquiry, &asked, version, &frame);
                self.session.recycle(node, frame);
            }
            Note::Epochs { asked } => {
                self.take_epochs(node, &asked, version, &frame);
                self.session.recycle(node, frame);
            }
        }
    }

    pub(super) fn take_fetched(
        &mut self,
        node: Node,
        broker: BrokerId,
        asked: &[Asked],
        version: i16,
        frame: Frame,
    ) {
        self.fetching.retain(|known| *known != broker);
        for asked in asked {
            if let Some(position) = self.positions.get_mut(asked.place) {
                position.is_asked = false;
            }
        }
        let Some(answer) = fetch_answer::parse(&frame, version) else {
            let error = WireError::Garbled("an answer to Fetch with lengths that cannot be".to_owned());
            self.session.close(node, error);
            self.fetch_sessions.remove(&broker);
            self.failed_all(asked);
            return;
        };
        if let Some(session) = self.fetch_sessions.get_mut(&broker) {
            session.answered(answer.code, answer.session_id);
        }
        if let Ok(time @ 1..) = u64::try_from(answer.throttle_ms) {
            self.session.mute(node, Duration::from_millis(time));
        }
        if answer.code != 0 {
            self.session.refresh();
            self.failed_all(asked);
            self.session.recycle(node, frame);
            return;
        }
        let mut sections = VecDeque::with_capacity(answer.partitions.len());
        let mut from = 0;
        for partition in answer.partitions {
            let Some(found) = self.find(&frame, &partition, asked, &mut from) else {
                continue;
            };
            sections.extend(self.take_partition(broker, found, partition, &frame));
        }
        if sections.is_empty() {
            self.session.recycle(node, frame);
        } else {
            self.fetched.push_back(Fetched {
                node,
                frame,
                sections,
            });
        }
    }

    /// Which of the requested partitions this is; answers are in the order of the request.
    pub(super) fn find(
        &self,
        frame: &[u8],
        answer: &PartitionAnswer,
        asked: &[Asked],
        from: &mut usize,
    ) -> Option<Asked> {
        let name = frame.get(answer.topic.clone()).unwrap_or_default();
        for step in 0..asked.len() {
            let at = (*from + step) % asked.len();
            let candidate = *asked.get(at)?;
            let position = self.positions.get(candidate.place)?;
            let is_topic = if name.is_empty() {
                position.topic_id == answer.topic_id
            } else {
                position.topic.as_bytes() == name
            };
            if is_topic && position.partition == answer.partition {
                *from = at + 1;
                return Some(candidate);
            }
        }
        None
    }

    /// Moves a partition's position over the fetched batches; returns the section to be shown.
    pub(super) fn take_partition(
        &mut self,
        broker: BrokerId,
        asked: Asked,
        answer: PartitionAnswer,
        frame: &[u8],
    ) -> Option<Section> {
        let position = self.positions.get_mut(asked.place)?;
        if position.is_closed
            || position.generation != asked.generation
            || position.offset != asked.offset
            || position.state != State::Fetching
        {
            return None;
        }
        if answer.code != 0 {
            self.take_error(broker, asked.place, &answer);
            return None;
        }
        position.answered_well();
        if let Some(replica) = answer.preferred_replica {
            position.prefer(replica, Instant::now());
            return None;
        }
        let bytes = frame.get(answer.records.clone()).unwrap_or_default();
        advance(position, bytes);
        let end = match self.settings.isolation {
            Isolation::ReadCommitted => answer.last_stable_offset,
            Isolation::ReadUncommitted => answer.high_watermark,
        };
        Some(Section {
            place: asked.place,
            generation: position.generation,
            records: answer.records,
            aborted: Aborted::new(answer.aborted),
            end,
        })
    }

    pub(super) fn take_error(&mut self, broker: BrokerId, place: usize, answer: &PartitionAnswer) {
        let Some(position) = self.positions.get_mut(place) else {
            return;
        };
        let topic = position.topic.clone();
        if let Some((leader, epoch)) = answer.leader
            && self
                .session
                .cluster
                .apply_hint(&topic, position.partition, leader, epoch)
        {
            self.seen_answers = self.seen_answers.wrapping_sub(1);
        }
        match answer.code {
            codes::OFFSET_OUT_OF_RANGE => self.out_of_range(broker, place, answer.log_start_offset),
            codes::UNKNOWN_TOPIC_OR_PARTITION
            | codes::LEADER_NOT_AVAILABLE
            | codes::NOT_LEADER_OR_FOLLOWER
            | codes::REPLICA_NOT_AVAILABLE
            | codes::KAFKA_STORAGE_ERROR
            | codes::LISTENER_NOT_FOUND
            | codes::FENCED_LEADER_EPOCH
            | codes::UNKNOWN_LEADER_EPOCH
            | codes::OFFSET_NOT_AVAILABLE
            | codes::UNKNOWN_TOPIC_ID
            | codes::INCONSISTENT_TOPIC_ID => {
                self.session.refresh();
                self.failed(place);
            }
            codes::TOPIC_AUTHORIZATION_FAILED => {
                let error = Error::denied(format!("not authorized to read topic \"{topic}\""));
                self.failure.get_or_insert(error);
            }
            code => {
                self.failed(place);
                let failures = self.positions.get(place).map_or(0, Position::failures);
                // An error that is repeated this often is permanent.
                if failures > 5 {
                    let error = ApiError { code, message: None };
                    let error = Error::from(error).context(self.name(place));
                    self.failure.get_or_insert(error);
                }
            }
        }
    }

    /// The position is not in the log: below it, above it, or on a follower that is behind.
    pub(super) fn out_of_range(&mut self, broker: BrokerId, place: usize, log_start: Offset) {
        let name = self.name(place);
        let Some(position) = self.positions.get_mut(place) else {
            return;
        };
        if position.leave_follower(broker) {
            return;
        }
        let offset = position.offset;
        let (question, words) = match self.settings.offset_reset {
            OffsetReset::Earliest => (-2, "the first offset there is"),
            OffsetReset::Latest => (-1, "the end"),
            OffsetReset::Refuse => {
                let error = Error::failed(format!("{name} does not hold offset {offset}"))
                    .hint("say where to go on with -X auto.offset.reset=earliest or latest");
                self.failure.get_or_insert(error);
                return;
            }
        };
        let begins = if log_start > offset {
            format!(" (it begins at {log_start})")
        } else {
            String::new()
        };
        self.notices.push(format!(
            "{name} does not hold offset {offset}{begins}: going on at {words}"
        ));
        position.seek(question);
    }
}

/// Moves the position over whole batches. It stops at invalid ones: showing them gives the error.
fn advance(position: &mut Position, bytes: &[u8]) {
    let mut batches = Batches::new(bytes);
    for batch in batches.by_ref() {
        let Ok(batch) = batch else {
            position.state = State::Halted;
            return;
        };
        let next = batch.header.next_offset();
        // Batches before the position are possible; one that does not advance it is invalid.
        if next <= batch.header.base_offset.min(position.offset) {
            position.state = State::Halted;
            return;
        }
        if next > position.offset {
            position.advance(next, batch.header.partition_leader_epoch);
        }
    }
    if batches.position() == 0 && batches.remaining() > 0 {
        position.state = State::Halted;
    }
}
