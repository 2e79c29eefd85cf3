//! Produce, versions 3–13: appends batches to partitions.
//!
//! - Batches are checked where they were received. Their records are walked once, without keys and values
//!   (`batch_check`); nothing is compressed again unless the topic has its own codec (`recompress`).
//! - A header with a wrong largest timestamp is corrected; LogAppendTime is written into it.
//! - If a partition is named twice its last records count.
//! - acks=0 is not answered; an error then closes the connection, so that the client notices.
//! - A batch that its idempotent producer sent before is answered with its first offset.
//! - A client over its quota of bytes is slowed down after the answer.
//! - v8 names the records at fault. v10 says who leads if this node does not (KIP-951). v13 names topics by id.
//! - With acks=all the answer waits for the other in-sync replicas (`produce_replication`).
//! - Records of a transaction: `produce_transactions`. v11 is answered with `TRANSACTION_ABORTABLE`, v12 adds their
//!   partitions to the transaction (KIP-890).
//!
//! <https://kafka.apache.org/protocol#The_Messages_Produce>

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, ProduceResponse,
    TopicProduceResponse,
};
use kafka_protocol::messages::{self, BrokerId};

use super::produce_replication::{self, Uncommitted};
use super::produce_transactions::TransactionCheck;
use super::{text, topic_name};
use crate::broker::access::AclOperation;
use crate::broker::call::{Call, RequestContext};
use crate::broker::cluster::image::TopicImage;
use crate::broker::cluster::partition_image::PartitionImage;
use crate::broker::node::Node;
use crate::broker::node::held_batches::HeldBatch;
use crate::broker::node::replica::Replica;
use crate::broker::produce::batch_check::{self, Rejected, Rules};
use crate::broker::produce::produce_request::{PartitionRecords, ProduceRequest, TopicRecords};
use crate::broker::produce::recompress::recompress;
use crate::broker::quotas::Traffic;
use crate::broker::refusal::Refusal;
use crate::broker::response::{self, Answer};
use crate::broker::rights::Rights;
use crate::broker::timers::{now_ms, steady_ms};
use crate::records::BatchHeader;
use crate::records::batch_header::{self, HEADER_LEN, TimestampType};
use crate::storage::producer_state::ProducerError;
use crate::storage::{AppendError, Appended, Origin};
use crate::topic_partition::is_internal_topic;

/// The client id of Kafka's own admin tools, which may write to internal topics.
const ADMIN_CLIENT: &str = "__admin_client";

/// Takes the whole call: the records are checked and patched in the buffer they were received in.
pub async fn answer(mut call: Call) -> Result<Answer, Refusal> {
    let losses = call.node.coordinator_losses();
    let request = ProduceRequest::parse(&call.body, call.context.version)
        .ok_or_else(|| Refusal::new("a Produce request that cannot be decoded"))?;
    let check = check_transaction(&call, &request);
    // The partition must survive in the coordinator's log, whoever leads it, before its first record is appended.
    if check.has_asked() && !call.node.coordinators_are_replicated(losses).await {
        return Err(Refusal::new("the coordinator of its transaction moved meanwhile"));
    }
    let appended = append_all(&mut call, &request, &check);
    let mut topics = appended.topics;
    let size = call.body.len();
    if !appended.uncommitted.is_empty() {
        let body = Arc::new(std::mem::take(&mut call.body));
        produce_replication::wait(appended.uncommitted, &body, appended.timeout_ms, &mut topics).await;
    }
    finish(&call, size, (appended.acks, appended.failed), topics)
}

/// The outcome of a request so far.
struct AppendedAll {
    topics: Vec<TopicProduceResponse>,
    acks: i16,
    timeout_ms: i32,
    /// The error of the last partition that failed.
    failed: Option<i16>,
    /// With acks=all, the appended batches that are not committed yet.
    uncommitted: Vec<Uncommitted>,
}

