//! Which of the records that are read are printed: those that match a condition, or the first or last of those.

use crate::client::record_source::ConsumedRecord;
use crate::filter::{Expression, Field, Fields};
use crate::topic_partition::Offset;

/// What is printed of the records that are read; everything by default.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub filter: Option<Expression>,
    pub ends: Option<Ends>,
    /// Nothing at or after this offset; the run ends there.
    pub before: Option<Offset>,
    /// With fewer records than this the run fails.
    pub at_least: u64,
}

/// This many records at one end of all that are read, ordered by time: they are chosen from the first or last ones of
/// each partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    First(u64),
    Last(u64),
}

impl Wanted {
    /// Whether a record matches the condition.
    pub(super) fn takes(&self, record: &ConsumedRecord<'_>) -> bool {
        let filter = self.filter.as_ref();
        filter.is_none_or(|filter| filter.is_met(&View(record)))
    }

    /// Whether the condition needs headers.
    pub(super) fn wants_headers(&self) -> bool {
        let is_header = |field: &Field| matches!(field, Field::Header(_));
        let filter = self.filter.as_ref();
        filter.is_some_and(|filter| filter.asks_for(&is_header))
    }
}

/// A record as conditions read it.
struct View<'a>(&'a ConsumedRecord<'a>);

impl Fields for View<'_> {
    fn topic(&self) -> &str {
        self.0.topic
    }

    fn partition(&self) -> i32 {
        self.0.partition
    }

    fn offset(&self) -> i64 {
        self.0.offset
    }

    fn time(&self) -> i64 {
        self.0.timestamp
    }

    fn key(&self) -> Option<&[u8]> {
        self.0.key
    }

    fn value(&self) -> Option<&[u8]> {
        self.0.value
    }

    fn header(&self, name: &str) -> Option<Option<&[u8]>> {
        let headers = self.0.headers.iter().rev();
        headers
            .filter(|header| header.name == name)
            .map(|header| header.value)
            .next()
    }
}
