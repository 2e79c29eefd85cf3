//! JoinGroup: how a client becomes a member of a classic group or stays one, and the answers. Pure as the rest of the
//! state machine.

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::classic_group::{ClassicGroup, Step};
use super::events::{JoinAnswer, JoinGroup, JoinedMember, MemberIdentity, Protocol, Ticket};
use super::group_state::GroupState;
use super::member::Member;

impl ClassicGroup {
    pub(super) fn join(&mut self, step: &mut Step, ticket: Ticket, request: JoinGroup) {
        if let Err((member_id, error)) = self.check_join(&request) {
            return step.refuse_join(ticket, &member_id, error);
        }
        if !request.member_id.is_empty() {
            return self.join_known(step, ticket, request);
        }
        let member_id = request.fresh_member_id.clone();
        if let Some(instance_id) = &request.group_instance_id
            && let Some(old_id) = self.static_members.get(instance_id).cloned()
        {
            return self.rejoin_static(step, ticket, &old_id, request);
        }
        if request.requires_known_member_id {
            let deadline = step.now_ms.saturating_add(i64::from(request.session_timeout_ms));
            self.pending_members.insert(member_id.clone(), deadline);
            return step.refuse_join(ticket, &member_id, ResponseError::MemberIdRequired);
        }
        self.add_member(step, ticket, member_id, request);
    }

    /// The first checks of a JoinGroup. The error comes with the member id for the answer.
    fn check_join(&mut self, request: &JoinGroup) -> Result<(), (String, ResponseError)> {
        let member_id = &request.member_id;
        if self.state == GroupState::Dead {
            return Err((member_id.clone(), ResponseError::CoordinatorNotAvailable));
        }
        if !self.has_room_for(member_id) {
            self.pending_members.remove(member_id);
            return Err((String::new(), ResponseError::GroupMaxSizeReached));
        }
        if !self.accepts_protocols(&request.protocol_type, &request.protocols) {
            return Err((member_id.clone(), ResponseError::InconsistentGroupProtocol));
        }
        Ok(())
    }

    /// `group.max.size` limits the members. During a rebalance it limits those that have joined it so far: who joins
    /// first keeps a place.
    fn has_room_for(&self, member_id: &str) -> bool {
        match self.state {
            GroupState::Empty | GroupState::Dead => true,
            GroupState::PreparingRebalance => {
                let joins = self
                    .members
                    .get(member_id)
                    .is_some_and(|member| member.awaiting_join.is_some());
                joins || self.awaiting_join() < self.limits.max_size
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                self.members.contains_key(member_id) || self.members.len() < self.limits.max_size
            }
        }
    }

    /// Whether a member with these protocols can join the group.
    fn accepts_protocols(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if protocol_type.is_empty() || protocols.is_empty() {
            return false;
        }
        if self.members.is_empty() {
            return true;
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols
                .iter()
                .any(|offered| self.members.values().all(|member| member.supports(&offered.name)))
    }

    /// Handles a JoinGroup with a member id.
    fn join_known(&mut self, step: &mut Step, ticket: Ticket, request: JoinGroup) {
        let member_id = request.member_id.clone();
        if self.pending_members.contains_key(&member_id) {
            if request.group_instance_id.is_some() {
                // Ids of static members are never pending.
                return step.refuse_join(ticket, &member_id, ResponseError::UnknownMemberId);
            }
            return self.add_member(step, ticket, member_id, request);
        }
        let identity = MemberIdentity {
            member_id,
            group_instance_id: request.group_instance_id.clone(),
            generation: self.generation,
        };
        if let Err(error) = self.check_member(&identity) {
            return step.refuse_join(ticket, &identity.member_id, error);
        }
        let member_id = identity.member_id;
        let unchanged = self
            .members
            .get(&member_id)
            .is_some_and(|member| member.protocols == request.protocols);
        let leads = self.leader.as_deref() == Some(&member_id);
        match self.state {
            // It missed the answer to its JoinGroup.
            GroupState::CompletingRebalance if unchanged => {
                let answer = self.joined(&member_id);
                step.answer_join(ticket, answer);
            }
            // Only its connection was lost. A leader that joins again wants a new assignment.
            GroupState::Stable if unchanged && !leads => {
                let answer = self.joined(&member_id);
                step.answer_join(ticket, answer);
            }
            GroupState::PreparingRebalance | GroupState::CompletingRebalance | GroupState::Stable => {
                self.update_member(step, ticket, &member_id, request);
                self.rebalance_or_complete_join(step);
            }
            GroupState::Empty | GroupState::Dead => {
                step.refuse_join(ticket, &member_id, ResponseError::UnknownMemberId);
            }
        }
    }

    fn add_member(&mut self, step: &mut Step, ticket: Ticket, member_id: String, request: JoinGroup) {
        self.pending_members.remove(&member_id);
        if self.members.is_empty() {
            self.protocol_type = Some(request.protocol_type);
        }
        if self.leader.is_none() {
            self.leader = Some(member_id.clone());
        }
        if let Some(instance_id) = &request.group_instance_id {
            self.static_members.insert(instance_id.clone(), member_id.clone());
        }
        let mut member = Member {
            id: member_id.clone(),
            group_instance_id: request.group_instance_id,
            client_id: request.client_id,
            client_host: request.client_host,
            session_timeout_ms: request.session_timeout_ms,
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            protocols: request.protocols,
            assignment: Bytes::new(),
            awaiting_join: None,
            awaiting_sync: None,
            is_new: true,
            session_deadline_ms: None,
        };
        member.await_join(step.now_ms, ticket);
        self.members.insert(member_id, member);
        self.timer.note_new_member();
        self.rebalance_or_complete_join(step);
    }

    /// Stores the member's new metadata and its JoinGroup, which waits.
    pub(super) fn update_member(
        &mut self,
        step: &mut Step,
        ticket: Ticket,
        member_id: &str,
        request: JoinGroup,
    ) {
        let Some(member) = self.members.get_mut(member_id) else {
            return step.refuse_join(ticket, member_id, ResponseError::UnknownMemberId);
        };
        member.protocols = request.protocols;
        member.session_timeout_ms = request.session_timeout_ms;
        member.rebalance_timeout_ms = request.rebalance_timeout_ms;
        if let Some(abandoned) = member.await_join(step.now_ms, ticket) {
            step.refuse_join(abandoned, member_id, ResponseError::RebalanceInProgress);
        }
    }

    /// The answer to `member_id` with the current generation; a leader that has to assign gets all members.
    pub(super) fn joined(&self, member_id: &str) -> JoinAnswer {
        let assigns =
            self.state == GroupState::CompletingRebalance && self.leader.as_deref() == Some(member_id);
        JoinAnswer {
            error: None,
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            skip_assignment: false,
            member_id: member_id.to_owned(),
            members: if assigns {
                self.joined_members()
            } else {
                Vec::new()
            },
        }
    }

    pub(super) fn joined_members(&self) -> Vec<JoinedMember> {
        let protocol = self.protocol_name.as_deref().unwrap_or_default();
        self.members
            .values()
            .map(|member| JoinedMember {
                member_id: member.id.clone(),
                group_instance_id: member.group_instance_id.clone(),
                metadata: member.metadata(protocol),
            })
            .collect()
    }
}
