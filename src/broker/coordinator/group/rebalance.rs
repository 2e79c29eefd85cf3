//! The way of a classic group from one generation to the next: for whom it waits, how long, and how the new
//! generation is formed. Owns the group's deadlines; pure as the rest of the state machine.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;

use super::classic_group::{ClassicGroup, Step};
use super::events::{Effect, SyncAnswer};
use super::group_state::GroupState;

/// What the group waits for, and until when. Times are milliseconds on the broker's clock.
#[derive(Clone, Debug)]
pub(super) enum RebalanceTimer {
    None,
    /// The first members of an empty group should come together: the delay is renewed while new ones join, within the
    /// rebalance timeout (KIP-134).
    InitialDelay {
        at_ms: i64,
        remaining_ms: i64,
        new_member_added: bool,
    },
    /// Members have to join again.
    Join {
        at_ms: i64,
    },
    /// Members have to send SyncGroup; `missing` have not.
    Sync {
        at_ms: i64,
        missing: BTreeSet<String>,
    },
}

impl RebalanceTimer {
    fn at_ms(&self) -> Option<i64> {
        match self {
            RebalanceTimer::None => None,
            RebalanceTimer::InitialDelay { at_ms, .. }
            | RebalanceTimer::Join { at_ms }
            | RebalanceTimer::Sync { at_ms, .. } => Some(*at_ms),
        }
    }

    pub(super) fn note_new_member(&mut self) {
        if let RebalanceTimer::InitialDelay { new_member_added, .. } = self {
            *new_member_added = true;
        }
    }

    /// `member_id` has sent its SyncGroup, or has left.
    pub(super) fn note_sync(&mut self, member_id: &str) {
        if let RebalanceTimer::Sync { missing, .. } = self {
            missing.remove(member_id);
            if missing.is_empty() {
                *self = RebalanceTimer::None;
            }
        }
    }

    pub(super) fn rename(&mut self, old_id: &str, new_id: &str) {
        if let RebalanceTimer::Sync { missing, .. } = self
            && missing.remove(old_id)
        {
            missing.insert(new_id.to_owned());
        }
    }
}

