//! The name of every file and folder of a log dir ⇄ what it holds. Nothing else in the program spells a suffix.

use crate::topic_partition::TopicPartition;

pub const LOCK: &str = ".lock";
pub const META_PROPERTIES: &str = "meta.properties";
pub const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
pub const QUORUM_STATE: &str = "quorum-state";
pub const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
pub const LOG_START_OFFSETS: &str = "log-start-offset-checkpoint";
pub const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
pub const CLEANER_OFFSETS: &str = "cleaner-offset-checkpoint";
pub const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";
pub const PARTITION_METADATA: &str = "partition.metadata";
/// Of a snapshot of the metadata log.
pub const SNAPSHOT_SUFFIX: &str = ".checkpoint";
/// The topic that Apache Kafka keeps its metadata in. Its folder belongs to the controller: it is never a topic's.
pub const METADATA_TOPIC: &str = "__cluster_metadata";
pub const BOOTSTRAP_CHECKPOINT: &str = "bootstrap.checkpoint";
/// Appended to a file that is being replaced.
pub const TEMPORARY_SUFFIX: &str = ".tmp";
/// A segment's file that is being deleted, and the two stages of a segment that compaction writes.
pub const DELETED_SUFFIX: &str = ".deleted";
pub const CLEANED_SUFFIX: &str = ".cleaned";
pub const SWAP_SUFFIX: &str = ".swap";

const DELETE_FOLDER_SUFFIX: &str = "-delete";
const STRAY_FOLDER_SUFFIX: &str = "-stray";
const FUTURE_FOLDER_SUFFIX: &str = "-future";
const MAX_FOLDER_NAME_LEN: usize = 255;
const OFFSET_DIGITS: usize = 20;
const EPOCH_DIGITS: usize = 10;
/// Hexadecimal digits that distinguish folders of topics with the same name.
const UNIQUE_DIGITS: usize = 32;

/// What a file of a partition's folder holds, told by its suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    Log,
    OffsetIndex,
    TimeIndex,
    TransactionIndex,
    ProducerSnapshot,
}

impl FileKind {
    pub const ALL: [Self; 5] = [
        Self::Log,
        Self::OffsetIndex,
        Self::TimeIndex,
        Self::TransactionIndex,
        Self::ProducerSnapshot,
    ];

    /// With its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Log => ".log",
            Self::OffsetIndex => ".index",
            Self::TimeIndex => ".timeindex",
            Self::TransactionIndex => ".txnindex",
            Self::ProducerSnapshot => ".snapshot",
        }
    }

    /// The kind whose suffix `name` ends in.
    pub fn of(name: &str) -> Option<Self> {
        let dot = name.rfind('.')?;
        Self::ALL
            .into_iter()
            .find(|kind| name.get(dot..) == Some(kind.suffix()))
    }
}

/// `00000000000000000042.log`.
pub fn file_name(base_offset: i64, kind: FileKind) -> String {
    format!("{base_offset:020}{}", kind.suffix())
}

/// The offset and kind of a file; `None` for a name of another form.
pub fn parse(name: &str) -> Option<(i64, FileKind)> {
    let kind = FileKind::of(name)?;
    let offset = name.strip_suffix(kind.suffix())?;
    Some((parse_digits(offset, OFFSET_DIGITS)?, kind))
}

/// The name of a metadata snapshot, by its end offset and epoch.
pub fn metadata_snapshot(end_offset: i64, epoch: i32) -> String {
    format!("{end_offset:0OFFSET_DIGITS$}-{epoch:0EPOCH_DIGITS$}{SNAPSHOT_SUFFIX}")
}

/// The end offset and epoch of a metadata snapshot, `00000000000000000029-0000000001.checkpoint`.
pub fn parse_metadata_snapshot(name: &str) -> Option<(i64, i32)> {
    let (offset, epoch) = name.strip_suffix(".checkpoint")?.split_once('-')?;
    let epoch = i32::try_from(parse_digits(epoch, EPOCH_DIGITS)?).ok()?;
    Some((parse_digits(offset, OFFSET_DIGITS)?, epoch))
}

fn parse_digits(digits: &str, count: usize) -> Option<i64> {
    let all_digits = digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok())?
}

/// `orders-0`.
pub fn partition_folder(partition: &TopicPartition) -> String {
    format!("{}-{}", partition.topic, partition.partition)
}

/// The partition that a folder holds; `None` for every other folder, one being deleted or moved among them.
pub fn parse_partition_folder(name: &str) -> Option<TopicPartition> {
    let (topic, partition) = name.rsplit_once('-')?;
    let all_digits = !partition.is_empty() && partition.bytes().all(|byte| byte.is_ascii_digit());
    if topic.is_empty() || !all_digits {
        return None;
    }
    Some(TopicPartition::new(topic, partition.parse().ok()?))
}

/// The name of a partition's folder once the partition is deleted. `unique` distinguishes folders of the same
/// partition.
pub fn deleted_folder(partition: &TopicPartition, unique: u128) -> String {
    unique_folder(partition, unique, DELETE_FOLDER_SUFFIX)
}

