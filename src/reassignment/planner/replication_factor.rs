//! Adds or removes replicas; the others do not move.

use super::GoalError;
use super::layout::{BrokerIndex, Layout, PartitionIndex};

pub(super) fn apply(layout: &mut Layout, replicas: usize) -> Result<(), GoalError> {
    for index in layout.movable() {
        while layout.partition(index).replicas.len() > replicas {
            let Some(goes) = most_dispensable(layout, index) else {
                break;
            };
            layout.remove_replica(index, goes);
        }
        while layout.partition(index).replicas.len() < replicas {
            let Some(to) = layout.best_broker(index, None) else {
                return Err(GoalError::TooFewBrokers {
                    topic_partition: layout.partition(index).name.clone(),
                    replicas,
                    brokers: layout.usable().count(),
                });
            };
            layout.add_replica(index, to);
        }
    }
    Ok(())
}

/// The replica to remove: one on a broker that cannot keep it, else one whose rack has another, else the one
/// on the fullest broker; the preferred leader only where its broker cannot keep it.
fn most_dispensable(layout: &Layout, index: PartitionIndex) -> Option<BrokerIndex> {
    let replicas = layout.partition(index).replicas.iter().copied().enumerate();
    let may_go = |(position, replica): (usize, BrokerIndex)| {
        (position > 0 || !layout.broker(replica).is_usable).then_some(replica)
    };
    replicas.filter_map(may_go).max_by_key(|replica| {
        let broker = layout.broker(*replica);
        let same_rack = layout.on_rack(index, broker.rack, Some(*replica));
        (!broker.is_usable, same_rack, broker.replicas, broker.bytes)
    })
}