/// Asks the coordinator about the partitions of a transaction. It is not asked about partitions that are refused
/// anyway.
fn check_transaction(call: &Call, request: &ProduceRequest) -> TransactionCheck {
    if request.transactional_id.is_none() {
        return TransactionCheck::default();
    }
    let version = call.context.version;
    let found = request.topics.iter().map(|topic| {
        let found = find(&call.node, version, topic);
        found.filter(|found| may_write(call, topic, Some(found)))
    });
    let found: Vec<_> = found.collect();
    TransactionCheck::of(&call.node, version, request, &call.body, &found)
}

fn append_all(call: &mut Call, request: &ProduceRequest, check: &TransactionCheck) -> AppendedAll {
    let acks = request.acks;
    // Transactional records need the permission for a transactional id; one batch without it fails the whole request.
    let may_transact = may_transact(call, request.transactional_id.as_deref());
    let is_unauthorized = !may_transact && request.is_in_transaction(&call.body);
    let version = call.context.version;
    let found: Vec<_> = request
        .topics
        .iter()
        .map(|topic| find(&call.node, version, topic))
        .collect();
    let may_write: Vec<bool> = request
        .topics
        .iter()
        .zip(&found)
        .map(|(topic, found)| may_write(call, topic, found.as_deref()))
        .collect();
    let mut failed = None;
    let mut topics = Vec::with_capacity(request.topics.len());
    let mut uncommitted = Vec::new();
    for ((topic, found), may_write) in request.topics.iter().zip(found).zip(may_write) {
        let topic_place = topics.len();
        let refused = if may_write {
            refusal(&call.context, request, topic, found.as_deref(), is_unauthorized)
        } else {
            Some(Rejected::new(not_authorized(is_unauthorized), ""))
        };
        let produce = Produce {
            refused,
            node: &call.node,
            context: &call.context,
            topic: found,
            check,
            acks,
            now_ms: now_ms(),
        };
        let partitions = topic.partitions.iter().enumerate().map(|(place, records)| {
            let (answer, waits) = produce.partition(records, &mut call.body);
            uncommitted.extend(waits.map(|waits| Uncommitted {
                place: (topic_place, place),
                ..waits
            }));
            if answer.error_code != 0 {
                failed = Some(answer.error_code);
            }
            answer
        });
        topics.push(
            TopicProduceResponse::default()
                .with_partition_responses(partitions.collect())
                .with_name(topic_name(&topic.name))
                .with_topic_id(topic.id),
        );
    }
    AppendedAll {
        topics,
        acks,
        timeout_ms: request.timeout_ms,
        failed,
        uncommitted,
    }
}

fn finish(
    call: &Call,
    size: usize,
    (acks, failed): (i16, Option<i16>),
    topics: Vec<TopicProduceResponse>,
) -> Result<Answer, Refusal> {
    let throttle_ms = {
        let image = call.node.cluster.image();
        let counted = (size, steady_ms());
        call.node
            .quotas
            .record(&image, Traffic::Produce, call.context.sender(), counted)
    };
    call.context.throttle.set_ms(throttle_ms);
    match (acks, failed) {
        (0, None) => Ok(Answer::Nothing),
        (0, Some(code)) => Err(Refusal::new(format!(
            "error {code} for a producer that wants no answers"
        ))),
        _ => {
            let mut topics = topics;
            let endpoints = leader_hints(call, &mut topics);
            let response = ProduceResponse::default()
                .with_node_endpoints(endpoints)
                .with_responses(topics)
                .with_throttle_time_ms(throttle_ms);
            response::encode::<messages::ProduceRequest>(&call.context, &response)
        }
    }
}

