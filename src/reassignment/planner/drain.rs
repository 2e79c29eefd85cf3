//! Empties brokers: each replica on them moves once, to the best remaining broker.

use super::GoalError;
use super::layout::Layout;

pub(super) fn apply(layout: &mut Layout) -> Result<(), GoalError> {
    for index in layout.movable() {
        let leaving: Vec<_> = {
            let replicas = layout.partition(index).replicas.iter();
            replicas
                .filter(|replica| layout.broker(**replica).is_drained)
                .copied()
                .collect()
        };
        for from in leaving {
            let Some(to) = layout.best_broker(index, Some(from)) else {
                let partition = layout.partition(index);
                return Err(GoalError::TooFewBrokers {
                    topic_partition: partition.name.clone(),
                    replicas: partition.replicas.len(),
                    brokers: layout.usable().count(),
                });
            };
            layout.move_replica(index, from, to);
        }
    }
    Ok(())
}
