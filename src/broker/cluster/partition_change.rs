//! One change of a partition: its leader, leader epoch and ISR afterwards (Apache Kafka's `PartitionChangeBuilder`;
//! KIP-455, KIP-966).
//!
//! Pure: the wanted values go in, the record comes out. Every change completes a reassignment whose new replicas are
//! in sync, and elects a leader if the current one cannot lead any more.

use uuid::Uuid;

use super::partition_image::{NO_LEADER, PartitionImage};
use crate::internal_records::cluster_metadata::encode_record;
use crate::internal_records::value::Value;

/// Which replica may be elected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::broker) enum Election {
    /// The leader stays as long as it can lead; otherwise the first in-sync replica leads.
    #[default]
    Any,
    /// The first replica leads if it is in sync.
    Preferred,
    /// As `Any`; without an in-sync replica the first that is alive leads, and records may be lost.
    Unclean,
}

/// What an election depends on, beside the partition itself.
#[derive(Clone, Copy)]
pub(in crate::broker) struct Rules<'a> {
    /// Whether a broker is registered and not fenced.
    pub(in crate::broker) is_active: &'a dyn Fn(i32) -> bool,
    /// `min.insync.replicas` of the topic.
    pub(in crate::broker) min_isr: usize,
    /// Whether eligible leader replicas are kept (KIP-966). Only then may an ISR be empty.
    pub(in crate::broker) remembers_eligible: bool,
}

/// A change that is being made; fields that are not set keep the values of `before`.
#[derive(Clone)]
pub(in crate::broker) struct PartitionChange<'a> {
    before: &'a PartitionImage,
    rules: Rules<'a>,
    pub(in crate::broker) election: Election,
    pub(in crate::broker) replicas: Vec<i32>,
    pub(in crate::broker) isr: Vec<i32>,
    pub(in crate::broker) adding: Vec<i32>,
    pub(in crate::broker) removing: Vec<i32>,
    /// Brokers that have ended without closing their logs: they may lack records that they had.
    pub(in crate::broker) stopped_uncleanly: Vec<i32>,
    eligible: Vec<i32>,
    last_known: Vec<i32>,
}

/// The outcome of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct Changed {
    pub(in crate::broker) partition: PartitionImage,
    /// Whether the record states a leader: this begins a new leader epoch.
    elects: bool,
}

impl<'a> PartitionChange<'a> {
    pub(in crate::broker) fn new(before: &'a PartitionImage, rules: Rules<'a>) -> Self {
        Self {
            before,
            rules,
            election: Election::Any,
            replicas: before.replicas.clone(),
            isr: before.isr.clone(),
            adding: before.adding.clone(),
            removing: before.removing.clone(),
            stopped_uncleanly: Vec::new(),
            eligible: before.eligible.clone(),
            last_known: before.last_known_eligible.clone(),
        }
    }

    /// The partition after the change; `None` if nothing changes. `directory` gives the id of a broker's log dir.
    pub(in crate::broker) fn finish(mut self, directory: impl Fn(i32) -> Uuid) -> Option<Changed> {
        self.complete_reassignment();
        self.note_eligible();
        let mut leader = self.before.leader;
        let mut elects = false;
        let mut is_recovering = self.before.is_recovering;
        let (elected, is_clean) = self.elect();
        if elected != self.before.leader {
            (leader, elects) = (elected, true);
            if !is_clean {
                self.isr = vec![elected];
                is_recovering = true;
            } else if self.isr.is_empty() && self.eligible.contains(&elected) {
                self.isr = vec![elected];
                self.eligible.retain(|replica| *replica != elected);
            }
        }
        // A new leader epoch fences the replicas that were removed.
        let left = |replica: &i32| !self.replicas.contains(replica);
        elects |= self.before.replicas.iter().any(left);
        if self.isr.is_empty() && !self.rules.remembers_eligible {
            self.isr.clone_from(&self.before.isr);
        }
        if self.isr.is_empty() && !self.before.isr.is_empty() {
            self.last_known = vec![self.before.leader];
        }
        let partition = self.partition_after(leader, is_recovering, directory);
        self.changed(partition, elects)
    }

