//! The broker's settings for groups.

use super::assignor::Assignor;
use super::consumer_group::ConsumerGroupSettings;
use super::consumer_group::conversion::MigrationPolicy;
use super::group_kind::GroupType;
use super::share_group::ShareGroupSettings;
use crate::broker::config::BrokerConfig;

/// The settings for groups; their names are those of `server.properties`.
#[derive(Clone, Debug)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay_ms: i64,
    /// `group.max.size`
    pub max_size: usize,
    /// `offsets.retention.minutes`, in milliseconds
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`
    pub offsets_retention_check_interval_ms: i64,
    /// `offset.metadata.max.bytes`
    pub offset_metadata_max_bytes: usize,
    /// Whether `group.coordinator.rebalance.protocols` contains the consumer protocol.
    pub has_consumer_protocol: bool,
    /// `group.consumer.*`
    pub consumer: ConsumerGroupSettings,
    /// `group.share.*`
    pub share: ShareGroupSettings,
}

impl From<&BrokerConfig> for GroupConfig {
    fn from(config: &BrokerConfig) -> Self {
        let int = |name: &str| i32::try_from(config.number(name)).unwrap_or(i32::MAX);
        let size = |name: &str| usize::try_from(config.number(name)).unwrap_or(0);
        Self {
            min_session_timeout_ms: int("group.min.session.timeout.ms"),
            max_session_timeout_ms: int("group.max.session.timeout.ms"),
            initial_rebalance_delay_ms: config.number("group.initial.rebalance.delay.ms"),
            max_size: size("group.max.size"),
            offsets_retention_ms: config.number("offsets.retention.minutes").saturating_mul(60_000),
            offsets_retention_check_interval_ms: config.number("offsets.retention.check.interval.ms"),
            offset_metadata_max_bytes: size("offset.metadata.max.bytes"),
            has_consumer_protocol: config.value("group.coordinator.rebalance.protocols").is_some_and(
                |list| {
                    list.split(',')
                        .any(|name| name.trim() == GroupType::Consumer.name())
                },
            ),
            consumer: ConsumerGroupSettings {
                session_timeout_ms: int("group.consumer.session.timeout.ms"),
                heartbeat_interval_ms: int("group.consumer.heartbeat.interval.ms"),
                assignment_interval_ms: int("group.consumer.assignment.interval.ms"),
                max_size: size("group.consumer.max.size"),
                assignors: assignors(config.value("group.consumer.assignors").unwrap_or_default()),
                migration: MigrationPolicy::named(
                    config
                        .value("group.consumer.migration.policy")
                        .unwrap_or_default(),
                ),
                classic_max_size: size("group.max.size"),
                regex_refresh_interval_ms: int("group.consumer.regex.refresh.interval.ms"),
            },
            share: ShareGroupSettings {
                session_timeout_ms: int("group.share.session.timeout.ms"),
                heartbeat_interval_ms: int("group.share.heartbeat.interval.ms"),
                assignment_interval_ms: int("group.share.assignment.interval.ms"),
                max_size: size("group.share.max.size"),
            },
        }
    }
}

/// The assignors in a list of names; names of Java classes are ignored, as they cannot run here.
fn assignors(list: &str) -> Vec<Assignor> {
    let named: Vec<Assignor> = list
        .split(',')
        .filter_map(|name| Assignor::named(name.trim()))
        .collect();
    if named.is_empty() {
        vec![Assignor::Uniform, Assignor::Range]
    } else {
        named
    }
}
