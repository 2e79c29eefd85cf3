//! What `reassign` and `kafka-reassign-partitions` refuse before they ask anybody, how they fail when nobody
//! answers, and what they say when there is nothing to do. Moves are judged on Apache Kafka.

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

/// A port of the discard service: nothing listens there.
const NOBODY: &str = "127.0.0.1:9";

fn java(suite: &Suite, args: &[&str]) -> crate::support::suite::Outcome {
    let words = ["kafka-reassign-partitions", "--bootstrap-server", NOBODY];
    suite.run(words.iter().chain(args))
}

#[test]
fn a_plan_needs_a_goal() {
    let suite = Suite::new();
    suite
        .run(["reassign", "plan", "-b", NOBODY])
        .exits(2)
        .complains("--drain");
    let all = ["reassign", "plan", "-b", NOBODY, "--replication-factor", "3"];
    suite.run(all).exits(2).complains("--all-topics");
    let both = [
        "reassign",
        "plan",
        "-b",
        NOBODY,
        "--drain",
        "1,2",
        "--add-broker",
        "2",
    ];
    suite.run(both).exits(2).complains("broker 2");
}

#[test]
fn a_plan_that_makes_no_sense_is_refused_before_anybody_is_asked() {
    let suite = Suite::new();
    for (content, code, part) in [
        ("", 6, "the file is empty"),
        ("plan", 6, "not JSON"),
        ("{}", 6, "names no partitions"),
        (r#"{"version":2,"partitions":[]}"#, 6, "version 2"),
        (
            r#"{"partitions":[{"topic":"a","partition":0}]}"#,
            6,
            "no field \"replicas\"",
        ),
        (
            r#"{"partitions":[{"topic":"a","partition":"0","replicas":[1]}]}"#,
            6,
            "expected an integer, found \"0\"",
        ),
        (
            r#"{"partitions":[{"topic":"a","partition":0,"replicas":[]}]}"#,
            6,
            "a-0 has no replicas",
        ),
        (
            r#"{"partitions":[{"topic":"a","partition":0,"replicas":[1,2,1]}]}"#,
            6,
            "a-0 names broker 1 more than once",
        ),
        (
            r#"{"partitions":[{"topic":"a","partition":0,"replicas":[1]},{"topic":"a","partition":0,"replicas":[2]}]}"#,
            6,
            "a-0 more than once",
        ),
    ] {
        suite.file("plan.json", content);
        let outcome = suite.run(["reassign", "execute", "plan.json", "-b", NOBODY]);
        outcome.exits(code).complains(part);
    }
    assert!(!suite.home().join("plan.undo.json").exists());
}

#[test]
fn files_that_are_missing_and_brokers_that_do_not_answer_have_their_exit_codes() {
    let suite = Suite::new();
    suite
        .run(["reassign", "verify", "none.json", "-b", NOBODY])
        .exits(5)
        .complains("none.json");
    suite
        .run(["reassign", "undo", "none.json", "-b", NOBODY])
        .exits(5)
        .complains("none.undo.json");
    suite
        .run(["reassign", "list", "-b", NOBODY])
        .exits(3)
        .complains(NOBODY);
    suite.run(["reassign", "cancel", "-b", NOBODY]).exits(2);
}

#[test]
fn rates_are_read_or_refused() {
    let suite = Suite::new();
    let with = |rate: &str| {
        suite.run([
            "reassign",
            "execute",
            "none.json",
            "-b",
            NOBODY,
            "--throttle",
            rate,
        ])
    };
    with("fast").exits(2).complains("50MB/s");
    with("0").exits(2).complains("at least 1");
    with("50MB/s").exits(5);
}

#[test]
fn the_java_tool_tells_bad_files_on_stdout_in_its_own_words() {
    let suite = Suite::new();
    for (content, message) in [
        (
            "",
            "The input string shouldn't be empty\n at [Source: UNKNOWN; byte offset: #UNKNOWN]",
        ),
        (
            r#"{"partitions":[]}"#,
            "Partition reassignment list cannot be empty",
        ),
        ("[1,2]", "Expected JSON object, received [1,2]"),
        (
            r#"{"partitions":[{"topic":7}]}"#,
            "Expected `String` value, received 7",
        ),
        (
            r#"{"partitions":[{"topic":"a","partition":0}]}"#,
            "No such field exists: `replicas`",
        ),
        (
            r#"{"partitions":[{"topic":"a","partition":0,"replicas":[1,1]}]}"#,
            "Partition replica lists may not contain duplicate entries: a-0 contains multiple entries for 1",
        ),
    ] {
        suite.file("plan.json", content);
        let outcome = java(&suite, &["--execute", "--reassignment-json-file", "plan.json"]);
        outcome.exits(1).prints(&format!("Error: {message}\n"));
    }
    let missing = java(&suite, &["--verify", "--reassignment-json-file", "none.json"]);
    missing.exits(1).prints("Error: Unable to read file none.json\n");
}

#[test]
fn the_java_tool_checks_actions_and_options_in_order() {
    let suite = Suite::new();
    java(&suite, &[]).exits(1).complains(
        "Command must include exactly one action: --generate, --execute, --verify, --cancel, --list",
    );
    java(&suite, &["--generate", "--broker-list", "1"])
        .exits(1)
        .complains("Missing required argument \"[topics-to-move-json-file]\"");
    java(&suite, &["--list", "--throttle", "1", "--additional"])
        .exits(1)
        .complains("Option \"[throttle]\" can't be used with action \"[list]\"");
    java(&suite, &["--list", "--additional", "--throttle", "1"])
        .exits(1)
        .complains("Option \"[additional]\" can't be used with action \"[list]\"");
}

#[test]
fn the_java_tool_says_that_nobody_answers() {
    let suite = Suite::new();
    java(&suite, &["--list"]).exits(1).prints(
        "Error: org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. \
         Call: listPartitionReassignments\n",
    );
}

#[test]
fn a_run_that_finds_nothing_left_to_do_clears_the_throttle_of_the_run_before() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let bootstrap = cluster.bootstrap();
    let run = |words: &[&str]| suite.run([words, &["-b", &bootstrap]].concat()).succeeds();
    let throttle = "leader.replication.throttled.replicas=0:1";
    run(&["topics", "create", "a", "-c", throttle]);
    let partitions = r#"{"version":1,"partitions":[{"topic":"a","partition":0,"replicas":[1],"was":[1]}]}"#;
    let plan = suite.file("plan.json", partitions);
    let plan = plan.to_str().unwrap();
    let configs = || run(&["describe", "config", "topic", "a"]).stdout();
    run(&["reassign", "execute", plan]);
    assert!(
        configs().contains("throttled"),
        "no run before: it is somebody else's"
    );
    suite.file("plan.undo.json", partitions);
    run(&["reassign", "execute", plan, "--dry-run"]);
    assert!(configs().contains("throttled"), "a dry run changes nothing");
    run(&["reassign", "execute", plan]).complains("throttle cleared on 1 topic");
    assert!(!configs().contains("throttled"), "{}", configs());
}

