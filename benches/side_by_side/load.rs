//! A client that costs nearly nothing: sends ready-made record batches and reads fetched bytes without parsing them, so
//! that the broker is measured.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ApiVersionsRequest, BrokerId, CreateTopicsRequest, EndTxnRequest, FetchRequest, FindCoordinatorRequest,
    InitProducerIdRequest, MetadataRequest, ProduceRequest, RequestHeader, TopicName, TransactionalId,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use kafkit::records::batch_builder::{BatchBuilder, BatchOptions, Producer};
use kafkit::records::producer_fields;

/// One connection to a broker.
#[derive(Debug)]
pub struct Load {
    stream: TcpStream,
    buffer: Vec<u8>,
    unanswered: usize,
}

impl Load {
    /// Connects as soon as the broker listens, and returns once it has answered ApiVersions.
    pub fn connect(address: &str, patience: Duration) -> Self {
        let deadline = Instant::now() + patience;
        let stream = loop {
            match TcpStream::connect(address) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "{address}: {error}"),
            }
            std::thread::sleep(Duration::from_micros(100));
        };
        stream.set_nodelay(true).expect("nodelay");
        let mut load = Self {
            stream,
            buffer: Vec::new(),
            unanswered: 0,
        };
        load.ask(&ApiVersionsRequest::default(), 0);
        load
    }

    pub fn create_topic(&mut self, name: &str) {
        let topic = CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(1)
            .with_replication_factor(1);
        let response = self.ask(
            &CreateTopicsRequest::default()
                .with_topics(vec![topic])
                .with_timeout_ms(10_000),
            5,
        );
        let code = response.topics[0].error_code;
        assert!(code == 0 || code == 36, "create topic: error {code}");
        self.await_leader(name);
    }

    /// Waits for a leader: a cluster reports that a topic is created before its leader knows.
    fn await_leader(&mut self, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let response = self.ask(&fetch_request(name, 0, 1), FETCH_VERSION);
            if response.responses[0].partitions[0].error_code == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "{name} never has a leader");
        }
    }

    /// Creates a topic of one partition with a replica on each of these brokers, the first of which leads it.
    pub fn create_topic_on(&mut self, name: &str, brokers: &[i32]) {
        let assignment = CreatableReplicaAssignment::default()
            .with_broker_ids(brokers.iter().map(|id| BrokerId(*id)).collect());
        let topic = CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(-1)
            .with_replication_factor(-1)
            .with_assignments(vec![assignment]);
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(10_000);
        let code = self.ask(&request, 5).topics[0].error_code;
        assert_eq!(code, 0, "create topic: error {code}");
    }

    /// Creates topics of one partition.
    pub fn create_topics(&mut self, names: &[String]) {
        let topics = names.iter().map(|name| {
            CreatableTopic::default()
                .with_name(topic_name(name))
                .with_num_partitions(1)
                .with_replication_factor(1)
        });
        let request = CreateTopicsRequest::default()
            .with_topics(topics.collect())
            .with_timeout_ms(60_000);
        let response = self.ask(&request, 5);
        assert!(
            response.topics.iter().all(|topic| topic.error_code == 0),
            "create topics"
        );
    }

    /// How many topics there are.
    pub fn count_topics(&mut self) -> usize {
        self.ask(&MetadataRequest::default().with_topics(None), 8)
            .topics
            .len()
    }

    /// Initialises a transactional producer.
    pub fn init_producer(&mut self, id: &str) -> Producer {
        // FindCoordinator makes a cluster create the topic of transactions.
        let find = FindCoordinatorRequest::default()
            .with_key(StrBytes::from_string(id.to_owned()))
            .with_key_type(1);
        self.until_ready(|load| (load.ask(&find, 2).error_code, ()));
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(transactional_id(id)))
            .with_transaction_timeout_ms(60_000)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        let response = self.until_ready(|load| {
            let response = load.ask(&request, 4);
            (response.error_code, response)
        });
        Producer {
            id: response.producer_id.0,
            epoch: response.producer_epoch,
            base_sequence: 0,
        }
    }

    /// One transaction of one batch (KIP-890); returns the producer after it.
    pub fn transact(&mut self, topic: &str, id: &str, producer: Producer, mut batch: Vec<u8>) -> Producer {
        producer_fields::stamp(&mut batch, producer);
        let partition = PartitionProduceData::default().with_records(Some(batch.into()));
        let topic = TopicProduceData::default()
            .with_name(topic_name(topic))
            .with_partition_data(vec![partition]);
        let produce = ProduceRequest::default()
            .with_transactional_id(Some(transactional_id(id)))
            .with_acks(-1)
            .with_timeout_ms(10_000)
            .with_topic_data(vec![topic]);
        self.until_ready(|load| {
            let response = load.ask(&produce, 12);
            (response.responses[0].partition_responses[0].error_code, ())
        });
        let end = EndTxnRequest::default()
            .with_transactional_id(transactional_id(id))
            .with_producer_id(producer.id.into())
            .with_producer_epoch(producer.epoch)
            .with_committed(true);
        let response = self.until_ready(|load| {
            let response = load.ask(&end, 5);
            (response.error_code, response)
        });
        Producer {
            id: response.producer_id.0,
            epoch: response.producer_epoch,
            base_sequence: 0,
        }
    }

    /// Retries at once, as long as the coordinator is busy or not available yet.
    fn until_ready<T>(&mut self, mut ask: impl FnMut(&mut Self) -> (i16, T)) -> T {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match ask(self) {
                (0, answer) => return answer,
                (14 | 15 | 16 | 51, _) => {
                    assert!(Instant::now() < deadline, "the coordinator is never ready");
                }
                (code, _) => panic!("error {code}"),
            }
        }
    }

    /// Sends a record batch with acks=all and waits for its acknowledgement.
    pub fn produce(&mut self, topic: &str, batch: Bytes) {
        let partition = PartitionProduceData::default().with_records(Some(batch));
        let topic = TopicProduceData::default()
            .with_name(topic_name(topic))
            .with_partition_data(vec![partition]);
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(10_000)
            .with_topic_data(vec![topic]);
        let response = self.ask(&request, 8);
        let code = response.responses[0].partition_responses[0].error_code;
        assert_eq!(code, 0, "produce: error {code}");
    }

    /// Fetches from `offset` on; returns how many bytes came, without looking at them.
    pub fn fetch(&mut self, topic: &str, offset: i64, max_bytes: i32) -> usize {
        self.send(&fetch_request(topic, offset, max_bytes), FETCH_VERSION);
        self.receive()
    }

    /// Sends a record batch with acks=all, with up to five requests in flight.
    pub fn produce_unanswered(&mut self, topic: &str, batch: &[u8]) {
        if self.unanswered >= 5 {
            self.receive_acknowledgement(topic);
            self.unanswered -= 1;
        }
        // The request of version 8 around the batch, which is not copied.
        let mut head = BytesMut::new();
        let header = RequestHeader::default()
            .with_request_api_key(ProduceRequest::KEY)
            .with_request_api_version(8)
            .with_client_id(Some(StrBytes::from_static_str("bench")));
        header
            .encode(&mut head, ProduceRequest::header_version(8))
            .expect("a header");
        head.put_i16(-1);
        head.put_i16(-1);
        head.put_i32(10_000);
        head.put_i32(1);
        head.put_u16(topic.len() as u16);
        head.put_slice(topic.as_bytes());
        head.put_i32(1);
        head.put_i32(0);
        head.put_u32(batch.len() as u32);
        // A batch from a producer begins at offset 0, one from a log at any offset.
        head.put_i64(0);
        let batch = batch.get(8..).expect("a batch");
        let length = (head.len() + batch.len()) as u32;
        self.stream
            .write_all(&length.to_be_bytes())
            .expect("the broker reads");
        self.stream.write_all(&head).expect("the broker reads");
        self.stream.write_all(batch).expect("the broker reads");
        self.unanswered += 1;
    }

    /// Waits for the responses to all calls of [`Load::produce_unanswered`].
    pub fn await_answers(&mut self, topic: &str) {
        for _ in 0..std::mem::take(&mut self.unanswered) {
            self.receive_acknowledgement(topic);
        }
    }

    fn receive_acknowledgement(&mut self, topic: &str) {
        self.receive();
        // Correlation id; one topic with its name, one partition: its number, and the code.
        let at = 4 + 4 + 2 + topic.len() + 4 + 4;
        let code = self.buffer.get(at..at + 2).expect("an answer with one partition");
        assert_eq!(code, [0, 0], "produce: an error");
    }

    /// Fetches from `offset` on; returns the batches as bytes.
    pub fn fetch_records(&mut self, topic: &str, offset: i64, max_bytes: i32) -> &[u8] {
        self.fetch(topic, offset, max_bytes);
        // Correlation id, throttle, code, session; one topic with its name, one partition: number, code, high watermark, last
        // stable offset, log start offset, no aborted transactions, replica, and the length of the records.
        let head = 4 + 4 + 2 + 4 + 4 + 2 + topic.len() + 4 + 4 + 2 + 8 + 8 + 8 + 4 + 4 + 4;
        self.buffer.get(head..).expect("an answer with one partition")
    }

    fn ask<R: Request>(&mut self, request: &R, version: i16) -> R::Response {
        self.send(request, version);
        self.receive();
        let mut body = Bytes::copy_from_slice(&self.buffer);
        body.advance(4 + usize::from(R::Response::header_version(version) > 0));
        R::Response::decode(&mut body, version).expect("an answer")
    }

    fn send<R: Request>(&mut self, request: &R, version: i16) {
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_client_id(Some(StrBytes::from_static_str("bench")));
        let mut frame = BytesMut::from(&[0; 4][..]);
        header
            .encode(&mut frame, R::header_version(version))
            .expect("a header");
        request.encode(&mut frame, version).expect("a request");
        let length = u32::try_from(frame.len() - 4).expect("a frame");
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.stream.write_all(&frame).expect("the broker reads");
    }

    fn receive(&mut self) -> usize {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).expect("the broker answers");
        self.buffer.resize(u32::from_be_bytes(length) as usize, 0);
        self.stream
            .read_exact(&mut self.buffer)
            .expect("the whole answer");
        self.buffer.len()
    }
}

