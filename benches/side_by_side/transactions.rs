//! Transactions of 1000 records each, one after the other: the mini broker beside Apache Kafka.

use std::time::Instant;

use crate::brokers::RunningBroker;
use crate::load::transactional_batch_of;
use crate::measure::cpu_of;
use crate::table::Row;

const RECORDS: usize = 1000;
const TRANSACTIONS: u32 = 2000;

pub fn of_a_thousand_records() {
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for broker in [Some(RunningBroker::kafkit()), RunningBroker::apache()]
        .into_iter()
        .flatten()
    {
        let mut load = broker.connect();
        load.create_topic("transactions");
        let batch = transactional_batch_of(RECORDS);
        let mut producer = load.init_producer("bench");
        let mut transact = |count: u32| {
            for _ in 0..count {
                producer = load.transact("transactions", "bench", producer, batch.clone());
            }
        };
        // A JVM has its best code only after some thousands.
        transact(TRANSACTIONS);
        let (cpu, started) = (cpu_of(broker.pid()), Instant::now());
        transact(TRANSACTIONS);
        let each = |total: f64| total * 1000.0 / f64::from(TRANSACTIONS);
        walls.push((broker.name, each(started.elapsed().as_secs_f64())));
        cpus.push((broker.name, each(cpu_of(broker.pid()) - cpu)));
    }
    Row::new("a transaction of 1000 records, wall", "ms", walls).print();
    Row::new("a transaction of 1000 records, CPU of the broker", "ms", cpus).print();
}
