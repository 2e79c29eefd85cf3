//! What a leader knows of its followers: the log end offset of each, which are in sync, and the high watermark
//! (KIP-16, KIP-497, KIP-966).
//!
//! Pure: offsets and times go in, the high watermark and the wanted ISR come out. The controller decides on an ISR;
//! until it has, the leader waits for the members of both the old and the wanted one.

use std::collections::BTreeMap;

use crate::topic_partition::Offset;

/// One follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Follower {
    /// The offset of its last fetch: it has everything before; -1 if it has not fetched.
    log_end_offset: Offset,
    /// When it last had everything, in ms of the steady clock.
    caught_up_ms: i64,
    /// The leader's log end offset at the follower's last fetch, and the time of that fetch.
    leader_end: Offset,
    fetched_ms: i64,
}

/// The followers of one partition, since the election of its leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Isr {
    own: i32,
    /// The leader's log end offset at its election.
    epoch_start: Offset,
    partition_epoch: i32,
    in_sync: Vec<i32>,
    /// The ISR that was requested and is not decided on.
    pending: Option<Vec<i32>>,
    followers: BTreeMap<i32, Follower>,
}

/// The settings and the time that decide who is in sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// `replica.lag.time.max.ms`
    pub(super) max_lag_ms: i64,
    /// `min.insync.replicas`
    pub(super) min_isr: usize,
    pub(super) now_ms: i64,
}

impl Isr {
    /// The state of the leader `own`, elected when its log ended at `epoch_start`.
    pub(super) fn new(own: i32, epoch_start: Offset) -> Self {
        Self {
            own,
            epoch_start,
            partition_epoch: -1,
            in_sync: vec![own],
            pending: None,
            followers: BTreeMap::new(),
        }
    }

    /// Takes over a decision of the controller: the replicas of the partition, and its ISR.
    pub(super) fn committed(&mut self, partition_epoch: i32, replicas: &[i32], isr: &[i32], now_ms: i64) {
        // An old decision does not answer the pending request, which may still be granted.
        if partition_epoch <= self.partition_epoch {
            return;
        }
        self.partition_epoch = partition_epoch;
        self.pending = None;
        self.in_sync = isr.to_vec();
        self.followers.retain(|id, _| replicas.contains(id));
        for id in replicas.iter().filter(|id| **id != self.own) {
            let new = Follower {
                log_end_offset: -1,
                // A member of the ISR has `max_lag_ms` from the election on to fetch.
                caught_up_ms: if isr.contains(id) { now_ms } else { i64::MIN },
                leader_end: -1,
                fetched_ms: i64::MIN,
            };
            self.followers.entry(*id).or_insert(new);
        }
    }

    pub(super) fn epoch_start(&self) -> Offset {
        self.epoch_start
    }

    pub(super) fn partition_epoch(&self) -> i32 {
        self.partition_epoch
    }

    /// Whether a broker has a replica of the partition.
    pub(super) fn has_follower(&self, id: i32) -> bool {
        self.followers.contains_key(&id)
    }

    /// The ISR as the controller has decided.
    pub(super) fn isr(&self) -> &[i32] {
        &self.in_sync
    }

