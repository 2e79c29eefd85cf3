//! [`RecordSource`] over librdkafka: named partitions without a coordinator, or membership in a group.
//!
//! Owns the account of what the visitor took, which is what a group commits.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::config;
use super::ffi::{self, Code, Event, Handle, Incoming, PARTITION_END, Place, Role};
use super::notices::{Notices, kind_of, reason_for};
use super::reading::Reading;
use super::tokens::Tokens;
use crate::client::batch_inspection::BATCH_LIMIT;
use crate::client::preflight::Preflight;
use crate::client::record_sink::HeaderView;
use crate::client::record_source::{
    ConsumedRecord, Position, RecordSource, RecordVisitor, Start, TimestampType, TopicPartitions,
    TopicProblem,
};
use crate::client::settings::Settings;
use crate::error::{Error, Kind, Result};
use crate::records::{Batches, batch_header};
use crate::topic_partition::Offset;

/// librdkafka's words for the beginning, where a group has no place yet.
const EARLIEST: &[&str] = &["earliest", "smallest", "beginning"];
/// How long the end waits for an answer about where the group stands.
const PLACE_PATIENCE: Duration = Duration::from_secs(2);
/// Headers of a record shown without an allocation.
const INLINE_HEADERS: usize = 16;
/// Batches shown in one poll, while there are any: what is printed goes out when none are left.
const BATCHES: usize = 64;
/// Codes that a consumer meets while the cluster changes; it tries again by itself.
const PASSING: &[Code] = &[
    5, 6, 7, 9, 13, 14, 15, 16, 19, 72, 74, 75, 76, -195, -193, -187, -185, -172, -140,
];

/// Reads through librdkafka.
#[derive(Debug)]
pub struct Consumer {
    handle: Handle,
    role: Role,
    /// Next offset to commit by partition; a group's only.
    taken: Vec<Place>,
    /// The partitions for which there was one.
    placed: HashSet<(String, i32)>,
    /// A group without a place in a partition begins at its first record.
    from_beginning: bool,
    only_committed: bool,
    reading: Reading,
    notices: Notices,
    preflight: Preflight,
    servers: String,
    tokens: Tokens,
}

impl Consumer {
    /// Connects in the background. It is a group's member if the settings or overrides name a `group.id`.
    pub fn open(
        settings: &Settings,
        overrides: &[(String, String)],
        defaults: &[(String, String)],
    ) -> Result<Self> {
        let mut entries = config::consumer(settings, overrides, defaults)?;
        let role = match config::value_of(&entries, "group.id") {
            Some(group) if !group.is_empty() => Role::Member,
            _ => Role::Reader,
        };
        if role == Role::Reader {
            entries.retain(|(name, _)| name != "group.id");
        }
        let servers = config::value_of(&entries, "bootstrap.servers")
            .unwrap_or_default()
            .to_owned();
        let from_beginning =
            config::value_of(&entries, "auto.offset.reset").is_some_and(|reset| EARLIEST.contains(&reset));
        let only_committed = config::value_of(&entries, "isolation.level") == Some("read_committed");
        let handle = Handle::new(role, &entries).map_err(Error::usage)?;
        Ok(Self {
            handle,
            role,
            taken: Vec::new(),
            placed: HashSet::new(),
            from_beginning,
            only_committed,
            reading: Reading::new(settings),
            notices: Notices::default(),
            preflight: Preflight::of(settings),
            servers,
            tokens: Tokens::of(settings)?,
        })
    }

    fn take_events(&mut self, wait: Duration) -> Result<()> {
        let notices = &mut self.notices;
        let mut wants_token = false;
        self.handle.poll_events(wait, &mut |event| match event {
            Event::TokenWanted => wants_token = true,
            event => notices.take_event(&event),
        });
        if wants_token {
            self.tokens.provide(&mut self.handle, &mut self.notices);
        }
        self.notices.look_into(&mut self.preflight);
        match self.notices.hopeless() {
            Some(error) => Err(error.context(format!("cannot use {}", self.servers))),
            None => Ok(()),
        }
    }

