//! The table itself, in the order in which Apache Kafka defines it (and in which it checks values).

use super::{Kind, Rule, TopicConfig};
use Kind::{Boolean, Double, Int, List, Long};
use Rule::{Anything, AtLeast, Between, BetweenOr, OneOf, ThrottledReplicas};

const MAX_LONG: &str = "9223372036854775807";

const fn config(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    rule: Rule,
    broker_setting: &'static str,
    help: &'static str,
) -> TopicConfig {
    TopicConfig {
        name,
        kind,
        default,
        rule,
        broker_setting: if broker_setting.is_empty() {
            None
        } else {
            Some(broker_setting)
        },
        help,
    }
}

/// Every documented topic config.
#[rustfmt::skip]
#[allow(clippy::large_const_arrays, reason = "read by name, never copied")]
pub const TOPIC_CONFIGS: &[TopicConfig] = &[
    config("segment.bytes", Int, "1073741824", AtLeast(1_048_576), "log.segment.bytes",
        "size at which a new segment file is begun"),
    config("segment.ms", Long, "604800000", AtLeast(1), "log.roll.ms",
        "time after which a new segment is begun even if it is not full"),
    config("segment.jitter.ms", Long, "0", AtLeast(0), "log.roll.jitter.ms",
        "at most so much is taken off segment.ms at random, against all segments rolling at once"),
    config("segment.index.bytes", Int, "10485760", AtLeast(4), "log.index.size.max.bytes",
        "size set aside for the offset index of a segment"),
    config("flush.messages", Long, MAX_LONG, AtLeast(1), "log.flush.interval.messages",
        "records after which the log is forced to disk; best left to the system"),
    config("flush.ms", Long, MAX_LONG, AtLeast(0), "log.flush.interval.ms",
        "time after which the log is forced to disk; best left to the system"),
    config("retention.bytes", Long, "-1", Anything, "log.retention.bytes",
        "size of a partition at which old segments go; -1 is no limit"),
    config("retention.ms", Long, "604800000", AtLeast(-1), "log.retention.ms",
        "time after which old segments go; -1 is never"),
    config("max.message.bytes", Int, "1048588", AtLeast(0), "message.max.bytes",
        "largest record batch that is taken"),
    config("index.interval.bytes", Int, "4096", AtLeast(0), "log.index.interval.bytes",
        "bytes of log between two entries of its index"),
    config("delete.retention.ms", Long, "86400000", AtLeast(0), "log.cleaner.delete.retention.ms",
        "time for which a compacted topic keeps the marks of deleted keys"),
    config("min.compaction.lag.ms", Long, "0", AtLeast(0), "log.cleaner.min.compaction.lag.ms",
        "time for which a record stays uncompacted at least"),
    config("max.compaction.lag.ms", Long, MAX_LONG, AtLeast(1), "log.cleaner.max.compaction.lag.ms",
        "time for which a record stays uncompacted at most"),
    config("file.delete.delay.ms", Long, "60000", AtLeast(0), "log.segment.delete.delay.ms",
        "time between giving a file up and removing it from disk"),
    config("min.cleanable.dirty.ratio", Double, "0.5", Between(0, 1), "log.cleaner.min.cleanable.ratio",
        "share of a log that must be uncompacted before it is compacted"),
    config("cleanup.policy", List, "delete", OneOf(&["compact", "delete"]), "log.cleanup.policy",
        "what becomes of old segments: delete them, compact them (keep each key's last record), or both"),
    config("unclean.leader.election.enable", Boolean, "false", Anything, "unclean.leader.election.enable",
        "whether a replica that lags may lead when no other lives, losing records"),
    config("min.insync.replicas", Int, "1", AtLeast(1), "min.insync.replicas",
        "replicas that must have a record before a producer with acks=all gets its answer"),
    config("compression.type", Kind::String, "producer",
        OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), "compression.type",
        "how batches are kept; producer keeps them as they came"),
    config("compression.gzip.level", Int, "-1", BetweenOr(1, 9, -1), "compression.gzip.level",
        "level where compression.type is gzip; -1 is zlib's own default"),
    config("compression.lz4.level", Int, "9", Between(1, 17), "compression.lz4.level",
        "level where compression.type is lz4"),
    config("compression.zstd.level", Int, "3", Between(-131_072, 22), "compression.zstd.level",
        "level where compression.type is zstd"),
    config("preallocate", Boolean, "false", Anything, "log.preallocate",
        "whether a new segment file gets its whole size at once"),
    config("message.timestamp.type", Kind::String, "CreateTime", OneOf(&["CreateTime", "LogAppendTime"]),
        "log.message.timestamp.type",
        "whose clock a record's time comes from: the producer's or the broker's"),
    config("message.timestamp.before.max.ms", Long, MAX_LONG, AtLeast(0), "log.message.timestamp.before.max.ms",
        "how far behind the broker's clock a record's time may be"),
    config("message.timestamp.after.max.ms", Long, "3600000", AtLeast(0), "log.message.timestamp.after.max.ms",
        "how far ahead of the broker's clock a record's time may be"),
    config("leader.replication.throttled.replicas", List, "", ThrottledReplicas, "",
        "replicas whose copying is slowed at the leader: partition:broker pairs, or * for all"),
    config("follower.replication.throttled.replicas", List, "", ThrottledReplicas, "",
        "replicas whose copying is slowed at the follower: partition:broker pairs, or * for all"),
    config("remote.storage.enable", Boolean, "false", Anything, "",
        "whether old segments move to tiered storage"),
    config("local.retention.ms", Long, "-2", AtLeast(-2), "log.local.retention.ms",
        "time for which a tiered segment stays on local disk too; -2 is retention.ms"),
    config("local.retention.bytes", Long, "-2", AtLeast(-2), "log.local.retention.bytes",
        "size up to which tiered segments stay on local disk too; -2 is retention.bytes"),
    config("remote.log.copy.disable", Boolean, "false", Anything, "",
        "whether tiered storage is only read and gets nothing new"),
    config("remote.log.delete.on.disable", Boolean, "false", Anything, "",
        "whether turning tiered storage off deletes what lies there"),
];

/// For Kafka's own tests; accepted, never listed.
pub(super) const INTERNAL_SEGMENT_BYTES: TopicConfig = config(
    "internal.segment.bytes",
    Int,
    "",
    Anything,
    "",
    "size at which a new segment file is begun, without a lower limit",
);
