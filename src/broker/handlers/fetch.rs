//! Fetch, versions 4–18: reads whole batches from partitions.
//!
//! - Waits until `min_bytes` are available or `max_wait_ms` are over; an error, or nothing to wait for, ends the
//!   wait.
//! - The first partition with records returns at least one batch, whatever the limits: a batch larger than them could
//!   never be read otherwise. An offset inside a batch returns the whole batch.
//! - Sessions (v7, `fetch_session`), topic ids (v13).
//! - The answer is encoded by hand (`fetch_response`) and leaves the records in the page cache.
//!
//! - v11: followers answer as well, up to their own high watermark; a leader that selects replicas by rack names one
//!   that is nearer to the client (KIP-392).
//! - v12, v16: if this node does not lead, the answer says who does (KIP-951).
//!
//! Nodes of the cluster do not copy by this API, but within the process (`node/replica_fetcher.rs`).
//!
//! <https://kafka.apache.org/protocol#The_Messages_Fetch>

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::FetchRequest;
use tokio::time::Instant;

use crate::broker::access::AclOperation;
use crate::broker::call::{Call, RequestContext, decode};
use crate::broker::fetch::delayed_fetch::Waiter;
use crate::broker::fetch::fetch_response::{self, NodeAddress, PartitionAnswer, TopicAnswer};
use crate::broker::fetch::fetch_session::{LastSaid, Plan, Target};
use crate::broker::node::Node;
use crate::broker::node::replica::Replica;
use crate::broker::quotas::Traffic;
use crate::broker::refusal::Refusal;
use crate::broker::response::Answer;
use crate::broker::rights::Rights;
use crate::broker::timers::steady_ms;
use crate::storage::transaction_index::AbortedTransaction;
use crate::storage::{LogSlice, PartitionLog, ReadError};

/// Takes the whole call, as the answer is sent in pieces.
pub async fn answer(call: Call) -> Result<Answer, Refusal> {
    let (node, context, request) = decode::<FetchRequest>(call)?;
    let image = node.cluster.image();
    let name_of = |id| image.topic_by_id(id).map(|topic| topic.name.clone());
    let plan = node
        .fetch_sessions
        .plan(&request, context.version, steady_ms(), name_of);
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => return fetch_response::encode(&context, error.code(), 0, Vec::new(), &[]),
    };
    let most_bytes = node.quotas.most_bytes(&image, Traffic::Fetch, context.sender());
    let limits = Limits {
        max_bytes: usize::try_from(request.max_bytes)
            .unwrap_or(0)
            .min(node.config.fetch_max_bytes)
            .min(most_bytes.unwrap_or(usize::MAX)),
        min_bytes: usize::try_from(request.min_bytes).unwrap_or(0),
        wait: Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)),
        read_committed: request.isolation_level == 1,
        by_id: context.version >= 13,
        from_followers: context.version >= 11,
        rack: node.selects_by_rack().then(|| request.rack_id.to_string()),
    };
    // The wait may be long, and topics may change meanwhile.
    drop(image);
    let answers = fetch(&node, &context, &plan, &limits).await;
    if is_throttled(&node, &context, &answers) {
        // The answer is empty: the client asks for the same again after the pause.
        let session_id = if plan.incremental { plan.session_id } else { 0 };
        return fetch_response::encode(&context, 0, session_id, Vec::new(), &[]);
    }
    let mut topics = select(&node, &plan, answers);
    let leaders = leader_hints(&node, &context, &mut topics);
    fetch_response::encode(&context, 0, plan.session_id, topics, &leaders)
}

/// Puts the current leader into the answer for partitions that this node does not lead or whose epoch the client has
/// wrong; returns the addresses of those leaders.
fn leader_hints(node: &Node, context: &RequestContext, topics: &mut [TopicAnswer]) -> Vec<NodeAddress> {
    let is_outdated = |error: i16| {
        error == ResponseError::NotLeaderOrFollower.code() || error == ResponseError::FencedLeaderEpoch.code()
    };
    let mut answers = topics.iter().flat_map(|topic| &topic.partitions);
    if !answers.any(|answer| is_outdated(answer.error)) {
        return Vec::new();
    }
    let image = node.cluster.image();
    let mut leaders = BTreeSet::new();
    for topic in topics {
        let found = image.topic(&topic.name);
        for answer in topic
            .partitions
            .iter_mut()
            .filter(|answer| is_outdated(answer.error))
        {
            if let Some(partition) = found.and_then(|found| found.partition(answer.partition)) {
                answer.current_leader = Some((partition.leader, partition.leader_epoch));
                leaders.insert(partition.leader);
            }
        }
    }
    let reachable = image.reachable_by(&context.listener.name);
    let told = reachable.filter(|(broker, _)| leaders.contains(&broker.id));
    let addresses = told.map(|(broker, endpoint)| NodeAddress {
        id: broker.id,
        host: endpoint.host.clone(),
        port: endpoint.port,
        rack: broker.rack.clone(),
    });
    addresses.collect()
}

