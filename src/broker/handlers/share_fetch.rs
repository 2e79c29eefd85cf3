//! `ShareFetch`, versions 1–2: records for a member of a share group, and its acknowledgements (KIP-932).
//!
//! - Sessions are like those of Fetch; a session belongs to a member of a group, and ends with its connection.
//! - Acknowledgements come first, so that released records can be delivered at once. A request that renews locks
//!   (v2) fetches nothing, and must not ask for anything.
//! - v2: exactly as many records as were asked for, or whole batches as in v1 (KIP-1206).
//! - Where Apache Kafka 4.3.1 fails the request with an unknown error (-1), the partition gets the error: an unknown
//!   topic or partition, and one that is named twice.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ShareFetch>

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::share_fetch_response::{
    AcquiredRecords, LeaderIdAndEpoch, PartitionData, ShareFetchableTopicResponse,
};
use kafka_protocol::messages::{ShareFetchRequest, ShareFetchResponse};

use super::share_words::{Batch, Outcomes, acknowledge_all, session_key};
use super::{check_share_groups, text};
use crate::broker::call::RequestContext;
use crate::broker::newer_versions::NewerFields;
use crate::broker::node::Node;
use crate::broker::share::acquire::AcquireMode;
use crate::broker::share::share_fetch::{FetchedPartition, ShareFetch, fetch};
use crate::broker::share::share_session::{PartitionId, SessionKey, SessionPartition, SessionRequest};
use crate::broker::timers::steady_ms;

/// The most bytes of records in an answer, unless one batch is larger. Unlike that of Fetch it is held in memory.
const MOST_BYTES: usize = 8 << 20;

/// What a request asks for, in either version.
struct Wanted {
    session: SessionKey,
    partitions: Vec<PartitionId>,
    acknowledged: Vec<(PartitionId, Vec<Batch>)>,
    mode: AcquireMode,
    /// Version 2: the request renews locks, and fetches nothing.
    renews: bool,
}

pub async fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ShareFetchRequest,
) -> ShareFetchResponse {
    match answer(node, context, &request).await {
        Ok(response) => response,
        Err(error) => {
            if error == ResponseError::ShareSessionLimitReached {
                // Without a pause the client would ask again at once.
                tokio::time::sleep(wait_of(&request)).await;
            }
            ShareFetchResponse::default().with_error_code(error.code())
        }
    }
}

fn wait_of(request: &ShareFetchRequest) -> Duration {
    Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0))
}

async fn answer(
    node: &Arc<Node>,
    context: &RequestContext,
    request: &ShareFetchRequest,
) -> Result<ShareFetchResponse, ResponseError> {
    check_share_groups(node)?;
    let wanted = wanted(context, request)?;
    let forgotten = request.forgotten_topics_data.iter();
    let forgotten: Vec<PartitionId> = forgotten
        .flat_map(|topic| {
            topic
                .partitions
                .iter()
                .map(|partition| (topic.topic_id, *partition))
        })
        .collect();
    let partitions = node.share.sessions.fetch(&SessionRequest {
        key: &wanted.session,
        epoch: request.share_session_epoch,
        added: &existing(node, &wanted.partitions),
        forgotten: &forgotten,
        has_acknowledgements: !wanted.acknowledged.is_empty(),
        connection: context.connection,
    })?;
    let outcomes = acknowledge_all(node, &wanted.session, &wanted.acknowledged, wanted.renews);
    let fetched = match &partitions {
        None => {
            node.share.close_session(&wanted.session, steady_ms());
            Vec::new()
        }
        Some(_) if wanted.renews || request.max_records <= 0 => Vec::new(),
        Some(partitions) => {
            let mut ids: Vec<PartitionId> = partitions.iter().map(|partition| partition.id).collect();
            ids.extend(unknown(node, &wanted.partitions));
            fetch(node, &as_fetch(node, &wanted, request, ids)).await
        }
    };
    let partitions = partitions.unwrap_or_default();
    let response = response(node, &wanted.session, fetched, &partitions, outcomes);
    let lock_ms = node.share.config_of(&wanted.session.group).limits.lock_ms;
    Ok(response.with_acquisition_lock_timeout_ms(i32::try_from(lock_ms).unwrap_or(i32::MAX)))
}

fn wanted(context: &RequestContext, request: &ShareFetchRequest) -> Result<Wanted, ResponseError> {
    let session = session_key(request.group_id.as_ref(), request.member_id.as_ref())?;
    let mut newer = NewerFields::new(&context.newer_fields);
    let mode = AcquireMode::of(newer.int8()).ok_or(ResponseError::UnknownServerError)?;
    let renews = newer.bool();
    let asks = [
        request.max_wait_ms,
        request.min_bytes,
        request.max_bytes,
        request.max_records,
    ];
    if renews && asks.iter().any(|asked| *asked != 0) {
        return Err(ResponseError::InvalidRequest);
    }
    let mut partitions = Vec::new();
    let mut acknowledged = Vec::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let id = (topic.topic_id, partition.partition_index);
            partitions.push(id);
            let batches = partition.acknowledgement_batches.iter();
            let batches: Vec<Batch> = batches
                .map(|batch| {
                    (
                        batch.first_offset,
                        batch.last_offset,
                        batch.acknowledge_types.clone(),
                    )
                })
                .collect();
            if !batches.is_empty() {
                acknowledged.push((id, batches));
            }
        }
    }
    Ok(Wanted {
        session,
        partitions,
        acknowledged,
        mode,
        renews,
    })
}

