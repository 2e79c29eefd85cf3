//! `ConsumerGroupDescribe`, versions 0–1: groups of the consumer protocol (KIP-848) with their epochs, and their
//! members with current and target assignment.
//!
//! - A group of another type is answered as one that does not exist; an empty name is `INVALID_GROUP_ID`.
//! - v1 says which protocol a member uses (KIP-1099).
//!
//! <https://kafka.apache.org/protocol#The_Messages_ConsumerGroupDescribe>

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::consumer_group_describe_response::{
    Assignment, DescribedGroup, Member, TopicPartitions,
};
use kafka_protocol::messages::{ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse};
use uuid::Uuid;

use super::{text, topic_name};

use crate::broker::access::ResourceType;
use crate::broker::call::RequestContext;
use crate::broker::coordinator::group::ConsumerGroupDescription;
use crate::broker::coordinator::group::assignor;
use crate::broker::coordinator::group::consumer_group::member::ConsumerMember;
use crate::broker::node::Node;
use crate::broker::rights::Rights;
use crate::broker::timers::steady_ms;

/// The member types: classic protocol and consumer protocol.
const CLASSIC: i8 = 0;
const CONSUMER: i8 = 1;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: ConsumerGroupDescribeRequest,
) -> ConsumerGroupDescribeResponse {
    let asked = request.include_authorized_operations;
    let image = node.cluster.image();
    let rights = Rights::of(node, &image, context);
    let groups = request.group_ids.into_iter().map(|id| {
        let described = if id.is_empty() {
            Err((ResponseError::InvalidGroupId, String::new()))
        } else {
            node.groups.describe_consumer_group(&id, steady_ms())
        };
        let group = DescribedGroup::default().with_group_id(id);
        match described {
            Ok(description) => {
                let operations = rights.operations(asked, ResourceType::Group, &group.group_id);
                describe(group, description).with_authorized_operations(operations)
            }
            Err((error, message)) => group
                .with_error_code(error.code())
                .with_error_message((!message.is_empty()).then(|| text(message))),
        }
    });
    ConsumerGroupDescribeResponse::default().with_groups(groups.collect())
}

fn describe(group: DescribedGroup, description: ConsumerGroupDescription) -> DescribedGroup {
    let names = &description.topic_names;
    let members = description
        .members
        .iter()
        .map(|(id, member, target)| describe_member(id, member, target, names));
    group
        .with_group_state(text(description.state))
        .with_group_epoch(description.epoch)
        .with_assignment_epoch(description.target_epoch)
        .with_assignor_name(text(description.assignor))
        .with_members(members.collect())
}

fn describe_member(
    id: &str,
    member: &ConsumerMember,
    target: &assignor::TopicPartitions,
    names: &BTreeMap<Uuid, String>,
) -> Member {
    let mut held = assignor::TopicPartitions::new();
    for (topic, partition, _) in member.current.held() {
        held.entry(topic).or_default().insert(partition);
    }
    let metadata = &member.metadata;
    let topics = metadata.topics.iter().map(|name| topic_name(name));
    Member::default()
        .with_member_id(text(id))
        .with_instance_id(metadata.instance_id.clone().map(text))
        .with_rack_id(metadata.rack_id.clone().map(text))
        .with_member_epoch(member.current.epoch)
        .with_client_id(text(metadata.client_id.clone()))
        .with_client_host(text(metadata.client_host.clone()))
        .with_subscribed_topic_names(topics.collect())
        .with_subscribed_topic_regex(Some(text(metadata.regex.clone())))
        .with_assignment(assignment(&held, names))
        .with_target_assignment(assignment(target, names))
        .with_member_type(if metadata.classic.is_some() {
            CLASSIC
        } else {
            CONSUMER
        })
}

/// Partitions of topics that do not exist any more are left out.
fn assignment(partitions: &assignor::TopicPartitions, names: &BTreeMap<Uuid, String>) -> Assignment {
    let topics = partitions.iter().filter_map(|(topic, partitions)| {
        let name = names.get(topic)?;
        let topic = TopicPartitions::default()
            .with_topic_id(*topic)
            .with_topic_name(topic_name(name))
            .with_partitions(partitions.iter().copied().collect());
        Some(topic)
    });
    Assignment::default().with_topic_partitions(topics.collect())
}
