//! `kafkit transactions …`, on the mini broker.

use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};

const PATIENCE: Duration = Duration::from_secs(30);

/// A cluster with an open transaction of `copier`, which has written one record to `a`.
struct OpenTransaction {
    cluster: Cluster,
    suite: Suite,
    producer: BaseProducer,
}

impl OpenTransaction {
    fn begin() -> Self {
        let cluster = Cluster::start();
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap())
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
        Self {
            cluster,
            suite: Suite::new(),
            producer,
        }
    }

    fn run(&self, words: &[&str]) -> Outcome {
        let address = self.cluster.bootstrap();
        self.suite.run([words, &["-b", &address]].concat())
    }
}

#[test]
fn an_open_transaction_is_listed_and_described() {
    let open = OpenTransaction::begin();
    let listed = open
        .run(&["transactions", "list", "-o", "tsv"])
        .succeeds()
        .stdout();
    assert!(
        listed.lines().any(|line| line.starts_with("copier\tOngoing\t")),
        "{listed}"
    );
    let described = open
        .run(&["transactions", "describe", "copier"])
        .succeeds()
        .stdout();
    assert!(
        described.contains("Ongoing") && described.contains("a-0"),
        "{described}"
    );
    let producers = open
        .run(&["describe", "producers", "a", "-o", "json"])
        .succeeds()
        .stdout();
    let producers: serde_json::Value = serde_json::from_str(&producers).expect("JSON and nothing else");
    assert_eq!(producers[0]["transaction_start"], 0, "{producers}");
    assert_eq!(producers[0]["last_sequence"], 0, "{producers}");
}

#[test]
fn a_transaction_that_the_coordinator_knows_does_not_hang() {
    let open = OpenTransaction::begin();
    open.run(&["transactions", "find-hanging", "a", "--longer-than", "1ms"])
        .succeeds()
        .prints("")
        .complains("no hanging transactions");
    let abort = [
        "transactions",
        "abort",
        "--hanging",
        "a:0",
        "--longer-than",
        "1ms",
    ];
    open.run(&abort).succeeds().complains("no hanging transactions");
}

#[test]
fn an_open_transaction_is_aborted_after_a_look() {
    let open = OpenTransaction::begin();
    let abort = ["transactions", "abort", "copier"];
    open.run(&abort)
        .exits(2)
        .prints("")
        .complains("would abort 1 transaction (copier); without a terminal say --yes");
    open.run(&[&abort[..], &["--dry-run", "-o", "name"]].concat())
        .succeeds()
        .prints("copier\n")
        .complains("would abort 1 transaction");
    open.run(&[&abort[..], &["--yes", "-o", "name"]].concat())
        .succeeds()
        .prints("copier\n")
        .complains("aborted 1 transaction");
    let described = open
        .run(&["transactions", "describe", "copier"])
        .succeeds()
        .stdout();
    assert!(!described.contains("Ongoing"), "{described}");
    open.run(&["consume", "a", "-e", "-q", "--isolation", "read_committed"])
        .succeeds()
        .prints("");
    assert!(
        open.producer.commit_transaction(PATIENCE).is_err(),
        "the producer is fenced"
    );
    open.run(&[&abort[..], &["--yes"]].concat())
        .succeeds()
        .prints("")
        .complains("copier has no open transaction");
    open.run(&["transactions", "abort", "copie", "--yes"])
        .exits(5)
        .complains("transactional id \"copie\" not found; did you mean \"copier\"?");
}