/// Whether these answers exceed the client's quota. If so, they are not sent and not counted.
fn is_throttled(node: &Node, context: &RequestContext, answers: &[PartitionAnswer]) -> bool {
    let image = node.cluster.image();
    let bytes = answers.iter().map(PartitionAnswer::size).sum();
    let counted = (bytes, steady_ms());
    let throttle_ms = node
        .quotas
        .record(&image, Traffic::Fetch, context.sender(), counted);
    context.throttle.set_ms(throttle_ms);
    if throttle_ms > 0 {
        node.quotas
            .unrecord(&image, Traffic::Fetch, context.sender(), counted);
    }
    throttle_ms > 0
}

struct Limits {
    max_bytes: usize,
    min_bytes: usize,
    wait: Duration,
    read_committed: bool,
    by_id: bool,
    /// Whether a follower may answer.
    from_followers: bool,
    /// The client's rack, if the nearest replica is to answer.
    rack: Option<String>,
}

/// Reads, and waits until there is enough or the time is over.
async fn fetch(node: &Node, context: &RequestContext, plan: &Plan, limits: &Limits) -> Vec<PartitionAnswer> {
    let partitions = find(node, context, plan, limits);
    let (mut answers, mut enough) = read_all(node, plan, &partitions, limits);
    if enough || limits.wait.is_zero() {
        return answers;
    }
    let deadline = Instant::now() + limits.wait;
    loop {
        let waiter = Waiter::new();
        for partition in partitions.iter().filter_map(|found| found.as_ref().ok()) {
            partition.waiters.register(&waiter);
        }
        // Records may have arrived between the last read and the registration.
        (answers, enough) = read_all(node, plan, &partitions, limits);
        if enough {
            return answers;
        }
        let have: usize = answers.iter().map(PartitionAnswer::size).sum();
        let missing = limits.min_bytes.saturating_sub(have);
        let woken = tokio::time::timeout_at(deadline, waiter.enough(missing)).await;
        (answers, enough) = read_all(node, plan, &find(node, context, plan, limits), limits);
        if enough || woken.is_err() {
            return answers;
        }
    }
}

type Found = Result<Arc<Replica>, ResponseError>;

fn find(node: &Node, context: &RequestContext, plan: &Plan, limits: &Limits) -> Vec<Found> {
    let image = node.cluster.image();
    let rights = Rights::of(node, &image, context);
    let look_up = |target: &Target| {
        if limits.by_id && target.topic.is_empty() {
            return Err(ResponseError::UnknownTopicId);
        }
        if !rights.may_topic(AclOperation::Read, &target.topic) {
            return Err(ResponseError::TopicAuthorizationFailed);
        }
        let topic = image.topic(&target.topic);
        let topic = topic.ok_or(ResponseError::UnknownTopicOrPartition)?;
        let replica = if limits.from_followers {
            node.readable(topic, target.partition)?
        } else {
            node.leader(topic, target.partition)?.0
        };
        if limits.by_id && topic.id != target.id {
            // The topic was deleted, and another one has its name.
            return Err(ResponseError::InconsistentTopicId);
        }
        Ok(replica)
    };
    plan.targets.iter().map(|(target, _)| look_up(target)).collect()
}

/// Reads every partition once; also returns whether that is enough for an answer.
fn read_all(node: &Node, plan: &Plan, partitions: &[Found], limits: &Limits) -> (Vec<PartitionAnswer>, bool) {
    let mut left = limits.max_bytes;
    let mut total = 0;
    let mut failed = plan.targets.is_empty();
    let mut fetched = Vec::with_capacity(plan.targets.len());
    for ((target, _), found) in plan.targets.iter().zip(partitions) {
        let nearer = |partition: &Replica| partition.nearer_to(node, limits.rack.as_deref()?, target.offset);
        let answer = match found {
            Ok(partition) => match nearer(partition) {
                Some(replica) => preferred(target, partition, replica),
                None => read(target, partition, left, total == 0, limits),
            },
            Err(error) => missing(target, *error),
        };
        let is_news = answer.preferred_replica >= 0 || answer.diverging_epoch.is_some();
        failed |= answer.error != 0 || is_news;
        total += answer.size();
        left = left.saturating_sub(answer.size());
        fetched.push(answer);
    }
    (fetched, failed || total >= limits.min_bytes)
}

