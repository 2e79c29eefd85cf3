//! The heartbeat of a member of a share group (KIP-932), in four steps: the member is created or updated; the group's
//! epoch is raised if that, the topics or the readable partitions have changed; the assignor runs if the epoch was
//! raised; the member gets its target assignment. The other members learn of it at their own heartbeats.
//!
//! Also how members go: they leave, or their session times out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::group::{ShareChange, ShareGroup, ShareStep, ShareSurroundings};
use super::member::{ShareAssignment, ShareMember};
use super::record::ShareGroupRecord;
use crate::broker::coordinator::group::assignor::{SubscribedMember, TopicPartitions, simple};
use crate::broker::coordinator::group::consumer_group::group::{FIRST_EPOCH, Refused};
use crate::broker::coordinator::group::consumer_group::member::JOIN_EPOCH;
use crate::broker::coordinator::group::consumer_group::record::{GroupEpoch, TargetEpoch};

/// The epoch with which a member leaves.
pub const LEAVE_EPOCH: i32 = -1;

/// The fields of a heartbeat; `None` for "unchanged".
#[derive(Clone, Debug, Default)]
pub struct ShareHeartbeat {
    pub member_id: String,
    pub member_epoch: i32,
    pub rack_id: Option<String>,
    pub topics: Option<BTreeSet<String>>,
    pub client_id: String,
    pub client_host: String,
}

/// The answer to a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareHeartbeatAnswer {
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    /// `None` for "unchanged".
    pub assignment: Option<TopicPartitions>,
}

/// Refuses an invalid heartbeat, in any group.
pub fn check_shape(group: &str, request: &ShareHeartbeat) -> Result<(), Refused> {
    let invalid = |message: &str| Err((ResponseError::InvalidRequest, message.to_owned()));
    if request.member_id.is_empty() {
        return invalid("");
    }
    if group.is_empty() {
        return invalid("GroupId can't be empty.");
    }
    if request.rack_id.as_deref() == Some("") {
        return invalid("RackId can't be empty.");
    }
    if request.member_epoch < LEAVE_EPOCH {
        return invalid("MemberEpoch is invalid.");
    }
    let names_topics = request.topics.as_ref().is_some_and(|topics| !topics.is_empty());
    if request.member_epoch == JOIN_EPOCH && !names_topics {
        return invalid("SubscribedTopicNames must be set in first request.");
    }
    Ok(())
}

impl ShareGroup {
    /// Handles a heartbeat of a member that joins or stays; its fields have been checked ([`check_shape`]).
    pub fn heartbeat(
        &mut self,
        around: ShareSurroundings<'_>,
        request: &ShareHeartbeat,
    ) -> (Result<ShareHeartbeatAnswer, Refused>, ShareChange) {
        self.happen(around, |group, step| group.beat(step, request))
    }

    fn beat(
        &mut self,
        step: &mut ShareStep<'_>,
        request: &ShareHeartbeat,
    ) -> Result<ShareHeartbeatAnswer, Refused> {
        let id = request.member_id.as_str();
        self.check_size(step, id)?;
        let before = match self.member(id) {
            Some(member) => {
                check_epoch(&member.current, request.member_epoch)?;
                member.clone()
            }
            None if request.member_epoch == JOIN_EPOCH => ShareMember::default(),
            None => return Err(self.unknown_member(id)),
        };
        let names_changed = self.update_member(step, request, &before);
        self.update_epoch(step, names_changed);
        self.update_target(step, false);
        self.reconcile(step, id);
        let session_ms = i64::from(step.around.settings.session_timeout_ms);
        let deadline_ms = step.around.now_ms.saturating_add(session_ms);
        self.sessions.insert(id.to_owned(), deadline_ms);
        let assigned = self.assigned(id);
        let is_told = request.member_epoch == JOIN_EPOCH
            || request.topics.is_some()
            || assigned != before.current.assigned;
        Ok(self.answer(step, id, is_told.then_some(assigned)))
    }

    /// Assigns partitions that were initialized since this member's heartbeat began, although the assignor has just
    /// run: the member need not wait for its next heartbeat to get them.
    pub fn assign_initialized(
        &mut self,
        around: ShareSurroundings<'_>,
        id: &str,
    ) -> (Result<ShareHeartbeatAnswer, Refused>, ShareChange) {
        self.happen(around, |group, step| {
            if group.member(id).is_none() {
                return Err(group.unknown_member(id));
            }
            group.update_epoch(step, false);
            group.update_target(step, true);
            group.reconcile(step, id);
            Ok(group.answer(step, id, Some(group.assigned(id))))
        })
    }

