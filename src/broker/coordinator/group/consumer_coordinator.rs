//! The coordinator's side of groups of the consumer protocol (KIP-848): finding or creating the group of a heartbeat,
//! writing its changes, and describing it. The rules of a group are in `consumer_group/`.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::super::log::KeyValue;
use super::assignor::TopicPartitions;
use super::classic_group::ClassicGroup;
use super::consumer_group::group::{Refused, Surroundings};
use super::consumer_group::member::{ConsumerMember, JOIN_EPOCH};
use super::consumer_group::{
    Change, ConsumerGroup, ConsumerGroupSettings, Heartbeat, HeartbeatAnswer, heartbeat_shape,
};
use super::coordinator::GroupCoordinator;
use super::events::{GroupEvent, JoinAnswer, JoinGroup, MemberIdentity, SyncAnswer, SyncGroup};
use super::group_kind::GroupKind;
use super::live_group::LiveGroup;
use super::stored_records::StoredKey;
use crate::broker::features::GROUP_VERSION;

/// The description of a group of the consumer protocol.
#[derive(Clone, Debug)]
pub struct ConsumerGroupDescription {
    pub state: &'static str,
    pub epoch: i32,
    pub target_epoch: i32,
    pub assignor: &'static str,
    /// By member id, each with its target assignment.
    pub members: Vec<(String, ConsumerMember, TopicPartitions)>,
    /// The names of the topics in the assignments; topics that do not exist any more are missing.
    pub topic_names: BTreeMap<Uuid, String>,
}

impl GroupCoordinator {
    /// The error while settings or the level of `group.version` disable the consumer protocol.
    fn check_consumer_protocol(&self) -> Result<(), Refused> {
        let is_in_force = self.environment().feature_level(&GROUP_VERSION) > 0;
        if self.config().has_consumer_protocol && is_in_force {
            return Ok(());
        }
        Err((ResponseError::UnsupportedVersion, String::new()))
    }

    /// Handles a heartbeat of the consumer protocol. `names_itself`: whether members choose their own ids in the
    /// request's version.
    pub fn consumer_heartbeat(
        &self,
        group: &str,
        now_ms: i64,
        request: &Heartbeat,
        names_itself: bool,
    ) -> Result<HeartbeatAnswer, Refused> {
        self.check_consumer_protocol()?;
        self.check_owner(group).map_err(|error| (error, String::new()))?;
        heartbeat_shape::check(group, request, names_itself, &self.config().consumer.assignors)?;
        let settings = self.consumer_settings(group);
        let around = self.surroundings(now_ms, &settings);
        if request.member_epoch < JOIN_EPOCH {
            let leave = |live: &mut LiveGroup| {
                self.in_consumer_group(live, around, |group, around| group.leave(around, request))
            };
            let absent = || {
                (
                    ResponseError::GroupIdNotFound,
                    format!("Group {group} not found."),
                )
            };
            return self.enter(group, leave).unwrap_or_else(|| Err(absent()));
        }
        let beat = |live: &mut LiveGroup| {
            let event =
                |group: &mut ConsumerGroup, around: Surroundings<'_>| group.heartbeat(around, request);
            if request.member_epoch == JOIN_EPOCH && live.kind.classic().is_some() {
                self.upgraded(live, around, event)
            } else {
                self.in_consumer_group(live, around, event)
            }
        };
        if request.member_epoch == JOIN_EPOCH {
            return self.enter_or_create(group, now_ms, beat);
        }
        let absent = || {
            let message = format!("Consumer group {group} not found.");
            (ResponseError::GroupIdNotFound, message)
        };
        self.enter(group, beat).unwrap_or_else(|| Err(absent()))
    }

