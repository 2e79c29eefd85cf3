//! DescribeLogDirs, versions 1–4: the one log dir, and how large each partition is in it.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs>

use std::path::PathBuf;
use std::sync::Arc;

use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};

use super::{text, topic_name};
use crate::broker::call::RequestContext;
use crate::broker::cluster::image::TopicImage;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
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
