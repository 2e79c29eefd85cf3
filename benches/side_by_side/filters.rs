//! The cost of searching records: `--where` over JSON, `--grep`, and the last records of a large topic; beside their
//! goals.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::KAFKIT;
use crate::brokers::RunningBroker;
use crate::measure::{cheapest, median_wall};
use crate::table::Row;

const DOCUMENTS: usize = 3_000_000;
const MANY_RECORDS: usize = 10_000_000;
/// Millions of records a second and core, and milliseconds.
const WHERE_GOAL: f64 = 3.0;
const GREP_GOAL: f64 = 5.0;
const TAIL_GOAL: f64 = 20.0;

/// Every row against the mini broker.
pub fn rates() {
    let broker = RunningBroker::kafkit();
    let directory = tempfile::tempdir().expect("a directory");
    let documents = directory.path().join("documents");
    write_documents(&documents);
    produce(&broker.address, "documents", &documents);
    rate(&broker, "--where '.id == 7'", WHERE_GOAL);
    rate(&broker, "--where '.user.name == \"nobody\"'", WHERE_GOAL);
    rate(
        &broker,
        "--where '.id < 10 and .user.name ~ \"^user-1\"'",
        WHERE_GOAL,
    );
    rate(&broker, "--grep 'no such words'", GREP_GOAL);
    rate(&broker, "--grep 'user-12345[0-7]\\b'", GREP_GOAL);
    let lines = directory.path().join("lines");
    crate::clients::write_lines(&lines, MANY_RECORDS);
    produce(&broker.address, "many", &lines);
    let args = ["consume", "-q", "-b", &broker.address, "many", "--tail", "10"];
    let tail = median_wall(KAFKIT, &args, 21) * 1e3;
    let figures = vec![("kafkit", tail), ("goal", TAIL_GOAL)];
    Row::new("consume --tail 10 of 10 million records", "ms", figures).print();
}

fn produce(address: &str, topic: &str, file: &Path) {
    let status = Command::new(KAFKIT)
        .args(["produce", "-q", "-b", address, topic])
        .arg(file)
        .stdin(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{topic} is filled");
}

/// How many records the client searches in a second of its CPU time.
fn rate(broker: &RunningBroker, condition: &str, goal: f64) {
    let line = format!(
        "{KAFKIT} consume -q -e -b {} documents {condition} > /dev/null",
        broker.address
    );
    let cost = cheapest(&line, 3, |cost| cost.cpu);
    let rate = DOCUMENTS as f64 / 1e6 / cost.cpu;
    let figures = vec![("kafkit", rate), ("goal", goal)];
    Row::new(format!("consume {condition}, a CPU second"), "million", figures).print();
}

/// JSON of about 120 bytes a line.
fn write_documents(path: &Path) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    for number in 0..DOCUMENTS {
        let mixed = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        writeln!(
            file,
            r#"{{"id":{number},"user":{{"name":"user-{}","country":"de"}},"amount":{}.{:02},"trace":"{mixed:016x}","paid":true}}"#,
            number % 1_000_003,
            number % 9973,
            number % 100
        )
        .expect("a line");
    }
}
