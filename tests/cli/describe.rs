//! `kafkit describe …`, on the mini broker.

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::shell::Shell;
use crate::support::suite::{Outcome, Suite};
use crate::support::terminal::Terminal;

fn describe(cluster: &Cluster, words: &[&str]) -> Outcome {
    let bootstrap = cluster.bootstrap();
    Suite::new().run([&["describe"], words, &["-b", &bootstrap]].concat())
}

fn json(cluster: &Cluster, words: &[&str]) -> Value {
    let outcome = describe(cluster, &[words, &["-o", "json"]].concat()).succeeds();
    serde_json::from_slice(&outcome.stdout).expect("JSON and nothing else")
}

fn create(cluster: &Cluster, words: &[&str]) {
    let bootstrap = cluster.bootstrap();
    let words = [&["topics", "create"], words, &["-b", &bootstrap]].concat();
    Suite::new().run(words).succeeds();
}

#[test]
fn the_cluster_names_its_brokers() {
    let cluster = Cluster::start();
    create(&cluster, &["a", "--partitions", "3"]);
    let described = json(&cluster, &["cluster"]);
    assert_eq!(described["topics"], 1);
    assert_eq!(described["partitions"], 3);
    assert_eq!(described["under_replicated"], 0);
    let broker = &described["brokers"][0];
    let address = format!("{}:{}", broker["host"].as_str().unwrap(), broker["port"]);
    assert_eq!(address, cluster.bootstrap());
    describe(&cluster, &["broker", "99"])
        .exits(5)
        .complains("broker 99 is not up");
}

#[test]
fn a_topic_shows_each_partition() {
    let cluster = Cluster::start();
    create(
        &cluster,
        &["a", "--partitions", "2", "-c", "retention.ms=3600000"],
    );
    let text = describe(&cluster, &["topic", "a"]).succeeds().stdout();
    let (head, rows) = text.split_once("\n\n").expect("a line, then a table");
    assert!(
        head.starts_with("a   2 partitions, 1 replica, 0 offsets, 0 B   id "),
        "{head}"
    );
    assert!(
        head.ends_with("cleanup delete, retention 1 h\nset on it: retention.ms=3600000"),
        "{head}"
    );
    assert_eq!(
        rows.lines().next(),
        Some("PARTITION  LEADER  REPLICAS  ISR  FIRST  NEXT  SIZE")
    );
    assert_eq!(rows.lines().count(), 3);
    describe(&cluster, &["topic", "b"])
        .exits(5)
        .complains("topic \"b\" not found");
}

#[test]
fn configs_tell_where_they_come_from() {
    let cluster = Cluster::start();
    create(&cluster, &["a", "-c", "max.message.bytes=2000"]);
    let own = json(&cluster, &["config", "topic", "a"]);
    let found = own
        .as_array()
        .unwrap()
        .iter()
        .find(|config| config["name"] == "max.message.bytes");
    assert_eq!(found.unwrap()["value"], "2000");
    assert_eq!(found.unwrap()["source"], "topic");
    let all = json(&cluster, &["config", "topic", "a", "--all"]);
    assert!(all.as_array().unwrap().len() > 20);
    describe(&cluster, &["config", "topic", "nosuch"]).exits(5);
}

#[test]
fn log_dirs_tell_what_lies_in_them() {
    let cluster = Cluster::start();
    create(&cluster, &["a", "--partitions", "2"]);
    let dirs = json(&cluster, &["log-dirs"]);
    assert_eq!(dirs[0]["log_dir"], cluster.data_dir().to_str().unwrap());
    assert_eq!(dirs[0]["replicas"], 2);
    let replicas = json(&cluster, &["log-dirs", "--replicas"]);
    assert_eq!(replicas[1]["topic"], "a");
    assert_eq!(replicas[1]["partition"], 1);
}

#[test]
fn a_group_that_is_not_there_is_not_found() {
    let cluster = Cluster::start();
    describe(&cluster, &["group", "nosuch"])
        .exits(5)
        .complains("group \"nosuch\" not found");
    describe(&cluster, &["group"]).succeeds().prints("");
}

/// Five records from long ago, of which the group has read two.
fn cluster_with_a_group_behind() -> Cluster {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    let old = [
        "produce",
        "t",
        "-b",
        &address,
        "--timestamp",
        "2020-01-01T00:00:00Z",
    ];
    suite.run_with_input(old, "1\n2\n3\n4\n5\n").succeeds();
    let read = ["consume", "t", "-b", &address, "--group", "g", "-n", "2"];
    suite.run(read).succeeds().prints("1\n2\n");
    cluster
}

