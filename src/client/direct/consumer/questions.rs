//! Requests about offsets: ListOffsets for a caller that waits or for a partition that must know where to begin, and
//! OffsetForLeaderEpoch under a new leader (KIP-320).

use std::time::{Duration, Instant};

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{
    BrokerId as WireBrokerId, ListOffsetsRequest, OffsetForLeaderEpochRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::position::State;
use super::{Asked, DirectSource, Note};
use crate::client::admin::ApiError;
use crate::client::direct::network::Node;
use crate::client::record_source::Position as Where;
use crate::error::{Error, Result};
use crate::topic_partition::{BrokerId, Offset};
use crate::wire::{Frame, error_codes as codes};

/// The timestamps of ListOffsets that mean the end and the log start offset.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
/// The consumer's replica id.
const CONSUMER: WireBrokerId = WireBrokerId(-1);

/// A set of questions whose answers a caller waits for.
#[derive(Debug)]
pub(super) struct Inquiry {
    id: u64,
    questions: Vec<Question>,
}

#[derive(Debug)]
struct Question {
    topic: String,
    partition: i32,
    timestamp: i64,
    answer: Option<Offset>,
    /// The partition whose reading waits for the answer.
    position: Option<usize>,
    is_asked: bool,
    retry_at: Option<Instant>,
    failures: u32,
    last_code: i16,
}

impl Question {
    fn new(topic: &str, partition: i32, timestamp: i64) -> Self {
        Self {
            topic: topic.to_owned(),
            partition,
            timestamp,
            answer: None,
            position: None,
            is_asked: false,
            retry_at: None,
            failures: 0,
            last_code: 0,
        }
    }
}

impl DirectSource {
    /// Asks the leaders and waits for all answers.
    pub(super) fn inquire(
        &mut self,
        questions: &[(&str, i32, Where)],
        wait: Duration,
    ) -> Result<Vec<Offset>> {
        let begun = Instant::now();
        for (topic, ..) in questions {
            self.session.watch(topic);
        }
        let ask = |(topic, partition, position): &(&str, i32, Where)| {
            let (timestamp, answer) = match position {
                Where::Beginning => (EARLIEST, None),
                Where::End => (LATEST, None),
                Where::Time(time) => ((*time).max(0), None),
                Where::At(offset) => (LATEST, Some(*offset)),
            };
            Question {
                answer,
                ..Question::new(topic, *partition, timestamp)
            }
        };
        self.begin_inquiry(questions.iter().map(ask).collect());
        let is_done = self.wait_until(wait, |source| {
            let inquiry = source.inquiry.as_ref();
            source.failure.is_some() || inquiry.is_none_or(Inquiry::is_done)
        })?;
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let inquiry = self.inquiry.take();
        let questions = inquiry.map(|inquiry| inquiry.questions).unwrap_or_default();
        if !is_done {
            let open = questions.iter().filter(|question| question.answer.is_none());
            let mut open: Vec<(String, i32)> = open
                .map(|question| (question.topic.clone(), question.partition))
                .collect();
            if let Some((topic, partition)) = open.first() {
                let error = self.unanswered(topic, *partition, begun.elapsed());
                self.last_unanswered = std::mem::take(&mut open);
                return Err(error);
            }
        }
        Ok(questions.iter().filter_map(|question| question.answer).collect())
    }

    /// The questions that no leader answers in time, each with the reason.
    pub(crate) fn unanswered_of(
        &mut self,
        questions: &[(&str, i32, Where)],
        wait: Duration,
    ) -> Vec<(String, i32, String)> {
        for (topic, ..) in questions {
            self.session.watch(topic);
        }
        // The known leaders may be outdated.
        self.session.ask_now();
        if self.inquire(questions, wait).is_ok() {
            return Vec::new();
        }
        let open = std::mem::take(&mut self.last_unanswered);
        open.into_iter()
            .map(|(topic, partition)| {
                let trouble = self.trouble_of(&topic, partition);
                (topic, partition, trouble)
            })
            .collect()
    }

    fn begin_inquiry(&mut self, questions: Vec<Question>) {
        self.inquiries += 1;
        self.inquiry = Some(Inquiry {
            id: self.inquiries,
            questions,
        });
    }

    /// Sends the questions that can be sent now: one request for each broker.
    pub(super) fn ask_questions(&mut self) {
        self.ask_for_beginnings();
        self.ask_for_epochs();
        let now = Instant::now();
        let Some(inquiry) = &self.inquiry else {
            return;
        };
        let mut wanted: Vec<(BrokerId, Vec<usize>)> = Vec::new();
        for (place, question) in inquiry.questions.iter().enumerate() {
            let is_open = question.answer.is_none()
                && !question.is_asked
                && question.retry_at.is_none_or(|at| at <= now);
            let known = self
                .session
                .cluster
                .partition(&question.topic, question.partition);
            let leader = known.and_then(|known| known.leader).filter(|_| is_open);
            let Some(leader) = leader else {
                continue;
            };
            match wanted.iter_mut().find(|(known, _)| *known == leader) {
                Some((_, places)) => places.push(place),
                None => wanted.push((leader, vec![place])),
            }
        }
        let is_leaderless = inquiry.questions.iter().any(|question| {
            let known = self
                .session
                .cluster
                .partition(&question.topic, question.partition);
            question.answer.is_none() && known.is_none_or(|known| known.leader.is_none())
        });
        if is_leaderless {
            self.session.refresh();
        }
        for (leader, places) in wanted {
            self.ask_for_offsets(leader, places);
        }
    }

    /// Asks for the first offsets of partitions that need them, unless a caller waits for other answers.
    fn ask_for_beginnings(&mut self) {
        if self.inquiry.as_ref().is_some_and(|inquiry| !inquiry.is_done()) {
            return;
        }
        let mut questions = Vec::new();
        for (place, position) in self.positions.iter().enumerate() {
            if let State::Unresolved(timestamp) = position.state
                && !position.is_closed
            {
                questions.push(Question {
                    position: Some(place),
                    ..Question::new(&position.topic, position.partition, timestamp)
                });
            }
        }
        if !questions.is_empty() {
            self.begin_inquiry(questions);
        }
    }

    fn ask_for_offsets(&mut self, leader: BrokerId, places: Vec<usize>) {
        let node = Node::Broker(leader);
        let timeout = self.settings.cluster.connection.request_timeout;
        let isolation_level = self.settings.isolation.code();
        let Some(inquiry) = &mut self.inquiry else {
            return;
        };
        let mut topics: Vec<ListOffsetsTopic> = Vec::new();
        for place in &places {
            let Some(question) = inquiry.questions.get(*place) else {
                continue;
            };
            let partition = ListOffsetsPartition::default()
                .with_partition_index(question.partition)
                .with_timestamp(question.timestamp)
                .with_current_leader_epoch(-1);
            match topics.iter_mut().find(|topic| *topic.name == *question.topic) {
                Some(topic) => topic.partitions.push(partition),
                None => topics.push(
                    ListOffsetsTopic::default()
                        .with_name(TopicName(StrBytes::from_string(question.topic.clone())))
                        .with_partitions(vec![partition]),
                ),
            }
        }
        let build = |version: i16| {
            let request = ListOffsetsRequest::default()
                .with_replica_id(CONSUMER)
                .with_topics(topics);
            if version >= 2 {
                request.with_isolation_level(isolation_level)
            } else {
                request
            }
        };
        let about = Note::Offsets {
            inquiry: inquiry.id,
            asked: places.clone(),
        };
        let Some(mut link) = self.session.channel(node) else {
            let questions = places.iter().filter_map(|place| inquiry.questions.get(*place));
            let positions: Vec<usize> = questions.filter_map(|question| question.position).collect();
            self.note_stuck(&positions);
            return;
        };
        match link.send(build, i16::MAX, timeout, about) {
            Ok(()) => {
                for place in places {
                    if let Some(question) = inquiry.questions.get_mut(place) {
                        question.is_asked = true;
                    }
                }
            }
            Err(error) => self.session.close(node, error),
        }
    }

    pub(super) fn lost_questions(&mut self, inquiry: u64, asked: &[usize]) {
        let retry = self.settings.cluster.retry;
        let Some(inquiry) = self.inquiry.as_mut().filter(|known| known.id == inquiry) else {
            return;
        };
        for place in asked {
            if let Some(question) = inquiry.questions.get_mut(*place) {
                question.is_asked = false;
                question.failures += 1;
                question.retry_at = Some(Instant::now() + retry.after(question.failures));
            }
        }
        self.session.refresh();
    }

    pub(super) fn take_offsets(&mut self, node: Node, id: u64, asked: &[usize], version: i16, frame: &Frame) {
        let response = match frame.decode::<ListOffsetsRequest>(version) {
            Ok(response) => response,
            Err(error) => {
                self.session.close(node, error);
                self.lost_questions(id, asked);
                return;
            }
        };
        let mut failed = Vec::new();
        let mut refused = None;
        let mut resolved = Vec::new();
        let Some(inquiry) = self.inquiry.as_mut().filter(|known| known.id == id) else {
            return;
        };
        for place in asked {
            let Some(question) = inquiry.questions.get_mut(*place) else {
                continue;
            };
            let found = response
                .topics
                .iter()
                .filter(|topic| *topic.name == *question.topic)
                .flat_map(|topic| &topic.partitions)
                .find(|found| found.partition_index == question.partition);
            match found {
                Some(found) if found.error_code == 0 && found.offset < 0 && question.timestamp >= 0 => {
                    // If no record is at or after the time, the end is the answer, which needs another request.
                    question.timestamp = LATEST;
                    question.is_asked = false;
                }
                Some(found) if found.error_code == 0 => {
                    question.answer = Some(found.offset);
                    resolved.extend(question.position.map(|position| (position, found.offset)));
                }
                found => {
                    question.last_code = found.map_or(codes::NETWORK_EXCEPTION, |found| found.error_code);
                    if is_final(question.last_code) {
                        refused = Some((question.topic.clone(), question.partition, question.last_code));
                    }
                    failed.push(*place);
                }
            }
        }
        for (place, offset) in resolved {
            if let Some(position) = self.positions.get_mut(place) {
                position.seek(offset);
                position.answered_well();
            }
        }
        self.lost_questions_of(id, &failed);
        if let Some((topic, partition, code)) = refused {
            let error = Error::from(ApiError { code, message: None });
            self.failure
                .get_or_insert(error.context(format!("{topic}-{partition}")));
        }
    }

    fn lost_questions_of(&mut self, id: u64, failed: &[usize]) {
        if !failed.is_empty() {
            self.lost_questions(id, failed);
        }
    }

    /// Asks new leaders whether their logs have what was read (KIP-320).
    fn ask_for_epochs(&mut self) {
        let now = Instant::now();
        let mut wanted: Vec<(BrokerId, Vec<usize>)> = Vec::new();
        for (place, position) in self.positions.iter_mut().enumerate() {
            if position.state != State::Unvalidated {
                continue;
            }
            let Some(leader) = position.target(now) else {
                continue;
            };
            match wanted.iter_mut().find(|(known, _)| *known == leader) {
                Some((_, places)) => places.push(place),
                None => wanted.push((leader, vec![place])),
            }
        }
        for (leader, places) in wanted {
            self.ask_epochs_of(leader, &places);
        }
    }

    fn ask_epochs_of(&mut self, leader: BrokerId, places: &[usize]) {
        let node = Node::Broker(leader);
        let timeout = self.settings.cluster.connection.request_timeout;
        let asked: Vec<Asked> = places.iter().filter_map(|place| self.asked(*place)).collect();
        let mut topics: Vec<OffsetForLeaderTopic> = Vec::new();
        for place in places {
            let Some(position) = self.positions.get(*place) else {
                continue;
            };
            let partition = OffsetForLeaderPartition::default()
                .with_partition(position.partition)
                .with_current_leader_epoch(position.leader_epoch)
                .with_leader_epoch(position.epoch);
            match topics.iter_mut().find(|topic| *topic.topic == *position.topic) {
                Some(topic) => topic.partitions.push(partition),
                None => topics.push(
                    OffsetForLeaderTopic::default()
                        .with_topic(TopicName(StrBytes::from_string(position.topic.clone())))
                        .with_partitions(vec![partition]),
                ),
            }
        }
        let Some(mut link) = self.session.channel(node) else {
            self.note_stuck(places);
            return;
        };
        let build = |_| {
            OffsetForLeaderEpochRequest::default()
                .with_replica_id(CONSUMER)
                .with_topics(topics)
        };
        let about = Note::Epochs { asked: asked.clone() };
        match link.send(build, i16::MAX, timeout, about) {
            Ok(()) => {
                for asked in asked {
                    if let Some(position) = self.positions.get_mut(asked.place) {
                        position.ask(leader);
                    }
                }
            }
            // A broker without this request has no leader epochs to validate positions with.
            Err(crate::wire::WireError::Unsupported(_)) => self.trust(&asked),
            Err(error) => self.session.close(node, error),
        }
    }

    fn trust(&mut self, asked: &[Asked]) {
        for asked in asked {
            if let Some(position) = self.positions.get_mut(asked.place) {
                position.state = State::Fetching;
            }
        }
    }

    pub(super) fn take_epochs(&mut self, node: Node, asked: &[Asked], version: i16, frame: &Frame) {
        let response = match frame.decode::<OffsetForLeaderEpochRequest>(version) {
            Ok(response) => response,
            Err(error) => {
                self.session.close(node, error);
                self.failed_all(asked);
                return;
            }
        };
        for asked in asked {
            let Some(position) = self.positions.get_mut(asked.place) else {
                continue;
            };
            position.is_asked = false;
            if position.generation != asked.generation || position.state != State::Unvalidated {
                continue;
            }
            let found = response
                .topics
                .iter()
                .filter(|topic| *topic.topic == *position.topic)
                .flat_map(|topic| &topic.partitions)
                .find(|found| found.partition == position.partition);
            match found {
                Some(found) if found.error_code == 0 && found.end_offset < 0 => {
                    position.answered_well();
                    position.state = State::Fetching;
                }
                Some(found) if found.error_code == 0 && found.end_offset < position.offset => {
                    let (offset, end) = (position.offset, found.end_offset);
                    position.answered_well();
                    position.seek(end);
                    let name = self.name(asked.place);
                    self.notices.push(format!(
                        "{name} lost its records from offset {end} to {offset} when its leader changed; going on at {end}"
                    ));
                }
                Some(found) if found.error_code == 0 => {
                    position.answered_well();
                    position.state = State::Fetching;
                }
                _ => {
                    self.session.refresh();
                    self.failed(asked.place);
                }
            }
        }
    }
}

impl Inquiry {
    fn is_done(&self) -> bool {
        self.questions.iter().all(|question| question.answer.is_some())
    }
}

/// Whether an error is permanent.
fn is_final(code: i16) -> bool {
    matches!(
        code,
        codes::INVALID_TOPIC_EXCEPTION
            | codes::TOPIC_AUTHORIZATION_FAILED
            | codes::UNSUPPORTED_VERSION
            | codes::INVALID_REQUEST
            | codes::UNSUPPORTED_FOR_MESSAGE_FORMAT
    )
}
