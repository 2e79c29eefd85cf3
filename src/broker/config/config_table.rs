//! The broker settings that the mini broker knows: names, types, defaults, and which can change while it runs.
//!
//! Names and types are Apache Kafka 4.3.1's (<https://kafka.apache.org/documentation/#brokerconfigs>). Defaults
//! are too, except where a local broker needs others: no rebalance delay, short sessions allowed, heartbeats of the
//! consumer protocol every second, few internal partitions with one replica each, loopback only.

use crate::topic_config::Kind::{self, Boolean, Double, Int, List, Long, String};

/// Who may change a setting while the broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It is read at start only.
    ReadOnly,
    /// One broker's value only.
    Broker,
    /// One broker's value, or the whole cluster's default.
    Cluster,
}
use Scope::{Broker, Cluster, ReadOnly};

/// One broker setting.
#[derive(Clone, Copy, Debug)]
pub struct BrokerSetting {
    pub name: &'static str,
    pub kind: Kind,
    pub default: Option<&'static str>,
    pub scope: Scope,
}

const fn setting(
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    scope: Scope,
) -> BrokerSetting {
    BrokerSetting {
        name,
        kind,
        default,
        scope,
    }
}

impl BrokerSetting {
    /// Whether a value is of the setting's type; the error is Kafka's text.
    pub fn check(&self, value: &str) -> Result<(), std::string::String> {
        let trimmed = value.trim();
        let problem = match self.kind {
            Boolean if !["true", "false"].contains(&trimmed.to_ascii_lowercase().as_str()) => {
                "Expected value to be either true or false"
            }
            Int if trimmed.parse::<i32>().is_err() => "Not a number of type INT",
            Long if trimmed.parse::<i64>().is_err() => "Not a number of type LONG",
            Double if trimmed.parse::<f64>().is_err() => "Not a number of type DOUBLE",
            _ => return Ok(()),
        };
        Err(format!(
            "Invalid value {value} for configuration {}: {problem}",
            self.name
        ))
    }
}

/// The setting of this name.
pub fn find(name: &str) -> Option<&'static BrokerSetting> {
    let found = BROKER_SETTINGS.binary_search_by(|setting| setting.name.cmp(name));
    found.ok().and_then(|index| BROKER_SETTINGS.get(index))
}

