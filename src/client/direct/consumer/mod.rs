//! [`RecordSource`] over our own wire: batches from the brokers that have them, shown where they are in memory.
//!
//! One thread does it all: an answer's headers say where the next fetch begins, so that is under way while the answer
//! is decoded and printed. How far a partition is read is decided in [`position`], what its bytes hold in [`show`].

mod aborted;
mod fetch_answer;
mod position;
mod questions;
mod show;

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{self, FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::network::{Event, Node};
use super::session::Session;
use crate::client::admin::ApiError;
use crate::client::consume_settings::{ConsumeSettings, Isolation, OffsetReset};
use crate::client::record_source::{self, RecordSource, RecordVisitor, Start, TopicPartitions, TopicProblem};
use crate::error::{Error, Result};
use crate::records::Batches;
use crate::topic_partition::{BrokerId, Offset};
use crate::wire::error::in_seconds;
use crate::wire::{Answer, Frame, WireError};
use aborted::Aborted;
use fetch_answer::PartitionAnswer;
use position::{Position, State};
use questions::Inquiry;
use show::{Section, Viewer};

/// How long one wait inside a longer one lasts.
const STEP: Duration = Duration::from_millis(50);
/// Fetched answers that wait to be shown; more are not asked for.
const MOST_FETCHED: usize = 2;
/// The client waits longer for an answer than it lets the broker wait for records.
const ANSWER_MARGIN: Duration = Duration::from_secs(30);
/// Nothing moved for so long: the user should know.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What goes with a request.
#[derive(Debug)]
enum Note {
    Fetch {
        broker: BrokerId,
        asked: Vec<Asked>,
    },
    /// Questions about offsets, by their place in an inquiry.
    Offsets {
        inquiry: u64,
        asked: Vec<usize>,
    },
    /// Whether a new leader's log holds these positions.
    Epochs {
        asked: Vec<Asked>,
    },
}

/// A partition in a request, and where it was when it was asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    place: usize,
    offset: Offset,
    generation: u32,
}

/// An answer that waits to be shown.
#[derive(Debug)]
struct Fetched {
    node: Node,
    frame: Frame,
    sections: VecDeque<Section>,
}

/// Reads over our own wire.
#[derive(Debug)]
pub(crate) struct DirectSource {
    settings: ConsumeSettings,
    session: Session<Note>,
    seen_answers: u64,
    positions: Vec<Position>,
    /// Which partition is asked for first, so that all have their turn when answers are full.
    first_position: usize,
    fetched: VecDeque<Fetched>,
    /// Brokers with a fetch under way: a second on the same connection would wait behind the first.
    fetching: Vec<BrokerId>,
    viewer: Viewer,
    inquiries: u64,
    inquiry: Option<Inquiry>,
    notices: Vec<String>,
    /// What ends the reading.
    failure: Option<Error>,
}

impl DirectSource {
    /// Connects in the background.
    pub(crate) fn open(settings: ConsumeSettings) -> Result<Self> {
        let mut cluster = settings.cluster.clone();
        cluster.connection.request_timeout = cluster.connection.request_timeout.max(settings.max_wait);
        let session = Session::new(cluster, settings.may_create_topics)?;
        let viewer = Viewer::new(&settings);
        Ok(Self {
            settings,
            session,
            seen_answers: 0,
            positions: Vec::new(),
            first_position: 0,
            fetched: VecDeque::new(),
            fetching: Vec::new(),
            viewer,
            inquiries: 0,
            inquiry: None,
            notices: Vec::new(),
            failure: None,
        })
    }

    /// One turn: what came, what follows from it, and what can be asked now.
    fn turn_the_wheel(&mut self, wait: Duration) {
        for event in self.session.wait(wait.min(self.time_to_next_try())) {
            match event {
                Event::Opened(_) => {}
                Event::Answered(node, answer) => self.take_answer(node, answer),
                Event::Lost { unanswered, .. } => {
                    for lost in unanswered {
                        self.lost(lost.note);
                    }
                }
            }
        }
        if self.session.answers() != self.seen_answers {
            self.seen_answers = self.session.answers();
            self.learn_leaders();
        }
        self.ask_questions();
        self.fetch_what_is_wanted();
        self.watch_for_stuck_partitions();
    }

