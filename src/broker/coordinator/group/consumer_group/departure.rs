//! How members go: they leave, static ones for a while; their session times out; or they do not revoke partitions in
//! time.
//!
//! Each raises the group's epoch, and the assignor runs at the next heartbeat of a remaining member.

use super::group::{Change, ConsumerGroup, Refused, RevocationDeadline, Step, Surroundings};
use super::heartbeat::{Heartbeat, HeartbeatAnswer};
use super::member::{CurrentAssignment, HeldPartitions, MemberState, STATIC_LEAVE_EPOCH};
use super::record::GroupRecord;
use crate::broker::coordinator::group::events::LeavingMember;

impl ConsumerGroup {
    /// Handles a heartbeat whose epoch says that the member leaves.
    pub fn leave(
        &mut self,
        around: Surroundings<'_>,
        request: &Heartbeat,
    ) -> (Result<HeartbeatAnswer, Refused>, Change) {
        self.happen(around, |group, step| {
            let id = request.member_id.as_str();
            if let Some(instance_id) = &request.instance_id {
                group.check_instance(instance_id, id)?;
            }
            if group.member(id).is_none() {
                return Err(group.unknown_member(id));
            }
            if request.member_epoch == STATIC_LEAVE_EPOCH {
                group.leave_for_a_while(step, id);
            } else {
                group.remove(step, &[id.to_owned()]);
            }
            Ok(HeartbeatAnswer {
                member_id: id.to_owned(),
                member_epoch: request.member_epoch,
                heartbeat_interval_ms: 0,
                assignment: None,
            })
        })
    }

    /// A static member keeps its partitions until it returns or its session times out.
    fn leave_for_a_while(&mut self, step: &mut Step<'_>, id: &str) {
        let Some(current) = self.member(id).map(|member| member.current.clone()) else {
            return;
        };
        let mut assigned = current.assigned;
        for epoch in assigned
            .values_mut()
            .flat_map(|partitions| partitions.values_mut())
        {
            *epoch = 0;
        }
        let current = CurrentAssignment {
            epoch: STATIC_LEAVE_EPOCH,
            assigned,
            pending_revocation: HeldPartitions::new(),
            ..current
        };
        self.revocations.remove(id);
        self.write(step, GroupRecord::Current(id.to_owned(), Some(current)));
    }

    /// Removes a member whatever its state, named as in LeaveGroup: by its id, by its instance id, or by both.
    pub fn expel(
        &mut self,
        around: Surroundings<'_>,
        leaving: &LeavingMember,
    ) -> (Result<(), Refused>, Change) {
        self.happen(around, |group, step| {
            let mut id = leaving.member_id.clone();
            if let Some(instance_id) = &leaving.group_instance_id {
                if id.is_empty() {
                    id = group.static_members.get(instance_id).cloned().unwrap_or_default();
                }
                group.check_instance(instance_id, &id)?;
            }
            if group.member(&id).is_none() {
                return Err(group.unknown_member(&id));
            }
            group.remove(step, &[id]);
            Ok(())
        })
    }

    fn remove(&mut self, step: &mut Step<'_>, ids: &[String]) {
        for id in ids {
            let regex = self.member(id).map(|member| member.metadata.regex.clone());
            self.remove_records(step, id);
            self.forget_unused_regex(step, &regex.unwrap_or_default());
        }
        if ids.is_empty() || self.downgrade_if_all_are_classic(step, true) {
            return;
        }
        let metadata_hash = self.hash_of_topics(step.around.catalog);
        self.raise_epoch(step, metadata_hash);
    }

    /// Writes tombstones for all records of a member.
    pub(super) fn remove_records(&mut self, step: &mut Step<'_>, id: &str) {
        self.write(step, GroupRecord::Current(id.to_owned(), None));
        self.write(step, GroupRecord::Target(id.to_owned(), None));
        self.write(step, GroupRecord::Member(id.to_owned(), None));
    }

    /// The earliest deadline; `None` if there is none.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        let revocations = self.revocations.values().map(|deadline| deadline.at_ms);
        let matching = self.matching_is_due.then_some(i64::MIN);
        let classic = self.classic_deadlines.values().copied();
        self.sessions
            .values()
            .copied()
            .chain(revocations)
            .chain(classic)
            .chain(matching)
            .min()
    }

    /// Handles what is due by now. The caller writes each change by itself, and calls again until nothing is due.
    pub fn deadlines_passed(&mut self, around: Surroundings<'_>) -> Change {
        if self.matching_is_due {
            return self.match_regexes(around);
        }
        let now_ms = around.now_ms;
        let silent = self
            .sessions
            .iter()
            .filter(|(_, at_ms)| **at_ms <= now_ms)
            .map(|(id, _)| id.clone());
        let late = self
            .revocations
            .iter()
            .filter(|(_, deadline)| deadline.at_ms <= now_ms);
        let late = late.filter(|(id, deadline)| {
            self.members.get(*id).is_some_and(|member| {
                member.current.state == MemberState::UnrevokedPartitions
                    && member.current.epoch == deadline.member_epoch
            })
        });
        let classic = self
            .classic_deadlines
            .iter()
            .filter(|(_, at_ms)| **at_ms <= now_ms)
            .map(|(id, _)| id.clone());
        let late = late.map(|(id, _)| id.clone()).chain(classic);
        let mut gone: Vec<String> = silent.chain(late).collect();
        gone.sort_unstable();
        gone.dedup();
        // Deadlines of members that go are removed when that is written.
        self.revocations
            .retain(|id, deadline| deadline.at_ms > now_ms || gone.contains(id));
        let event = |group: &mut Self, step: &mut Step<'_>| {
            group.remove(step, &gone);
            Ok(())
        };
        self.happen(around, event).1
    }

    /// Moves deadlines to `pause_ms` from now or later, because a change could not be written.
    pub fn postpone(&mut self, now_ms: i64, pause_ms: i64) {
        let later_ms = now_ms.saturating_add(pause_ms);
        for at_ms in self.sessions.values_mut() {
            *at_ms = later_ms.max(*at_ms);
        }
        for deadline in self.revocations.values_mut() {
            deadline.at_ms = later_ms.max(deadline.at_ms);
        }
        for at_ms in self.classic_deadlines.values_mut() {
            *at_ms = later_ms.max(*at_ms);
        }
    }

    /// Starts the timers of a group that was read from disk: every member has a whole session timeout.
    pub fn start_timers(&mut self, around: Surroundings<'_>) {
        for (id, member) in &self.members {
            let classic = member.metadata.classic.as_ref();
            let session_ms = classic.map_or(around.settings.session_timeout_ms, |classic| {
                classic.session_timeout_ms
            });
            let session_ms = i64::from(session_ms);
            self.sessions
                .insert(id.clone(), around.now_ms.saturating_add(session_ms));
            if member.current.state == MemberState::UnrevokedPartitions {
                let timeout_ms = i64::from(member.metadata.rebalance_timeout_ms);
                let deadline = RevocationDeadline {
                    at_ms: around.now_ms.saturating_add(timeout_ms),
                    member_epoch: member.current.epoch,
                };
                self.revocations.insert(id.clone(), deadline);
            }
        }
    }
}
