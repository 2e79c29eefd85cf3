//! What a member commits: the offsets of records that the visitor took, and a first offset where it took none.

use std::collections::HashMap;
use std::time::Duration;

use rdkafka::consumer::Consumer as _;
use rdkafka::topic_partition_list::{Offset as KafkaOffset, TopicPartitionList};

use super::consumer::{BEGINNING, Consumer, names};
use crate::client::record_source::{Position, RecordSource as _};
use crate::topic_partition::Offset;

/// How long to wait for the coordinator's answer to the group's committed offsets.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(2);

impl Consumer {
    /// Stores the taken offsets for the next automatic commit, each with the leader epoch of the last record read, and
    /// `offsets` of partitions without a taken record.
    pub(super) fn store(&self, mut offsets: HashMap<(String, i32), Offset>) {
        let Ok(list) = self.member.position() else {
            return;
        };
        offsets.extend(self.queues.iter().filter_map(|queue| {
            let place = (queue.topic.clone(), queue.partition);
            Some((place, queue.next?))
        }));
        for mut element in list.elements() {
            let place = (element.topic().to_owned(), element.partition());
            let offset = offsets.get(&place);
            let offset = offset.map_or(KafkaOffset::Invalid, |offset| KafkaOffset::Offset(*offset));
            let _ = element.set_offset(offset);
        }
        // A partition that was revoked meanwhile is refused, which is right: its new owner commits it.
        let _ = self.member.store_offsets(&list);
    }

    /// Commits the position of partitions without a taken record, as Java's consumer does: otherwise a later run that
    /// begins at the end would skip their records. Unknown positions are left uncommitted.
    pub(super) fn commit_untouched(&mut self) {
        if !self.from_beginning {
            return;
        }
        let untouched = self.queues.iter().filter(|queue| queue.next.is_none());
        let mut places: Vec<(String, i32)> = untouched
            .map(|queue| (queue.topic.clone(), queue.partition))
            .collect();
        let Some(committed) = self.committed(&places) else {
            return;
        };
        places.retain(|place| committed.get(place).is_some_and(Option::is_none));
        let questions: Vec<(&str, i32, Position)> = places
            .iter()
            .map(|(topic, partition)| (topic.as_str(), *partition, Position::Beginning))
            .collect();
        if !questions.is_empty()
            && let Ok(offsets) = self.questions.offsets(&questions, COMMITTED_TIMEOUT)
        {
            self.store(places.into_iter().zip(offsets).collect());
        }
    }

    /// The group's committed offsets of these partitions; the inner `None` is no commit.
    fn committed(&self, places: &[(String, i32)]) -> Option<HashMap<(String, i32), Option<Offset>>> {
        if places.is_empty() {
            return Some(HashMap::new());
        }
        let mut list = TopicPartitionList::with_capacity(places.len());
        for (topic, partition) in places {
            list.add_partition(topic, *partition);
        }
        let answer = self.member.committed_offsets(list, COMMITTED_TIMEOUT).ok()?;
        let elements = answer.elements();
        let answered = elements.iter().filter(|element| element.error().is_ok());
        let entries = answered.map(|element| {
            let place = (element.topic().to_owned(), element.partition());
            let offset = match element.offset() {
                KafkaOffset::Offset(offset) => Some(offset),
                _ => None,
            };
            (place, offset)
        });
        Some(entries.collect())
    }

    /// Finds the positions of partitions from which no record has been read yet.
    pub(super) fn find_positions(&mut self) {
        let mut places = names(self.member.assignment());
        places.retain(|(topic, partition)| !self.reading.has(topic, *partition));
        // The coordinator may be the silent broker: then the positions stay unknown.
        let committed = self.committed(&places).unwrap_or_default();
        for (topic, partition) in places {
            let next = match committed.get(&(topic.clone(), partition)).copied().flatten() {
                Some(offset) => offset,
                None if self.from_beginning => BEGINNING,
                None => continue,
            };
            self.reading.begin(&topic, partition, next);
        }
    }
}
