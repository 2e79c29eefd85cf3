//! The exit codes that scripts rely on.

use crate::support::suite::Suite;

#[test]
fn a_command_line_that_makes_no_sense_is_2() {
    let suite = Suite::new();
    for words in [
        &["topics"][..],
        &["topics", "list", "--nonsense"],
        &["topics", "create"],
        &["topics", "create", "a", "--partitions", "0"],
        &["topics", "create", "a", "--config", "b"],
        &["topics", "create", "a", "--assignment", "one"],
        &["topics", "create", "a", "--assignment", "1", "--partitions", "1"],
        &["topics", "list", "-X", "novalue", "-b", "127.0.0.1:1"],
        &["topics", "list", "-b", "no port"],
    ] {
        suite.run(words).exits(2);
    }
    let refused = suite.run(["topics", "create", "a", "--partitions", "0"]);
    refused.complains("kafkit: --partitions must be at least 1, not 0");
}

#[test]
fn a_cluster_that_cannot_be_reached_is_3() {
    let suite = Suite::new();
    let words = [
        "topics",
        "list",
        "-b",
        "127.0.0.1:1",
        "-X",
        "default.api.timeout.ms=200",
    ];
    suite.run(words).exits(3).complains("cannot reach 127.0.0.1:1");
}

#[test]
fn what_cannot_be_reached_is_told_once() {
    let suite = Suite::new();
    for (words, waits) in [
        (&["topics", "list", "-b", "127.0.0.1:1"][..], false),
        (&["produce", "t", "-b", "127.0.0.1:1"], true),
        (&["consume", "t", "-b", "127.0.0.1:1"], true),
        (&["describe", "cluster", "-b", "127.0.0.1:1"], false),
    ] {
        let outcome = suite.run_with_input(words, "a line\n").exits(3);
        // Those that wait for long say so once, and before.
        let lines: Vec<bool> = outcome
            .stderr
            .lines()
            .map(|line| line.ends_with("; waiting up to 10 s"))
            .collect();
        let expected: &[bool] = if waits { &[true, false] } else { &[false] };
        assert_eq!(lines, expected, "{outcome:?}");
        assert!(
            outcome
                .stderr
                .starts_with("kafkit: cannot reach 127.0.0.1:1: connection refused"),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_host_called_mini_is_not_the_mini_broker() {
    let suite = Suite::new();
    let words = [
        "topics",
        "list",
        "-b",
        "mini:1",
        "-X",
        "default.api.timeout.ms=200",
    ];
    suite.run(words).exits(3).complains("cannot reach mini:1");
    assert!(!suite.home().join("1").exists());
}

#[test]
fn help_is_0_and_on_stdout() {
    for words in [
        &["--help"][..],
        &["topics", "--help"],
        &["topics", "list", "--help"],
    ] {
        let help = Suite::new().run(words).succeeds();
        assert!(help.stdout().contains("Usage: kafkit"), "{help:?}");
    }
}
