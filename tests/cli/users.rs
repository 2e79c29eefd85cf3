//! `kafkit users …` and `kafkit quotas …`, on the mini broker.

use serde_json::{Value, json};

use crate::support::shell::Shell;
use crate::support::suite::{Outcome, Suite};

fn json_of(outcome: Outcome) -> Value {
    serde_json::from_slice(&outcome.succeeds().stdout).expect("JSON and nothing else")
}

/// A password comes out of a file.
fn with_password(shell: &Shell, words: &[&str]) -> Outcome {
    let file = shell.suite.file("password", "secret\n");
    let file = file.to_str().expect("a name in UTF-8");
    shell.kafkit(&[&["users"], words, &["--password-file", file]].concat())
}

#[test]
fn users_are_created_altered_and_deleted() {
    let shell = Shell::new();
    with_password(&shell, &["create", "alice"])
        .succeeds()
        .complains("created alice");
    with_password(&shell, &["create", "alice"])
        .exits(1)
        .complains("user alice exists already (`kafkit users alter alice` changes its password)");
    with_password(&shell, &["alter", "alise"])
        .exits(5)
        .complains("user alise not found (did you mean alice?)");
    let both = [
        "--mechanism",
        "scram-sha-256",
        "--mechanism",
        "SCRAM-SHA-512",
        "--iterations",
        "8192",
    ];
    with_password(&shell, &[&["alter", "alice"], &both[..]].concat()).succeeds();
    let mut users = json_of(shell.kafkit(&["users", "list", "-o", "json"]));
    let rows = users.as_array_mut().expect("a list");
    rows.sort_by_key(|row| row["mechanism"].to_string());
    assert_eq!(
        users,
        json!([
            {"user": "alice", "mechanism": "SCRAM-SHA-256", "iterations": 8192, "error": ""},
            {"user": "alice", "mechanism": "SCRAM-SHA-512", "iterations": 8192, "error": ""},
        ])
    );
    shell
        .kafkit(&["users", "delete", "alice"])
        .exits(2)
        .complains("would delete 1 user (alice); without a terminal say --yes");
    shell
        .kafkit(&["users", "delete", "alice", "--dry-run"])
        .succeeds();
    shell
        .kafkit(&[
            "users",
            "delete",
            "alice",
            "--mechanism",
            "scram-sha-256",
            "--yes",
        ])
        .succeeds();
    shell
        .kafkit(&["users", "list", "-o", "name"])
        .succeeds()
        .prints("alice\n");
    shell.kafkit(&["users", "delete", "alice", "--yes"]).succeeds();
    shell
        .kafkit(&["users", "list", "-o", "name"])
        .succeeds()
        .prints("");
    shell.kafkit(&["users", "delete", "alice", "--yes"]).exits(5);
    shell
        .kafkit(&["users", "delete", "alice", "--yes", "--if-exists"])
        .succeeds();
}

#[test]
fn a_password_is_asked_for_where_nobody_gave_one() {
    let shell = Shell::new();
    shell
        .kafkit(&["users", "create", "alice"])
        .exits(2)
        .complains("give --password-file, --password-env or --password-command");
    shell
        .kafkit(&["users", "create", "alice", "--password-command", "exit 3"])
        .exits(1)
        .complains("cannot get the password: the command failed: exit status: 3");
    shell
        .kafkit(&["users", "list", "-o", "name"])
        .succeeds()
        .prints("");
}

#[test]
fn quotas_are_set_listed_and_taken_away() {
    let shell = Shell::new();
    let set = [
        "quotas",
        "set",
        "--user",
        "alice",
        "producer_byte_rate=10MB/s",
        "request_percentage=50",
    ];
    let text = shell.kafkit(&set).succeeds().stdout();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "producer_byte_rate  none  10.0 MB/s");
    shell
        .kafkit(&[
            "quotas",
            "set",
            "--default-client",
            "consumer_byte_rate=1024",
            "-q",
        ])
        .succeeds();
    assert_eq!(
        json_of(shell.kafkit(&["quotas", "list", "-o", "json"])),
        json!([
            {"user": "alice", "client": null, "ip": null, "quota": "producer_byte_rate", "value": 1e7},
            {"user": "alice", "client": null, "ip": null, "quota": "request_percentage", "value": 50.0},
            {"user": null, "client": "<default>", "ip": null, "quota": "consumer_byte_rate", "value": 1024.0},
        ])
    );
    shell
        .kafkit(&["quotas", "unset", "--user", "alice", "--all"])
        .succeeds();
    let left = shell.kafkit(&["quotas", "list", "-o", "tsv"]).succeeds().stdout();
    assert_eq!(
        left,
        "USER\tCLIENT\tIP\tQUOTA\tVALUE\n\t<default>\t\tconsumer_byte_rate\t1024.0\n"
    );
    let client = shell
        .kafkit(&["configs", "set", "client", "import", "producer_byte_rate=2048"])
        .succeeds();
    assert!(client.stdout().contains("2.0 kB/s"), "{}", client.stdout());
    for (words, complaint) in [
        (
            &["quotas", "set", "producer_byte_rate=1"][..],
            "it is not said whose quotas",
        ),
        (
            &["quotas", "set", "--user", "a", "producer_byterate=1"],
            "did you mean producer_byte_rate?",
        ),
        (
            &["quotas", "set", "--user", "a", "producer_byte_rate=0"],
            "must be more than 0",
        ),
        (
            &["quotas", "set", "--ip", "10.0.0.7", "producer_byte_rate=1"],
            "there are connection_creation_rate",
        ),
    ] {
        shell.kafkit(words).exits(2).prints("").complains(complaint);
    }
}

/// A directory of Apache Kafka's that was formatted with a first user, as its own tool does it, and never used.
#[test]
fn a_user_that_the_directory_was_formatted_with_is_known() {
    let voters = "controller.quorum.voters=1@localhost:9093";
    for (quorum, flag) in [("", Some("--standalone")), (voters, None)] {
        let suite = Suite::new();
        let data = suite.home().join("data");
        let properties = format!(
            "process.roles=broker,controller\nnode.id=1\nlog.dirs={}\ncontroller.listener.names=CONTROLLER\n\
             listeners=PLAINTEXT://:9092,CONTROLLER://localhost:9093\n{quorum}\n",
            data.display()
        );
        let file = suite.file("server.properties", properties).display().to_string();
        let user = "SCRAM-SHA-256=[name=alice,password=alice-secret]";
        let mut format = vec![
            "kafka-storage",
            "format",
            "-t",
            "MkU3OEVBNTcwNTJENDM2Qg",
            "-c",
            &file,
            "-S",
            user,
        ];
        format.extend(flag);
        suite.run(format).succeeds();
        let data = data.display().to_string();
        let kafkit = env!("CARGO_BIN_EXE_kafkit");
        let broker = ["broker", "--listen", "127.0.0.1:0", "--data-dir", &data, "--"];
        let list = [kafkit, "users", "list", "-o", "name"];
        let listed = suite.run([&broker[..], &list].concat()).succeeds();
        listed.prints("alice\n");
    }
}
