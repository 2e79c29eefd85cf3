//! What was said about records and offsets.

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    BrokerId, FetchRequest, InitProducerIdRequest, ListOffsetsRequest, OffsetForLeaderEpochRequest,
    ProduceRequest, TopicName,
};
use kafkit::records::Codec;
use kafkit::records::batch_builder::Producer;

use super::conversation::{Conversation, TIMESTAMP, batch};

/// Two records of one producer.
fn idempotent(base_sequence: i32, epoch: i16) -> Vec<u8> {
    let producer = Producer {
        id: 4_000_000,
        epoch,
        base_sequence,
    };
    batch(&[None, None], Codec::None, Some(producer))
}

impl Conversation {
    pub(super) fn producing(&mut self) {
        for version in 3..=12 {
            self.produce(
                "produce",
                version,
                "t7",
                batch(&[None, Some("k")], Codec::None, None),
            );
        }
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let records = batch(&[None, Some("k")], codec, None);
            self.produce(&format!("produce {}", codec.name()), 9, "t7", records);
        }
        self.produce("idempotent", 9, "t6", idempotent(0, 0));
        self.produce("idempotent, next", 9, "t6", idempotent(2, 0));
        self.produce("idempotent, again", 9, "t6", idempotent(0, 0));
        let new = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(1000);
        for version in 0..=5 {
            self.ask("producer id", version, &new);
        }
    }

    pub(super) fn producing_what_is_refused(&mut self) {
        let refused = |conversation: &mut Self, what: &str, version: i16, topic: &str, records: Vec<u8>| {
            conversation.produce(what, version, topic, records);
        };
        let good = batch(&[None, Some("k")], Codec::None, None);
        refused(self, "sequence with a gap", 9, "t6", idempotent(9, 0));
        refused(self, "new epoch in the middle", 9, "t6", idempotent(5, 1));
        refused(
            self,
            "no key",
            9,
            "compacted",
            batch(&[Some("k"), None], Codec::None, None),
        );
        refused(self, "nothing", 9, "t7", Vec::new());
        refused(
            self,
            "two batches",
            9,
            "t7",
            [good.clone(), good.clone()].concat(),
        );
        refused(
            self,
            "zstd before its time",
            6,
            "t7",
            batch(&[None], Codec::Zstd, None),
        );
        refused(self, "topic that is missing", 9, "nowhere", good.clone());
        let mut changed = good.clone();
        *changed.last_mut().unwrap() ^= 1;
        refused(self, "corrupt", 9, "t7", changed);
        let mut from_five = good;
        from_five[7] = 5;
        refused(self, "base offset", 9, "t7", from_five);
        let huge = "x".repeat(1_100_000);
        refused(
            self,
            "too large",
            9,
            "t7",
            batch(&[Some(huge.as_str())], Codec::None, None),
        );
    }

    pub(super) fn fetching(&mut self) {
        for version in 4..=12 {
            self.ask("fetch", version, &self.fetch_request("t6", 0));
        }
        self.ask("fetch from inside a batch", 12, &self.fetch_request("t6", 3));
        self.ask("fetch at the end", 12, &self.fetch_request("t6", 4));
        self.ask("fetch beyond the end", 12, &self.fetch_request("t6", 5));
        self.ask("fetch what is missing", 12, &self.fetch_request("nowhere", 0));
        let mut small = self.fetch_request("t6", 0);
        small.max_bytes = 1;
        small.topics[0].partitions[0].partition_max_bytes = 1;
        self.ask("fetch with too small a limit", 12, &small);
        let mut epoch = self.fetch_request("t6", 0);
        epoch.topics[0].partitions[0].current_leader_epoch = 7;
        self.ask("fetch in an unknown epoch", 12, &epoch);
        let mut committed = self.fetch_request("t6", 4);
        committed.isolation_level = 1;
        self.ask("fetch what is committed", 12, &committed);
        let mut session = self.fetch_request("t6", 4);
        session.session_epoch = 0;
        let opened = self.ask("fetch with a session", 12, &session);
        let mut next = session
            .clone()
            .with_session_id(opened.session_id)
            .with_session_epoch(1);
        next.topics.clear();
        self.ask("fetch in the session", 12, &next);
        self.ask("fetch in the session out of turn", 12, &next);
        next.session_id = 1;
        self.ask("fetch in no session", 12, &next);
    }

    pub(super) fn looking_up_offsets(&mut self) {
        let at = |name: TopicName, timestamp: i64, index: i32| {
            let partition = ListOffsetsPartition::default()
                .with_partition_index(index)
                .with_current_leader_epoch(-1)
                .with_timestamp(timestamp);
            let topic = ListOffsetsTopic::default()
                .with_name(name)
                .with_partitions(vec![partition]);
            ListOffsetsRequest::default()
                .with_replica_id(BrokerId(-1))
                .with_topics(vec![topic])
        };
        for version in 1..=10 {
            for timestamp in [-1, -2, TIMESTAMP + 5] {
                self.ask(
                    &format!("offset at {timestamp}"),
                    version,
                    &at(self.name("t7"), timestamp, 0),
                );
            }
        }
        for timestamp in [-3, -4, -5, TIMESTAMP, TIMESTAMP + 11, 0] {
            self.ask(
                &format!("offset at {timestamp}"),
                10,
                &at(self.name("t7"), timestamp, 0),
            );
            self.ask(
                &format!("offset at {timestamp} of nothing"),
                10,
                &at(self.name("t7"), timestamp, 1),
            );
        }
        self.ask("offset of what is missing", 10, &at(self.name("nowhere"), -1, 0));
        for version in 2..=4 {
            let partition = |epoch| {
                OffsetForLeaderPartition::default()
                    .with_partition(0)
                    .with_current_leader_epoch(-1)
                    .with_leader_epoch(epoch)
            };
            let topic = OffsetForLeaderTopic::default()
                .with_topic(self.name("t7"))
                .with_partitions(vec![partition(0), partition(5)]);
            let request = OffsetForLeaderEpochRequest::default()
                .with_replica_id(BrokerId(-2))
                .with_topics(vec![topic]);
            self.ask("end of an epoch", version, &request);
        }
    }

    pub(super) fn produce_request(&self, topic: &str, records: Vec<u8>) -> ProduceRequest {
        let data = PartitionProduceData::default()
            .with_index(0)
            .with_records(Some(Bytes::from(records)));
        let topic = TopicProduceData::default()
            .with_name(self.name(topic))
            .with_partition_data(vec![data]);
        ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(1000)
            .with_topic_data(vec![topic])
    }

    fn produce(&mut self, what: &str, version: i16, topic: &str, records: Vec<u8>) {
        let request = self.produce_request(topic, records);
        self.ask(what, version, &request);
    }

    pub(super) fn fetch_request(&self, topic: &str, offset: i64) -> FetchRequest {
        let partition = FetchPartition::default()
            .with_partition(0)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(200);
        FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(0)
            .with_min_bytes(1)
            .with_max_bytes(1000)
            .with_session_epoch(-1)
            .with_topics(vec![
                FetchTopic::default()
                    .with_topic(self.name(topic))
                    .with_partitions(vec![partition]),
            ])
    }
}
