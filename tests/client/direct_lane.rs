//! The direct lane against a broker that misbehaves on demand: what is sent again and with which bytes, what bytes that
//! make no sense come to, and that every run ends.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{
    ApiKey, DescribeConfigsResponse, FetchRequest, FetchResponse, InitProducerIdResponse, ListOffsetsRequest,
    ListOffsetsResponse, MetadataRequest, ProduceRequest, ProduceResponse, TopicName,
};
use kafka_protocol::protocol::{Decodable, StrBytes};
use kafkit::records::batch_builder::{BatchBuilder, BatchOptions};
use kafkit::records::batch_header::{self, BatchHeader, set_base_offset};
use kafkit::records::{Codec, control_record::EndTransactionMarker};
use kafkit::wire::header::RequestHead;

use super::scripted_broker::{Reply, ScriptedBroker, body, cluster, framed, versions};
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

/// What a broker does with a batch that is sent to it; the number counts the requests from 0.
type OnProduce = dyn Fn(usize, &[u8]) -> Taken + Send + Sync;

#[derive(Clone, Copy)]
enum Taken {
    /// Answered with this code.
    Answer(i16),
    /// The answer does not mention the partition.
    LeftOut,
    HangUp,
    Silence,
}

/// One broker with the topic "t" of one partition.
pub(super) struct Lane {
    broker: ScriptedBroker,
    /// Every batch that came, in order.
    came: Arc<Mutex<Vec<Vec<u8>>>>,
}

pub(super) fn topic_name() -> TopicName {
    TopicName(StrBytes::from_static_str("t"))
}

fn describe(port: u16) -> kafka_protocol::messages::MetadataResponse {
    let partition = MetadataResponsePartition::default()
        .with_leader_id(1.into())
        .with_leader_epoch(0)
        .with_replica_nodes(vec![1.into()])
        .with_isr_nodes(vec![1.into()]);
    let topic = MetadataResponseTopic::default()
        .with_name(Some(topic_name()))
        .with_partitions(vec![partition]);
    cluster(&[port]).with_topics(vec![topic])
}

impl Lane {
    /// A broker that holds `log` (batches as they are fetched) up to the offset `end`.
    fn start(log: Vec<u8>, end: i64, on_produce: Box<OnProduce>) -> Self {
        let port: Arc<OnceLock<u16>> = Arc::default();
        let came: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let (known, seen) = (Arc::clone(&port), Arc::clone(&came));
        let broker =
            ScriptedBroker::plain(move |head: &RequestHead, request: Bytes| {
                match ApiKey::try_from(head.api_key).unwrap() {
                    ApiKey::ApiVersions => body(&served(), head),
                    ApiKey::Metadata => body(&describe(*known.wait()), head),
                    ApiKey::InitProducerId => body(
                        &InitProducerIdResponse::default().with_producer_id(7.into()),
                        head,
                    ),
                    ApiKey::ListOffsets => body(&offsets(&request, head.version, end), head),
                    ApiKey::Fetch => body(&fetched(&request, head.version, &log, end), head),
                    ApiKey::Produce => {
                        let batch = batch_in(request, head.version);
                        let number = {
                            let mut seen = seen.lock().unwrap();
                            seen.push(batch.clone());
                            seen.len() - 1
                        };
                        match on_produce(number, &batch) {
                            Taken::Answer(code) => body(&produced(Some(code)), head),
                            Taken::LeftOut => body(&produced(None), head),
                            Taken::HangUp => Reply::HangUp,
                            Taken::Silence => Reply::Silence,
                        }
                    }
                    _ => Reply::HangUp,
                }
            });
        port.set(broker.port).unwrap();
        Self { broker, came }
    }

    fn producing(on_produce: impl Fn(usize, &[u8]) -> Taken + Send + Sync + 'static) -> Self {
        Self::start(Vec::new(), 0, Box::new(on_produce))
    }

    pub(super) fn holding(log: Vec<u8>, end: i64) -> Self {
        Self::start(log, end, Box::new(|_, _| Taken::HangUp))
    }

    pub(super) fn address(&self) -> String {
        self.broker.address()
    }

    fn came(&self) -> Vec<Vec<u8>> {
        self.came.lock().unwrap().clone()
    }
}

pub(super) fn served() -> kafka_protocol::messages::ApiVersionsResponse {
    versions(&[
        (ApiKey::Produce, 3, 9),
        (ApiKey::Fetch, 4, 12),
        (ApiKey::ListOffsets, 1, 7),
        (ApiKey::ApiVersions, 0, 3),
        (ApiKey::Metadata, 1, 9),
        (ApiKey::InitProducerId, 0, 4),
    ])
}

