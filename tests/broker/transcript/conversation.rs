//! Speaks with a broker about topics, configs and records, and writes down what was said, without what differs from
//! one broker to the next.

use std::fmt::{Debug, Write};

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::{Request, StrBytes};
use kafkit::records::batch_builder::{BatchOptions, Producer};
use kafkit::records::{BatchBuilder, Codec};
use kafkit::wire::{Connection, ConnectionOptions, HostPort};
use regex::Regex;

use crate::support::wait::wait_until;

pub(super) const TIMESTAMP: i64 = 1_700_000_000_000;

/// A connection, and what was said on it.
pub(super) struct Conversation {
    pub(super) connection: Connection,
    transcript: String,
    /// In front of every name, so that the names are new on a broker that others use.
    prefix: String,
    port: String,
    noise: Vec<(Regex, &'static str)>,
}

pub(super) fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

pub(super) fn batch(keys: &[Option<&str>], codec: Codec, producer: Option<Producer>) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        codec,
        producer,
        ..BatchOptions::default()
    });
    for (number, key) in (0..).zip(keys) {
        builder.append(
            TIMESTAMP + number * 10,
            key.map(str::as_bytes),
            Some(b"value"),
            &[],
        );
    }
    builder.finish().unwrap()
}

impl Conversation {
    /// `about` keeps the names of conversations apart that are had with one broker at a time.
    pub(super) fn with(bootstrap: &str, about: &str) -> Self {
        let address = HostPort::parse(bootstrap).unwrap();
        let noise = [
            (r", unknown_tagged_fields: \{\}", ""),
            (
                r"[0-9a-f]{8}-[0-9a-f]{4}-[1-9a-f][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
                "ID",
            ),
            (r"session_id: [1-9]\d*", "session_id: SESSION"),
            (r" producer_id: \d+,", " producer_id: P,"),
            (r#"cluster_id: Some\("[^"]*"\)"#, "cluster_id: C"),
        ];
        Self {
            connection: Connection::open(&address, &ConnectionOptions::default()).unwrap(),
            transcript: String::new(),
            prefix: format!("{about}-{}-", std::process::id()),
            port: format!("port: {}", bootstrap.rsplit(':').next().unwrap()),
            noise: noise
                .map(|(noise, word)| (Regex::new(noise).unwrap(), word))
                .into(),
        }
    }

    pub(super) fn name(&self, topic: &str) -> TopicName {
        TopicName(text(format!("{}{topic}", self.prefix)))
    }

    pub(super) fn say(&mut self, what: &str, answer: &impl Debug) {
        let mut line = format!("{what}: {answer:?}")
            .replace(&self.prefix, "")
            .replace(&self.port, "port: PORT");
        for (noise, word) in &self.noise {
            line = noise.replace_all(&line, *word).into_owned();
        }
        writeln!(self.transcript, "{line}").unwrap();
    }

    /// A line in the transcript's own words.
    pub(super) fn line(&mut self, line: &str) {
        let line = line.replace(&self.prefix, "");
        writeln!(self.transcript, "{line}").unwrap();
    }

    /// A topic that was just made has a leader a moment later.
    pub(super) fn wait_for_leader(&mut self, topic: &TopicName, partition: i32) {
        let partition = ListOffsetsPartition::default()
            .with_partition_index(partition)
            .with_timestamp(-1);
        let topic = ListOffsetsTopic::default()
            .with_name(topic.clone())
            .with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_topics(vec![topic]);
        wait_until(&format!("the leader of {request:?}"), || {
            let answer = self.connection.send_as(&request, 7).unwrap();
            answer.topics[0].partitions[0].error_code == 0
        });
    }

    pub(super) fn transcript(self) -> String {
        self.transcript
    }

    pub(super) fn ask<R: Request>(&mut self, what: &str, version: i16, request: &R) -> R::Response
    where
        R::Response: Debug,
    {
        let answer = self
            .connection
            .send_as(request, version)
            .unwrap_or_else(|error| panic!("{what} v{version}: {error:?}"));
        self.say(&format!("{what} v{version}"), &answer);
        answer
    }

    pub(super) fn all(mut self) -> String {
        self.creating();
        self.describing();
        self.producing();
        self.producing_what_is_refused();
        self.fetching();
        self.looking_up_offsets();
        self.altering();
        self.growing_and_deleting();
        self.transcript
    }
}
