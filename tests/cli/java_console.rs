//! Do the console producer and consumer do under Java's names what Apache Kafka 4.3.1's do?

use crate::support::shell::Shell;
use crate::support::suite::Suite;

#[test]
fn lines_go_in_and_come_out() {
    let shell = Shell::new();
    shell
        .java_produce(&["--topic", "t"], "unix\ndos\r\nold\rmac\n\n\u{ff}")
        .succeeds()
        .prints("");
    shell
        .java_consume(&["--topic", "t", "--from-beginning", "--max-messages", "6"])
        .succeeds()
        .prints("unix\ndos\nold\nmac\n\n\u{ff}\n")
        .complains("Processed a total of 6 messages");
}

#[test]
fn what_cannot_be_written_is_no_success() {
    let shell = Shell::new();
    for (lines, all) in [
        ("one\n".to_owned(), "1"),
        ("one of many\n".repeat(20_000), "20001"),
    ] {
        shell.java_produce(&["--topic", "t"], &lines).succeeds();
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let bootstrap = shell.cluster.bootstrap();
        let consume = [
            "kafka-console-consumer",
            "--bootstrap-server",
            &bootstrap,
            "--topic",
            "t",
        ];
        let output = shell
            .suite
            .command([&consume[..], &["--from-beginning", "--max-messages", all]].concat())
            .stdout(full)
            .output()
            .unwrap();
        assert_fails(&output, "the disk is full");
    }
}

#[test]
fn what_cannot_be_read_is_no_success() {
    let shell = Shell::new();
    let bootstrap = shell.cluster.bootstrap();
    let produce = [
        "kafka-console-producer",
        "--bootstrap-server",
        &bootstrap,
        "--topic",
        "t",
    ];
    let output = shell
        .suite
        .command(produce)
        .stdin(std::fs::File::open(".").unwrap())
        .output()
        .unwrap();
    assert_fails(&output, "is a directory");
}

/// Exit code 1, and the reason on stderr.
fn assert_fails(output: &std::process::Output, why: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(why), "{told}");
}

#[test]
fn a_separator_that_is_missing_stops_the_producer_after_what_came_before() {
    let shell = Shell::new();
    let keys = [
        "--topic",
        "t",
        "--reader-property",
        "parse.key=true",
        "--reader-property",
        "key.separator=:",
    ];
    shell
        .java_produce(&keys, "k1:v1\nno separator\nk3:v3\n")
        .exits(1)
        .complains("No key separator found on line number 2: 'no separator'");
    let show = [
        "--topic",
        "t",
        "--from-beginning",
        "--timeout-ms",
        "1000",
        "--formatter-property",
        "print.key=true",
    ];
    shell.java_consume(&show).succeeds().prints("k1\tv1\n");
}

#[test]
fn a_record_too_big_for_its_topic_ends_a_synchronous_run_only() {
    let shell = Shell::new();
    let bootstrap = shell.cluster.bootstrap();
    let create = [
        "kafka-topics",
        "--bootstrap-server",
        &bootstrap,
        "--create",
        "--topic",
    ];
    for topic in ["sync", "async"] {
        let more = [topic, "--config", "max.message.bytes=300"];
        shell.suite.run([&create[..], &more].concat()).succeeds();
    }
    // More than max.request.size, so that Java does not try to split it.
    let lines = format!("before\n{}\nafter\n", "x".repeat(2_000_000));
    shell
        .java_produce(&["--topic", "sync", "--sync"], &lines)
        .exits(1);
    shell.java_produce(&["--topic", "async"], &lines).exits(1);
    assert_eq!(shell.shown("sync", "%s\n"), "before\n");
    assert_eq!(shell.shown("async", "%s\n"), "before\nafter\n");
}

#[test]
fn without_retries_records_arrive_all_the_same() {
    let shell = Shell::new();
    let args = ["--topic", "t", "--message-send-max-retries", "0"];
    shell.java_produce(&args, "one\n").succeeds().prints("");
    assert_eq!(shell.shown("t", "%s\n"), "one\n");
}

#[test]
fn every_column_in_javas_order() {
    let shell = Shell::new();
    let headers = [
        "--topic",
        "t",
        "--property",
        "parse.key=true",
        "--property",
        "parse.headers=true",
        "--property",
        "null.marker=NULL",
    ];
    shell
        .java_produce(&headers, "h:1,i:NULL\tk\tv\nNULL\tNULL\tNULL\n")
        .succeeds();
    let show: Vec<String> = ["partition", "offset", "delivery", "epoch", "headers", "key"]
        .iter()
        .flat_map(|column| ["--formatter-property".to_owned(), format!("print.{column}=true")])
        .collect();
    let mut args = vec![
        "--topic",
        "t",
        "--partition",
        "0",
        "--offset",
        "earliest",
        "--max-messages",
        "2",
    ];
    args.extend(show.iter().map(String::as_str));
    shell.java_consume(&args).succeeds().prints(
        "Partition:0\tOffset:0\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\th:1,i:null\tk\tv\n\
         Partition:0\tOffset:1\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\tNO_HEADERS\tnull\tnull\n",
    );
}