    fn time_to_next_try(&self) -> Duration {
        let now = Instant::now();
        let next = self
            .positions
            .iter()
            .filter_map(Position::retry_at)
            .filter(|at| *at > now)
            .min();
        next.map_or(Duration::MAX, |at| at - now)
    }

    fn lost(&mut self, note: Note) {
        match note {
            Note::Fetch { broker, asked } => {
                self.fetching.retain(|known| *known != broker);
                self.failed_all(&asked);
            }
            Note::Epochs { asked } => self.failed_all(&asked),
            Note::Offsets { inquiry, asked } => self.lost_questions(inquiry, &asked),
        }
    }

    fn failed_all(&mut self, asked: &[Asked]) {
        for asked in asked {
            self.failed(asked.place);
        }
    }

    /// A partition's question had no good answer.
    fn failed(&mut self, place: usize) {
        let retry = self.settings.cluster.retry;
        if let Some(position) = self.positions.get_mut(place) {
            position.is_asked = false;
            position.failed(Instant::now(), |failures| retry.after(failures));
        }
    }

    fn take_answer(&mut self, node: Node, answer: Answer<Note>) {
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

    fn take_fetched(&mut self, node: Node, broker: BrokerId, asked: &[Asked], version: i16, frame: Frame) {
        self.fetching.retain(|known| *known != broker);
        for asked in asked {
            if let Some(position) = self.positions.get_mut(asked.place) {
                position.is_asked = false;
            }
        }
        let Some(answer) = fetch_answer::parse(&frame, version) else {
            let error = WireError::Garbled("an answer to Fetch with lengths that cannot be".to_owned());
            self.session.close(node, error);
            self.failed_all(asked);
            return;
        };
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

    /// Which of the partitions asked for this is; answers come in the order of the request.
    fn find(
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

    /// Moves a partition's position over what came; gives what is to be shown.
    fn take_partition(
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

    fn take_error(&mut self, broker: BrokerId, place: usize, answer: &PartitionAnswer) {
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
            // OFFSET_OUT_OF_RANGE
            1 => self.out_of_range(broker, place, answer.log_start_offset),
            // Unknown topic or partition, moved leader, unknown replica, storage, epochs, topic ids.
            3 | 5 | 6 | 9 | 56 | 72 | 74 | 75 | 78 | 100 | 103 => {
                self.session.refresh();
                self.failed(place);
            }
            // TOPIC_AUTHORIZATION_FAILED
            29 => {
                let error = Error::denied(format!("not authorized to read topic \"{topic}\""));
                self.failure.get_or_insert(error);
            }
            code => {
                self.failed(place);
                let failures = self.positions.get(place).map_or(0, Position::failures);
                // The same refusal again and again does not pass.
                if failures > 5 {
                    let error = ApiError { code, message: None };
                    let error = Error::from(error).context(self.name(place));
                    self.failure.get_or_insert(error);
                }
            }
        }
    }

    fn name(&self, place: usize) -> String {
        self.positions.get(place).map_or_else(String::new, |position| {
            format!("{}-{}", position.topic, position.partition)
        })
    }

    /// The position is not in the log: below it, above it, or on a follower that is behind.
    fn out_of_range(&mut self, broker: BrokerId, place: usize, log_start: Offset) {
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

    fn learn_leaders(&mut self) {
        for place in 0..self.positions.len() {
            let Some(position) = self
                .positions
                .get_mut(place)
                .filter(|position| !position.is_closed)
            else {
                continue;
            };
            let Some(topic) = self.session.cluster.topic(&position.topic) else {
                continue;
            };
            let found = usize::try_from(position.partition).ok();
            let Some(found) = found.and_then(|index| topic.partitions.get(index)) else {
                continue;
            };
            if position.learn(topic.id, found.leader, found.leader_epoch) {
                position.seek(-2);
                let name = format!("{}-{}", position.topic, position.partition);
                self.notices.push(format!(
                    "{name} was deleted and created again: reading it from its beginning"
                ));
            }
        }
        let is_leaderless = |position: &Position| !position.is_closed && position.leader.is_none();
        if self.positions.iter().any(is_leaderless) {
            self.session.refresh();
        }
    }

    fn fetch_what_is_wanted(&mut self) {
        if self.fetched.len() >= MOST_FETCHED {
            return;
        }
        let now = Instant::now();
        let count = self.positions.len();
        let mut wanted: Vec<(BrokerId, Vec<usize>)> = Vec::new();
        for step in 0..count {
            let place = (self.first_position + step) % count;
            let Some(position) = self.positions.get_mut(place) else {
                continue;
            };
            if position.state != State::Fetching {
                continue;
            }
            let Some(broker) = position.target(now) else {
                continue;
            };
            match wanted.iter_mut().find(|(known, _)| *known == broker) {
                Some((_, places)) => places.push(place),
                None => wanted.push((broker, vec![place])),
            }
        }
        for (broker, places) in wanted {
            if !self.fetching.contains(&broker) {
                self.fetch_from(broker, &places);
            }
        }
        self.first_position = (self.first_position + 1) % count.max(1);
    }

    fn fetch_from(&mut self, broker: BrokerId, places: &[usize]) {
        let node = Node::Broker(broker);
        let asked: Vec<Asked> = places.iter().filter_map(|place| self.asked(*place)).collect();
        let has_ids = places.iter().all(|place| {
            let position = self.positions.get(*place);
            position.is_some_and(|position| !position.topic_id.is_nil())
        });
        let limit = if has_ids {
            fetch_answer::NEWEST
        } else {
            fetch_answer::TOPIC_IDS - 1
        };
        let (settings, positions) = (&self.settings, &self.positions);
        let timeout = settings.max_wait + ANSWER_MARGIN;
        let build = |version: i16| fetch_request(settings, positions, &asked, version);
        let Some(mut link) = self.session.channel(node) else {
            self.note_stuck(places);
            return;
        };
        let about = Note::Fetch {
            broker,
            asked: asked.clone(),
        };
        match link.send(build, limit, timeout, about) {
            Ok(()) => {
                self.fetching.push(broker);
                for asked in asked {
                    if let Some(position) = self.positions.get_mut(asked.place) {
                        position.is_asked = true;
                    }
                }
            }
            Err(error) => self.session.close(node, error),
        }
    }

    fn asked(&self, place: usize) -> Option<Asked> {
        let position = self.positions.get(place)?;
        Some(Asked {
            place,
            offset: position.offset,
            generation: position.generation,
        })
    }

    fn note_stuck(&mut self, places: &[usize]) {
        let now = Instant::now();
        for place in places {
            if let Some(position) = self.positions.get_mut(*place) {
                position.stuck_since.get_or_insert(now);
            }
        }
    }

    /// Says which partitions cannot be read, and why.
    fn watch_for_stuck_partitions(&mut self) {
        let now = Instant::now();
        let mut news: Vec<(String, Vec<String>)> = Vec::new();
        for place in 0..self.positions.len() {
            let Some(position) = self
                .positions
                .get_mut(place)
                .filter(|position| !position.is_closed)
            else {
                continue;
            };
            if position.leader.is_none() {
                position.stuck_since.get_or_insert(now);
            }
            let is_stuck = position
                .stuck_since
                .is_some_and(|since| now.saturating_duration_since(since) >= PATIENCE);
            if !is_stuck || position.was_told {
                continue;
            }
            position.was_told = true;
            let (name, trouble) = (self.name(place), self.trouble(place));
            match news.iter_mut().find(|(known, _)| *known == trouble) {
                Some((_, names)) => names.push(name),
                None => news.push((trouble, vec![name])),
            }
        }
        for (trouble, names) in news {
            self.notices.push(format!(
                "{}: {trouble}; waiting for it",
                super::words::few(&names)
            ));
        }
    }

    fn trouble(&self, place: usize) -> String {
        let Some(position) = self.positions.get(place) else {
            return String::new();
        };
        super::words::trouble(&self.session, &position.topic, position.partition)
    }

    /// Shows what is there; a break or an error leaves the rest for the next time.
    fn show_fetched(&mut self, visitor: &mut dyn RecordVisitor) -> Result<ControlFlow<()>> {
        while let Some(fetched) = self.fetched.front_mut() {
            while let Some(section) = fetched.sections.front_mut() {
                let position = self.positions.get_mut(section.place);
                let Some(position) = position
                    .filter(|position| !position.is_closed && position.generation == section.generation)
                else {
                    fetched.sections.pop_front();
                    continue;
                };
                let bytes = fetched.frame.get(section.records.clone()).unwrap_or_default();
                let flow = self.viewer.show(section, bytes, position, visitor)?;
                if flow.is_break() {
                    return Ok(flow);
                }
                let end = section.end;
                fetched.sections.pop_front();
                if position.shown >= end {
                    let flow = visitor.partition_end(&position.topic, position.partition, position.shown)?;
                    if flow.is_break() {
                        return Ok(flow);
                    }
                }
            }
            if let Some(fetched) = self.fetched.pop_front() {
                self.session.recycle(fetched.node, fetched.frame);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Waits until `is_done`, an error or the deadline; says whether it was done.
    fn wait_until(&mut self, wait: Duration, is_done: impl Fn(&Self) -> bool) -> Result<bool> {
        let deadline = Instant::now() + wait;
        loop {
            if is_done(self) {
                return Ok(true);
            }
            if let Some(error) = self.session.hopeless() {
                return Err(error);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            self.turn_the_wheel(left.min(STEP));
        }
    }
}

/// Moves the position over whole batches. Where they make no sense it stops: showing them says why.
fn advance(position: &mut Position, bytes: &[u8]) {
    let mut batches = Batches::new(bytes);
    for batch in batches.by_ref() {
        let Ok(batch) = batch else {
            position.state = State::Halted;
            return;
        };
        let next = batch.header.next_offset();
        // Batches before the position may come; one that takes us nowhere is no batch.
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

fn fetch_request(
    settings: &ConsumeSettings,
    positions: &[Position],
    asked: &[Asked],
    version: i16,
) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    let mut last_topic = "";
    for asked in asked {
        let Some(position) = positions.get(asked.place) else {
            continue;
        };
        let partition = FetchPartition::default()
            .with_partition(position.partition)
            .with_current_leader_epoch(if version >= 9 { position.leader_epoch } else { -1 })
            .with_fetch_offset(asked.offset)
            .with_partition_max_bytes(settings.partition_max_bytes);
        if position.topic != last_topic || topics.is_empty() {
            last_topic = &position.topic;
            topics.push(if version >= fetch_answer::TOPIC_IDS {
                FetchTopic::default().with_topic_id(position.topic_id)
            } else {
                FetchTopic::default().with_topic(TopicName(StrBytes::from_string(position.topic.clone())))
            });
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push(partition);
        }
    }
    let request = FetchRequest::default()
        .with_replica_id(messages::BrokerId(-1))
        .with_max_wait_ms(i32::try_from(settings.max_wait.as_millis()).unwrap_or(i32::MAX))
        .with_min_bytes(settings.min_bytes)
        .with_max_bytes(settings.max_bytes)
        .with_isolation_level(settings.isolation.code())
        // Without a session (KIP-227).
        .with_session_epoch(-1)
        .with_topics(topics);
    if version >= 11 {
        request.with_rack_id(StrBytes::from_string(settings.rack.clone()))
    } else {
        request
    }
}

impl RecordSource for DirectSource {
    fn topics(&mut self, topic: Option<&str>, wait: Duration) -> Result<Vec<TopicPartitions>> {
        let is_answered = if let Some(name) = topic {
            self.session.watch(name);
            self.session.ask_now();
            let before = self.session.answers();
            let name = name.to_owned();
            self.wait_until(wait, move |source| {
                source.session.answers() > before && source.session.cluster.topic(&name).is_some()
            })?
        } else {
            let before = self.session.answers_of_all();
            self.session.ask_for_all();
            self.wait_until(wait, move |source| source.session.answers_of_all() > before)?
        };
        if !is_answered {
            return Err(self.session.unreachable(wait));
        }
        let names: Vec<String> = match topic {
            Some(name) => vec![name.to_owned()],
            None => self.session.all_topics().to_vec(),
        };
        Ok(names.into_iter().map(|name| self.describe(name)).collect())
    }

    fn offsets(
        &mut self,
        questions: &[(&str, i32, record_source::Position)],
        wait: Duration,
    ) -> Result<Vec<Offset>> {
        self.inquire(questions, wait)
    }

    fn assign(&mut self, starts: &[Start]) -> Result<()> {
        for start in starts {
            self.session.watch(&start.topic);
            self.positions
                .push(Position::new(&start.topic, start.partition, start.offset));
        }
        self.learn_leaders();
        Ok(())
    }

    fn unassign(&mut self, partitions: &[(String, i32)]) -> Result<()> {
        for (topic, partition) in partitions {
            for position in &mut self.positions {
                position.is_closed |= position.topic == *topic && position.partition == *partition;
            }
        }
        Ok(())
    }

    fn subscribe(&mut self, _topics: &[String]) -> Result<()> {
        Err(Error::failed("a group's member is not read over the direct lane"))
    }

    fn poll(&mut self, wait: Duration, visitor: &mut dyn RecordVisitor) -> Result<ControlFlow<()>> {
        if let Some(error) = self.session.hopeless() {
            return Err(error);
        }
        let wait = if self.fetched.is_empty() {
            wait
        } else {
            Duration::ZERO
        };
        self.turn_the_wheel(wait);
        let flow = self.show_fetched(visitor)?;
        match self.failure.take() {
            Some(error) => Err(error),
            None => Ok(flow),
        }
    }

    fn assignment(&mut self) -> Vec<(String, i32)> {
        let open = self.positions.iter().filter(|position| !position.is_closed);
        open.map(|position| (position.topic.clone(), position.partition))
            .collect()
    }

    fn acknowledge(&mut self) {}

    fn close(&mut self) {
        self.positions.clear();
        self.fetched.clear();
    }

    fn take_notices(&mut self) -> Vec<String> {
        self.notices.append(&mut self.viewer.take_notices());
        std::mem::take(&mut self.notices)
    }
}

impl DirectSource {
    fn describe(&self, name: String) -> TopicPartitions {
        let known = self.session.cluster.topic(&name);
        let problem = match known.map_or(3, |topic| topic.code) {
            0 => None,
            3 => Some(TopicProblem::Unknown),
            17 => Some(TopicProblem::Invalid),
            29 => Some(TopicProblem::Denied),
            code => Some(TopicProblem::NotYet(ApiError { code, message: None }.to_string())),
        };
        let count = known.map_or(0, |topic| topic.partitions.len()) as i32;
        TopicPartitions {
            name,
            partitions: if problem.is_none() {
                (0..count).collect()
            } else {
                Vec::new()
            },
            problem,
        }
    }

    /// The error of a question that no leader would answer.
    fn unanswered(&mut self, topic: &str, partition: i32, after: Duration) -> Error {
        let trouble = super::words::trouble(&self.session, topic, partition);
        Error::unreachable(format!(
            "{topic}-{partition}: no offset in {}: {trouble}",
            in_seconds(after)
        ))
    }
}
