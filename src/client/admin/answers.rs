//! Which answers mean "ask elsewhere" or "ask again": the broker is not the controller, not the coordinator, or
//! not ready to be it yet. Every message has its error codes in another place; they are collected here.

use std::any::Any;

use kafka_protocol::messages as m;

use crate::wire::error_codes::{
    COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_CONTROLLER, NOT_COORDINATOR,
};
use crate::wire::share_group_offsets::ShareGroupOffsets;

/// Whether the broker asked is not, or no longer, the controller.
pub(super) fn not_controller(response: &dyn Any) -> Option<i16> {
    error_codes(response)
        .into_iter()
        .find(|code| *code == NOT_CONTROLLER)
}

/// Whether the broker asked is not, or not yet, the coordinator.
pub(super) fn not_coordinator(response: &dyn Any) -> Option<i16> {
    error_codes(response)
        .into_iter()
        .find(|code| coordinator_moves(*code))
}

/// Whether the code says that the coordinator is being found, moved or loaded.
pub(super) fn coordinator_moves(code: i16) -> bool {
    matches!(
        code,
        COORDINATOR_LOAD_IN_PROGRESS | COORDINATOR_NOT_AVAILABLE | NOT_COORDINATOR
    )
}

fn error_codes(response: &dyn Any) -> Vec<i16> {
    controller_codes(response)
        .or_else(|| coordinator_codes(response))
        .unwrap_or_default()
}

fn controller_codes(response: &dyn Any) -> Option<Vec<i16>> {
    if let Some(answer) = response.downcast_ref::<m::CreateTopicsResponse>() {
        return Some(answer.topics.iter().map(|topic| topic.error_code).collect());
    }
    if let Some(answer) = response.downcast_ref::<m::DeleteTopicsResponse>() {
        return Some(answer.responses.iter().map(|topic| topic.error_code).collect());
    }
    if let Some(answer) = response.downcast_ref::<m::CreatePartitionsResponse>() {
        return Some(answer.results.iter().map(|topic| topic.error_code).collect());
    }
    if let Some(answer) = response.downcast_ref::<m::AlterPartitionReassignmentsResponse>() {
        return Some(vec![answer.error_code]);
    }
    if let Some(answer) = response.downcast_ref::<m::ListPartitionReassignmentsResponse>() {
        return Some(vec![answer.error_code]);
    }
    if let Some(answer) = response.downcast_ref::<m::ElectLeadersResponse>() {
        return Some(vec![answer.error_code]);
    }
    let configs = response.downcast_ref::<m::IncrementalAlterConfigsResponse>()?;
    Some(
        configs
            .responses
            .iter()
            .map(|resource| resource.error_code)
            .collect(),
    )
}

fn coordinator_codes(response: &dyn Any) -> Option<Vec<i16>> {
    if let Some(answer) = response.downcast_ref::<m::DescribeGroupsResponse>() {
        return Some(answer.groups.iter().map(|group| group.error_code).collect());
    }
    if let Some(answer) = response.downcast_ref::<m::ConsumerGroupDescribeResponse>() {
        return Some(answer.groups.iter().map(|group| group.error_code).collect());
    }
    if let Some(answer) = response.downcast_ref::<m::ShareGroupDescribeResponse>() {
        return Some(answer.groups.iter().map(|group| group.error_code).collect());
    }
    if let Some(answer) = response.downcast_ref::<ShareGroupOffsets>() {
        return Some(answer.groups.iter().map(|group| group.error_code).collect());
    }
    if let Some(answer) = response.downcast_ref::<m::AlterShareGroupOffsetsResponse>() {
        return Some(vec![answer.error_code]);
    }
    if let Some(answer) = response.downcast_ref::<m::DeleteShareGroupOffsetsResponse>() {
        return Some(vec![answer.error_code]);
    }
    if let Some(answer) = response.downcast_ref::<m::DeleteGroupsResponse>() {
        return Some(answer.results.iter().map(|group| group.error_code).collect());
    }
    if let Some(answer) = response.downcast_ref::<m::OffsetDeleteResponse>() {
        return Some(vec![answer.error_code]);
    }
    if let Some(answer) = response.downcast_ref::<m::LeaveGroupResponse>() {
        return Some(vec![answer.error_code]);
    }
    if let Some(answer) = response.downcast_ref::<m::ListGroupsResponse>() {
        return Some(vec![answer.error_code]);
    }
    if let Some(answer) = response.downcast_ref::<m::DescribeTransactionsResponse>() {
        let states = answer.transaction_states.iter();
        return Some(states.map(|state| state.error_code).collect());
    }
    if let Some(answer) = response.downcast_ref::<m::OffsetFetchResponse>() {
        let groups = answer.groups.iter().map(|group| group.error_code);
        return Some(groups.chain([answer.error_code]).collect());
    }
    let commit = response.downcast_ref::<m::OffsetCommitResponse>()?;
    let partitions = commit.topics.iter().flat_map(|topic| &topic.partitions);
    Some(partitions.map(|partition| partition.error_code).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::create_topics_response::CreatableTopicResult;

    #[test]
    fn the_code_is_found_wherever_the_message_keeps_it() {
        let topics = [0, NOT_CONTROLLER].map(|code| CreatableTopicResult::default().with_error_code(code));
        let answer = m::CreateTopicsResponse::default().with_topics(topics.to_vec());
        assert_eq!(not_controller(&answer), Some(NOT_CONTROLLER));
        assert_eq!(not_coordinator(&answer), None);
        let answer = m::OffsetFetchResponse::default().with_error_code(NOT_COORDINATOR);
        assert_eq!(not_coordinator(&answer), Some(NOT_COORDINATOR));
        assert_eq!(not_controller(&m::MetadataResponse::default()), None);
    }
}
