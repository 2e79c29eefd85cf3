//! Replication throttles: `leader.` and `follower.replication.throttled.rate` of brokers, for replicas outside the
//! ISR that a topic's `….replication.throttled.replicas` names (KIP-73).

use std::sync::{Mutex, PoisonError};

use super::Node;
use super::replica::Replica;
use crate::broker::timers::steady_ms;

/// Bytes copied in one direction that the rate has not covered yet.
#[derive(Debug, Default)]
struct Debt {
    bytes: u64,
    at_ms: i64,
}

/// The two directions of one node.
#[derive(Debug, Default)]
pub(in crate::broker) struct ReplicationQuotas {
    sent: Mutex<Debt>,
    fetched: Mutex<Debt>,
}

/// The rates for one replica, in bytes per second; `None` for no limit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Throttle {
    leader: Option<u64>,
    follower: Option<u64>,
}

impl Throttle {
    /// The rates at which `node` may copy a replica from `leader`.
    pub(super) fn of(node: &Node, leader: &Node, replica: &Replica) -> Self {
        let image = node.cluster.image();
        let topic = image.topic_by_id(replica.topic_id);
        let Some((topic, partition)) = topic.and_then(|topic| Some((topic, topic.partition(replica.index)?)))
        else {
            return Self::default();
        };
        if partition.isr.contains(&node.id) {
            return Self::default();
        }
        let rate = |of: &Node, side: &str| {
            let listed = topic
                .configs
                .get(&format!("{side}.replication.throttled.replicas"))?;
            is_listed(listed, replica.index, of.id).then(|| {
                let rate = of
                    .broker_values(&image)
                    .number(&format!("{side}.replication.throttled.rate"));
                u64::try_from(rate).ok().filter(|rate| *rate > 0)
            })?
        };
        Self {
            leader: rate(leader, "leader"),
            follower: rate(node, "follower"),
        }
    }

    /// Whether either side has copied a second's worth too much.
    pub(super) fn holds_back(self, node: &Node, leader: &Node) -> bool {
        let (sent, fetched) = (&leader.replicas.quotas.sent, &node.replicas.quotas.fetched);
        self.leader.is_some_and(|rate| is_over(sent, rate))
            || self.follower.is_some_and(|rate| is_over(fetched, rate))
    }

    /// The most bytes to fetch at a time: no more than either rate allows in a second.
    pub(super) fn most_bytes(self, wanted: usize) -> usize {
        let rates = [self.leader, self.follower];
        let rates = rates
            .into_iter()
            .flatten()
            .filter_map(|rate| usize::try_from(rate).ok());
        rates.fold(wanted, usize::min)
    }

    /// Counts bytes that were copied.
    pub(super) fn count(self, node: &Node, leader: &Node, bytes: usize) {
        if self.leader.is_some() {
            add(&leader.replicas.quotas.sent, bytes);
        }
        if self.follower.is_some() {
            add(&node.replicas.quotas.fetched, bytes);
        }
    }
}

/// Whether the debt is at least one second's worth.
fn is_over(debt: &Mutex<Debt>, rate: u64) -> bool {
    let mut debt = debt.lock().unwrap_or_else(PoisonError::into_inner);
    let now_ms = steady_ms();
    let passed = u64::try_from(now_ms.saturating_sub(debt.at_ms)).unwrap_or(0);
    debt.bytes = debt.bytes.saturating_sub(rate.saturating_mul(passed) / 1000);
    debt.at_ms = now_ms;
    debt.bytes >= rate
}

fn add(debt: &Mutex<Debt>, bytes: usize) {
    let mut debt = debt.lock().unwrap_or_else(PoisonError::into_inner);
    debt.bytes = debt.bytes.saturating_add(bytes as u64);
}

/// `*`, or `partition:broker` pairs.
fn is_listed(list: &str, partition: i32, broker: i32) -> bool {
    list.split(',').map(str::trim).any(|entry| {
        let pair = entry.split_once(':');
        entry == "*" || pair.is_some_and(|(its, at)| its.parse() == Ok(partition) && at.parse() == Ok(broker))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_names_replicas_or_all() {
        assert!(is_listed("*", 3, 1));
        assert!(is_listed("0:1, 3:1", 3, 1));
        assert!(!is_listed("0:1,3:2", 3, 1));
        assert!(!is_listed("", 3, 1));
    }

    #[test]
    fn a_rate_pays_off_what_was_copied() {
        let debt = Mutex::new(Debt {
            bytes: 0,
            at_ms: steady_ms(),
        });
        assert!(!is_over(&debt, 1000));
        add(&debt, 1_000_000_000);
        assert!(is_over(&debt, 1000));
        debt.lock().unwrap().at_ms -= 10_000_000_000;
        assert!(!is_over(&debt, 1000));
    }
}
