//! [`RecordSource`] over librdkafka: membership in a group.
//!
//! Owns the account of what the visitor took, which is what the group commits. Topics and offsets are asked for over the
//! direct lane.

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::consumer::Consumer as _;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _, Timestamp};
use rdkafka::topic_partition_list::{Offset as KafkaOffset, TopicPartitionList};

use super::config;
use super::membership::{Change, Member, MemberContext};
use super::notices::{Notices, kind_of, plain, words};
use super::reading::Reading;
use super::tokens::Tokens;
use crate::client::batch_inspection::{BATCH_LIMIT, Damage};
use crate::client::consume_settings::ConsumeSettings;
use crate::client::direct::consumer::DirectSource;
use crate::client::preflight::Preflight;
use crate::client::record_sink::HeaderView;
use crate::client::record_source::{
    ConsumedRecord, Position, RecordSource, RecordVisitor, SourceOptions, Start, TimestampType,
    TopicPartitions,
};
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::records::{Batches, batch_header};
use crate::topic_partition::Offset;
use crate::wire::error::in_seconds;

/// librdkafka's words for the first record, where the group has committed nothing.
const EARLIEST: &[&str] = &["earliest", "smallest", "beginning"];
/// How long the coordinator is waited for when it is asked what the group has committed.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(2);
/// How long leaving the group may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Headers of a record that are shown without an allocation.
const INLINE_HEADERS: usize = 16;
/// Records taken from one queue before the next has its turn.
const TURN: usize = 1000;
/// Records shown in one poll at most: what is printed is written out after it.
const POLL: usize = 64 * TURN;
/// How long a partition may be silent before its end until its leader is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(1);
/// Callbacks that are served in a row before records are looked at.
const CALLBACKS: usize = 100;
/// The position that the engine reads the beginning at.
const BEGINNING: Offset = -2;

/// Errors that pass while a cluster changes; librdkafka tries again by itself.
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
            | Code::AutoOffsetReset
    )
}

/// Reads as a member of a group.
pub struct Consumer {
    member: Arc<Member>,
    /// The partitions that the group gave to this member.
    queues: Vec<Queue>,
    /// The queue that is looked at first, so that all have their turn.
    first_queue: usize,
    /// Something was taken since the last [`RecordSource::acknowledge`].
    has_taken: bool,
    /// A group that has committed nothing in a partition begins at its first record.
    from_beginning: bool,
    only_committed: bool,
    reading: Reading,
    notices: Notices,
    preflight: Preflight,
    servers: String,
    questions: DirectSource,
    silence: Silence,
    life: Life,
}

/// Partitions from which nothing comes although their end was not seen.
#[derive(Debug)]
struct Silence {
    /// A silence that lasts longer ends the reading.
    limit: Option<Duration>,
    /// Since when no leader answers for one of them.
    since: Option<Instant>,
    asked_at: Instant,
    told: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    Closed,
    /// A thread of librdkafka hangs in a damaged batch: closing would wait for it without end.
    Stuck,
}

