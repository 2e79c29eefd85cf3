//! What is known of a cluster after some looks: offsets and their rates, bytes, lag, and the age of each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Instant;

use super::counter::{Counter, History};
use super::sample::{DiskSpace, Disks, GroupPlaces, Layout, Sample};
use crate::client::admin::groups::GroupListing;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// The state after all looks so far.
#[derive(Debug, Default)]
pub struct Figures {
    pub layout: Layout,
    pub partitions: HashMap<TopicPartition, PartitionFigures>,
    pub disks: BTreeMap<BrokerId, DiskSpace>,
    pub groups: BTreeMap<String, GroupFigures>,
    /// Records written a second in the partitions that a broker leads, in a topic, in all.
    pub written_by_broker: HashMap<BrokerId, History>,
    pub written_by_topic: HashMap<String, History>,
    pub written: History,
    pub complaints: Vec<String>,
    /// When the ends of partitions were last known.
    pub ends_at: Option<Instant>,
    pub disks_at: Option<Instant>,
}

/// What is known of one partition.
#[derive(Clone, Debug, Default)]
pub struct PartitionFigures {
    /// The offset of the next record.
    pub end: Counter,
    /// The log start offset.
    pub first: Option<Offset>,
    /// Bytes of segments at the leader.
    pub size: Option<i64>,
    /// The estimated size of a record on disk, in bytes.
    bytes_per_record: Option<f64>,
    /// The end offset when the disks were last read.
    end_at_disks: Option<Offset>,
    pub written: History,
}

/// What is known of one group.
#[derive(Clone, Debug, Default)]
pub struct GroupFigures {
    pub listing: GroupListing,
    pub members: Option<usize>,
    /// `None` until its coordinator has answered.
    pub places: Option<BTreeMap<TopicPartition, PlaceFigures>>,
    pub stated_lag: Option<i64>,
    pub lags: History,
}

/// The progress of a group in one partition.
#[derive(Clone, Debug, Default)]
pub struct PlaceFigures {
    pub committed: Counter,
    /// The end of the partition when the group was asked.
    pub end: Option<Offset>,
    /// The client that reads it, if members were asked.
    pub member: Option<String>,
    pub lags: History,
}

impl PartitionFigures {
    /// Records written a second.
    pub fn rate(&self) -> Option<f64> {
        self.end.rate()
    }

    /// Bytes written a second, in their size on disk.
    pub fn byte_rate(&self) -> Option<f64> {
        match self.end.rate()? {
            rate if rate > 0.0 => Some(rate * self.bytes_per_record?),
            _ => Some(0.0),
        }
    }

    /// The difference of the next offset and the log start offset.
    pub fn offsets(&self) -> Option<i64> {
        Some((self.end.last()? - self.first?).max(0))
    }

    /// Adds a look at the disk. The size of a record is taken from what was added since the last look, unless segments
    /// were deleted since; at the first look from all that the partition holds.
    fn see_disk(&mut self, size: Option<i64>, first: Option<Offset>) {
        let end = self.end.last();
        let added = (self.first == first)
            .then(|| per_record(size? - self.size?, end? - self.end_at_disks?))
            .flatten();
        let all = || per_record(size?, end? - first?);
        self.bytes_per_record = added.or(self.bytes_per_record).or_else(all);
        (self.size, self.first, self.end_at_disks) = (size, first, end);
    }
}

fn per_record(bytes: i64, records: i64) -> Option<f64> {
    (bytes > 0 && records > 0).then(|| bytes as f64 / records as f64)
}

impl PlaceFigures {
    /// Records that are not read yet.
    pub fn lag(&self) -> Option<i64> {
        Some((self.end? - self.committed.last()?).max(0))
    }
}

