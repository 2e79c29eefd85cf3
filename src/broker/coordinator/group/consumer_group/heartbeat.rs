//! The heartbeat of a member (KIP-848), in four steps: the member is created or updated; the group's epoch is raised
//! if that or the topics have changed; the assignor runs if the epoch was raised (`target.rs`); the member takes a
//! step towards its target (`reconciliation.rs`). The other members learn of it at their own heartbeats.
//!
//! A heartbeat that leaves the group is in `departure.rs`; regular expressions are in `regular_expressions.rs`.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;

use super::group::{Change, ConsumerGroup, Refused, Step, Surroundings};
use super::member::{
    ConsumerMember, CurrentAssignment, JOIN_EPOCH, MemberMetadata, STATIC_LEAVE_EPOCH, contains,
    without_epochs,
};
use super::record::{GroupEpoch, GroupRecord};
use crate::broker::coordinator::group::assignor::TopicPartitions;

/// The fields of a heartbeat; `None` for "unchanged".
#[derive(Clone, Debug, Default)]
pub struct Heartbeat {
    pub member_id: String,
    pub member_epoch: i32,
    pub instance_id: Option<String>,
    pub rack_id: Option<String>,
    pub rebalance_timeout_ms: Option<i32>,
    pub topics: Option<BTreeSet<String>>,
    /// Empty for no regular expression.
    pub regex: Option<String>,
    pub assignor: Option<String>,
    /// The partitions that the member still owns.
    pub owned: Option<TopicPartitions>,
    pub client_id: String,
    pub client_host: String,
}

/// The answer to a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatAnswer {
    pub member_id: String,
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    /// `None` for "unchanged".
    pub assignment: Option<TopicPartitions>,
}

impl ConsumerGroup {
    /// Handles a heartbeat of a member that joins or stays; its fields have been checked (`heartbeat_shape.rs`).
    pub fn heartbeat(
        &mut self,
        around: Surroundings<'_>,
        request: &Heartbeat,
    ) -> (Result<HeartbeatAnswer, Refused>, Change) {
        self.happen(around, |group, step| group.beat(step, request))
    }

    fn beat(&mut self, step: &mut Step<'_>, request: &Heartbeat) -> Result<HeartbeatAnswer, Refused> {
        let id = request.member_id.as_str();
        self.check_size(step, id)?;
        let before = self.find_or_replace_member(step, request)?;
        let subscription_changed = self.update_member(step, request, &before)?;
        self.update_epoch(step, subscription_changed.bumps);
        self.update_target(step);
        self.reconcile(step, id, request.owned.as_ref(), subscription_changed.changed);
        let session_ms = i64::from(step.around.settings.session_timeout_ms);
        let deadline_ms = step.around.now_ms.saturating_add(session_ms);
        self.sessions.insert(id.to_owned(), deadline_ms);
        Ok(self.answer(step, request, &before))
    }

    pub(super) fn check_size(&self, step: &Step<'_>, id: &str) -> Result<(), Refused> {
        let max_size = step.around.settings.max_size;
        if self.members.len() < max_size || self.members.contains_key(id) {
            return Ok(());
        }
        let message = format!("The consumer group has reached its maximum capacity of {max_size} members.");
        Err((ResponseError::GroupMaxSizeReached, message))
    }

    /// The member before this heartbeat; a new one is empty.
    fn find_or_replace_member(
        &mut self,
        step: &mut Step<'_>,
        request: &Heartbeat,
    ) -> Result<ConsumerMember, Refused> {
        let id = request.member_id.as_str();
        let joins = request.member_epoch == JOIN_EPOCH;
        if let Some(instance_id) = &request.instance_id {
            let current = self.static_members.get(instance_id).cloned();
            match current {
                Some(current) if joins => {
                    return self.replace_static_member(step, request, instance_id, &current);
                }
                Some(_) => self.check_instance(instance_id, id)?,
                None if joins => {}
                None => return Err(unknown_instance(instance_id)),
            }
        }
        match self.member(id) {
            Some(member) => {
                check_epoch(&member.current, request)?;
                Ok(member.clone())
            }
            None if joins => Ok(ConsumerMember::default()),
            None => Err(self.unknown_member(id)),
        }
    }

