//! A group with members changes its protocol: a classic group when its first member of the consumer protocol joins,
//! and back when the last of those has gone (`group.consumer.migration.policy`).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::classic_members::named;
use super::group::{ConsumerGroup, Step, Surroundings};
use super::member::{ClassicMember, CurrentAssignment, MemberMetadata, MemberState};
use super::record::{GroupEpoch, GroupRecord, TargetEpoch};
use crate::broker::coordinator::group::assignor::TopicPartitions;
use crate::broker::coordinator::group::classic_group::ClassicGroup;
use crate::broker::coordinator::group::consumer_protocol::{
    read_assignment, read_subscription, write_assignment,
};
use crate::broker::coordinator::group::member::Member;
use crate::broker::coordinator::group::stored_records::{StoredGroup, StoredMember};
use crate::broker::coordinator::group::subscription::CONSUMER;

/// In which direction a group with members may change its protocol; the names are those of the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationPolicy {
    /// From the classic protocol to the consumer protocol.
    pub upgrade: bool,
    pub downgrade: bool,
}

impl MigrationPolicy {
    /// The policy of this name; Kafka's default for an unknown name.
    pub fn named(name: &str) -> Self {
        let (upgrade, downgrade) = match name.trim().to_ascii_lowercase().as_str() {
            "disabled" => (false, false),
            "upgrade" => (true, false),
            "downgrade" => (false, true),
            _ => (true, true),
        };
        Self { upgrade, downgrade }
    }
}

/// The classic group that a group of the consumer protocol becomes.
#[derive(Clone, Debug)]
pub struct Downgrade {
    pub group: StoredGroup,
    /// Whether its members have to join again.
    pub rebalances: bool,
}

impl ConsumerGroup {
    /// Converts a classic group, and returns the records for that; `None` if it is not allowed or not possible.
    pub fn of_classic(
        id: &str,
        classic: &ClassicGroup,
        around: Surroundings<'_>,
    ) -> Option<(Self, Vec<GroupRecord>)> {
        let settings = around.settings;
        if !settings.migration.upgrade
            || classic.protocol_type() != Some(CONSUMER)
            || classic.members().len() > settings.max_size
        {
            return None;
        }
        let epoch = classic.generation();
        let mut group = Self::new(id);
        let mut records = Vec::new();
        let mut targets: BTreeMap<String, TopicPartitions> = BTreeMap::new();
        for member in classic.members() {
            let (metadata, target) = converted(member, around)?;
            records.push(GroupRecord::Member(member.id.clone(), Some(metadata)));
            targets.insert(member.id.clone(), target);
        }
        for record in &records {
            group.apply(record);
        }
        let metadata_hash = group.hash_of_topics(around.catalog);
        records.push(GroupRecord::Epoch(Some(GroupEpoch { epoch, metadata_hash })));
        let of_targets = targets.iter();
        records.extend(of_targets.map(|(id, target)| GroupRecord::Target(id.clone(), Some(target.clone()))));
        records.push(GroupRecord::TargetEpoch(Some(TargetEpoch { epoch, at_ms: 0 })));
        records.extend(targets.into_iter().map(|(id, target)| {
            let with_epochs =
                |partitions: BTreeSet<i32>| partitions.into_iter().map(|partition| (partition, epoch));
            let assigned = target
                .into_iter()
                .map(|(topic, partitions)| (topic, with_epochs(partitions).collect()));
            let current = CurrentAssignment {
                epoch,
                previous_epoch: epoch,
                state: MemberState::Stable,
                assigned: assigned.collect(),
                ..CurrentAssignment::default()
            };
            GroupRecord::Current(id, Some(current))
        }));
        for record in &records {
            group.apply(record);
        }
        group.start_timers(around);
        Some((group, records))
    }

