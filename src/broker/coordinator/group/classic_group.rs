//! A classic consumer group as a state machine: events in, effects out. Pure: no clock, no socket, no file.
//!
//! Here are the group itself and its members' requests; `joining.rs` has how a client becomes a member,
//! `rebalance.rs` the way from one generation to the next, `static_members.rs` the return of static members. The
//! rules are Kafka's (KIP-62, KIP-394, KIP-345, KIP-389, KIP-814).

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::events::{
    Effect, GroupEvent, JoinAnswer, LeavingMember, MemberIdentity, SyncAnswer, SyncGroup, Ticket,
};
use super::group_state::GroupState;
use super::member::Member;
use super::rebalance::RebalanceTimer;

/// The broker settings for every group.
#[derive(Clone, Copy, Debug)]
pub struct GroupLimits {
    /// `group.max.size`: the most members of a group.
    pub max_size: usize,
    /// `group.initial.rebalance.delay.ms`: how long an empty group waits for more members before its first rebalance.
    pub initial_rebalance_delay_ms: i64,
}

/// One classic group.
#[derive(Clone, Debug)]
pub struct ClassicGroup {
    pub(super) limits: GroupLimits,
    pub(super) state: GroupState,
    /// When the state last changed; stored, and the start of the expiry of an empty group's offsets.
    pub(super) state_since_ms: i64,
    pub(super) generation: i32,
    pub(super) protocol_type: Option<String>,
    pub(super) protocol_name: Option<String>,
    pub(super) leader: Option<String>,
    pub(super) members: BTreeMap<String, Member>,
    /// Instance id → member id.
    pub(super) static_members: BTreeMap<String, String>,
    /// Member ids that were assigned and not used yet (KIP-394) → their deadline.
    pub(super) pending_members: BTreeMap<String, i64>,
    pub(super) timer: RebalanceTimer,
}

/// One event that is being handled: its time, and the effects so far.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) now_ms: i64,
    pub(super) effects: Vec<Effect>,
}

impl Step {
    pub(super) fn answer_join(&mut self, ticket: Ticket, answer: JoinAnswer) {
        self.effects.push(Effect::AnswerJoin(ticket, answer));
    }

    pub(super) fn refuse_join(&mut self, ticket: Ticket, member_id: &str, error: ResponseError) {
        self.answer_join(ticket, JoinAnswer::refused(member_id, error));
    }

    pub(super) fn answer_sync(&mut self, ticket: Ticket, answer: SyncAnswer) {
        self.effects.push(Effect::AnswerSync(ticket, answer));
    }
}

impl ClassicGroup {
    /// An empty group that never had a member.
    pub fn new(limits: GroupLimits, now_ms: i64) -> Self {
        Self {
            limits,
            state: GroupState::Empty,
            state_since_ms: now_ms,
            generation: 0,
            protocol_type: None,
            protocol_name: None,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_members: BTreeMap::new(),
            timer: RebalanceTimer::None,
        }
    }

    pub fn state(&self) -> GroupState {
        self.state
    }

    pub fn generation(&self) -> i32 {
        self.generation
    }

    pub fn protocol_type(&self) -> Option<&str> {
        self.protocol_type.as_deref()
    }

    pub fn protocol_name(&self) -> Option<&str> {
        self.protocol_name.as_deref()
    }

    pub fn leader(&self) -> Option<&str> {
        self.leader.as_deref()
    }

    pub fn state_since_ms(&self) -> i64 {
        self.state_since_ms
    }

    /// The members, ordered by member id.
    pub fn members(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.members.values()
    }

    /// Whether nothing is lost without the group: it has no member, expects none, and never had one.
    pub fn is_untouched(&self) -> bool {
        self.state == GroupState::Empty && self.generation == 0 && self.pending_members.is_empty()
    }

    /// Deletes the group, which must be empty.
    pub fn delete(&mut self) -> Result<(), ResponseError> {
        match self.state {
            GroupState::Empty => {
                self.state = GroupState::Dead;
                Ok(())
            }
            GroupState::Dead => Err(ResponseError::GroupIdNotFound),
            _ => Err(ResponseError::NonEmptyGroup),
        }
    }

    /// Handles an event at `now_ms`, in milliseconds on the broker's clock.
    pub fn handle(&mut self, now_ms: i64, event: GroupEvent) -> Vec<Effect> {
        let mut step = Step {
            now_ms,
            effects: Vec::new(),
        };
        match event {
            GroupEvent::Join(ticket, request) => self.join(&mut step, ticket, request),
            GroupEvent::Sync(ticket, request) => self.sync(&mut step, ticket, request),
            GroupEvent::Heartbeat(ticket, member) => {
                let error = self.heartbeat(now_ms, &member).err();
                step.effects.push(Effect::AnswerHeartbeat(ticket, error));
            }
            GroupEvent::Leave(ticket, leaving) => self.leave(&mut step, ticket, leaving),
            GroupEvent::OffsetsCommitted { member_id } => {
                if let Some(member) = self.members.get_mut(&member_id)
                    && member.session_deadline_ms.is_some()
                {
                    member.renew_session(now_ms);
                }
            }
            GroupEvent::Rebalance => self.prepare_rebalance(&mut step),
            GroupEvent::DeadlinePassed => self.deadline_passed(&mut step),
        }
        step.effects
    }

