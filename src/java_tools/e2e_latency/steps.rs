//! Records that are sent one after the other, each after the previous one was consumed.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::client::admin::topics::NewTopic;
use crate::client::engine::Engine;
use crate::client::record_sink::{
    DeliveryFailure, DeliveryListener, HeaderView, RecordSink, RecordView, SinkOptions,
};
use crate::client::record_source::{
    ConsumedRecord, Position, RecordSource, RecordVisitor, SourceOptions, Start,
};
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::java_tools::load_tools::splittable_random::SplittableRandom;
use crate::output::{Printer, stderr_line};
use crate::topic_partition::Offset;

/// How long a record may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What to send.
#[derive(Debug)]
pub struct Load {
    pub topic: String,
    pub records: usize,
    /// `1` or `all`.
    pub acks: String,
    pub value_bytes: usize,
    pub key_bytes: usize,
    pub headers: usize,
    pub header_name_bytes: usize,
    /// `None` for null.
    pub header_value_bytes: Option<usize>,
}

/// The first delivery failure.
#[derive(Default)]
struct Delivery {
    failure: Option<String>,
}

impl DeliveryListener for Delivery {
    fn delivered(&mut self, _: u64) {}

    fn failed(&mut self, failure: &DeliveryFailure<'_>) {
        self.failure.get_or_insert_with(|| failure.reason.to_owned());
    }

    fn notice(&mut self, line: &str) {
        stderr_line(line);
    }
}

/// The record that is expected.
struct Arrival<'a> {
    value: &'a [u8],
    /// Whether the first record that arrived is the expected one.
    is_right: Option<bool>,
}

impl RecordVisitor for Arrival<'_> {
    fn record(&mut self, record: &ConsumedRecord<'_>) -> Result<ControlFlow<()>> {
        self.is_right = Some(record.value.unwrap_or_default() == self.value);
        Ok(ControlFlow::Break(()))
    }

    fn partition_end(&mut self, _: &str, _: i32, _: Offset) -> Result<ControlFlow<()>> {
        Ok(ControlFlow::Continue(()))
    }
}

/// Sends and receives records, and prints the latencies.
pub fn run(load: &Load, settings: &Settings, printer: &mut Printer) -> Result<()> {
    let interrupt = Interrupt::install()?;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut source = Engine::Direct.open_source(
        settings,
        &SourceOptions {
            overrides: vec![pair("fetch.max.wait.ms", "100"), pair("group.id", "")],
            interrupt: interrupt.clone(),
            ..SourceOptions::default()
        },
    )?;
    create_if_missing(load, settings, source.as_mut(), printer)?;
    begin_at_the_end(&load.topic, source.as_mut())?;
    let mut sink = Engine::Direct.open_sink(
        settings,
        SinkOptions {
            interrupt: interrupt.clone(),
            overrides: vec![pair("linger.ms", "0"), pair("acks", &load.acks)],
            defaults: Vec::new(),
        },
    )?;
    sink.prepare_topic(&load.topic, TIMEOUT)?;
    let mut random = SplittableRandom::new(0);
    let mut took = Vec::with_capacity(load.records.min(1 << 20));
    for number in 0..load.records {
        if interrupt.is_raised() {
            break;
        }
        let one = once(load, &mut random, sink.as_mut(), source.as_mut())?;
        if number % 1000 == 0 {
            printer.line(format_args!("{number}\t{}", one.as_nanos() as f64 / 1e6))?;
            printer.flush()?;
        }
        took.push(one);
    }
    results(took, printer)
}