    /// A static member returns: it takes over the assignment of its former member id.
    fn replace_static_member(
        &mut self,
        step: &mut Step<'_>,
        request: &Heartbeat,
        instance_id: &str,
        former_id: &str,
    ) -> Result<ConsumerMember, Refused> {
        let id = request.member_id.as_str();
        let Some(former) = self.member(former_id) else {
            return Ok(ConsumerMember::default());
        };
        if former.current.epoch != STATIC_LEAVE_EPOCH && former.metadata.classic.is_none() {
            let message = format!(
                "Static member {id} with instance id {instance_id} cannot join the group because the instance id is \
                 owned by {former_id} member."
            );
            return Err((ResponseError::UnreleasedInstanceId, message));
        }
        Ok(self.take_over(step, id, former_id))
    }

    /// Gives the assignment of `former_id` to the member `id`, which begins in epoch 0.
    pub(super) fn take_over(&mut self, step: &mut Step<'_>, id: &str, former_id: &str) -> ConsumerMember {
        let Some(former) = self.member(former_id).cloned() else {
            return ConsumerMember::default();
        };
        let target = self.target(former_id);
        self.remove_records(step, former_id);
        let current = CurrentAssignment {
            epoch: JOIN_EPOCH,
            previous_epoch: JOIN_EPOCH,
            ..former.current
        };
        let records = [
            GroupRecord::Member(id.to_owned(), Some(former.metadata)),
            GroupRecord::Target(id.to_owned(), Some((*target).clone())),
            GroupRecord::Current(id.to_owned(), Some(current)),
        ];
        for record in records {
            self.write(step, record);
        }
        self.member(id).cloned().unwrap_or_default()
    }

