//! A client that commits ever larger offsets in a group, and looks at what the group has.

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{GroupId, OffsetCommitRequest, OffsetFetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::Shared;
use super::link::{Link, check};

fn group() -> GroupId {
    GroupId(StrBytes::from_static_str("torture-commits"))
}

fn topic() -> TopicName {
    TopicName(StrBytes::from_static_str("numbers"))
}

/// Commits until the storms are over; how often.
pub(super) fn run(shared: &Shared) -> u64 {
    let mut link = Link::new(shared);
    let mut offset = 0;
    while !shared.is_over() {
        offset += 1;
        if let Err(error) = commit(&mut link, offset as i64) {
            shared.broke(format!("the commit of {offset}: {error}"));
        }
        match committed(&mut link) {
            Ok(found) if found == offset as i64 => {}
            found => shared.broke(format!("{offset} was committed, and {found:?} is there")),
        }
    }
    offset
}

fn commit(link: &mut Link, offset: i64) -> Result<(), kafka_protocol::ResponseError> {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(0)
        .with_committed_offset(offset);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(topic())
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(group())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    link.ask(&request, 7, |response| {
        check(response.topics[0].partitions[0].error_code)
    })
}

fn committed(link: &mut Link) -> Result<i64, kafka_protocol::ResponseError> {
    let topic = OffsetFetchRequestTopic::default()
        .with_name(topic())
        .with_partition_indexes(vec![0]);
    let request = OffsetFetchRequest::default()
        .with_group_id(group())
        .with_topics(Some(vec![topic]));
    link.ask(&request, 6, |response| {
        check(response.error_code)?;
        let partition = &response.topics[0].partitions[0];
        check(partition.error_code).map(|()| partition.committed_offset)
    })
}
