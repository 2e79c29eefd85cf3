//! Does a reader that leaves end the program quietly?

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

/// Consumes a topic that holds `lines`, and closes the pipe behind the first one: which was it?
fn first_line_of(lines: &str) -> String {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let bootstrap = cluster.bootstrap();
    suite
        .run_with_input(["produce", "-b", &bootstrap, "t"], lines)
        .succeeds();
    let mut child = suite
        .command(["consume", "-b", &bootstrap, "t"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    first
}

#[test]
fn a_reader_that_has_enough_is_a_quiet_end() {
    let lines = "a line of some length\n".repeat(100_000);
    assert_eq!(first_line_of(&lines), "a line of some length\n");
}

#[test]
fn a_reader_that_leaves_is_noticed_without_another_record() {
    assert_eq!(first_line_of("only\n"), "only\n");
}
