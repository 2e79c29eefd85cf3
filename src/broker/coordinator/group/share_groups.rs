//! The coordinator's side of share groups (KIP-932): finding or creating the group of a heartbeat, writing its
//! changes, creating and deleting share states, and describing it. The rules of a group are in `share_group/`.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::super::log::KeyValue;
use super::consumer_group::group::Refused;
use super::consumer_group::member::JOIN_EPOCH;
use super::coordinator::GroupCoordinator;
use super::group_kind::GroupKind;
use super::live_group::LiveGroup;
use super::share_group::heartbeat::{LEAVE_EPOCH, check_shape};
use super::share_group::initialization::TopicState;
use super::share_group::member::ShareMember;
use super::share_group::{
    ShareChange, ShareGroup, ShareGroupSettings, ShareHeartbeat, ShareHeartbeatAnswer, ShareSurroundings,
};
use crate::broker::coordinator::share::StateKey;

/// The assignor of every share group.
pub const SHARE_ASSIGNOR: &str = "simple";

/// The description of a share group.
#[derive(Clone, Debug)]
pub struct ShareGroupDescription {
    pub state: &'static str,
    pub epoch: i32,
    pub target_epoch: i32,
    /// By member id.
    pub members: Vec<(String, ShareMember)>,
    /// The names of the topics in the assignments; topics that do not exist any more are missing.
    pub topic_names: BTreeMap<Uuid, String>,
}

/// The outcome of a heartbeat.
#[derive(Clone, Debug)]
pub struct ShareBeat {
    pub answer: ShareHeartbeatAnswer,
    pub to_make: StatesToMake,
}

/// Partitions that a group has recorded as initializing.
///
/// Two steps follow: the states are created ([`GroupCoordinator::make_share_states`]), and then the group may read
/// them ([`GroupCoordinator::share_states_are_kept`]). Each begins once what is before it is on all in-sync replicas:
/// the group's record and the states are in two logs, and one may lose its end while the other keeps it.
#[derive(Clone, Debug, Default)]
pub struct StatesToMake {
    /// The epoch of the group: a state refuses a smaller one than it has.
    epoch: i32,
    pub topics: BTreeMap<Uuid, TopicState>,
}

impl From<ShareHeartbeatAnswer> for ShareBeat {
    fn from(answer: ShareHeartbeatAnswer) -> Self {
        let to_make = StatesToMake::default();
        Self { answer, to_make }
    }
}

impl GroupCoordinator {
    /// Handles a heartbeat of a member of a share group.
    pub fn share_heartbeat(
        &self,
        group: &str,
        now_ms: i64,
        request: &ShareHeartbeat,
    ) -> Result<ShareBeat, Refused> {
        check_shape(group, request)?;
        self.check_owner(group).map_err(|error| (error, String::new()))?;
        let settings = self.share_settings(group);
        let around = self.share_surroundings(now_ms, &settings);
        match request.member_epoch {
            LEAVE_EPOCH => self
                .enter(group, |live| {
                    let left = self.share_member_leaves(live, around, &request.member_id);
                    left.map(ShareBeat::from)
                })
                .unwrap_or_else(|| Err(not_found(&format!("Group {group}")))),
            JOIN_EPOCH => self.enter_or_create(group, now_ms, |live| {
                become_share_group(live)?;
                self.share_beat(live, around, request)
            }),
            _ => self
                .enter(group, |live| self.share_beat(live, around, request))
                .unwrap_or_else(|| Err(not_found(&format!("Share group {group}")))),
        }
    }

    fn share_beat(
        &self,
        live: &mut LiveGroup,
        around: ShareSurroundings<'_>,
        request: &ShareHeartbeat,
    ) -> Result<ShareBeat, Refused> {
        let mut to_make = StatesToMake::default();
        let answer = self.in_share_group(live, around, |group, around| {
            let (outcome, mut change) = group.heartbeat(around, request);
            let topics = group.uninitialized(around);
            if outcome.is_ok() && !topics.is_empty() {
                change.append(group.begin_initialization(around, &topics));
                let epoch = group.epoch();
                to_make = StatesToMake { epoch, topics };
            }
            (outcome, change)
        })?;
        Ok(ShareBeat { answer, to_make })
    }

