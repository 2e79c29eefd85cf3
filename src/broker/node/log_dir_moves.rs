//! Moves of replicas to another log dir of their node (KIP-113): a future log there copies the current log, and
//! replaces it when it has everything.
//!
//! The copies of one node are made one at a time, in the background. A move that an earlier run did not finish is
//! continued.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kafka_protocol::ResponseError;
use tokio::sync::Notify;
use uuid::Uuid;

use super::Node;
use super::replica::Replica;
use super::replica_manager::ReplicaManager;
use super::replication::divergence;
use crate::broker::cluster::image::ClusterImage;
use crate::broker::timers::now_ms;
use crate::error::{Error, Result};
use crate::storage::future_log::{self, FoundFuture};
use crate::storage::{LogDir, LogSlice, PartitionLog, ReadError};
use crate::topic_partition::{Offset, TopicPartition};

/// Bytes that are copied at a time; the current log is not locked meanwhile.
const CHUNK: usize = 1024 * 1024;
/// How late a stop is noticed during a pause.
const SHORT_NAP: Duration = Duration::from_millis(100);
const THROTTLE: &str = "replica.alter.log.dirs.io.max.bytes.per.second";

/// The future log of a replica. If both logs are locked, it is locked before the current one.
type Future = Arc<Mutex<PartitionLog>>;

/// The moves of a node, by topic and partition.
#[derive(Debug, Default)]
pub(in crate::broker) struct LogDirMoves {
    futures: Mutex<BTreeMap<(Uuid, i32), Future>>,
    added: Notify,
    stopping: AtomicBool,
}

/// A future log, as DescribeLogDirs shows it.
#[derive(Clone, Debug)]
pub(in crate::broker) struct ShownFuture {
    pub(in crate::broker) topic_id: Uuid,
    pub(in crate::broker) index: i32,
    /// Its log dir.
    pub(in crate::broker) dir: PathBuf,
    /// Bytes of its log files.
    pub(in crate::broker) size: u64,
    /// Its log end offset.
    pub(in crate::broker) end: Offset,
}

/// The outcome of one step of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Copied(usize),
    /// The future log has replaced the current one.
    Done,
}

impl LogDirMoves {
    fn futures(&self) -> MutexGuard<'_, BTreeMap<(Uuid, i32), Future>> {
        self.futures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the current copy; no other begins.
    pub(in crate::broker) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn may_go_on(&self) -> bool {
        !self.stopping.load(Ordering::Relaxed)
    }

    fn has(&self, topic: Uuid, index: i32, future: &Future) -> bool {
        let futures = self.futures();
        futures
            .get(&(topic, index))
            .is_some_and(|known| Arc::ptr_eq(known, future))
    }

    fn forget(&self, topic: Uuid, index: i32, future: &Future) {
        if self.has(topic, index, future) {
            self.futures().remove(&(topic, index));
        }
    }

    fn add(&self, topic: Uuid, index: i32, log: PartitionLog) {
        self.futures().insert((topic, index), Arc::new(Mutex::new(log)));
        self.added.notify_one();
    }
}

/// Copies future logs forever. The work waits for the disk, so it runs on a blocking thread.
pub(in crate::broker) async fn run(node: Arc<Node>) {
    loop {
        let replicas = Arc::clone(&node.replicas);
        let work = tokio::task::spawn_blocking(move || replicas.copy_between_log_dirs());
        for note in work.await.unwrap_or_default() {
            node.notice(note);
        }
        node.replicas.moves.added.notified().await;
    }
}