#[test]
fn a_group_tells_how_long_its_first_record_waits() {
    let cluster = cluster_with_a_group_behind();
    let group = &json(&cluster, &["group", "g"])[0];
    assert_eq!(group["lag"], 3);
    let waits = group["partitions"][0]["lag_ms"].as_i64().unwrap();
    let since_2020 = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_577_836_800))
        .unwrap();
    let late = since_2020.as_millis() as i64 - waits;
    assert!((0..600_000).contains(&late), "{waits} ms");
    let tsv = describe(&cluster, &["group", "g", "-o", "tsv"])
        .succeeds()
        .stdout();
    let heading = tsv.lines().next();
    assert_eq!(
        heading,
        Some("GROUP\tTOPIC\tPARTITION\tCOMMITTED\tEND\tLAG\tLAG_MS\tMEMBER"),
        "no blanks, and the unit in the name"
    );
    let table = describe(&cluster, &["group", "g"]).succeeds().stdout();
    assert!(
        table.contains("LAG  LAG TIME") && table.contains("lag 3 records, about "),
        "{table}"
    );

    let rest = [
        "consume",
        "t",
        "-b",
        &cluster.bootstrap(),
        "--group",
        "g",
        "-e",
        "-q",
    ];
    Suite::new().run(rest).succeeds();
    assert_eq!(json(&cluster, &["group", "g"])[0]["partitions"][0]["lag_ms"], 0);
}

#[test]
fn a_watched_group_is_looked_at_again_until_somebody_has_seen_enough() {
    let cluster = cluster_with_a_group_behind();
    let terminal = Terminal::new();
    let address = cluster.bootstrap();
    let watch = terminal.start(&format!("kafkit describe group g -b {address} --watch=1 -o name"));
    watch.prints("g\ng\n");
    watch.interrupt();
    let watch = terminal.start(&format!("kafkit describe group g -b {address} --watch=1"));
    watch.prints_at_last("██\n");
    let shown = watch.interrupt();
    assert!(
        shown.contains(", steady\n") && shown.contains("LAG OVER TIME"),
        "{shown}"
    );
}

#[test]
fn a_transaction_shows_its_producer_and_partitions() {
    let cluster = Cluster::start();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("transactional.id", "copier")
        .create()
        .unwrap();
    let patience = Duration::from_secs(30);
    producer.init_transactions(patience).unwrap();
    producer.begin_transaction().unwrap();
    let record = BaseRecord::<str, str>::to("a").payload("one");
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(patience).unwrap();
    let open = json(&cluster, &["transaction", "copier"]);
    assert_eq!(open[0]["state"], "Ongoing");
    assert_eq!(open[0]["partitions"], serde_json::json!(["a-0"]));
    assert!(open[0]["open_ms"].as_i64().unwrap() >= 0, "{open}");
    producer.commit_transaction(patience).unwrap();
    let ended = json(&cluster, &["transaction", "copier"]);
    assert_eq!(ended[0]["state"], "CompleteCommit");
    assert_eq!(
        (&ended[0]["open_ms"], &ended[0]["partitions"]),
        (&Value::Null, &serde_json::json!([]))
    );
    describe(&cluster, &["transaction", "-o", "name"]).prints("copier\n");
    let list = describe(&cluster, &["transaction"]).succeeds().stdout();
    let words: Vec<_> = list.lines().next_back().unwrap().split_whitespace().collect();
    assert_eq!((words[0], words[1]), ("copier", "CompleteCommit"), "{list}");
    describe(&cluster, &["transaction", "copiers"])
        .exits(5)
        .complains("transactional id \"copiers\" not found; did you mean \"copier\"?");
}

#[test]
fn a_name_that_is_given_twice_is_shown_once() {
    let shell = Shell::new();
    shell.kafkit(&["topics", "create", "t", "-q"]).succeeds();
    shell.produce(&["t"], "1\n").succeeds();
    shell.kafkit(&["consume", "t", "-g", "g", "-e", "-q"]).succeeds();
    for words in [
        &["describe", "broker", "1", "1"][..],
        &["describe", "group", "g", "g"],
        &["describe", "topic", "t", "t"],
    ] {
        let outcome = shell.kafkit(&[words, &["-o", "json"]].concat());
        let rows: serde_json::Value = serde_json::from_slice(&outcome.succeeds().stdout).unwrap();
        assert_eq!(rows.as_array().map(Vec::len), Some(1), "{words:?}: {rows}");
    }
}
