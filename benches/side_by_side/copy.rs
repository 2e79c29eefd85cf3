//! `kafkit copy` beside a probe that fetches the same bytes and produces them unchanged: without checksums, parsing of
//! headers, or retries.

use std::process::{Command, Stdio};

use crate::KAFKIT;
use crate::brokers::RunningBroker;
use crate::lane::{costs, probe};
use crate::table::Row;

const RECORDS: usize = 3_000_000;

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
            let copied = costs(&[
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
            ]);
            let cpu: Vec<(&'static str, f64)> = copied.iter().map(|(who, cost)| (*who, cost.cpu)).collect();
            let ratio = cpu[0].1 / cpu[1].1;
            Row::new(format!("copy 3 million records, {codec}, client CPU"), "s", cpu).print();
            println!("kafkit takes {ratio:.2} of the probe's CPU (at most 1.3)");
        }
    }
}

fn run(line: &str) {
    let status = Command::new("sh")
        .args(["-c", line])
        .stdout(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{line}");
}
