//! Where reading ends in each partition, by position: control batches, aborted and compacted records count as read.

use crate::client::record_source::ConsumedRecord;
use crate::topic_partition::Offset;

/// The partitions that have an end, and their progress.
#[derive(Clone, Debug, Default)]
pub(super) struct Goals {
    goals: Vec<Goal>,
    /// The goal of the last record; the next one mostly belongs to the same partition.
    last: usize,
}

#[derive(Clone, Debug)]
struct Goal {
    topic: String,
    partition: i32,
    /// The first offset that is not wanted; `None` for the partition's end, until the cluster reports it.
    end: Option<Offset>,
    is_reached: bool,
    is_told: bool,
}

impl Goals {
    /// Ends the reading of a partition before `end`; if `start` is not below it, nothing is read.
    pub(super) fn add(&mut self, topic: &str, partition: i32, start: Offset, end: Offset) -> bool {
        let is_reached = start >= end;
        self.goals.push(Goal {
            topic: topic.to_owned(),
            partition,
            end: Some(end),
            is_reached,
            is_told: is_reached,
        });
        !is_reached
    }

    fn position(&mut self, topic: &str, partition: i32) -> Option<usize> {
        let is_it = |goal: &Goal| goal.partition == partition && goal.topic == topic;
        if self.goals.get(self.last).is_some_and(is_it) {
            return Some(self.last);
        }
        self.last = self.goals.iter().position(is_it)?;
        Some(self.last)
    }

    /// Whether this record is before the end of its partition; notes the progress.
    pub(super) fn wants(&mut self, topic: &str, partition: i32, offset: Offset) -> bool {
        if self.goals.is_empty() {
            return true;
        }
        let Some(position) = self.position(topic, partition) else {
            return true;
        };
        let Some(goal) = self.goals.get_mut(position) else {
            return true;
        };
        let Some(end) = goal.end else {
            return true;
        };
        goal.is_reached |= offset + 1 >= end;
        offset < end
    }

    /// Whether all records of a partition before `next` are wanted.
    pub(super) fn want_all_before(&mut self, topic: &str, partition: i32, next: Offset) -> bool {
        let position = self.position(topic, partition);
        let end = position.and_then(|position| self.goals.get(position)?.end);
        end.is_none_or(|end| next <= end)
    }

    /// Ends the reading of a partition here.
    pub(super) fn stop(&mut self, topic: &str, partition: i32) {
        let position = self.position(topic, partition);
        if let Some(goal) = position.and_then(|position| self.goals.get_mut(position)) {
            goal.is_reached = true;
        }
    }

    /// How many of these records of one partition, from the first on, are before its end; notes the progress.
    pub(super) fn count_wanted(&mut self, records: &[ConsumedRecord<'_>]) -> usize {
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return 0;
        };
        if self.wants(first.topic, first.partition, last.offset) {
            return records.len();
        }
        let end = self.goals.get(self.last).and_then(|goal| goal.end);
        let is_before = |record: &ConsumedRecord<'_>| end.is_none_or(|end| record.offset < end);
        records.partition_point(is_before)
    }

    /// The partition has no more records before `next`.
    pub(super) fn at_end(&mut self, topic: &str, partition: i32, next: Offset) {
        match self
            .position(topic, partition)
            .and_then(|position| self.goals.get_mut(position))
        {
            Some(goal) => goal.is_reached |= goal.end.is_none_or(|end| next >= end),
            None => self.goals.push(Goal {
                topic: topic.to_owned(),
                partition,
                end: None,
                is_reached: true,
                is_told: true,
            }),
        }
    }

    /// The partitions that reached their ends since the last call.
    pub(super) fn take_reached(&mut self) -> Vec<(String, i32)> {
        let mut reached = Vec::new();
        for goal in &mut self.goals {
            if goal.is_reached && !goal.is_told {
                goal.is_told = true;
                reached.push((goal.topic.clone(), goal.partition));
            }
        }
        reached
    }

    pub(super) fn are_all_reached(&self) -> bool {
        self.goals.iter().all(|goal| goal.is_reached)
    }

    /// Whether each of these partitions has reached its end.
    pub(super) fn are_reached(&self, partitions: &[(String, i32)]) -> bool {
        partitions.iter().all(|(topic, partition)| {
            let goal = self
                .goals
                .iter()
                .find(|goal| goal.partition == *partition && goal.topic == *topic);
            goal.is_some_and(|goal| goal.is_reached)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_at_the_end_is_passed_by_position() {
        let mut goals = Goals::default();
        assert!(goals.add("t", 0, 0, 4));
        assert!(!goals.add("t", 1, 5, 5), "an empty range is nothing to read");
        assert!(goals.wants("t", 0, 2));
        assert!(!goals.are_all_reached());
        goals.at_end("t", 0, 4);
        assert!(goals.are_all_reached());
        assert_eq!(goals.take_reached(), [("t".to_owned(), 0)]);
        assert!(goals.take_reached().is_empty());
    }

    #[test]
    fn what_came_after_the_start_of_the_run_is_not_wanted() {
        let mut goals = Goals::default();
        goals.add("t", 0, 0, 2);
        assert!(goals.wants("t", 0, 0) && goals.wants("t", 0, 1) && !goals.wants("t", 0, 2));
    }
}
