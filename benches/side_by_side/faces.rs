//! The Java faces beside the Java tools: the time from the start of each to the end of its help text.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::KAFKIT;
use crate::table::Row;

/// Every tool that exists on both sides.
const TOOLS: &[&str] = &[
    "kafka-topics",
    "kafka-console-producer",
    "kafka-console-consumer",
    "kafka-reassign-partitions",
    "kafka-dump-log",
    "kafka-get-offsets",
    "kafka-delete-records",
    "kafka-log-dirs",
    "kafka-leader-election",
    "kafka-consumer-groups",
    "kafka-groups",
    "kafka-share-groups",
    "kafka-configs",
    "kafka-features",
    "kafka-client-metrics",
    "kafka-cluster",
    "kafka-broker-api-versions",
    "kafka-acls",
    "kafka-transactions",
    "kafka-metadata-quorum",
    "kafka-storage",
    "kafka-producer-perf-test",
    "kafka-consumer-perf-test",
    "kafka-e2e-latency",
    "kafka-verifiable-producer",
    "kafka-verifiable-consumer",
];

/// Start-up of the native face and of every tool.
pub fn start_up() {
    let help = median(KAFKIT, &["--help"], 41);
    Row::new("start-up: kafkit --help", "ms", vec![("kafkit", help)]).print();
    for tool in TOOLS {
        let mut wall = vec![("kafkit", median(KAFKIT, &[tool, "--help"], 41))];
        if let Ok(apache) = std::env::var("APACHE_KAFKA") {
            wall.push(("Java", median(&apache, &["run", tool, "--help"], 3)));
        }
        Row::new(format!("start-up: {tool} --help"), "ms", wall).print();
    }
}

/// Median wall time in milliseconds. Most of Java's tools exit with 1 after their help, and so do ours.
fn median(program: &str, args: &[&str], runs: usize) -> f64 {
    let mut walls: Vec<Duration> = (0..runs)
        .map(|_| {
            let mut command = Command::new(program);
            command.args(args).stdin(Stdio::null());
            let started = Instant::now();
            let output = command.output().expect("the program runs");
            let wall = started.elapsed();
            assert!(
                output.stdout.len() + output.stderr.len() > 200,
                "{program} {args:?} helps"
            );
            wall
        })
        .collect();
    walls.sort_unstable();
    walls[walls.len() / 2].as_secs_f64() * 1e3
}
