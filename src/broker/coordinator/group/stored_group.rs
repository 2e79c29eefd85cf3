//! A classic group as its record and back: the part of its state that survives a restart.

use super::classic_group::{ClassicGroup, GroupLimits};
use super::events::Protocol;
use super::group_state::GroupState;
use super::member::Member;
use super::stored_records::{StoredGroup, StoredMember};

impl From<&ClassicGroup> for StoredGroup {
    fn from(group: &ClassicGroup) -> Self {
        let protocol = group.protocol_name().unwrap_or_default();
        let members = group.members().map(|member| StoredMember {
            id: member.id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            subscription: member.metadata(protocol),
            assignment: member.assignment.clone(),
        });
        StoredGroup {
            protocol_type: group.protocol_type().unwrap_or_default().to_owned(),
            generation: group.generation(),
            protocol_name: group.protocol_name().map(str::to_owned),
            leader: group.leader().map(str::to_owned),
            state_since_ms: group.state_since_ms(),
            members: members.collect(),
        }
    }
}

impl ClassicGroup {
    /// Restores a group; its members have one session timeout from `now_ms` on to send a heartbeat.
    pub fn restored(limits: GroupLimits, now_ms: i64, stored: &StoredGroup) -> Self {
        let mut group = Self::new(limits, now_ms);
        group.generation = stored.generation.max(0);
        group.protocol_type = Some(stored.protocol_type.clone()).filter(|name| !name.is_empty());
        group.state_since_ms = if stored.state_since_ms < 0 {
            now_ms
        } else {
            stored.state_since_ms
        };
        if stored.members.is_empty() {
            return group;
        }
        group.state = GroupState::Stable;
        group.protocol_name.clone_from(&stored.protocol_name);
        let protocol = stored.protocol_name.clone().unwrap_or_default();
        for stored in &stored.members {
            let mut member = restored_member(&protocol, stored);
            member.renew_session(now_ms);
            if let Some(instance_id) = &member.group_instance_id {
                group
                    .static_members
                    .insert(instance_id.clone(), member.id.clone());
            }
            group.members.insert(member.id.clone(), member);
        }
        let leader = stored.leader.clone().filter(|id| group.members.contains_key(id));
        group.leader = leader.or_else(|| group.members.keys().next().cloned());
        group
    }
}

fn restored_member(protocol: &str, stored: &StoredMember) -> Member {
    Member {
        id: stored.id.clone(),
        group_instance_id: stored.group_instance_id.clone(),
        client_id: stored.client_id.clone(),
        client_host: stored.client_host.clone(),
        session_timeout_ms: stored.session_timeout_ms,
        rebalance_timeout_ms: stored.rebalance_timeout_ms,
        protocols: vec![Protocol {
            name: protocol.to_owned(),
            metadata: stored.subscription.clone(),
        }],
        assignment: stored.assignment.clone(),
        awaiting_join: None,
        awaiting_sync: None,
        is_new: false,
        session_deadline_ms: None,
    }
}
