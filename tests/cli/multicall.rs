//! The program under the names of Apache Kafka's tools, and the links that give it them.

use std::fs;
use std::process::Command;

use crate::support::suite::{Suite, outcome_of};

#[test]
fn links_make_every_tool_answer() {
    let suite = Suite::new();
    suite.run(["install-links", "bin"]).succeeds();
    for name in ["kafka-topics", "kafka-topics.sh"] {
        let mut command = Command::new(suite.home().join("bin").join(name));
        command.arg("--version").env_clear();
        outcome_of(command, b"").succeeds().prints("4.3.1\n");
    }
    suite
        .run(["kafka-topics.sh", "--version"])
        .succeeds()
        .prints("4.3.1\n");
    suite
        .run(["install-links", "bin"])
        .succeeds()
        .complains("0 links made");
}

#[test]
fn other_programs_files_are_not_replaced_unless_said_so() {
    let suite = Suite::new();
    fs::create_dir(suite.home().join("bin")).unwrap();
    let script = suite.file("bin/kafka-topics.sh", "#!/bin/sh\n");
    suite
        .run(["install-links", "bin"])
        .exits(1)
        .complains("kafka-topics.sh in bin is not ours")
        .complains("--force");
    assert_eq!(fs::read_to_string(&script).unwrap(), "#!/bin/sh\n");
    assert!(
        suite.home().join("bin/kafka-topics").is_symlink(),
        "the others are made"
    );
    suite.run(["install-links", "bin", "--force"]).succeeds();
    assert!(script.is_symlink());
}