pub(super) fn offsets(request: &Bytes, version: i16, end: i64) -> ListOffsetsResponse {
    let request = ListOffsetsRequest::decode(&mut request.clone(), version).unwrap();
    let asked = &request.topics[0].partitions[0];
    let answer = ListOffsetsPartitionResponse::default()
        .with_timestamp(-1)
        .with_offset(if asked.timestamp == -2 { 0 } else { end });
    let topic = ListOffsetsTopicResponse::default()
        .with_name(topic_name())
        .with_partitions(vec![answer]);
    ListOffsetsResponse::default().with_topics(vec![topic])
}

/// The log from the batch on that holds the offset asked for, as a broker sends it.
pub(super) fn fetched(request: &Bytes, version: i16, log: &[u8], end: i64) -> FetchResponse {
    let request = FetchRequest::decode(&mut request.clone(), version).unwrap();
    let offset = request.topics[0].partitions[0].fetch_offset;
    let mut rest = log;
    while let Ok(header) = BatchHeader::parse(rest)
        && header.next_offset() <= offset
    {
        rest = rest.get(header.size_in_bytes()..).unwrap_or_default();
    }
    if rest.is_empty() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let partition = PartitionData::default()
        .with_high_watermark(end)
        .with_last_stable_offset(end)
        .with_log_start_offset(0)
        .with_records(Some(Bytes::copy_from_slice(rest)));
    let topic = FetchableTopicResponse::default()
        .with_topic(topic_name())
        .with_partitions(vec![partition]);
    FetchResponse::default().with_responses(vec![topic])
}

fn batch_in(mut request: Bytes, version: i16) -> Vec<u8> {
    let request = ProduceRequest::decode(&mut request, version).unwrap();
    let records = request.topic_data[0].partition_data[0].records.clone();
    records.unwrap().to_vec()
}

fn produced(code: Option<i16>) -> ProduceResponse {
    let partitions = code.map(|code| {
        PartitionProduceResponse::default()
            .with_error_code(code)
            .with_base_offset(0)
    });
    let topic = TopicProduceResponse::default()
        .with_name(topic_name())
        .with_partition_responses(partitions.into_iter().collect());
    ProduceResponse::default().with_responses(vec![topic])
}

/// A batch of these values at `offset`.
pub(super) fn batch(offset: i64, codec: Codec, values: &[&str]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        codec,
        ..BatchOptions::default()
    });
    for value in values {
        builder.append(1000, None, Some(value.as_bytes()), &[]);
    }
    let mut bytes = builder.finish().unwrap();
    set_base_offset(&mut bytes, offset);
    bytes
}

fn consume(lane: &Lane, more: &[&str]) -> crate::support::suite::Outcome {
    let address = lane.address();
    let words = [&["consume", "t", "-q", "-b", &address], more].concat();
    Suite::new().run(words)
}

fn produce(lane: &Lane, input: &str, more: &[&str]) -> crate::support::suite::Outcome {
    let address = lane.address();
    let words = [&["produce", "t", "-b", &address], more].concat();
    Suite::new().run_with_input(words, input)
}

#[test]
fn what_may_be_written_is_sent_again_with_the_same_bytes() {
    for first in [
        Taken::HangUp,
        Taken::LeftOut,
        Taken::Answer(7),
        Taken::Answer(6),
        Taken::Answer(3),
    ] {
        let lane = Lane::producing(move |number, _| if number == 0 { first } else { Taken::Answer(0) });
        produce(&lane, "one\ntwo\n", &[])
            .succeeds()
            .complains("2 records to t, 0 failed");
        let came = lane.came();
        assert_eq!(came.len(), 2);
        assert_eq!(
            came[0], came[1],
            "the same batch, producer id and sequence numbers"
        );
        assert_eq!(BatchHeader::parse(&came[0]).unwrap().producer_id, 7);
    }
}

#[test]
fn a_duplicate_is_a_success_and_a_gap_begins_a_new_epoch() {
    let lane = Lane::producing(|_, _| Taken::Answer(46));
    produce(&lane, "one\n", &[])
        .succeeds()
        .complains("1 record to t, 0 failed");
    let lane = Lane::producing(|number, _| Taken::Answer(if number == 0 { 45 } else { 0 }));
    produce(&lane, "one\n", &[]).succeeds();
    let came = lane.came();
    let headers = came.iter().map(|batch| BatchHeader::parse(batch).unwrap());
    let names: Vec<(i16, i32)> = headers
        .map(|header| (header.producer_epoch, header.base_sequence))
        .collect();
    assert_eq!(names, [(0, 0), (1, 0)]);
}

