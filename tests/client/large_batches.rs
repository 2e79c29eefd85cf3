//! Batches that inflate to far more than came: they are read, in little memory.

use std::fmt::Write as _;
use std::process::Command;

use kafkit::records::Codec;

use super::direct_lane::{Lane, batch};
use crate::support::suite::{Suite, outcome_of};

/// Kilobytes of heap and stacks that the system gives to the run.
const MOST_KILOBYTES: u32 = 64 * 1024;
const VALUE_BYTES: usize = 1 << 20;
const RECORDS: usize = 100;

#[test]
fn a_batch_that_inflates_to_much_is_shown_record_by_record() {
    let value = "x".repeat(VALUE_BYTES);
    let values = vec![value.as_str(); RECORDS];
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let log = [batch(0, codec, &["first"]), batch(1, codec, &values)].concat();
        let lane = Lane::holding(log, 1 + RECORDS as i64);
        let suite = Suite::new();
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("ulimit -d {MOST_KILOBYTES} && exec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_kafkit"))
            .args([
                "consume",
                "t",
                "-e",
                "-q",
                "-f",
                "%o %S\\n",
                "-b",
                &lane.address(),
            ])
            .current_dir(suite.home())
            .env("HOME", suite.home());
        let mut wanted = "0 5\n".to_owned();
        for offset in 1..=RECORDS {
            let _ = writeln!(wanted, "{offset} {VALUE_BYTES}");
        }
        outcome_of(command, b"").succeeds().prints(&wanted);
    }
}
