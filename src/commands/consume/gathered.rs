//! The first or last records of several partitions together, by time: kept until all partitions are read.
//!
//! Of each partition its own first or last records are considered: in a partition times are nearly in the order of
//! offsets, so that not all of it has to be read.

use std::collections::{BTreeMap, HashMap};

use super::wanted::Ends;
use crate::client::record_source::ConsumedRecord;
use crate::topic_partition::Offset;

/// The order of records: by time; at the same time by partition and offset.
type Place = (i64, String, i32, Offset);

/// At most `limit` printed records.
#[derive(Debug)]
pub(super) struct Gathered {
    ends: Ends,
    kept: BTreeMap<Place, Vec<u8>>,
    /// How many records of each partition were seen.
    counts: HashMap<(String, i32), u64>,
}

impl Gathered {
    pub(super) fn new(ends: Ends) -> Self {
        Self {
            ends,
            kept: BTreeMap::new(),
            counts: HashMap::new(),
        }
    }

    /// Whether this record would be kept, so that it is worth printing.
    pub(super) fn wants(&self, record: &ConsumedRecord<'_>) -> bool {
        match self.ends {
            Ends::First(count) | Ends::Last(count) if (self.kept.len() as u64) < count => true,
            Ends::First(_) => {
                let last = self.kept.last_key_value();
                last.is_some_and(|(last, _)| precedes(record, last))
            }
            Ends::Last(_) => {
                let first = self.kept.first_key_value();
                first.is_some_and(|(first, _)| !precedes(record, first))
            }
        }
    }

    /// Keeps a printed record, and drops the one that exceeds the limit.
    pub(super) fn keep(&mut self, record: &ConsumedRecord<'_>, printed: Vec<u8>) {
        let place = (
            record.timestamp,
            record.topic.to_owned(),
            record.partition,
            record.offset,
        );
        self.kept.insert(place, printed);
        match self.ends {
            Ends::First(count) if self.kept.len() as u64 > count => drop(self.kept.pop_last()),
            Ends::Last(count) if self.kept.len() as u64 > count => drop(self.kept.pop_first()),
            Ends::First(_) | Ends::Last(_) => {}
        }
    }

    /// Counts a record of its partition; returns whether it is one of its first, where only those are wanted.
    pub(super) fn counts(&mut self, record: &ConsumedRecord<'_>) -> bool {
        let Ends::First(wanted) = self.ends else {
            return true;
        };
        let partition = (record.topic.to_owned(), record.partition);
        let count = self.counts.entry(partition).or_default();
        *count += 1;
        *count <= wanted
    }

    /// How many are kept.
    pub(super) fn len(&self) -> u64 {
        self.kept.len() as u64
    }

    /// What is kept, in order.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Vec<u8>> {
        std::mem::take(&mut self.kept).into_values()
    }
}

fn precedes(record: &ConsumedRecord<'_>, place: &Place) -> bool {
    let (time, topic, partition, offset) = place;
    let one = (record.timestamp, record.topic, record.partition, record.offset);
    one < (*time, topic.as_str(), *partition, *offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::record_source::TimestampType;

    fn gathered(ends: Ends, times: &[i64]) -> Vec<i64> {
        let mut gathered = Gathered::new(ends);
        for (offset, time) in times.iter().enumerate() {
            let record = ConsumedRecord {
                topic: "t",
                partition: 0,
                offset: offset as i64,
                timestamp: *time,
                timestamp_type: TimestampType::CreateTime,
                key: None,
                value: None,
                headers: &[],
            };
            if gathered.wants(&record) {
                gathered.keep(&record, time.to_string().into_bytes());
            }
        }
        let kept = gathered.take();
        kept.map(|text| String::from_utf8_lossy(&text).parse().unwrap())
            .collect()
    }

    #[test]
    fn the_first_and_the_last_by_time_are_kept() {
        let times = [5, 1, 9, 3, 3, 7];
        assert_eq!(gathered(Ends::First(3), &times), [1, 3, 3]);
        assert_eq!(gathered(Ends::Last(3), &times), [5, 7, 9]);
        assert_eq!(gathered(Ends::Last(99), &times), [1, 3, 3, 5, 7, 9]);
        assert_eq!(gathered(Ends::First(0), &times), [0; 0]);
    }
}
