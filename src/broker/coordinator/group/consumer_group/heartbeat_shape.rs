//! The fields that a heartbeat must have and must not have, in any group: checked before the group is looked up.

use kafka_protocol::ResponseError;

use super::group::Refused;
use super::heartbeat::Heartbeat;
use super::member::{JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH};
use crate::broker::coordinator::group::assignor::Assignor;

/// Refuses an invalid heartbeat. `names_itself`: whether members choose their own ids in this version (KIP-1082).
pub fn check(
    group: &str,
    request: &Heartbeat,
    names_itself: bool,
    assignors: &[Assignor],
) -> Result<(), Refused> {
    let invalid = |message: &str| Err((ResponseError::InvalidRequest, message.to_owned()));
    let joins = request.member_epoch == JOIN_EPOCH;
    let is_of_a_member = request.member_epoch > JOIN_EPOCH || request.member_epoch == LEAVE_EPOCH;
    if request.member_id.is_empty() && (names_itself || is_of_a_member) {
        return invalid("MemberId can't be empty.");
    }
    if group.is_empty() {
        return invalid("GroupId can't be empty.");
    }
    if request.instance_id.as_deref() == Some("") {
        return invalid("InstanceId can't be empty.");
    }
    if request.rack_id.as_deref() == Some("") {
        return invalid("RackId can't be empty.");
    }
    if request.member_epoch < STATIC_LEAVE_EPOCH {
        return invalid("MemberEpoch is invalid.");
    }
    if request.member_epoch == STATIC_LEAVE_EPOCH && request.instance_id.is_none() {
        return invalid("InstanceId can't be null.");
    }
    if joins {
        if request.rebalance_timeout_ms.is_none() {
            return invalid("RebalanceTimeoutMs must be provided in first request.");
        }
        if request.owned.as_ref().is_none_or(|owned| !owned.is_empty()) {
            return invalid("TopicPartitions must be empty when (re-)joining.");
        }
        if request.topics.is_none() && request.regex.is_none() {
            return invalid(
                "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.",
            );
        }
    }
    if let Some(wanted) = &request.assignor
        && !assignors.iter().any(|assignor| assignor.name() == wanted)
    {
        let names: Vec<&str> = assignors.iter().map(|assignor| assignor.name()).collect();
        let message = format!(
            "ServerAssignor {wanted} is not supported. Supported assignors: {}.",
            names.join(", ")
        );
        return Err((ResponseError::UnsupportedAssignor, message));
    }
    Ok(())
}
