//! How a partition is: whether it has a leader, whether its replicas are in sync, whether they move.
//!
//! A replica that is being added is not missing before it has arrived, as in Java's `kafka-topics`.

use crate::client::admin::topics::PartitionDescription;
use crate::reassignment::active::ActiveReassignment;
use crate::topic_partition::BrokerId;

pub(super) const NO_LEADER: &str = "NO LEADER";
pub(super) const UNDER_REPLICATED: &str = "UNDER-REPLICATED";
pub(super) const MOVING: &str = "MOVING";

/// Which partitions are wanted, by their problem; several flags add up, none means all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own, and they add up"
)]
pub struct HealthFilter {
    pub under_replicated: bool,
    /// Without a leader.
    pub unavailable: bool,
    /// Fewer replicas in sync than `min.insync.replicas`, or without a leader.
    pub under_min_isr: bool,
    pub moving: bool,
}

impl HealthFilter {
    /// Whether any flag is set.
    pub fn is_any(self) -> bool {
        self != Self::default()
    }

    /// Whether a partition has one of these problems; `min_in_sync` is its topic's `min.insync.replicas`.
    pub fn matches(
        self,
        partition: &PartitionDescription,
        active: Option<&ActiveReassignment>,
        min_in_sync: usize,
    ) -> bool {
        let has_leader = partition.leader.is_some();
        (self.under_replicated && is_under_replicated(partition, active))
            || (self.unavailable && !has_leader)
            || (self.under_min_isr && (!has_leader || partition.in_sync.len() < min_in_sync))
            || (self.moving && active.is_some())
    }
}

/// How many replicas a partition should have; those that are being added do not count.
pub fn replication_factor(partition: &PartitionDescription, active: Option<&ActiveReassignment>) -> usize {
    match active {
        Some(active) if is_moving(partition, active) => {
            active.replicas.len().saturating_sub(active.adding.len())
        }
        _ => partition.replicas.len(),
    }
}

/// Whether fewer replicas are in sync than there should be.
pub fn is_under_replicated(partition: &PartitionDescription, active: Option<&ActiveReassignment>) -> bool {
    partition.in_sync.len() < replication_factor(partition, active)
}

/// Whether the reassignment concerns these replicas, and is not yet complete for the broker that described them.
fn is_moving(partition: &PartitionDescription, active: &ActiveReassignment) -> bool {
    let changing = || active.adding.iter().chain(&active.removing);
    partition
        .replicas
        .iter()
        .any(|replica| changing().any(|broker| broker == replica))
}

/// The problems, the worst first: `UNDER-REPLICATED, MOVING 1,2→1,3`; empty when there is none.
pub fn status(partition: &PartitionDescription, active: Option<&ActiveReassignment>) -> String {
    let mut words = Vec::new();
    if partition.leader.is_none() {
        words.push(NO_LEADER.to_owned());
    } else if is_under_replicated(partition, active) {
        words.push(UNDER_REPLICATED.to_owned());
    }
    if let Some(active) = active {
        words.push(format!(
            "{MOVING} {}→{}",
            ids(&active.sources()),
            ids(&active.target())
        ));
    }
    words.join(", ")
}

fn ids(ids: &[BrokerId]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(
        leader: Option<BrokerId>,
        replicas: &[BrokerId],
        in_sync: &[BrokerId],
    ) -> PartitionDescription {
        PartitionDescription {
            partition: 0,
            leader,
            replicas: replicas.to_vec(),
            in_sync: in_sync.to_vec(),
            offline: Vec::new(),
            eligible_leaders: None,
            last_known_eligible_leaders: None,
        }
    }

    /// The names of the filters that match a partition.
    fn found(partition: &PartitionDescription, active: Option<&ActiveReassignment>) -> Vec<&'static str> {
        let none = HealthFilter::default();
        let filters = [
            (
                "under-replicated",
                HealthFilter {
                    under_replicated: true,
                    ..none
                },
            ),
            (
                "unavailable",
                HealthFilter {
                    unavailable: true,
                    ..none
                },
            ),
            (
                "under-min-isr",
                HealthFilter {
                    under_min_isr: true,
                    ..none
                },
            ),
            ("moving", HealthFilter { moving: true, ..none }),
        ];
        let found = filters
            .into_iter()
            .filter(|(_, filter)| filter.matches(partition, active, 2));
        found.map(|(word, _)| word).collect()
    }

    #[test]
    fn each_filter_finds_what_it_says_and_nothing_else() {
        let well = partition(Some(1), &[1, 2, 3], &[1, 2, 3]);
        assert_eq!(found(&well, None), [""; 0]);
        let lagging = partition(Some(1), &[1, 2, 3], &[1, 2]);
        assert_eq!(found(&lagging, None), ["under-replicated"]);
        let thin = partition(Some(1), &[1, 2, 3], &[1]);
        assert_eq!(found(&thin, None), ["under-replicated", "under-min-isr"]);
        let single = partition(Some(1), &[1], &[1]);
        assert_eq!(found(&single, None), ["under-min-isr"]);
        let gone = partition(None, &[1, 2], &[1, 2]);
        assert_eq!(found(&gone, None), ["unavailable", "under-min-isr"]);
        assert!(!HealthFilter::default().is_any());
    }

    #[test]
    fn a_replica_that_is_being_added_is_not_missed() {
        let active = ActiveReassignment {
            replicas: vec![1, 2, 3],
            adding: vec![3],
            removing: vec![1],
        };
        let on_the_way = partition(Some(1), &[1, 2, 3], &[1, 2]);
        assert_eq!(found(&on_the_way, Some(&active)), ["moving"]);
        let lagging_too = partition(Some(1), &[1, 2, 3], &[1]);
        assert_eq!(
            found(&lagging_too, Some(&active)),
            ["under-replicated", "under-min-isr", "moving"]
        );
        // The broker that described it has already completed the move.
        let arrived = partition(Some(2), &[2], &[2]);
        assert_eq!(
            found(
                &arrived,
                Some(&ActiveReassignment {
                    replicas: vec![4, 5],
                    adding: vec![5],
                    removing: vec![4]
                })
            ),
            ["under-min-isr", "moving"]
        );
    }
}
