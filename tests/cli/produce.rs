//! Does `kafkit produce` send what its input says, and tell of what it could not?

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::cluster::Cluster;
use crate::support::shell::Shell;
use crate::support::suite::Suite;
use crate::support::terminal::Terminal;
use crate::support::wait::wait_until;

#[test]
fn each_line_is_a_record_and_the_last_needs_no_end() {
    let shell = Shell::new();
    shell
        .produce(&["hello"], "one\n\nthree")
        .succeeds()
        .complains("3 records to hello, 0 failed");
    assert_eq!(shell.shown("hello", r"%o %S=%s\n"), "0 3=one\n1 0=\n2 5=three\n");
}

#[test]
fn empty_differs_from_null() {
    let shell = Shell::new();
    shell.produce(&["t", "-K", ":"], "a:\n:b\n").succeeds();
    shell.produce(&["t", "-K", ":", "-Z"], "c:\n:d\n").succeeds();
    assert_eq!(
        shell.shown("t", r"%K %S %k=%s\n"),
        "1 0 a=\n0 1 =b\n1 -1 c=\n-1 1 =d\n"
    );
}

#[test]
fn keys_headers_and_times_come_from_flags_and_lines() {
    let shell = Shell::new();
    let flags = [
        "t",
        "--key-regex",
        r"^(\w+)",
        "-H",
        "a=1",
        "-H",
        "a=2",
        "--timestamp",
        "1700000000000",
    ];
    shell.produce(&flags, "user7 clicked\n").succeeds();
    assert_eq!(
        shell.shown("t", r"%k=%s %T %h\n"),
        "user7=user7 clicked 1700000000000 a=1,a=2\n"
    );
}

#[test]
fn a_line_without_its_separator_ends_the_run_with_its_number() {
    let shell = Shell::new();
    shell
        .produce(&["t", "-K", r"\t"], "a\tb\nc\td\nabc\n")
        .exits(6)
        .complains("line 3: no key separator (tab) in \"abc\"");
    assert_eq!(
        shell.shown("t", r"%k=%s\n"),
        "a=b\nc=d\n",
        "what came before it is sent"
    );
}

#[test]
fn rejects_are_put_aside_and_counted() {
    let shell = Shell::new();
    shell
        .produce(&["t", "-K", ":", "--rejects", "bad"], "a:1\nnope\nb:2\n")
        .exits(1)
        .complains("2 records to t, 0 failed, 1 rejected: see bad (line 2: ");
    let rejected = std::fs::read_to_string(shell.suite.home().join("bad")).unwrap();
    assert_eq!(rejected, "nope\n");
}

#[test]
fn a_record_over_the_topics_limit_is_named_and_the_others_arrive() {
    let shell = Shell::new();
    let bootstrap = shell.cluster.bootstrap();
    let create = [
        "topics",
        "create",
        "-b",
        &bootstrap,
        "small",
        "--config",
        "max.message.bytes=300",
    ];
    shell.suite.run(create).succeeds();
    let long = "x".repeat(500);
    shell
        .produce(&["small"], format!("a\n{long}\n{}", "b\n".repeat(100)))
        .exits(1)
        .complains("line 2: not delivered to small: 568 B is over the topic's max.message.bytes 300 B");
    assert_eq!(shell.shown("small", "%s").len(), 101);
}

#[test]
fn pieces_may_end_otherwise() {
    let shell = Shell::new();
    let first = shell.suite.file("first", "one\ntwo");
    let names = format!("{}\0", first.display());
    shell.produce(&["files", "-0", "--value-file"], names).succeeds();
    assert_eq!(shell.shown("files", r"%s|"), "one\ntwo|");
    shell
        .produce(&["whole", first.to_str().unwrap(), "--whole"], "")
        .succeeds();
    assert_eq!(shell.shown("whole", r"%s|"), "one\ntwo|");
    let large = shell.suite.file("large.bin", vec![b'x'; 2_000_000]);
    shell
        .produce(&["whole", large.to_str().unwrap(), "--whole"], "")
        .exits(1)
        .complains("large.bin: not delivered to whole: 2.0 MB is over the topic's max.message.bytes");
    shell
        .produce(&["table", "--csv"], "id,note\n1,\"a\nb\"\n2,x,y\n")
        .exits(6)
        .complains("row 3: 3 fields under 2 headings");
    shell
        .produce(&["table", "--csv"], "id,note\n1,a\n2\n")
        .exits(6)
        .complains("row 3: 1 field under 2 headings");
    shell.produce(&["cut", "-D", ";;"], "a\n;;b").succeeds();
    assert_eq!(shell.shown("cut", r"%s|"), "a\n|b|");
}

