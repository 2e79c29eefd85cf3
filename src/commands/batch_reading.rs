//! Ranges of partitions read batch by batch, for commands that count, copy or compare: records are decoded only on
//! demand. Control batches and aborted records are left out; the end of a range is recognised by position.

mod slice;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use super::consume;
use crate::client::engine::Engine;
use crate::client::record_source::{
    ConsumedRecord, FetchedBatch, Position, RecordSource, RecordVisitor, SourceOptions, Start,
};
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::topic_partition::Offset;
pub(super) use slice::{RecordFields, Slice};

/// A part of a partition.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) topic: String,
    pub(super) partition: i32,
    /// The first offset that is read.
    pub(super) from: Offset,
    /// The first offset that is not read; `None` reads without end.
    pub(super) end: Option<Offset>,
}

/// Which part of each partition is selected.
#[derive(Clone, Debug)]
pub struct Part {
    pub start: consume::Start,
    /// Nothing at or after this offset.
    pub before: Option<Offset>,
    /// Nothing from the first record at or after this time on, in milliseconds since 1970.
    pub until: Option<i64>,
    /// Only these partitions; `None` for all.
    pub partitions: Option<Vec<i32>>,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            start: consume::Start::At(Position::Beginning),
            before: None,
            until: None,
            partitions: None,
        }
    }
}

impl Part {
    /// Whether a partition is selected.
    pub(super) fn takes(&self, partition: i32) -> bool {
        self.partitions
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&partition))
    }
}

/// Receives the batches; a range is identified by its index in the order in which ranges were added.
pub(super) trait BatchVisitor {
    /// A batch with records of the range: those from `slice.from` up to, not including, `slice.end`.
    fn batch(&mut self, place: usize, slice: &Slice<'_>) -> Result<()>;

    /// Whether batches are mainly passed on to a receiver that checks their checksums, which are then not checked here.
    fn passes_on(&self) -> bool {
        false
    }

    /// Nothing more is before `next`, up to the present end of the partition.
    fn passed(&mut self, _place: usize, _next: Offset) -> Result<()> {
        Ok(())
    }
}

/// Ranges being read, batch by batch.
pub(super) trait BatchFlow {
    /// Passes on the available batches, waiting up to `wait` for the first one; returns whether any range advanced.
    fn poll(&mut self, wait: Duration, visitor: &mut dyn BatchVisitor) -> Result<bool>;

    /// Reads these ranges too; their indexes follow those of the others.
    fn add(&mut self, ranges: Vec<Range>) -> Result<()>;

    /// Whether every range is at its end.
    fn is_done(&self) -> bool;

    /// What happened meanwhile that the user should know, one line each.
    fn take_notices(&mut self) -> Vec<String>;
}

/// Where partitions are read from.
pub(super) trait BatchOrigin {
    /// Starts to read these ranges.
    fn read(&self, ranges: Vec<Range>) -> Result<Box<dyn BatchFlow>>;
}

/// Reads ranges.
pub(super) struct BatchReading {
    source: Box<dyn RecordSource>,
    ranges: Ranges,
}

impl std::fmt::Debug for BatchReading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchReading")
            .field("ranges", &self.ranges.all)
            .finish_non_exhaustive()
    }
}

impl BatchReading {
    /// Connects in the background. A partition that no broker serves for `patience` ends the reading.
    pub(super) fn open(settings: &Settings, patience: Duration, interrupt: &Interrupt) -> Result<Self> {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let options = SourceOptions {
            overrides: vec![pair("group.id", ""), pair("auto.offset.reset", "earliest")],
            defaults: vec![
                pair("isolation.level", "read_committed"),
                pair("fetch.wait.max.ms", "50"),
            ],
            interrupt: interrupt.clone(),
            give_up_after: Some(patience),
            ..SourceOptions::default()
        };
        let source = Engine::Direct.open_source(settings, &options)?;
        Ok(Self {
            source,
            ranges: Ranges::default(),
        })
    }