    /// Ends the classic group, which becomes one of another protocol: requests that wait are told to join again.
    pub fn give_up(&mut self) -> Vec<Effect> {
        let mut step = Step {
            now_ms: 0,
            effects: Vec::new(),
        };
        for (id, member) in &mut self.members {
            if let Some(ticket) = member.awaiting_join.take() {
                step.refuse_join(ticket, id, ResponseError::RebalanceInProgress);
            }
            if let Some(ticket) = member.awaiting_sync.take() {
                step.answer_sync(ticket, SyncAnswer::refused(ResponseError::RebalanceInProgress));
            }
        }
        step.effects
    }

    /// Whether `identity` may commit offsets now, outside of a transaction.
    pub fn check_offset_commit(&self, identity: &MemberIdentity) -> Result<(), ResponseError> {
        if self.state == GroupState::Dead {
            return Err(ResponseError::CoordinatorNotAvailable);
        }
        if identity.generation < 0 && self.state == GroupState::Empty {
            return Ok(());
        }
        if identity.generation < 0 && identity.member_id.is_empty() && identity.group_instance_id.is_none() {
            // A consumer without group management, in a group that has members.
            return Err(ResponseError::UnknownMemberId);
        }
        self.check_member(identity)?;
        if identity.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        if self.state == GroupState::CompletingRebalance {
            return Err(ResponseError::RebalanceInProgress);
        }
        Ok(())
    }

    /// Whether offsets may be committed in a transaction. Producers before KIP-447 do not name a member.
    pub fn check_transactional_commit(&self, identity: &MemberIdentity) -> Result<(), ResponseError> {
        if self.state == GroupState::Dead {
            return Err(ResponseError::CoordinatorNotAvailable);
        }
        let names_nobody = identity.member_id.is_empty() && identity.group_instance_id.is_none();
        if identity.generation < 0 && (names_nobody || self.state == GroupState::Empty) {
            return Ok(());
        }
        self.check_member(identity)?;
        if identity.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        Ok(())
    }

