//! Which producer ids were assigned: every id below a number counts as used.
//!
//! A log drops a batch as a duplicate if its producer id and sequence number were seen before, so an id that is
//! assigned twice loses acknowledged records. Ids are therefore reserved on disk in blocks before they are assigned,
//! and every record states [`ProducerIds::reserved`], never the next id: after a crash the rest of a block is skipped
//! (KIP-98).

/// Ids per block.
const BLOCK: i64 = 1000;
/// The first id in a directory with a metadata log of Apache Kafka. That log does not contain the ids assigned here,
/// and Apache Kafka continues where it stopped: the two ranges must not overlap.
const FIRST_BESIDE_APACHE_KAFKA: i64 = 1_000_000_000_000;
/// Ids skipped if the saved number is unreliable: kafkit 0.1.0 saved numbers below ids that it had assigned.
const UNRELIABLE_GAP: i64 = 1_000_000;

/// The ids in use, as far as a data directory shows.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::broker) struct UsedIds {
    /// Every id below this one is used, according to the metadata.
    pub(in crate::broker) reserved: i64,
    /// Whether that number may be too low.
    pub(in crate::broker) unreliable: bool,
    /// The largest id in any log; `None` if no log has one.
    pub(in crate::broker) largest_in_logs: Option<i64>,
    pub(in crate::broker) beside_apache_kafka: bool,
}

/// Assigns each id once.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::broker) struct ProducerIds {
    next: i64,
    reserved: i64,
}

impl ProducerIds {
    /// Starts above every id that may be in use. No id is reserved yet.
    pub(in crate::broker) fn above(used: UsedIds) -> Self {
        let gap = if used.unreliable { UNRELIABLE_GAP } else { 0 };
        let saved = used.reserved.max(0).saturating_add(gap);
        let seen = used
            .largest_in_logs
            .map_or(0, |largest| largest.saturating_add(1));
        let lowest = if used.beside_apache_kafka {
            FIRST_BESIDE_APACHE_KAFKA
        } else {
            0
        };
        let free = saved.max(seen).max(lowest);
        let next = free.saturating_add(BLOCK - 1) / BLOCK * BLOCK;
        Self { next, reserved: next }
    }

    /// The number to save: all ids below are used.
    pub(in crate::broker) fn reserved(self) -> i64 {
        self.reserved
    }

    /// The next id; `None` if a block has to be reserved first.
    pub(in crate::broker) fn take(&mut self) -> Option<i64> {
        let id = self.next;
        if id >= self.reserved {
            return None;
        }
        self.next += 1;
        Some(id)
    }

    /// The same with one more block, to replace this once it is saved; `None` if there are no more ids.
    pub(in crate::broker) fn with_next_block(self) -> Option<Self> {
        let reserved = self.reserved.checked_add(BLOCK)?;
        Some(Self { reserved, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_given_only_from_a_reserved_block() {
        let mut ids = ProducerIds::above(UsedIds::default());
        assert_eq!((ids.take(), ids.reserved()), (None, 0));
        ids = ids.with_next_block().unwrap();
        for id in 0..BLOCK {
            assert_eq!(ids.take(), Some(id));
            assert_eq!(
                ids.reserved(),
                BLOCK,
                "what is saved does not follow the ids given"
            );
        }
        assert_eq!(ids.take(), None);
    }

    #[test]
    fn counting_goes_on_above_whatever_was_used() {
        let first = |used: UsedIds| ProducerIds::above(used).reserved();
        let saved = |reserved| UsedIds {
            reserved,
            ..UsedIds::default()
        };
        assert_eq!(first(saved(2000)), 2000);
        assert_eq!(first(saved(42)), 1000, "the rest of a block is skipped");
        let unreliable = UsedIds {
            unreliable: true,
            ..saved(1)
        };
        assert_eq!(first(unreliable), UNRELIABLE_GAP + BLOCK);
        let in_logs = UsedIds {
            largest_in_logs: Some(7000),
            ..saved(2000)
        };
        assert_eq!(first(in_logs), 8000);
        let beside = UsedIds {
            beside_apache_kafka: true,
            ..saved(2000)
        };
        assert_eq!(first(beside), FIRST_BESIDE_APACHE_KAFKA);
        let none_left = ProducerIds::above(saved(i64::MAX));
        assert!(none_left.with_next_block().is_none());
    }
}
