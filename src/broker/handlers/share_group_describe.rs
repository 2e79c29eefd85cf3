//! `ShareGroupDescribe`, version 1: share groups (KIP-932) with their epochs, and their members with their
//! assignments.
//!
//! A group of another type is answered as one that does not exist.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ShareGroupDescribe>

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::messages::share_group_describe_response::{
    Assignment, DescribedGroup, Member, TopicPartitions,
};
use kafka_protocol::messages::{ShareGroupDescribeRequest, ShareGroupDescribeResponse};
use uuid::Uuid;

use super::{check_share_groups, text, topic_name};
use crate::broker::access::ResourceType;
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::share_group::member::ShareMember;
use crate::broker::coordinator::group::{SHARE_ASSIGNOR, ShareGroupDescription};
use crate::broker::node::Node;
use crate::broker::rights::Rights;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ShareGroupDescribeRequest,
) -> ShareGroupDescribeResponse {
    let asked = request.include_authorized_operations;
    let image = node.cluster.image();
    let rights = Rights::of(node, &image, context);
    let groups = request.group_ids.into_iter().map(|id| {
        let allowed = check_share_groups(node).map_err(|error| (error, String::new()));
        let described = allowed.and_then(|()| node.groups.describe_share_group(&id));
        let group = DescribedGroup::default().with_group_id(id);
        match described {
            Ok(description) => {
                let operations = rights.operations(asked, ResourceType::Group, &group.group_id);
                describe(group, &description).with_authorized_operations(operations)
            }
            Err((error, message)) => group
                .with_error_code(error.code())
                .with_error_message((!message.is_empty()).then(|| text(message))),
        }
    });
    ShareGroupDescribeResponse::default().with_groups(groups.collect())
}

fn describe(group: DescribedGroup, description: &ShareGroupDescription) -> DescribedGroup {
    let names = &description.topic_names;
    let members = description.members.iter();
    let members = members.map(|(id, member)| describe_member(id, member, names));
    group
        .with_group_state(text(description.state))
        .with_group_epoch(description.epoch)
        .with_assignment_epoch(description.target_epoch)
        .with_assignor_name(text(SHARE_ASSIGNOR))
        .with_members(members.collect())
}

/// Partitions of topics that do not exist any more are left out.
fn describe_member(id: &str, member: &ShareMember, names: &BTreeMap<Uuid, String>) -> Member {
    let assigned = member.current.assigned.iter().filter_map(|(topic, partitions)| {
        let topic = TopicPartitions::default()
            .with_topic_id(*topic)
            .with_topic_name(topic_name(names.get(topic)?))
            .with_partitions(partitions.iter().copied().collect());
        Some(topic)
    });
    let metadata = &member.metadata;
    let topics = metadata.topics.iter().map(|name| topic_name(name));
    Member::default()
        .with_member_id(text(id))
        .with_rack_id(metadata.rack_id.clone().map(text))
        .with_member_epoch(member.current.epoch)
        .with_client_id(text(metadata.client_id.clone()))
        .with_client_host(text(metadata.client_host.clone()))
        .with_subscribed_topic_names(topics.collect())
        .with_assignment(Assignment::default().with_topic_partitions(assigned.collect()))
}
