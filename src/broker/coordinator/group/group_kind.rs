//! The kinds of groups, and what all kinds have in common.

use super::classic_group::ClassicGroup;
use super::consumer_group::{ConsumerGroup, ConsumerGroupState};
use super::group_state::GroupState;
use super::share_group::{ShareGroup, ShareGroupState};
use super::subscription;

/// One group, by the protocol of its members.
#[derive(Debug)]
pub(super) enum GroupKind {
    /// Members assign among themselves (JoinGroup, SyncGroup); also a group with commits only.
    Classic(Box<ClassicGroup>),
    /// The coordinator assigns (KIP-848).
    Consumer(Box<ConsumerGroup>),
    /// Members may share a partition (KIP-932).
    Share(Box<ShareGroup>),
}

/// The type of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupType {
    Classic,
    Consumer,
    Share,
}

impl GroupType {
    /// Kafka's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            GroupType::Classic => "classic",
            GroupType::Consumer => "consumer",
            GroupType::Share => "share",
        }
    }
}

impl GroupKind {
    pub(super) fn group_type(&self) -> GroupType {
        match self {
            GroupKind::Classic(_) => GroupType::Classic,
            GroupKind::Consumer(_) => GroupType::Consumer,
            GroupKind::Share(_) => GroupType::Share,
        }
    }

    pub(super) fn classic(&self) -> Option<&ClassicGroup> {
        match self {
            GroupKind::Classic(group) => Some(group),
            GroupKind::Consumer(_) | GroupKind::Share(_) => None,
        }
    }

    pub(super) fn classic_mut(&mut self) -> Option<&mut ClassicGroup> {
        match self {
            GroupKind::Classic(group) => Some(group),
            GroupKind::Consumer(_) | GroupKind::Share(_) => None,
        }
    }

    pub(super) fn consumer(&self) -> Option<&ConsumerGroup> {
        match self {
            GroupKind::Classic(_) | GroupKind::Share(_) => None,
            GroupKind::Consumer(group) => Some(group),
        }
    }

    pub(super) fn consumer_mut(&mut self) -> Option<&mut ConsumerGroup> {
        match self {
            GroupKind::Classic(_) | GroupKind::Share(_) => None,
            GroupKind::Consumer(group) => Some(group),
        }
    }

    pub(super) fn share(&self) -> Option<&ShareGroup> {
        match self {
            GroupKind::Share(group) => Some(group),
            GroupKind::Classic(_) | GroupKind::Consumer(_) => None,
        }
    }

    pub(super) fn share_mut(&mut self) -> Option<&mut ShareGroup> {
        match self {
            GroupKind::Share(group) => Some(group),
            GroupKind::Classic(_) | GroupKind::Consumer(_) => None,
        }
    }

    /// Kafka's name of the group's state.
    pub(super) fn state_name(&self) -> &'static str {
        match self {
            GroupKind::Classic(group) => group.state().name(),
            GroupKind::Consumer(group) => group.state().name(),
            GroupKind::Share(group) => group.state().name(),
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        match self {
            GroupKind::Classic(group) => group.state() == GroupState::Dead,
            GroupKind::Consumer(group) => group.state() == ConsumerGroupState::Dead,
            GroupKind::Share(group) => group.state() == ShareGroupState::Dead,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            GroupKind::Classic(group) => group.state() == GroupState::Empty,
            GroupKind::Consumer(group) => group.state() == ConsumerGroupState::Empty,
            GroupKind::Share(group) => group.state() == ShareGroupState::Empty,
        }
    }

    /// Whether nothing is lost without the group: it has no member, expects none, and never had one.
    pub(super) fn is_untouched(&self) -> bool {
        match self {
            GroupKind::Classic(group) => group.is_untouched(),
            GroupKind::Consumer(group) => group.is_untouched(),
            GroupKind::Share(group) => group.is_untouched(),
        }
    }

    /// `consumer`, `connect` …; empty for a group with commits only.
    pub(super) fn protocol_type(&self) -> &str {
        match self {
            GroupKind::Classic(group) => group.protocol_type().unwrap_or_default(),
            GroupKind::Consumer(_) => subscription::CONSUMER,
            GroupKind::Share(_) => GroupType::Share.name(),
        }
    }

    /// The earliest deadline; `None` if there is none.
    pub(super) fn next_deadline_ms(&self) -> Option<i64> {
        match self {
            GroupKind::Classic(group) => group.next_deadline_ms(),
            GroupKind::Consumer(group) => group.next_deadline_ms(),
            GroupKind::Share(group) => group.next_deadline_ms(),
        }
    }

    /// Marks the group, which must be empty, as deleted.
    pub(super) fn die(&mut self) {
        match self {
            // It is empty, so that it can be deleted.
            GroupKind::Classic(group) => drop(group.delete()),
            GroupKind::Consumer(group) => group.die(),
            GroupKind::Share(group) => group.die(),
        }
    }
}