fn exists(node: &Node, id: PartitionId) -> bool {
    let image = node.cluster.image();
    let topic = image.topic_by_id(id.0);
    topic.is_some_and(|topic| topic.partition(id.1).is_some())
}

/// A session remembers only partitions that exist, so that clients cannot fill the memory.
fn existing(node: &Node, partitions: &[PartitionId]) -> Vec<PartitionId> {
    let existing = partitions.iter().filter(|id| exists(node, **id));
    existing.copied().collect()
}

fn unknown(node: &Node, partitions: &[PartitionId]) -> Vec<PartitionId> {
    let unknown = partitions.iter().filter(|id| !exists(node, **id));
    unknown.copied().collect()
}

fn as_fetch(
    node: &Node,
    wanted: &Wanted,
    request: &ShareFetchRequest,
    partitions: Vec<PartitionId>,
) -> ShareFetch {
    let bytes = |number| usize::try_from(number).unwrap_or(0);
    ShareFetch {
        group: wanted.session.group.clone(),
        member: wanted.session.member.clone(),
        partitions,
        wait: wait_of(request),
        min_bytes: bytes(request.min_bytes),
        max_bytes: bytes(request.max_bytes)
            .min(node.config.fetch_max_bytes)
            .min(MOST_BYTES),
        max_records: i64::from(request.max_records),
        batch_size: i64::from(request.batch_size.max(1)),
        mode: wanted.mode,
    }
}

/// The answer names partitions with records or errors, and those that no answer of the session has named yet.
fn response(
    node: &Node,
    session: &SessionKey,
    fetched: Vec<FetchedPartition>,
    partitions: &[SessionPartition],
    mut outcomes: Outcomes,
) -> ShareFetchResponse {
    let new: HashSet<PartitionId> = partitions
        .iter()
        .filter(|partition| partition.is_new)
        .map(|partition| partition.id)
        .collect();
    let mut named = HashSet::new();
    let mut topics: Vec<ShareFetchableTopicResponse> = Vec::new();
    let mut add = |id: PartitionId, data: PartitionData| match topics.last_mut() {
        Some(topic) if topic.topic_id == id.0 => topic.partitions.push(data),
        _ => topics.push(
            ShareFetchableTopicResponse::default()
                .with_topic_id(id.0)
                .with_partitions(vec![data]),
        ),
    };
    for partition in fetched {
        let outcome = outcomes.remove(&partition.id);
        let news = !partition.acquired.is_empty() || partition.error.is_some() || outcome.is_some();
        if news || new.contains(&partition.id) {
            named.insert(partition.id);
            let id = partition.id;
            add(id, with_outcome(data(node, partition), outcome));
        }
    }
    for (id, outcome) in outcomes {
        let nothing = PartitionData::default()
            .with_partition_index(id.1)
            .with_records(Some(bytes::Bytes::new()));
        add(id, with_outcome(nothing, Some(outcome)));
    }
    node.share.sessions.answered(session, &named);
    ShareFetchResponse::default().with_responses(topics)
}

fn data(node: &Node, partition: FetchedPartition) -> PartitionData {
    let acquired = partition.acquired.iter().map(|records| {
        AcquiredRecords::default()
            .with_first_offset(records.first)
            .with_last_offset(records.last)
            .with_delivery_count(records.delivery_count)
    });
    let data = PartitionData::default()
        .with_partition_index(partition.id.1)
        .with_error_code(partition.error.map_or(0, |error| error.code()))
        .with_acquired_records(acquired.collect())
        .with_records(Some(partition.records));
    if partition.error == Some(ResponseError::NotLeaderOrFollower) {
        return data.with_current_leader(leader(node, partition.id));
    }
    data
}

fn leader(node: &Node, id: PartitionId) -> LeaderIdAndEpoch {
    let image = node.cluster.image();
    let partition = image.topic_by_id(id.0).and_then(|topic| topic.partition(id.1));
    let leader = LeaderIdAndEpoch::default();
    match partition {
        Some(partition) => leader
            .with_leader_id(partition.leader)
            .with_leader_epoch(partition.leader_epoch),
        None => leader,
    }
}

fn with_outcome(
    data: PartitionData,
    outcome: Option<Result<(), crate::broker::share::partition_manager::Refused>>,
) -> PartitionData {
    match outcome {
        Some(Err((error, words))) => data
            .with_acknowledge_error_code(error.code())
            .with_acknowledge_error_message(words.map(text)),
        _ => data,
    }
}
