//! `kafkit consume --where`, `--head`, `--tail` and their like, on the mini broker.

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::support::cluster::Cluster;
use crate::support::shell::Shell;
use crate::support::suite::{Outcome, Suite};

/// Orders in two partitions, one every second by turns, with keys and headers.
struct Orders {
    shell: Shell,
}

impl Orders {
    fn new() -> Self {
        let orders = Self { shell: Shell::new() };
        orders
            .run(&["topics", "create", "orders", "-p", "2", "-q"])
            .succeeds();
        let lines: Vec<String> = (0..10)
            .map(|id| {
                let source = if id % 3 == 0 { "web" } else { "shop" };
                format!(
                    r#"{{"partition":{},"key":"k{id}","value":"{{\"id\":{id},\"user\":{{\"name\":\"u{}\"}}}}","timestamp":{},"headers":[{{"name":"source","value":"{source}-{id}"}}]}}"#,
                    id % 2,
                    id % 4,
                    1_577_880_000_000_i64 + id * 1000,
                )
            })
            .collect();
        let args = ["orders", "--json", "-q"];
        orders.shell.produce(&args, lines.join("\n") + "\n").succeeds();
        orders
    }

    fn run(&self, words: &[&str]) -> Outcome {
        self.shell.kafkit(words)
    }

    /// The ids that are printed, in the order in which they come.
    fn ids(&self, words: &[&str]) -> String {
        let words = [&["consume", "orders", "-q", "-f", "%{value:.id} "], words].concat();
        self.run(&words).succeeds().stdout().trim_end().to_owned()
    }

    /// The ids that are printed, in their own order.
    fn sorted(&self, words: &[&str]) -> String {
        let ids = self.ids(&[&["-e"], words].concat());
        let mut ids: Vec<&str> = ids.split_whitespace().collect();
        ids.sort_unstable();
        ids.join(" ")
    }
}

fn transaction(cluster: &Cluster, values: &[&str], commits: bool) {
    let patience = Duration::from_secs(30);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("transactional.id", "t")
        .create()
        .expect("a producer");
    producer
        .init_transactions(patience)
        .expect("a transactional producer");
    producer.begin_transaction().expect("a transaction");
    for value in values {
        let record = BaseRecord::<str, str>::to("paid").payload(*value);
        producer
            .send(record)
            .map_err(|(error, _)| error)
            .expect("room in the queue");
    }
    producer.flush(patience).expect("every record delivered");
    if commits {
        producer.commit_transaction(patience).expect("a commit");
    } else {
        producer.abort_transaction(patience).expect("an abort");
    }
}

