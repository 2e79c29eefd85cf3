//! Is a command line that makes no sense refused in one line that says what would do?

use crate::support::suite::Suite;

#[track_caller]
fn refused(words: &[&str], line: &str) {
    let outcome = Suite::new().run(words).exits(2).prints("");
    assert_eq!(outcome.stderr, format!("kafkit: {line}\n"), "{words:?}");
}

#[test]
fn flags_that_are_not_there() {
    refused(
        &["topics", "list", "--nonsense"],
        "`kafkit topics list` has no flag --nonsense (see `kafkit topics list --help`)",
    );
    refused(
        &["consume", "t", "--ofset", "3"],
        "`kafkit consume` has no flag --ofset; did you mean `kafkit consume t --offset 3`? (see `kafkit consume --help`)",
    );
    refused(
        &["describe", "cluster", "one"],
        "`kafkit describe cluster` has no place for \"one\" (see `kafkit describe cluster --help`)",
    );
}

#[test]
fn values_that_are_missing_or_make_no_sense() {
    refused(
        &["produce", "t", "--acks"],
        "--acks <all|1|0>: the value is missing; it takes all, -1, 1 or 0 (see `kafkit produce --help`)",
    );
    refused(
        &["consume", "t", "--group", "-e"],
        "--group <NAME>: the value is missing (see `kafkit consume --help`)",
    );
    refused(
        &["consume", "t", "--count"],
        "--count <COUNT>: the value is missing (see `kafkit consume --help`)",
    );
    refused(
        &["produce", "t", "--acks", "2"],
        "--acks takes all, -1, 1 or 0, not \"2\" (see `kafkit produce --help`)",
    );
    refused(
        &["topics", "list", "-o", "jsnol"],
        "--output takes table, json, jsonl, yaml, tsv or name, not \"jsnol\"; did you mean `kafkit topics list -o jsonl`? (see `kafkit topics list --help`)",
    );
    refused(
        &["consume", "t", "-n", "many"],
        "--count takes a number, not \"many\" (see `kafkit consume --help`)",
    );
    refused(
        &["produce", "t", "--partition", "-2"],
        "--partition takes -1 or more, not \"-2\" (see `kafkit produce --help`)",
    );
    refused(
        &["produce"],
        "`kafkit produce` wants <TOPIC> (see `kafkit produce --help`)",
    );
}

#[test]
fn commands_that_are_missing_or_not_there() {
    refused(
        &["list", "topics"],
        "`kafkit` has no command \"list\"; did you mean `kafkit topics list`? (see `kafkit topics list --help`)",
    );
    refused(
        &["-b", "h:1", "-L"],
        "`kafkit` wants a command; did you mean `kafkit describe cluster -b h:1`? (see `kafkit describe cluster --help`)",
    );
    refused(
        &["-C", "-t", "t", "-s", "value=avro"],
        "`kafkit` has no flag -C; what kcat does with it is `kafkit consume` here (see `kafkit consume --help`)",
    );
    refused(
        &["consume", "t", "-o", "s@1700000000000"],
        "--offset takes earliest, latest, a number, -N, +N, A..B or @TIME, not \"s@1700000000000\" \
         (the first record at or after a time: --since TIME)",
    );
    refused(
        &["topics"],
        "`kafkit topics` wants a command: list, create, alter, delete, describe, count, export or apply (see `kafkit topics --help`)",
    );
    refused(
        &["topcs", "list"],
        "`kafkit` has no command \"topcs\"; did you mean `kafkit topics list`? (see `kafkit topics list --help`)",
    );
    refused(
        &["clusters"],
        "`kafkit` has no command \"clusters\"; there are topics, produce, consume, copy, diff, backup, restore, \
         describe, groups, offsets, records, transactions, leaders, configs, users, tokens, quotas, acls, reassign, dump-log, \
         top, doctor, broker, profile, config, completions, man and install-links (see `kafkit --help`)",
    );
    refused(
        &["topics", "frobnicate"],
        "`kafkit topics` has no command \"frobnicate\"; there are list, create, alter, delete, describe, count, export and apply \
         (see `kafkit topics --help`)",
    );
}

#[test]
fn flags_that_exclude_each_other() {
    refused(
        &["consume", "t", "--json", "--format", "%s"],
        "--json does not go with --format (see `kafkit consume --help`)",
    );
    refused(
        &["consume", "t", "-e", "-e"],
        "--exit stands there twice (see `kafkit consume --help`)",
    );
}

#[test]
fn names_that_are_given_twice_are_refused_where_something_is_made_or_set() {
    for (words, line) in [
        ("topics create a b a", "topic a is given twice"),
        (
            "topics create a --config retention.ms=1 --config retention.ms=2",
            "config retention.ms is given twice",
        ),
        (
            "topics alter a --config retention.ms=1 --delete-config retention.ms",
            "config retention.ms is given twice",
        ),
        (
            "configs set topic a retention.ms=1 retention.ms=2",
            "config retention.ms is given twice",
        ),
        (
            "quotas set --user u request_percentage=1 request_percentage=2",
            "quota request_percentage is given twice",
        ),
    ] {
        refused(&words.split(' ').collect::<Vec<_>>(), line);
    }
}
