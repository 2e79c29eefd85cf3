//! The exchange between a follower and its leader: KIP-101's truncation by leader epoch, in the form of KIP-595's
//! fetch.
//!
//! Both sides are a [`Replica`]; `replica_fetcher` carries the fetch to the other node.

use std::sync::{Arc, PoisonError};

use kafka_protocol::ResponseError;

use super::Node;
use super::fetch_signal::FetchSignal;
use super::held_batches::FollowerBytes;
use super::replica::{Replica, Role};
use crate::broker::cluster::elections::AlterPartition;
use crate::error::{Error, Result};
use crate::storage::{LogSlice, PartitionLog, ReadError};
use crate::topic_partition::Offset;

/// A follower's fetch from one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::broker) struct FollowerFetch {
    /// The broker of the follower.
    pub(in crate::broker) follower: i32,
    /// The epoch of its registration: a broker that has restarted, perhaps with fewer records, has another one
    /// (KIP-903).
    pub(in crate::broker) broker_epoch: i64,
    /// The current leader epoch, as the follower knows it.
    pub(in crate::broker) leader_epoch: i32,
    /// The leader epoch of the follower's last record; -1 if it has none.
    pub(in crate::broker) last_epoch: i32,
    /// The follower's log end offset.
    pub(in crate::broker) offset: Offset,
    /// `replica.fetch.max.bytes`
    pub(in crate::broker) max_bytes: usize,
}

/// The leader's answer.
#[derive(Clone, Debug)]
pub(in crate::broker) enum FollowerAnswer {
    /// The follower's log diverges: the leader has `epoch`, the largest that is not above the follower's last, up to
    /// `end`.
    Diverges { epoch: i32, end: Offset },
    /// The leader's log has nothing at that offset; these are its bounds.
    OutOfRange { start: Offset, end: Offset },
    /// The next records, possibly none. They are bytes and no range of the leader's file, which may be truncated
    /// meanwhile.
    Records {
        batches: Vec<FollowerBytes>,
        high_watermark: Offset,
        log_start_offset: Offset,
    },
}

/// What a follower has to do after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::broker) enum Taken {
    /// Nothing: there is nothing more to fetch.
    Nothing,
    /// Fetch again: its log has changed, and the leader has to know.
    More,
    /// Fetch again later: the leader cannot help yet.
    Later,
}

impl Replica {
    /// Answers a follower, and records how far it has come. `signal` is rung when there is more.
    ///
    /// # Errors
    ///
    /// As for a consumer's fetch.
    pub(in crate::broker) fn answer_follower(
        &self,
        fetch: &FollowerFetch,
        signal: &Arc<FetchSignal>,
    ) -> Result<FollowerAnswer, ResponseError> {
        let mut log = self.log();
        if !self.is_leader() {
            return Err(ResponseError::NotLeaderOrFollower);
        }
        self.check_epoch(fetch.leader_epoch)?;
        self.fetch_signals.register(signal);
        if fetch.last_epoch >= 0 {
            match log.epoch_end_offset(fetch.last_epoch) {
                None => return Ok(out_of_range(&log)),
                Some((epoch, end)) if epoch < fetch.last_epoch || end < fetch.offset => {
                    return Ok(FollowerAnswer::Diverges { epoch, end });
                }
                Some(_) => {}
            }
        }
        let batches = match log.read(fetch.offset, fetch.max_bytes, Offset::MAX, true) {
            Ok(slice) => self.bytes_of(&slice, fetch.offset)?,
            Err(ReadError::OffsetOutOfRange { .. }) => return Ok(out_of_range(&log)),
            Err(ReadError::Storage(_)) => return Err(ResponseError::KafkaStorageError),
        };
        let has_moved = self.follower_has(fetch, &mut log)?;
        let answer = FollowerAnswer::Records {
            batches,
            high_watermark: self.high_watermark(),
            log_start_offset: log.log_start_offset(),
        };
        drop(log);
        if has_moved {
            self.committed();
        }
        Ok(answer)
    }

    /// The bytes of a slice of the log that begins at `offset`, from memory if all of it is held there.
    fn bytes_of(&self, slice: &LogSlice, offset: Offset) -> Result<Vec<FollowerBytes>, ResponseError> {
        if slice.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(held) = self.held_batches.from(offset, self.leader_epoch(), slice.length) {
            return Ok(held);
        }
        let read = slice.to_vec().map_err(|_| ResponseError::KafkaStorageError)?;
        Ok(vec![FollowerBytes::Read(read)])
    }

