//! Is a conversation that was recorded said again, without the cluster?

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

/// `kafkit broker record` or `replay`, and where clients find it.
struct Stage {
    child: Child,
    address: String,
}

impl Stage {
    fn start(suite: &Suite, words: &[&str]) -> Self {
        let mut child = suite
            .command(["broker"].iter().chain(words).chain(&["-o", "json", "-q"]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = ready["bootstrap_servers"].as_str().unwrap().to_owned();
        Self { child, address }
    }

    fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The exchanges of the file.
fn exchanges(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn what_was_said_is_said_again_without_the_cluster() {
    let mut cluster = Cluster::start();
    let suite = Suite::new();
    let servers = cluster.bootstrap();
    let recording = Stage::start(&suite, &["record", "talk.jsonl", "-b", &servers]);
    assert_ne!(recording.address, servers);
    let on = |address: &str, words: &str, input: &str| {
        suite.run_with_input(words.split(' ').chain(["-b", address]), input)
    };
    on(&recording.address, "produce t -q", "a\nb\n").succeeds();
    on(&recording.address, "produce t -q --acks 0", "c\n").succeeds();
    // The last record is there once it can be read.
    crate::support::wait::wait_until("three records", || {
        on(&servers, "consume t -e -q", "").succeeds().stdout() == "a\nb\nc\n"
    });
    let consume = "consume t -e -q";
    on(&recording.address, consume, "").succeeds().prints("a\nb\nc\n");
    on(&recording.address, "topics list -o name", "")
        .succeeds()
        .prints("t\n");
    recording.stop();
    cluster.stop();

    let file = suite.home().join("talk.jsonl");
    let said = exchanges(&file);
    let broker = |exchange: &Value| exchange["broker"] == servers.as_str();
    assert!(said.iter().all(broker), "every client came through the relay");
    let unanswered = said.iter().filter(|exchange| exchange["response"].is_null());
    assert_eq!(unanswered.count(), 1, "acks=0");

    let replaying = Stage::start(&suite, &["replay", "talk.jsonl"]);
    on(&replaying.address, consume, "").succeeds().prints("a\nb\nc\n");
    on(&replaying.address, "topics list -o name", "")
        .succeeds()
        .prints("t\n");
    let refused = on(&replaying.address, "groups list --timeout 2s", "");
    assert_ne!(refused.code, Some(0), "nobody asked that: {refused:?}");
    replaying.stop();
}

#[test]
fn a_file_that_is_no_conversation_is_named_with_its_line() {
    let suite = Suite::new();
    suite.file("talk.jsonl", "{}\n");
    suite
        .run(["broker", "replay", "talk.jsonl"])
        .exits(6)
        .complains("talk.jsonl:1: it is no conversation");
    let heading = "{\"conversation\":1,\"bootstrap_servers\":[\"127.0.0.1:1\"]}";
    suite.file("talk.jsonl", format!("{heading}\n{{\n"));
    suite
        .run(["broker", "replay", "talk.jsonl"])
        .exits(6)
        .complains("talk.jsonl:2:");
    suite
        .run([
            "broker",
            "record",
            "other.jsonl",
            "-b",
            "127.0.0.1:1",
            "--timeout",
            "1s",
        ])
        .exits(3);
    assert!(!suite.home().join("other.jsonl").exists(), "nothing was recorded");
    let cluster = Cluster::start();
    suite
        .run(["broker", "record", "talk.jsonl", "-b", &cluster.bootstrap()])
        .exits(1)
        .complains("talk.jsonl is there already");
    suite
        .run(["broker", "--"])
        .exits(2)
        .complains("the command behind -- is missing");
}
