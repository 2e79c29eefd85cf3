//! [`RecordSource`] over librdkafka: membership in a group.
//!
//! Owns the offsets that the visitor took, which the group commits. Topics and offsets are requested over the direct
//! lane.

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::config;
use super::membership::{Change, Member, MemberContext};
use super::notices::{Notices, kind_of, plain, words};
use super::reading::Reading;
use super::showing::{self, show_stored};
use super::silence::Silence;
use super::tokens::Tokens;
use crate::client::batch_inspection::Damage;
use crate::client::consume_settings::ConsumeSettings;
use crate::client::direct::consumer::DirectSource;
use crate::client::preflight::Preflight;
use crate::client::record_source::{
    Position, RecordSource, RecordVisitor, SourceOptions, Start, TopicPartitions,
};
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::topic_partition::Offset;

/// librdkafka's values of `auto.offset.reset` for the log start offset.
const EARLIEST: &[&str] = &["earliest", "smallest", "beginning"];
/// How long leaving the group may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Records taken from one queue before the next gets its turn.
const TURN: usize = 1000;
/// The most records shown in one poll, after which the output is flushed.
const POLL: usize = 64 * TURN;
/// Callbacks that are served in a row before records are read.
const CALLBACKS: usize = 100;
/// The engine's number for the log start offset.
pub(super) const BEGINNING: Offset = -2;

/// Whether an error passes while a cluster changes; librdkafka retries by itself.
fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::RequestTimedOut
            | Code::ReplicaNotAvailable
            | Code::NetworkException
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::NotEnoughReplicas
            | Code::ListenerNotFound
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::UnsupportedCompressionType
            | Code::BrokerTransportFailure
            | Code::Resolve
            | Code::AllBrokersDown
            | Code::OperationTimedOut
            | Code::State
    )
}

/// Reads as a member of a group.
pub struct Consumer {
    pub(super) member: Arc<Member>,
    /// The partitions that are assigned to this member.
    pub(super) queues: Vec<Queue>,
    /// The queue that is read first, so that all get a turn.
    first_queue: usize,
    /// Something was taken since the last [`RecordSource::acknowledge`].
    has_taken: bool,
    /// Without a commit, the group begins at the log start offset (`auto.offset.reset`).
    pub(super) from_beginning: bool,
    only_committed: bool,
    pub(super) reading: Reading,
    pub(super) notices: Notices,
    preflight: Preflight,
    servers: String,
    /// The name of the group.
    group: String,
    pub(super) questions: DirectSource,
    pub(super) silence: Silence,
    life: Life,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    Closed,
    /// A thread of librdkafka hangs in a damaged batch: closing would wait for it for ever.
    Stuck,
}

pub(super) struct Queue {
    pub(super) topic: String,
    pub(super) partition: i32,
    records: PartitionQueue<MemberContext>,
    /// The next offset to commit, once a record was taken or the end was seen.
    pub(super) next: Option<Offset>,
    pub(super) is_at_end: bool,
    /// When a record or the end last came.
    pub(super) heard_at: Instant,
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

impl Consumer {
    /// Connects in the background.
    ///
    /// # Errors
    /// A setting that librdkafka does not accept.
    pub fn open(settings: &Settings, options: &SourceOptions) -> Result<Self> {
        let (overrides, defaults) = (&options.overrides, &options.defaults);
        let entries = config::consumer(settings, overrides, defaults)?;
        let value = |name: &str| config::value_of(&entries, name).unwrap_or_default();
        let context = MemberContext::new(Tokens::of(settings)?);
        let wake = Arc::clone(&context.wake);
        let mut member: Member = config::client_config(&entries)
            .create_with_context(context)
            .map_err(|error| config::refusal(&error))?;
        member.context().renew_token(&member);
        member.set_nonempty_callback(move || wake.ring());
        let member = Arc::new(member);
        member.context().introduce(&member);
        let questions = ConsumeSettings::of(settings, overrides, defaults)?;
        // Offsets to commit are still requested after an interrupt; each request has its own limit.
        let for_questions = SourceOptions::default();
        Ok(Self {
            queues: Vec::new(),
            first_queue: 0,
            has_taken: false,
            from_beginning: EARLIEST.contains(&value("auto.offset.reset")),
            only_committed: value("isolation.level") == "read_committed",
            reading: Reading::new(settings),
            notices: Notices::default(),
            preflight: Preflight::of(settings),
            servers: value("bootstrap.servers").to_owned(),
            group: value("group.id").to_owned(),
            questions: DirectSource::open(questions, &for_questions)?,
            silence: Silence::new(options.give_up_after),
            life: Life::Open,
            member,
        })
    }