fn create_if_missing(
    load: &Load,
    settings: &Settings,
    source: &mut dyn RecordSource,
    printer: &mut Printer,
) -> Result<()> {
    if source
        .topics(None, TIMEOUT)?
        .iter()
        .any(|topic| topic.name == load.topic)
    {
        return Ok(());
    }
    let topic = &load.topic;
    printer.line(format_args!(
        "Topic \"{topic}\" does not exist. Will create topic with 1 partition(s) and replication factor = 1"
    ))?;
    let new = NewTopic {
        name: topic.clone(),
        partitions: Some(1),
        replication_factor: Some(1),
        ..NewTopic::default()
    };
    let outcomes = Client::new(settings.clone())
        .admin()?
        .create_topics(&[new], false)?;
    for (_, outcome) in outcomes {
        if let Err(refusal) = outcome {
            printer.line(format_args!("Creation of topic {topic} failed"))?;
            return Err(refusal.into());
        }
    }
    Ok(())
}

fn begin_at_the_end(topic: &str, source: &mut dyn RecordSource) -> Result<()> {
    let found = source.topics(Some(topic), TIMEOUT)?;
    let partitions: Vec<i32> = found.into_iter().flat_map(|topic| topic.partitions).collect();
    let questions: Vec<(&str, i32, Position)> = partitions
        .iter()
        .map(|partition| (topic, *partition, Position::End))
        .collect();
    let ends = source.offsets(&questions, TIMEOUT)?;
    let starts: Vec<Start> = partitions
        .into_iter()
        .zip(ends)
        .map(|(partition, offset)| Start {
            topic: topic.to_owned(),
            partition,
            offset,
            end: None,
        })
        .collect();
    source.assign(&starts)
}

/// Sends one record, and waits for it.
fn once(
    load: &Load,
    random: &mut SplittableRandom,
    sink: &mut dyn RecordSink,
    source: &mut dyn RecordSource,
) -> Result<Duration> {
    let mut letters = |count: usize| vec![b'A' + random.next_below(26) as u8; count];
    let value = letters(load.value_bytes);
    // A key of no bytes is a key.
    let key = letters(load.key_bytes);
    let headers: Vec<(String, Option<Vec<u8>>)> = (0..load.headers)
        .map(|_| {
            let name = String::from_utf8(letters(load.header_name_bytes)).unwrap_or_default();
            (name, load.header_value_bytes.map(&mut letters))
        })
        .collect();
    let headers: Vec<HeaderView<'_>> = headers
        .iter()
        .map(|(name, value)| HeaderView {
            name,
            value: value.as_deref(),
        })
        .collect();
    let record = RecordView {
        topic: &load.topic,
        partition: None,
        key: Some(&key),
        value: Some(&value),
        headers: &headers,
        timestamp: None,
    };
    let began = Instant::now();
    let mut delivery = Delivery::default();
    sink.send(&record, 0, &mut delivery)?;
    sink.flush(false, &mut delivery)?;
    if let Some(reason) = delivery.failure {
        return Err(Error::failed(reason));
    }
    let mut arrival = Arrival {
        value: &value,
        is_right: None,
    };
    while arrival.is_right.is_none() {
        let left = TIMEOUT.checked_sub(began.elapsed()).ok_or_else(|| {
            let milliseconds = TIMEOUT.as_millis();
            Error::failed(format!(
                "poll() timed out before finding a result (timeout:[{milliseconds}ms])"
            ))
        })?;
        let _ = source.poll(left, &mut arrival)?;
    }
    if arrival.is_right == Some(false) {
        return Err(Error::failed(
            "the record that was read is not the one that was sent: does another client write to the topic?",
        ));
    }
    Ok(began.elapsed())
}

fn results(mut took: Vec<Duration>, printer: &mut Printer) -> Result<()> {
    let total: Duration = took.iter().sum();
    let count = took.len().max(1) as f64;
    printer.line(format_args!(
        "Avg latency: {:.4} ms",
        total.as_nanos() as f64 / count / 1e6
    ))?;
    took.sort_unstable();
    let percentile = |share: f64| {
        let place = (share * took.len() as f64) as usize;
        took.get(place).map_or(0, Duration::as_millis)
    };
    printer.line(format_args!(
        "Percentiles: 50th = {}, 99th = {}, 99.9th = {}",
        percentile(0.5),
        percentile(0.99),
        percentile(0.999)
    ))
}
