//! The mini broker beside kfake and Apache Kafka: start, memory, CPU per million records, round trips.

use std::time::Instant;

use crate::brokers::RunningBroker;
use crate::load::batch_of;
use crate::measure::{cpu_of, memory_of};
use crate::table::Row;

/// Records in a batch of about 1 MB, and how many batches are sent.
const RECORDS: usize = 9_000;
const BATCHES: usize = 400;
const ROUND_TRIPS: usize = 20_000;

/// How each broker is started, where it is available.
const BROKERS: [fn() -> Option<RunningBroker>; 3] = [
    || Some(RunningBroker::kafkit()),
    RunningBroker::kfake,
    RunningBroker::apache,
];

/// From an empty directory to the first answer, and memory when idle.
pub fn start() {
    let mut starts: Vec<(&'static str, f64)> = Vec::new();
    let mut memory = Vec::new();
    for start in BROKERS {
        let mut times = Vec::new();
        for _ in 0..5 {
            let Some(broker) = start() else { break };
            times.push(broker.first_answer.as_secs_f64() * 1000.0);
            if times.len() == 5 {
                memory.push((broker.name, memory_of(broker.pid())));
                times.sort_by(f64::total_cmp);
                starts.push((broker.name, times[2]));
            }
        }
    }
    Row::new(
        "broker: empty directory to first answer (median of 5)",
        "ms",
        starts,
    )
    .print();
    Row::new("broker: idle memory", "MB", memory).print();
}

/// The round trip of one record with acks=all, and CPU per million 100-byte records in and out; one broker runs at a
/// time, and the single records come first: the kernel writes the others to disk long after they were accepted.
pub fn throughput() {
    let (mut written, mut read, mut trips) = (Vec::new(), Vec::new(), Vec::new());
    let millions = (RECORDS * BATCHES) as f64 / 1e6;
    for broker in BROKERS.iter().filter_map(|start| start()) {
        trips.push((broker.name, round_trip(&broker)));
        let before = cpu_of(broker.pid());
        produce(&broker);
        written.push((broker.name, (cpu_of(broker.pid()) - before) / millions));
        let before = cpu_of(broker.pid());
        consume(&broker);
        read.push((broker.name, (cpu_of(broker.pid()) - before) / millions));
    }
    Row::new("broker: CPU per million 100-byte records in", "s", written).print();
    Row::new("broker: CPU per million 100-byte records out", "s", read).print();
    Row::new("broker: acks=all round trip of one record, p50", "µs", trips).print();
}

fn produce(broker: &RunningBroker) {
    let mut load = broker.connect();
    load.create_topic("load");
    let batch = batch_of(RECORDS);
    for _ in 0..BATCHES {
        load.produce("load", batch.clone());
    }
}

fn consume(broker: &RunningBroker) {
    let mut load = broker.connect();
    let end = (RECORDS * BATCHES) as i64;
    let mut offset = 0;
    while offset < end {
        let bytes = load.fetch("load", offset, 8 << 20);
        // Every batch has the same size, so that the count is known without parsing.
        let batches = (bytes / batch_of(RECORDS).len()).max(1);
        offset += (batches * RECORDS) as i64;
    }
}

fn round_trip(broker: &RunningBroker) -> f64 {
    let mut load = broker.connect();
    load.create_topic("trip");
    let batch = batch_of(1);
    let mut trip = |_| {
        let started = Instant::now();
        load.produce("trip", batch.clone());
        started.elapsed().as_secs_f64() * 1e6
    };
    // A JVM has its best code only after some thousands.
    (0..ROUND_TRIPS).map(&mut trip).for_each(drop);
    let mut times: Vec<f64> = (0..ROUND_TRIPS).map(trip).collect();
    times.sort_by(f64::total_cmp);
    times[ROUND_TRIPS / 2]
}