impl ClassicGroup {
    /// The earliest deadline; `None` if there is none.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        let sessions = self
            .members
            .values()
            .filter_map(|member| member.session_deadline_ms);
        let pending = self.pending_members.values().copied();
        sessions.chain(pending).chain(self.timer.at_ms()).min()
    }

    /// Handles what is due by now: silent members are removed, and a rebalance stops waiting.
    pub(super) fn deadline_passed(&mut self, step: &mut Step) {
        let now_ms = step.now_ms;
        self.pending_members.retain(|_, deadline| *deadline > now_ms);
        let silent: Vec<String> = self
            .members
            .values()
            .filter(|member| {
                member
                    .session_deadline_ms
                    .is_some_and(|deadline| deadline <= now_ms)
            })
            .map(|member| member.id.clone())
            .collect();
        let member_gone = !silent.is_empty();
        for member_id in silent {
            self.remove_member(step, &member_id);
        }
        self.rebalance_after_removal(step, member_gone);
        if self.timer.at_ms().is_some_and(|deadline| deadline <= now_ms) {
            self.stop_waiting(step);
        }
    }

    fn stop_waiting(&mut self, step: &mut Step) {
        match std::mem::replace(&mut self.timer, RebalanceTimer::None) {
            RebalanceTimer::None => {}
            RebalanceTimer::InitialDelay {
                remaining_ms,
                new_member_added,
                ..
            } => {
                if new_member_added && remaining_ms > 0 {
                    self.delay_initial_rebalance(step, remaining_ms);
                } else {
                    self.complete_join(step);
                }
            }
            RebalanceTimer::Join { .. } => self.complete_join(step),
            RebalanceTimer::Sync { missing, .. } => {
                for member_id in missing {
                    self.remove_member(step, &member_id);
                }
                self.rebalance_or_complete_join(step);
            }
        }
    }

    fn delay_initial_rebalance(&mut self, step: &Step, remaining_ms: i64) {
        let delay_ms = self.limits.initial_rebalance_delay_ms.min(remaining_ms);
        self.timer = RebalanceTimer::InitialDelay {
            at_ms: step.now_ms.saturating_add(delay_ms),
            remaining_ms: remaining_ms - delay_ms,
            new_member_added: false,
        };
    }

    /// A member was removed, or (`member_gone` false) a pending one: a running rebalance may be complete without it.
    pub(super) fn rebalance_after_removal(&mut self, step: &mut Step, member_gone: bool) {
        match self.state {
            GroupState::Stable | GroupState::CompletingRebalance if member_gone => {
                self.prepare_rebalance(step);
            }
            GroupState::PreparingRebalance => self.try_complete_join(step),
            _ => {}
        }
    }

    /// A member has joined or changed: a rebalance begins, or the running one may be complete.
    pub(super) fn rebalance_or_complete_join(&mut self, step: &mut Step) {
        match self.state {
            GroupState::Empty | GroupState::CompletingRebalance | GroupState::Stable => {
                self.prepare_rebalance(step);
            }
            GroupState::PreparingRebalance => self.try_complete_join(step),
            GroupState::Dead => {}
        }
    }

    pub(super) fn prepare_rebalance(&mut self, step: &mut Step) {
        for member in self.members.values_mut() {
            if let Some(ticket) = member.awaiting_sync.take() {
                member.renew_session(step.now_ms);
                step.answer_sync(ticket, SyncAnswer::refused(ResponseError::RebalanceInProgress));
            }
            if self.state == GroupState::CompletingRebalance {
                member.assignment.clear();
            }
        }
        let first = self.state == GroupState::Empty;
        self.become_state(step, GroupState::PreparingRebalance);
        if first && self.limits.initial_rebalance_delay_ms > 0 {
            let remaining_ms = self.rebalance_timeout_ms();
            return self.delay_initial_rebalance(step, remaining_ms);
        }
        self.timer = RebalanceTimer::Join {
            at_ms: step.now_ms.saturating_add(self.rebalance_timeout_ms()),
        };
        if first {
            self.complete_join(step);
        } else {
            self.try_complete_join(step);
        }
    }

    /// Completes the join phase if all members have joined and no initial delay runs, or if there is no member.
    fn try_complete_join(&mut self, step: &mut Step) {
        let delayed = matches!(self.timer, RebalanceTimer::InitialDelay { .. });
        let all_here = self.pending_members.is_empty() && self.awaiting_join() == self.members.len();
        if self.members.is_empty() || (all_here && !delayed) {
            self.complete_join(step);
        }
    }

    /// Begins the next generation with the members that have joined; static members stay even if they have not.
    fn complete_join(&mut self, step: &mut Step) {
        let missing: Vec<String> = self
            .members
            .values()
            .filter(|member| member.awaiting_join.is_none() && member.group_instance_id.is_none())
            .map(|member| member.id.clone())
            .collect();
        for member_id in missing {
            self.remove_member(step, &member_id);
        }
        if !self.members.is_empty() && !self.elect_leader() {
            // Only static members are left, and none has joined: their session timeouts decide.
            self.timer = RebalanceTimer::Join {
                at_ms: step.now_ms.saturating_add(self.rebalance_timeout_ms()),
            };
            return;
        }
        self.timer = RebalanceTimer::None;
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        if self.members.is_empty() {
            self.protocol_name = None;
            self.leader = None;
            self.become_state(step, GroupState::Empty);
            step.effects.push(Effect::Persist);
            return;
        }
        self.protocol_name = self.select_protocol();
        self.become_state(step, GroupState::CompletingRebalance);
        self.timer = RebalanceTimer::Sync {
            at_ms: step.now_ms.saturating_add(self.rebalance_timeout_ms()),
            missing: self.members.keys().cloned().collect(),
        };
        self.answer_joined(step);
    }

    /// Restarts the sessions of all members, also of static ones that have not joined.
    fn answer_joined(&mut self, step: &mut Step) {
        let mut joined = Vec::with_capacity(self.members.len());
        for member in self.members.values_mut() {
            member.is_new = false;
            member.renew_session(step.now_ms);
            if let Some(ticket) = member.awaiting_join.take() {
                joined.push((member.id.clone(), ticket));
            }
        }
        for (member_id, ticket) in joined {
            let answer = self.joined(&member_id);
            step.answer_join(ticket, answer);
        }
    }

    /// Keeps the leader if it has joined, otherwise the first that has joined leads. Returns false if none has.
    fn elect_leader(&mut self) -> bool {
        let joined = |id: &String| {
            self.members
                .get(id)
                .is_some_and(|member| member.awaiting_join.is_some())
        };
        if self.leader.as_ref().is_some_and(joined) {
            return true;
        }
        let first = self
            .members
            .values()
            .find(|member| member.awaiting_join.is_some());
        let Some(first) = first.map(|member| member.id.clone()) else {
            return false;
        };
        self.leader = Some(first);
        true
    }

    /// Of the protocols that all members support, the one that most members prefer; a tie is decided by the leader's
    /// order. `None` for a group without members.
    pub(super) fn select_protocol(&self) -> Option<String> {
        let leader = self
            .leader
            .as_ref()
            .and_then(|id| self.members.get(id))
            .or(self.members.values().next())?;
        let candidates: Vec<&str> = leader
            .protocols
            .iter()
            .map(|protocol| protocol.name.as_str())
            .filter(|name| self.members.values().all(|member| member.supports(name)))
            .collect();
        let mut votes = vec![0_usize; candidates.len()];
        for member in self.members.values() {
            let vote = member
                .protocols
                .iter()
                .find_map(|offered| candidates.iter().position(|name| *name == offered.name));
            if let Some(count) = vote.and_then(|index| votes.get_mut(index)) {
                *count += 1;
            }
        }
        // `max_by_key` returns the last of equals, so the leader's preferred protocol comes last.
        let elected = candidates
            .into_iter()
            .zip(votes)
            .rev()
            .max_by_key(|(_, votes)| *votes);
        elected.map(|(name, _)| name.to_owned())
    }

    /// The longest rebalance timeout of any member.
    fn rebalance_timeout_ms(&self) -> i64 {
        self.members
            .values()
            .map(|member| i64::from(member.rebalance_timeout_ms))
            .max()
            .unwrap_or(0)
    }
}
