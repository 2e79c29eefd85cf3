//! The native topic commands, on the mini broker.

use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};

struct Topics {
    cluster: Cluster,
    suite: Suite,
}

impl Topics {
    fn start() -> Self {
        Self {
            cluster: Cluster::start(),
            suite: Suite::new(),
        }
    }

    fn run(&self, words: &[&str]) -> Outcome {
        let bootstrap = self.cluster.bootstrap();
        self.suite.run([&["topics"], words, &["-b", &bootstrap]].concat())
    }

    fn json(&self, words: &[&str]) -> Value {
        let outcome = self.run(&[words, &["-o", "json"]].concat()).succeeds();
        serde_json::from_slice(&outcome.stdout).expect("JSON and nothing else")
    }
}

#[test]
fn a_topic_is_created_listed_described_and_deleted() {
    let topics = Topics::start();
    topics.run(&["create", "orders", "--partitions", "2"]).succeeds();
    topics.run(&["list"]).succeeds().prints(
        "NAME    PARTITIONS  REPLICAS  OFFSETS  SIZE\n\
         orders           2         1        0   0 B\n",
    );
    let described = topics.json(&["describe", "orders"]);
    assert_eq!(described[0]["name"], "orders");
    assert_eq!(described[0]["partitions"].as_array().unwrap().len(), 2);
    topics
        .run(&["delete", "orders", "--yes"])
        .succeeds()
        .complains("deleted orders");
    topics.run(&["list"]).succeeds().prints("");
}

#[test]
fn several_topics_are_created_alike() {
    let topics = Topics::start();
    let created = topics.run(&["create", "a", "b", "-p", "3", "-c", "retention.ms=3600000"]);
    created.succeeds().prints("").complains("created a, b");
    for topic in topics.json(&["describe", "a", "b"]).as_array().unwrap() {
        assert_eq!(topic["configs"], json!({"retention.ms": "3600000"}));
    }
    topics.run(&["list", "-o", "name"]).succeeds().prints("a\nb\n");
    let yaml = topics
        .run(&["describe", "a", "b", "-o", "yaml"])
        .succeeds()
        .stdout();
    let names: Vec<&str> = yaml
        .lines()
        .filter_map(|line| line.strip_prefix("- name: "))
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert!(
        yaml.contains("\n  configs:\n    retention.ms: \"3600000\"\n"),
        "{yaml}"
    );
    topics
        .run(&["list", "-o", "tsv"])
        .succeeds()
        .prints("NAME\tPARTITIONS\tREPLICAS\tOFFSETS\tSIZE\tSTATUS\na\t3\t1\t0\t0\t\nb\t3\t1\t0\t0\t\n");
}

#[test]
fn many_topics_are_created_and_listed_with_one_command_each() {
    const COUNT: usize = 1200;
    let topics = Topics::start();
    let names: Vec<String> = (0..COUNT).map(|number| format!("t{number:04}")).collect();
    let mut words = vec!["create", "-q", "--timeout", "5m"];
    words.extend(names.iter().map(String::as_str));
    topics.run(&words).succeeds();
    let listed = topics.run(&["list", "-o", "name", "--timeout", "5m"]).succeeds();
    assert_eq!(listed.stdout().lines().collect::<Vec<_>>(), names);
}

#[test]
fn a_topic_that_is_there_already_fails_unless_that_is_allowed() {
    let topics = Topics::start();
    topics.run(&["create", "a"]).succeeds();
    topics
        .run(&["create", "a"])
        .exits(1)
        .complains("cannot create topic a")
        .complains("--if-not-exists");
    topics
        .run(&["create", "a", "b", "--if-not-exists"])
        .succeeds()
        .complains("created b");
}

#[test]
fn a_dry_run_changes_nothing() {
    let topics = Topics::start();
    topics
        .run(&["create", "a", "--dry-run"])
        .succeeds()
        .complains("would create a");
    topics.run(&["list", "-o", "name"]).succeeds().prints("");
    topics.run(&["create", "a"]).succeeds();
    topics
        .run(&["delete", "a", "--dry-run"])
        .succeeds()
        .complains("would delete a");
    topics
        .run(&["alter", "a", "-p", "5", "--dry-run"])
        .succeeds()
        .complains("would alter a");
    assert_eq!(topics.json(&["list"])[0]["partitions"], 1);
}

#[test]
fn partitions_grow_and_configs_come_and_go() {
    let topics = Topics::start();
    topics.run(&["create", "a"]).succeeds();
    topics
        .run(&["alter", "a", "-p", "4", "-c", "retention.ms=1000"])
        .succeeds();
    let described = topics.json(&["describe", "a"]);
    assert_eq!(described[0]["partitions"].as_array().unwrap().len(), 4);
    assert_eq!(described[0]["configs"], json!({"retention.ms": "1000"}));
    topics
        .run(&["alter", "a", "--delete-config", "retention.ms"])
        .succeeds();
    assert_eq!(topics.json(&["describe", "a"])[0]["configs"], json!({}));
    topics
        .run(&["alter", "a", "-p", "2"])
        .exits(1)
        .complains("cannot alter topic a");
    topics.run(&["alter", "a"]).exits(2).complains("nothing to alter");
}

#[test]
fn patterns_match_whole_names() {
    let topics = Topics::start();
    topics.run(&["create", "tmp-1", "tmp-2", "my-tmp-3"]).succeeds();
    topics
        .run(&["list", "tmp-.*", "-e", "-o", "name"])
        .succeeds()
        .prints("tmp-1\ntmp-2\n");
    topics.run(&["delete", "tmp-.*", "-e", "--yes"]).succeeds();
    topics
        .run(&["list", "-o", "name"])
        .succeeds()
        .prints("my-tmp-3\n");
    topics
        .run(&["list", "[", "-e"])
        .exits(2)
        .complains("no regular expression");
    topics
        .run(&["delete", "nothing.*", "-e", "--yes"])
        .exits(5)
        .complains("no topic matches");
}

#[test]
fn without_a_terminal_nothing_is_deleted_unless_said_so() {
    let topics = Topics::start();
    topics.run(&["create", "a"]).succeeds();
    topics
        .run(&["delete", "a"])
        .exits(2)
        .complains("would delete 1 topic (a); without a terminal say --yes");
    topics.run(&["list", "-o", "name"]).succeeds().prints("a\n");
}

#[test]
fn a_name_that_is_not_there_is_answered_with_the_one_perhaps_meant() {
    let topics = Topics::start();
    topics.run(&["create", "orders"]).succeeds();
    let refused = topics.run(&["list", "ordes"]).exits(5);
    refused
        .complains("topic \"ordes\" not found on 127.0.0.1:")
        .complains("did you mean \"orders\"?");
    topics
        .run(&["delete", "ordes", "--if-exists", "--yes"])
        .succeeds();
}