    /// Records that the follower has everything before the offset of its fetch. Returns whether the high watermark
    /// has changed.
    fn follower_has(&self, fetch: &FollowerFetch, log: &mut PartitionLog) -> Result<bool, ResponseError> {
        {
            let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
            let isr = followers.as_mut().filter(|isr| isr.has_follower(fetch.follower));
            // The follower may know of its replica before this leader does.
            let isr = isr.ok_or(ResponseError::UnknownLeaderEpoch)?;
            isr.fetched(
                fetch.follower,
                fetch.offset,
                log.log_end_offset(),
                self.limits().now_ms,
            );
        }
        Ok(self.publish(log))
    }

    /// The ISR to request once the follower of this fetch has caught up.
    pub(in crate::broker) fn wider_isr(&self, fetch: &FollowerFetch) -> Option<AlterPartition> {
        let Role::Leader { epoch } = self.role() else {
            return None;
        };
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        let isr = followers.as_mut()?;
        let wanted = isr.expand(fetch.follower, self.high_watermark())?;
        Some(AlterPartition {
            joins: Some((fetch.follower, fetch.broker_epoch)),
            ..self.wanted_isr(epoch, isr.partition_epoch(), wanted)
        })
    }

    /// The ISR to request without the followers that lag for too long.
    pub(in crate::broker) fn narrower_isr(&self) -> Option<AlterPartition> {
        if !self.is_replicated() {
            return None;
        }
        let end = self.log().log_end_offset();
        let Role::Leader { epoch } = self.role() else {
            return None;
        };
        let limits = self.limits();
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        let isr = followers.as_mut()?;
        let wanted = isr.shrink(end, limits)?;
        Some(self.wanted_isr(epoch, isr.partition_epoch(), wanted))
    }

    fn wanted_isr(&self, leader_epoch: i32, partition_epoch: i32, isr: Vec<i32>) -> AlterPartition {
        AlterPartition {
            topic: self.topic_id,
            partition: self.index,
            leader: self.node,
            leader_epoch,
            partition_epoch,
            isr,
            joins: None,
        }
    }

    /// The controller has refused the requested ISR.
    pub(in crate::broker) fn isr_refused(&self) {
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(isr) = followers.as_mut() {
            isr.refused();
        }
    }

    /// The size of the ISR and the number of replicas; `None` unless this replica leads a replicated partition.
    fn isr_size(&self) -> Option<(usize, usize)> {
        let followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers
            .as_ref()
            .map(|isr| (isr.isr().len(), isr.replica_count()))
    }

    /// Whether the ISR has the size of `min.insync.replicas`, which is capped at the number of replicas.
    pub(in crate::broker) fn has_enough_in_sync(&self) -> bool {
        let needed = usize::try_from(self.settings().min_insync_replicas).unwrap_or(0);
        self.isr_size()
            .is_none_or(|(size, replicas)| size >= needed.min(replicas))
    }

    /// An in-sync follower in the reader's rack that has the log up to `offset`, if this replica leads and is not in
    /// that rack; of several the one with the most records.
    pub(in crate::broker) fn nearer_to(&self, node: &Node, rack: &str, offset: Offset) -> Option<i32> {
        if rack.is_empty() || !self.is_leader() || !self.is_replicated() {
            return None;
        }
        let image = node.cluster.image();
        let rack_of = |id: i32| image.brokers().get(&id).and_then(|broker| broker.rack.as_deref());
        if rack_of(self.node) == Some(rack) || offset < self.log_start_offset() {
            return None;
        }
        let followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        let having = followers.as_ref()?.in_sync_up_to(offset);
        let near = having.filter(|(id, _)| rack_of(*id) == Some(rack));
        near.max_by_key(|(_, end)| *end).map(|(id, _)| id)
    }

    /// A broker is out of reach: its replica does not count as caught up any more.
    pub(in crate::broker) fn broker_lost(&self, id: i32) {
        {
            let mut log = self.log();
            let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(isr) = followers.as_mut() else {
                return;
            };
            isr.lost(id);
            drop(followers);
            self.publish(&mut log);
        }
        self.committed();
    }