#[test]
fn csv_rows_have_their_key_in_a_column() {
    let shell = Shell::new();
    shell
        .produce(&["rows", "--csv", "--key", "id"], "id,name\n7,\"x\ny\"\n")
        .succeeds();
    assert_eq!(
        shell.shown("rows", "%k %s"),
        "7 {\"id\":\"7\",\"name\":\"x\\ny\"}"
    );
}

#[test]
fn a_key_always_goes_to_the_partition_that_java_gives_it() {
    let shell = Shell::new();
    let bootstrap = shell.cluster.bootstrap();
    let create = ["topics", "create", "-b", &bootstrap, "seven", "--partitions", "7"];
    shell.suite.run(create).succeeds();
    // Apache Kafka's own producer put these keys into these partitions.
    let expected = [
        ("a", 5),
        ("b", 6),
        ("c", 0),
        ("apple", 1),
        ("banana", 4),
        ("cherry", 3),
        ("0", 3),
        ("1", 2),
        ("22", 6),
        ("333", 2),
        ("열쇠", 2),
        ("user-1042", 5),
        ("", 2),
    ];
    let lines: Vec<String> = expected.iter().map(|(key, _)| format!("{key}=x")).collect();
    let input = lines.join("\n");
    shell.produce(&["seven", "-K", "="], input).succeeds();
    let mut found: Vec<String> = shell
        .shown("seven", r"%k %p\n")
        .lines()
        .map(str::to_owned)
        .collect();
    found.sort();
    let mut expected: Vec<String> = expected
        .iter()
        .map(|(key, partition)| format!("{key} {partition}"))
        .collect();
    expected.sort();
    assert_eq!(found, expected);
}

/// librdkafka itself is the judge: a key is where the clients of other languages look for it.
#[test]
fn a_partitioner_of_librdkafka_puts_keys_where_librdkafka_does() {
    let shell = Shell::new();
    let bootstrap = shell.cluster.bootstrap();
    let keys = [
        Some("a"),
        Some("22"),
        Some("user-1042"),
        Some("열쇠"),
        Some("kafka"),
        Some(""),
        None,
    ];
    for (partitioner, spreads) in [
        ("consistent", &[][..]),
        ("consistent_random", &[Some(""), None][..]),
        ("murmur2", &[]),
        ("murmur2_random", &[None]),
        ("fnv1a", &[]),
        ("fnv1a_random", &[None]),
    ] {
        let fixed: Vec<Option<&str>> = keys.into_iter().filter(|key| !spreads.contains(key)).collect();
        let (ours, theirs) = (format!("ours.{partitioner}"), format!("theirs.{partitioner}"));
        for topic in [&ours, &theirs] {
            let create = ["topics", "create", "-b", &bootstrap, topic, "--partitions", "7"];
            shell.suite.run(create).succeeds();
        }
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &bootstrap)
            .set("partitioner", partitioner)
            .set("sticky.partitioning.linger.ms", "0")
            .create()
            .unwrap();
        let mut input = String::new();
        for key in fixed {
            let mut record = BaseRecord::<str, str>::to(&theirs).payload("x");
            record.key = key;
            producer.send(record).map_err(|(error, _)| error).unwrap();
            let key = key.map_or_else(|| "null".to_owned(), |key| format!("\"{key}\""));
            writeln!(input, "{{\"key\":{key},\"value\":\"x\"}}").unwrap();
        }
        producer.flush(Duration::from_secs(20)).unwrap();
        let setting = format!("partitioner={partitioner}");
        shell
            .produce(&[&ours, "--json", "-X", &setting], input)
            .succeeds();
        let places = |topic| {
            let shown = shell.shown(topic, r"%K %k %p\n");
            let mut lines: Vec<String> = shown.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(places(&ours), places(&theirs), "{partitioner}");
    }
}

