//! A topic's configs in force: typed, and resolved against the broker's settings.

use super::broker_config::BrokerConfig;
use super::effective_config::{BrokerValues, Configs};
use crate::records::Codec;
use crate::storage::LogConfig;
use crate::storage::cleaner::CompactionConfig;
use crate::topic_config;

/// The configs for appends, retention and the log.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a config of its own")]
pub struct TopicSettings {
    pub compact: bool,
    pub delete: bool,
    pub max_message_bytes: usize,
    pub log_append_time: bool,
    /// `None` if batches keep their producer's codec.
    pub(in crate::broker) packing: Option<Packing>,
    pub timestamp_before_max_ms: i64,
    pub timestamp_after_max_ms: i64,
    pub min_insync_replicas: i64,
    pub segment_bytes: i64,
    pub segment_ms: i64,
    pub segment_jitter_ms: i64,
    pub segment_index_bytes: i64,
    pub index_interval_bytes: i64,
    pub retention_ms: i64,
    pub retention_bytes: i64,
    pub flush_messages: i64,
    /// A broker setting; topics have no config for it.
    pub producer_id_expiration_ms: i64,
    pub compaction: CompactionConfig,
}

impl TopicSettings {
    /// Resolves a topic's own configs against the broker's values.
    pub(in crate::broker) fn resolve(values: BrokerValues<'_>, topic: &Configs) -> Self {
        let text = |name: &str| {
            let config = topic_config::find(name);
            config.map_or_else(String::new, |config| values.topic_value(config, topic).0)
        };
        let number = |name: &str| text(name).trim().parse::<i64>().unwrap_or(0);
        let policy = text("cleanup.policy");
        let has = |word: &str| policy.split(',').any(|policy| policy.trim() == word);
        Self {
            compact: has("compact"),
            delete: has("delete"),
            max_message_bytes: usize::try_from(number("max.message.bytes")).unwrap_or(0),
            log_append_time: text("message.timestamp.type").trim() == "LogAppendTime",
            packing: Packing::parse(&text("compression.type"), |codec| {
                text(&format!("compression.{codec}.level")).trim().parse().ok()
            }),
            timestamp_before_max_ms: number("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: number("message.timestamp.after.max.ms"),
            min_insync_replicas: number("min.insync.replicas"),
            segment_bytes: topic
                .get("internal.segment.bytes")
                .and_then(|bytes| bytes.trim().parse().ok())
                .unwrap_or_else(|| number("segment.bytes")),
            segment_ms: number("segment.ms"),
            segment_jitter_ms: number("segment.jitter.ms"),
            segment_index_bytes: number("segment.index.bytes"),
            index_interval_bytes: number("index.interval.bytes"),
            retention_ms: number("retention.ms"),
            retention_bytes: number("retention.bytes"),
            flush_messages: number("flush.messages"),
            producer_id_expiration_ms: values.number("producer.id.expiration.ms"),
            compaction: CompactionConfig {
                min_dirty_ratio: text("min.cleanable.dirty.ratio").trim().parse().unwrap_or(0.5),
                min_lag_ms: number("min.compaction.lag.ms"),
                max_lag_ms: number("max.compaction.lag.ms"),
                delete_retention_ms: number("delete.retention.ms"),
            },
        }
    }

    /// The part of it that the log needs.
    pub(in crate::broker) fn log_config(&self, broker: &BrokerConfig) -> LogConfig {
        let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
        LogConfig {
            segment_bytes: unsigned(self.segment_bytes),
            segment_ms: self.segment_ms,
            segment_jitter_ms: self.segment_jitter_ms,
            segment_index_bytes: usize::try_from(self.segment_index_bytes).unwrap_or(0),
            index_interval_bytes: unsigned(self.index_interval_bytes),
            retention_ms: self.retention_ms,
            retention_bytes: self.retention_bytes,
            delete: self.delete,
            compaction: self.compact.then_some(self.compaction),
            log_append_time: self.log_append_time,
            flush_each_batch: self.flush_messages == 1 || broker.flush_each_batch,
            flush_messages: self.flush_messages,
            producer_id_expiration_ms: self.producer_id_expiration_ms,
        }
    }
}

/// The codec that batches of a topic are compressed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::broker) struct Packing {
    pub(in crate::broker) codec: Codec,
    /// The codec's level; `None` for its default.
    pub(in crate::broker) level: Option<i32>,
}

impl Packing {
    /// Parses `compression.type`; `None` if the producer's codec is kept. `level_of` reads
    /// `compression.<codec>.level`.
    pub(in crate::broker) fn parse(
        compression_type: &str,
        level_of: impl Fn(&str) -> Option<i32>,
    ) -> Option<Self> {
        let codec = match compression_type.trim() {
            "uncompressed" => Codec::None,
            name => Codec::from_name(name).filter(|codec| *codec != Codec::None)?,
        };
        let level = match codec {
            Codec::Gzip | Codec::Zstd | Codec::Lz4 => level_of(codec.name()),
            Codec::None | Codec::Snappy => None,
        };
        Some(Self { codec, level })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_names_codec_and_level() {
        let level = |name: &str| (name == "gzip").then_some(1);
        assert_eq!(Packing::parse("producer", level), None);
        let gzip = Packing {
            codec: Codec::Gzip,
            level: Some(1),
        };
        assert_eq!(Packing::parse("gzip", level), Some(gzip));
        let plain = Packing {
            codec: Codec::None,
            level: None,
        };
        assert_eq!(Packing::parse("uncompressed", level), Some(plain));
    }
}