    /// Takes the reports of the callbacks.
    fn take_reports(&mut self) -> Result<()> {
        self.member.context().renew_token(&self.member);
        for report in self.member.context().reports.drain() {
            self.notices.take(&report);
        }
        for change in self.member.context().take_changes() {
            let (topic, partition, records) = match change {
                Change::Given(topic, partition, records) => (topic, partition, Some(records)),
                Change::Taken(topic, partition) => (topic, partition, None),
            };
            self.forget(&topic, partition);
            if let Some(records) = records {
                self.queues.push(Queue {
                    topic,
                    partition,
                    records,
                    next: None,
                    is_at_end: false,
                    heard_at: Instant::now(),
                });
            }
        }
        self.notices.look_into(&mut self.preflight);
        match self.notices.hopeless() {
            Some(error) => Err(error.context(format!("cannot use {}", self.servers))),
            None => Ok(()),
        }
    }

    fn forget(&mut self, topic: &str, partition: i32) {
        self.queues
            .retain(|queue| queue.partition != partition || queue.topic != topic);
        self.reading
            .retain(|name, number| number != partition || name != topic);
    }

    /// Runs the callbacks that are due, and shows what is outside the partitions' own queues: errors of the group.
    fn serve(&mut self, visitor: &mut dyn RecordVisitor) -> Result<ControlFlow<()>> {
        let member = Arc::clone(&self.member);
        for _ in 0..CALLBACKS {
            let before = member.context().reports.callbacks();
            let Some(outcome) = member.poll(Duration::ZERO) else {
                if member.context().reports.callbacks() == before {
                    break;
                }
                continue;
            };
            self.take_reports()?;
            let flow = match outcome {
                Ok(message) => {
                    let flow = self.show(&message, visitor)?;
                    self.note(message.topic(), message.partition(), message.offset() + 1);
                    flow
                }
                Err(error) => self.failed(&error, None)?,
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        self.take_reports()?;
        Ok(ControlFlow::Continue(()))
    }

    /// Shows the records in the partitions' queues; returns how many there were.
    fn show_waiting(&mut self, visitor: &mut dyn RecordVisitor) -> Result<(usize, ControlFlow<()>)> {
        let mut shown = 0;
        let mut empty = 0;
        let mut queues = std::mem::take(&mut self.queues);
        let mut outcome = Ok(ControlFlow::Continue(()));
        while empty < queues.len() && shown < POLL && matches!(outcome, Ok(ControlFlow::Continue(()))) {
            self.first_queue = (self.first_queue + 1) % queues.len();
            let Some(queue) = queues.get_mut(self.first_queue) else {
                break;
            };
            let count;
            (count, outcome) = self.show_turn(queue, visitor);
            shown += count;
            empty = if count == 0 { empty + 1 } else { 0 };
        }
        self.queues = queues;
        outcome.map(|flow| (shown, flow))
    }

    /// Shows up to a turn's records of one partition.
    fn show_turn(
        &mut self,
        queue: &mut Queue,
        visitor: &mut dyn RecordVisitor,
    ) -> (usize, Result<ControlFlow<()>>) {
        for count in 0..TURN {
            let mut is_at_end = false;
            let (next, outcome) = match queue.records.poll(Duration::ZERO) {
                None => return (count, Ok(ControlFlow::Continue(()))),
                Some(Ok(message)) => (Some(message.offset() + 1), self.show(&message, visitor)),
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    is_at_end = true;
                    let next = self.end_of(queue);
                    (Some(next), self.come_to_end(queue, next, visitor))
                }
                Some(Err(error)) => (None, self.failed(&error, Some(queue))),
            };
            if outcome.is_ok() && next.is_some() {
                (queue.next, queue.is_at_end, queue.heard_at) = (next, is_at_end, Instant::now());
                self.has_taken = true;
            }
            if !matches!(outcome, Ok(ControlFlow::Continue(()))) {
                return (count + 1, outcome);
            }
        }
        (TURN, Ok(ControlFlow::Continue(())))
    }

    fn show(
        &mut self,
        message: &BorrowedMessage<'_>,
        visitor: &mut dyn RecordVisitor,
    ) -> Result<ControlFlow<()>> {
        let place = (message.topic(), message.partition(), message.offset());
        self.reading.come_to(place, false, Instant::now())?;
        showing::show(message, visitor)
    }

    /// The offset of the end that librdkafka has just reported.
    fn end_of(&self, queue: &Queue) -> Offset {
        end_offset(&self.member.context().reports.last_error())
            .or_else(|| self.reading.next(&queue.topic, queue.partition))
            .unwrap_or_default()
    }

    fn come_to_end(
        &mut self,
        queue: &Queue,
        next: Offset,
        visitor: &mut dyn RecordVisitor,
    ) -> Result<ControlFlow<()>> {
        let place = (queue.topic.as_str(), queue.partition, next);
        self.reading.come_to(place, true, Instant::now())?;
        visitor.partition_end(&queue.topic, queue.partition, next)
    }

    /// Counts a record as taken that arrived before its partition had a queue.
    fn note(&mut self, topic: &str, partition: i32, next: Offset) {
        let is_it = |queue: &&mut Queue| queue.partition == partition && queue.topic == topic;
        if let Some(queue) = self.queues.iter_mut().find(is_it) {
            queue.next = Some(next);
            self.has_taken = true;
        }
    }

    /// A passing error is a notice; any other ends the reading.
    fn failed(&mut self, error: &KafkaError, queue: Option<&Queue>) -> Result<ControlFlow<()>> {
        if let Some((code, _)) = self.member.client().fatal_error() {
            return Err(Error::new(kind_of(code), words(code)));
        }
        let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
        if let Some(queue) = queue
            && matches!(code, Code::BadMessage | Code::BadCompression)
        {
            let next = self.reading.next(&queue.topic, queue.partition);
            let next = next.unwrap_or(BEGINNING);
            self.reading.look((&queue.topic, queue.partition, next))?;
        }
        if code == Code::GroupAuthorizationFailed {
            return Err(Error::denied(format!(
                "not authorized for group \"{}\"",
                self.group
            )));
        }
        let text = plain(&self.member.context().reports.last_error());
        let text = match queue {
            Some(queue) => format!("{}-{}: {text}", queue.topic, queue.partition),
            None => text,
        };
        if is_passing(code) {
            self.notices.say(text);
            return Ok(ControlFlow::Continue(()));
        }
        Err(Error::new(kind_of(code), text))
    }

    /// Shows the whole batches before a damaged one, and gives up the engine: one of its threads may hang in that
    /// batch.
    fn give_up(
        &mut self,
        (topic, partition, offset): (&str, i32, Offset),
        damage: Damage,
        visitor: &mut dyn RecordVisitor,
    ) -> Error {
        self.life = Life::Stuck;
        let place = (topic, partition, offset);
        match show_stored(&damage.before, place, self.only_committed, visitor) {
            Ok(()) => damage.error,
            Err(error) => error,
        }
    }
}

impl RecordSource for Consumer {
    fn topics(&mut self, topic: Option<&str>, wait: Duration) -> Result<Vec<TopicPartitions>> {
        self.questions.topics(topic, wait)
    }

