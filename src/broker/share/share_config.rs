//! The configs of a group for its reading: the group's own before the broker's.

use super::share_partition::ShareLimits;
use crate::broker::cluster::image::ClusterImage;
use crate::broker::config::BrokerConfig;
use crate::broker::config::effective_config::BrokerValues;
use crate::broker::config::group_config;

/// Where a group starts in a partition: `share.auto.offset.reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetReset {
    Earliest,
    Latest,
    /// At the first record that is at most this old, in milliseconds.
    ByDuration(i64),
}

/// The share configs of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareConfig {
    pub limits: ShareLimits,
    pub offset_reset: OffsetReset,
    /// Whether only committed records are delivered (`share.isolation.level`).
    pub read_committed: bool,
    /// Whether members may renew locks (KIP-1222).
    pub renews: bool,
}

impl ShareConfig {
    /// The configs of a group in force.
    pub(in crate::broker) fn of(group: &str, image: &ClusterImage, broker: &BrokerConfig) -> Self {
        let own = image.group_configs(group).cloned().unwrap_or_default();
        let broker = BrokerValues {
            config: broker,
            node: image.broker_configs(&broker.node_id.to_string()),
            cluster: image.broker_configs(""),
        };
        let value = |name: &str| {
            let key = group_config::find(name)?;
            let strongest = key.origins(&own, broker).into_iter().next()?;
            Some(strongest.value.trim().to_owned())
        };
        let number = |name: &str| value(name).and_then(|value| value.parse().ok()).unwrap_or(0_i64);
        let is =
            |name: &str, wanted: &str| value(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
        Self {
            limits: ShareLimits {
                max_in_flight: number("share.partition.max.record.locks"),
                max_delivery_count: i16::try_from(number("share.delivery.count.limit")).unwrap_or(i16::MAX),
                lock_ms: number("share.record.lock.duration.ms"),
            },
            offset_reset: offset_reset(&value("share.auto.offset.reset").unwrap_or_default()),
            read_committed: is("share.isolation.level", "read_committed"),
            renews: is("share.renew.acknowledge.enable", "true"),
        }
    }
}

fn offset_reset(value: &str) -> OffsetReset {
    match value {
        "earliest" => OffsetReset::Earliest,
        _ => match group_config::reset_duration_ms(value) {
            Some(milliseconds) => OffsetReset::ByDuration(milliseconds),
            None => OffsetReset::Latest,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_begin_is_read() {
        assert_eq!(offset_reset("earliest"), OffsetReset::Earliest);
        assert_eq!(offset_reset("latest"), OffsetReset::Latest);
        assert_eq!(offset_reset("by_duration:PT1M"), OffsetReset::ByDuration(60_000));
    }
}