struct Queue {
    topic: String,
    partition: i32,
    records: PartitionQueue<MemberContext>,
    /// The next offset to commit, once a record was taken or the end was seen.
    next: Option<Offset>,
    is_at_end: bool,
    /// When a record or the end last came.
    heard_at: Instant,
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
    /// A setting that librdkafka does not take.
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
        // After an interrupt, what is to be committed is still asked for; each question has a limit of its own.
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
            questions: DirectSource::open(questions, &for_questions)?,
            silence: Silence {
                limit: options.give_up_after,
                since: None,
                asked_at: Instant::now(),
                told: Vec::new(),
            },
            life: Life::Open,
            member,
        })
    }

    /// Takes what the callbacks left behind.
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

    /// Runs the callbacks that are due, and shows what comes from outside the partitions' own queues: errors of the
    /// group.
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

    /// Shows what waits in the partitions' queues; says how much there was.
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

    /// Shows one record with its headers, which are on the stack unless they are many.
    fn show(
        &mut self,
        message: &BorrowedMessage<'_>,
        visitor: &mut dyn RecordVisitor,
    ) -> Result<ControlFlow<()>> {
        const NONE: HeaderView<'static> = HeaderView {
            name: "",
            value: None,
        };
        let place = (message.topic(), message.partition(), message.offset());
        self.reading.come_to(place, false, Instant::now())?;
        let mut inline = [NONE; INLINE_HEADERS];
        let mut many = Vec::new();
        let mut count = 0;
        if let Some(headers) = message.headers().filter(|_| visitor.wants_headers()) {
            let views = headers.iter().map(|header| HeaderView {
                name: header.key,
                value: header.value,
            });
            count = headers.count();
            if count > INLINE_HEADERS {
                many.extend(views);
            } else {
                for (room, view) in inline.iter_mut().zip(views) {
                    *room = view;
                }
            }
        }
        let headers = if many.is_empty() {
            inline.get(..count).unwrap_or_default()
        } else {
            &many
        };
        let (timestamp, timestamp_type) = match message.timestamp() {
            Timestamp::NotAvailable => (-1, TimestampType::None),
            Timestamp::CreateTime(time) => (time, TimestampType::CreateTime),
            Timestamp::LogAppendTime(time) => (time, TimestampType::LogAppendTime),
        };
        visitor.record(&ConsumedRecord {
            topic: place.0,
            partition: place.1,
            offset: place.2,
            timestamp,
            timestamp_type,
            key: message.key(),
            value: message.payload(),
            headers,
        })
    }

    /// Where the end is that librdkafka has just reported.
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

    /// Notes that a record was taken that came before its partition's queue was there.
    fn note(&mut self, topic: &str, partition: i32, next: Offset) {
        let is_it = |queue: &&mut Queue| queue.partition == partition && queue.topic == topic;
        if let Some(queue) = self.queues.iter_mut().find(is_it) {
            queue.next = Some(next);
            self.has_taken = true;
        }
    }

    /// Trouble that passes is a notice; the rest ends the reading.
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

    /// Shows what is whole before a damaged batch, and gives the engine up: one of its threads may hang in that batch.
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
        // Committing, handing the partitions back and leaving happen in callbacks.
        if self.member.close_queue().is_ok() {
            let deadline = Instant::now() + CLOSE_TIMEOUT;
            while !self.member.closed() && Instant::now() < deadline {
                drop(self.member.poll(Duration::from_millis(20)));
            }
        }
        // A coordinator that is gone never answers.
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

impl Consumer {
    /// Notes what was taken for the next automatic commit, each offset with the leader epoch of the record read last, and
    /// offsets of partitions of which nothing was taken.
    fn store(&self, mut offsets: HashMap<(String, i32), Offset>) {
        let Ok(list) = self.member.position() else {
            return;
        };
        offsets.extend(self.queues.iter().filter_map(|queue| {
            let place = (queue.topic.clone(), queue.partition);
            Some((place, queue.next?))
        }));
        for mut element in list.elements() {
            let place = (element.topic().to_owned(), element.partition());
            let offset = offsets.get(&place);
            let offset = offset.map_or(KafkaOffset::Invalid, |offset| KafkaOffset::Offset(*offset));
            let _ = element.set_offset(offset);
        }
        // A partition that was taken away meanwhile is refused, which is right: its new owner commits it.
        let _ = self.member.store_offsets(&list);
    }

    /// Commits a beginning, as Java's consumer does, in partitions of which nothing was taken: otherwise a next run that
    /// begins at the end would pass over their records. What cannot be found out is left uncommitted.
    fn commit_untouched(&mut self) {
        if !self.from_beginning {
            return;
        }
        let untouched = self.queues.iter().filter(|queue| queue.next.is_none());
        let mut places: Vec<(String, i32)> = untouched
            .map(|queue| (queue.topic.clone(), queue.partition))
            .collect();
        let Some(committed) = self.committed(&places) else {
            return;
        };
        places.retain(|place| committed.get(place).is_some_and(Option::is_none));
        let questions: Vec<(&str, i32, Position)> = places
            .iter()
            .map(|(topic, partition)| (topic.as_str(), *partition, Position::Beginning))
            .collect();
        if !questions.is_empty()
            && let Ok(offsets) = self.questions.offsets(&questions, COMMITTED_TIMEOUT)
        {
            self.store(places.into_iter().zip(offsets).collect());
        }
    }

    /// What the group has committed in these partitions; `None` where it has committed nothing.
    fn committed(&self, places: &[(String, i32)]) -> Option<HashMap<(String, i32), Option<Offset>>> {
        if places.is_empty() {
            return Some(HashMap::new());
        }
        let mut list = TopicPartitionList::with_capacity(places.len());
        for (topic, partition) in places {
            list.add_partition(topic, *partition);
        }
        let answer = self.member.committed_offsets(list, COMMITTED_TIMEOUT).ok()?;
        let elements = answer.elements();
        let answered = elements.iter().filter(|element| element.error().is_ok());
        let entries = answered.map(|element| {
            let place = (element.topic().to_owned(), element.partition());
            let offset = match element.offset() {
                KafkaOffset::Offset(offset) => Some(offset),
                _ => None,
            };
            (place, offset)
        });
        Some(entries.collect())
    }

