//! Conversations with a broker, request by request in every version, held against those that Apache Kafka 4.3.1 had
//! (`tests/golden/*-transcript.txt`). To record them anew run these tests with `KAFKIT_RECORD_FROM=HOST:PORT` on one
//! node with `num.partitions=1`, `broker.rack=rack1`, automatic topics, `group.min.session.timeout.ms=1000` and
//! `group.initial.rebalance.delay.ms=0` and `group.consumer.assignment.interval.ms=0`; to hold them against that node, with `KAFKIT_TRANSCRIPTS_ON`.

mod batches;
mod consumer_group_talk;
mod consumer_groups;
mod conversation;
mod damaged_batches;
mod fetches;
mod group_talk;
mod groups;
mod mixed_groups;
mod oddities;
mod records;
mod repeated_changes;
mod topics;
mod transaction_talk;
mod transactions;

use std::path::Path;

use self::conversation::Conversation;
use self::group_talk::Talk;
use self::transaction_talk::TransactionTalk;
use crate::support::cluster::Cluster;

#[test]
fn topics_configs_and_records_answer_as_apache_kafka_does() {
    holds("protocol-transcript.txt", |bootstrap| {
        Conversation::with(bootstrap, "protocol").all()
    });
}

#[test]
fn batches_are_taken_or_refused_as_apache_kafka_does() {
    holds("batch-transcript.txt", |bootstrap| {
        Conversation::with(bootstrap, "batch").batches()
    });
}

#[test]
fn requests_that_repeat_themselves_answer_as_apache_kafka_does() {
    holds("oddity-transcript.txt", |bootstrap| {
        Conversation::with(bootstrap, "odd").oddities()
    });
}

#[test]
fn groups_answer_as_apache_kafka_does() {
    holds("group-transcript.txt", |bootstrap| {
        Talk::with(bootstrap, "groups").all()
    });
}

#[test]
fn groups_of_the_consumer_protocol_answer_as_apache_kafka_does() {
    holds("consumer-group-transcript.txt", |bootstrap| {
        Talk::with(bootstrap, "consumer").consumer_groups()
    });
}

#[test]
fn transactions_answer_as_apache_kafka_does() {
    holds("transaction-transcript.txt", |bootstrap| {
        TransactionTalk::with(bootstrap).all()
    });
}

#[test]
fn groups_with_members_of_both_protocols_answer_as_apache_kafka_does() {
    holds("mixed-group-transcript.txt", |bootstrap| {
        let mut talk = Talk::with(bootstrap, "mixed");
        talk.create_topic("t", 6);
        talk.find_coordinator();
        talk.wait_until_assignable("t");
        talk.mixed_groups();
        talk.transcript
    });
}

/// Has the conversation with the mini broker, and holds it against Kafka's.
fn holds(golden: &str, conversation: impl Fn(&str) -> String) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(golden);
    if let Ok(kafka) = std::env::var("KAFKIT_RECORD_FROM") {
        std::fs::write(golden, conversation(&kafka)).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(golden).unwrap();
    let seen = if let Ok(kafka) = std::env::var("KAFKIT_TRANSCRIPTS_ON") {
        conversation(&kafka)
    } else {
        let cluster = Cluster::start_with(&["broker.rack=rack1", "group.consumer.assignment.interval.ms=0"]);
        conversation(&cluster.bootstrap())
    };
    let pairs = seen.lines().zip(wanted.lines());
    let differences: Vec<_> = pairs
        .filter(|(seen, wanted)| seen != wanted)
        .map(|(seen, wanted)| format!("- {wanted}\n+ {seen}"))
        .collect();
    assert!(
        differences.is_empty(),
        "Kafka (-) and we (+):\n{}",
        differences.join("\n")
    );
    assert_eq!(seen.lines().count(), wanted.lines().count());
}