    fn offsets(&mut self, questions: &[(&str, i32, Position)], wait: Duration) -> Result<Vec<Offset>> {
        self.questions.offsets(questions, wait)
    }

    fn assign(&mut self, _starts: &[Start]) -> Result<()> {
        Err(Error::failed(
            "a member of a group reads the partitions that it is given",
        ))
    }

    fn unassign(&mut self, _partitions: &[(String, i32)]) -> Result<()> {
        Ok(())
    }

    fn subscribe(&mut self, topics: &[String]) -> Result<()> {
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let outcome = self.member.subscribe(&topics);
        outcome.map_err(|error| Error::failed(format!("cannot join the group: {}", error_text(&error))))
    }

    fn poll(&mut self, wait: Duration, visitor: &mut dyn RecordVisitor) -> Result<ControlFlow<()>> {
        let deadline = Instant::now() + wait;
        let flow = loop {
            let rings = self.member.context().wake.rings();
            let flow = self.serve(visitor)?;
            if flow.is_break() {
                break flow;
            }
            let (shown, flow) = self.show_waiting(visitor)?;
            let left = deadline.saturating_duration_since(Instant::now());
            if shown > 0 || flow.is_break() || left.is_zero() {
                break flow;
            }
            self.member.context().wake.wait(rings, left);
        };
        self.watch_for_silence()?;
        if self.reading.is_due() {
            self.find_positions();
        }
        if let Some((topic, partition, offset, damage)) = self.reading.stall() {
            return Err(self.give_up((&topic, partition, offset), damage, visitor));
        }
        Ok(flow)
    }

