//! A cluster of 200 brokers, 20 000 topics and 200 000 partitions, asked while all brokers answer and while one is
//! silent; beside the goals.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::KAFKIT;
use crate::measure::peak_memory_and_code_of;
use crate::scripted_cluster::ScriptedCluster;
use crate::table::Row;

/// Runs of each command; the median counts.
const RUNS: usize = 5;
/// A broker that no command needs at first.
const SILENT: i32 = 57;
const TOPIC: &str = "events-of-service-04242";

/// Seconds and megabytes of each command, with its goals.
pub fn looks() {
    let whole = ScriptedCluster::start(None);
    let lacking = ScriptedCluster::start(Some(SILENT));
    for (cluster, weather, code) in [(&whole, "", 0), (&lacking, ", one broker silent", 1)] {
        for (words, seconds, megabytes) in [
            (&["topics", "list"][..], 1.0, 150.0),
            (&["topics", "list", "-o", "json"], 1.0, 150.0),
            (&["topics", "list", "--under-min-isr"], 1.0, 150.0),
            (&["groups", "list"], 3.0, 150.0),
            (&["offsets"], 3.0, 300.0),
        ] {
            look(cluster, weather, words, code, (seconds, megabytes));
        }
        // No request goes to the silent broker here.
        for words in [&["describe", "topic", TOPIC][..], &["offsets", TOPIC]] {
            look(cluster, weather, words, 0, (0.1, 50.0));
        }
        completion(cluster, weather);
    }
}

fn look(cluster: &ScriptedCluster, weather: &str, words: &[&str], code: i32, goals: (f64, f64)) {
    let mut looks: Vec<(f64, f64)> = (0..RUNS)
        .map(|_| {
            let mut command = Command::new(KAFKIT);
            command.args(words).args(["-q", "-b", &cluster.address]);
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let began = Instant::now();
            let (peak, ended) = peak_memory_and_code_of(command, Duration::from_millis(1));
            assert!(ended == code || ended == 0, "{words:?}{weather}: exit {ended}");
            (began.elapsed().as_secs_f64(), peak)
        })
        .collect();
    looks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let peak = looks.iter().map(|(_, peak)| *peak).fold(0.0, f64::max);
    let question = format!("200 brokers{weather}: {}", words.join(" "));
    let wall = vec![("kafkit", looks[RUNS / 2].0), ("goal", goals.0)];
    Row::new(&question, "s", wall).print();
    let memory = vec![("kafkit", peak), ("goal", goals.1)];
    Row::new(format!("{question}, memory"), "MB", memory).print();
}

/// Names of topics without kept ones.
fn completion(cluster: &ScriptedCluster, weather: &str) {
    let line = format!("kafkit consume -b {} events-of-service-0424", cluster.address);
    let args = [
        "KAFKIT_COMPLETE=bash",
        "XDG_CACHE_HOME=/dev/null/nothing-can-be-kept-here",
        KAFKIT,
        "events-of-service-0424",
        &line,
    ];
    let wait = crate::measure::median_wall("env", &args, RUNS);
    let figures = vec![("kafkit", wait * 1e3), ("goal", 300.0)];
    Row::new(
        format!("200 brokers{weather}: completion of a topic"),
        "ms",
        figures,
    )
    .print();
}