#[test]
fn a_batch_that_is_too_large_is_cut_and_a_record_that_is_is_named() {
    let lane = Lane::producing(|_, batch| {
        let header = BatchHeader::parse(batch).unwrap();
        Taken::Answer(if header.records_count > 2 { 10 } else { 0 })
    });
    produce(&lane, "a\nb\nc\nd\ne\nf\ng\n", &[])
        .succeeds()
        .complains("7 records to t, 0 failed");
    let whole = lane
        .came()
        .into_iter()
        .map(|batch| BatchHeader::parse(&batch).unwrap());
    let taken: Vec<(i32, i32)> = whole
        .filter(|header| header.records_count <= 2)
        .map(|header| (header.base_sequence, header.records_count))
        .collect();
    let mut next = 0;
    for (sequence, count) in taken {
        assert_eq!(
            sequence, next,
            "the parts take up the sequence numbers of the whole"
        );
        next += count;
    }
    assert_eq!(next, 7);
    let lane = Lane::producing(|_, _| Taken::Answer(10));
    produce(&lane, "a\n", &[])
        .exits(1)
        .complains("line 1: not delivered to t-0");
}

#[test]
fn a_broker_that_says_nothing_is_told_of_and_waited_for_until_the_deadline() {
    let lane = Lane::producing(|_, _| Taken::Silence);
    let began = Instant::now();
    produce(&lane, "one\n", &["-X", "delivery.timeout.ms=3000"])
        .exits(1)
        .complains("t-0: its leader, broker 1, does not answer; waiting up to 3 s")
        .complains("line 1: not delivered to t-0: not acknowledged within 3 s, but may be written");
    produce(&lane, "one\ntwo\n", &["--timeout", "2s"])
        .exits(1)
        .complains("t-0: its leader, broker 1, does not answer; waiting up to 2 s")
        .complains("line 2: not delivered to t-0: not acknowledged within 2 s, but may be written");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_idle_connection_is_closed_and_opened_again_when_it_is_needed() {
    let lane = Lane::producing(|_, _| Taken::Answer(0));
    let idle = "connections.max.idle.ms=200";
    let suite = Suite::new();
    let mut command = suite.command(["produce", "t", "-b", &lane.address(), "-X", idle]);
    let mut child = command
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let connections = || lane.broker.connections.load(Ordering::SeqCst);
    let closed = || lane.broker.closed.load(Ordering::SeqCst);
    input.write_all(b"one\n").unwrap();
    wait_until("the first record", || lane.came().len() == 1);
    let before = connections();
    wait_until("every connection is closed", || closed() == before);
    input.write_all(b"two\n").unwrap();
    drop(input);
    let outcome = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&outcome.stderr);
    assert!(told.contains("2 records to t, 0 failed"), "{told}");
    assert!(connections() > before, "{told}");
}

/// The answer that comes then says nothing of the topic.
#[test]
fn a_topic_that_is_wanted_while_another_question_is_under_way_is_asked_for_next() {
    let port: Arc<OnceLock<u16>> = Arc::default();
    let known = Arc::clone(&port);
    let (asked, is_asked) = mpsc::channel();
    let (asked, owed) = (Mutex::new(asked), Mutex::new(None::<RequestHead>));
    let broker = ScriptedBroker::plain(move |head: &RequestHead, request: Bytes| {
        match ApiKey::try_from(head.api_key).unwrap() {
            ApiKey::ApiVersions => body(
                &versions(&[
                    (ApiKey::Produce, 3, 9),
                    (ApiKey::ApiVersions, 0, 3),
                    (ApiKey::Metadata, 1, 9),
                    (ApiKey::DescribeConfigs, 1, 4),
                ]),
                head,
            ),
            ApiKey::Metadata => {
                let request = MetadataRequest::decode(&mut request.clone(), head.version).unwrap();
                if request.topics.is_some_and(|topics| topics.is_empty()) {
                    *owed.lock().unwrap() = Some(head.clone());
                    asked.lock().unwrap().send(()).unwrap();
                    return Reply::Silence;
                }
                body(&describe(*known.wait()), head)
            }
            // The client wants the topic: what it was owed comes first.
            ApiKey::DescribeConfigs => {
                let owed = owed.lock().unwrap().take();
                let nothing = |head: &RequestHead| body(&cluster(&[*known.wait()]), head);
                let answers = [
                    owed.map(|head| (nothing(&head), head)),
                    Some((body(&DescribeConfigsResponse::default(), head), head.clone())),
                ];
                let frames = answers
                    .into_iter()
                    .flatten()
                    .filter_map(|(reply, head)| match reply {
                        Reply::Body(bytes) => Some(framed(&head, &bytes)),
                        _ => None,
                    });
                Reply::Raw(frames.flatten().collect())
            }
            ApiKey::Produce => body(&produced(Some(0)), head),
            _ => Reply::HangUp,
        }
    });
    port.set(broker.port).unwrap();
    let address = broker.address();
    let line = ["produce", "t", "-b", &address, "--timeout", "20s"];
    // What is asked for once more only after a pause is not asked for in time.
    let settings = ["retry.backoff.ms=3600000", "retry.backoff.max.ms=3600000"];
    let settings = settings.map(|setting| ["-X", setting]).concat();
    let suite = Suite::new();
    let mut command = suite.command([&line[..], &["-X", "enable.idempotence=false"], &settings].concat());
    let mut child = command
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    is_asked.recv_timeout(Duration::from_secs(60)).unwrap();
    child.stdin.take().unwrap().write_all(b"one\n").unwrap();
    let outcome = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&outcome.stderr);
    // Nothing is said of a topic that is waited for.
    assert_eq!(told, "1 record to t, 0 failed\n");
}

