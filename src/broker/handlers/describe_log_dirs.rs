//! DescribeLogDirs, versions 1–5: the one log dir, and how large each partition is in it.
//!
//! - v5 says whether the log dir is cordoned; the crate with the messages has no such field yet.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs>

use std::path::PathBuf;
use std::sync::Arc;

use bytes::BufMut;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};

use super::{text, topic_name};
use crate::broker::call::{Call, RequestContext, decode};
use crate::broker::cluster::image::TopicImage;
use crate::broker::gates::{self, Passage};
use crate::broker::node::Node;
use crate::broker::refusal::Refusal;
use crate::broker::response::{self, Answer};

/// Takes the whole call, to add the field of version 5.
pub fn answer(call: Call) -> Result<Answer, Refusal> {
    let (node, mut context, request) = decode::<DescribeLogDirsRequest>(call)?;
    let (request, _) = match gates::enter(&node, &mut context, request) {
        Passage::Passed(request, finish) => (request, finish),
        Passage::Refused(response) => {
            context.version = context.version.min(4);
            return response::encode::<DescribeLogDirsRequest>(&context, &response);
        }
    };
    let response = handle(&node, &context, request);
    let has_cordoned = context.version >= 5;
    context.version = context.version.min(4);
    let mut answer = response::encode::<DescribeLogDirsRequest>(&context, &response)?;
    if has_cordoned && let Answer::Frame(frame) = &mut answer {
        // The field is the last of the one log dir. Behind it are two empty lists of tagged fields: the log dir's and
        // the response's.
        frame.truncate(frame.len().saturating_sub(2));
        frame.put_u8(u8::from(is_cordoned(&node)));
        frame.put_slice(&[0, 0]);
        response::finish_frame(frame, 0)?;
    }
    Ok(answer)
}

/// Whether `cordoned.log.dirs` names the log dir.
fn is_cordoned(node: &Node) -> bool {
    let image = node.cluster.image();
    let cordoned = node
        .broker_values(&image)
        .value("cordoned.log.dirs")
        .unwrap_or_default();
    !cordoned.trim().is_empty()
}

fn handle(node: &Arc<Node>, _: &RequestContext, request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
    let image = node.cluster.image();
    let topics = image.topics().filter_map(|topic| {
        let wanted: Option<&[i32]> = match &request.topics {
            None => None,
            Some(topics) => {
                let named = topics.iter().find(|wanted| wanted.topic.as_str() == topic.name)?;
                Some(&named.partitions)
            }
        };
        Some(describe(node, topic, wanted))
    });
    let path = absolute_log_dir(node);
    let (total, usable) = disk_space(&path);
    DescribeLogDirsResponse::default().with_results(vec![
        DescribeLogDirsResult::default()
            .with_log_dir(text(path.display().to_string()))
            .with_topics(topics.collect())
            .with_total_bytes(total)
            .with_usable_bytes(usable),
    ])
}

/// The absolute path of the log dir, by which clients name it.
pub(super) fn absolute_log_dir(node: &Node) -> PathBuf {
    let dir = &node.config.data_dir;
    std::path::absolute(dir).unwrap_or_else(|_| dir.clone())
}

fn describe(node: &Node, topic: &TopicImage, wanted: Option<&[i32]>) -> DescribeLogDirsTopic {
    let replicas = node.replicas.of_topic(topic.id);
    let replicas = replicas
        .iter()
        .filter(|replica| wanted.is_none_or(|wanted| wanted.contains(&replica.index)));
    let described = replicas.map(|replica| {
        DescribeLogDirsPartition::default()
            .with_partition_index(replica.index)
            .with_partition_size(i64::try_from(replica.log().size()).unwrap_or(i64::MAX))
    });
    DescribeLogDirsTopic::default()
        .with_name(topic_name(&topic.name))
        .with_partitions(described.collect())
}

/// The disk's size and what is left of it, in bytes; -1 and -1 if unknown.
fn disk_space(path: &std::path::Path) -> (i64, i64) {
    let Ok(disk) = rustix::fs::statvfs(path) else {
        return (-1, -1);
    };
    let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(disk.f_frsize)).unwrap_or(i64::MAX);
    (bytes(disk.f_blocks), bytes(disk.f_bavail))
}