    fn failure(&self, code: Code) -> Error {
        let text = ffi::error_text(code);
        match kind_of(code) {
            Kind::Unreachable => {
                let why = self
                    .notices
                    .last()
                    .map_or(text, |trouble| reason_for(&self.servers, trouble));
                Error::unreachable(format!("cannot reach {}: {why}", self.servers)).hint("is the broker up?")
            }
            kind => Error::new(kind, format!("{}: {text}", self.servers)),
        }
    }
}

impl RecordSource for Consumer {
    fn topics(&mut self, topic: Option<&str>, wait: Duration) -> Result<Vec<TopicPartitions>> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let step = left.clamp(Duration::from_millis(50), Duration::from_millis(200));
            let answer = self.handle.metadata(topic, step);
            self.take_events(Duration::ZERO)?;
            match answer {
                Ok(found) => return Ok(found.into_iter().map(topic_partitions).collect()),
                Err(code) if left.is_zero() => return Err(self.failure(code)),
                Err(_) => self.take_events(Duration::from_millis(20))?,
            }
        }
    }

    fn offsets(&mut self, questions: &[(&str, i32, Position)], wait: Duration) -> Result<Vec<Offset>> {
        let mut places: Vec<Place> = questions
            .iter()
            .map(|(topic, partition, position)| place(topic, *partition, question(*position)))
            .collect();
        let mut ends: Vec<Place> = Vec::new();
        self.ask(&mut places, wait)?;
        // No record at or after the time means the end, which is another question.
        for (asked, answer) in questions.iter().zip(&places) {
            if matches!(asked.2, Position::Time(_)) && answer.offset < 0 {
                ends.push(place(asked.0, asked.1, -1));
            }
        }
        if !ends.is_empty() {
            self.ask(&mut ends, wait)?;
        }
        let mut ends = ends.into_iter();
        let mut offsets = Vec::with_capacity(places.len());
        for (asked, answer) in questions.iter().zip(places) {
            offsets.push(match asked.2 {
                Position::At(offset) => offset,
                Position::Time(_) if answer.offset < 0 => ends.next().map_or(0, |end| end.offset),
                _ => answer.offset,
            });
        }
        Ok(offsets)
    }

    fn assign(&mut self, starts: &[Start]) -> Result<()> {
        for start in starts {
            let place = place(&start.topic, start.partition, start.offset);
            self.handle.start(&place).map_err(|code| self.failure(code))?;
            self.reading.begin(&start.topic, start.partition, start.offset);
        }
        Ok(())
    }

    fn unassign(&mut self, partitions: &[(String, i32)]) -> Result<()> {
        for (topic, partition) in partitions {
            self.handle.stop(topic, *partition);
        }
        let is_read =
            |topic: &str, number| !partitions.iter().any(|gone| gone.1 == number && gone.0 == topic);
        self.reading.retain(is_read);
        Ok(())
    }

    fn subscribe(&mut self, topics: &[String]) -> Result<()> {
        self.handle.subscribe(topics).map_err(|code| self.failure(code))
    }

    fn poll(&mut self, wait: Duration, visitor: &mut dyn RecordVisitor) -> Result<ControlFlow<()>> {
        self.take_events(Duration::ZERO)?;
        let is_member = self.role == Role::Member;
        let wants_headers = visitor.wants_headers();
        let (taken, notices, reading) = (&mut self.taken, &mut self.notices, &mut self.reading);
        let mut problem = None;
        let now = Instant::now();
        let mut visit = |message: &Incoming<'_>| {
            let place = (message.topic, message.partition, message.offset);
            let order = match message.code {
                0 | PARTITION_END => reading.come_to(place, message.code != 0, now),
                _ => Ok(()),
            };
            if let Err(error) = order {
                problem = Some(error);
                return ControlFlow::Break(());
            }
            let outcome = match message.code {
                0 if wants_headers => show_whole(message, visitor),
                0 => show(message, &[], visitor),
                PARTITION_END => visitor.partition_end(message.topic, message.partition, message.offset),
                DAMAGED_COMPRESSION | DAMAGED => reading
                    .look(place)
                    .and_then(|()| failed_partition(message, DAMAGED, notices)),
                code => failed_partition(message, code, notices),
            };
            if is_member && outcome.is_ok() {
                note(taken, message);
            }
            outcome.unwrap_or_else(|error| {
                problem = Some(error);
                ControlFlow::Break(())
            })
        };
        let (mut count, mut flow) = self.handle.consume(wait, &mut visit);
        for _ in 1..BATCHES {
            if count == 0 || flow.is_break() {
                break;
            }
            (count, flow) = self.handle.consume(Duration::ZERO, &mut visit);
        }
        if let Some(problem) = problem {
            return Err(problem);
        }
        if is_member && self.reading.is_due() {
            self.find_places();
        }
        if let Some((topic, partition, offset, damage)) = self.reading.stall() {
            // Its thread may hang in the damaged batch.
            self.handle.abandon();
            show_stored(
                &damage.before,
                (&topic, partition, offset),
                self.only_committed,
                visitor,
            )?;
            return Err(damage.error);
        }
        Ok(flow)
    }

    fn assignment(&mut self) -> Vec<(String, i32)> {
        match self.role {
            Role::Member => self.handle.assignment(),
            _ => self.reading.names(),
        }
    }

    fn acknowledge(&mut self) {
        if !self.taken.is_empty() {
            self.handle.store_offsets(&self.taken);
            let places = self.taken.drain(..);
            self.placed
                .extend(places.map(|place| (place.topic, place.partition)));
        }
    }

    fn close(&mut self) {
        if self.handle.is_abandoned() {
            return;
        }
        if self.role == Role::Member {
            self.place_untouched();
            self.handle.close_consumer();
        }
        for (topic, partition) in self.reading.names() {
            self.handle.stop(&topic, partition);
        }
        self.reading.retain(|_, _| false);
        let _ = self.take_events(Duration::ZERO);
    }

    fn take_notices(&mut self) -> Vec<String> {
        self.notices.drain()
    }
}