    /// Records that the states of these partitions exist: the group may read them. Returns the answer to the
    /// heartbeat that they were created for.
    pub fn share_states_are_kept(
        &self,
        group: &str,
        now_ms: i64,
        member: &str,
        made: &BTreeMap<Uuid, TopicState>,
    ) -> Result<ShareHeartbeatAnswer, Refused> {
        self.end_share_initialization(group, now_ms, made)?;
        let settings = self.share_settings(group);
        let around = self.share_surroundings(now_ms, &settings);
        let assign = |live: &mut LiveGroup| {
            self.in_share_group(live, around, |group, around| {
                group.assign_initialized(around, member)
            })
        };
        self.enter(group, assign)
            .unwrap_or_else(|| Err(not_found(&format!("Share group {group}"))))
    }

    /// Records that the states of these partitions exist: the group may read them.
    pub fn end_share_initialization(
        &self,
        group: &str,
        now_ms: i64,
        made: &BTreeMap<Uuid, TopicState>,
    ) -> Result<(), Refused> {
        self.check_owner(group).map_err(|error| (error, String::new()))?;
        let settings = self.share_settings(group);
        let around = self.share_surroundings(now_ms, &settings);
        let end = |live: &mut LiveGroup| {
            self.in_share_group(live, around, |group, around| {
                (Ok(()), group.end_initialization(around, made))
            })
        };
        self.enter(group, end)
            .unwrap_or_else(|| Err(not_found(&format!("Share group {group}"))))
    }

    fn share_member_leaves(
        &self,
        live: &mut LiveGroup,
        around: ShareSurroundings<'_>,
        member: &str,
    ) -> Result<ShareHeartbeatAnswer, Refused> {
        let answer = self.in_share_group(live, around, |group, around| group.leave(around, member))?;
        self.share_members_left(live, around.now_ms, &[member.to_owned()]);
        Ok(answer)
    }

    fn share_members_left(&self, live: &LiveGroup, now_ms: i64, members: &[String]) {
        let listener = self.environment().share_listener();
        for member in members {
            listener.member_left(&live.id, member, now_ms);
        }
        if live.kind.is_empty() {
            listener.group_emptied(&live.id);
        }
    }