fn lock(future: &Future) -> MutexGuard<'_, PartitionLog> {
    future.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ReplicaManager {
    /// Begins to move a replica to the log dir at `path`. If the replica is there already, a move elsewhere is
    /// cancelled.
    ///
    /// # Errors
    ///
    /// Those of Apache Kafka: there is no such log dir, no such partition, or no replica of it yet; such a replica
    /// will be created in the log dir that was asked for last.
    pub(in crate::broker) fn alter_log_dir(
        &self,
        topic: &str,
        index: i32,
        path: &Path,
    ) -> Result<(), ResponseError> {
        let target = self.log_dirs.find(path).ok_or(ResponseError::LogDirNotFound)?;
        let image = self.cluster.image();
        let Some(replica) = self.partition(topic, index) else {
            self.log_dirs.want(TopicPartition::new(topic, index), path);
            let exists = image.partition(topic, index).is_some();
            return Err(if exists {
                ResponseError::ReplicaNotAvailable
            } else {
                ResponseError::UnknownTopicOrPartition
            });
        };
        if self.future_is_in(&replica, target) {
            return Ok(());
        }
        self.cancel_move(replica.topic_id, replica.index);
        if self.log_dirs.of(&replica.log()).path() == path {
            return Ok(());
        }
        self.begin_move(&image, &replica, target)
            .map_err(|_| ResponseError::KafkaStorageError)
    }

    fn future_is_in(&self, replica: &Replica, dir: &LogDir) -> bool {
        let future = self.future(replica.topic_id, replica.index);
        future.is_some_and(|future| self.log_dirs.of(&lock(&future)).path() == dir.path())
    }

    fn future(&self, topic: Uuid, index: i32) -> Option<Future> {
        self.moves.futures().get(&(topic, index)).map(Arc::clone)
    }

    fn begin_move(&self, image: &ClusterImage, replica: &Replica, target: &LogDir) -> Result<()> {
        let topic = image.topic_by_id(replica.topic_id);
        let topic = topic.ok_or_else(|| Error::failed("the topic is gone"))?;
        let config = self.settings(image, &topic.configs).log_config(&self.config);
        let name = TopicPartition::new(replica.topic.as_str(), replica.index);
        let log = target.create_future(&name, replica.topic_id, config, now_ms())?;
        self.log_dirs.opened(&log);
        self.moves.add(replica.topic_id, replica.index, log);
        Ok(())
    }

    /// Cancels the move of a replica, if there is one, and removes the copy.
    pub(super) fn cancel_move(&self, topic: Uuid, index: i32) {
        let future = self.moves.futures().remove(&(topic, index));
        if let Some(future) = future {
            let log = lock(&future);
            self.log_dirs.gone(log.folder());
            // A folder that cannot be removed is found at the next start.
            let _ = future_log::remove(log.folder());
        }
    }

    /// Every future log.
    pub(in crate::broker) fn moving(&self) -> Vec<ShownFuture> {
        let futures = self.moves.futures().clone();
        let shown = futures.into_iter().map(|((topic_id, index), future)| {
            let log = lock(&future);
            ShownFuture {
                topic_id,
                index,
                dir: self.log_dirs.of(&log).path().to_owned(),
                size: log.size(),
                end: log.log_end_offset(),
            }
        });
        shown.collect()
    }

    /// Closes the future logs.
    pub(super) fn close_moving(&self) -> Result<()> {
        let futures = self.moves.futures().clone();
        futures
            .values()
            .try_for_each(|future| lock(future).close(self.config.flush_each_batch))
    }

    /// Takes up the moves that an earlier run did not finish. To be called before replicas are opened: if the last
    /// step of a move was interrupted, the replica's folder gets its name here.
    pub(super) fn find_moves(&self) -> Result<()> {
        let image = self.cluster.image();
        for dir in self.log_dirs.all() {
            for found in dir.futures()? {
                self.take_up(&image, dir, &found)?;
            }
        }
        Ok(())
    }

    fn take_up(&self, image: &ClusterImage, dir: &LogDir, found: &FoundFuture) -> Result<()> {
        let topic = image.topic_by_id(found.topic_id);
        let topic = topic.filter(|topic| {
            let partition = topic.partition(found.index);
            partition.is_some_and(|partition| partition.replicas.contains(&self.config.node_id))
        });
        let Some(topic) = topic else {
            return future_log::remove(&found.folder);
        };
        let name = TopicPartition::new(topic.name.as_str(), found.index);
        let Some(first) = self.log_dirs.holding(&name) else {
            return dir.promote(&found.folder, &name);
        };
        if first.path() == dir.path() || self.future(topic.id, found.index).is_some() {
            return future_log::remove(&found.folder);
        }
        let config = self.settings(image, &topic.configs).log_config(&self.config);
        let log = dir.open_future(&found.folder, config, now_ms())?;
        self.log_dirs.opened(&log);
        self.moves.add(topic.id, found.index, log);
        Ok(())
    }

    /// Copies until no move is left. Returns the lines to report to the user.
    fn copy_between_log_dirs(&self) -> Vec<String> {
        let mut notes = Vec::new();
        loop {
            let futures = self.moves.futures().clone();
            if futures.is_empty() {
                return notes;
            }
            for ((topic, index), future) in futures {
                if !self.moves.may_go_on() {
                    return notes;
                }
                let began = Instant::now();
                let Some(replica) = self.replica(topic, index) else {
                    self.cancel_move(topic, index);
                    continue;
                };
                match self.copy_some(&replica, &future) {
                    Ok(Step::Copied(bytes)) => self.rest_after_copy(bytes, began),
                    Ok(Step::Done) => notes.extend(self.clean_up_after_move()),
                    // Its files stay, so that the next start tries again.
                    Err(error) => {
                        self.moves.forget(topic, index, &future);
                        notes.push(format!(
                            "cannot move {} to another log dir: {error}",
                            replica.name
                        ));
                    }
                }
            }
        }
    }

    /// Copies one chunk, or finishes the move.
    fn copy_some(&self, replica: &Replica, shared: &Future) -> Result<Step> {
        let (topic, index) = (replica.topic_id, replica.index);
        let mut future = lock(shared);
        // The move may have been cancelled meanwhile, and another begun.
        if !self.moves.has(topic, index, shared) {
            return Ok(Step::Copied(0));
        }
        let slice = {
            let log = replica.log();
            let Some(slice) = missing(&mut future, &log)? else {
                self.replace(replica, log, &mut future)?;
                self.moves.forget(topic, index, shared);
                return Ok(Step::Done);
            };
            slice
        };
        let bytes = slice.to_vec()?;
        future
            .append_as_follower(&bytes, now_ms())
            .map_err(Error::failed)?;
        Ok(Step::Copied(bytes.len()))
    }

    /// Replaces the current log, whose lock is held, by the future log. Between the two steps on disk only the future
    /// log exists; the next start finds it.
    fn replace(
        &self,
        replica: &Replica,
        mut log: MutexGuard<'_, PartitionLog>,
        future: &mut PartitionLog,
    ) -> Result<()> {
        let name = TopicPartition::new(replica.topic.as_str(), replica.index);
        future.set_config(log.config().clone());
        future.delete_records(log.log_start_offset())?;
        future.close(self.config.flush_each_batch)?;
        log.end_cleaning();
        let target = self.log_dirs.of(future);
        self.log_dirs.of(&log).delete_partition(&name)?;
        target.promote(future.folder(), &name)?;
        let moved = target.open_moved(&name, log.config().clone(), &log, now_ms())?;
        self.log_dirs.gone(log.folder());
        *log = moved;
        log.high_watermark_moved(replica.high_watermark());
        replica.publish(&mut log);
        Ok(())
    }

    /// Writes checkpoints and removes the old files after a move. Returns a line to report if that fails.
    fn clean_up_after_move(&self) -> Option<String> {
        let done = self
            .write_checkpoints()
            .and_then(|()| self.log_dirs.purge_deleted());
        done.err()
            .map(|error| format!("cannot clean up after a move between log dirs: {error}"))
    }

    /// Pauses after a chunk for as long as [`THROTTLE`] demands.
    fn rest_after_copy(&self, bytes: usize, began: Instant) {
        let image = self.cluster.image();
        let rate = self.broker_values(&image).number(THROTTLE);
        drop(image);
        if rate <= 0 {
            return;
        }
        let wanted = Duration::try_from_secs_f64(bytes as f64 / rate as f64).unwrap_or_default();
        loop {
            let left = wanted.saturating_sub(began.elapsed());
            if left.is_zero() || !self.moves.may_go_on() {
                return;
            }
            std::thread::sleep(left.min(SHORT_NAP));
        }
    }
}

