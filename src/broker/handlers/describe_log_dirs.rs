//! DescribeLogDirs, versions 1–5: every log dir, and the size of each replica in it, also of those that are being
//! moved there.
//!
//! - v5 says whether a log dir is cordoned (KIP-1066), in a field that kafka-protocol lacks.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs>

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};

use super::{text, topic_name};
use crate::broker::call::{Call, decode};
use crate::broker::cluster::image::TopicImage;
use crate::broker::gates::{self, Passage};
use crate::broker::newer_versions::AddedFields;
use crate::broker::node::Node;
use crate::broker::node::log_dir_moves::ShownFuture;
use crate::broker::node::log_dirs::is_cordoned;
use crate::broker::refusal::Refusal;
use crate::broker::response::{self, Answer};
use crate::storage::LogDir;

/// Takes the whole call, to add the field of version 5.
pub fn answer(call: Call) -> Result<Answer, Refusal> {
    let (node, mut context, request) = decode::<DescribeLogDirsRequest>(call)?;
    let (response, newer) = match gates::enter(&node, &mut context, request) {
        Passage::Passed(request, _) => handle(&node, &request),
        Passage::Refused(response) => (response, Vec::new()),
    };
    if context.version < 5 {
        return response::encode::<DescribeLogDirsRequest>(&context, &response);
    }
    let newer = AddedFields {
        bytes: &newer,
        others: None,
    };
    response::encode_newer::<DescribeLogDirsRequest>(&context, &response, newer)
}

/// The answer, and whether each log dir in it is cordoned.
fn handle(node: &Arc<Node>, request: &DescribeLogDirsRequest) -> (DescribeLogDirsResponse, Vec<u8>) {
    let image = node.cluster.image();
    let values = node.broker_values(&image);
    let cordoned = values.value("cordoned.log.dirs").unwrap_or_default();
    let moving = node.replicas.moving();
    let mut newer = Vec::new();
    let results = node.replicas.log_dirs().all().map(|dir| {
        newer.push(u8::from(is_cordoned(dir, cordoned)));
        let topics = image.topics().filter_map(|topic| {
            let wanted: Option<&[i32]> = match &request.topics {
                None => None,
                Some(topics) => {
                    let named = topics.iter().find(|wanted| wanted.topic.as_str() == topic.name)?;
                    Some(&named.partitions)
                }
            };
            Some(
                Described {
                    node,
                    dir,
                    moving: &moving,
                }
                .topic(topic, wanted),
            )
        });
        let topics = topics.filter(|topic| !topic.partitions.is_empty());
        let (total, usable) = disk_space(dir.path());
        DescribeLogDirsResult::default()
            .with_log_dir(text(dir.path().display().to_string()))
            .with_topics(topics.collect())
            .with_total_bytes(total)
            .with_usable_bytes(usable)
    });
    let response = DescribeLogDirsResponse::default().with_results(results.collect());
    (response, newer)
}

/// One log dir of a node.
struct Described<'a> {
    node: &'a Node,
    dir: &'a LogDir,
    moving: &'a [ShownFuture],
}

impl Described<'_> {
    fn topic(&self, topic: &TopicImage, wanted: Option<&[i32]>) -> DescribeLogDirsTopic {
        let replicas = self.node.replicas.of_topic(topic.id);
        let is_wanted = |index: i32| wanted.is_none_or(|wanted| wanted.contains(&index));
        let mut partitions = Vec::new();
        let mut ends = BTreeMap::new();
        for replica in replicas.iter().filter(|replica| is_wanted(replica.index)) {
            let log = replica.log();
            ends.insert(replica.index, log.log_end_offset());
            if self.node.replicas.log_dirs().of(&log).path() == self.dir.path() {
                partitions.push(described(replica.index, log.size(), 0));
            }
        }
        let moving = self.moving.iter().filter(|future| future.topic_id == topic.id);
        for future in moving.filter(|future| future.dir == self.dir.path()) {
            if let Some(end) = ends.get(&future.index) {
                let partition = described(future.index, future.size, end.saturating_sub(future.end));
                partitions.push(partition.with_is_future_key(true));
            }
        }
        DescribeLogDirsTopic::default()
            .with_name(topic_name(&topic.name))
            .with_partitions(partitions)
    }
}

/// `lag` in offsets: of a future log, behind the log that it copies.
fn described(index: i32, size: u64, lag: i64) -> DescribeLogDirsPartition {
    DescribeLogDirsPartition::default()
        .with_partition_index(index)
        .with_partition_size(i64::try_from(size).unwrap_or(i64::MAX))
        .with_offset_lag(lag.max(0))
}

/// The size of the disk and its free space, in bytes; -1 and -1 if unknown.
fn disk_space(path: &std::path::Path) -> (i64, i64) {
    let Ok(disk) = rustix::fs::statvfs(path) else {
        return (-1, -1);
    };
    let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(disk.f_frsize)).unwrap_or(i64::MAX);
    (bytes(disk.f_blocks), bytes(disk.f_bavail))
}
