//! Reads records for a member of a share group, acquires them, and waits until there are some.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::time::Instant;

use super::acquire::{AcquireMode, AcquiredRecords, Acquisition, BatchSpan};
use super::partition_manager::LiveSharePartition;
use super::share_config::ShareConfig;
use super::share_session::PartitionId;
use super::transactions;
use crate::broker::coordinator::share::StateKey;
use crate::broker::fetch::delayed_fetch::Waiter;
use crate::broker::node::Node;
use crate::broker::node::replica::Replica;
use crate::broker::timers::steady_ms;
use crate::records::{Batch, Batches};
use crate::storage::ReadError;

/// How often a fetch that finds only records of aborted transactions reads on before it returns nothing.
const MOST_ROUNDS: usize = 1000;

/// A member's fetch.
#[derive(Debug)]
pub struct ShareFetch {
    pub group: String,
    pub member: String,
    pub partitions: Vec<PartitionId>,
    pub wait: Duration,
    pub min_bytes: usize,
    pub max_bytes: usize,
    pub max_records: i64,
    pub batch_size: i64,
    pub mode: AcquireMode,
}

/// The result for one partition.
#[derive(Debug)]
pub struct FetchedPartition {
    pub id: PartitionId,
    pub error: Option<ResponseError>,
    /// Whole batches; the member must read only the acquired records in them.
    pub records: Bytes,
    pub acquired: Vec<AcquiredRecords>,
}

impl FetchedPartition {
    fn of(id: PartitionId, error: Option<ResponseError>) -> Self {
        Self {
            id,
            error,
            records: Bytes::new(),
            acquired: Vec::new(),
        }
    }
}

/// A partition that can be read.
struct Readable {
    replica: Arc<Replica>,
    live: Arc<LiveSharePartition>,
}

type Found = Result<Readable, ResponseError>;

/// Fetches, and waits until there are records or the time is over.
pub(in crate::broker) async fn fetch(node: &Node, fetch: &ShareFetch) -> Vec<FetchedPartition> {
    let deadline = Instant::now() + fetch.wait;
    let mut rounds = 0;
    loop {
        let config = node.share.config_of(&fetch.group);
        let found = find(node, fetch, &config);
        let waiter = Waiter::new();
        for partition in found.iter().filter_map(|found| found.as_ref().ok()) {
            partition.replica.waiters.register(&waiter);
            partition.live.waiters.register(&waiter);
        }
        let available = available(node, fetch, &config, &found);
        let failed = found.iter().any(Result::is_err) || found.is_empty();
        let is_over = Instant::now() >= deadline;
        if failed || is_over || available >= fetch.min_bytes.max(1) {
            let fetched = acquire_all(node, fetch, &config, found);
            let is_something =
                |partition: &FetchedPartition| !partition.acquired.is_empty() || partition.error.is_some();
            rounds += 1;
            if failed || is_over || rounds == MOST_ROUNDS || fetched.iter().any(is_something) {
                return fetched;
            }
            // All records were of aborted transactions, or settled after a gap: there may be others after them.
            tokio::task::yield_now().await;
            continue;
        }
        let missing = fetch.min_bytes.max(1).saturating_sub(available);
        // After the time is over, whatever is available is returned.
        let _ = tokio::time::timeout_at(deadline, waiter.enough(missing)).await;
    }
}

fn find(node: &Node, fetch: &ShareFetch, config: &ShareConfig) -> Vec<Found> {
    let image = node.cluster.image();
    let look_up = |id: &PartitionId| {
        let (topic_id, index) = *id;
        let topic = image.topic_by_id(topic_id).ok_or(ResponseError::UnknownTopicId)?;
        let (replica, _) = node.leader(topic, index)?;
        let key = StateKey {
            group: fetch.group.clone(),
            topic: topic_id,
            partition: index,
        };
        let live = node.share.open(&key, &replica, config, steady_ms())?;
        Ok(Readable { replica, live })
    };
    fetch.partitions.iter().map(look_up).collect()
}

fn upper_bound(replica: &Replica, config: &ShareConfig) -> i64 {
    if config.read_committed {
        replica.last_stable_offset()
    } else {
        replica.high_watermark()
    }
}

/// The number of bytes that could be delivered now.
fn available(node: &Node, fetch: &ShareFetch, config: &ShareConfig, found: &[Found]) -> usize {
    let mut total = 0_usize;
    for partition in found.iter().filter_map(|found| found.as_ref().ok()) {
        let mut state = partition.live.lock();
        let start = state.machine.start();
        state
            .machine
            .log_start_moved(partition.replica.log_start_offset());
        if state.machine.start() != start {
            node.share.changed(&partition.live, &mut state);
        }
        if !state.machine.can_acquire(&config.limits) {
            continue;
        }
        let offset = state.machine.next_fetch_offset();
        let bound = upper_bound(&partition.replica, config);
        let slice = partition.replica.log().read(offset, fetch.max_bytes, bound, true);
        total = total.saturating_add(slice.map_or(0, |slice| slice.length));
    }
    total
}