/// Every setting, by name.
#[rustfmt::skip]
#[allow(clippy::large_const_arrays, reason = "read by name, never copied")]
pub const BROKER_SETTINGS: &[BrokerSetting] = &[
    setting("advertised.listeners", List, None, ReadOnly),
    setting("auto.create.topics.enable", Boolean, Some("true"), ReadOnly),
    setting("auto.leader.rebalance.enable", Boolean, Some("true"), ReadOnly),
    setting("background.threads", Int, Some("10"), Cluster),
    setting("broker.id", Int, Some("1"), ReadOnly),
    setting("broker.rack", String, None, ReadOnly),
    setting("compression.gzip.level", Int, Some("-1"), Cluster),
    setting("compression.lz4.level", Int, Some("9"), Cluster),
    setting("compression.type", String, Some("producer"), Cluster),
    setting("compression.zstd.level", Int, Some("3"), Cluster),
    setting("connection.failed.authentication.delay.ms", Int, Some("100"), ReadOnly),
    setting("connections.max.idle.ms", Long, Some("600000"), ReadOnly),
    setting("connections.max.reauth.ms", Long, Some("0"), ReadOnly),
    setting("controlled.shutdown.enable", Boolean, Some("true"), ReadOnly),
    setting("controller.listener.names", List, None, ReadOnly),
    setting("default.replication.factor", Int, Some("1"), ReadOnly),
    setting("delete.topic.enable", Boolean, Some("true"), ReadOnly),
    setting("fetch.max.bytes", Int, Some("57671680"), ReadOnly),
    setting("group.consumer.assignment.interval.ms", Int, Some("1000"), ReadOnly),
    setting("group.consumer.assignors", List, Some("uniform,range"), ReadOnly),
    setting("group.consumer.heartbeat.interval.ms", Int, Some("1000"), ReadOnly),
    setting("group.consumer.max.assignment.interval.ms", Int, Some("15000"), ReadOnly),
    setting("group.consumer.max.heartbeat.interval.ms", Int, Some("15000"), ReadOnly),
    setting("group.consumer.max.session.timeout.ms", Int, Some("60000"), ReadOnly),
    setting("group.consumer.max.size", Int, Some("2147483647"), ReadOnly),
    setting("group.consumer.migration.policy", String, Some("bidirectional"), ReadOnly),
    setting("group.consumer.min.assignment.interval.ms", Int, Some("0"), ReadOnly),
    setting("group.consumer.min.heartbeat.interval.ms", Int, Some("1000"), ReadOnly),
    setting("group.consumer.min.session.timeout.ms", Int, Some("45000"), ReadOnly),
    setting("group.consumer.regex.refresh.interval.ms", Int, Some("600000"), ReadOnly),
    setting("group.consumer.session.timeout.ms", Int, Some("45000"), ReadOnly),
    setting("group.coordinator.append.linger.ms", Int, Some("-1"), ReadOnly),
    setting("group.coordinator.background.threads", Int, Some("2"), ReadOnly),
    setting("group.coordinator.cached.buffer.max.bytes", Int, Some("1048588"), ReadOnly),
    setting("group.coordinator.rebalance.protocols", List, Some("classic,consumer,streams"), ReadOnly),
    setting("group.coordinator.threads", Int, Some("4"), ReadOnly),
    setting("group.initial.rebalance.delay.ms", Int, Some("0"), ReadOnly),
    setting("group.max.session.timeout.ms", Int, Some("1800000"), ReadOnly),
    setting("group.max.size", Int, Some("2147483647"), ReadOnly),
    setting("group.min.session.timeout.ms", Int, Some("1000"), ReadOnly),
    setting("group.share.assignment.interval.ms", Int, Some("1000"), ReadOnly),
    setting("group.share.assignors", List, Some("simple"), ReadOnly),
    setting("group.share.delivery.count.limit", Int, Some("5"), ReadOnly),
    setting("group.share.heartbeat.interval.ms", Int, Some("5000"), ReadOnly),
    setting("group.share.max.assignment.interval.ms", Int, Some("15000"), ReadOnly),
    setting("group.share.max.delivery.count.limit", Int, Some("10"), ReadOnly),
    setting("group.share.max.heartbeat.interval.ms", Int, Some("15000"), ReadOnly),
    setting("group.share.max.partition.max.record.locks", Int, Some("4000"), ReadOnly),
    setting("group.share.max.record.lock.duration.ms", Int, Some("60000"), ReadOnly),
    setting("group.share.max.session.timeout.ms", Int, Some("60000"), ReadOnly),
    setting("group.share.max.share.sessions", Int, Some("2000"), ReadOnly),
    setting("group.share.max.size", Int, Some("200"), ReadOnly),
    setting("group.share.min.assignment.interval.ms", Int, Some("0"), ReadOnly),
    setting("group.share.min.delivery.count.limit", Int, Some("2"), ReadOnly),
    setting("group.share.min.heartbeat.interval.ms", Int, Some("5000"), ReadOnly),
    setting("group.share.min.partition.max.record.locks", Int, Some("100"), ReadOnly),
    setting("group.share.min.record.lock.duration.ms", Int, Some("15000"), ReadOnly),
    setting("group.share.min.session.timeout.ms", Int, Some("45000"), ReadOnly),
    setting("group.share.partition.max.record.locks", Int, Some("2000"), ReadOnly),
    setting("group.share.record.lock.duration.ms", Int, Some("30000"), ReadOnly),
    setting("group.share.session.timeout.ms", Int, Some("45000"), ReadOnly),
    setting("inter.broker.listener.name", String, None, ReadOnly),
    setting("leader.imbalance.check.interval.seconds", Long, Some("300"), ReadOnly),
    setting("listener.security.protocol.map", List, Some("SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT"), Broker),
    setting("listeners", List, Some("PLAINTEXT://127.0.0.1:9092"), Broker),
    setting("log.cleaner.backoff.ms", Long, Some("15000"), Cluster),
    setting("log.cleaner.dedupe.buffer.size", Long, Some("134217728"), Cluster),
    setting("log.cleaner.delete.retention.ms", Long, Some("86400000"), Cluster),
    setting("log.cleaner.enable", Boolean, Some("true"), ReadOnly),
    setting("log.cleaner.max.compaction.lag.ms", Long, Some("9223372036854775807"), Cluster),
    setting("log.cleaner.min.cleanable.ratio", Double, Some("0.5"), Cluster),
    setting("log.cleaner.min.compaction.lag.ms", Long, Some("0"), Cluster),
    setting("log.cleaner.threads", Int, Some("1"), Cluster),
    setting("log.cleanup.policy", List, Some("delete"), Cluster),
    setting("log.dir", String, None, ReadOnly),
    setting("log.dirs", List, None, ReadOnly),
    setting("log.flush.interval.messages", Long, Some("9223372036854775807"), Cluster),
    setting("log.flush.interval.ms", Long, None, Cluster),
    setting("log.flush.offset.checkpoint.interval.ms", Int, Some("60000"), ReadOnly),
    setting("log.flush.scheduler.interval.ms", Long, Some("9223372036854775807"), ReadOnly),
    setting("log.flush.start.offset.checkpoint.interval.ms", Int, Some("60000"), ReadOnly),
    setting("log.index.interval.bytes", Int, Some("4096"), Cluster),
    setting("log.index.size.max.bytes", Int, Some("10485760"), Cluster),
    setting("log.message.timestamp.after.max.ms", Long, Some("3600000"), Cluster),
    setting("log.message.timestamp.before.max.ms", Long, Some("9223372036854775807"), Cluster),
    setting("log.message.timestamp.type", String, Some("CreateTime"), Cluster),
    setting("log.preallocate", Boolean, Some("false"), Cluster),
    setting("log.retention.bytes", Long, Some("-1"), Cluster),
    setting("log.retention.check.interval.ms", Long, Some("300000"), ReadOnly),
    setting("log.retention.hours", Int, Some("168"), ReadOnly),
    setting("log.retention.minutes", Int, None, ReadOnly),
    setting("log.retention.ms", Long, None, Cluster),
    setting("log.roll.hours", Int, Some("168"), ReadOnly),
    setting("log.roll.jitter.hours", Int, Some("0"), ReadOnly),
    setting("log.roll.jitter.ms", Long, None, Cluster),
    setting("log.roll.ms", Long, None, Cluster),
    setting("log.segment.bytes", Int, Some("1073741824"), Cluster),
    setting("log.segment.delete.delay.ms", Long, Some("60000"), Cluster),
    setting("max.connection.creation.rate", Int, Some("2147483647"), Cluster),
    setting("max.connections", Int, Some("2147483647"), Cluster),
    setting("max.connections.per.ip", Int, Some("2147483647"), Cluster),
    setting("max.connections.per.ip.overrides", String, Some(""), Cluster),
    setting("max.incremental.fetch.session.cache.slots", Int, Some("1000"), ReadOnly),
    setting("max.request.partition.size.limit", Int, Some("2000"), ReadOnly),
    setting("message.max.bytes", Int, Some("1048588"), Cluster),
    setting("min.insync.replicas", Int, Some("1"), Cluster),
    setting("node.id", Int, Some("1"), ReadOnly),
    setting("num.io.threads", Int, Some("8"), Cluster),
    setting("num.network.threads", Int, Some("3"), Cluster),
    setting("num.partitions", Int, Some("1"), ReadOnly),
    setting("num.recovery.threads.per.data.dir", Int, Some("2"), Cluster),
    setting("offset.metadata.max.bytes", Int, Some("4096"), ReadOnly),
    setting("offsets.commit.timeout.ms", Int, Some("5000"), ReadOnly),
    setting("offsets.load.buffer.size", Int, Some("5242880"), ReadOnly),
    setting("offsets.retention.check.interval.ms", Long, Some("600000"), ReadOnly),
    setting("offsets.retention.minutes", Int, Some("10080"), ReadOnly),
    setting("offsets.topic.compression.codec", Int, Some("0"), ReadOnly),
    setting("offsets.topic.num.partitions", Int, Some("1"), ReadOnly),
    setting("offsets.topic.replication.factor", Int, Some("1"), ReadOnly),
    setting("offsets.topic.segment.bytes", Int, Some("104857600"), ReadOnly),
    setting("process.roles", List, Some("broker,controller"), ReadOnly),
    setting("producer.id.expiration.ms", Int, Some("86400000"), Cluster),
    setting("request.timeout.ms", Int, Some("30000"), ReadOnly),
    setting("security.inter.broker.protocol", String, Some("PLAINTEXT"), ReadOnly),
    setting("share.coordinator.state.topic.min.isr", Int, Some("1"), ReadOnly),
    setting("share.coordinator.state.topic.num.partitions", Int, Some("1"), ReadOnly),
    setting("share.coordinator.state.topic.replication.factor", Int, Some("1"), ReadOnly),
    setting("share.coordinator.state.topic.segment.bytes", Int, Some("104857600"), ReadOnly),
    setting("socket.listen.backlog.size", Int, Some("50"), ReadOnly),
    setting("socket.receive.buffer.bytes", Int, Some("102400"), ReadOnly),
    setting("socket.request.max.bytes", Int, Some("104857600"), ReadOnly),
    setting("socket.send.buffer.bytes", Int, Some("102400"), ReadOnly),
    setting("transaction.abort.timed.out.transaction.cleanup.interval.ms", Int, Some("10000"), ReadOnly),
    setting("transaction.max.timeout.ms", Int, Some("900000"), ReadOnly),
    setting("transaction.partition.verification.enable", Boolean, Some("true"), Cluster),
    setting("transaction.remove.expired.transaction.cleanup.interval.ms", Int, Some("3600000"), ReadOnly),
    setting("transaction.state.log.min.isr", Int, Some("1"), ReadOnly),
    setting("transaction.state.log.num.partitions", Int, Some("1"), ReadOnly),
    setting("transaction.state.log.replication.factor", Int, Some("1"), ReadOnly),
    setting("transaction.state.log.segment.bytes", Int, Some("104857600"), ReadOnly),
    setting("transaction.two.phase.commit.enable", Boolean, Some("false"), ReadOnly),
    setting("transactional.id.expiration.ms", Int, Some("604800000"), ReadOnly),
    setting("unclean.leader.election.enable", Boolean, Some("false"), Cluster),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_its_defaults_are_of_their_kind() {
        assert!(BROKER_SETTINGS.is_sorted_by(|a, b| a.name < b.name));
        for setting in BROKER_SETTINGS {
            let Some(default) = setting.default else { continue };
            let fits = match setting.kind {
                Boolean => default.parse::<bool>().is_ok(),
                Int => default.parse::<i32>().is_ok(),
                Long => default.parse::<i64>().is_ok(),
                Double => default.parse::<f64>().is_ok(),
                String | List => true,
            };
            assert!(fits, "{}", setting.name);
        }
    }
}