/// Puts the current leader into the answer for partitions that this node does not lead (KIP-951, v10); returns the
/// addresses of those leaders.
fn leader_hints(call: &Call, topics: &mut [TopicProduceResponse]) -> Vec<NodeEndpoint> {
    let mut leaders = BTreeSet::new();
    if call.context.version < 10 {
        return Vec::new();
    }
    let image = call.node.cluster.image();
    for topic in topics {
        let found = if topic.topic_id.is_nil() {
            image.topic(&topic.name)
        } else {
            image.topic_by_id(topic.topic_id)
        };
        for answer in &mut topic.partition_responses {
            if answer.error_code != ResponseError::NotLeaderOrFollower.code() {
                continue;
            }
            if let Some(partition) = found.and_then(|topic| topic.partition(answer.index)) {
                answer.current_leader = LeaderIdAndEpoch::default()
                    .with_leader_id(BrokerId(partition.leader))
                    .with_leader_epoch(partition.leader_epoch);
                leaders.insert(partition.leader);
            }
        }
    }
    let reachable = image.reachable_by(&call.context.listener.name);
    let told = reachable.filter(|(broker, _)| leaders.contains(&broker.id));
    let endpoints = told.map(|(broker, endpoint)| {
        NodeEndpoint::default()
            .with_node_id(BrokerId(broker.id))
            .with_host(text(endpoint.host.as_str()))
            .with_port(i32::from(endpoint.port))
            .with_rack(broker.rack.as_deref().map(text))
    });
    endpoints.collect()
}

/// The topic, by name or (v13) by id.
fn find(node: &Node, version: i16, wanted: &TopicRecords) -> Option<Arc<TopicImage>> {
    let image = node.cluster.image();
    let topic = if version >= 13 {
        image.topic_by_id(wanted.id)
    } else {
        image.topic(&wanted.name)
    };
    topic.cloned()
}

/// Whether the client may write in transactions of this id.
fn may_transact(call: &Call, transactional_id: Option<&str>) -> bool {
    let image = call.node.cluster.image();
    let rights = Rights::of(&call.node, &image, &call.context);
    transactional_id.is_some_and(|id| rights.may_transact(AclOperation::Write, id))
}

/// Whether the client may write to a topic. An unknown topic id needs no permission: `UNKNOWN_TOPIC_ID` gives nothing
/// away.
fn may_write(call: &Call, wanted: &TopicRecords, topic: Option<&TopicImage>) -> bool {
    let image = call.node.cluster.image();
    let rights = Rights::of(&call.node, &image, &call.context);
    let is_unknown_id = topic.is_none() && call.context.version >= 13;
    let name = topic.map_or(wanted.name.as_str(), |topic| topic.name.as_str());
    is_unknown_id || rights.may_topic(AclOperation::Write, name)
}

fn not_authorized(in_transaction: bool) -> ResponseError {
    if in_transaction {
        ResponseError::TransactionalIdAuthorizationFailed
    } else {
        ResponseError::TopicAuthorizationFailed
    }
}

/// Why a topic's records are refused; `None` if they are not.
fn refusal(
    context: &RequestContext,
    request: &ProduceRequest,
    wanted: &TopicRecords,
    topic: Option<&TopicImage>,
    is_unauthorized: bool,
) -> Option<Rejected> {
    let name = topic.map_or(wanted.name.as_str(), |topic| topic.name.as_str());
    let refused = |error| Some(Rejected::new(error, ""));
    if is_unauthorized {
        refused(ResponseError::TransactionalIdAuthorizationFailed)
    } else if !(-1..=1).contains(&request.acks) {
        refused(ResponseError::InvalidRequiredAcks)
    } else if topic.is_none() && context.version >= 13 {
        refused(ResponseError::UnknownTopicId)
    } else if is_internal_topic(name) && context.client_id != ADMIN_CLIENT {
        let message = format!("Cannot append to internal topic {name}");
        Some(Rejected::new(ResponseError::InvalidTopicException, message))
    } else {
        None
    }
}

/// What is the same for all partitions of a topic.
struct Produce<'a> {
    node: &'a Node,
    context: &'a RequestContext,
    topic: Option<Arc<TopicImage>>,
    check: &'a TransactionCheck,
    /// Why this topic's records are refused.
    refused: Option<Rejected>,
    acks: i16,
    now_ms: i64,
}

