//! Whether a member may commit or fetch offsets with its epoch.

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::group::ConsumerGroup;
use crate::broker::coordinator::group::events::MemberIdentity;

/// The first version of OffsetCommit whose generation is a member epoch.
const FIRST_VERSION_WITH_EPOCHS: i16 = 9;

impl ConsumerGroup {
    /// Whether this member may commit offsets of these partitions. With an old epoch it may if it has owned the
    /// partition since then (KIP-1251).
    pub fn check_offset_commit(
        &self,
        member_id: &str,
        epoch: i32,
        version: i16,
        mut partitions: impl Iterator<Item = (Uuid, i32)>,
    ) -> Result<(), ResponseError> {
        if epoch < 0 && self.members.is_empty() {
            return Ok(());
        }
        let member = self.member(member_id).ok_or(ResponseError::UnknownMemberId)?;
        let is_classic = member.metadata.classic.is_some();
        if !is_classic && version < FIRST_VERSION_WITH_EPOCHS {
            return Err(ResponseError::UnsupportedVersion);
        }
        let current = &member.current;
        let has_held = |(topic, partition): (Uuid, i32)| {
            current
                .epoch_of(topic, partition)
                .is_some_and(|since| since <= epoch)
        };
        if epoch == current.epoch || (epoch < current.epoch && partitions.all(has_held)) {
            Ok(())
        } else if is_classic {
            Err(ResponseError::IllegalGeneration)
        } else {
            Err(ResponseError::StaleMemberEpoch)
        }
    }

    /// The same for a commit in a transaction (KIP-447); without a member it is not checked.
    pub fn check_transactional_commit(
        &self,
        member: &MemberIdentity,
        partitions: impl Iterator<Item = (Uuid, i32)>,
    ) -> Result<(), ResponseError> {
        if member.generation < 0 && member.member_id.is_empty() && member.group_instance_id.is_none() {
            return Ok(());
        }
        let checked = self.check_offset_commit(&member.member_id, member.generation, i16::MAX, partitions);
        // Producers know only the classic protocol's errors.
        checked.map_err(|error| match error {
            ResponseError::StaleMemberEpoch => ResponseError::IllegalGeneration,
            other => other,
        })
    }

    /// Whether this member may fetch offsets; without a member it is not checked.
    pub fn check_offset_fetch(&self, member_id: Option<&str>, epoch: i32) -> Result<(), ResponseError> {
        let Some(member_id) = member_id else {
            // Apache Kafka fails here as well.
            return if epoch < 0 {
                Ok(())
            } else {
                Err(ResponseError::UnknownServerError)
            };
        };
        let member = self.member(member_id).ok_or(ResponseError::UnknownMemberId)?;
        if epoch == member.current.epoch {
            Ok(())
        } else if member.metadata.classic.is_some() {
            Err(ResponseError::IllegalGeneration)
        } else {
            Err(ResponseError::StaleMemberEpoch)
        }
    }
}
