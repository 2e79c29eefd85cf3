//! The names of headers in the last records of a topic.

use std::collections::BTreeSet;

use crate::client::admin::AdminClient;
use crate::client::admin::offsets::LATEST;
use crate::error::Result;
use crate::records::batches::Batches;
use crate::topic_partition::TopicPartition;

/// In how many partitions the last batch is read.
const PARTITIONS: usize = 3;
/// The most bytes that a batch may decompress to.
const BATCH_LIMIT: usize = 16 * 1024 * 1024;

/// The names in the last batches of the first partitions.
pub(super) fn of(admin: &mut AdminClient, topic: &str) -> Result<Vec<String>> {
    let Some(described) = admin.topics_named([topic])?.pop() else {
        return Ok(Vec::new());
    };
    let leaders = described.partitions.iter().filter_map(|partition| {
        let of_topic = TopicPartition::new(topic, partition.partition);
        Some((of_topic, partition.leader?))
    });
    let leaders: Vec<_> = leaders.collect();
    let mut seen = BTreeSet::new();
    let mut looked_at = 0;
    for (partition, end) in admin.list_offsets(&leaders, LATEST)? {
        let leader = leaders
            .iter()
            .find(|(other, _)| *other == partition)
            .map(|(_, leader)| *leader);
        let (Some(leader), Ok(end @ 1..)) = (leader, end) else {
            continue;
        };
        if let Ok(Some(bytes)) = admin.fetch_batch(&partition, described.id, leader, end - 1)? {
            collect(&bytes, &mut seen);
            looked_at += 1;
        }
        if looked_at == PARTITIONS {
            break;
        }
    }
    Ok(seen.into_iter().collect())
}

fn collect(bytes: &[u8], seen: &mut BTreeSet<String>) {
    let mut scratch = Vec::new();
    for batch in Batches::new(bytes).map_while(std::result::Result::ok) {
        if batch.header.is_control() {
            continue;
        }
        let Ok(records) = batch.records(&mut scratch, BATCH_LIMIT) else {
            continue;
        };
        for record in records.map_while(std::result::Result::ok) {
            seen.extend(
                record
                    .headers
                    .filter_map(|header| String::from_utf8(header.key.to_vec()).ok()),
            );
        }
    }
}
