//! The requests of the test, each with its plain question and its plain answer.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_producers_response::ProducerState;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, CreateTopicsRequest, DeleteRecordsRequest,
    DescribeProducersRequest, DescribeTransactionsRequest, EndTxnRequest, FetchRequest,
    FindCoordinatorRequest, GroupId, InitProducerIdRequest, ListOffsetsRequest, OffsetCommitRequest,
    OffsetFetchRequest, ProduceRequest, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::records::Batches;
use kafkit::records::control_record::ControlType;
use kafkit::wire::Connection;

use super::model::{Batch, Content, Generation, Identity, Partition};

/// Fails with the error that a code stands for.
fn check(code: i16) -> Result<(), ResponseError> {
    match code {
        0 => Ok(()),
        code => Err(ResponseError::try_from_code(code).unwrap_or(ResponseError::UnknownServerError)),
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A connection, and the part of all names that keeps runs on one cluster apart.
#[derive(Debug)]
pub struct Requests {
    pub connection: Connection,
    pub run: String,
}

/// What Fetch says of a partition.
#[derive(Debug)]
pub struct Fetched {
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    /// Producer id and first offset.
    pub aborted: Vec<(i64, i64)>,
    pub batches: Vec<Batch>,
}

/// Where and how much to fetch.
#[derive(Clone, Copy, Debug)]
pub struct FetchFrom {
    pub partition: Partition,
    pub offset: i64,
    pub read_committed: bool,
    pub max_bytes: i32,
}

impl Requests {
    fn topic(&self, topic: usize) -> TopicName {
        TopicName(text(&format!("model-{}-{topic}", self.run)))
    }

    fn group(&self, group: usize) -> GroupId {
        GroupId(text(&format!("model-{}-g{group}", self.run)))
    }

    fn transactional_id(&self, at: usize) -> TransactionalId {
        TransactionalId(text(&format!("model-{}-t{at}", self.run)))
    }

    pub fn create_topic(&mut self, topic: usize, partitions: i32, configs: &[(&str, &str)]) {
        let configs = configs.iter().map(|(name, value)| {
            CreatableTopicConfig::default()
                .with_name(text(name))
                .with_value(Some(text(value)))
        });
        let wanted = CreatableTopic::default()
            .with_name(self.topic(topic))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.collect());
        let request = CreateTopicsRequest::default()
            .with_topics(vec![wanted])
            .with_timeout_ms(20_000);
        let response = self.connection.send_as(&request, 5).unwrap();
        check(response.topics[0].error_code).unwrap();
    }

    /// Makes the coordinators ready: a cluster creates their topics when they are first asked for.
    pub fn find_coordinator(&mut self, name: &str, kind: i8) -> Result<(), ResponseError> {
        let request = FindCoordinatorRequest::default()
            .with_key(text(name))
            .with_key_type(kind);
        check(self.connection.send_as(&request, 3).unwrap().error_code)
    }

    pub fn init_producer(&mut self, transactional_id: Option<usize>) -> Result<Identity, ResponseError> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(transactional_id.map(|at| self.transactional_id(at)))
            .with_transaction_timeout_ms(600_000)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        let response = self.connection.send_as(&request, 4).unwrap();
        check(response.error_code)?;
        Ok(Identity {
            id: response.producer_id.0,
            epoch: response.producer_epoch,
        })
    }

    /// Writes one batch to each of the partitions; an answer for each.
    pub fn produce(
        &mut self,
        transactional_id: Option<usize>,
        generation: Generation,
        batches: &[(Partition, Bytes)],
    ) -> Vec<Result<i64, ResponseError>> {
        let topics = batches.iter().map(|((topic, index), records)| {
            let data = PartitionProduceData::default()
                .with_index(*index)
                .with_records(Some(records.clone()));
            TopicProduceData::default()
                .with_name(self.topic(*topic))
                .with_partition_data(vec![data])
        });
        let request = ProduceRequest::default()
            .with_transactional_id(transactional_id.map(|at| self.transactional_id(at)))
            .with_acks(-1)
            .with_timeout_ms(10_000)
            .with_topic_data(topics.collect());
        let version = match generation {
            Generation::First => 11,
            Generation::Second => 12,
        };
        let response = self.connection.send_as(&request, version).unwrap();
        let answer = |(topic, index): Partition| {
            let name = self.topic(topic);
            let of_topic = response.responses.iter().filter(|found| found.name == name);
            let found = of_topic.flat_map(|topic| &topic.partition_responses);
            let found = found.filter(|found| found.index == index).collect::<Vec<_>>();
            assert_eq!(found.len(), 1, "answers for {name:?} {index}: {response:?}");
            check(found[0].error_code).map(|()| found[0].base_offset)
        };
        batches.iter().map(|(partition, _)| answer(*partition)).collect()
    }

    pub fn fetch(&mut self, from: FetchFrom) -> Result<Fetched, ResponseError> {
        let wanted = FetchPartition::default()
            .with_partition(from.partition.1)
            .with_current_leader_epoch(-1)
            .with_fetch_offset(from.offset)
            .with_last_fetched_epoch(-1)
            .with_log_start_offset(-1)
            .with_partition_max_bytes(from.max_bytes);
        let topic = FetchTopic::default()
            .with_topic(self.topic(from.partition.0))
            .with_partitions(vec![wanted]);
        let request = FetchRequest::default()
            .with_max_wait_ms(0)
            .with_min_bytes(0)
            .with_max_bytes(10_000_000)
            .with_isolation_level(i8::from(from.read_committed))
            .with_session_id(0)
            .with_session_epoch(-1)
            .with_topics(vec![topic]);
        let response = self.connection.send_as(&request, 12).unwrap();
        check(response.error_code)?;
        let found = &response.responses[0].partitions[0];
        check(found.error_code)?;
        let aborted = found.aborted_transactions.iter().flatten();
        Ok(Fetched {
            high_watermark: found.high_watermark,
            last_stable_offset: found.last_stable_offset,
            log_start_offset: found.log_start_offset,
            aborted: aborted
                .map(|found| (found.producer_id.0, found.first_offset))
                .collect(),
            batches: batches_of(found.records.as_deref().unwrap_or_default()),
        })
    }

    /// The offset that `timestamp` (or one of Kafka's special ones) stands for; -1 if there is none.
    pub fn list_offset(
        &mut self,
        partition: Partition,
        read_committed: bool,
        timestamp: i64,
    ) -> Result<i64, ResponseError> {
        let wanted = ListOffsetsPartition::default()
            .with_partition_index(partition.1)
            .with_current_leader_epoch(-1)
            .with_timestamp(timestamp);
        let topic = ListOffsetsTopic::default()
            .with_name(self.topic(partition.0))
            .with_partitions(vec![wanted]);
        let request = ListOffsetsRequest::default()
            .with_replica_id((-1).into())
            .with_isolation_level(i8::from(read_committed))
            .with_topics(vec![topic]);
        let response = self.connection.send_as(&request, 8).unwrap();
        let found = &response.topics[0].partitions[0];
        check(found.error_code).map(|()| found.offset)
    }

    /// Deletes what is before `offset`; the offset of the first record that is left.
    pub fn delete_records(&mut self, partition: Partition, offset: i64) -> Result<i64, ResponseError> {
        let wanted = DeleteRecordsPartition::default()
            .with_partition_index(partition.1)
            .with_offset(offset);
        let topic = DeleteRecordsTopic::default()
            .with_name(self.topic(partition.0))
            .with_partitions(vec![wanted]);
        let request = DeleteRecordsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(10_000);
        let response = self.connection.send_as(&request, 2).unwrap();
        let found = &response.topics[0].partitions[0];
        check(found.error_code).map(|()| found.low_watermark)
    }

    pub fn add_partitions(
        &mut self,
        at: usize,
        producer: Identity,
        partitions: &[Partition],
    ) -> Vec<Result<(), ResponseError>> {
        let topics = partitions.iter().map(|(topic, index)| {
            AddPartitionsToTxnTopic::default()
                .with_name(self.topic(*topic))
                .with_partitions(vec![*index])
        });
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(self.transactional_id(at))
            .with_v3_and_below_producer_id(producer.id.into())
            .with_v3_and_below_producer_epoch(producer.epoch)
            .with_v3_and_below_topics(topics.collect());
        let response = self.connection.send_as(&request, 3).unwrap();
        let topics = response.results_by_topic_v3_and_below.iter();
        topics
            .flat_map(|topic| &topic.results_by_partition)
            .map(|found| check(found.partition_error_code))
            .collect()
    }

    pub fn add_group(&mut self, at: usize, producer: Identity, group: usize) -> Result<(), ResponseError> {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(self.transactional_id(at))
            .with_producer_id(producer.id.into())
            .with_producer_epoch(producer.epoch)
            .with_group_id(self.group(group));
        check(self.connection.send_as(&request, 3).unwrap().error_code)
    }

    pub fn commit_in_transaction(
        &mut self,
        at: usize,
        producer: Identity,
        generation: Generation,
        (group, partition, offset): (usize, Partition, i64),
    ) -> Result<(), ResponseError> {
        let wanted = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(partition.1)
            .with_committed_offset(offset)
            .with_committed_metadata(Some(text("in a transaction")));
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(self.topic(partition.0))
            .with_partitions(vec![wanted]);
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(self.transactional_id(at))
            .with_group_id(self.group(group))
            .with_producer_id(producer.id.into())
            .with_producer_epoch(producer.epoch)
            .with_generation_id(-1)
            .with_topics(vec![topic]);
        let version = match generation {
            Generation::First => 3,
            Generation::Second => 5,
        };
        let response = self.connection.send_as(&request, version).unwrap();
        check(response.topics[0].partitions[0].error_code)
    }

    pub fn end_transaction(
        &mut self,
        at: usize,
        producer: Identity,
        generation: Generation,
        commits: bool,
    ) -> Result<Identity, ResponseError> {
        let request = EndTxnRequest::default()
            .with_transactional_id(self.transactional_id(at))
            .with_producer_id(producer.id.into())
            .with_producer_epoch(producer.epoch)
            .with_committed(commits);
        let version = match generation {
            Generation::First => 3,
            Generation::Second => 5,
        };
        let response = self.connection.send_as(&request, version).unwrap();
        check(response.error_code)?;
        Ok(match generation {
            Generation::First => producer,
            Generation::Second => Identity {
                id: response.producer_id.0,
                epoch: response.producer_epoch,
            },
        })
    }

    pub fn commit_offset(
        &mut self,
        group: usize,
        partition: Partition,
        offset: i64,
    ) -> Result<(), ResponseError> {
        let wanted = OffsetCommitRequestPartition::default()
            .with_partition_index(partition.1)
            .with_committed_offset(offset)
            .with_committed_metadata(Some(text("")));
        let topic = OffsetCommitRequestTopic::default()
            .with_name(self.topic(partition.0))
            .with_partitions(vec![wanted]);
        let request = OffsetCommitRequest::default()
            .with_group_id(self.group(group))
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        let response = self.connection.send_as(&request, 8).unwrap();
        check(response.topics[0].partitions[0].error_code)
    }

    /// The producers of a partition that the broker knows, by id.
    pub fn producers(&mut self, partition: Partition) -> Vec<DescribedProducer> {
        let topic = TopicRequest::default()
            .with_name(self.topic(partition.0))
            .with_partition_indexes(vec![partition.1]);
        let request = DescribeProducersRequest::default().with_topics(vec![topic]);
        let response = self.connection.send_as(&request, 0).unwrap();
        let found = &response.topics[0].partitions[0];
        check(found.error_code).unwrap();
        let mut producers: Vec<_> = found.active_producers.iter().map(described).collect();
        producers.sort_unstable();
        producers
    }

    /// The state of a transaction, its producer, and its partitions of the test's topics.
    pub fn describe_transaction(&mut self, at: usize, topics: usize) -> (String, Identity, Vec<Partition>) {
        let request =
            DescribeTransactionsRequest::default().with_transactional_ids(vec![self.transactional_id(at)]);
        let response = self.connection.send_as(&request, 0).unwrap();
        let found = &response.transaction_states[0];
        check(found.error_code).unwrap();
        let mut partitions = Vec::new();
        for topic in 0..topics {
            let name = self.topic(topic);
            let of_topic = found.topics.iter().filter(|found| found.topic == name);
            partitions.extend(
                of_topic
                    .flat_map(|found| &found.partitions)
                    .map(|index| (topic, *index)),
            );
        }
        partitions.sort_unstable();
        let producer = Identity {
            id: found.producer_id.0,
            epoch: found.producer_epoch,
        };
        (found.transaction_state.to_string(), producer, partitions)
    }

    /// The committed offset; -1 if there is none.
    pub fn committed(
        &mut self,
        group: usize,
        partition: Partition,
        stable: bool,
    ) -> Result<i64, ResponseError> {
        let topic = OffsetFetchRequestTopics::default()
            .with_name(self.topic(partition.0))
            .with_partition_indexes(vec![partition.1]);
        let wanted = OffsetFetchRequestGroup::default()
            .with_group_id(self.group(group))
            .with_topics(Some(vec![topic]));
        let request = OffsetFetchRequest::default()
            .with_groups(vec![wanted])
            .with_require_stable(stable);
        let response = self.connection.send_as(&request, 8).unwrap();
        let group = &response.groups[0];
        check(group.error_code)?;
        let found = &group.topics[0].partitions[0];
        check(found.error_code).map(|()| found.committed_offset)
    }
}