    fn check_size(&self, step: &ShareStep<'_>, id: &str) -> Result<(), Refused> {
        let max_size = step.around.settings.max_size;
        if self.members.len() < max_size || self.members.contains_key(id) {
            return Ok(());
        }
        let message = format!("The share group has reached its maximum capacity of {max_size} members.");
        Err((ResponseError::GroupMaxSizeReached, message))
    }

    fn unknown_member(&self, id: &str) -> Refused {
        let message = format!("Member {id} is not a member of group {}.", self.id);
        (ResponseError::UnknownMemberId, message)
    }

    /// Applies the member's fields in the heartbeat. Returns whether its subscription has changed.
    fn update_member(
        &mut self,
        step: &mut ShareStep<'_>,
        request: &ShareHeartbeat,
        before: &ShareMember,
    ) -> bool {
        let id = request.member_id.as_str();
        let mut metadata = before.metadata.clone();
        metadata.rack_id = request.rack_id.clone().or(metadata.rack_id);
        metadata.topics = request.topics.clone().unwrap_or(metadata.topics);
        metadata.client_id.clone_from(&request.client_id);
        metadata.client_host.clone_from(&request.client_host);
        let names_changed = metadata.topics != before.metadata.topics;
        if !self.members.contains_key(id) || metadata != before.metadata {
            self.write(step, ShareGroupRecord::Member(id.to_owned(), Some(metadata)));
        }
        names_changed
    }