/// An uncompressed batch of `records` records of 100 bytes.
pub fn batch_of(records: usize) -> Bytes {
    filled(BatchOptions::default(), records).into()
}

/// The same in a transaction; the producer must still be stamped.
pub fn transactional_batch_of(records: usize) -> Vec<u8> {
    let options = BatchOptions {
        transactional: true,
        ..BatchOptions::default()
    };
    filled(options, records)
}

fn filled(options: BatchOptions, records: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new(options);
    // A producer whose last record is a day old expires.
    let now_ms = std::time::UNIX_EPOCH
        .elapsed()
        .map_or(0, |now| now.as_millis() as i64);
    let value = [b'x'; 100];
    for _ in 0..records {
        builder.append(now_ms, None, Some(&value), &[]);
    }
    builder.finish_uncompressed()
}

const FETCH_VERSION: i16 = 11;

fn fetch_request(topic: &str, offset: i64, max_bytes: i32) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_fetch_offset(offset)
        .with_partition_max_bytes(max_bytes);
    let topic = FetchTopic::default()
        .with_topic(topic_name(topic))
        .with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_bytes(max_bytes)
        .with_min_bytes(1)
        .with_topics(vec![topic])
}

fn transactional_id(id: &str) -> TransactionalId {
    TransactionalId(StrBytes::from_string(id.to_owned()))
}

fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}
