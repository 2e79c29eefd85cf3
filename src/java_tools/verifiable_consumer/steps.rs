//! Reading as a member of a group, and the events printed for it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::client::engine::Engine;
use crate::client::record_source::{ConsumedRecord, RecordVisitor, SourceOptions};
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::java_tools::load_tools::events;
use crate::output::{Printer, stderr_line};
use crate::topic_partition::{Offset, TopicPartition};

/// How long one poll may take.
const POLL: Duration = Duration::from_millis(200);

/// What to read.
#[derive(Debug)]
pub struct Load {
    pub topic: String,
    /// `None` for no end.
    pub records: Option<u64>,
    /// The most records that one look takes.
    pub records_at_once: u64,
    pub is_verbose: bool,
    pub tells_commits: bool,
}

impl Load {
    /// How many records the next look takes at most, after so many others.
    fn most(&self, read: u64) -> u64 {
        let left = self
            .records
            .map_or(u64::MAX, |records| records.saturating_sub(read));
        left.min(self.records_at_once)
    }
}

/// What one look found.
struct Batch<'a> {
    load: &'a Load,
    /// The most records to take.
    most: u64,
    count: u64,
    /// The number of records, the first and the last offset of each partition.
    partitions: BTreeMap<TopicPartition, (u64, Offset, Offset)>,
    lines: Vec<String>,
}

impl RecordVisitor for Batch<'_> {
    fn record(&mut self, record: &ConsumedRecord<'_>) -> Result<ControlFlow<()>> {
        let partition = TopicPartition::new(record.topic, record.partition);
        let seen = self
            .partitions
            .entry(partition)
            .or_insert((0, record.offset, record.offset));
        seen.0 += 1;
        seen.2 = record.offset;
        self.count += 1;
        if self.load.is_verbose {
            let text = |bytes: Option<&[u8]>| {
                let text = bytes.map(String::from_utf8_lossy);
                events::text(text.as_deref())
            };
            self.lines.push(format!(
                "\"key\":{},\"value\":{},\"topic\":{},\"partition\":{},\"offset\":{}",
                text(record.key),
                text(record.value),
                events::text(Some(record.topic)),
                record.partition,
                record.offset
            ));
        }
        Ok(if self.count >= self.most {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    fn partition_end(&mut self, _: &str, _: i32, _: Offset) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }

    fn wants_headers(&self) -> bool {
        false
    }
}

impl Batch<'_> {
    fn print(&self, printer: &mut Printer) -> Result<()> {
        for line in &self.lines {
            events::print(printer, "record_data", line)?;
        }
        let partitions = self.partitions.iter().map(|(name, (count, first, last))| {
            format!(
                "{{{},\"count\":{count},\"minOffset\":{first},\"maxOffset\":{last}}}",
                partition(&name.topic, name.partition)
            )
        });
        let partitions = partitions.collect::<Vec<_>>().join(",");
        let fields = format!("\"count\":{},\"partitions\":[{partitions}]", self.count);
        events::print(printer, "records_consumed", &fields)
    }

    fn print_commits(&self, printer: &mut Printer) -> Result<()> {
        let offsets = self.partitions.iter().map(|(name, (_, _, last))| {
            format!(
                "{{{},\"offset\":{}}}",
                partition(&name.topic, name.partition),
                last + 1
            )
        });
        let offsets = offsets.collect::<Vec<_>>().join(",");
        let fields = format!("\"offsets\":[{offsets}],\"success\":true");
        events::print(printer, "offsets_committed", &fields)
    }
}

/// Reads until the number is reached or a signal comes.
pub fn run(load: &Load, settings: &Settings, printer: &mut Printer) -> Result<()> {
    let interrupt = Interrupt::install()?;
    let options = SourceOptions {
        interrupt: interrupt.clone(),
        ..SourceOptions::default()
    };
    let mut source = Engine::for_reading(settings, &[]).open_source(settings, &options)?;
    events::print(printer, "startup_complete", "")?;
    let subscribed = source.subscribe(std::slice::from_ref(&load.topic));
    let mut is_over = subscribed.is_err();
    subscribed.unwrap_or_else(|error| complain(&error));
    let mut assigned: Vec<(String, i32)> = Vec::new();
    let mut read = 0;
    while !is_over && load.records.is_none_or(|records| read < records) && !interrupt.is_raised() {
        let mut batch = Batch {
            load,
            most: load.most(read),
            count: 0,
            partitions: BTreeMap::new(),
            lines: Vec::new(),
        };
        if let Err(error) = source.poll(POLL, &mut batch) {
            complain(&error);
            is_over = true;
        }
        for notice in source.take_notices() {
            stderr_line(notice);
        }
        let now = source.assignment();
        if now != assigned {
            if !assigned.is_empty() {
                events::print(printer, "partitions_revoked", &partitions(&assigned))?;
            }
            events::print(printer, "partitions_assigned", &partitions(&now))?;
            assigned = now;
        }
        if batch.count > 0 {
            batch.print(printer)?;
            read += batch.count;
            source.acknowledge();
            if load.tells_commits {
                batch.print_commits(printer)?;
            }
        }
    }
    let was_interrupted = interrupt.is_raised();
    if was_interrupted {
        events::print(printer, "shutdown_requested", "")?;
    }
    source.close();
    if !assigned.is_empty() {
        events::print(printer, "partitions_revoked", &partitions(&assigned))?;
    }
    events::print(printer, "shutdown_complete", "")?;
    // Java's process prints this when it ends by itself, too.
    if !was_interrupted {
        events::print(printer, "shutdown_requested", "")?;
    }
    Ok(())
}

/// Java logs what ends the reading, and ends as always.
fn complain(error: &Error) {
    stderr_line(format_args!("kafka-verifiable-consumer: {error}"));
}

fn partition(topic: &str, partition: i32) -> String {
    format!(
        "\"topic\":{},\"partition\":{partition}",
        events::text(Some(topic))
    )
}

fn partitions(all: &[(String, i32)]) -> String {
    let all: Vec<String> = all
        .iter()
        .map(|(topic, number)| format!("{{{}}}", partition(topic, *number)))
        .collect();
    format!("\"partitions\":[{}]", all.join(","))
}