    /// Raises the group's epoch if `bump` is set, if the subscribed topics have changed, or if there are readable
    /// partitions that no member has.
    fn update_epoch(&mut self, step: &mut ShareStep<'_>, bump: bool) {
        let version = step.around.catalog.version();
        let bump = bump || self.has_unassigned_partitions(step.around);
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

    fn raise_epoch(&mut self, step: &mut ShareStep<'_>, metadata_hash: i64) {
        let epoch = self.epoch.epoch.saturating_add(1);
        let epoch = GroupEpoch { epoch, metadata_hash };
        self.write(step, ShareGroupRecord::Epoch(Some(epoch)));
    }

    /// Whether there are readable partitions that the target assignment lacks. If the assignor still has to run for
    /// the present epoch, it will assign them anyway.
    fn has_unassigned_partitions(&self, around: ShareSurroundings<'_>) -> bool {
        if self.epoch.epoch > self.target_epoch.epoch {
            return false;
        }
        let mut assigned = TopicPartitions::new();
        for (topic, partitions) in self.targets.values().flat_map(|target| target.iter()) {
            assigned.entry(*topic).or_default().extend(partitions);
        }
        let is_assigned = |topic: &Uuid, partitions: &BTreeSet<i32>| {
            let assigned = assigned.get(topic);
            assigned.map_or(partitions.is_empty(), |assigned| partitions.is_subset(assigned))
        };
        let readable = self.readable(around);
        !readable
            .iter()
            .all(|(topic, partitions)| is_assigned(topic, partitions))
    }

    /// Runs the assignor if the group's epoch was raised since its last run, unless that was too recent.
    fn update_target(&mut self, step: &mut ShareStep<'_>, at_once: bool) {
        let interval_ms = i64::from(step.around.settings.assignment_interval_ms);
        let ran_once = self.target_epoch.epoch > FIRST_EPOCH;
        let too_soon = ran_once && step.around.now_ms < self.target_epoch.at_ms.saturating_add(interval_ms);
        if self.epoch.epoch <= self.target_epoch.epoch || (too_soon && !at_once) {
            return;
        }
        let members = self.as_assignors_see_them(step.around);
        for (id, target) in simple::assign(&members, &self.readable(step.around)) {
            if self.targets.get(&id).is_none_or(|known| **known != target) {
                self.write(step, ShareGroupRecord::Target(id, Some(target)));
            }
        }
        let target = TargetEpoch {
            epoch: self.epoch.epoch,
            at_ms: step.around.now_ms,
        };
        self.write(step, ShareGroupRecord::TargetEpoch(Some(target)));
    }

    fn as_assignors_see_them(&self, around: ShareSurroundings<'_>) -> BTreeMap<String, SubscribedMember> {
        // Most members have the same subscription as another.
        let mut alike: BTreeMap<&BTreeSet<String>, Arc<BTreeSet<Uuid>>> = BTreeMap::new();
        let members = self.members.iter().map(|(id, member)| {
            let topics = alike.entry(&member.metadata.topics).or_insert_with(|| {
                let topics = member.metadata.topics.iter();
                let ids = topics.filter_map(|name| Some(around.catalog.topic(name)?.id));
                Arc::new(ids.collect())
            });
            let member = SubscribedMember {
                instance_id: None,
                topics: Arc::clone(topics),
                owned: (*self.target(id)).clone(),
            };
            (id.clone(), member)
        });
        members.collect()
    }

    /// Moves the member to the epoch of the target assignment, with its partitions there.
    fn reconcile(&mut self, step: &mut ShareStep<'_>, id: &str) {
        let Some(current) = self.member(id).map(|member| &member.current) else {
            return;
        };
        if current.epoch == self.target_epoch.epoch {
            return;
        }
        let next = ShareAssignment {
            epoch: self.target_epoch.epoch,
            previous_epoch: current.epoch,
            assigned: (*self.target(id)).clone(),
        };
        self.write(step, ShareGroupRecord::Current(id.to_owned(), Some(next)));
    }

    fn assigned(&self, id: &str) -> TopicPartitions {
        let member = self.member(id);
        member
            .map(|member| member.current.assigned.clone())
            .unwrap_or_default()
    }

    fn answer(
        &self,
        step: &ShareStep<'_>,
        id: &str,
        assignment: Option<TopicPartitions>,
    ) -> ShareHeartbeatAnswer {
        ShareHeartbeatAnswer {
            member_epoch: self.member(id).map_or(JOIN_EPOCH, |member| member.current.epoch),
            heartbeat_interval_ms: step.around.settings.heartbeat_interval_ms,
            assignment,
        }
    }

    /// Handles a heartbeat with the epoch that says that the member leaves.
    pub fn leave(
        &mut self,
        around: ShareSurroundings<'_>,
        id: &str,
    ) -> (Result<ShareHeartbeatAnswer, Refused>, ShareChange) {
        self.happen(around, |group, step| {
            if group.member(id).is_none() {
                return Err(group.unknown_member(id));
            }
            group.remove(step, &[id.to_owned()]);
            Ok(ShareHeartbeatAnswer {
                member_epoch: LEAVE_EPOCH,
                heartbeat_interval_ms: 0,
                assignment: None,
            })
        })
    }

    /// Removes members. The assignor runs at the next heartbeat of a remaining member.
    fn remove(&mut self, step: &mut ShareStep<'_>, ids: &[String]) {
        for id in ids {
            self.write(step, ShareGroupRecord::Current(id.clone(), None));
            self.write(step, ShareGroupRecord::Target(id.clone(), None));
            self.write(step, ShareGroupRecord::Member(id.clone(), None));
        }
        if !ids.is_empty() {
            let metadata_hash = self.hash_of_topics(step.around.catalog);
            self.raise_epoch(step, metadata_hash);
        }
    }

    /// The members whose sessions have timed out.
    pub fn silent_members(&self, now_ms: i64) -> Vec<String> {
        let silent = self.sessions.iter().filter(|(_, at_ms)| **at_ms <= now_ms);
        silent.map(|(id, _)| id.clone()).collect()
    }

    /// Removes members whose sessions have timed out.
    pub fn expel(&mut self, around: ShareSurroundings<'_>, ids: &[String]) -> ShareChange {
        let event = |group: &mut Self, step: &mut ShareStep<'_>| {
            group.remove(step, ids);
            Ok(())
        };
        self.happen(around, event).1
    }
}

/// A member sends its epoch, or the previous one: the answer with the new epoch may have been lost.
fn check_epoch(current: &ShareAssignment, sent: i32) -> Result<(), Refused> {
    let known = current.epoch;
    if sent == JOIN_EPOCH || sent == known || (sent < known && sent == current.previous_epoch) {
        return Ok(());
    }
    let known_words = format!("than the one known by the group coordinator ({known})");
    let words = if sent > known {
        format!("a greater member epoch ({sent}) {known_words}")
    } else {
        let previous = current.previous_epoch;
        format!(
            "a smaller member epoch ({sent}) {known_words}, and it does not match the previous member epoch \
             ({previous})"
        )
    };
    let message =
        format!("The share group member has {words}. The member must abandon all its partitions and rejoin.");
    Err((ResponseError::FencedMemberEpoch, message))
}