    fn partition_after(
        &self,
        leader: i32,
        is_recovering: bool,
        directory: impl Fn(i32) -> Uuid,
    ) -> PartitionImage {
        let place = |id: &i32| self.before.replicas.iter().position(|known| known == id);
        let kept = |id: &i32| self.before.directories.get(place(id)?).copied();
        let directories = self
            .replicas
            .iter()
            .map(|id| kept(id).unwrap_or_else(|| directory(*id)));
        PartitionImage {
            leader,
            leader_epoch: self.before.leader_epoch,
            partition_epoch: self.before.partition_epoch,
            directories: directories.collect(),
            replicas: self.replicas.clone(),
            isr: self.isr.clone(),
            adding: self.adding.clone(),
            removing: self.removing.clone(),
            eligible: self.eligible.clone(),
            last_known_eligible: self.last_known.clone(),
            is_recovering,
        }
    }

    fn changed(&self, mut partition: PartitionImage, elects: bool) -> Option<Changed> {
        if partition == *self.before && !elects {
            return None;
        }
        partition.leader_epoch = partition.leader_epoch.saturating_add(i32::from(elects));
        partition.partition_epoch = partition.partition_epoch.saturating_add(1);
        Some(Changed { partition, elects })
    }

    /// A reassignment is complete once all replicas that it adds are in sync, and at least one of the target. If it
    /// removes more replicas than it adds, the whole target has to be in sync.
    fn complete_reassignment(&mut self) {
        if self.adding.is_empty() && self.removing.is_empty() {
            return;
        }
        let stays = |id: &i32| !self.removing.contains(id);
        let isr: Vec<i32> = self.isr.iter().copied().filter(stays).collect();
        let target: Vec<i32> = self.replicas.iter().copied().filter(stays).collect();
        let needed = if self.removing.len() > self.adding.len() {
            &target
        } else {
            &self.adding
        };
        if isr.is_empty() || !needed.iter().all(|id| isr.contains(id)) {
            return;
        }
        self.isr = isr;
        self.replicas = target;
        self.adding.clear();
        self.removing.clear();
    }

    /// Below `min.insync.replicas` nothing is committed, so a replica that leaves the ISR still has every committed
    /// record.
    fn note_eligible(&mut self) {
        if !self.rules.remembers_eligible {
            return;
        }
        if self.isr.len() >= self.rules.min_isr.min(self.replicas.len()) {
            self.eligible.clear();
            self.last_known.clear();
            return;
        }
        for replica in &self.before.isr {
            if !self.eligible.contains(replica) {
                self.eligible.push(*replica);
            }
        }
        let (isr, stopped, replicas) = (&self.isr, &self.stopped_uncleanly, &self.replicas);
        self.eligible
            .retain(|id| !isr.contains(id) && !stopped.contains(id) && replicas.contains(id));
        self.eligible.sort_unstable();
    }

    /// The leader, and whether it is known to have every committed record.
    fn elect(&self) -> (i32, bool) {
        let in_order = || self.replicas.iter().copied();
        if self.election == Election::Preferred
            && let Some(first) = in_order().next().filter(|id| self.may_lead(*id))
        {
            return (first, true);
        }
        if self.may_lead(self.before.leader) {
            return (self.before.leader, true);
        }
        if let Some(leader) = in_order().find(|id| self.may_lead(*id)) {
            return (leader, true);
        }
        let is_active = self.rules.is_active;
        if let ([last], true, true) = (
            &self.last_known[..],
            self.isr.is_empty(),
            self.eligible.is_empty(),
        ) && self.rules.remembers_eligible
            && is_active(*last)
        {
            return (*last, false);
        }
        if self.election == Election::Unclean
            && let Some(leader) = in_order().find(|id| is_active(*id))
        {
            return (leader, false);
        }
        (NO_LEADER, true)
    }

    fn may_lead(&self, id: i32) -> bool {
        let is_eligible = self.rules.remembers_eligible && self.isr.is_empty() && self.eligible.contains(&id);
        (self.isr.contains(&id) || is_eligible) && self.replicas.contains(&id) && (self.rules.is_active)(id)
    }
}

