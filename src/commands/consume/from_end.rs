//! Where the last records of partitions begin: counted, since some offsets are not records (control batches, compacted
//! records).

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use super::wanted::Wanted;
use super::{Run, STEP};
use crate::client::record_source::{self, ConsumedRecord, FetchedBatch, RecordVisitor};
use crate::error::{Error, Result};
use crate::filter::{Expression, Sieve};
use crate::topic_partition::Offset;

/// How many times as far back each look goes than the one before.
const WIDER: i64 = 8;

/// Finds the offset of the last `count` records before each partition's end.
#[derive(Debug)]
struct Search<'a> {
    count: usize,
    wanted: &'a Wanted,
    /// Finds records that can match the condition, before they are decoded.
    sieve: Option<Sieve>,
    partitions: Vec<Searched>,
    places: HashMap<(&'a str, i32), usize>,
}

#[derive(Debug)]
struct Searched {
    first: Offset,
    /// The offsets of the current look: from here up to `to`.
    from: Offset,
    to: Offset,
    end: Offset,
    /// Offsets of records that were found, at most as many as are wanted; later offsets of an earlier look come last.
    found: VecDeque<Offset>,
    later: VecDeque<Offset>,
    is_done: bool,
}

impl Searched {
    /// Ends one look; returns whether another one further back is needed.
    fn goes_on(&mut self, count: usize) -> bool {
        self.found.append(&mut self.later);
        if self.found.len() >= count || self.from <= self.first {
            return false;
        }
        std::mem::swap(&mut self.found, &mut self.later);
        let width = (self.end - self.from).max(1).saturating_mul(WIDER);
        self.to = self.from;
        self.from = self.end.saturating_sub(width).max(self.first);
        self.is_done = false;
        true
    }

    /// The offset of the first of the last `count` records; of all where there are fewer; the end where there is none.
    fn start(&self, count: usize) -> Offset {
        let surplus = self.found.len().saturating_sub(count);
        self.found.get(surplus).copied().unwrap_or(self.end)
    }
}

impl RecordVisitor for Search<'_> {
    /// The sieve may leave out the last record of a batch, so that the records would not show how far the look has come.
    fn batch(&mut self, fetched: &FetchedBatch<'_>) -> Result<Option<ControlFlow<()>>> {
        if self.sieve.is_some() {
            let place = self.places.get(&(fetched.topic, fetched.partition));
            if let Some(searched) = place.and_then(|place| self.partitions.get_mut(*place)) {
                searched.is_done |= fetched.batch.header.next_offset() >= searched.to;
            }
        }
        Ok(None)
    }

    fn sifts(&self) -> bool {
        self.sieve.is_some()
    }

    fn first_wanted(&self, records: &[u8]) -> Option<usize> {
        self.sieve.as_ref().map_or(Some(0), |sieve| sieve.find(records))
    }

    fn record(&mut self, record: &ConsumedRecord<'_>) -> Result<ControlFlow<()>> {
        let place = self.places.get(&(record.topic, record.partition));
        let Some(searched) = place.and_then(|place| self.partitions.get_mut(*place)) else {
            return Ok(ControlFlow::Continue(()));
        };
        searched.is_done |= record.offset + 1 >= searched.to;
        if record.offset < searched.to && self.wanted.takes(record) {
            searched.found.push_back(record.offset);
            if searched.found.len() > self.count {
                searched.found.pop_front();
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn partition_end(&mut self, topic: &str, partition: i32, next: Offset) -> Result<ControlFlow<()>> {
        let place = self.places.get(&(topic, partition));
        if let Some(searched) = place.and_then(|place| self.partitions.get_mut(*place)) {
            searched.is_done |= next >= searched.to;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn wants_headers(&self) -> bool {
        self.wanted.wants_headers()
    }
}

impl Run {
    /// The offsets where the last `count` wanted records of each partition begin; the first wanted record where there
    /// are fewer.
    pub(super) fn starts_from_end(
        &mut self,
        partitions: &[(String, i32)],
        (firsts, ends): (&[Offset], &[Offset]),
        count: i64,
        wanted: &Wanted,
    ) -> Result<Vec<Offset>> {
        let bounds = firsts.iter().zip(ends);
        let searched = bounds.map(|(first, end)| Searched {
            first: *first,
            from: end.saturating_sub(count).max(*first),
            to: *end,
            end: *end,
            found: VecDeque::new(),
            later: VecDeque::new(),
            is_done: false,
        });
        let numbered = partitions.iter().enumerate();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let mut search = Search {
            count,
            wanted,
            sieve: wanted.filter.as_ref().and_then(Expression::sieve),
            partitions: searched.collect(),
            places: numbered
                .map(|(place, (topic, partition))| ((topic.as_str(), *partition), place))
                .collect(),
        };
        let mut open: Vec<usize> = (0..partitions.len()).collect();
        open.retain(|place| search.partitions.get(*place).is_some_and(|it| it.from < it.to));
        while !open.is_empty() {
            self.look(partitions, &open, &mut search)?;
            open.retain(|place| {
                let searched = search.partitions.get_mut(*place);
                searched.is_some_and(|searched| searched.goes_on(count))
            });
        }
        Ok(search.partitions.iter().map(|it| it.start(count)).collect())
    }

    /// Reads the part of each partition that the current look covers.
    fn look(&mut self, partitions: &[(String, i32)], open: &[usize], search: &mut Search<'_>) -> Result<()> {
        let mut assigned = Vec::with_capacity(open.len());
        for place in open {
            if let (Some((topic, partition)), Some(searched)) =
                (partitions.get(*place), search.partitions.get(*place))
            {
                assigned.push(record_source::Start {
                    topic: topic.clone(),
                    partition: *partition,
                    offset: searched.from,
                    end: Some(searched.to),
                });
            }
        }
        self.source.assign(&assigned)?;
        let is_done = |search: &Search<'_>| {
            let mut open = open.iter().filter_map(|place| search.partitions.get(*place));
            open.all(|searched| searched.is_done)
        };
        while !is_done(search) {
            if self.interrupt.is_raised() {
                return Err(Error::interrupted());
            }
            // A search never breaks a poll off.
            let outcome = self.source.poll(STEP, search);
            for line in self.source.take_notices() {
                crate::output::stderr_line(self.action.voice.notice(&line));
            }
            let _ = outcome?;
        }
        let names: Vec<(String, i32)> = assigned
            .into_iter()
            .map(|start| (start.topic, start.partition))
            .collect();
        self.source.unassign(&names)
    }
}