fn read(target: &Target, partition: &Replica, left: usize, first: bool, limits: &Limits) -> PartitionAnswer {
    let refused = |error: ResponseError| PartitionAnswer::error(target.partition, error.code());
    if let Err(error) = partition.check_epoch(target.leader_epoch) {
        return refused(error);
    }
    let high_watermark = partition.high_watermark();
    let mut answer = PartitionAnswer {
        partition: target.partition,
        error: 0,
        high_watermark,
        last_stable_offset: partition.last_stable_offset(),
        log_start_offset: partition.log_start_offset(),
        lists_aborted: limits.read_committed,
        aborted: Vec::new(),
        records: None,
        preferred_replica: -1,
        current_leader: None,
        diverging_epoch: None,
    };
    match diverging_epoch(target, partition) {
        Ok(None) => {}
        Ok(diverging) => {
            answer.diverging_epoch = diverging;
            answer.lists_aborted = false;
            return answer;
        }
        Err(error) => return refused(error),
    }
    let upper_bound = if limits.read_committed {
        answer.last_stable_offset
    } else {
        high_watermark
    };
    if target.offset == upper_bound {
        return answer;
    }
    let max_bytes = left.min(usize::try_from(target.max_bytes).unwrap_or(0));
    let log = partition.log();
    match log.read(target.offset, max_bytes, upper_bound, first) {
        Ok(slice) => {
            if limits.read_committed && !slice.is_empty() {
                match aborted(&log, &slice, target.offset, upper_bound) {
                    Ok(aborted) => answer.aborted = aborted,
                    Err(_) => return refused(ResponseError::KafkaStorageError),
                }
            }
            answer.records = Some(slice);
        }
        Err(ReadError::OffsetOutOfRange { .. }) => return refused(ResponseError::OffsetOutOfRange),
        Err(ReadError::Storage(_)) => return refused(ResponseError::KafkaStorageError),
    }
    answer
}

/// For a client whose records diverge from this log: the last epoch that both have, and where it ends here (KIP-595).
fn diverging_epoch(target: &Target, partition: &Replica) -> Result<Option<(i32, i64)>, ResponseError> {
    if target.last_fetched_epoch < 0 {
        return Ok(None);
    }
    let known = partition.log().epoch_end_offset(target.last_fetched_epoch);
    let (epoch, end) = known.ok_or(ResponseError::OffsetOutOfRange)?;
    if target.offset < partition.log_start_offset() {
        return Err(ResponseError::OffsetOutOfRange);
    }
    let diverges = epoch < target.last_fetched_epoch || end < target.offset;
    Ok(diverges.then_some((epoch, end)))
}

/// The answer that names a replica nearer to the client, and has nothing else.
fn preferred(target: &Target, partition: &Replica, replica: i32) -> PartitionAnswer {
    PartitionAnswer {
        error: 0,
        high_watermark: partition.high_watermark(),
        last_stable_offset: partition.last_stable_offset(),
        log_start_offset: partition.log_start_offset(),
        preferred_replica: replica,
        ..PartitionAnswer::error(target.partition, 0)
    }
}

/// The aborted transactions in the range of a slice, and no later ones: there may be any number of those.
fn aborted(
    log: &PartitionLog,
    slice: &LogSlice,
    offset: i64,
    upper_bound: i64,
) -> crate::error::Result<Vec<AbortedTransaction>> {
    let end = slice.next_base_offset(offset)?.unwrap_or(upper_bound);
    log.aborted_transactions(offset, end.min(upper_bound))
}

/// As in Kafka, the answer for a partition that does not exist has a list of aborted transactions, whatever the
/// isolation level; that for a wrong topic id has none.
fn missing(target: &Target, error: ResponseError) -> PartitionAnswer {
    PartitionAnswer {
        lists_aborted: error != ResponseError::InconsistentTopicId,
        ..PartitionAnswer::error(target.partition, error.code())
    }
}

/// The content of the answer, by topic; in an incremental session only what has changed since the last answer, which
/// the session remembers. As in Kafka, partitions that do not exist come last, those with an unknown topic id first
/// among them.
fn select(node: &Node, plan: &Plan, answers: Vec<PartitionAnswer>) -> Vec<TopicAnswer> {
    let mut topics: Vec<TopicAnswer> = Vec::new();
    let mut said = Vec::new();
    let mut answers: Vec<_> = plan.targets.iter().zip(answers).collect();
    answers.sort_by_key(|(_, answer)| match answer.error {
        error if error == ResponseError::UnknownTopicId.code() => 1,
        error if error == ResponseError::UnknownTopicOrPartition.code() => 2,
        _ => 0,
    });
    for ((target, before), answer) in answers {
        let now = LastSaid {
            high_watermark: answer.high_watermark,
            log_start_offset: answer.log_start_offset,
        };
        let news = answer.size() > 0
            || answer.error != 0
            || answer.preferred_replica >= 0
            || answer.diverging_epoch.is_some()
            || *before != Some(now);
        if plan.incremental && !news {
            continue;
        }
        if plan.session_id != 0 {
            said.push((target.clone(), now, answer.size() > 0));
        }
        match topics.last_mut() {
            Some(last) if last.is_of(target.id, &target.topic) => last.partitions.push(answer),
            _ => topics.push(TopicAnswer {
                name: target.topic.clone(),
                id: target.id,
                partitions: vec![answer],
            }),
        }
    }
    if !said.is_empty() {
        node.fetch_sessions.answered(plan.session_id, &said);
    }
    topics
}