impl Consumer {
    /// Gives the group a place, as Java's consumer does, in partitions of which nothing was taken: otherwise records
    /// there would be passed over by a next run that begins at the end. What cannot be found out stays open.
    fn place_untouched(&mut self) {
        if !self.from_beginning {
            return;
        }
        let mut places: Vec<Place> = self
            .handle
            .assignment()
            .into_iter()
            .filter(|partition| !self.placed.contains(partition))
            .map(|(topic, partition)| place(&topic, partition, NOWHERE))
            .collect();
        if places.is_empty() || self.handle.committed(&mut places, PLACE_PATIENCE).is_err() {
            return;
        }
        places.retain(|place| place.code == 0 && place.offset < 0);
        for place in &mut places {
            place.offset = question(Position::Beginning);
        }
        if self.ask(&mut places, PLACE_PATIENCE).is_ok() {
            self.handle.store_offsets(&places);
        }
    }

    /// Notes from where a member reads the partitions of which nothing came yet.
    fn find_places(&mut self) {
        let mut places: Vec<Place> = self
            .handle
            .assignment()
            .into_iter()
            .filter(|(topic, partition)| !self.reading.has(topic, *partition))
            .map(|(topic, partition)| place(&topic, partition, NOWHERE))
            .collect();
        if places.is_empty() {
            return;
        }
        // The coordinator may be the broker that does not get on: then nobody knows.
        let _ = self.handle.committed(&mut places, PLACE_PATIENCE / 2);
        for place in places {
            let next = match place.offset {
                committed if committed >= 0 => committed,
                _ if self.from_beginning => question(Position::Beginning),
                _ => continue,
            };
            self.reading.begin(&place.topic, place.partition, next);
        }
    }

    /// One ListOffsets round; a leader that is being chosen is waited for.
    fn ask(&mut self, places: &mut [Place], wait: Duration) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let asked: Vec<Offset> = places.iter().map(|place| place.offset).collect();
        let deadline = Instant::now() + wait;
        loop {
            for (place, offset) in places.iter_mut().zip(&asked) {
                place.offset = *offset;
            }
            let outcome = self.handle.offsets_for_times(places, Duration::from_secs(5));
            self.take_events(Duration::ZERO)?;
            let problem = places.iter().map(|place| place.code).find(|code| *code != 0);
            let code = match (outcome, problem) {
                (Ok(()), None) => return Ok(()),
                (Ok(()), Some(code)) | (Err(code), _) => code,
            };
            if !PASSING.contains(&code) || Instant::now() >= deadline {
                return Err(self.failure(code));
            }
            self.take_events(Duration::from_millis(50))?;
        }
    }
}

