//! Which config changes set and clear the throttles of a reassignment.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::admin::throttles::{ConfigChanges, Throttled};
use crate::reassignment::throttle::{
    BROKER_THROTTLES, FOLLOWER_THROTTLED_RATE, FOLLOWER_THROTTLED_REPLICAS, LEADER_THROTTLED_RATE,
    LEADER_THROTTLED_REPLICAS, LOG_DIR_THROTTLED_RATE, Moves, TOPIC_THROTTLES, topic_throttles,
};
use crate::topic_partition::BrokerId;

/// Config changes of several brokers or topics.
pub type Changes = BTreeMap<Throttled, ConfigChanges>;

/// Broker configs and the bytes a second they get.
#[derive(Clone, Debug)]
pub struct Rates(Vec<(&'static str, i64)>);

impl Rates {
    /// Copies between brokers, on both ends.
    pub fn replication(rate: i64) -> Self {
        Self(vec![
            (LEADER_THROTTLED_RATE, rate),
            (FOLLOWER_THROTTLED_RATE, rate),
        ])
    }

    /// Moves between the log directories of a broker.
    pub fn log_dirs(rate: i64) -> Self {
        Self(vec![(LOG_DIR_THROTTLED_RATE, rate)])
    }
}

pub fn on_brokers(brokers: &BTreeSet<BrokerId>, rates: Rates) -> Changes {
    let configs: ConfigChanges = rates
        .0
        .into_iter()
        .map(|(name, rate)| (name, Some(rate.to_string())))
        .collect();
    let changes = brokers
        .iter()
        .map(|broker| (Throttled::Broker(*broker), configs.clone()));
    changes.collect()
}

pub fn on_topics(moves: &Moves) -> Changes {
    topic_throttles(moves)
        .into_iter()
        .map(|(topic, throttle)| {
            let configs = vec![
                (LEADER_THROTTLED_REPLICAS, Some(throttle.leader)),
                (FOLLOWER_THROTTLED_REPLICAS, Some(throttle.follower)),
            ];
            (Throttled::Topic(topic), configs)
        })
        .collect()
}

pub fn cleared_brokers(brokers: impl IntoIterator<Item = BrokerId>) -> Changes {
    let configs: ConfigChanges = BROKER_THROTTLES.iter().map(|name| (*name, None)).collect();
    let cleared = |broker| (Throttled::Broker(broker), configs.clone());
    brokers.into_iter().map(cleared).collect()
}

pub fn cleared_topics(topics: impl IntoIterator<Item = String>) -> Changes {
    let configs: ConfigChanges = TOPIC_THROTTLES.iter().map(|name| (*name, None)).collect();
    let cleared = |topic| (Throttled::Topic(topic), configs.clone());
    topics.into_iter().map(cleared).collect()
}
