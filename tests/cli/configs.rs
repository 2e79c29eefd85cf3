//! `kafkit configs …`, on the mini broker.

use serde_json::{Value, json};

use crate::support::shell::Shell;

fn json_of(shell: &Shell, words: &[&str]) -> Value {
    let shown = shell.kafkit(&[words, &["-o", "json"]].concat()).succeeds();
    serde_json::from_slice(&shown.stdout).expect("JSON and nothing else")
}

fn orders() -> Shell {
    let shell = Shell::new();
    shell.kafkit(&["topics", "create", "orders", "-q"]).succeeds();
    shell
}

#[test]
fn what_is_set_is_shown_with_what_it_was_and_the_way_back() {
    let shell = orders();
    let address = shell.cluster.bootstrap();
    let set = [
        "configs",
        "set",
        "topic",
        "orders",
        "segment.bytes=2000000",
        "retention.ms=-1",
    ];
    let changed = shell.kafkit(&set).succeeds();
    let text = changed.stdout();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "CONFIG         OLD         NEW      NOTE");
    assert_eq!(lines[1], "segment.bytes  1073741824  2000000  old: default");
    assert_eq!(
        changed.stderr.trim_end(),
        format!("undo: kafkit configs unset topic orders segment.bytes retention.ms -b {address}")
    );
    let own = json_of(
        &shell,
        &["configs", "get", "topic", "orders", "segment.bytes", "segment.ms"],
    );
    assert_eq!(
        own,
        json!([
            {"name": "segment.bytes", "value": "2000000", "source": "topic", "note": ""},
            {"name": "segment.ms", "value": "604800000", "source": "default", "note": ""},
        ])
    );
    let again = shell
        .kafkit(&["configs", "set", "topic", "orders", "segment.bytes=3000000"])
        .succeeds();
    again.complains("undo: kafkit configs set topic orders segment.bytes=2000000");
    let unset = shell
        .kafkit(&[
            "configs",
            "unset",
            "topic",
            "orders",
            "segment.bytes",
            "segment.ms",
        ])
        .succeeds();
    assert!(
        unset.stderr.contains("segment.ms is not set on topic orders"),
        "{}",
        unset.stderr
    );
    unset.complains("undo: kafkit configs set topic orders segment.bytes=3000000");
    let left = json_of(&shell, &["configs", "get", "topic", "orders"]);
    let names: Vec<&Value> = left
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| &row["name"])
        .collect();
    assert!(
        names.contains(&&json!("retention.ms")) && !names.contains(&&json!("segment.bytes")),
        "{left}"
    );
}

#[test]
fn what_may_lose_records_wants_a_yes() {
    let shell = orders();
    let set = ["configs", "set", "topic", "orders", "retention.ms=1000"];
    shell.kafkit(&set).exits(2).prints("").complains(
        "would change topic orders (retention.ms: records past the new limit are deleted); without a terminal say --yes",
    );
    let dry = shell.kafkit(&[&set[..], &["--dry-run"]].concat()).succeeds();
    assert!(dry.stdout().contains("604800000  1000"), "{}", dry.stdout());
    assert_eq!(
        json_of(&shell, &["configs", "get", "topic", "orders", "retention.ms"])[0]["value"],
        "604800000"
    );
    shell.kafkit(&[&set[..], &["--yes"]].concat()).succeeds();
    assert_eq!(
        json_of(&shell, &["configs", "get", "topic", "orders", "retention.ms"])[0]["value"],
        "1000"
    );
}

#[test]
fn names_and_values_are_checked_before_they_are_sent() {
    let shell = orders();
    for (words, complaint) in [
        (
            ["topic", "orders", "retention.mss=1"],
            "topics have no config retention.mss (did you mean retention.ms?)",
        ),
        (
            ["topic", "orders", "retention.ms=1d"],
            "invalid value 1d for configuration retention.ms: Not a number of type LONG",
        ),
        (
            ["topic", "orders", "retention.ms"],
            "a setting is CONFIG=VALUE, not \"retention.ms\"",
        ),
        (["broker", "one", "a=b"], "a broker's id is a number, not \"one\""),
    ] {
        let words = [&["configs", "set"], &words[..]].concat();
        shell.kafkit(&words).exits(2).prints("").complains(complaint);
    }
    shell
        .kafkit(&["configs", "get", "topic", "ordes"])
        .exits(5)
        .complains("did you mean \"orders\"?");
    shell
        .kafkit(&["configs", "get", "topic", "orders", "retention.m"])
        .exits(5)
        .complains("topic orders has no config retention.m (did you mean retention.ms?)");
}

#[test]
fn two_topics_are_compared_and_one_with_its_defaults() {
    let shell = orders();
    shell
        .kafkit(&[
            "topics",
            "create",
            "other",
            "-q",
            "--config",
            "cleanup.policy=compact",
        ])
        .succeeds();
    assert_eq!(
        json_of(&shell, &["configs", "diff", "topic", "orders", "other"]),
        json!([{"name": "cleanup.policy", "this": "delete", "other": "compact"}])
    );
    assert_eq!(
        json_of(&shell, &["configs", "diff", "topic", "other"]),
        json!([{"name": "cleanup.policy", "value": "compact", "default": "delete"}])
    );
}

#[test]
fn topics_are_listed_by_what_is_the_matter_with_them() {
    let shell = orders();
    for flag in [
        "--under-replicated",
        "--unavailable",
        "--under-min-isr",
        "--moving",
    ] {
        shell
            .kafkit(&["topics", "list", "-o", "name", flag])
            .succeeds()
            .prints("");
        shell.kafkit(&["describe", "topic", flag]).succeeds().prints("");
    }
    shell
        .kafkit(&["configs", "set", "topic", "orders", "min.insync.replicas=2"])
        .succeeds();
    shell
        .kafkit(&["topics", "list", "-o", "name", "--under-min-isr", "--moving"])
        .succeeds()
        .prints("orders\n");
    let described = shell
        .kafkit(&["describe", "topic", "-o", "tsv", "--under-min-isr"])
        .succeeds();
    assert_eq!(described.stdout().lines().count(), 2);
}