    /// The next fetch of this replica and its leader; `None` unless it follows one. `broker_epoch` is the epoch of
    /// its broker's registration.
    pub(in crate::broker) fn next_fetch(
        &self,
        broker_epoch: i64,
        max_bytes: usize,
    ) -> Option<(i32, FollowerFetch)> {
        let log = self.log();
        let Role::Follower { epoch, leader } = self.role() else {
            return None;
        };
        let fetch = FollowerFetch {
            follower: self.node,
            broker_epoch,
            leader_epoch: epoch,
            last_epoch: log.leader_epochs().latest().unwrap_or(-1),
            offset: log.log_end_offset(),
            max_bytes,
        };
        (leader >= 0).then_some((leader, fetch))
    }

    /// Carries out the leader's answer. The answer to a fetch that this replica would not repeat now is ignored.
    ///
    /// # Errors
    ///
    /// The disk fails, or the leader's bytes are no valid batches.
    pub(in crate::broker) fn take_answer(
        &self,
        fetch: &FollowerFetch,
        answer: FollowerAnswer,
        now_ms: i64,
    ) -> Result<Taken> {
        let (taken, has_moved) = {
            let mut log = self.log();
            let is_follower =
                matches!(self.role(), Role::Follower { epoch, .. } if epoch == fetch.leader_epoch);
            // The offset alone is not enough: another record may be there by now.
            let last_epoch = log.leader_epochs().latest().unwrap_or(-1);
            let is_unchanged = log.log_end_offset() == fetch.offset && last_epoch == fetch.last_epoch;
            if !is_follower || !is_unchanged {
                return Ok(Taken::Nothing);
            }
            let before = self.high_watermark();
            let taken = self.obey(&mut log, answer, now_ms)?;
            (taken, self.high_watermark() != before)
        };
        if has_moved {
            self.committed();
        }
        Ok(taken)
    }

    fn obey(&self, log: &mut PartitionLog, answer: FollowerAnswer, now_ms: i64) -> Result<Taken> {
        match answer {
            FollowerAnswer::Diverges { epoch, end } => {
                let cut = divergence(log, epoch, end, self.high_watermark());
                log.truncate_to(cut, now_ms)?;
                self.publish(log);
                Ok(Taken::More)
            }
            FollowerAnswer::OutOfRange { start, end } => {
                let before = log.log_end_offset();
                if start > before {
                    log.truncate_fully(start)?;
                } else {
                    log.truncate_to(end, now_ms)?;
                }
                self.publish(log);
                Ok(if log.log_end_offset() == before {
                    Taken::Later
                } else {
                    Taken::More
                })
            }
            FollowerAnswer::Records {
                batches,
                high_watermark,
                log_start_offset,
            } => {
                // Also before the append: the leader's log may start inside a batch that begins before the end of
                // this log.
                begin_no_earlier(log, log_start_offset)?;
                for bytes in &batches {
                    log.append_as_follower(bytes.as_slice(), now_ms)
                        .map_err(Error::failed)?;
                }
                begin_no_earlier(log, log_start_offset)?;
                let end = log.log_end_offset();
                let committed = high_watermark.clamp(log.log_start_offset(), end);
                // Committed records stay committed, whatever a late answer says.
                let committed = committed.max(self.high_watermark());
                self.publish(log);
                self.set_high_watermark(log, committed);
                Ok(if batches.is_empty() {
                    Taken::Nothing
                } else {
                    Taken::More
                })
            }
        }
    }
}

/// Advances the log start offset to that of the leader, at most to the end of the log.
fn begin_no_earlier(log: &mut PartitionLog, start: Offset) -> Result<()> {
    let start = start.min(log.log_end_offset());
    if start > log.log_start_offset() {
        log.delete_records(start)?;
    }
    Ok(())
}

fn out_of_range(log: &PartitionLog) -> FollowerAnswer {
    FollowerAnswer::OutOfRange {
        start: log.log_start_offset(),
        end: log.log_end_offset(),
    }
}

/// Where a follower's log diverges from that of its leader, which has `epoch` up to `end`. A follower without records
/// of that epoch truncates those of later epochs, and fetches again.
pub(super) fn divergence(log: &PartitionLog, epoch: i32, end: Offset, high_watermark: Offset) -> Offset {
    if epoch < 0 {
        return high_watermark;
    }
    match log.epoch_end_offset(epoch) {
        Some((own, own_end)) if own == epoch => own_end.min(end),
        Some((_, own_end)) => own_end,
        None => end,
    }
    .min(log.log_end_offset())
}
