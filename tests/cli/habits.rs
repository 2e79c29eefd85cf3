//! Do people who come from other tools get what they typed, or the line to type?

use crate::support::shell::Shell;
use crate::support::suite::Suite;

/// What is typed, and the line that is named for it.
const ANSWERED: &[(&str, &str)] = &[
    // kcat
    ("-C -b h:1 -t orders -c 5", "consume orders -b h:1 -n 5"),
    ("-b h:1 -P -t orders", "produce orders -b h:1"),
    ("-L -b h:1", "describe cluster -b h:1"),
    ("-L -b h:1 -t orders", "describe topic orders -b h:1"),
    ("-Q -b h:1 -t orders:0", "offsets orders:0 -b h:1"),
    (
        "-b h:1 -G billing orders",
        "consume -b h:1 --group billing orders",
    ),
    ("tail orders", "consume -o -10 orders"),
    ("lag billing", "describe group billing"),
    ("ls", "topics list"),
    (
        "kcat -C -b h:1 -t orders -o end -J",
        "consume orders -b h:1 -o end --json",
    ),
    // kafkactl, kubectl
    ("get topics", "topics list"),
    ("get consumer-groups -b h:1", "groups list -b h:1"),
    (
        "create topic orders --partitions 3",
        "topics create orders --partitions 3",
    ),
    ("delete topic orders", "topics delete orders"),
    ("describe consumer-group billing", "describe group billing"),
    ("get brokers", "describe broker"),
    // kaf
    ("nodes", "describe broker"),
    ("node ls", "describe broker"),
    ("topic consume orders", "consume orders"),
    ("config use-cluster prod", "profile use prod"),
    ("config get-contexts", "profile list"),
    // rpk, kcl
    ("topic produce orders", "produce orders"),
    (
        "topic add-partitions orders --num 6",
        "topics alter orders --partitions 6",
    ),
    ("group describe billing", "describe group billing"),
    ("group seek billing --to start", "groups reset billing --to start"),
    ("group lag billing", "describe group billing"),
    ("cluster info", "describe cluster"),
    ("cluster health", "doctor"),
    ("cluster metadata -b h:1", "describe cluster -b h:1"),
    ("topic delete orders --force", "topics delete orders --yes"),
    ("security acl list", "acls list"),
    (
        "security acl create --allow-principal User:ada --operation read --topic orders",
        "acls add User:ada --operation read --topic orders",
    ),
    (
        "quotas set --user ada --add-config producer_byte_rate=1000",
        "quotas set --user ada producer_byte_rate=1000",
    ),
    // Apache Kafka's tools
    (
        "topics --list --bootstrap-server h:1",
        "topics list --bootstrap-server h:1",
    ),
    (
        "topics --create --topic orders --partitions 3",
        "topics create orders --partitions 3",
    ),
    ("topics --describe --topic orders", "topics describe orders"),
    ("topics --delete --topic orders", "topics delete orders"),
    ("consumer-groups --list", "groups list"),
    (
        "consumer-groups --describe --group billing",
        "describe group billing",
    ),
    (
        "groups --reset-offsets --group billing --topic orders --to-earliest --execute",
        "groups reset billing --topic orders --to earliest --yes",
    ),
    (
        "console-consumer --topic orders --from-beginning",
        "consume orders -o earliest",
    ),
    (
        "console-producer --broker-list h:1 --topic orders",
        "produce orders --broker-list h:1",
    ),
    ("acls --list", "acls list"),
    // Slips of the finger
    ("topcs list", "topics list"),
    ("topics lsit", "topics list"),
    ("consum orders -e", "consume orders -e"),
    ("consume orders --ofset 3", "consume orders --offset 3"),
    ("topics list -o jsnol", "topics list -o jsonl"),
    ("describe grop 'my group'", "describe group 'my group'"),
];

/// A command line's words, quotes taken off.
fn words(line: &str) -> Vec<String> {
    line.split('\'')
        .enumerate()
        .flat_map(|(place, part)| match place % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

#[test]
fn what_has_another_shape_is_answered_with_the_line_to_type() {
    let suite = Suite::new();
    for (typed, line) in ANSWERED {
        let outcome = suite.run(words(typed)).exits(2).prints("");
        let wanted = format!("did you mean `kafkit {line}`? (see `kafkit ");
        assert!(outcome.stderr.contains(&wanted), "{typed}: {}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{typed}");
    }
}

#[test]
fn what_only_has_another_name_is_taken() {
    let shell = Shell::new();
    let b = shell.cluster.bootstrap();
    shell
        .suite
        .run_with_input(["produce", "-t", "orders", "--brokers", &b], "1\n2\n3\n")
        .succeeds();
    shell
        .suite
        .run_with_input(["produce", "--topic=orders", "-b", &b, "-c", "1"], "4\n5\n")
        .succeeds();
    for line in [
        "consume -t orders -e -b B",
        "consume --topic orders --from-beginning -e --bootstrap-servers B",
        "consume orders -c 4 --broker-list B",
        "consume orders --max-messages 4 -b B",
        "-b B consume orders -e",
        "consume orders -b B -e -u",
    ] {
        shell
            .suite
            .run(words(&line.replace('B', &b)))
            .succeeds()
            .prints("1\n2\n3\n4\n");
    }
    for line in [
        "topic ls",
        "topics ls",
        "topic list",
        "--bootstrap-server B topics list",
    ] {
        let line = format!("{} -o name", line.replace('B', &b));
        let line = if line.contains(&b) {
            line
        } else {
            format!("{line} -b {b}")
        };
        shell.suite.run(words(&line)).succeeds().prints("orders\n");
    }
    for line in [
        "topic describe orders",
        "topics describe -t orders",
        "describe topics orders",
    ] {
        let described = shell
            .suite
            .run(words(&format!("{line} -b {b}")))
            .succeeds()
            .stdout();
        assert!(described.starts_with("orders "), "{line}: {described}");
    }
    shell
        .suite
        .run(words(&format!("topic rm orders --yes -b {b}")))
        .succeeds();
    shell
        .suite
        .run(words(&format!("group ls -o name -b {b}")))
        .succeeds()
        .prints("");
}

#[test]
fn what_is_near_nothing_gets_no_guess_and_secrets_are_not_repeated() {
    let suite = Suite::new();
    for line in [
        "frobnicate",
        "topics frobnicate",
        "consume orders --frobnicate",
        "-Z",
    ] {
        let outcome = suite.run(words(line)).exits(2);
        assert!(
            !outcome.stderr.contains("did you mean"),
            "{line}: {}",
            outcome.stderr
        );
    }
    let outcome = suite
        .run(["topcs", "list", "-X", "sasl.password=hunter2"])
        .exits(2);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("did you mean topics?"),
        "{}",
        outcome.stderr
    );
}
