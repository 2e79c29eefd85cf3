//! Three nodes of the mini broker: the cost when idle, and the cost of records with three replicas beside records with
//! one.

use std::thread::sleep;
use std::time::Duration;

use crate::brokers::RunningBroker;
use crate::load::batch_of;
use crate::measure::{cpu_of, memory_of};
use crate::table::Row;

/// Records in a batch of about 1 MB, and how many batches are sent.
const RECORDS: usize = 9_000;
const BATCHES: usize = 400;
/// How long the nodes are idle.
const IDLE: Duration = Duration::from_secs(10);

/// Three nodes; the topics of the load are led by the first, to which the load connects.
pub fn three_nodes() {
    let broker = RunningBroker::kafkit_nodes();
    let mut load = broker.connect();
    load.create_topic_on("three", &[1, 2, 3]);
    let before = cpu_of(broker.pid());
    sleep(IDLE);
    let idle = (cpu_of(broker.pid()) - before) / IDLE.as_secs_f64() * 1000.0;
    let memory = memory_of(broker.pid());
    Row::new("three nodes: idle memory", "MB", vec![(broker.name, memory)]).print();
    Row::new(
        "three nodes: idle CPU per second",
        "ms",
        vec![(broker.name, idle)],
    )
    .print();

    load.create_topic_on("one", &[1]);
    let batch = batch_of(RECORDS);
    let mut cost = |topic: &str| {
        let before = cpu_of(broker.pid());
        for _ in 0..BATCHES {
            load.produce(topic, batch.clone());
        }
        (cpu_of(broker.pid()) - before) / ((RECORDS * BATCHES) as f64 / 1e6)
    };
    let figures = vec![("factor 1", cost("one")), ("factor 3", cost("three"))];
    Row::new("acks=all: CPU per million 100-byte records in", "s", figures).print();
}
