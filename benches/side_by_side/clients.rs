//! produce, consume and topics list beside kcat and the Java tools, all against the mini broker.

use std::path::Path;

use crate::KAFKIT;
use crate::brokers::RunningBroker;
use crate::measure::{cheapest, median_wall};
use crate::table::Row;

const RECORDS: usize = 3_000_000;
const JAVA_RECORDS: usize = 1_000_000;

/// CPU seconds per million records from a file and to a file; wall time of a list.
pub fn produce_and_consume() {
    let broker = RunningBroker::kafkit();
    let directory = tempfile::tempdir().expect("a directory");
    let (lines, fewer) = (directory.path().join("lines"), directory.path().join("fewer"));
    write_lines(&lines, RECORDS);
    write_lines(&fewer, JAVA_RECORDS);
    produce(&broker.address, &lines, &fewer);
    consume(&broker.address);
    list(&broker.address);
}

fn produce(address: &str, lines: &Path, fewer: &Path) {
    let millions = RECORDS as f64 / 1e6;
    let lines = lines.display();
    let ours = cheapest(
        &format!("{KAFKIT} produce -q -b {address} ours {lines}"),
        3,
        |cost| cost.cpu,
    );
    let kcat = cheapest(
        &format!("kcat -P -q -b {address} -t kcat -l {lines}"),
        3,
        |cost| cost.cpu,
    );
    let mut cpu = vec![("kafkit", ours.cpu / millions), ("kcat", kcat.cpu / millions)];
    let mut wall = vec![("kafkit", ours.wall / millions), ("kcat", kcat.wall / millions)];
    if let Ok(apache) = std::env::var("APACHE_KAFKA") {
        let tool = format!("{apache} run kafka-console-producer --bootstrap-server {address}");
        let java = cheapest(&format!("{tool} --topic java < {}", fewer.display()), 1, |cost| {
            cost.cpu
        });
        let millions = JAVA_RECORDS as f64 / 1e6;
        cpu.push(("Java", java.cpu / millions));
        wall.push(("Java", java.wall / millions));
    }
    Row::new("produce from a file, client CPU per million", "s", cpu).print();
    Row::new("produce from a file, wall per million", "s", wall).print();
}

/// Each program reads a topic with the same records, which the runs of `produce` have sent.
fn consume(address: &str) {
    let records = RECORDS * 3;
    let millions = records as f64 / 1e6;
    let ours = cheapest(
        &format!("{KAFKIT} consume -q -e -b {address} ours > /dev/null"),
        3,
        |cost| cost.cpu,
    );
    let kcat = cheapest(
        &format!("kcat -C -q -e -b {address} -t kcat > /dev/null"),
        3,
        |cost| cost.cpu,
    );
    let mut cpu = vec![("kafkit", ours.cpu / millions), ("kcat", kcat.cpu / millions)];
    let mut wall = vec![("kafkit", ours.wall / millions), ("kcat", kcat.wall / millions)];
    if let Ok(apache) = std::env::var("APACHE_KAFKA") {
        let tool =
            format!("{apache} run kafka-console-consumer --bootstrap-server {address} --from-beginning");
        let line = format!("{tool} --topic java --max-messages {JAVA_RECORDS} > /dev/null 2>&1");
        let java = cheapest(&line, 1, |cost| cost.cpu);
        let millions = JAVA_RECORDS as f64 / 1e6;
        cpu.push(("Java", java.cpu / millions));
        wall.push(("Java", java.wall / millions));
    }
    Row::new("consume to a file, client CPU per million", "s", cpu).print();
    Row::new("consume to a file, wall per million", "s", wall).print();
}

fn list(address: &str) {
    let ours = median_wall(KAFKIT, &["topics", "list", "-b", address], 41) * 1e3;
    let kcat = median_wall("kcat", &["-L", "-b", address], 41) * 1e3;
    let mut wall = vec![("kafkit", ours), ("kcat", kcat)];
    if let Ok(apache) = std::env::var("APACHE_KAFKA") {
        let arguments = ["run", "kafka-topics", "--bootstrap-server", address, "--list"];
        wall.push(("Java", median_wall(&apache, &arguments, 3) * 1e3));
    }
    Row::new("topics list, wall", "ms", wall).print();
}

/// A file of lines of about 100 bytes.
pub fn write_lines(path: &Path, count: usize) {
    use std::io::Write;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    for number in 0..count {
        let mixed = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        writeln!(
            file,
            "{number:010} {mixed:016x} the quick brown fox jumps over the lazy dog and runs away {:>10}",
            number % 977
        )
        .expect("a line");
    }
}