    fn assignment(&mut self) -> Vec<(String, i32)> {
        names(self.member.assignment())
    }

    fn acknowledge(&mut self) {
        if std::mem::take(&mut self.has_taken) {
            self.store(HashMap::new());
        }
    }

    fn close(&mut self) {
        if self.life != Life::Open {
            return;
        }
        self.commit_untouched();
        // Committing, revoking the partitions and leaving the group happen in callbacks.
        if self.member.close_queue().is_ok() {
            let deadline = Instant::now() + CLOSE_TIMEOUT;
            while !self.member.closed() && Instant::now() < deadline {
                drop(self.member.poll(Duration::from_millis(20)));
            }
        }
        // A coordinator that is down never answers.
        self.life = if self.member.closed() {
            Life::Closed
        } else {
            Life::Stuck
        };
        let _ = self.take_reports();
    }

    fn take_notices(&mut self) -> Vec<String> {
        self.notices.drain()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.close();
        // The queues must be dropped before the member that they belong to.
        self.queues.clear();
        drop(self.member.context().take_changes());
        if self.life == Life::Stuck {
            // Dropping would wait for librdkafka's threads; they end with the process.
            std::mem::forget(Arc::clone(&self.member));
        }
    }
}

pub(super) fn names(list: KafkaResult<TopicPartitionList>) -> Vec<(String, i32)> {
    let Ok(list) = list else {
        return Vec::new();
    };
    let elements = list.elements();
    let names = elements
        .iter()
        .map(|element| (element.topic().to_owned(), element.partition()));
    names.collect()
}

fn error_text(error: &KafkaError) -> String {
    match (error, error.rdkafka_error_code()) {
        (_, Some(code)) => words(code),
        (KafkaError::Subscription(text), None) => plain(text),
        (other, None) => other.to_string(),
    }
}

/// The offset in librdkafka's text about the end of a partition, which the crate does not provide as a number.
fn end_offset(text: &str) -> Option<Offset> {
    let (_, rest) = text.split_once(" at offset ")?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_partition_is_read_from_its_text() {
        let text = "Fetch from broker 1 reached end of partition at offset 12 (HighwaterMark 13)";
        assert_eq!(end_offset(text), Some(12));
        assert_eq!(end_offset("something else"), None);
    }
}