    /// Whether the instance id belongs to this member, and was not taken over by another.
    pub(super) fn check_instance(&self, instance_id: &str, member_id: &str) -> Result<(), Refused> {
        match self.static_members.get(instance_id) {
            None => Err(unknown_instance(instance_id)),
            Some(current) if current != member_id => {
                let message = format!(
                    "Static member {member_id} with instance id {instance_id} was fenced by member {current}."
                );
                Err((ResponseError::FencedInstanceId, message))
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) fn unknown_member(&self, id: &str) -> Refused {
        let message = format!("Member {id} is not a member of group {}.", self.id);
        (ResponseError::UnknownMemberId, message)
    }

    /// Applies the member's fields in the heartbeat.
    fn update_member(
        &mut self,
        step: &mut Step<'_>,
        request: &Heartbeat,
        before: &ConsumerMember,
    ) -> Result<SubscriptionChange, Refused> {
        let mut metadata = before.metadata.clone();
        let or = |new: &Option<String>, old: Option<String>| new.clone().or(old);
        metadata.instance_id = or(&request.instance_id, metadata.instance_id);
        metadata.rack_id = or(&request.rack_id, metadata.rack_id);
        metadata.assignor = or(&request.assignor, metadata.assignor);
        metadata.topics = request.topics.clone().unwrap_or(metadata.topics);
        metadata.regex = request.regex.clone().unwrap_or(metadata.regex);
        metadata.rebalance_timeout_ms = request
            .rebalance_timeout_ms
            .unwrap_or(metadata.rebalance_timeout_ms);
        metadata.client_id.clone_from(&request.client_id);
        metadata.client_host.clone_from(&request.client_host);
        metadata.classic = None;
        self.classic_deadlines.remove(&request.member_id);
        self.take_metadata(step, &request.member_id, before, metadata)
    }

    /// Applies the metadata that a member has sent.
    pub(super) fn take_metadata(
        &mut self,
        step: &mut Step<'_>,
        id: &str,
        before: &ConsumerMember,
        metadata: MemberMetadata,
    ) -> Result<SubscriptionChange, Refused> {
        let names_changed = metadata.topics != before.metadata.topics;
        let regex_changed = metadata.regex != before.metadata.regex;
        let regex_bumps = regex_changed && self.check_regex(&metadata.regex)?;
        if !self.members.contains_key(id) || metadata != before.metadata {
            self.write(step, GroupRecord::Member(id.to_owned(), Some(metadata)));
        }
        if regex_changed {
            self.forget_unused_regex(step, &before.metadata.regex);
        }
        self.note_due_matching(step);
        Ok(SubscriptionChange {
            changed: names_changed || regex_changed,
            bumps: names_changed || regex_bumps,
        })
    }

    /// Raises the group's epoch if `bump` is set, or if the subscribed topics have changed.
    pub(super) fn update_epoch(&mut self, step: &mut Step<'_>, bump: bool) {
        let version = step.around.catalog.version();
        if !bump && self.seen_topics == Some(version) {
            return;
        }
        let metadata_hash = self.hash_of_topics(step.around.catalog);
        if bump || metadata_hash != self.epoch.metadata_hash {
            self.raise_epoch(step, metadata_hash);
        }
        // After the records, so that it is undone with them.
        self.seen_topics = Some(version);
    }

    /// Raises the group's epoch by one.
    pub(super) fn raise_epoch(&mut self, step: &mut Step<'_>, metadata_hash: i64) {
        let epoch = self.epoch.epoch.saturating_add(1);
        self.write(
            step,
            GroupRecord::Epoch(Some(GroupEpoch { epoch, metadata_hash })),
        );
    }

    fn answer(&self, step: &Step<'_>, request: &Heartbeat, before: &ConsumerMember) -> HeartbeatAnswer {
        let current = self.member(&request.member_id).map(|member| &member.current);
        let says_everything = request.rebalance_timeout_ms.is_some()
            && (request.topics.is_some() || request.regex.is_some())
            && request.owned.is_some();
        let assigned = current
            .map(|current| without_epochs(&current.assigned))
            .unwrap_or_default();
        let is_told = request.member_epoch == JOIN_EPOCH
            || says_everything
            || assigned != without_epochs(&before.current.assigned);
        HeartbeatAnswer {
            member_id: request.member_id.clone(),
            member_epoch: current.map_or(JOIN_EPOCH, |current| current.epoch),
            heartbeat_interval_ms: step.around.settings.heartbeat_interval_ms,
            assignment: is_told.then_some(assigned),
        }
    }
}

/// How a heartbeat has changed a member's subscription.
#[derive(Clone, Copy, Debug)]
pub(super) struct SubscriptionChange {
    pub(super) changed: bool,
    /// Whether the group has to be assigned anew.
    pub(super) bumps: bool,
}

fn unknown_instance(instance_id: &str) -> Refused {
    (
        ResponseError::UnknownMemberId,
        format!("Instance id {instance_id} is unknown."),
    )
}

/// A member sends its epoch. It may send the previous one if it owns nothing that it has lost since: then the answer
/// with the new epoch was lost.
fn check_epoch(current: &CurrentAssignment, request: &Heartbeat) -> Result<(), Refused> {
    let (sent, known) = (request.member_epoch, current.epoch);
    if sent == JOIN_EPOCH || sent == known {
        return Ok(());
    }
    let assigned = without_epochs(&current.assigned);
    let is_subset = |owned: &TopicPartitions| {
        let mut all = owned
            .iter()
            .flat_map(|(topic, partitions)| partitions.iter().map(|partition| (*topic, *partition)));
        all.all(|(topic, partition)| contains(&assigned, topic, partition))
    };
    if sent < known && sent == current.previous_epoch && request.owned.as_ref().is_some_and(is_subset) {
        return Ok(());
    }
    let word = if sent > known { "greater" } else { "smaller" };
    let message = format!(
        "The consumer group member has a {word} member epoch ({sent}) than the one known by the group coordinator \
         ({known}). The member must abandon all its partitions and rejoin."
    );
    Err((ResponseError::FencedMemberEpoch, message))
}