fn acquire_all(
    node: &Node,
    fetch: &ShareFetch,
    config: &ShareConfig,
    found: Vec<Found>,
) -> Vec<FetchedPartition> {
    let mut left = fetch.max_records;
    let mut bytes_left = fetch.max_bytes;
    let mut readable = found.iter().filter(|found| found.is_ok()).count();
    let mut fetched = Vec::with_capacity(found.len());
    for (id, found) in fetch.partitions.iter().zip(found) {
        let partition = match found {
            Ok(partition) => partition,
            Err(error) => {
                fetched.push(FetchedPartition::of(*id, Some(error)));
                continue;
            }
        };
        // Each partition gets an equal share of the bytes left; the first one at least a batch.
        let share = bytes_left / readable.max(1);
        readable = readable.saturating_sub(1);
        let portion = Portion {
            max_records: left,
            max_bytes: share,
            at_least_one: fetched
                .iter()
                .all(|fetched: &FetchedPartition| fetched.records.is_empty()),
        };
        let next = match acquire(node, fetch, config, &partition, &portion) {
            Ok((records, acquired)) => FetchedPartition {
                id: *id,
                error: None,
                records,
                acquired,
            },
            Err(error) => FetchedPartition::of(*id, Some(error)),
        };
        left -= next.acquired.iter().map(AcquiredRecords::count).sum::<i64>();
        bytes_left = bytes_left.saturating_sub(next.records.len());
        fetched.push(next);
    }
    fetched
}

/// The limits of one partition in a fetch.
struct Portion {
    max_records: i64,
    max_bytes: usize,
    at_least_one: bool,
}

fn acquire(
    node: &Node,
    fetch: &ShareFetch,
    config: &ShareConfig,
    partition: &Readable,
    portion: &Portion,
) -> Result<(Bytes, Vec<AcquiredRecords>), ResponseError> {
    let nothing = || Ok((Bytes::new(), Vec::new()));
    let mut state = partition.live.lock();
    if portion.max_records <= 0 || !state.machine.can_acquire(&config.limits) {
        return nothing();
    }
    let fetch_offset = state.machine.next_fetch_offset();
    let bound = upper_bound(&partition.replica, config);
    let (slice, aborted) = {
        let log = partition.replica.log();
        let slice = match log.read(fetch_offset, portion.max_bytes, bound, portion.at_least_one) {
            Ok(slice) => slice,
            Err(ReadError::OffsetOutOfRange { .. }) => return nothing(),
            Err(ReadError::Storage(_)) => return Err(ResponseError::KafkaStorageError),
        };
        let aborted = if config.read_committed && !slice.is_empty() {
            log.aborted_transactions(fetch_offset, bound)
        } else {
            Ok(Vec::new())
        };
        (slice, aborted.map_err(|_| ResponseError::KafkaStorageError)?)
    };
    let bytes = slice.to_vec().map_err(|_| ResponseError::KafkaStorageError)?;
    let batches: Vec<Batch<'_>> = Batches::new(&bytes).map_while(Result::ok).collect();
    let spans: Vec<BatchSpan> = batches.iter().map(span).collect();
    let acquisition = Acquisition {
        member: &fetch.member,
        mode: fetch.mode,
        batch_size: fetch.batch_size,
        max_records: portion.max_records,
        fetch_offset,
        spans: &spans,
        now_ms: steady_ms(),
    };
    let mut acquired = state.machine.acquire(&acquisition, &config.limits);
    if config.read_committed {
        let left_out = transactions::left_out(&batches, &aborted);
        let visible = transactions::without(&acquired, &left_out);
        for records in &acquired {
            for span in left_out
                .iter()
                .filter(|span| span.last >= records.first && span.base <= records.last)
            {
                let (first, last) = (span.base.max(records.first), span.last.min(records.last));
                state.machine.archive(first, last);
            }
        }
        acquired = visible;
    }
    node.share.watch_locks(&partition.live, &mut state);
    let range = bytes_of(&batches, &acquired);
    Ok((Bytes::from(bytes).slice(range), acquired))
}

fn span(batch: &Batch<'_>) -> BatchSpan {
    BatchSpan {
        base: batch.header.base_offset,
        last: batch.header.last_offset(),
    }
}

/// The bytes of the batches from the first to the last acquired record.
fn bytes_of(batches: &[Batch<'_>], acquired: &[AcquiredRecords]) -> std::ops::Range<usize> {
    let (Some(first), Some(last)) = (acquired.first(), acquired.last()) else {
        return 0..0;
    };
    let mut needed = batches
        .iter()
        .filter(|batch| batch.header.last_offset() >= first.first && batch.header.base_offset <= last.last);
    let start = needed.clone().next().map_or(0, |batch| batch.position);
    let end = needed
        .next_back()
        .map_or(0, |batch| batch.position + batch.bytes.len());
    start..end
}
