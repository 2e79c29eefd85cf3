//! The numbers that are sent, and the events with their results.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::client::engine::Engine;
use crate::client::record_sink::{DeliveryFailure, DeliveryListener, RecordSink, RecordView, SinkOptions};
use crate::client::settings::Settings;
use crate::commands::pace::Pace;
use crate::error::{Error, Kind, Result};
use crate::interrupt::Interrupt;
use crate::java_tools::load_tools::events;
use crate::output::{Printer, stderr_line};
use crate::topic_partition::Offset;

/// What to send.
#[derive(Debug)]
pub struct Load {
    pub topic: String,
    /// `None` for no end.
    pub records: Option<u64>,
    /// Records a second; negative for no limit.
    pub throughput: i64,
    /// The time of the first record in milliseconds since 1970.
    pub first_time: Option<i64>,
    /// Put in front of each number, with a dot.
    pub prefix: Option<i64>,
    /// If records have keys: the number of records after which the keys start again, if ever.
    pub keys: Option<Option<u64>>,
}

impl Load {
    fn value(&self, number: u64) -> String {
        match self.prefix {
            Some(prefix) => format!("{prefix}.{number}"),
            None => number.to_string(),
        }
    }

    fn key(&self, number: u64) -> Option<String> {
        self.keys
            .map(|keys| keys.map_or(number, |keys| number % keys).to_string())
    }
}

/// The results of records, printed as they arrive.
struct Ledger<'a> {
    load: &'a Load,
    printer: &'a mut Printer,
    acknowledged: u64,
    /// Partition and offset of records that are not yet reported as delivered, by their numbers.
    places: BTreeMap<u64, (i32, Offset)>,
    unprinted: Option<Error>,
}

impl Ledger<'_> {
    fn event(&mut self, name: &str, fields: &str) {
        if let Err(error) = events::print(self.printer, name, fields) {
            self.unprinted.get_or_insert(error);
        }
    }

    /// A record that will not arrive, and the exception that Java has for it.
    fn failed_for(&mut self, number: u64, class: &str, message: &str) {
        let fields = format!(
            "{},\"topic\":{},\"exception\":{},\"message\":{}",
            self.record(number),
            events::text(Some(&self.load.topic)),
            events::text(Some(&format!("class org.apache.kafka.common.{class}"))),
            events::text(Some(message))
        );
        self.event("producer_send_error", &fields);
    }

    fn record(&self, number: u64) -> String {
        format!(
            "\"key\":{},\"value\":{}",
            events::text(self.load.key(number).as_deref()),
            events::text(Some(&self.load.value(number)))
        )
    }
}

/// The class of Java's exception, below `org.apache.kafka.common`.
fn class_of(reason: &str) -> &'static str {
    if reason.ends_with("max.request.size configuration.") {
        "errors.RecordTooLargeException"
    } else if reason.starts_with("Timestamp ") {
        "errors.InvalidTimestampException"
    } else {
        "KafkaException"
    }
}

impl DeliveryListener for Ledger<'_> {
    fn delivered(&mut self, count: u64) {
        self.acknowledged += count;
        for (number, (partition, offset)) in std::mem::take(&mut self.places) {
            let fields = format!(
                "{},\"offset\":{offset},\"topic\":{},\"partition\":{partition}",
                self.record(number),
                events::text(Some(&self.load.topic))
            );
            self.event("producer_send_success", &fields);
        }
    }

    fn failed(&mut self, failure: &DeliveryFailure<'_>) {
        self.failed_for(failure.tag, class_of(failure.reason), failure.reason);
    }

    fn wants_places(&self) -> bool {
        true
    }

    fn placed(&mut self, number: u64, partition: i32, offset: Option<Offset>) {
        self.places.insert(number, (partition, offset.unwrap_or(-1)));
    }

    fn notice(&mut self, line: &str) {
        stderr_line(line);
    }
}

/// Sends the numbers, until the last one or a signal.
pub fn run(load: &Load, settings: &Settings, printer: &mut Printer) -> Result<()> {
    let interrupt = Interrupt::install()?;
    let options = SinkOptions {
        interrupt: interrupt.clone(),
        overrides: Vec::new(),
        defaults: vec![("linger.ms".to_owned(), "0".to_owned())],
    };
    let mut sink = Engine::for_sending(settings, &[]).open_sink(settings, options)?;
    let began = Instant::now();
    events::print(printer, "startup_complete", "")?;
    let mut ledger = Ledger {
        load,
        printer,
        acknowledged: 0,
        places: BTreeMap::new(),
        unprinted: None,
    };
    let (sent, outcome) = send(load, sink.as_mut(), &interrupt, &mut ledger);
    let was_interrupted = interrupt.take();
    sink.flush(was_interrupted, &mut ledger)?;
    let acknowledged = ledger.acknowledged;
    if let Some(error) = ledger.unprinted {
        return Err(error);
    }
    events::print(printer, "shutdown_complete", "")?;
    let seconds = began.elapsed().as_millis().max(1) as f64 / 1000.0;
    let fields = format!(
        "\"sent\":{sent},\"acked\":{acknowledged},\"target_throughput\":{},\"avg_throughput\":{:?}",
        load.throughput,
        acknowledged as f64 / seconds
    );
    events::print(printer, "tool_data", &fields)?;
    outcome
}

fn send(
    load: &Load,
    sink: &mut dyn RecordSink,
    interrupt: &Interrupt,
    ledger: &mut Ledger<'_>,
) -> (u64, Result<()>) {
    let began = Instant::now();
    let pace = Pace::new(load.throughput as f64);
    let mut number = 0;
    while load.records.is_none_or(|records| number < records) {
        if interrupt.is_raised() || ledger.unprinted.is_some() {
            break;
        }
        if let Err(error) = send_one(load, number, began, sink, ledger) {
            return (number, Err(error));
        }
        // As in Java, the record just sent is left out.
        while let Some(wait) = pace.wait(number).filter(|_| !interrupt.is_raised()) {
            let until = Instant::now() + wait.min(Duration::from_millis(100));
            if let Err(error) = sink.poll(wait.min(Duration::from_millis(100)), ledger) {
                return (number + 1, Err(error));
            }
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
        number += 1;
    }
    (number, Ok(()))
}

fn send_one(
    load: &Load,
    number: u64,
    began: Instant,
    sink: &mut dyn RecordSink,
    ledger: &mut Ledger<'_>,
) -> Result<()> {
    if let Some(time) = load.first_time.filter(|time| *time < 0) {
        let reason = format!("Invalid timestamp: {time}. Timestamp should always be non-negative or null.");
        return Err(Error::failed(reason));
    }
    let (key, value) = (load.key(number), load.value(number));
    let passed = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    let record = RecordView {
        topic: &load.topic,
        partition: None,
        key: key.as_deref().map(str::as_bytes),
        value: Some(value.as_bytes()),
        headers: &[],
        timestamp: load.first_time.map(|first| first.saturating_add(passed)),
    };
    match sink.send(&record, number, ledger) {
        Err(error) if error.kind() == Kind::BadData => {
            let message = format!("Invalid topics: [{}]", load.topic);
            ledger.failed_for(number, "errors.InvalidTopicException", &message);
        }
        sent => sent?,
    }
    sink.dispatch(ledger)?;
    sink.poll(Duration::ZERO, ledger)
}
