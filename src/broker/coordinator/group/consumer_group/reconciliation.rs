//! A member's way from its current to its target assignment: it revokes partitions, reaches the new epoch, and then
//! gets partitions that others have revoked (KIP-848). One step per heartbeat.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::group::{ConsumerGroup, RevocationDeadline, Step};
use super::member::{CurrentAssignment, HeldPartitions, MemberState, intersects};
use super::record::GroupRecord;
use super::topics::TopicCatalog;
use crate::broker::coordinator::group::assignor::TopicPartitions;

impl ConsumerGroup {
    /// Takes the member's next step. `owned` is what it reports to own.
    pub(super) fn reconcile(
        &mut self,
        step: &mut Step<'_>,
        id: &str,
        owned: Option<&TopicPartitions>,
        subscription_changed: bool,
    ) {
        let Some(member) = self.member(id).cloned() else {
            return;
        };
        let subscribed = Subscribed {
            names: self.topics_of(&member),
            catalog: step.around.catalog,
        };
        let current = &member.current;
        let next = match current.state {
            MemberState::Stable if current.epoch == self.target_epoch.epoch => {
                subscription_changed.then(|| without_unsubscribed(current, &subscribed, owned))
            }
            MemberState::UnrevokedPartitions if may_hold(owned, &current.pending_revocation) => None,
            _ => Some(self.next_assignment(id, current, &subscribed, owned)),
        };
        let Some(next) = next.filter(|next| next != current) else {
            return;
        };
        if next.state == MemberState::UnrevokedPartitions {
            let timeout_ms = i64::from(member.metadata.rebalance_timeout_ms);
            let deadline = RevocationDeadline {
                at_ms: step.around.now_ms.saturating_add(timeout_ms),
                member_epoch: next.epoch,
            };
            self.revocations.insert(id.to_owned(), deadline);
        } else {
            self.revocations.remove(id);
        }
        self.write(step, GroupRecord::Current(id.to_owned(), Some(next)));
    }

    fn next_assignment(
        &self,
        id: &str,
        current: &CurrentAssignment,
        subscribed: &Subscribed<'_>,
        owned: Option<&TopicPartitions>,
    ) -> CurrentAssignment {
        let target = self.target(id);
        let mut keep = HeldPartitions::new();
        let mut revoke = HeldPartitions::new();
        for (topic, partitions) in &current.assigned {
            let wanted = target.get(topic).filter(|_| subscribed.has(*topic));
            for (partition, epoch) in partitions {
                let is_kept = wanted.is_some_and(|wanted| wanted.contains(partition));
                let side = if is_kept { &mut keep } else { &mut revoke };
                side.entry(*topic).or_default().insert(*partition, *epoch);
            }
        }
        if may_hold(owned, &revoke) {
            return CurrentAssignment {
                epoch: current.epoch,
                previous_epoch: current.epoch,
                state: MemberState::UnrevokedPartitions,
                assigned: keep,
                pending_revocation: revoke,
            };
        }
        let target_epoch = self.target_epoch.epoch;
        let mut state = MemberState::Stable;
        for (topic, partitions) in target.iter().filter(|(topic, _)| subscribed.has(**topic)) {
            for partition in partitions {
                if keep.get(topic).is_some_and(|kept| kept.contains_key(partition)) {
                    continue;
                }
                let holder = self.holders.get(&(*topic, *partition));
                if holder.is_some_and(|holder| holder != id) {
                    state = MemberState::UnreleasedPartitions;
                } else {
                    keep.entry(*topic).or_default().insert(*partition, target_epoch);
                }
            }
        }
        CurrentAssignment {
            epoch: target_epoch,
            previous_epoch: current.epoch,
            state,
            assigned: keep,
            pending_revocation: HeldPartitions::new(),
        }
    }
}

/// The topics that a member subscribes to.
struct Subscribed<'a> {
    names: BTreeSet<String>,
    catalog: &'a dyn TopicCatalog,
}

impl Subscribed<'_> {
    /// False for a topic that does not exist any more.
    fn has(&self, topic: Uuid) -> bool {
        let name = self.catalog.topic_name(topic);
        name.is_some_and(|name| self.names.contains(&name))
    }
}

/// Whether the member may still own one of these. A member that does not report what it owns may own all of them.
fn may_hold(owned: Option<&TopicPartitions>, partitions: &HeldPartitions) -> bool {
    !partitions.is_empty() && owned.is_none_or(|owned| intersects(partitions, owned))
}

/// Revokes partitions of topics that a member in its group's epoch has unsubscribed from.
fn without_unsubscribed(
    current: &CurrentAssignment,
    subscribed: &Subscribed<'_>,
    owned: Option<&TopicPartitions>,
) -> CurrentAssignment {
    let (keep, revoke): (HeldPartitions, HeldPartitions) = current
        .assigned
        .clone()
        .into_iter()
        .partition(|(topic, _)| subscribed.has(*topic));
    let must_give_back = may_hold(owned, &revoke);
    CurrentAssignment {
        state: if must_give_back {
            MemberState::UnrevokedPartitions
        } else {
            MemberState::Stable
        },
        assigned: keep,
        pending_revocation: if must_give_back {
            revoke
        } else {
            HeldPartitions::new()
        },
        ..current.clone()
    }
}