    /// Asks the leaders of partitions from which nothing comes whether they are there, and says which are not.
    fn watch_for_silence(&mut self) -> Result<()> {
        let is_silent = |queue: &&Queue| !queue.is_at_end && queue.heard_at.elapsed() >= SILENCE;
        let silent = self.queues.iter().filter(is_silent);
        let silent: Vec<(String, i32)> = silent
            .map(|queue| (queue.topic.clone(), queue.partition))
            .collect();
        if silent.is_empty() {
            self.silence.since = None;
            self.silence.told.clear();
            return Ok(());
        }
        if self.silence.asked_at.elapsed() < SILENCE {
            return Ok(());
        }
        let questions: Vec<(&str, i32, Position)> = silent
            .iter()
            .map(|(topic, partition)| (topic.as_str(), *partition, Position::End))
            .collect();
        let unanswered = self.questions.unanswered_of(&questions, SILENCE / 2);
        self.silence.asked_at = Instant::now();
        if unanswered.is_empty() {
            self.silence.since = None;
            return Ok(());
        }
        let since = *self.silence.since.get_or_insert(Instant::now());
        let limit = self.silence.limit;
        for (topic, partition, trouble) in unanswered {
            let name = format!("{topic}-{partition}");
            if let Some(limit) = limit.filter(|limit| since.elapsed() >= *limit) {
                let limit = in_seconds(limit);
                return Err(Error::unreachable(format!(
                    "{name}: not readable for {limit}: {trouble}"
                )));
            }
            if !self.silence.told.contains(&name) {
                let wait = limit.map_or_else(
                    || "waiting for it".to_owned(),
                    |limit| format!("waiting up to {}", in_seconds(limit)),
                );
                self.notices.say(format!("{name}: {trouble}; {wait}"));
                self.silence.told.push(name);
            }
        }
        Ok(())
    }

    /// Finds out from where the partitions are read of which nothing came yet.
    fn find_positions(&mut self) {
        let mut places = names(self.member.assignment());
        places.retain(|(topic, partition)| !self.reading.has(topic, *partition));
        // The coordinator may be the broker that hangs: then the positions stay unknown.
        let committed = self.committed(&places).unwrap_or_default();
        for (topic, partition) in places {
            let next = match committed.get(&(topic.clone(), partition)).copied().flatten() {
                Some(offset) => offset,
                None if self.from_beginning => BEGINNING,
                None => continue,
            };
            self.reading.begin(&topic, partition, next);
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.close();
        // The queues must go before the member that they belong to.
        self.queues.clear();
        drop(self.member.context().take_changes());
        if self.life == Life::Stuck {
            // Dropping would wait for librdkafka's threads; they end with the process.
            std::mem::forget(Arc::clone(&self.member));
        }
    }
}

fn names(list: KafkaResult<TopicPartitionList>) -> Vec<(String, i32)> {
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

/// The offset in librdkafka's words on the end of a partition, which the crate does not hand over as a number.
fn end_offset(text: &str) -> Option<Offset> {
    let (_, rest) = text.split_once(" at offset ")?;
    rest.split(' ').next()?.parse().ok()
}

/// Shows the records of stored batches from an offset on; with `only_committed` none of transactions, since
/// it is not known here how those end.
fn show_stored(
    batches: &[Bytes],
    (topic, partition, offset): (&str, i32, Offset),
    only_committed: bool,
    visitor: &mut dyn RecordVisitor,
) -> Result<()> {
    let mut scratch = Vec::new();
    for batch in batches.iter().flat_map(|bytes| Batches::new(bytes).take(1)) {
        let batch = batch?;
        if batch.header.is_control() || (only_committed && batch.header.is_transactional()) {
            continue;
        }
        let timestamp_type = match batch.header.timestamp_type() {
            batch_header::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
            batch_header::TimestampType::CreateTime => TimestampType::CreateTime,
            batch_header::TimestampType::NoTimestampType => TimestampType::None,
        };
        let records = batch
            .records(&mut scratch, BATCH_LIMIT)
            .map_err(Error::bad_data)?;
        for record in records {
            let record = record.map_err(Error::bad_data)?;
            if record.offset < offset {
                continue;
            }
            let headers: Vec<HeaderView<'_>> = record
                .headers
                .map(|header| HeaderView {
                    name: std::str::from_utf8(header.key).unwrap_or_default(),
                    value: header.value,
                })
                .collect();
            let flow = visitor.record(&ConsumedRecord {
                topic,
                partition,
                offset: record.offset,
                timestamp: record.timestamp,
                timestamp_type,
                key: record.key,
                value: record.value,
                headers: &headers,
            })?;
            if flow.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
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