#[test]
fn bytes_that_are_no_records_end_with_their_place() {
    let good = batch(0, Codec::None, &["one", "two"]);
    let mut bad_crc = batch(2, Codec::None, &["three", "four"]);
    *bad_crc.last_mut().unwrap() ^= 1;
    let mut cut_gzip = batch(2, Codec::Gzip, &[&"x".repeat(5000)]);
    cut_gzip.truncate(cut_gzip.len() - 12);
    batch_header::set_codec(&mut cut_gzip, Codec::Gzip);
    let mut no_codec = batch(2, Codec::None, &["three"]);
    no_codec[22] |= 7;
    batch_header::set_crc(&mut no_codec);
    let mut counts_more = batch(2, Codec::None, &["three"]);
    counts_more[57..61].copy_from_slice(&9_i32.to_be_bytes());
    batch_header::set_crc(&mut counts_more);
    for (bad, told) in [
        (
            bad_crc,
            "t-0 offset 2: damaged batch of offsets 2 to 3: its checksum does not match",
        ),
        (cut_gzip, "t-0 offset 2: damaged batch of offsets 2 to 2: "),
        (no_codec, "t-0 offset 2: damaged batch of offsets 2 to 2: "),
        (
            counts_more,
            "t-0 offset 2: damaged batch of offsets 2 to 2: record batch declares 9 records",
        ),
    ] {
        let next = BatchHeader::parse(&bad).unwrap().next_offset();
        let log = [good.clone(), bad, batch(next, Codec::None, &["last"])].concat();
        let lane = Lane::holding(log, next + 1);
        let outcome = consume(&lane, &["-e"]).exits(6).complains(told);
        assert!(outcome.stdout().starts_with("one\ntwo\n"), "{outcome:?}");
        let outcome = consume(&lane, &["-e", "--skip-corrupt"])
            .succeeds()
            .complains(told);
        assert!(outcome.stdout().starts_with("one\ntwo\n"), "{outcome:?}");
        assert!(outcome.stdout().ends_with("last\n"), "{outcome:?}");
    }
    for garbage in [vec![0_u8; 40], vec![0xff; 70], b"not a record batch".repeat(20)] {
        let lane = Lane::holding([good.clone(), garbage].concat(), 9);
        consume(&lane, &["-e"])
            .exits(6)
            .prints("one\ntwo\n")
            .complains("t-0 offset 2: damaged batch: ");
    }
}

#[test]
fn markers_and_gaps_and_empty_batches_are_passed_by_position() {
    let mut emptied = batch(2, Codec::None, &["gone"]);
    emptied.truncate(61);
    emptied[57..61].copy_from_slice(&0_i32.to_be_bytes());
    batch_header::set_codec(&mut emptied, Codec::None);
    let marker = EndTransactionMarker {
        committed: true,
        coordinator_epoch: 0,
    };
    let mut marker = marker.to_batch(5, 0, 1000);
    set_base_offset(&mut marker, 9);
    let log = [
        batch(0, Codec::Zstd, &["one", "two"]),
        emptied,
        batch(7, Codec::Lz4, &["eight", "nine"]),
        marker,
    ];
    let lane = Lane::holding(log.concat(), 10);
    consume(&lane, &["-e"])
        .succeeds()
        .prints("one\ntwo\neight\nnine\n");
    consume(&lane, &["-e", "-o", "8"]).succeeds().prints("nine\n");
    consume(&lane, &["-e", "-n", "1", "-o", "1", "-f", "%o %s\n"])
        .succeeds()
        .prints("1 two\n");
}