    /// The followers in the ISR that have everything before `offset`, each with its log end offset.
    pub(super) fn in_sync_up_to(&self, offset: Offset) -> impl Iterator<Item = (i32, Offset)> + '_ {
        let ends = self
            .followers
            .iter()
            .map(|(id, follower)| (*id, follower.log_end_offset));
        ends.filter(move |(id, end)| self.in_sync.contains(id) && *end >= offset)
    }

    /// The number of replicas, with the leader's.
    pub(super) fn replica_count(&self) -> usize {
        self.followers.len() + 1
    }

    /// A follower fetches from `offset`: it has everything before.
    pub(super) fn fetched(&mut self, id: i32, offset: Offset, leader_end: Offset, now_ms: i64) {
        let Some(follower) = self.followers.get_mut(&id) else {
            return;
        };
        if offset >= leader_end {
            follower.caught_up_ms = follower.caught_up_ms.max(now_ms);
        } else if offset >= follower.leader_end && follower.leader_end >= 0 {
            follower.caught_up_ms = follower.caught_up_ms.max(follower.fetched_ms);
        }
        follower.log_end_offset = offset;
        follower.leader_end = leader_end;
        follower.fetched_ms = now_ms;
    }

    /// A follower's broker is out of reach: the follower does not count as caught up any more.
    pub(super) fn lost(&mut self, id: i32) {
        if let Some(follower) = self.followers.get_mut(&id) {
            follower.caught_up_ms = i64::MIN;
            follower.log_end_offset = -1;
        }
    }

    /// Whether a replica is in the ISR, or will be if the pending request is granted.
    fn may_be_in_sync(&self, id: i32) -> bool {
        let pending = self.pending.as_ref();
        self.in_sync.contains(&id) || pending.is_some_and(|isr| isr.contains(&id))
    }

    /// The offset up to which every in-sync replica has the log; never less than `before`. With fewer in-sync
    /// replicas than `min.insync.replicas` it does not advance.
    pub(super) fn high_watermark(&self, before: Offset, own_end: Offset, limits: Limits) -> Offset {
        // `min.insync.replicas` is capped at the number of replicas.
        if self.in_sync.len() < limits.min_isr.min(self.replica_count()) {
            return before;
        }
        let waited_for = self
            .followers
            .iter()
            .filter(|(id, follower)| self.may_be_in_sync(**id) || is_in_sync(follower, own_end, limits));
        let ends = waited_for.map(|(_, follower)| follower.log_end_offset);
        ends.min().unwrap_or(own_end).min(own_end).max(before)
    }

    /// The ISR with this follower added, if it has caught up far enough. The caller has to request it from the
    /// controller.
    pub(super) fn expand(&mut self, id: i32, high_watermark: Offset) -> Option<Vec<i32>> {
        if self.pending.is_some() || self.in_sync.contains(&id) {
            return None;
        }
        let follower = self.followers.get(&id)?;
        if follower.log_end_offset < high_watermark.max(self.epoch_start) {
            return None;
        }
        let wider = [&self.in_sync[..], &[id]].concat();
        self.pending = Some(wider.clone());
        Some(wider)
    }

    /// The ISR without the followers that lag for too long, if there are any. The caller has to request it from the
    /// controller.
    pub(super) fn shrink(&mut self, own_end: Offset, limits: Limits) -> Option<Vec<i32>> {
        if self.pending.is_some() {
            return None;
        }
        let stays = |id: &i32| {
            let follower = self.followers.get(id);
            *id == self.own || follower.is_some_and(|follower| is_in_sync(follower, own_end, limits))
        };
        let narrower: Vec<i32> = self.in_sync.iter().copied().filter(stays).collect();
        if narrower == self.in_sync {
            return None;
        }
        self.pending = Some(narrower.clone());
        Some(narrower)
    }

    /// The controller has refused the requested ISR.
    pub(super) fn refused(&mut self) {
        self.pending = None;
    }
}

