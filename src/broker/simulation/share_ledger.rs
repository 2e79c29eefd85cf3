//! The deliveries and acknowledgements of a share group, of all its members together, and what must hold: records
//! that were accepted or rejected are not delivered again, and none is delivered too often.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;

use super::log_content::Content;
use super::member_requests::Said;
use crate::topic_partition::Offset;

/// A record, by its partition and offset.
pub(super) type Place = (i32, Offset);

/// What is known of one record.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// When it was acknowledged as processed.
    done_at: Option<u64>,
    /// When its release was acknowledged, and of which delivery.
    released: Option<(u64, i16)>,
    /// The number of requests to end it whose answer was lost.
    asked: usize,
    /// The number of its deliveries, as counted by a leader.
    deliveries: i16,
}

/// What a share group has done.
#[derive(Debug)]
pub(super) struct ShareLedger {
    max_delivery_count: i16,
    pub(super) reads_committed: bool,
    records: BTreeMap<Place, Known>,
    /// The delivered records, by partition.
    delivered: BTreeMap<i32, Content>,
    /// The number of acknowledgements so far.
    now: u64,
}

impl ShareLedger {
    pub(super) fn new(max_delivery_count: i16) -> Self {
        Self {
            max_delivery_count,
            reads_committed: false,
            records: BTreeMap::new(),
            delivered: BTreeMap::new(),
            now: 0,
        }
    }

    /// The number of acknowledged records.
    pub(super) fn done(&self) -> usize {
        usize::try_from(self.now).unwrap()
    }

    /// The present number of acknowledgements, for a request that begins.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// The records of a partition that members have got.
    pub(super) fn delivered(&self, index: i32) -> Content {
        self.delivered.get(&index).cloned().unwrap_or_default()
    }

    /// An offset was delivered, with a value unless there is no record; the request began at `asked_at`.
    pub(super) fn deliver(&mut self, place: Place, count: i16, value: Option<&String>, asked_at: u64) {
        let known = self.records.entry(place).or_default();
        assert!(
            (1..=self.max_delivery_count).contains(&count),
            "{place:?} is delivered for the {count}. time, and {} are allowed",
            self.max_delivery_count
        );
        assert!(
            known.done_at.is_none_or(|done_at| done_at > asked_at),
            "{place:?} is delivered once more ({count}), and it was done with: {known:?}, asked at {asked_at}"
        );
        if let Some((at, before)) = known.released
            && at <= asked_at
        {
            assert!(
                count > before,
                "delivery {count} of {place:?} comes after {before}"
            );
        }
        known.deliveries = known.deliveries.max(count);
        if let Some(value) = value {
            let content = self.delivered.entry(place.0).or_default();
            let first = content.entry(place.1).or_insert_with(|| value.clone());
            assert_eq!(first, value, "{place:?} was delivered with another value");
        }
    }

    /// A leader has counted this many deliveries of an offset.
    pub(super) fn count(&mut self, place: Place, count: i16) {
        assert!(
            count <= self.max_delivery_count,
            "{place:?} was delivered {count} times"
        );
        let known = self.records.entry(place).or_default();
        known.deliveries = known.deliveries.max(count);
    }

    /// A member asks to end a record.
    pub(super) fn ask(&mut self, place: Place) {
        self.records.entry(place).or_default().asked += 1;
    }

    /// Acknowledgements have succeeded, or were refused.
    pub(super) fn settle(&mut self, said: &[Said], refused: Option<ResponseError>) {
        for said in said {
            match refused {
                None if said.ends_it() => self.finish(said.place),
                None => self.release(said.place, said.count),
                Some(_) if said.ends_it() => self.refuse(said.place),
                Some(_) => {}
            }
        }
    }

    /// The end of a record was refused.
    fn refuse(&mut self, place: Place) {
        self.records.entry(place).or_default().asked -= 1;
    }

    /// The end of a record was acknowledged.
    fn finish(&mut self, place: Place) {
        self.now += 1;
        let known = self.records.entry(place).or_default();
        known.asked -= 1;
        known.done_at.get_or_insert(self.now);
    }

    /// The release of a record after this delivery was acknowledged.
    fn release(&mut self, place: Place, count: i16) {
        self.now += 1;
        self.records.entry(place).or_default().released = Some((self.now, count));
    }

    /// Whether the group need not deliver this record again.
    pub(super) fn may_be_done(&self, place: Place) -> bool {
        self.records.get(&place).is_some_and(|known| {
            known.done_at.is_some() || known.asked > 0 || known.deliveries >= self.max_delivery_count
        })
    }

    /// Whether a member was told that the record is processed.
    pub(super) fn is_done(&self, place: Place) -> bool {
        let known = self.records.get(&place);
        known.is_some_and(|known| known.done_at.is_some())
    }
}
