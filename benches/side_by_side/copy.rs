//! `kafkit copy` beside a probe that fetches the same bytes and produces them unchanged: without checksums, parsing of
//! headers, or retries.
//!
//! Over loopback the kernel charges the passing on of packets to whichever end touches the socket: a client that reads
//! while it writes is charged for what the broker is charged for elsewhere. So both ends are measured together, and the
//! client alone.

use std::process::{Command, Stdio};

use crate::KAFKIT;
use crate::brokers::RunningBroker;
use crate::lane::probe;
use crate::measure::{cheapest, cpu_of};
use crate::table::Row;

const RECORDS: usize = 3_000_000;
/// Rounds in which both programs take turns.
const ROUNDS: usize = 5;

/// CPU seconds of a run: of the client, and of the broker meanwhile.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    client: f64,
    broker: f64,
}

/// Batch to batch, plain and compressed, against both brokers.
pub fn batch_to_batch() {
    let directory = tempfile::tempdir().expect("a directory");
    let lines = directory.path().join("lines");
    crate::clients::write_lines(&lines, RECORDS);
    let (lines, checkpoint) = (
        lines.display(),
        directory.path().join("checkpoint").display().to_string(),
    );
    let brokers = [RunningBroker::apache(), Some(RunningBroker::kafkit())];
    for broker in brokers.into_iter().flatten() {
        println!("against {}", broker.name);
        let address = &broker.address;
        for codec in ["none", "lz4"] {
            run(&format!(
                "{KAFKIT} produce -q -b {address} -X enable.idempotence=false -X compression.type={codec} from-{codec} {lines}"
            ));
            for topic in ["to", "raw"] {
                run(&format!("{KAFKIT} topics create -q -b {address} {topic}-{codec}"));
            }
            let lines = [
                (
                    "kafkit",
                    format!(
                        "{KAFKIT} copy -q --restart --checkpoint {checkpoint} -b {address} from-{codec} to-{codec}"
                    ),
                ),
                (
                    "probe",
                    format!(
                        "{} probe-copy {address} from-{codec} raw-{codec} {RECORDS}",
                        probe()
                    ),
                ),
            ];
            let spent = spent_in_turns(&lines, broker.pid());
            let question = format!("copy 3 million records, {codec}");
            print(&format!("{question}, CPU of both ends"), &spent, |spent| {
                spent.client + spent.broker
            });
            print(&format!("{question}, client CPU"), &spent, |spent| spent.client);
        }
    }
}

/// The mean of all rounds, for each program.
fn spent_in_turns(lines: &[(&'static str, String); 2], broker: u32) -> [(&'static str, Spent); 2] {
    let mut all = lines.each_ref().map(|(who, _)| (*who, Spent::default()));
    for _ in 0..ROUNDS {
        for ((_, line), (_, spent)) in lines.iter().zip(&mut all) {
            let before = cpu_of(broker);
            spent.client += cheapest(line, 1, |cost| cost.cpu).cpu / ROUNDS as f64;
            spent.broker += (cpu_of(broker) - before) / ROUNDS as f64;
        }
    }
    all
}

fn print(question: &str, spent: &[(&'static str, Spent); 2], what: fn(Spent) -> f64) {
    let figures = spent.map(|(who, spent)| (who, what(spent)));
    let ratio = figures[0].1 / figures[1].1;
    Row::new(question, "s", figures.into()).print();
    println!("kafkit takes {ratio:.2} of the probe's (at most 1.3)");
}

fn run(line: &str) {
    let status = Command::new("sh")
        .args(["-c", line])
        .stdout(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{line}");
}