fn place(topic: &str, partition: i32, offset: Offset) -> Place {
    Place {
        topic: topic.to_owned(),
        partition,
        offset,
        leader_epoch: -1,
        code: 0,
    }
}

/// Shows the records of stored batches from an offset on; with `only_committed` none of transactions, whose ends are not
/// known here.
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

/// librdkafka's codes for bytes that are no records, and for those that do not decompress.
const DAMAGED: Code = -199;
const DAMAGED_COMPRESSION: Code = -198;
/// librdkafka's number for no offset.
const NOWHERE: Offset = -1001;

/// A position as ListOffsets asks for it.
fn question(position: Position) -> i64 {
    match position {
        Position::Beginning => -2,
        Position::End | Position::At(_) => -1,
        // Negative numbers are other questions to ListOffsets: from a time before 1970 on, everything is read.
        Position::Time(time) if time < 0 => -2,
        Position::Time(time) => time,
    }
}

fn topic_partitions(found: ffi::TopicMetadata) -> TopicPartitions {
    let problem = match found.code {
        0 => None,
        3 => Some(TopicProblem::Unknown),
        17 => Some(TopicProblem::Invalid),
        29 => Some(TopicProblem::Denied),
        code => Some(TopicProblem::NotYet(ffi::error_text(code))),
    };
    let mut partitions = found.partitions;
    partitions.sort_unstable();
    TopicPartitions {
        name: found.name,
        partitions,
        problem,
    }
}

/// Notes a record, or all before an end, as taken; runs of one partition are the rule.
fn note(taken: &mut Vec<Place>, message: &Incoming<'_>) {
    let (next, leader_epoch) = match message.code {
        0 => (message.offset + 1, message.leader_epoch()),
        PARTITION_END => (message.offset, -1),
        _ => return,
    };
    let known = |place: &Place| place.partition == message.partition && place.topic == message.topic;
    let position = taken.iter().rposition(known).unwrap_or_else(|| {
        taken.push(place(message.topic, message.partition, next));
        taken.len() - 1
    });
    if let Some(place) = taken.get_mut(position) {
        place.offset = next;
        place.leader_epoch = place.leader_epoch.max(leader_epoch);
    }
}

/// Shows one record with its headers, which stand on the stack unless they are many.
fn show_whole(message: &Incoming<'_>, visitor: &mut dyn RecordVisitor) -> Result<ControlFlow<()>> {
    const NONE: HeaderView<'static> = HeaderView {
        name: "",
        value: None,
    };
    let mut inline = [NONE; INLINE_HEADERS];
    let mut many: Vec<HeaderView<'_>> = Vec::new();
    let mut count = 0;
    message.headers(&mut |header| {
        if let Some(room) = inline.get_mut(count) {
            *room = header;
        } else {
            if many.is_empty() {
                many.extend_from_slice(&inline);
            }
            many.push(header);
        }
        count += 1;
    });
    let headers = if many.is_empty() {
        inline.get(..count).unwrap_or_default()
    } else {
        &many
    };
    show(message, headers, visitor)
}

fn show(
    message: &Incoming<'_>,
    headers: &[HeaderView<'_>],
    visitor: &mut dyn RecordVisitor,
) -> Result<ControlFlow<()>> {
    visitor.record(&ConsumedRecord {
        topic: message.topic,
        partition: message.partition,
        offset: message.offset,
        timestamp: message.timestamp.0,
        timestamp_type: match message.timestamp.1 {
            1 => TimestampType::CreateTime,
            2 => TimestampType::LogAppendTime,
            _ => TimestampType::None,
        },
        key: message.key,
        value: message.value,
        headers,
    })
}

/// What came instead of a record: passing trouble is a notice, the rest ends the reading.
fn failed_partition(message: &Incoming<'_>, code: Code, notices: &mut Notices) -> Result<ControlFlow<()>> {
    let place = if message.topic.is_empty() {
        String::new()
    } else {
        format!("{}-{}: ", message.topic, message.partition)
    };
    let text = format!("{place}{}", message.error_text());
    if PASSING.contains(&code) {
        notices.say(text);
        return Ok(ControlFlow::Continue(()));
    }
    Err(Error::new(kind_of(code), text))
}
