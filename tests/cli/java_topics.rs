//! `kafka-topics` under its own name, on the mini broker; the expectations are what Apache Kafka 4.3.1's tool prints.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite, outcome_of};

fn tool(suite: &Suite, words: &[&str]) -> Outcome {
    let link = suite.home().join("kafka-topics.sh");
    if !link.exists() {
        symlink(env!("CARGO_BIN_EXE_kafkit"), &link).expect("a link");
    }
    let mut command = Command::new(link);
    command.args(words).current_dir(suite.home()).env_clear();
    outcome_of(command, b"")
}

#[test]
fn create_describe_alter_delete() {
    let (cluster, suite) = (Cluster::start(), Suite::new());
    let bootstrap = cluster.bootstrap();
    let run = |words: &[&str]| tool(&suite, &[&["--bootstrap-server", &bootstrap], words].concat());
    run(&["--create", "--topic", "t", "--partitions", "2"])
        .succeeds()
        .prints("Created topic t.\n");
    let text = run(&["--describe", "--topic", "t"]).succeeds().stdout();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("Topic: t\tTopicId: "), "{text}");
    assert!(
        lines[0].contains("\tPartitionCount: 2\tReplicationFactor: 1\tConfigs: "),
        "{text}"
    );
    assert_eq!(
        lines[1],
        "\tTopic: t\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: "
    );
    run(&["--alter", "--topic", "t", "--partitions", "3"])
        .succeeds()
        .prints("");
    run(&["--alter", "--topic", "t", "--partitions", "2"]).exits(1).prints(
        "Error while executing topic command : The topic t currently has 3 partition(s); 2 would not be an increase.\n",
    );
    run(&["--create", "--topic", "t"])
        .exits(1)
        .prints("Error while executing topic command : Topic 't' already exists.\n");
    run(&["--create", "--topic", "t", "--if-not-exists"])
        .succeeds()
        .prints("");
    run(&["--delete", "--topic", "t"]).succeeds().prints("");
    run(&["--list"]).succeeds().prints("\n");
    run(&["--describe", "--topic", "t"])
        .exits(1)
        .prints("Error while executing topic command : Topic 't' does not exist as expected\n");
}

#[test]
fn topics_are_selected_by_regular_expressions() {
    let (cluster, suite) = (Cluster::start(), Suite::new());
    let bootstrap = cluster.bootstrap();
    let run = |words: &[&str]| tool(&suite, &[&["--bootstrap-server", &bootstrap], words].concat());
    for topic in ["a-1", "a-2", "b"] {
        run(&["--create", "--topic", topic]).succeeds();
    }
    run(&["--list", "--topic", "a-[12]"])
        .succeeds()
        .prints("a-1\na-2\n");
    run(&["--list", "--topic", "b, a-1"])
        .succeeds()
        .prints("a-1\nb\n");
    run(&["--list", "--topic", "a"]).succeeds().prints("\n");
    run(&["--list", "--topic", "*"])
        .exits(1)
        .prints("Error while executing topic command : * is an invalid regex.\n");
}

#[test]
fn refusals_before_any_broker_is_asked() {
    let suite = Suite::new();
    for (words, first) in [
        (&[][..], "Create, delete, describe, or change a topic."),
        (
            &["--help"],
            "This tool helps to create, delete, describe, or change a topic.",
        ),
        (&["--list"], "--bootstrap-server must be specified"),
        (&["--nonsense", "--help"], "nonsense is not a recognized option"),
        (&["--topic"], "Option topic requires an argument"),
        (
            &["--bootstrap-server", "b:1", "--list", "--describe"],
            "Command must include exactly one action: --list, --describe, --create, --alter or --delete",
        ),
        (
            &["--bootstrap-server", "b:1", "--list", "--partitions", "2"],
            "Option \"[partitions]\" can't be used with option \"[list]\"",
        ),
        (
            &["--bootstrap-server", "nonsense", "--list"],
            "Failed to create new KafkaAdminClient",
        ),
    ] {
        let refused = tool(&suite, words).exits(1).prints("");
        assert_eq!(refused.stderr.lines().next(), Some(first), "{words:?}");
    }
    tool(&suite, &["--version"]).succeeds().prints("4.3.1\n");
}

#[test]
fn old_zookeeper_flags_find_the_broker_beside_it() {
    let refused = tool(
        &Suite::new(),
        &["--zookeeper", "no.such.host.invalid:2181/kafka", "--list"],
    );
    refused
        .exits(1)
        .complains("--bootstrap-server no.such.host.invalid:9092");
}
