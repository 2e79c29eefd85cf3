//! A partition whose leader is lost while it is read: the user is told soon, and a run that has an end ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::{ApiKey, FetchResponse, MetadataResponse};
use kafkit::records::Codec;
use kafkit::wire::header::RequestHead;

use super::direct_lane::{batch, fetched, offsets, served, topic_name};
use super::scripted_broker::{Reply, ScriptedBroker, body, cluster};
use crate::support::suite::Suite;

/// `NOT_LEADER_OR_FOLLOWER`.
const NOT_LEADER: i16 = 6;

/// How the leader is lost after the first batch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loss {
    /// It takes requests and answers none, as a process that was stopped.
    Silent,
    /// It is the leader no more, and no other broker is.
    NoneElected,
}

fn describe(port: u16, has_leader: bool) -> MetadataResponse {
    let partition = MetadataResponsePartition::default()
        .with_leader_id(if has_leader { 1 } else { -1 }.into())
        .with_leader_epoch(i32::from(!has_leader))
        .with_replica_nodes(vec![1.into(), 2.into()])
        .with_isr_nodes(vec![2.into()])
        .with_offline_replicas(if has_leader { vec![] } else { vec![2.into()] });
    let topic = MetadataResponseTopic::default()
        .with_name(Some(topic_name()))
        .with_partitions(vec![partition]);
    cluster(&[port]).with_topics(vec![topic])
}

fn refused(code: i16) -> FetchResponse {
    let partition = PartitionData::default().with_error_code(code);
    let topic = FetchableTopicResponse::default()
        .with_topic(topic_name())
        .with_partitions(vec![partition]);
    FetchResponse::default().with_responses(vec![topic])
}

/// A broker with four records, of which the second two cannot be had.
fn broker(loss: Loss) -> ScriptedBroker {
    let port: Arc<OnceLock<u16>> = Arc::default();
    let known = Arc::clone(&port);
    let fetches = AtomicUsize::new(0);
    let log = batch(0, Codec::None, &["one", "two"]);
    let broker = ScriptedBroker::plain(move |head: &RequestHead, request: Bytes| {
        let is_lost = fetches.load(Ordering::SeqCst) > 0;
        if is_lost && loss == Loss::Silent {
            return Reply::Silence;
        }
        match ApiKey::try_from(head.api_key).unwrap() {
            ApiKey::ApiVersions => body(&served(), head),
            ApiKey::Metadata => body(&describe(*known.wait(), !is_lost), head),
            ApiKey::ListOffsets => body(&offsets(&request, head.version, 4), head),
            ApiKey::Fetch if fetches.fetch_add(1, Ordering::SeqCst) == 0 => {
                body(&fetched(&request, head.version, &log, 4), head)
            }
            ApiKey::Fetch => body(&refused(NOT_LEADER), head),
            _ => Reply::HangUp,
        }
    });
    port.set(broker.port).unwrap();
    broker
}

/// What the user is told of each.
const TROUBLES: [(Loss, &str); 2] = [
    (Loss::Silent, "its leader, broker 1, does not answer"),
    (Loss::NoneElected, "no leader, and replica 2 is down"),
];

#[test]
fn a_run_to_the_end_names_the_partition_within_two_seconds_and_ends_at_the_deadline() {
    for (loss, trouble) in TROUBLES {
        let broker = broker(loss);
        let began = Instant::now();
        let address = broker.address();
        // What is said at all is said before the run ends, 2 s after the leader was lost.
        Suite::new()
            .run(["consume", "t", "-e", "-b", &address, "--timeout", "2s"])
            .exits(3)
            .prints("one\ntwo\n")
            .complains(&format!("t-0: {trouble}; waiting up to 2 s"))
            .complains(&format!("t-0: not readable for 2 s: {trouble}"));
        assert!(began.elapsed() < Duration::from_secs(6), "{loss:?}");
    }
}

#[test]
fn a_range_and_the_last_records_have_an_end_too() {
    for (loss, trouble) in TROUBLES {
        for (words, printed) in [(["-o", "0..4"], "one\ntwo\n"), (["--tail", "3"], "")] {
            let broker = broker(loss);
            let began = Instant::now();
            let address = broker.address();
            let run = [&["consume", "t", "-b", &address, "--timeout", "2s"], &words[..]].concat();
            Suite::new()
                .run(run)
                .exits(3)
                .prints(printed)
                .complains(&format!("t-0: {trouble}; waiting up to 2 s"))
                .complains(&format!("t-0: not readable for 2 s: {trouble}"));
            assert!(began.elapsed() < Duration::from_secs(6), "{loss:?} {words:?}");
        }
    }
}