/// The name of the folder of a replica that is being moved to a log dir (KIP-113).
pub fn future_folder(partition: &TopicPartition, unique: u128) -> String {
    unique_folder(partition, unique, FUTURE_FOLDER_SUFFIX)
}

/// The end of the topic's name is cut off where the name would be longer than a file system allows.
fn unique_folder(partition: &TopicPartition, unique: u128, suffix: &str) -> String {
    let tail = format!("-{}.{unique:0UNIQUE_DIGITS$x}{suffix}", partition.partition);
    let mut room = MAX_FOLDER_NAME_LEN
        .saturating_sub(tail.len())
        .min(partition.topic.len());
    while !partition.topic.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{tail}", partition.topic.get(..room).unwrap_or_default())
}

/// The name of the folder of a stray partition: one that the cluster does not know.
pub fn stray_folder(partition: &TopicPartition, unique: u128) -> String {
    format!(
        "{}.{unique:0UNIQUE_DIGITS$x}{STRAY_FOLDER_SUFFIX}",
        partition_folder(partition)
    )
}

/// Whether a folder is that of a deleted partition. Only a name that [`deleted_folder`] makes counts, since the files
/// of such a folder are removed.
pub fn is_deleted_folder(name: &str) -> bool {
    parse_unique_folder(name, DELETE_FOLDER_SUFFIX).is_some()
}

/// The partition whose replica is being moved into this folder; its topic's name may be cut off.
pub fn parse_future_folder(name: &str) -> Option<TopicPartition> {
    parse_unique_folder(name, FUTURE_FOLDER_SUFFIX)
}

fn parse_unique_folder(name: &str, suffix: &str) -> Option<TopicPartition> {
    let (partition, unique) = name.strip_suffix(suffix)?.rsplit_once('.')?;
    let is_unique = unique.len() == UNIQUE_DIGITS && unique.bytes().all(|byte| byte.is_ascii_hexdigit());
    parse_partition_folder(partition).filter(|_| is_unique)
}

/// Whether a file in a partition's folder is the log's own: a segment's file, a checkpoint, or one of them that is
/// being written or deleted.
pub fn is_log_file(name: &str) -> bool {
    is_whole_log_file(name) || unfinished(name).is_some_and(is_whole_log_file)
}

/// The final name of a log's file that is being replaced, written by compaction, or deleted.
pub fn unfinished(name: &str) -> Option<&str> {
    [DELETED_SUFFIX, CLEANED_SUFFIX, SWAP_SUFFIX, TEMPORARY_SUFFIX]
        .into_iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .filter(|name| is_whole_log_file(name))
}

fn is_whole_log_file(name: &str) -> bool {
    name == LEADER_EPOCHS || name == PARTITION_METADATA || parse(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_kafkas() {
        assert_eq!(
            file_name(368_769, FileKind::TimeIndex),
            "00000000000000368769.timeindex"
        );
        for kind in FileKind::ALL {
            assert_eq!(parse(&file_name(i64::MAX, kind)), Some((i64::MAX, kind)));
        }
        for other in [
            "1.log",
            "00000000000000000000.log.deleted",
            "plain.log",
            "-0000000000000000001.log",
            ".log",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
        assert_eq!(
            parse_metadata_snapshot("00000000000000000029-0000000001.checkpoint"),
            Some((29, 1))
        );
    }

    #[test]
    fn a_logs_own_files() {
        for own in [
            "00000000000000000042.log",
            "00000000000000000042.timeindex.deleted",
            "00000000000000000042.log.swap",
            "leader-epoch-checkpoint",
            "leader-epoch-checkpoint.tmp",
            "partition.metadata",
        ] {
            assert!(is_log_file(own), "{own}");
        }
        for other in [
            "a.jpg",
            "notes.tmp",
            "old.deleted",
            "42.log",
            "build.log",
            "x.swap",
            "",
        ] {
            assert!(!is_log_file(other), "{other}");
        }
    }

    #[test]
    fn partition_folders() {
        assert_eq!(
            parse_partition_folder("a-b-12"),
            Some(TopicPartition::new("a-b", 12))
        );
        for other in ["orders", "-1", "orders-", "orders-x", "orders-99999999999"] {
            assert_eq!(parse_partition_folder(other), None, "{other}");
        }
        let name = deleted_folder(&TopicPartition::new("t".repeat(249), 7), 1);
        assert_eq!(name.len(), 255);
        assert!(is_deleted_folder(&name));
        for other in [
            "my.photos-delete",
            "photos-0.tar-delete",
            "photos.0123456789abcdef0123456789abcdef-delete",
            "photos-0.0123456789abcdef0123456789abcdeg-delete",
        ] {
            assert!(!is_deleted_folder(other), "{other}");
        }
        assert_eq!(parse_partition_folder(&name), None);
        let name = future_folder(&TopicPartition::new("t.x-1", 7), 1);
        assert_eq!(name, "t.x-1-7.00000000000000000000000000000001-future");
        assert_eq!(parse_future_folder(&name), Some(TopicPartition::new("t.x-1", 7)));
        assert_eq!(parse_partition_folder(&name), None);
    }
}