#[test]
fn only_records_that_meet_a_condition_are_printed() {
    let orders = Orders::new();
    for (words, ids) in [
        (&["--where", ".id == 7"][..], "7"),
        (&["--where", ".id >= 3 and .id < 5"], "3 4"),
        (&["--where", r#".id in (1, 9, 20) or key == "k4""#], "1 4 9"),
        (&["--where", r#".id == 6 and headers.source ~ "^web""#], "6"),
        (&["--where", ".user.name == 'u2' and not .id == 2"], "6"),
        (&["--where", "partition == 1 and offset > 2"], "7 9"),
        (&["--where", r#"time >= "2020-01-01T12:00:08Z""#], "8 9"),
        (&["--where", "exists .nosuch"], ""),
        (&["--grep", r#""u[03]""#], "0 3 4 7 8"),
        (&["--header", "source=web-3"], "3"),
        (&["--header", "nosuch"], ""),
        (&["--key", "k5"], "5"),
        (&["--key", "k5", "--where", ".id == 6"], ""),
        (
            &["--header", "source", "--grep", "u1", "--where", ".id > 1"],
            "5 9",
        ),
    ] {
        assert_eq!(orders.sorted(words), ids, "{words:?}");
    }
    assert_eq!(
        orders.ids(&["-n", "1", "--where", ".id == 7"]),
        "7",
        "what is left out is not counted"
    );
}

#[test]
fn topics_are_chosen_by_pattern() {
    let orders = Orders::new();
    let address = orders.shell.cluster.bootstrap();
    for topic in ["ordered", "refunds"] {
        let words = ["produce", topic, "-q", "-b", &address];
        orders
            .shell
            .suite
            .run_with_input(words, format!("{topic}\n"))
            .succeeds();
    }
    let consume = |words: &[&str]| orders.run(&[&["consume", "-q", "-e", "--regex"], words].concat());
    consume(&["ordered|ref.*"]).succeeds();
    let shown = consume(&["ordere.", "ref.*", "-f", "%t "]).succeeds().stdout();
    let mut topics: Vec<&str> = shown.split_whitespace().collect();
    topics.sort_unstable();
    assert_eq!(topics, ["ordered", "refunds"]);
    consume(&["order"]).exits(5).complains("no topic matches");
    consume(&["order("])
        .exits(2)
        .complains("\"order(\" is no regular expression");
}

#[test]
fn a_mistake_in_a_condition_is_shown_at_its_place() {
    let suite = Suite::new();
    for (condition, problem) in [
        (".id = 7", "at column 5: = compares nothing; == does"),
        (
            ".id == 7 .x == 8",
            "at column 10: \"and\" or \"or\" is missing before this",
        ),
        ("time > 'soon'", "at column 8: a time looks like"),
    ] {
        let outcome = suite.run(["consume", "t", "-b", "127.0.0.1:1", "--where", condition]);
        outcome.exits(2).prints("").complains(problem);
    }
    suite
        .run(["consume", "t", "-b", "127.0.0.1:1", "--grep", "("])
        .exits(2)
        .complains("--grep");
}

#[test]
fn the_first_and_last_of_a_topic_come_in_the_order_of_time() {
    let orders = Orders::new();
    assert_eq!(orders.ids(&["--tail", "3"]), "7 8 9");
    assert_eq!(orders.ids(&["--head", "5"]), "0 1 2 3 4");
    assert_eq!(orders.ids(&["--tail", "100"]), "0 1 2 3 4 5 6 7 8 9");
    assert_eq!(
        orders.ids(&["--tail", "2", "--where", ".user.name == 'u1'"]),
        "5 9"
    );
    assert_eq!(orders.ids(&["--head", "2", "--grep", "u2"]), "2 6");
    assert_eq!(orders.ids(&["--tail", "0"]), "");
    let until = ["--tail", "2", "--until", "2020-01-01T12:00:06Z"];
    assert_eq!(orders.ids(&until), "4 5");
    let since = ["--head", "2", "--since", "2020-01-01T12:00:06Z"];
    assert_eq!(orders.ids(&since), "6 7");
}

#[test]
fn a_range_of_offsets_is_read() {
    let orders = Orders::new();
    assert_eq!(orders.ids(&["--offset", "1..3", "--partition", "0"]), "2 4");
    assert_eq!(orders.ids(&["-o", "3..", "-e", "--partition", "1"]), "7 9");
    assert_eq!(orders.ids(&["-o", "..2", "--partition", "1"]), "1 3");
    assert_eq!(orders.ids(&["-o", "+3", "-e", "--partition", "0"]), "6 8");
    assert_eq!(
        orders.ids(&["-o", "3..99", "--partition", "0"]),
        "6 8",
        "the end ends it"
    );
    orders
        .run(&["consume", "orders", "-o", "3..1"])
        .exits(2)
        .complains("--offset takes A..B with A no greater than B");
}

#[test]
fn records_before_the_end_are_counted_and_not_offsets() {
    let orders = Orders::new();
    // Each transaction ends with a marker, which has an offset of its own.
    for (values, commits) in [
        (&["one"][..], true),
        (&["two"], true),
        (&["lost", "gone"], false),
        (&["three"], true),
    ] {
        transaction(&orders.shell.cluster, values, commits);
    }
    for (words, shown) in [
        (&["-o", "-1", "-e"][..], "three\n"),
        (&["-o", "-2", "-e"], "two\nthree\n"),
        (&["-o", "-9", "-e"], "one\ntwo\nthree\n"),
        (&["--tail", "2"], "two\nthree\n"),
        (&["--head", "1"], "one\n"),
    ] {
        let words = [&["consume", "paid", "-q", "--isolation", "read_committed"], words].concat();
        orders.run(&words).succeeds().prints(shown);
    }
    let all = ["consume", "paid", "-q", "--tail", "3"];
    orders.run(&all).succeeds().prints("lost\ngone\nthree\n");
}

#[test]
fn too_few_records_are_a_failure() {
    let orders = Orders::new();
    let consume = |words: &[&str]| orders.run(&[&["consume", "orders", "-q", "-f", "."], words].concat());
    consume(&["-e", "--expect", "10"]).succeeds();
    consume(&["-e", "--expect", "11"])
        .exits(1)
        .prints("..........")
        .complains("11 records were expected, 10 came");
    consume(&["-e", "--fail-empty"]).succeeds();
    consume(&["-e", "--fail-empty", "--key", "nosuch"])
        .exits(1)
        .prints("")
        .complains("1 record was expected, none came");
    consume(&["--tail", "3", "--expect", "4"]).exits(1).prints("...");
    consume(&["--fail-empty"])
        .exits(2)
        .complains("--fail-empty needs an end to count at");
}

#[test]
fn what_grep_finds_is_what_the_pattern_finds_in_each_value_by_itself() {
    let shell = Shell::new();
    let value = |n: usize| match n % 5 {
        0 => format!("order {n}"),
        1 => format!("{n} paid by user-{}", n % 101),
        2 => String::new(),
        3 => format!("reorder{n}er {}", "x".repeat(n % 300)),
        _ => format!("Zürich {n} order"),
    };
    let values: Vec<String> = (0..4000).map(value).collect();
    let lines: Vec<String> = values
        .iter()
        .map(|value| format!("key-{value}\t{value}\n"))
        .collect();
    let lines = lines.concat();
    for codec in ["none", "zstd"] {
        let compression = format!("compression.type={codec}");
        let args = [codec, "-q", "-K", "\t", "-X", &compression];
        shell.produce(&args, &lines).succeeds();
        for pattern in [
            "^order",
            "order$",
            "\\border",
            "\\Border",
            "er 3[0-9]*$",
            "user-7\\b",
            "user.*7",
            "[0-9]+ paid",
            "(?i)zÜrich 1",
            "^$",
            "key-",
            "no such words",
            "x{200}",
            "",
        ] {
            let shown = shell
                .kafkit(&["consume", codec, "-q", "-e", "--grep", pattern])
                .succeeds()
                .stdout();
            let regex = regex::Regex::new(pattern).expect(pattern);
            let expected = values.iter().filter(|value| regex.is_match(value));
            let expected: Vec<&str> = expected.flat_map(|value| [value.as_str(), "\n"]).collect();
            assert_eq!(shown, expected.concat(), "{codec} {pattern}");
        }
        let last = values
            .iter()
            .rfind(|value| value.contains("user-7"))
            .expect("one");
        for words in [
            &["--tail", "1", "--grep", "user-7"][..],
            &["-e", "--key", &format!("key-{last}")],
            &[
                "-e",
                "--where",
                &format!("key == 'key-{last}' and value ~ 'paid'"),
            ],
        ] {
            let words = [&["consume", codec, "-q"], words].concat();
            shell.kafkit(&words).succeeds().prints(&format!("{last}\n"));
        }
    }
}

#[test]
fn nobody_waits_for_records_behind_the_end() {
    let orders = Orders::new();
    let begun = std::time::Instant::now();
    // So long a broker that is asked for what lies behind the end keeps the answer.
    let patient = ["-X", "fetch.wait.max.ms=300000"];
    for (words, shown) in [(&["--tail", "3"][..], "7 8 9"), (&["-o", "-1", "-e"], "8 9")] {
        let words = [&patient[..], words].concat();
        let mut ids: Vec<String> = orders.ids(&words).split(' ').map(str::to_owned).collect();
        ids.sort();
        assert_eq!(ids.join(" "), shown);
    }
    assert!(begun.elapsed() < Duration::from_secs(250));
}
