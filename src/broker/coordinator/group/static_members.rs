//! Static members (KIP-345): a client that returns with an instance id replaces the member that had it. Owns only
//! that; otherwise a static member is like any other.

use kafka_protocol::ResponseError;

use super::classic_group::{ClassicGroup, Step};
use super::events::{Effect, JoinAnswer, JoinGroup, SyncAnswer, Ticket};
use super::group_state::GroupState;

impl ClassicGroup {
    /// Handles a JoinGroup without member id, with an instance id that the group has as `old_id`: the old member is
    /// fenced, and a stable group whose protocol stays the same does not rebalance.
    pub(super) fn rejoin_static(
        &mut self,
        step: &mut Step,
        ticket: Ticket,
        old_id: &str,
        request: JoinGroup,
    ) {
        let new_id = request.fresh_member_id.clone();
        let led = self.leader.as_deref() == Some(old_id);
        let skips_assignment = request.supports_skipping_assignment;
        self.replace_static(step, old_id, &new_id);
        self.update_member(step, ticket, &new_id, request);
        if self.state != GroupState::Stable || self.select_protocol() != self.protocol_name {
            return self.rebalance_or_complete_join(step);
        }
        let mut answer = self.joined(&new_id);
        if skips_assignment {
            answer.skip_assignment = led;
            if led {
                answer.members = self.joined_members();
            }
        } else if led {
            // An older client that is named as the leader would assign, so the answer names the old member id.
            old_id.clone_into(&mut answer.leader);
        }
        step.effects.push(Effect::Persist);
        self.answer_rejoined(step, &new_id, answer);
    }

    fn answer_rejoined(&mut self, step: &mut Step, member_id: &str, answer: JoinAnswer) {
        if let Some(member) = self.members.get_mut(member_id)
            && let Some(ticket) = member.awaiting_join.take()
        {
            member.renew_session(step.now_ms);
            step.answer_join(ticket, answer);
        }
    }

    /// Gives the member a new id; waiting requests with the old one are answered with `FENCED_INSTANCE_ID`.
    fn replace_static(&mut self, step: &mut Step, old_id: &str, new_id: &str) {
        let Some(mut member) = self.members.remove(old_id) else {
            return;
        };
        if let Some(ticket) = member.awaiting_join.take() {
            step.refuse_join(ticket, old_id, ResponseError::FencedInstanceId);
        }
        if let Some(ticket) = member.awaiting_sync.take() {
            step.answer_sync(ticket, SyncAnswer::refused(ResponseError::FencedInstanceId));
        }
        new_id.clone_into(&mut member.id);
        if let Some(instance_id) = &member.group_instance_id {
            self.static_members.insert(instance_id.clone(), new_id.to_owned());
        }
        self.members.insert(new_id.to_owned(), member);
        self.timer.rename(old_id, new_id);
        if self.leader.as_deref() == Some(old_id) {
            self.leader = Some(new_id.to_owned());
        }
    }
}
