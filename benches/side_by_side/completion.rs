//! How long a shell waits for completions: names of a live broker with and without kept ones, of five thousand topics,
//! and completions when no broker answers.

use std::net::TcpListener;
use std::process::Command;

use tempfile::TempDir;

use crate::KAFKIT;
use crate::brokers::RunningBroker;
use crate::measure::median_wall;
use crate::table::Row;

/// Requests of each kind; the median counts.
const QUESTIONS: usize = 21;
const TOPICS: usize = 5000;

/// Milliseconds from the tab key to the answer.
pub fn waits() {
    let broker = RunningBroker::kafkit();
    let names: Vec<String> = (0..TOPICS).map(|number| format!("topic-{number:04}")).collect();
    let caches = TempDir::new().expect("a folder");
    let kept = caches.path().join("kept").display().to_string();
    let none = "/dev/null/nothing-can-be-kept-here";
    let live = broker.address.clone();
    create(&live, &["orders".to_owned()]);
    row("a live broker, names kept", &live, &kept);
    row("a live broker, no names kept", &live, none);
    row("a refused port, no names kept", "127.0.0.1:1", none);
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = silent.local_addr().expect("its address").to_string();
    row("a silent broker, no names kept", &silent, none);
    for chunk in names.chunks(500) {
        create(&live, chunk);
    }
    row("5000 topics, names kept", &live, &kept);
    row("5000 topics, no names kept", &live, none);
    drop(broker);
    row("5000 topics, names kept, the broker gone", &live, &kept);
}

fn create(address: &str, names: &[String]) {
    let status = Command::new(KAFKIT)
        .args(["topics", "create", "-q", "-b", address, "--timeout", "60s"])
        .args(names)
        .status();
    assert!(status.expect("kafkit runs").success());
}

fn row(question: &str, address: &str, cache: &str) {
    let line = format!("kafkit consume -b {address} topic-432");
    let cache = format!("XDG_CACHE_HOME={cache}");
    // `env` costs a millisecond more than setting variables in a shell.
    let args = ["KAFKIT_COMPLETE=bash", &cache, KAFKIT, "topic-432", &line];
    median_wall("env", &args, 2);
    let wait = median_wall("env", &args, QUESTIONS) * 1e3;
    Row::new(format!("completion: {question}"), "ms", vec![("kafkit", wait)]).print();
}