impl Changed {
    /// The `PartitionChangeRecord` that turns `before` into this; `index` is the partition's number.
    pub(in crate::broker) fn to_record(
        &self,
        topic: Uuid,
        index: i32,
        before: &PartitionImage,
    ) -> Option<Vec<u8>> {
        let after = &self.partition;
        let list = |ids: &[i32]| Value::Array(ids.iter().map(|id| Value::Number(i64::from(*id))).collect());
        let mut fields = vec![
            ("partitionId", Value::Number(i64::from(index))),
            ("topicId", Value::Uuid(*topic.as_bytes())),
        ];
        let mut state = |name, before: &[i32], after: &[i32]| {
            if before != after {
                fields.push((name, list(after)));
            }
        };
        state("isr", &before.isr, &after.isr);
        state("replicas", &before.replicas, &after.replicas);
        state("removingReplicas", &before.removing, &after.removing);
        state("addingReplicas", &before.adding, &after.adding);
        state("eligibleLeaderReplicas", &before.eligible, &after.eligible);
        state(
            "lastKnownElr",
            &before.last_known_eligible,
            &after.last_known_eligible,
        );
        if self.elects {
            fields.push(("leader", Value::Number(i64::from(after.leader))));
        }
        if before.is_recovering != after.is_recovering {
            fields.push((
                "leaderRecoveryState",
                Value::Number(i64::from(after.is_recovering)),
            ));
        }
        if before.directories != after.directories {
            let ids = after.directories.iter().map(|id| Value::Uuid(*id.as_bytes()));
            fields.push(("directories", Value::Array(ids.collect())));
        }
        let is_same =
            (&before.eligible, &before.last_known_eligible) == (&after.eligible, &after.last_known_eligible);
        encode_record("PartitionChangeRecord", if is_same { 1 } else { 2 }, fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::internal_records::cluster_metadata::decode_record;
    use proptest::prelude::*;

    fn partition(replicas: &[i32], isr: &[i32], leader: i32) -> PartitionImage {
        PartitionImage {
            leader,
            isr: isr.to_vec(),
            ..PartitionImage::new(replicas.to_vec(), vec![Uuid::nil(); replicas.len()])
        }
    }

    fn changed(
        before: &PartitionImage,
        active: &[i32],
        min_isr: usize,
        set: impl FnOnce(&mut PartitionChange<'_>),
    ) -> Option<PartitionImage> {
        let is_active = |id| active.contains(&id);
        let rules = Rules {
            is_active: &is_active,
            min_isr,
            remembers_eligible: true,
        };
        let mut change = PartitionChange::new(before, rules);
        set(&mut change);
        let changed = change.finish(|_| Uuid::nil())?;
        // The record contains the whole change.
        let record = changed.to_record(Uuid::from_u128(1), 0, before).unwrap();
        let mut applied = before.clone();
        applied.change(&decode_record(&record).unwrap().value);
        assert_eq!(applied, changed.partition);
        Some(changed.partition)
    }

    #[test]
    fn the_first_replica_in_sync_leads_when_the_leader_is_gone() {
        let before = partition(&[1, 2, 3], &[1, 2, 3], 1);
        let after = changed(&before, &[2, 3], 1, |change| change.isr = vec![2, 3]).unwrap();
        assert_eq!(
            (after.leader, after.leader_epoch, after.partition_epoch),
            (2, 1, 1)
        );
        assert_eq!(after.isr, [2, 3]);
    }

    #[test]
    fn an_isr_that_shrinks_begins_no_epoch() {
        let before = partition(&[1, 2, 3], &[1, 2, 3], 1);
        let after = changed(&before, &[1, 2, 3], 1, |change| change.isr = vec![1, 3]).unwrap();
        assert_eq!(
            (after.leader, after.leader_epoch, after.partition_epoch),
            (1, 0, 1)
        );
        assert!(changed(&before, &[1, 2, 3], 1, |_| {}).is_none());
    }

    #[test]
    fn who_leaves_below_the_minimum_is_eligible_and_leads_when_it_is_back() {
        let before = partition(&[1, 2, 3], &[1, 2], 1);
        let one = changed(&before, &[2], 2, |change| change.isr = vec![2]).unwrap();
        assert_eq!((one.leader, &one.isr, &one.eligible), (2, &vec![2], &vec![1]));
        let none = changed(&one, &[], 2, |change| change.isr = vec![]).unwrap();
        assert_eq!(
            (none.leader, none.isr.len(), &none.eligible),
            (NO_LEADER, 0, &vec![1, 2])
        );
        let back = changed(&none, &[1], 2, |_| {}).unwrap();
        assert_eq!((back.leader, &back.isr, &back.eligible), (1, &vec![1], &vec![2]));
        assert!(!back.is_recovering);
        let both = changed(&back, &[1, 2], 2, |change| change.isr = vec![1, 2]).unwrap();
        assert!(both.eligible.is_empty());
    }

    #[test]
    fn an_unclean_election_is_of_whoever_is_alive() {
        let before = partition(&[1, 2, 3], &[1], 1);
        let dead = changed(&before, &[3], 1, |change| change.isr = vec![]).unwrap();
        assert_eq!((dead.leader, &dead.eligible), (NO_LEADER, &vec![1]));
        assert!(changed(&dead, &[3], 1, |_| {}).is_none());
        let after = changed(&dead, &[3], 1, |change| change.election = Election::Unclean).unwrap();
        assert_eq!(
            (after.leader, &after.isr, after.is_recovering),
            (3, &vec![3], true)
        );
    }

    #[test]
    fn the_preferred_leader_leads_again_if_it_is_in_sync() {
        let prefer = |before: &PartitionImage| {
            changed(before, &[1, 2], 1, |change| change.election = Election::Preferred)
        };
        let after = prefer(&partition(&[1, 2], &[2, 1], 2)).unwrap();
        assert_eq!((after.leader, after.leader_epoch), (1, 1));
        assert!(prefer(&partition(&[1, 2], &[2], 2)).is_none());
    }

    #[test]
    fn a_reassignment_ends_with_the_isr_that_has_the_new_replicas() {
        let before = partition(&[1, 2], &[1, 2], 1);
        let started = changed(&before, &[1, 2, 3, 4], 1, |change| {
            change.replicas = vec![3, 4, 1, 2];
            change.adding = vec![3, 4];
            change.removing = vec![1, 2];
        })
        .unwrap();
        assert_eq!((started.leader, started.leader_epoch), (1, 0));
        let half = changed(&started, &[1, 2, 3, 4], 1, |change| change.isr = vec![1, 2, 3]).unwrap();
        assert_eq!(half.replicas, [3, 4, 1, 2]);
        let done = changed(&half, &[1, 2, 3, 4], 1, |change| change.isr = vec![1, 2, 3, 4]).unwrap();
        assert_eq!((done.leader, done.leader_epoch), (3, 1));
        assert_eq!((&done.replicas, &done.isr), (&vec![3, 4], &vec![3, 4]));
        assert!(done.adding.is_empty() && done.removing.is_empty());
    }

    proptest! {
        #[test]
        fn whatever_happens_a_leader_is_in_the_isr_and_the_isr_among_the_replicas(
            steps in proptest::collection::vec((0..5_u8, 1..5_i32, any::<u8>()), 1..60),
            min_isr in 1..4_usize,
        ) {
            let mut now = partition(&[1, 2, 3], &[1, 2, 3], 1);
            let mut active = vec![1, 2, 3, 4];
            for (kind, id, number) in steps {
                let before = now.clone();
                let after = match kind {
                    0 => {
                        active.retain(|known| *known != id);
                        changed(&before, &active, min_isr, |change| change.isr.retain(|known| *known != id))
                    }
                    1 => {
                        active.push(id);
                        changed(&before, &active, min_isr, |_| {})
                    }
                    2 if before.leader != NO_LEADER => changed(&before, &active, min_isr, |change| {
                        change.isr = before.replicas.iter().copied()
                            .filter(|known| *known == before.leader || (active.contains(known) && number >> known & 1 == 1))
                            .collect();
                    }),
                    3 => changed(&before, &active, min_isr, |change| change.election = Election::Preferred),
                    _ => None,
                };
                if let Some(after) = after {
                    prop_assert_eq!(after.partition_epoch, before.partition_epoch + 1);
                    prop_assert_eq!(after.leader_epoch, before.leader_epoch + i32::from(after.leader != before.leader));
                    now = after;
                }
                prop_assert!(now.leader == NO_LEADER || now.isr.contains(&now.leader));
                prop_assert!(now.isr.iter().all(|known| now.replicas.contains(known)));
                prop_assert!(now.eligible.iter().all(|known| !now.isr.contains(known)));
                prop_assert!(!now.is_recovering);
            }
        }
    }
}
