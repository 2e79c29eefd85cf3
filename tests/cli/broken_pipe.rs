//! Does a reader that leaves end the program quietly?

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

#[test]
fn a_reader_that_has_enough_is_a_quiet_end() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let bootstrap = cluster.bootstrap();
    let lines = "a line of some length\n".repeat(100_000);
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
    assert_eq!(first, "a line of some length\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_reader_that_leaves_is_noticed_without_another_record() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let bootstrap = cluster.bootstrap();
    suite
        .run_with_input(["produce", "-b", &bootstrap, "t"], "only\n")
        .succeeds();
    let mut child = suite
        .command(["consume", "-b", &bootstrap, "t"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert_eq!(first, "only\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}