    /// Runs an event in a group of the consumer protocol, and writes its changes.
    pub(super) fn in_consumer_group<A>(
        &self,
        live: &mut LiveGroup,
        around: Surroundings<'_>,
        event: impl FnOnce(&mut ConsumerGroup, Surroundings<'_>) -> (Result<A, Refused>, Change),
    ) -> Result<A, Refused> {
        let Some(group) = live.kind.consumer_mut() else {
            return Err(not_a_consumer_group(&live.id));
        };
        let (outcome, change) = event(group, around);
        self.write_change(live, around.now_ms, Vec::new(), change)?;
        outcome
    }

    /// Converts a classic group to the consumer protocol, if that is allowed, and runs an event in it. If the event
    /// is refused or cannot be written, the group stays as it was. Its offsets are kept.
    fn upgraded<A>(
        &self,
        live: &mut LiveGroup,
        around: Surroundings<'_>,
        event: impl FnOnce(&mut ConsumerGroup, Surroundings<'_>) -> (Result<A, Refused>, Change),
    ) -> Result<A, Refused> {
        let not_possible = || not_a_consumer_group(&live.id);
        let classic = live.kind.classic().ok_or_else(not_possible)?;
        // A group that ever had a member has a classic record: it needs a tombstone, or Apache Kafka would find
        // records of both kinds.
        let has_record = live.kept || !classic.is_untouched();
        let (mut group, of_members) = if live.kind.is_empty() {
            (ConsumerGroup::new(&live.id), Vec::new())
        } else {
            ConsumerGroup::of_classic(&live.id, classic, around).ok_or_else(not_possible)?
        };
        let (outcome, change) = event(&mut group, around);
        let outcome = outcome?;
        let key = StoredKey::Group {
            group: live.id.clone(),
        };
        let mut records: Vec<KeyValue> = Vec::from_iter(has_record.then(|| (key.encode(), None)));
        records.extend(of_members.iter().map(|record| record.encode(&live.id)));
        let former = std::mem::replace(&mut live.kind, GroupKind::Consumer(Box::new(group)));
        if let Err(refused) = self.write_change(live, around.now_ms, records, change) {
            live.kind = former;
            return Err(refused);
        }
        if let GroupKind::Classic(mut former) = former {
            live.carry_out(&self.writer, around.now_ms, former.give_up());
        }
        Ok(outcome)
    }

    /// Handles a JoinGroup to a group of the consumer protocol.
    pub(super) fn join_consumer_group(
        &self,
        live: &mut LiveGroup,
        now_ms: i64,
        request: &JoinGroup,
    ) -> JoinAnswer {
        let settings = self.consumer_settings(&live.id);
        let around = self.surroundings(now_ms, &settings);
        let outcome = self.in_consumer_group(live, around, |group, around| {
            let (answer, change) = group.join_classic(around, request);
            (Ok(answer), change)
        });
        outcome.unwrap_or_else(|(error, _)| JoinAnswer::refused(request.member_id.clone(), error))
    }

    /// The answer to a SyncGroup; `None` in a group of the classic protocol.
    pub(super) fn sync_consumer_group(
        &self,
        live: &mut LiveGroup,
        now_ms: i64,
        request: &SyncGroup,
    ) -> Option<SyncAnswer> {
        let settings = self.consumer_settings(&live.id);
        let around = self.surroundings(now_ms, &settings);
        let group = live.kind.consumer_mut()?;
        Some(group.sync_classic(around, request))
    }

    /// The answer to a Heartbeat of the classic protocol; `None` in a group of that protocol.
    pub(super) fn heartbeat_consumer_group(
        &self,
        live: &mut LiveGroup,
        now_ms: i64,
        member: &MemberIdentity,
    ) -> Option<Result<(), ResponseError>> {
        let settings = self.consumer_settings(&live.id);
        let around = self.surroundings(now_ms, &settings);
        live.kind.consumer()?;
        let outcome = self.in_consumer_group(live, around, |group, around| {
            let (outcome, change) = group.heartbeat_classic(around, member);
            (Ok(outcome), change)
        });
        Some(outcome.unwrap_or_else(|(error, _)| Err(error)))
    }

    /// Writes `records` and the changes of an event, all or nothing; if that fails, the event is undone.
    fn write_change(
        &self,
        live: &mut LiveGroup,
        now_ms: i64,
        mut records: Vec<KeyValue>,
        mut change: Change,
    ) -> Result<(), Refused> {
        let downgrade = change.downgrade.take();
        let changed = change.records.iter();
        records.extend(changed.map(|record| record.encode(&live.id)));
        if let Some(downgrade) = &downgrade {
            let key = StoredKey::Group {
                group: live.id.clone(),
            };
            records.push((key.encode(), Some(downgrade.group.encode())));
        }
        if records.is_empty() {
            return Ok(());
        }
        match self.writer.append_encoded(&live.id, now_ms, &records) {
            Ok(_) => live.kept = true,
            Err(error) => {
                if let Some(group) = live.kind.consumer_mut() {
                    group.undo(change);
                }
                return Err((error, String::new()));
            }
        }
        if let Some(downgrade) = downgrade {
            let group = ClassicGroup::restored(self.limits(), now_ms, &downgrade.group);
            live.kind = GroupKind::Classic(Box::new(group));
            if downgrade.rebalances {
                live.handle(&self.writer, now_ms, GroupEvent::Rebalance);
            }
        }
        Ok(())
    }

    /// Handles all deadlines of a group of the consumer protocol that have passed.
    pub(super) fn consumer_deadlines_passed(&self, live: &mut LiveGroup, now_ms: i64) {
        /// The pause after a write that failed.
        const PAUSE_MS: i64 = 1000;
        let settings = self.consumer_settings(&live.id);
        let around = self.surroundings(now_ms, &settings);
        while let Some(group) = live.kind.consumer_mut()
            && group.next_deadline_ms().is_some_and(|at_ms| at_ms <= now_ms)
        {
            let change = group.deadlines_passed(around);
            if self.write_change(live, now_ms, Vec::new(), change).is_err() {
                if let Some(group) = live.kind.consumer_mut() {
                    group.postpone(now_ms, PAUSE_MS);
                }
                return;
            }
        }
    }

    /// The description of a group, or why there is none.
    pub fn describe_consumer_group(
        &self,
        group: &str,
        now_ms: i64,
    ) -> Result<ConsumerGroupDescription, Refused> {
        self.check_consumer_protocol()?;
        self.check_owner(group).map_err(|error| (error, String::new()))?;
        let settings = self.consumer_settings(group);
        let around = self.surroundings(now_ms, &settings);
        let describe = |live: &mut LiveGroup| match live.kind.consumer() {
            Some(group) => Ok(description(group, around)),
            None => Err(not_a_consumer_group(&live.id)),
        };
        let absent = || {
            (
                ResponseError::GroupIdNotFound,
                format!("Group {group} not found."),
            )
        };
        self.enter(group, describe).unwrap_or_else(|| Err(absent()))
    }

    /// Whether offsets may be fetched for this member; always in groups of other protocols.
    pub fn check_offset_fetch(
        &self,
        group: &str,
        member_id: Option<&str>,
        epoch: i32,
    ) -> Result<(), ResponseError> {
        self.check_owner(group)?;
        let check = |live: &mut LiveGroup| match live.kind.consumer() {
            Some(group) => group.check_offset_fetch(member_id, epoch),
            None => Ok(()),
        };
        self.enter(group, check).unwrap_or(Ok(()))
    }

    pub(super) fn surroundings<'a>(
        &'a self,
        now_ms: i64,
        settings: &'a ConsumerGroupSettings,
    ) -> Surroundings<'a> {
        Surroundings {
            now_ms,
            settings,
            catalog: self.environment(),
        }
    }