/// Whether a follower has everything, or had it at most `max_lag_ms` ago.
fn is_in_sync(follower: &Follower, own_end: Offset, limits: Limits) -> bool {
    follower.log_end_offset == own_end
        || limits.now_ms.saturating_sub(follower.caught_up_ms) <= limits.max_lag_ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits {
        max_lag_ms: 100,
        min_isr: 1,
        now_ms: 0,
    };

    fn at(now_ms: i64) -> Limits {
        Limits { now_ms, ..LIMITS }
    }

    fn leader(isr: &[i32]) -> Isr {
        let mut leader = Isr::new(1, 10);
        leader.committed(0, &[1, 2, 3], isr, 0);
        leader
    }

    #[test]
    fn a_record_is_committed_when_all_in_sync_have_it() {
        let mut leader = leader(&[1, 2, 3]);
        assert_eq!(leader.high_watermark(8, 12, LIMITS), 8);
        leader.fetched(2, 12, 12, 1);
        assert_eq!(leader.high_watermark(8, 12, LIMITS), 8);
        leader.fetched(3, 11, 12, 1);
        assert_eq!(leader.high_watermark(8, 12, LIMITS), 11);
        // The high watermark never goes back.
        leader.fetched(3, 5, 12, 2);
        assert_eq!(leader.high_watermark(11, 12, LIMITS), 11);
    }

    #[test]
    fn a_follower_that_stays_behind_is_taken_out_and_comes_back() {
        let mut leader = leader(&[1, 2, 3]);
        leader.fetched(2, 12, 12, 50);
        leader.fetched(3, 11, 12, 50);
        assert_eq!(leader.shrink(12, at(100)), None);
        assert_eq!(leader.shrink(12, at(101)), Some(vec![1, 2]));
        // Until the controller has decided, the leader waits for it.
        assert_eq!(leader.high_watermark(11, 12, at(101)), 11);
        leader.committed(1, &[1, 2, 3], &[1, 2], 102);
        assert_eq!(leader.high_watermark(11, 12, at(102)), 12);
        assert_eq!(leader.expand(3, 12), None);
        leader.fetched(3, 12, 12, 103);
        assert_eq!(leader.expand(3, 12), Some(vec![1, 2, 3]));
        // A repeated decision is no answer to that: the leader waits for the new replica.
        leader.committed(1, &[1, 2, 3], &[1, 2], 200);
        leader.fetched(2, 14, 14, 400);
        assert_eq!(leader.high_watermark(12, 14, at(400)), 12);
        leader.refused();
        assert_eq!(leader.isr(), [1, 2]);
    }

    #[test]
    fn below_the_minimum_nothing_is_committed() {
        let leader = leader(&[1]);
        let limits = Limits {
            min_isr: 2,
            ..at(1000)
        };
        assert_eq!(leader.high_watermark(7, 12, limits), 7);
        assert_eq!(leader.high_watermark(7, 12, at(1000)), 12);
    }

    #[test]
    fn a_follower_that_is_about_to_catch_up_is_waited_for_unless_it_is_lost() {
        let mut leader = leader(&[1]);
        leader.fetched(2, 12, 12, 1000);
        assert_eq!(leader.high_watermark(7, 14, at(1001)), 12);
        leader.lost(2);
        assert_eq!(leader.high_watermark(7, 14, at(1001)), 14);
    }

    #[test]
    fn a_follower_needs_the_records_of_the_election_to_come_in() {
        let mut leader = leader(&[1]);
        leader.fetched(2, 9, 12, 1);
        assert_eq!(leader.expand(2, 5), None);
        leader.fetched(2, 10, 12, 1);
        assert_eq!(leader.expand(2, 5), Some(vec![1, 2]));
    }

    proptest! {
        #[test]
        fn the_high_watermark_never_passes_a_replica_that_is_in_sync(
            steps in proptest::collection::vec((0..4_u8, 2..4_i32, 0..30_i64, 0..60_i64), 1..80)
        ) {
            let mut leader = leader(&[1, 2, 3]);
            let (mut end, mut committed, mut now) = (10, 0, 0);
            let mut ends = BTreeMap::from([(2, -1), (3, -1)]);
            let mut epoch = 0;
            for (kind, id, offset, passed) in steps {
                now += passed;
                match kind {
                    0 => end += offset,
                    1 => {
                        // A follower's log only grows in an epoch.
                        let has = ends[&id].max(offset.min(end));
                        ends.insert(id, has);
                        leader.fetched(id, has, end, now);
                    }
                    2 => if let Some(isr) = leader.expand(id, committed) {
                        epoch += 1;
                        leader.committed(epoch, &[1, 2, 3], &isr, now);
                    },
                    _ => if let Some(isr) = leader.shrink(end, at(now)) {
                        epoch += 1;
                        leader.committed(epoch, &[1, 2, 3], &isr, now);
                    },
                }
                let before = committed;
                committed = leader.high_watermark(committed, end, at(now));
                prop_assert!(committed >= before && committed <= end);
                for id in leader.isr().iter().filter(|id| **id != 1) {
                    prop_assert!(committed == before || committed <= ends[id]);
                }
            }
        }
    }
}