    /// Converts the group to a classic one after the last member of the consumer protocol has gone, if that is
    /// allowed.
    pub(super) fn downgrade_if_all_are_classic(&mut self, step: &mut Step<'_>, rebalances: bool) -> bool {
        let settings = step.around.settings;
        let may = settings.migration.downgrade && self.members.len() <= settings.classic_max_size;
        let is_classic = self
            .members
            .values()
            .all(|member| member.metadata.classic.is_some());
        if !may || !is_classic || self.members.is_empty() {
            return false;
        }
        let group = self.as_classic(step.around);
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in &ids {
            self.write(step, GroupRecord::Current(id.clone(), None));
        }
        for id in &ids {
            self.write(step, GroupRecord::Target(id.clone(), None));
        }
        self.write(step, GroupRecord::TargetEpoch(None));
        for id in &ids {
            self.write(step, GroupRecord::Member(id.clone(), None));
        }
        for regex in self.regexes.keys().cloned().collect::<Vec<_>>() {
            self.write(step, GroupRecord::Regex(regex, None));
        }
        self.write(step, GroupRecord::NoPartitionMetadata);
        self.write(step, GroupRecord::Epoch(None));
        step.downgrade = Some(Downgrade { group, rebalances });
        true
    }

    fn as_classic(&self, around: Surroundings<'_>) -> StoredGroup {
        let protocol = self.common_protocol();
        let members = self.members.iter().filter_map(|(id, member)| {
            let metadata = &member.metadata;
            let classic = metadata.classic.as_ref()?;
            let subscription = subscription_for(classic, protocol.as_deref());
            let version = read_subscription(&subscription).map_or(0, |subscription| subscription.version);
            Some(StoredMember {
                id: id.clone(),
                group_instance_id: metadata.instance_id.clone(),
                client_id: metadata.client_id.clone(),
                client_host: metadata.client_host.clone(),
                rebalance_timeout_ms: metadata.rebalance_timeout_ms,
                session_timeout_ms: classic.session_timeout_ms,
                subscription,
                assignment: write_assignment(version, named(around, &self.target(id))),
            })
        });
        let members: Vec<StoredMember> = members.collect();
        StoredGroup {
            protocol_type: CONSUMER.to_owned(),
            generation: self.epoch.epoch,
            protocol_name: protocol,
            leader: members.first().map(|member| member.id.clone()),
            state_since_ms: around.now_ms,
            members,
        }
    }

    /// The first protocol of a member that all members of the classic protocol support.
    fn common_protocol(&self) -> Option<String> {
        let mut classic = self
            .members
            .values()
            .filter_map(|member| member.metadata.classic.as_ref());
        let first = classic.next()?;
        let others: Vec<&ClassicMember> = classic.collect();
        let speaks =
            |other: &&ClassicMember, name: &str| other.protocols.iter().any(|(known, _)| known == name);
        let mut names = first.protocols.iter().map(|(name, _)| name);
        names
            .find(|name| others.iter().all(|other| speaks(other, name)))
            .cloned()
    }
}

fn subscription_for(classic: &ClassicMember, protocol: Option<&str>) -> Bytes {
    let mut offered = classic.protocols.iter();
    let found = offered.find(|(name, _)| Some(name.as_str()) == protocol);
    found.map(|(_, metadata)| metadata.clone()).unwrap_or_default()
}

/// A classic member as one of the consumer protocol, and the partitions it owns.
fn converted(member: &Member, around: Surroundings<'_>) -> Option<(MemberMetadata, TopicPartitions)> {
    let subscription = read_subscription(&member.protocols.first()?.metadata)?;
    let assigned = read_assignment(&member.assignment)?;
    let metadata = MemberMetadata {
        instance_id: member.group_instance_id.clone(),
        rack_id: subscription.rack,
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        topics: subscription.topics,
        regex: String::new(),
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        assignor: None,
        classic: Some(ClassicMember {
            session_timeout_ms: member.session_timeout_ms,
            protocols: member
                .protocols
                .iter()
                .map(|protocol| (protocol.name.clone(), protocol.metadata.clone()))
                .collect(),
        }),
    };
    let assigned = assigned.into_iter().filter_map(|(name, partitions)| {
        let topic = around.catalog.topic(&name)?;
        Some((topic.id, partitions.into_iter().collect()))
    });
    Some((metadata, assigned.collect()))
}