    /// Whether `identity` is a member, and not a static one that another client has replaced.
    pub(super) fn check_member(&self, identity: &MemberIdentity) -> Result<(), ResponseError> {
        if let Some(instance_id) = &identity.group_instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ResponseError::UnknownMemberId),
                Some(current) if *current != identity.member_id => {
                    return Err(ResponseError::FencedInstanceId);
                }
                Some(_) => {}
            }
        }
        if self.members.contains_key(&identity.member_id) {
            Ok(())
        } else {
            Err(ResponseError::UnknownMemberId)
        }
    }

    fn sync(&mut self, step: &mut Step, ticket: Ticket, request: SyncGroup) {
        if let Err(error) = self.check_sync(&request) {
            return step.answer_sync(ticket, SyncAnswer::refused(error));
        }
        let member_id = &request.member.member_id;
        match self.state {
            GroupState::CompletingRebalance => {
                if let Some(member) = self.members.get_mut(member_id)
                    && let Some(abandoned) = member.await_sync(ticket)
                {
                    step.answer_sync(abandoned, SyncAnswer::refused(ResponseError::RebalanceInProgress));
                }
                self.timer.note_sync(member_id);
                if self.leader.as_ref() == Some(member_id) {
                    self.assign(step, request.assignments);
                }
            }
            GroupState::Stable => {
                self.timer.note_sync(member_id);
                self.answer_assigned(step, member_id, ticket);
            }
            GroupState::Empty | GroupState::PreparingRebalance | GroupState::Dead => {
                let error = if self.state == GroupState::PreparingRebalance {
                    ResponseError::RebalanceInProgress
                } else {
                    ResponseError::UnknownMemberId
                };
                step.answer_sync(ticket, SyncAnswer::refused(error));
            }
        }
    }

    fn check_sync(&self, request: &SyncGroup) -> Result<(), ResponseError> {
        if self.state == GroupState::Dead {
            return Err(ResponseError::CoordinatorNotAvailable);
        }
        self.check_member(&request.member)?;
        if request.member.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        let differs =
            |sent: &Option<String>, ours: &Option<String>| sent.is_some() && ours.is_some() && sent != ours;
        if differs(&request.protocol_type, &self.protocol_type)
            || differs(&request.protocol_name, &self.protocol_name)
        {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        Ok(())
    }

    /// The leader has sent the assignment: members that it left out get an empty one, and all that wait are answered.
    fn assign(&mut self, step: &mut Step, assignments: Vec<(String, Bytes)>) {
        let mut assignments: BTreeMap<String, Bytes> = assignments.into_iter().collect();
        for member in self.members.values_mut() {
            member.assignment = assignments.remove(&member.id).unwrap_or_default();
        }
        self.become_state(step, GroupState::Stable);
        step.effects.push(Effect::Persist);
        let waiting: Vec<(String, Ticket)> = self
            .members
            .values_mut()
            .filter_map(|member| Some((member.id.clone(), member.awaiting_sync.take()?)))
            .collect();
        for (member_id, ticket) in waiting {
            self.answer_assigned(step, &member_id, ticket);
        }
    }

    fn answer_assigned(&mut self, step: &mut Step, member_id: &str, ticket: Ticket) {
        let Some(member) = self.members.get_mut(member_id) else {
            return step.answer_sync(ticket, SyncAnswer::refused(ResponseError::UnknownMemberId));
        };
        member.renew_session(step.now_ms);
        let answer = SyncAnswer {
            error: None,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            assignment: member.assignment.clone(),
        };
        step.answer_sync(ticket, answer);
    }

    fn heartbeat(&mut self, now_ms: i64, identity: &MemberIdentity) -> Result<(), ResponseError> {
        if self.state == GroupState::Dead {
            return Err(ResponseError::CoordinatorNotAvailable);
        }
        self.check_member(identity)?;
        if identity.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        if let Some(member) = self.members.get_mut(&identity.member_id)
            && member.awaiting_join.is_none()
            && member.awaiting_sync.is_none()
        {
            member.renew_session(now_ms);
        }
        match self.state {
            GroupState::PreparingRebalance => Err(ResponseError::RebalanceInProgress),
            // Clients may send heartbeats from the JoinGroup response on.
            GroupState::CompletingRebalance | GroupState::Stable => Ok(()),
            GroupState::Empty | GroupState::Dead => Err(ResponseError::UnknownMemberId),
        }
    }

    fn leave(&mut self, step: &mut Step, ticket: Ticket, leaving: Vec<LeavingMember>) {
        let mut outcomes = Vec::with_capacity(leaving.len());
        let mut member_gone = false;
        for member in leaving {
            let outcome = self.leaver(&member).map(|member_id| {
                if self.pending_members.remove(&member_id).is_none() {
                    self.remove_member(step, &member_id);
                    member_gone = true;
                }
            });
            outcomes.push((member, outcome.err()));
        }
        self.rebalance_after_removal(step, member_gone);
        step.effects.push(Effect::AnswerLeave(ticket, outcomes));
    }

    /// The member id that a LeaveGroup names.
    fn leaver(&self, leaving: &LeavingMember) -> Result<String, ResponseError> {
        if self.state == GroupState::Dead {
            return Err(ResponseError::CoordinatorNotAvailable);
        }
        if leaving.member_id.is_empty() {
            let instance_id = leaving
                .group_instance_id
                .as_ref()
                .ok_or(ResponseError::UnknownMemberId)?;
            return self
                .static_members
                .get(instance_id)
                .cloned()
                .ok_or(ResponseError::UnknownMemberId);
        }
        if leaving.group_instance_id.is_none() && self.pending_members.contains_key(&leaving.member_id) {
            return Ok(leaving.member_id.clone());
        }
        self.check_member(&MemberIdentity {
            member_id: leaving.member_id.clone(),
            group_instance_id: leaving.group_instance_id.clone(),
            generation: self.generation,
        })?;
        Ok(leaving.member_id.clone())
    }

    /// Removes a member and answers its requests that wait; the caller has to start the rebalance.
    pub(super) fn remove_member(&mut self, step: &mut Step, member_id: &str) {
        let Some(member) = self.members.remove(member_id) else {
            return;
        };
        if let Some(ticket) = member.awaiting_join {
            // A client that is still there joins again.
            step.refuse_join(ticket, member_id, ResponseError::UnknownMemberId);
        }
        if let Some(ticket) = member.awaiting_sync {
            step.answer_sync(ticket, SyncAnswer::refused(ResponseError::UnknownMemberId));
        }
        if let Some(instance_id) = &member.group_instance_id
            && self
                .static_members
                .get(instance_id)
                .is_some_and(|current| current == member_id)
        {
            self.static_members.remove(instance_id);
        }
        self.timer.note_sync(member_id);
        if self.leader.as_deref() == Some(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
    }

    pub(super) fn awaiting_join(&self) -> usize {
        self.members
            .values()
            .filter(|member| member.awaiting_join.is_some())
            .count()
    }

    pub(super) fn become_state(&mut self, step: &Step, state: GroupState) {
        self.state = state;
        self.state_since_ms = step.now_ms;
    }
}