/// The next records that the future log lacks; `None` if it has everything.
fn missing(future: &mut PartitionLog, log: &PartitionLog) -> Result<Option<LogSlice>> {
    align(future, log)?;
    if future.log_end_offset() == log.log_end_offset() {
        return Ok(None);
    }
    let read = log.read(future.log_end_offset(), CHUNK, Offset::MAX, true);
    let slice = read.map_err(|error| match error {
        ReadError::Storage(error) => error,
        ReadError::OffsetOutOfRange { .. } => Error::failed("its log has changed meanwhile"),
    })?;
    if slice.is_empty() {
        // Compaction may have removed all records at the end.
        future.skip_to(log.log_end_offset(), now_ms())?;
    }
    Ok(Some(slice))
}

/// Truncates the future log where it has more than the current log: that was truncated, or its start has advanced.
fn align(future: &mut PartitionLog, log: &PartitionLog) -> Result<()> {
    // As for a follower, unknown epochs may take several rounds.
    while let Some(cut) = parting(future, log) {
        let before = future.log_end_offset();
        future.truncate_to(cut, now_ms())?;
        if future.log_end_offset() == before {
            break;
        }
    }
    if future.log_end_offset() > log.log_end_offset() {
        future.truncate_to(log.log_end_offset(), now_ms())?;
    }
    // A log that ends where the current log starts has nothing that is needed, and the next batch may begin before
    // that offset.
    let start = log.log_start_offset();
    let is_unwanted = future.log_end_offset() == start && future.log_start_offset() < start;
    if future.log_end_offset() < start || is_unwanted {
        future.truncate_fully(start)?;
    }
    Ok(())
}