/// Producer id, epoch, last sequence number (-1: none), and the first offset of the open transaction (-1: none).
pub type DescribedProducer = (i64, i32, i32, i64);

fn described(state: &ProducerState) -> DescribedProducer {
    (
        state.producer_id.0,
        state.producer_epoch,
        state.last_sequence,
        state.current_txn_start_offset,
    )
}

/// The batches of an answer; the last one may be cut off.
fn batches_of(bytes: &[u8]) -> Vec<Batch> {
    let mut scratch = Vec::new();
    let mut found = Vec::new();
    for batch in Batches::new(bytes).map_while(Result::ok) {
        let header = &batch.header;
        let mut records = Vec::new();
        let mut marker = None;
        let walk = batch.records(&mut scratch, 10_000_000).unwrap();
        for record in walk {
            let record = record.unwrap();
            if header.is_control() {
                marker = record.key.and_then(ControlType::parse);
            } else {
                let value = String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned();
                records.push((record.timestamp, value));
            }
        }
        found.push(Batch {
            base_offset: header.base_offset,
            content: match marker {
                Some(kind) => Content::Marker {
                    commits: kind == ControlType::Commit,
                },
                None => Content::Records(records),
            },
            producer: header.has_producer_id().then_some(Identity {
                id: header.producer_id,
                epoch: header.producer_epoch,
            }),
            base_sequence: header.base_sequence,
            transactional: header.is_transactional(),
        });
    }
    found
}