#[test]
fn a_run_in_a_transaction_is_seen_as_a_whole_or_not_at_all() {
    let shell = Shell::new();
    let bootstrap = shell.cluster.bootstrap();
    let transaction = ["t", "-X", "transactional.id=x"];
    let committed = || {
        let words = [
            "consume",
            "-b",
            &bootstrap,
            "t",
            "-e",
            "-X",
            "isolation.level=read_committed",
        ];
        shell.suite.run(words).succeeds().stdout()
    };
    let create = ["topics", "create", "-b", &bootstrap, "t"];
    shell.suite.run(create).succeeds();
    shell
        .produce(&transaction, "one\ntwo\n")
        .succeeds()
        .complains("2 records to t, 0 failed");
    assert_eq!(committed(), "one\ntwo\n");
    let mut command = shell
        .suite
        .command(["produce", "-b", &bootstrap, "t", "-X", "transactional.id=x"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(b"three\n").unwrap();
    wait_until("the record of an open transaction", || {
        shell.shown("t", "%s ") == "one two three "
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let outcome = child.wait_with_output().unwrap();
    assert_eq!(outcome.status.code(), Some(130));
    let told = String::from_utf8_lossy(&outcome.stderr);
    assert!(
        told.contains("line 1: not delivered to t: the transaction was aborted: interrupted"),
        "{told}"
    );
    assert_eq!(committed(), "one\ntwo\n");
}

#[test]
fn at_a_rate_nothing_more_is_sent_after_ctrl_c() {
    let shell = Shell::new();
    shell.kafkit(&["topics", "create", "t", "-q"]).succeeds();
    let lines = shell.suite.file("lines", "x\n".repeat(50_000));
    let bootstrap = shell.cluster.bootstrap();
    let words = [
        "produce",
        "-b",
        &bootstrap,
        "t",
        lines.to_str().unwrap(),
        "--rate",
        "20",
        "-q",
    ];
    let mut child = shell.suite.command(words).spawn().unwrap();
    wait_until("the first record", || shell.shown("t", "%s").starts_with('x'));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let sent = shell.shown("t", "%s").len();
    assert!(sent < 25_000, "{sent} of 50 000 at 20 a second");
}

#[test]
fn a_cluster_that_is_not_there_is_exit_3() {
    Suite::new()
        .run_with_input(["produce", "-b", "127.0.0.1:1", "t"], "x\n")
        .exits(3)
        .complains("cannot reach 127.0.0.1:1: connection refused");
}

#[test]
fn a_partition_that_is_not_there_is_named_at_once() {
    let shell = Shell::new();
    shell.produce(&["two"], "x\n").succeeds();
    shell
        .produce(&["two", "--partition", "9"], "x\n")
        .exits(5)
        .complains("topic \"two\" has no partition 9; it has 1");
    for partition in ["9", "-5"] {
        let line = format!("{{\"partition\":{partition},\"value\":\"x\"}}\n");
        shell
            .produce(&["two", "--json"], line)
            .exits(6)
            .complains(&format!(
                "line 1: topic \"two\" has no partition {partition}; it has 1"
            ));
    }
}

#[test]
fn an_empty_cluster_is_not_another_cluster() {
    Suite::new()
        .run_with_input(["produce", "-b", "", "t"], "x\n")
        .exits(2)
        .complains("--bootstrap-server: no broker address is given");
}

#[test]
fn a_pattern_that_is_none_is_refused_in_one_line() {
    let outcome = Suite::new().run(["produce", "-b", "127.0.0.1:1", "t", "--key-regex", "("]);
    let outcome = outcome.exits(2);
    let text = outcome.stderr.clone();
    assert_eq!(
        text,
        "kafkit: --key-regex \"(\" is no regular expression: unclosed group\n"
    );
}

#[test]
fn a_file_is_sent_from_a_terminal_without_a_prompt() {
    let terminal = Terminal::new();
    let _broker = terminal.start_broker("kafkit broker --listen HOST:9092 --data-dir data");
    terminal.file("lines", "a\nb\n");
    let screen = terminal.start_on_a_screen(
        "kafkit produce -b HOST:9092 t lines 2>/dev/null && kafkit consume -b HOST:9092 t -e",
    );
    screen.prints("a\r\nb\r\n");
}

#[test]
fn a_topic_that_is_made_smaller_meanwhile_takes_the_rest() {
    let shell = Shell::new();
    let address = shell.cluster.bootstrap();
    let topics = |words: &[&str]| {
        let words = [&["topics"], words, &["-b", &address]].concat();
        shell.suite.run(words).succeeds();
    };
    topics(&["create", "t", "--partitions", "6"]);
    let terminal = Terminal::new();
    let lines = |from: u32, to: u32| {
        let numbers: Vec<String> = (from..to).map(|line| line.to_string()).collect();
        numbers.join("\n") + "\n"
    };
    let mut producer = terminal.start(&format!("kafkit produce t -b {address}"));
    producer.types(&lines(0, 100));
    // The first lines have arrived before the topic goes.
    let read = ["consume", "t", "-b", &address, "-n", "100", "-q"];
    shell.suite.run(read).succeeds();
    topics(&["delete", "t", "--yes"]);
    topics(&["create", "t", "--partitions", "1"]);
    // What was on its way to a partition that is gone is lost, and told; what follows arrives.
    let typed = (1..200).map(|time| time * 100).find(|first| {
        producer.types(&lines(*first, first + 100));
        !shell.shown("t", "x").is_empty()
    });
    let all = 100 + u64::from(typed.expect("a record that arrives"));
    let said = producer.ends();
    let summary = said
        .lines()
        .find(|line| line.contains(" to t, "))
        .expect("a summary");
    let numbers = summary.replace(' ', "").replace("recordstot", "");
    let (delivered, failed) = numbers.split_once(',').expect("two counts");
    let delivered: u64 = delivered.parse().expect("a count");
    let failed: u64 = failed.trim_end_matches("failed").parse().expect("a count");
    assert_eq!(delivered + failed, all, "{said}");
    let there = shell.shown("t", "x").len() as u64;
    assert!(there > 0 && delivered - 100 == there, "{there} of {said}");
}

#[test]
fn a_topic_that_goes_for_good_ends_the_run_with_each_record_accounted_for() {
    let cluster = Cluster::start_with(&["auto.create.topics.enable=false"]);
    let suite = Suite::new();
    let address = cluster.bootstrap();
    suite.run(["topics", "create", "t", "-b", &address]).succeeds();
    let terminal = Terminal::new();
    let line = format!("kafkit produce t -b {address} -X topic.metadata.propagation.max.ms=300");
    let mut producer = terminal.start(&line);
    producer.types("one\n");
    let read = ["consume", "t", "-b", &address, "-n", "1", "-q"];
    suite.run(read).succeeds().prints("one\n");
    suite
        .run(["topics", "delete", "t", "--yes", "-b", &address])
        .succeeds();
    producer.types("two\nthree\n");
    let said = producer.ends();
    assert!(
        said.contains("1 record to t, 2 failed") && said.contains("line 3: not delivered"),
        "{said}"
    );
    assert!(said.contains("2 of 3 records did not arrive in t"), "{said}");
}

/// What the text of a JSON line says is what is stored, digit for digit; what cannot be stored so is refused with its line.
#[test]
fn the_text_of_json_values_passes_through() {
    let shell = Shell::new();
    let values = [
        r#"{"id":123456789012345678901234567890,"x":0.10,"y":1E5,"d":1,"d":2}"#,
        r#"{"z":1e400}"#,
        r#"[ 1 , {"a" :  "\u0000\ud800\/" } ]"#,
        "-0.0",
        "1.0",
        "true",
    ];
    let lines: Vec<String> = values
        .iter()
        .map(|value| {
            format!("{{\"value\": {value} ,\"key\":{value},\"headers\":{{\"h\":{value},\"h\":1.50}}}}\n")
        })
        .collect();
    shell.produce(&["t", "--json"], lines.concat()).succeeds();
    let expected: Vec<String> = values
        .iter()
        .map(|value| format!("{value}|{value}|h={value},h=1.50\n"))
        .collect();
    assert_eq!(shell.shown("t", r"%k|%s|%h\n"), expected.concat());
    for (line, told) in [
        (
            r#"{"value":"\ud800"}"#,
            "line 2: value holds half a surrogate pair",
        ),
        (r#"{"value":1,"value":2}"#, "line 2: the field \"value\" twice"),
        (
            r#"{"value":1,"value_base64":"YQ=="}"#,
            "line 2: both \"value\" and \"value_base64\"",
        ),
        (r#"{"value":01}"#, "line 2: not JSON"),
        (r#"{"timestamp":1.5}"#, "line 2: timestamp is no whole number"),
        (
            r#"{"timestamp":9223372036854775808}"#,
            "line 2: timestamp is no whole number",
        ),
        ("[1]", "line 2: not a JSON object"),
    ] {
        let lines = format!("{{\"value\":\"good\"}}\n{line}\n");
        shell.produce(&["t", "--json"], lines).exits(6).complains(told);
    }
}

#[test]
fn a_time_before_1970_is_stored_and_the_time_0_is_never_replaced() {
    let shell = Shell::new();
    shell
        .produce(
            &["t", "--json"],
            "{\"timestamp\":-1}\n{\"timestamp\":-5}\n{\"timestamp\":1}\n",
        )
        .succeeds();
    shell.produce(&["t", "--timestamp", "-5"], "x").succeeds();
    shell
        .produce(&["t", "--timestamp", "1969-12-31T23:59:59Z"], "x")
        .succeeds();
    assert_eq!(shell.shown("t", r"%T "), "-1 -5 1 -5 -1000 ");
    for (args, input) in [
        (vec!["t", "--json"], "{\"timestamp\":0}"),
        (vec!["t", "--timestamp", "1970-01-01T00:00:00Z"], "x"),
    ] {
        shell.produce(&args, input).succeeds();
    }
    assert_eq!(shell.shown("t", r"%T "), "-1 -5 1 -5 -1000 0 0 ");
}

#[test]
fn csv_with_a_byte_order_mark_or_another_delimiter() {
    let shell = Shell::new();
    let csv = ["t", "--csv", "-k", "id"];
    shell.produce(&csv, "\u{feff}id,val\n1,a;b\n").succeeds();
    for (delimiter, row) in [(";", "2;c,d"), (r"\t", "3\te"), ("pipe", "4|f")] {
        let between = row
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .chars()
            .next();
        let heading = format!("\u{feff}\"id\"{}val", between.unwrap());
        let args = [&csv[..], &["--csv-delimiter", delimiter]].concat();
        shell.produce(&args, format!("{heading}\n{row}\n")).succeeds();
    }
    assert_eq!(
        shell.shown("t", r"%k %s\n"),
        "1 {\"id\":\"1\",\"val\":\"a;b\"}\n2 {\"id\":\"2\",\"val\":\"c,d\"}\n3 {\"id\":\"3\",\"val\":\"e\"}\n\
         4 {\"id\":\"4\",\"val\":\"f\"}\n"
    );
    shell
        .produce(&["t", "--csv"], "id;val\n1;a\n")
        .exits(6)
        .complains("row 1: the heading has a single column, \"id;val\"")
        .complains("--csv-delimiter ';'");
    shell
        .produce(&["one", "--csv", "--csv-delimiter", ","], "id;val\n1;a\n")
        .succeeds();
    assert_eq!(shell.shown("one", "%s"), "{\"id;val\":\"1;a\"}");
    shell
        .produce(&["t", "--csv"], "a,b,a\n1,2,3\n")
        .exits(6)
        .complains("the heading has the column \"a\" twice");
}

#[test]
fn a_byte_order_mark_is_no_part_of_json_and_a_part_of_a_line() {
    let shell = Shell::new();
    shell
        .produce(&["j", "--json"], "\u{feff}{\"value\":\"a\"}\n")
        .succeeds();
    shell.produce(&["l"], "\u{feff}a\n").succeeds();
    assert_eq!(shell.shown("j", "%{value:hex}"), "61");
    assert_eq!(shell.shown("l", "%{value:hex}"), "efbbbf61");
}

#[test]
fn numbers_below_zero_are_values_and_not_flags() {
    let shell = Shell::new();
    for args in [
        ["t", "--acks", "-1"],
        ["t", "--partition", "-1"],
        ["t", "-p", "-1"],
        ["t", "--key", "-1"],
    ] {
        shell.produce(&args, "x\n").succeeds();
    }
    shell
        .produce(&["t", "-n", "-1"], "x\n")
        .exits(2)
        .complains("--count takes a number");
    assert_eq!(shell.shown("t", r"%k %s\n"), " x\n x\n x\n-1 x\n");
}

#[test]
fn a_refused_record_is_named_with_the_brokers_own_reason() {
    let shell = Shell::new();
    let bootstrap = shell.cluster.bootstrap();
    let create = ["topics", "create", "-b", &bootstrap, "t", "-c"];
    let rule = ["message.timestamp.after.max.ms=1000"];
    shell.suite.run([&create[..], &rule].concat()).succeeds();
    for _ in 0..20 {
        shell
            .produce(&["t", "--json"], "{\"value\":\"a\",\"timestamp\":4102444800000}\n")
            .exits(1)
            .complains("line 1: not delivered to t-0: Timestamp 4102444800000 of message with offset 0 is out of range");
    }
}

/// One signal ends the run, and the cause is on stderr before.
#[test]
fn a_broker_that_is_gone_is_named_and_one_signal_ends_the_run() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let mut shell = Shell::new();
        shell.produce(&["t"], "before\n").succeeds();
        let bootstrap = shell.cluster.bootstrap();
        let mut command = shell.suite.command(["produce", "-b", &bootstrap, "t"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"first\n").unwrap();
        wait_until("the first record", || shell.shown("t", "%s ") == "before first ");
        shell.cluster.stop();
        let lines = thread::spawn(move || {
            let _ = input.write_all(&b"a line that is sent again and again\n".repeat(500_000));
        });
        let mut stderr = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let told = stderr.find(|line| line.contains("waiting up to")).unwrap();
        assert!(
            told.contains(&format!("{bootstrap}: connection refused")),
            "{told}"
        );
        kill_process(Pid::from_child(&child), signal).unwrap();
        let signalled = Instant::now();
        let rest: Vec<String> = stderr.collect();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{rest:?}");
        assert!(
            signalled.elapsed() < Duration::from_secs(3),
            "{:?}",
            signalled.elapsed()
        );
        assert!(
            rest.iter().any(|line| line.contains("not delivered to t")),
            "{rest:?}"
        );
        assert!(!rest.iter().any(|line| line.contains("purged")), "{rest:?}");
        lines.join().unwrap();
    }
}

#[test]
fn a_transaction_is_seen_whole_or_not_at_all() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let send = |input: &str, words: &[&str]| {
        let own = ["produce", "t", "--transactional-id", "id", "-b", &bootstrap];
        suite.run_with_input([&own, words].concat(), input)
    };
    let seen = || {
        let words = [
            "consume",
            "t",
            "-e",
            "-q",
            "--isolation",
            "read_committed",
            "-b",
            &bootstrap,
        ];
        suite.run(words).succeeds().stdout().replace('\n', " ")
    };
    send("1\n2\n3\n4\n5\n", &["--transaction-every", "2"]).succeeds();
    assert_eq!(seen(), "1 2 3 4 5 ");
    send("{\"value\":\"6\"}\n{\n", &["--json"]).exits(6);
    assert_eq!(seen(), "1 2 3 4 5 ", "what came before the bad line is aborted");
    send("{\"value\":\"7\"}\n", &["--json"]).succeeds();
    assert_eq!(seen(), "1 2 3 4 5 7 ");
}

#[test]
fn a_producer_that_was_replaced_says_so_in_plain_words() {
    let shell = Shell::new();
    shell.kafkit(&["topics", "create", "t"]).succeeds();
    let bootstrap = shell.cluster.bootstrap();
    let words = ["produce", "t", "--transactional-id", "id", "-b", &bootstrap];
    let every_record = ["--transaction-every", "1"];
    let mut child = shell
        .suite
        .command([&words[..], &every_record].concat())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"first\n").unwrap();
    wait_until("the first record", || shell.shown("t", "%s ") == "first ");
    shell.suite.run_with_input(words, "second\n").succeeds();
    input.write_all(b"third\n").unwrap();
    let ended = child.wait_with_output().unwrap();
    drop(input);
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(
        told.contains("another producer with the same transactional.id has taken over"),
        "{told}"
    );
    assert!(told.contains("line 2: not delivered to t"), "{told}");
    for word in ["Local:", "_FENCED", "Broker:", "TxnCoordinator"] {
        assert!(!told.contains(word), "{told}");
    }
}

#[test]
fn a_count_of_a_transaction_wants_a_transaction() {
    Suite::new()
        .run(["produce", "t", "--transaction-every", "2"])
        .exits(2)
        .complains("--transactional-id");
}

#[test]
fn columns_may_be_typed_and_stand_between_tabs() {
    let shell = Shell::new();
    shell
        .produce(
            &["t", "--tsv", "--typed", "-k", "id"],
            "id\tn\ttext\n7\t1.50\t\n8\t-2\ttrue\n",
        )
        .succeeds();
    assert_eq!(
        shell.shown("t", r"%k %s\n"),
        "7 {\"id\":7,\"n\":\"1.50\",\"text\":null}\n8 {\"id\":8,\"n\":-2,\"text\":true}\n"
    );
    shell
        .produce(&["t", "--typed"], "x")
        .exits(2)
        .complains("--typed is for the columns of --csv and --tsv");
}

#[test]
fn what_kcat_prints_as_json_can_be_sent() {
    let shell = Shell::new();
    let line = r#"{"topic":"a","partition":0,"offset":3,"tstype":"create","ts":1700000000000,"broker":1,"headers":["h","1","g",null],"key":"k","payload":"v"}"#;
    shell.produce(&["t", "--json"], line).succeeds();
    assert_eq!(shell.shown("t", "%T %k %s %h"), "1700000000000 k v h=1,g=NULL");
    shell
        .produce(&["t", "--json"], r#"{"payload":"v","value":"w"}"#)
        .exits(6)
        .complains("both \"payload\" and \"value\"");
    shell
        .produce(&["t", "--json"], r#"{"payload":"v","headers":["h"]}"#)
        .exits(6)
        .complains("the last header has no value");
}

#[test]
fn bytes_that_are_no_utf_8_come_whole_out_of_what_kcat_prints() {
    let shell = Shell::new();
    // As kcat 1.7.1 prints a key k\x01, a header h=\xe9 and a value \xff\xfe\x00é.
    let line = b"{\"topic\":\"bin\",\"partition\":0,\"offset\":0,\"tstype\":\"create\",\"ts\":1796062427813,\"broker\":1,\
        \"headers\":[\"h\",\"\xe9\"],\"key\":\"k\\u0001\",\"payload\":\"\xff\xfe\\u0000\xc3\xa9\"}\n";
    shell.produce(&["t", "--json"], line).succeeds();
    assert_eq!(shell.shown("t", "%{key:hex} %{value:hex}"), "6b01 fffe00c3a9");
    let shown = shell.kafkit(&["consume", "t", "-e", "-q", "--json"]).stdout();
    assert!(shown.contains(r#"{"name":"h","value_base64":"6Q=="}"#), "{shown}");
    shell
        .produce(&["t", "--json"], b"{\"value\":\"\xff\"}")
        .exits(6)
        .complains("line 1: not UTF-8, which JSON is");
}

#[test]
fn records_are_sent_at_a_rate() {
    let shell = Shell::new();
    let began = std::time::Instant::now();
    shell
        .produce(&["t", "--rate", "600/m"], "1\n2\n3\n4\n")
        .succeeds();
    assert!(
        began.elapsed() >= std::time::Duration::from_millis(300),
        "ten a second"
    );
    assert_eq!(shell.shown("t", "%s"), "1234");
    shell
        .produce(&["t", "--rate", "0"], "1\n")
        .exits(2)
        .complains("a rate is a number above 0");
}

#[test]
fn values_of_options_may_begin_with_a_dash() {
    let shell = Shell::new();
    shell
        .produce(&["t", "-k", "-x", "-H", "-a=-b"], "-one\n")
        .succeeds();
    shell
        .produce(&["t", "--key-separator", "--"], "--json--two\n")
        .succeeds();
    let shown = |args: &[&str]| {
        let words = [&["consume", "t", "-e", "-q"], args].concat();
        shell.kafkit(&words).succeeds().stdout()
    };
    assert_eq!(shown(&["--key", "-x", "-f", "-%k %h\\n"]), "--x -a=-b\n");
    assert_eq!(shown(&["--grep", "-one", "-K", "-"]), "-x--one\n");
    assert_eq!(shown(&["--header", "-a"]), "-one\n");
    assert_eq!(shown(&["--where", "-1 < 0 and key == '-x'"]), "-one\n");
    shell
        .kafkit(&["consume", "t", "-e", "-q", "--group=-group"])
        .succeeds();
    shell
        .kafkit(&["groups", "list", "-o", "name"])
        .succeeds()
        .prints("-group\n");
}

#[test]
fn an_id_of_a_token_may_begin_with_a_dash() {
    const REFUSAL: &str = "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED";
    let shell = Shell::new();
    for (words, told) in [
        (
            &["tokens", "renew", "-hS2aXKbQ1uXbM8p1i2Wqg", "--by", "1h"][..],
            REFUSAL,
        ),
        (&["tokens", "expire", "--yes", "-bS2aXKbQ1uXbM8p1i2Wqg"], REFUSAL),
        (&["tokens", "renew", "x", "-n"], "has no flag -n"),
    ] {
        let outcome = shell.kafkit(words);
        assert!(outcome.stderr.contains(told), "{words:?}: {}", outcome.stderr);
    }
}