impl Produce<'_> {
    /// The answer, and the batch whose commit it has to wait for.
    fn partition(
        &self,
        wanted: &PartitionRecords,
        body: &mut [u8],
    ) -> (PartitionProduceResponse, Option<Uncommitted>) {
        let records = body.get_mut(wanted.records.clone()).unwrap_or_default();
        let outcome = match (&self.refused, &self.topic) {
            (Some(refused), _) => Err(Rejected::new(refused.error, refused.message.clone())),
            (None, None) => Err(Rejected::new(ResponseError::UnknownTopicOrPartition, "")),
            (None, Some(topic)) => {
                match self
                    .check
                    .refusal(&topic.name, wanted.index, self.context.version)
                {
                    Some(refused) => Err(refused),
                    None => self.append_to(topic, wanted, records),
                }
            }
        };
        let response = PartitionProduceResponse::default().with_index(wanted.index);
        match outcome {
            Ok((appended, uncommitted)) => {
                let response = response
                    .with_base_offset(appended.base_offset)
                    .with_log_append_time_ms(appended.log_append_time)
                    .with_log_start_offset(appended.log_start_offset);
                (response, uncommitted)
            }
            Err(rejected) => (rejection(response, rejected), None),
        }
    }

    fn append_to(
        &self,
        topic: &TopicImage,
        wanted: &PartitionRecords,
        records: &mut [u8],
    ) -> Result<(Appended, Option<Uncommitted>), Rejected> {
        let leader = self.node.leader(topic, wanted.index);
        let (replica, partition) = leader.map_err(|error| Rejected::new(error, ""))?;
        let epoch = replica.leader_epoch();
        let (appended, size) = self.append(&replica, partition, records)?;
        let end = appended.last_offset.saturating_add(1);
        let waits = self.acks == -1 && replica.high_watermark() < end;
        let start = wanted.records.start;
        let uncommitted = waits.then_some(Uncommitted {
            replica,
            end,
            epoch,
            held: size.map(|size| HeldBatch {
                offsets: appended.base_offset..end,
                epoch,
                place: start..start.saturating_add(size),
            }),
            place: (0, 0),
        });
        Ok((appended, uncommitted))
    }

    /// Returns the append's result, and the size of the batch if the log has it exactly as it is now in the request.
    fn append(
        &self,
        partition: &Replica,
        image: &PartitionImage,
        records: &mut [u8],
    ) -> Result<(Appended, Option<usize>), Rejected> {
        let settings = partition.settings();
        let rules = Rules {
            partition: &partition.name,
            now_ms: self.now_ms,
            settings: &settings,
        };
        let header = batch_check::one_batch(records, self.context.version)?;
        let batch = records.get_mut(..header.size_in_bytes()).unwrap_or_default();
        let appended = self
            .check_isr(&rules, image)
            .and_then(|()| self.append_batch(partition, batch, &header, &rules));
        appended.map_err(|rejected| Rejected {
            log_start_offset: if tells_log_start(rejected.error) {
                partition.log_start_offset()
            } else {
                -1
            },
            ..rejected
        })
    }

    /// With acks=all, `min.insync.replicas` replicas must be in sync, or all of them if there are fewer.
    fn check_isr(&self, rules: &Rules<'_>, partition: &PartitionImage) -> Result<(), Rejected> {
        let count = |replicas: &[i32]| i64::try_from(replicas.len()).unwrap_or(i64::MAX);
        let isr = count(&partition.isr);
        let needed = rules.settings.min_insync_replicas.min(count(&partition.replicas));
        if self.acks != -1 || isr >= needed {
            return Ok(());
        }
        let message = format!(
            "The size of the current ISR : {isr} is insufficient to satisfy the min.isr requirement of {needed} for \
             partition {}",
            rules.partition
        );
        Err(Rejected::new(ResponseError::NotEnoughReplicas, message))
    }

    fn append_batch(
        &self,
        partition: &Replica,
        batch: &mut [u8],
        header: &BatchHeader,
        rules: &Rules<'_>,
    ) -> Result<(Appended, Option<usize>), Rejected> {
        let checked = batch_check::check(batch, header, rules)?;
        let packing = rules
            .settings
            .packing
            .filter(|packing| Some(packing.codec) != header.codec());
        let mut repacked = match packing {
            Some(packing) => {
                let plain = batch.get(HEADER_LEN..).unwrap_or_default();
                let records = checked.inflated.as_deref().unwrap_or(plain);
                Some(recompress(
                    records,
                    header,
                    packing,
                    rules.settings.max_message_bytes,
                )?)
            }
            None => None,
        };
        let size = repacked.is_none().then_some(batch.len());
        let batch = repacked.as_deref_mut().unwrap_or(batch);
        if !rules.settings.log_append_time {
            batch_header::set_max_timestamp(batch, TimestampType::CreateTime, checked.max_timestamp);
        }
        let origin = Origin::Client {
            from_zero: TransactionCheck::begins_at_zero(self.context.version, header),
        };
        let mut appended = partition
            .append(batch, origin, self.now_ms)
            .inspect_err(|error| {
                match error {
                    // Only this partition is affected.
                    AppendError::Gone(error) => self.node.notice_once(error),
                    AppendError::Storage(error) => {
                        self.node.report(self.node.write_trouble.write_refused(error));
                    }
                    _ => {}
                }
            })
            .map_err(|error| rejected_by_log(&error))?;
        self.node.report(self.node.write_trouble.write_accepted());
        if appended.duplicate {
            // As Kafka, with the time of the batch that the log has.
            appended.log_append_time = header.max_timestamp;
        }
        let is_as_sent = !appended.duplicate;
        Ok((appended, size.filter(|_| is_as_sent)))
    }
}

