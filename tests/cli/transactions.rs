//! `kafkit transactions …`, on the mini broker.

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn an_open_transaction_is_aborted_after_a_look() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    let run = |words: &[&str]| suite.run([words, &["-b", &address]].concat());
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &address)
        .set("transactional.id", "copier")
        .create()
        .expect("a producer");
    producer
        .init_transactions(PATIENCE)
        .expect("a transactional producer");
    producer.begin_transaction().expect("a transaction");
    let record = BaseRecord::<str, str>::to("a").payload("one");
    producer
        .send(record)
        .map_err(|(error, _)| error)
        .expect("room in the queue");
    producer.flush(PATIENCE).expect("every record delivered");

    let listed = run(&["transactions", "list", "-o", "tsv"]).succeeds().stdout();
    assert!(
        listed.lines().any(|line| line.starts_with("copier\tOngoing\t")),
        "{listed}"
    );
    let abort = ["transactions", "abort", "copier"];
    run(&abort)
        .exits(2)
        .prints("")
        .complains("would abort 1 transaction (copier); without a terminal say --yes");
    let dry = run(&[&abort[..], &["--dry-run", "-o", "name"]].concat());
    dry.succeeds()
        .prints("copier\n")
        .complains("would abort 1 transaction");
    let described = run(&["transactions", "describe", "copier"]).succeeds().stdout();
    assert!(
        described.contains("Ongoing") && described.contains("a-0"),
        "{described}"
    );

    let producers = run(&["describe", "producers", "a", "-o", "json"])
        .succeeds()
        .stdout();
    let producers: serde_json::Value = serde_json::from_str(&producers).expect("JSON and nothing else");
    assert_eq!(producers[0]["transaction_start"], 0, "{producers}");
    assert_eq!(producers[0]["last_sequence"], 0, "{producers}");
    // The coordinator knows of it, so that it does not hang.
    let find = ["transactions", "find-hanging", "a", "--longer-than", "1ms"];
    run(&find)
        .succeeds()
        .prints("")
        .complains("no hanging transactions");
    run(&[
        "transactions",
        "abort",
        "--hanging",
        "a:0",
        "--longer-than",
        "1ms",
    ])
    .succeeds()
    .complains("no hanging transactions");

    run(&[&abort[..], &["--yes", "-o", "name"]].concat())
        .succeeds()
        .prints("copier\n")
        .complains("aborted 1 transaction");
    let described = run(&["transactions", "describe", "copier"]).succeeds().stdout();
    assert!(!described.contains("Ongoing"), "{described}");
    run(&["consume", "a", "-e", "-q", "--isolation", "read_committed"])
        .succeeds()
        .prints("");
    assert!(
        producer.commit_transaction(PATIENCE).is_err(),
        "the producer is fenced"
    );
    run(&[&abort[..], &["--yes"]].concat())
        .succeeds()
        .prints("")
        .complains("copier has no open transaction");
    run(&["transactions", "abort", "copie", "--yes"])
        .exits(5)
        .complains("transactional id \"copie\" not found; did you mean \"copier\"?");
}