    /// The settings of one group: its own configs before the broker's.
    pub(super) fn consumer_settings(&self, group: &str) -> ConsumerGroupSettings {
        let mut settings = self.config().consumer.clone();
        let own = |name: &str, into: &mut i32| {
            let value = self.environment().group_config(group, name);
            if let Some(value) = value.and_then(|value| value.trim().parse().ok()) {
                *into = value;
            }
        };
        own("consumer.session.timeout.ms", &mut settings.session_timeout_ms);
        own(
            "consumer.heartbeat.interval.ms",
            &mut settings.heartbeat_interval_ms,
        );
        own(
            "consumer.assignment.interval.ms",
            &mut settings.assignment_interval_ms,
        );
        settings
    }
}

fn not_a_consumer_group(id: &str) -> Refused {
    let message = format!("Group {id} is not a consumer group.");
    (ResponseError::GroupIdNotFound, message)
}

fn description(group: &ConsumerGroup, around: Surroundings<'_>) -> ConsumerGroupDescription {
    let members: Vec<_> = group
        .members()
        .map(|(id, member)| (id.to_owned(), member.clone(), (*group.target(id)).clone()))
        .collect();
    let topics = members.iter().flat_map(|(_, member, target)| {
        let held = member.current.held().map(|(topic, _, _)| topic);
        held.chain(target.keys().copied())
    });
    ConsumerGroupDescription {
        state: group.state().name(),
        epoch: group.epoch(),
        target_epoch: group.target_epoch(),
        assignor: group.preferred_assignor(&around.settings.assignors).name(),
        topic_names: topics
            .filter_map(|topic| Some((topic, around.catalog.topic_name(topic)?)))
            .collect(),
        members,
    }
}