    /// Offsets of partitions, where the end is the last stable offset.
    pub(super) fn offsets(
        &mut self,
        questions: &[(&str, i32, Position)],
        wait: Duration,
    ) -> Result<Vec<Offset>> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        self.source.offsets(questions, wait)
    }

    /// The ranges of a part of these partitions, up to their current ends.
    pub(super) fn ranges(
        &mut self,
        partitions: &[(String, i32)],
        part: &Part,
        wait: Duration,
    ) -> Result<Vec<Range>> {
        let ask = |position: Position| -> Vec<(&str, i32, Position)> {
            let named = partitions.iter();
            named
                .map(|(topic, partition)| (topic.as_str(), *partition, position))
                .collect()
        };
        let firsts = self.offsets(&ask(Position::Beginning), wait)?;
        let ends = self.offsets(&ask(Position::End), wait)?;
        let starts = match part.start {
            consume::Start::At(position @ Position::Time(_)) => self.offsets(&ask(position), wait)?,
            _ => Vec::new(),
        };
        let limits = match part.until {
            Some(until) => self.offsets(&ask(Position::Time(until)), wait)?,
            None => Vec::new(),
        };
        let ranges = partitions.iter().enumerate().map(|(place, (topic, partition))| {
            let first = firsts.get(place).copied().unwrap_or_default();
            let end = ends.get(place).copied().unwrap_or_default();
            let from = match part.start {
                consume::Start::At(Position::Beginning) => first,
                consume::Start::At(Position::End) => end,
                consume::Start::At(Position::At(offset)) => offset,
                consume::Start::At(Position::Time(_)) => starts.get(place).copied().unwrap_or(end),
                consume::Start::FromEnd(count) => end.saturating_sub(count),
                consume::Start::FromBeginning(count) => first.saturating_add(count),
            };
            let limit = limits.get(place).copied().unwrap_or(end);
            let end = part.before.unwrap_or(end).min(limit).min(end);
            Range {
                topic: topic.clone(),
                partition: *partition,
                from: from.clamp(first, end.max(first)),
                end: Some(end),
            }
        });
        Ok(ranges.collect())
    }
}

impl BatchFlow for BatchReading {
    fn poll(&mut self, wait: Duration, visitor: &mut dyn BatchVisitor) -> Result<bool> {
        let mut feed = Feed {
            ranges: &mut self.ranges,
            visitor,
            has_moved: false,
        };
        let flow = self.source.poll(wait, &mut feed);
        let has_moved = feed.has_moved;
        let _ = flow?;
        let reached = self.ranges.take_reached();
        if !reached.is_empty() {
            self.source.unassign(&reached)?;
        }
        Ok(has_moved)
    }

    fn add(&mut self, ranges: Vec<Range>) -> Result<()> {
        let is_open = |range: &&Range| range.end.is_none_or(|end| range.from < end);
        let starts = ranges.iter().filter(is_open).map(|range| Start {
            topic: range.topic.clone(),
            partition: range.partition,
            offset: range.from,
            end: range.end,
        });
        let starts: Vec<Start> = starts.collect();
        for range in ranges {
            self.ranges.add(range);
        }
        self.source.assign(&starts)
    }

    fn is_done(&self) -> bool {
        self.ranges.is_reached.iter().all(|is_reached| *is_reached)
    }

    fn take_notices(&mut self) -> Vec<String> {
        self.source.take_notices()
    }
}

/// The partitions of a cluster.
#[derive(Debug)]
pub(super) struct ClusterOrigin {
    pub(super) settings: Settings,
    /// How long a partition may be without a broker that serves it, before reading fails.
    pub(super) patience: Duration,
    pub(super) interrupt: Interrupt,
}

impl BatchOrigin for ClusterOrigin {
    fn read(&self, ranges: Vec<Range>) -> Result<Box<dyn BatchFlow>> {
        let mut reading = BatchReading::open(&self.settings, self.patience, &self.interrupt)?;
        reading.add(ranges)?;
        Ok(Box::new(reading))
    }
}