/// Where the future log has to be truncated by its leader epochs; `None` if they agree.
fn parting(future: &PartitionLog, log: &PartitionLog) -> Option<Offset> {
    let epoch = future.leader_epochs().latest()?;
    let known = log.epoch_end_offset(epoch);
    if known.is_some_and(|(at, end)| at == epoch && end >= future.log_end_offset()) {
        return None;
    }
    let (at, end) = known.unwrap_or((-1, log.log_start_offset()));
    Some(divergence(future, at, end, log.log_start_offset()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::BatchBuilder;
    use crate::records::batch_builder::BatchOptions;
    use crate::storage::{LogConfig, Recovery};

    /// What happens to the current log while it is copied.
    #[derive(Clone, Debug)]
    enum Event {
        Append(u8),
        /// The partition gets another leader.
        Epoch,
        /// This many offsets at the end are truncated, and the epoch changes.
        Cut(u8),
        /// The log start offset advances by this many offsets.
        Delete(u8),
        Retain,
        Copy,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (1_u8..5).prop_map(Event::Append),
            1 => Just(Event::Epoch),
            1 => (1_u8..9).prop_map(Event::Cut),
            1 => (1_u8..9).prop_map(Event::Delete),
            1 => Just(Event::Retain),
            3 => Just(Event::Copy),
        ]
    }

    fn open(folder: &Path) -> PartitionLog {
        let config = LogConfig {
            segment_bytes: 400,
            ..LogConfig::default()
        };
        PartitionLog::open(folder, config, Recovery::default(), 0).unwrap()
    }

    fn batch(records: u8, text: &str) -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        for _ in 0..records {
            builder.append(0, None, Some(text.as_bytes()), &[]);
        }
        builder.finish_uncompressed()
    }

    fn copy(log: &PartitionLog, future: &mut PartitionLog) -> bool {
        let Some(slice) = missing(future, log).unwrap() else {
            return false;
        };
        let bytes = slice.to_vec().unwrap();
        future.append_as_follower(&bytes, 0).unwrap();
        true
    }

    /// The bytes of all records.
    fn content(log: &PartitionLog) -> Vec<u8> {
        let (mut all, mut at) = (Vec::new(), log.log_start_offset());
        while at < log.log_end_offset() {
            let slice = log.read(at, 1, Offset::MAX, true).unwrap();
            let bytes = slice.to_vec().unwrap();
            at = crate::records::Batch::parse(&bytes).unwrap().header.next_offset();
            all.extend(bytes);
        }
        all
    }

    #[test]
    fn a_log_that_was_cut_and_begins_amid_a_batch_is_copied() {
        use Event::{Append, Copy, Cut, Delete};
        check(vec![
            Append(4),
            Append(3),
            Append(4),
            Append(2),
            Append(4),
            Copy,
            Copy,
            Cut(5),
            Delete(10),
            Append(3),
            Delete(3),
        ]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_copy_has_what_the_log_has_whatever_happened_to_it(
            events in proptest::collection::vec(event(), 1..60)
        ) {
            check(events);
        }
    }

    /// Applies the events to a log, and compares its copy at the end.
    fn check(events: Vec<Event>) {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [mut log, mut future] = [0, 1].map(|at: usize| open(folders[at].path()));
        let mut epoch = 0;
        for (number, event) in events.into_iter().enumerate() {
            match event {
                Event::Append(records) => {
                    let mut batch = batch(records, &format!("{number} of {epoch}"));
                    log.append(&mut batch, epoch, 0).unwrap();
                }
                Event::Epoch => epoch += 1,
                Event::Cut(offsets) => {
                    let to = log.log_end_offset() - i64::from(offsets);
                    log.truncate_to(to.max(log.log_start_offset()), 0).unwrap();
                    epoch += 1;
                }
                Event::Delete(offsets) => {
                    let to = log.log_start_offset() + i64::from(offsets);
                    log.delete_records(to.min(log.log_end_offset())).unwrap();
                }
                Event::Retain => {
                    let end = log.log_end_offset();
                    log.apply_retention(0, end).unwrap();
                }
                Event::Copy => {
                    copy(&log, &mut future);
                }
            }
        }
        while copy(&log, &mut future) {}
        future.delete_records(log.log_start_offset()).unwrap();
        assert_eq!(future.log_start_offset(), log.log_start_offset());
        assert_eq!(future.log_end_offset(), log.log_end_offset());
        assert_eq!(content(&future), content(&log));
    }
}