impl GroupFigures {
    /// Records not read yet, in all partitions whose end is known.
    pub fn lag(&self) -> Option<i64> {
        if self.stated_lag.is_some() {
            return self.stated_lag;
        }
        let places = self.places.as_ref()?;
        let lags: Vec<i64> = places.values().filter_map(PlaceFigures::lag).collect();
        (places.is_empty() || !lags.is_empty()).then(|| lags.iter().sum())
    }

    /// Records read a second.
    pub fn read(&self) -> Option<f64> {
        sum(self
            .places
            .iter()
            .flatten()
            .map(|(_, place)| place.committed.rate()))
    }
}

/// The sum of the known values; `None` if there is none.
pub(super) fn sum(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values
        .flatten()
        .fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

/// Seconds until a lag is gone; `None` if it does not shrink.
pub fn seconds_left(lag: i64, read: f64, written: f64) -> Option<f64> {
    match lag {
        0 => Some(0.0),
        lag if read > written => Some(lag as f64 / (read - written)),
        _ => None,
    }
}

impl Figures {
    /// Adds the results of a look.
    pub fn take(&mut self, sample: Sample, now: Instant) {
        self.complaints = sample.complaints;
        if let Some(layout) = sample.layout {
            self.take_layout(layout);
        }
        if let Some(ends) = sample.ends {
            self.take_ends(&ends, now);
        }
        if let Some(disks) = sample.disks {
            self.take_disks(disks, now);
        }
        if let Some(groups) = sample.groups {
            self.take_listings(groups);
        }
        for (name, places) in sample.places {
            self.take_places(&name, places, now);
        }
    }

    fn take_layout(&mut self, layout: Layout) {
        let topics: HashSet<&str> = layout.topics.iter().map(|topic| topic.name.as_str()).collect();
        let partitions: HashSet<TopicPartition> = layout
            .topics
            .iter()
            .flat_map(|topic| {
                let numbers = topic.partitions.iter().map(|partition| partition.partition);
                numbers.map(|number| TopicPartition::new(topic.name.as_str(), number))
            })
            .collect();
        self.partitions
            .retain(|partition, _| partitions.contains(partition));
        self.written_by_topic
            .retain(|topic, _| topics.contains(topic.as_str()));
        for partition in partitions {
            self.partitions.entry(partition).or_default();
        }
        self.layout = layout;
    }

    fn take_ends(&mut self, ends: &BTreeMap<TopicPartition, Offset>, now: Instant) {
        for (partition, figures) in &mut self.partitions {
            let Some(end) = ends.get(partition) else {
                figures.end.miss();
                continue;
            };
            figures.end.look(*end, now);
            if let Some(rate) = figures.end.last_rate() {
                figures.written.push(rate);
            }
        }
        if !ends.is_empty() || self.partitions.is_empty() {
            self.ends_at = Some(now);
            self.remember_sums();
        }
    }

    /// Remembers the rates of topics, brokers and all together, as far as they are known.
    fn remember_sums(&mut self) {
        let mut by_broker: HashMap<BrokerId, f64> = HashMap::new();
        let mut all = None;
        for topic in &self.layout.topics {
            let mut of_topic = None;
            for partition in &topic.partitions {
                let name = TopicPartition::new(topic.name.as_str(), partition.partition);
                let Some(rate) = self.partitions.get(&name).and_then(|known| known.end.last_rate()) else {
                    continue;
                };
                *of_topic.get_or_insert(0.0) += rate;
                if let Some(leader) = partition.leader {
                    *by_broker.entry(leader).or_default() += rate;
                }
            }
            if let Some(rate) = of_topic {
                self.written_by_topic
                    .entry(topic.name.clone())
                    .or_default()
                    .push(rate);
                *all.get_or_insert(0.0) += rate;
            }
        }
        for (broker, rate) in by_broker {
            self.written_by_broker.entry(broker).or_default().push(rate);
        }
        if let Some(rate) = all {
            self.written.push(rate);
        }
    }

    fn take_disks(&mut self, disks: Disks, now: Instant) {
        for (partition, figures) in &mut self.partitions {
            let size = disks.sizes.get(partition).copied();
            let first = disks.firsts.get(partition).copied();
            if size.is_some() || first.is_some() {
                figures.see_disk(size.or(figures.size), first.or(figures.first));
            }
        }
        // A broker that did not answer keeps its last values.
        self.disks.extend(disks.brokers);
        self.disks_at = Some(now);
    }

    fn take_listings(&mut self, groups: Vec<GroupListing>) {
        let names: BTreeSet<&str> = groups.iter().map(|group| group.id.as_str()).collect();
        self.groups.retain(|name, _| names.contains(name.as_str()));
        for listing in groups {
            let figures = self.groups.entry(listing.id.clone()).or_default();
            if listing.state.eq_ignore_ascii_case("empty") {
                figures.members = Some(0);
            }
            figures.listing = listing;
        }
    }

    fn take_places(&mut self, name: &str, looked: GroupPlaces, now: Instant) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        group.members = looked.members.or(group.members);
        group.stated_lag = looked.stated_lag;
        if let Some(committed) = looked.committed {
            let known = group.places.get_or_insert_default();
            known.retain(|partition, _| committed.contains_key(partition));
            for (partition, offset) in committed {
                let end = self.partitions.get(&partition).and_then(|known| known.end.last());
                let place = known.entry(partition).or_default();
                place.committed.look(offset, now);
                // Ends are requested after commits, and may be those of an earlier look if a leader is absent.
                place.end = end.map(|end| end.max(offset));
                place.lags.push(place.lag().unwrap_or(0) as f64);
            }
        } else {
            let places = group.places.iter_mut().flatten();
            places.for_each(|(_, place)| place.committed.miss());
        }
        if let Some(mut assigned) = looked.assigned {
            for (partition, place) in group.places.iter_mut().flatten() {
                place.member = assigned.remove(partition);
            }
        }
        if let Some(lag) = group.lag() {
            group.lags.push(lag as f64);
        }
    }

    /// Records written a second in one partition.
    pub fn written_in(&self, partition: &TopicPartition) -> Option<f64> {
        self.partitions.get(partition).and_then(PartitionFigures::rate)
    }

    /// The lag of all groups whose lag is known.
    pub fn total_lag(&self) -> Option<i64> {
        let lags: Vec<i64> = self.groups.values().filter_map(GroupFigures::lag).collect();
        (!lags.is_empty()).then(|| lags.iter().sum())
    }

    /// Records and bytes written a second in all.
    pub fn total_rates(&self) -> (Option<f64>, Option<f64>) {
        let records = sum(self.partitions.values().map(PartitionFigures::rate));
        let bytes = sum(self.partitions.values().map(PartitionFigures::byte_rate));
        (records, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn bytes_of_a_record_are_those_of_what_was_added() {
        let begin = Instant::now();
        let at = |second| begin + Duration::from_secs(second);
        let mut partition = PartitionFigures::default();
        partition.end.look(1000, at(0));
        partition.see_disk(Some(50_000), Some(500));
        partition.end.look(1200, at(2));
        assert_eq!(
            partition.byte_rate(),
            Some(10_000.0),
            "100 bytes a record, of all"
        );
        partition.see_disk(Some(52_000), Some(500));
        assert_eq!(
            partition.byte_rate(),
            Some(1000.0),
            "10 bytes a record, of those added"
        );
        partition.end.look(1400, at(4));
        partition.see_disk(Some(30_000), Some(900));
        assert_eq!(
            partition.byte_rate(),
            Some(1000.0),
            "a deleted segment says nothing"
        );
    }

    #[test]
    fn a_group_that_does_not_catch_up_has_no_time_left() {
        assert_eq!(seconds_left(100, 30.0, 10.0), Some(5.0));
        assert_eq!(seconds_left(100, 10.0, 10.0), None);
        assert_eq!(seconds_left(0, 0.0, 5.0), Some(0.0));
    }
}