/// Reads everything, until each range is at its end.
pub(super) fn read_all(
    flow: &mut dyn BatchFlow,
    interrupt: &Interrupt,
    visitor: &mut dyn BatchVisitor,
) -> Result<()> {
    const STEP: Duration = Duration::from_millis(100);
    while !flow.is_done() {
        if interrupt.is_raised() {
            return Err(Error::interrupted());
        }
        flow.poll(STEP, visitor)?;
    }
    Ok(())
}

/// The ranges, and which of them have reached their ends.
#[derive(Debug, Default)]
struct Ranges {
    all: Vec<Range>,
    is_reached: Vec<bool>,
    newly_reached: Vec<usize>,
    by_name: HashMap<String, HashMap<i32, usize>>,
    /// The range of the last batch; the next one mostly belongs to the same.
    last: usize,
}

impl Ranges {
    fn add(&mut self, range: Range) {
        let place = self.all.len();
        let partitions = self.by_name.entry(range.topic.clone()).or_default();
        partitions.insert(range.partition, place);
        self.is_reached
            .push(range.end.is_some_and(|end| range.from >= end));
        self.all.push(range);
    }

    fn place(&mut self, topic: &str, partition: i32) -> Option<usize> {
        let is_it = |range: &Range| range.partition == partition && range.topic == topic;
        if !self.all.get(self.last).is_some_and(is_it) {
            self.last = *self.by_name.get(topic)?.get(&partition)?;
        }
        Some(self.last).filter(|place| self.is_reached.get(*place) == Some(&false))
    }

    fn end(&self, place: usize) -> Offset {
        let range = self.all.get(place);
        range.and_then(|range| range.end).unwrap_or(Offset::MAX)
    }

    /// A range was read up to `next`.
    fn reach(&mut self, place: usize, next: Offset) {
        if next >= self.end(place)
            && let Some(is_reached) = self.is_reached.get_mut(place)
            && !std::mem::replace(is_reached, true)
        {
            self.newly_reached.push(place);
        }
    }

    fn take_reached(&mut self) -> Vec<(String, i32)> {
        let reached = std::mem::take(&mut self.newly_reached);
        let ranges = reached.iter().filter_map(|place| self.all.get(*place));
        ranges
            .map(|range| (range.topic.clone(), range.partition))
            .collect()
    }
}

struct Feed<'a> {
    ranges: &'a mut Ranges,
    visitor: &'a mut dyn BatchVisitor,
    has_moved: bool,
}

impl RecordVisitor for Feed<'_> {
    fn batch(&mut self, fetched: &FetchedBatch<'_>) -> Result<Option<ControlFlow<()>>> {
        const TAKEN: Option<ControlFlow<()>> = Some(ControlFlow::Continue(()));
        let Some(place) = self.ranges.place(fetched.topic, fetched.partition) else {
            return Ok(TAKEN);
        };
        self.has_moved = true;
        let end = self.ranges.end(place);
        let header = &fetched.batch.header;
        // A compressed message set of an old format has the offset of its last message.
        let is_behind = header.magic >= 2 && header.base_offset >= end;
        if !is_behind {
            let slice = Slice {
                topic: fetched.topic,
                partition: fetched.partition,
                batch: fetched.batch,
                is_unchecked: fetched.is_unchecked,
                memory: fetched.memory,
                from: fetched.from,
                end,
            };
            self.visitor.batch(place, &slice)?;
        }
        self.ranges.reach(place, header.next_offset());
        Ok(TAKEN)
    }

    fn checks_batches(&self) -> bool {
        self.visitor.passes_on()
    }

    fn record(&mut self, _record: &ConsumedRecord<'_>) -> Result<ControlFlow<()>> {
        Err(Error::failed(
            "records came one by one where batches were asked for",
        ))
    }

    fn partition_end(&mut self, topic: &str, partition: i32, next: Offset) -> Result<ControlFlow<()>> {
        if let Some(place) = self.ranges.place(topic, partition) {
            let next = next.min(self.ranges.end(place));
            self.visitor.passed(place, next)?;
            self.ranges.reach(place, next);
        }
        Ok(ControlFlow::Continue(()))
    }
}