#[test]
fn deserializers_print_what_java_prints_and_complain_as_it_does() {
    let shell = Shell::new();
    shell
        .java_produce(&["--topic", "t"], "abcdefgh\nabc\n")
        .succeeds();
    let args = [
        "--topic",
        "t",
        "--from-beginning",
        "--max-messages",
        "2",
        "--value-deserializer",
        "org.apache.kafka.common.serialization.LongDeserializer",
    ];
    shell
        .java_consume(&args)
        .exits(1)
        .prints("7017280452245743464\n")
        .complains("Processed a total of 2 messages")
        .complains("Size of data received by LongDeserializer is not 8");
}

#[test]
fn a_timeout_and_an_unknown_topic_are_exit_0() {
    let shell = Shell::new();
    shell
        .java_consume(&["--topic", "nothing", "--from-beginning", "--timeout-ms", "300"])
        .succeeds()
        .prints("")
        .complains("Processed a total of 0 messages");
}

#[test]
fn a_group_commits_what_was_printed() {
    let shell = Shell::new();
    shell.java_produce(&["--topic", "t"], "1\n2\n3\n").succeeds();
    let group = [
        "--topic",
        "t",
        "--group",
        "g",
        "--from-beginning",
        "--max-messages",
    ];
    shell
        .java_consume(&[&group[..], &["2"]].concat())
        .succeeds()
        .prints("1\n2\n");
    shell
        .java_consume(&[&group[..], &["1"]].concat())
        .succeeds()
        .prints("3\n");
}

/// Records of a partition that a first run did not come to are not passed over by a second that begins at the end.
#[test]
fn a_group_has_a_place_in_every_partition_that_it_was_given() {
    let shell = Shell::new();
    let topics = ["topics", "create", "spread", "--partitions", "3", "-b"];
    let bootstrap = shell.cluster.bootstrap();
    shell.suite.run([&topics[..], &[&bootstrap]].concat()).succeeds();
    for partition in ["0", "1"] {
        shell
            .produce(&["spread", "--partition", partition], "1\n2\n3\n4\n5\n")
            .succeeds();
    }
    let group = ["--topic", "spread", "--group", "g", "--timeout-ms", "5000"];
    shell
        .java_consume(&[&group[..], &["--from-beginning", "--max-messages", "5"]].concat())
        .succeeds();
    shell
        .produce(&["spread", "--partition", "2"], "1\n2\n3\n4\n5\n")
        .succeeds();
    let rest = shell
        .java_consume(&[&group[..], &["--max-messages", "10"]].concat())
        .succeeds();
    assert_eq!(rest.stdout().lines().count(), 10, "{}", rest.stdout());
}

#[test]
fn topics_by_a_java_regular_expression() {
    let shell = Shell::new();
    for topic in ["in-a", "in-b", "out"] {
        shell
            .java_produce(&["--topic", topic], format!("{topic}\n"))
            .succeeds();
    }
    let args = ["--include", "in-[ab]", "--from-beginning", "--max-messages", "2"];
    let shown = shell.java_consume(&args).succeeds().stdout();
    let mut lines: Vec<&str> = shown.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["in-a", "in-b"]);
}

#[test]
fn old_spellings_work_with_a_line_on_stderr() {
    let shell = Shell::new();
    let bootstrap = shell.cluster.bootstrap();
    shell
        .suite
        .run_with_input(
            [
                "kafka-console-producer",
                "--broker-list",
                &bootstrap,
                "--topic",
                "t",
            ],
            "x\n",
        )
        .succeeds()
        .prints("")
        .complains("--broker-list");
    shell
        .java_consume(&["--whitelist", "t", "--from-beginning", "--max-messages", "1"])
        .succeeds()
        .prints("x\n")
        .complains("--whitelist");
}

#[test]
fn refusals_are_javas() {
    let suite = Suite::new();
    for (args, complaint) in [
        (
            &["kafka-console-producer", "--bootstrap-server", "a:1"][..],
            "Missing required argument \"[topic]\"",
        ),
        (
            &["kafka-console-producer", "--topic", "t"],
            "Error while validating the bootstrap address",
        ),
        (
            &["kafka-console-consumer", "--topic", "t"],
            "Missing required argument \"[bootstrap-server]\"",
        ),
        (
            &["kafka-console-consumer", "--bootstrap-server", "a:1"],
            "Exactly one of the following arguments is required: [topic], [include]",
        ),
        (
            &[
                "kafka-console-consumer",
                "--bootstrap-server",
                "a:1",
                "--topic",
                "t",
                "--offset",
                "3",
            ],
            "The partition is required when offset is specified.",
        ),
    ] {
        suite.run(args.iter().copied()).exits(1).complains(complaint);
    }
}

/// Java's limit is its client's; the native spelling sends what the topic takes.
#[test]
fn a_line_over_max_request_size_is_refused_unless_it_was_raised() {
    let shell = Shell::new();
    let bootstrap = shell.cluster.bootstrap();
    let create = [
        "topics",
        "create",
        "-b",
        &bootstrap,
        "t",
        "-c",
        "max.message.bytes=20000000",
    ];
    shell.suite.run(create).succeeds();
    let line = "x".repeat(1_500_000);
    shell
        .java_produce(&["--topic", "t"], &line)
        .exits(1)
        .complains("larger than 1048576, which is the value of the max.request.size configuration.");
    let raised = ["--topic", "t", "--command-property", "max.request.size=2000000"];
    shell.java_produce(&raised, &line).succeeds();
    shell.produce(&["t"], &line).succeeds();
    assert_eq!(shell.shown("t", "%S "), "1500000 1500000 ");
}
