//! What a member commits: the records that the visitor took, and a beginning where it took none.

use std::collections::HashMap;
use std::time::Duration;

use rdkafka::consumer::Consumer as _;
use rdkafka::topic_partition_list::{Offset as KafkaOffset, TopicPartitionList};

use super::consumer::{BEGINNING, Consumer, names};
use crate::client::record_source::{Position, RecordSource as _};
use crate::topic_partition::Offset;

/// How long the coordinator is waited for when it is asked what the group has committed.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(2);

impl Consumer {
    /// Notes what was taken for the next automatic commit, each offset with the leader epoch of the record read last, and
    /// offsets of partitions of which nothing was taken.
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
        // A partition that was taken away meanwhile is refused, which is right: its new owner commits it.
        let _ = self.member.store_offsets(&list);
    }

    /// Commits a beginning, as Java's consumer does, in partitions of which nothing was taken: otherwise a next run that
    /// begins at the end would pass over their records. What cannot be found out is left uncommitted.
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

    /// What the group has committed in these partitions; `None` where it has committed nothing.
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

    /// Finds out from where the partitions are read of which nothing came yet.
    pub(super) fn find_positions(&mut self) {
        let mut places = names(self.member.assignment());
        places.retain(|(topic, partition)| !self.reading.has(topic, *partition));
        // The coordinator may be the broker that hangs: then the positions stay unknown.
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