/// As in Kafka, a refusal by the log states the log start offset, except for these errors.
fn tells_log_start(error: ResponseError) -> bool {
    !matches!(
        error,
        ResponseError::MessageTooLarge
            | ResponseError::RecordListTooLarge
            | ResponseError::CorruptMessage
            | ResponseError::KafkaStorageError
            | ResponseError::NotEnoughReplicas
    )
}

/// Only errors of the disk have a message beside the code.
fn rejected_by_log(error: &AppendError) -> Rejected {
    let message = match error {
        AppendError::Storage(error) | AppendError::Gone(error) => error.to_string(),
        _ => String::new(),
    };
    Rejected::new(error_code(error), message)
}

fn error_code(error: &AppendError) -> ResponseError {
    match error {
        AppendError::Malformed(_) => ResponseError::CorruptMessage,
        AppendError::TooLarge { .. } => ResponseError::RecordListTooLarge,
        AppendError::Storage(_) | AppendError::Gone(_) => ResponseError::KafkaStorageError,
        AppendError::NotLeader => ResponseError::NotLeaderOrFollower,
        AppendError::Producer(ProducerError::OutOfOrderSequence { .. }) => {
            ResponseError::OutOfOrderSequenceNumber
        }
        AppendError::Producer(ProducerError::InvalidEpoch { .. }) => ResponseError::InvalidProducerEpoch,
        AppendError::Producer(ProducerError::InvalidTransactionState { .. }) => {
            ResponseError::InvalidTxnState
        }
        AppendError::Producer(ProducerError::CoordinatorFenced { .. }) => {
            ResponseError::TransactionCoordinatorFenced
        }
    }
}

fn rejection(response: PartitionProduceResponse, rejected: Rejected) -> PartitionProduceResponse {
    let records = rejected.records.into_iter().map(|(index, message)| {
        BatchIndexAndErrorMessage::default()
            .with_batch_index(index)
            .with_batch_index_error_message(Some(text(message)))
    });
    response
        .with_error_code(rejected.error.code())
        .with_base_offset(-1)
        .with_log_append_time_ms(-1)
        .with_log_start_offset(rejected.log_start_offset)
        .with_record_errors(records.collect())
        .with_error_message((!rejected.message.is_empty()).then(|| text(rejected.message)))
}