    /// Runs an event in a share group, and writes its changes; if that fails, the event is undone.
    fn in_share_group<A>(
        &self,
        live: &mut LiveGroup,
        around: ShareSurroundings<'_>,
        event: impl FnOnce(&mut ShareGroup, ShareSurroundings<'_>) -> (Result<A, Refused>, ShareChange),
    ) -> Result<A, Refused> {
        let Some(group) = live.kind.share_mut() else {
            return Err(not_a_share_group(&live.id));
        };
        let (outcome, change) = event(group, around);
        let records: Vec<KeyValue> = change
            .records
            .iter()
            .map(|record| record.encode(&live.id))
            .collect();
        if records.is_empty() {
            return outcome;
        }
        match self.writer.append_encoded(&live.id, around.now_ms, &records) {
            Ok(_) => live.kept = true,
            Err(error) => {
                if let Some(group) = live.kind.share_mut() {
                    group.undo(change);
                }
                return Err((error, String::new()));
            }
        }
        outcome
    }

    /// Creates the states of partitions, as far as they are still initializing. Without `start_offsets` the group's
    /// configs decide where it starts; with them it must be empty.
    ///
    /// # Errors
    ///
    /// A state has a larger epoch of the group, or cannot be written.
    pub fn make_share_states(
        &self,
        group: &str,
        now_ms: i64,
        to_make: &StatesToMake,
        start_offsets: Option<&BTreeMap<(Uuid, i32), i64>>,
    ) -> Result<(), Refused> {
        self.check_owner(group).map_err(|error| (error, String::new()))?;
        let states = self.environment().share_states();
        let make = |live: &mut LiveGroup| {
            let Some(share) = live.kind.share() else {
                return Err(not_a_share_group(&live.id));
            };
            if start_offsets.is_some() {
                check_empty(live)?;
            }
            let initializing = &share.initialization().initializing;
            let is_awaited = |(topic, partition): &(Uuid, i32)| {
                let topic = initializing.get(topic);
                topic.is_some_and(|topic| topic.partitions.contains(partition))
            };
            for (topic, partition) in each(&to_make.topics).filter(is_awaited) {
                let start = start_offsets.and_then(|starts| starts.get(&(topic, partition)).copied());
                let key = StateKey {
                    group: live.id.clone(),
                    topic,
                    partition,
                };
                states.initialize(&key, to_make.epoch, start.unwrap_or(-1), now_ms)?;
            }
            if start_offsets.is_some() {
                self.environment().share_listener().group_emptied(&live.id);
            }
            Ok(())
        };
        self.enter(group, make)
            .unwrap_or_else(|| Err(not_found(&format!("Share group {group}"))))
    }

    /// Removes members whose sessions have timed out.
    pub(super) fn share_deadlines_passed(&self, live: &mut LiveGroup, now_ms: i64) {
        /// The pause after a write that failed.
        const PAUSE_MS: i64 = 1000;
        let Some(group) = live.kind.share() else { return };
        let silent = group.silent_members(now_ms);
        if silent.is_empty() {
            return;
        }
        let settings = self.share_settings(&live.id);
        let around = self.share_surroundings(now_ms, &settings);
        let expelled = self.in_share_group(live, around, |group, around| {
            (Ok(()), group.expel(around, &silent))
        });
        match expelled {
            Ok(()) => self.share_members_left(live, now_ms, &silent),
            Err(_) => {
                if let Some(group) = live.kind.share_mut() {
                    group.postpone(now_ms, PAUSE_MS);
                }
            }
        }
    }

    /// The description of a group, or why there is none.
    pub fn describe_share_group(&self, group: &str) -> Result<ShareGroupDescription, Refused> {
        if group.is_empty() {
            return Err((ResponseError::InvalidGroupId, String::new()));
        }
        self.check_owner(group).map_err(|error| (error, String::new()))?;
        let describe = |live: &mut LiveGroup| match live.kind.share() {
            Some(group) => Ok(self.share_description(group)),
            None => Err(not_a_share_group(&live.id)),
        };
        self.enter(group, describe)
            .unwrap_or_else(|| Err(not_found(&format!("Group {group}"))))
    }

    fn share_description(&self, group: &ShareGroup) -> ShareGroupDescription {
        let members: Vec<_> = group
            .members()
            .map(|(id, member)| (id.to_owned(), member.clone()))
            .collect();
        let topics = members
            .iter()
            .flat_map(|(_, member)| member.current.assigned.keys());
        let topics: BTreeSet<Uuid> = topics.copied().collect();
        let named = |topic: Uuid| Some((topic, self.environment().topic_name(topic)?));
        ShareGroupDescription {
            state: group.state().name(),
            epoch: group.epoch(),
            target_epoch: group.target_epoch(),
            topic_names: topics.into_iter().filter_map(named).collect(),
            members,
        }
    }

    /// Every partition that a share group reads; `None` if the group does not exist.
    pub fn share_partitions(&self, group: &str) -> Option<Vec<(Uuid, i32)>> {
        let partitions = |live: &mut LiveGroup| {
            let group = live.kind.share()?;
            Some(
                group
                    .initialization()
                    .all()
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect(),
            )
        };
        self.enter(group, partitions).flatten()
    }

    /// Begins to reset the start offsets of an empty share group, which is created if it does not exist. Returns the
    /// states to create.
    pub fn begin_share_offsets(
        &self,
        group: &str,
        now_ms: i64,
        topics: &BTreeMap<Uuid, TopicState>,
    ) -> Result<StatesToMake, Refused> {
        self.check_owner(group).map_err(|error| (error, String::new()))?;
        let settings = self.share_settings(group);
        let around = self.share_surroundings(now_ms, &settings);
        self.enter_or_create(group, now_ms, |live| {
            become_share_group(live)?;
            check_empty(live)?;
            if topics.is_empty() {
                return Ok(StatesToMake::default());
            }
            self.in_share_group(live, around, |group, around| {
                let to_make = StatesToMake {
                    epoch: group.epoch(),
                    topics: topics.clone(),
                };
                (Ok(to_make), group.begin_initialization(around, topics))
            })
        })
    }

    /// Removes topics from an empty share group, by id. Returns those that it had.
    pub fn delete_share_offsets(
        &self,
        group: &str,
        now_ms: i64,
        topics: &[Uuid],
    ) -> Result<BTreeSet<Uuid>, Refused> {
        self.check_owner(group).map_err(|error| (error, String::new()))?;
        let delete = |live: &mut LiveGroup| {
            let Some(group) = live.kind.share() else {
                return Err(not_a_share_group(&live.id));
            };
            let known = group.initialization();
            let is_read = |topic: &&Uuid| {
                known.initialized.contains_key(*topic) || known.initializing.contains_key(*topic)
            };
            let read: BTreeSet<Uuid> = topics.iter().filter(is_read).copied().collect();
            check_empty(live)?;
            self.delete_share_topics(live, now_ms, &read)?;
            Ok(read)
        };
        self.enter(group, delete)
            .unwrap_or_else(|| Err(not_found(&format!("Group {group}"))))
    }

    /// Deletes the states of topics, and removes the topics from the group.
    fn delete_share_topics(
        &self,
        live: &mut LiveGroup,
        now_ms: i64,
        topics: &BTreeSet<Uuid>,
    ) -> Result<(), Refused> {
        let Some(group) = live.kind.share() else {
            return Ok(());
        };
        let known = group.initialization();
        let names = topics.iter().filter_map(|id| {
            let topic = known.initialized.get(id).or_else(|| known.initializing.get(id))?;
            Some((*id, topic.name.clone()))
        });
        let names: BTreeMap<Uuid, String> = names.collect();
        if names.is_empty() {
            return Ok(());
        }
        let all: Vec<(Uuid, i32)> = known
            .all()
            .filter(|(topic, _)| names.contains_key(topic))
            .collect();
        let settings = self.share_settings(&live.id);
        let around = self.share_surroundings(now_ms, &settings);
        self.in_share_group(live, around, |group, around| {
            (Ok(()), group.begin_deletion(around, &names))
        })?;
        for (topic, partition) in all {
            let key = StateKey {
                group: live.id.clone(),
                topic,
                partition,
            };
            self.environment().share_states().forget(&key, now_ms)?;
        }
        self.in_share_group(live, around, |group, around| {
            (Ok(()), group.end_deletion(around, &names))
        })
    }

    /// Deletes every state of an empty share group, before the group itself is deleted.
    pub(super) fn delete_share_states(&self, live: &mut LiveGroup, now_ms: i64) -> Result<(), ResponseError> {
        let Some(group) = live.kind.share() else {
            return Ok(());
        };
        group.tombstones()?;
        let topics = group.initialization().all().map(|(topic, _)| topic).collect();
        self.delete_share_topics(live, now_ms, &topics)
            .map_err(|(error, _)| error)?;
        self.environment().share_listener().group_emptied(&live.id);
        Ok(())
    }

    /// Removes a topic that was deleted.
    pub(super) fn forget_share_topic(&self, live: &mut LiveGroup, name: &str, now_ms: i64) {
        let Some(group) = live.kind.share() else { return };
        let known = group.initialization();
        let topics = known.initialized.iter().chain(&known.initializing);
        let gone = topics
            .filter(|(id, topic)| topic.name == name && self.environment().topic_name(**id).is_none())
            .map(|(id, _)| *id)
            .collect();
        // A state that cannot be deleted now stays, and is not used any more.
        let _ = self.delete_share_topics(live, now_ms, &gone);
    }

    pub(super) fn share_surroundings<'a>(
        &'a self,
        now_ms: i64,
        settings: &'a ShareGroupSettings,
    ) -> ShareSurroundings<'a> {
        ShareSurroundings {
            now_ms,
            settings,
            catalog: self.environment(),
        }
    }

    /// The settings of one group: its own configs before the broker's.
    pub(super) fn share_settings(&self, group: &str) -> ShareGroupSettings {
        let mut settings = self.config().share.clone();
        let own = |name: &str, into: &mut i32| {
            let value = self.environment().group_config(group, name);
            if let Some(value) = value.and_then(|value| value.trim().parse().ok()) {
                *into = value;
            }
        };
        own("share.session.timeout.ms", &mut settings.session_timeout_ms);
        own("share.heartbeat.interval.ms", &mut settings.heartbeat_interval_ms);
        own(
            "share.assignment.interval.ms",
            &mut settings.assignment_interval_ms,
        );
        settings
    }
}

/// Turns a group that was created for this request into a share group; any other group must be one.
fn become_share_group(live: &mut LiveGroup) -> Result<(), Refused> {
    if live.is_forgettable() && live.kind.share().is_none() {
        live.kind = GroupKind::Share(Box::new(ShareGroup::new(&live.id)));
    }
    match live.kind.share() {
        Some(_) => Ok(()),
        None => Err(not_a_share_group(&live.id)),
    }
}

fn check_empty(live: &LiveGroup) -> Result<(), Refused> {
    if live.kind.is_empty() {
        return Ok(());
    }
    Err((ResponseError::NonEmptyGroup, "The group is not empty.".to_owned()))
}

fn each(topics: &BTreeMap<Uuid, TopicState>) -> impl Iterator<Item = (Uuid, i32)> + '_ {
    topics
        .iter()
        .flat_map(|(id, topic)| topic.partitions.iter().map(|partition| (*id, *partition)))
}

fn not_found(what: &str) -> Refused {
    (ResponseError::GroupIdNotFound, format!("{what} not found."))
}

fn not_a_share_group(id: &str) -> Refused {
    let message = format!("Group {id} is not a share group.");
    (ResponseError::GroupIdNotFound, message)
}
