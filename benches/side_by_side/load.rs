//! A client that costs nearly nothing: sends ready-made record batches and reads fetched bytes without looking
//! at them, so that what is measured is the broker.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ApiVersionsRequest, CreateTopicsRequest, FetchRequest, ProduceRequest, RequestHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use kafkit::records::batch_builder::{BatchBuilder, BatchOptions};

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
        let partition = FetchPartition::default()
            .with_fetch_offset(offset)
            .with_partition_max_bytes(max_bytes);
        let topic = FetchTopic::default()
            .with_topic(topic_name(topic))
            .with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_max_bytes(max_bytes)
            .with_min_bytes(1)
            .with_topics(vec![topic]);
        self.send(&request, 11);
        self.receive()
    }

    /// Sends a record batch with acks=all, with up to five requests in flight.
    pub fn produce_unanswered(&mut self, topic: &str, batch: &[u8]) {
        if self.unanswered >= 5 {
            self.receive();
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
        let length = (head.len() + batch.len()) as u32;
        self.stream
            .write_all(&length.to_be_bytes())
            .expect("the broker reads");
        self.stream.write_all(&head).expect("the broker reads");
        self.stream.write_all(batch).expect("the broker reads");
        self.unanswered += 1;
    }

    /// Waits for the answers to what [`Load::produce_unanswered`] has sent.
    pub fn await_answers(&mut self) {
        for _ in 0..std::mem::take(&mut self.unanswered) {
            self.receive();
        }
    }

    /// Fetches from `offset` on; the batches as they came.
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
    let mut builder = BatchBuilder::new(BatchOptions::default());
    let value = [b'x'; 100];
    for _ in 0..records {
        builder.append(0, None, Some(&value), &[]);
    }
    builder.finish_uncompressed().into()
}

fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}
