//! Does an operations handbook's script, written for Apache Kafka's tools, print the same with kafkit's links?
//!
//! `tests/handbook/one-node.txt` is what it printed with Apache Kafka 4.3.1's own bin/ on one node of it;
//! `make interop` runs it with both, on three nodes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::cluster::Cluster;
use crate::support::suite::{Suite, outcome_of};

#[test]
fn a_handbooks_script_prints_what_it_prints_with_apaches_tools() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let links = suite.home().join("links");
    suite
        .run(["install-links", &links.display().to_string()])
        .succeeds();
    let folder = suite.home().join("work");
    fs::create_dir(&folder).expect("a folder");
    let handbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/handbook");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut script = Command::new(handbook.join("handbook.sh"));
    script
        .arg(cluster.bootstrap())
        .arg(cluster.data_dir())
        .arg("1")
        .current_dir(&folder)
        .env("PATH", format!("{}:{path}", links.display()))
        .env("PATIENCE", "700")
        .env("LC_ALL", "C.UTF-8");
    let expected = fs::read_to_string(handbook.join("one-node.txt")).expect("what was recorded");
    outcome_of(script, b"").succeeds().prints(&expected);
}
