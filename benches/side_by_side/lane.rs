//! The direct lane beside kcat and the probe, against Apache Kafka and against the mini broker: the table of speeds in the
//! README.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::KAFKIT;
use crate::brokers::{ApacheCluster, RunningBroker};
use crate::measure::{Cost, cheapest, median_wall, peak_memory_of};
use crate::table::Row;

const RECORDS: usize = 3_000_000;
const MANY_RECORDS: usize = 10_000_000;
/// Records of a thousand bytes.
const LARGE_RECORDS: usize = 300_000;

/// Every row, against both brokers.
pub fn speeds() {
    let directory = tempfile::tempdir().expect("a directory");
    let lines = directory.path().join("lines");
    crate::clients::write_lines(&lines, RECORDS);
    let brokers = [RunningBroker::apache(), Some(RunningBroker::kafkit())];
    for broker in brokers.into_iter().flatten() {
        println!("against {}", broker.name);
        plain(&broker.address, &lines);
        compressed(&broker.address, &lines);
        formats(&broker.address);
        single(&broker.address);
    }
    memory(directory.path());
}

/// Sixteen partitions on three nodes of Apache Kafka, records of a thousand bytes.
pub fn nodes() {
    let Some(cluster) = ApacheCluster::start() else {
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let lines = directory.path().join("lines");
    let line = format!("{:-<999}\n", "");
    std::fs::write(&lines, line.repeat(LARGE_RECORDS)).expect("lines");
    let (address, lines) = (&cluster.address, lines.display());
    for topic in ["spread", "spread-kcat"] {
        let made = Command::new(KAFKIT)
            .args(["topics", "create", topic, "-p", "16", "-b", address])
            .stdout(Stdio::null())
            .status();
        assert!(made.is_ok_and(|status| status.success()), "{topic} is created");
    }
    println!("against three nodes of Apache Kafka");
    let sent = costs(&[
        (
            "kafkit",
            format!("{KAFKIT} produce -q -b {address} spread {lines}"),
        ),
        (
            "kcat",
            format!("kcat -P -q -b {address} -t spread-kcat -l {lines}"),
        ),
    ]);
    print("produce to 16 partitions", &sent, LARGE_RECORDS);
    let read = costs(&[
        (
            "kafkit",
            format!("{KAFKIT} consume -q -e -b {address} spread > /dev/null"),
        ),
        (
            "kcat",
            format!("kcat -C -q -e -b {address} -t spread-kcat > /dev/null"),
        ),
    ]);
    print("consume 16 partitions", &read, LARGE_RECORDS * 3);
}

/// One line a program: its name in the table, and the command.
pub fn costs(programs: &[(&'static str, String)]) -> Vec<(&'static str, Cost)> {
    // In turns, three times, so that all programs run under the same load.
    let mut best: Vec<(&'static str, Cost)> = Vec::new();
    for round in 0..3 {
        for (place, (who, line)) in programs.iter().enumerate() {
            let cost = cheapest(line, 1, |cost| cost.cpu);
            if round == 0 {
                best.push((who, cost));
            } else if cost.cpu < best[place].1.cpu {
                best[place].1 = cost;
            }
        }
    }
    best
}

fn print(question: &str, costs: &[(&'static str, Cost)], records: usize) {
    let millions = records as f64 / 1e6;
    let cpu = costs.iter().map(|(who, cost)| (*who, cost.cpu / millions));
    Row::new(format!("{question}, client CPU per million"), "s", cpu.collect()).print();
    let wall = costs.iter().map(|(who, cost)| (*who, cost.wall / millions));
    Row::new(format!("{question}, wall per million"), "s", wall.collect()).print();
}

/// This program, for its probes.
pub fn probe() -> String {
    std::env::current_exe()
        .expect("this program")
        .display()
        .to_string()
}

fn plain(address: &str, lines: &Path) {
    let (lines, probe) = (lines.display(), probe());
    let sent = costs(&[
        (
            "kafkit",
            format!("{KAFKIT} produce -q -b {address} plain {lines}"),
        ),
        (
            "kcat",
            format!("kcat -P -q -b {address} -t plain-kcat -l {lines}"),
        ),
        (
            "probe",
            format!("{probe} probe-produce {address} plain-probe {lines}"),
        ),
    ]);
    print("produce from a file", &sent, RECORDS);
    let read = costs(&[
        (
            "kafkit",
            format!("{KAFKIT} consume -q -e -b {address} plain > /dev/null"),
        ),
        (
            "kcat",
            format!("kcat -C -q -e -b {address} -t plain-kcat > /dev/null"),
        ),
        (
            "probe",
            format!(
                "{probe} probe-consume {address} plain-probe {} > /dev/null",
                RECORDS * 3
            ),
        ),
    ]);
    print("consume to /dev/null", &read, RECORDS * 3);
}

fn compressed(address: &str, lines: &Path) {
    let lines = lines.display();
    let sent = costs(&[
        (
            "kafkit",
            format!("{KAFKIT} produce -q -z zstd -b {address} zstd {lines}"),
        ),
        (
            "kcat",
            format!("kcat -P -q -z zstd -b {address} -t zstd-kcat -l {lines}"),
        ),
    ]);
    print("produce zstd", &sent, RECORDS);
    let read = costs(&[
        (
            "kafkit",
            format!("{KAFKIT} consume -q -e -b {address} zstd > /dev/null"),
        ),
        (
            "kcat",
            format!("kcat -C -q -e -b {address} -t zstd-kcat > /dev/null"),
        ),
    ]);
    print("consume zstd", &read, RECORDS * 3);
}

/// Here the first figure is the plain run, and the ratios are the costs of a format.
fn formats(address: &str) {
    let read = costs(&[
        (
            "plain",
            format!("{KAFKIT} consume -q -e -b {address} plain > /dev/null"),
        ),
        (
            "--json",
            format!("{KAFKIT} consume -q -e -b {address} plain --json > /dev/null"),
        ),
        (
            "-f",
            format!("{KAFKIT} consume -q -e -b {address} plain -f '%p %o %k %s\\n' > /dev/null"),
        ),
    ]);
    print("consume in a format", &read, RECORDS * 3);
}

fn single(address: &str) {
    let one = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(one.path(), "one\n").expect("a line");
    let file = one.path().to_str().expect("a name");
    let ours = median_wall(KAFKIT, &["produce", "-q", "-b", address, "single", file], 21) * 1e3;
    let kcat = median_wall(
        "kcat",
        &["-P", "-q", "-b", address, "-t", "single", "-l", file],
        21,
    ) * 1e3;
    Row::new(
        "produce 1 record, wall",
        "ms",
        vec![("kafkit", ours), ("kcat", kcat)],
    )
    .print();
    let ours = median_wall(KAFKIT, &["consume", "-q", "-b", address, "single", "-n", "1"], 21) * 1e3;
    let kcat = median_wall(
        "kcat",
        &[
            "-C",
            "-q",
            "-b",
            address,
            "-t",
            "single",
            "-c",
            "1",
            "-o",
            "beginning",
        ],
        21,
    );
    let figures = vec![("kafkit", ours), ("kcat", kcat * 1e3)];
    Row::new("consume 1 record, wall", "ms", figures).print();
}

/// Peak memory of ten million lines in and out.
fn memory(directory: &Path) {
    let broker = RunningBroker::kafkit();
    let lines = directory.join("many");
    crate::clients::write_lines(&lines, MANY_RECORDS);
    let lines = lines.to_str().expect("a name");
    let peak = |args: &[&str]| {
        let mut command = Command::new(KAFKIT);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null());
        peak_memory_of(command, Duration::from_millis(10))
    };
    let produce = peak(&["produce", "-q", "-b", &broker.address, "many", lines]);
    Row::new(
        "produce 10 million lines, peak memory",
        "MB",
        vec![("kafkit", produce)],
    )
    .print();
    let consume = peak(&["consume", "-q", "-e", "-b", &broker.address, "many"]);
    Row::new(
        "consume 10 million lines, peak memory",
        "MB",
        vec![("kafkit", consume)],
    )
    .print();
}