#[test]
fn nothing_that_moves_is_an_empty_list_in_json() {
    let cluster = Cluster::start();
    let (suite, bootstrap) = (Suite::new(), cluster.bootstrap());
    for verb in [
        &["list"][..],
        &["verify"],
        &["cancel", "--all"],
        &["cancel", "--all", "--dry-run"],
    ] {
        let words = [&["reassign"], verb, &["--json", "-b", &bootstrap]].concat();
        suite.run(words).succeeds().prints("[]\n");
    }
}

#[test]
fn a_plan_takes_its_topics_with_the_flag_of_other_commands_too() {
    let suite = Suite::new();
    let words = [
        "reassign",
        "plan",
        "--replication-factor",
        "3",
        "--topic",
        "a",
        "-b",
        NOBODY,
    ];
    suite.run(words).exits(3);
}

#[test]
fn a_drain_says_whether_the_broker_is_empty_then() {
    let cluster = Cluster::start_nodes(3, &[]);
    let suite = Suite::new();
    let run = |args: &[&str]| suite.run([args, &["-b", &cluster.bootstrap()]].concat());
    run(&["topics", "create", "moves", "--assignment", "1:2,2:3"]).succeeds();
    run(&["topics", "create", "stays", "--assignment", "2:1"]).succeeds();
    run(&["reassign", "plan", "--drain", "2"])
        .succeeds()
        .complains("broker 2 is empty then: all its 3 replicas leave");
    run(&["reassign", "plan", "--drain", "2", "moves"])
        .succeeds()
        .complains(
            "broker 2 is not empty then: 2 of its 3 replicas leave, and 1 stays (0 B) of topics that were not named: stays",
        );
    let json = run(&["reassign", "plan", "--drain", "2", "moves", "-o", "json"]).stdout();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let drained = serde_json::json!([{"broker": 2, "replicas_leaving": 2, "replicas_staying": 1, "bytes_staying": 0,
        "topics_staying": ["stays"]}]);
    assert_eq!(json["summary"]["drained"], drained);
    run(&[
        "topics",
        "create",
        "wide",
        "--replication-factor",
        "3",
        "--partitions",
        "1",
    ])
    .succeeds();
    run(&["reassign", "plan", "--drain", "2"])
        .exits(1)
        .complains("cannot drain broker 2: wide-0 shall have 3 replicas, and only 2 brokers can take them");
}
