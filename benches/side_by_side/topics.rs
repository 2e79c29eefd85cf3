//! Ten thousand topics on the mini broker: created, listed, and loaded after a restart; beside their goals.

use std::time::Instant;

use crate::brokers::RunningBroker;
use crate::measure::memory_of;
use crate::table::Row;

const TOPICS: usize = 10_000;
const IN_A_REQUEST: usize = 500;
/// Seconds.
const GOAL: f64 = 5.0;
const GOAL_MEGABYTES: f64 = 100.0;

pub fn ten_thousand() {
    let mut broker = RunningBroker::kafkit();
    let mut load = broker.connect();
    let names: Vec<String> = (0..TOPICS).map(|number| format!("topic-{number}")).collect();
    let started = Instant::now();
    for some in names.chunks(IN_A_REQUEST) {
        load.create_topics(some);
    }
    row("created", started.elapsed().as_secs_f64());
    let started = Instant::now();
    assert_eq!(load.count_topics(), TOPICS);
    row("listed", started.elapsed().as_secs_f64());
    let restarted = broker.restart_kafkit();
    assert_eq!(
        broker.connect().count_topics(),
        TOPICS,
        "topics after the restart"
    );
    row("stopped and started", restarted.as_secs_f64());
    let memory = vec![("kafkit", memory_of(broker.pid())), ("goal", GOAL_MEGABYTES)];
    Row::new("10 000 topics, memory", "MB", memory).print();
}

fn row(what: &str, seconds: f64) {
    Row::new(
        format!("10 000 topics {what}"),
        "s",
        vec![("kafkit", seconds), ("goal", GOAL)],
    )
    .print();
}
