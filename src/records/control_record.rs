//! Control records: the markers that Kafka itself writes among a user's records.
//!
//! <https://kafka.apache.org/documentation/#controlbatch>

use super::batch_builder::{BatchBuilder, BatchOptions, Producer};
use super::fields::{i16_at, i32_at};
use super::record::Record;

/// What a control record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlType {
    Abort,
    Commit,
    LeaderChange,
    SnapshotHeader,
    SnapshotFooter,
    KRaftVersion,
    KRaftVoters,
    /// A number that no Kafka release has given a meaning.
    Unknown(i16),
}

impl ControlType {
    /// Kafka's number.
    pub fn id(self) -> i16 {
        match self {
            Self::Abort => 0,
            Self::Commit => 1,
            Self::LeaderChange => 2,
            Self::SnapshotHeader => 3,
            Self::SnapshotFooter => 4,
            Self::KRaftVersion => 5,
            Self::KRaftVoters => 6,
            Self::Unknown(id) => id,
        }
    }

    fn from_id(id: i16) -> Self {
        match id {
            0 => Self::Abort,
            1 => Self::Commit,
            2 => Self::LeaderChange,
            3 => Self::SnapshotHeader,
            4 => Self::SnapshotFooter,
            5 => Self::KRaftVersion,
            6 => Self::KRaftVoters,
            id => Self::Unknown(id),
        }
    }

    /// Reads a control record's key: version and type. `None` if it is too short or its version negative.
    pub fn parse(key: &[u8]) -> Option<Self> {
        (key.len() >= 4 && i16_at(key, 0) >= 0).then(|| Self::from_id(i16_at(key, 2)))
    }
}

/// The end of a transaction on one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndTransactionMarker {
    pub committed: bool,
    /// The epoch of the transaction coordinator that wrote it.
    pub coordinator_epoch: i32,
}

impl EndTransactionMarker {
    /// Reads the marker out of a control record; `None` if it is another kind of control record.
    pub fn parse(record: &Record<'_>) -> Option<Self> {
        let committed = match ControlType::parse(record.key?)? {
            ControlType::Commit => true,
            ControlType::Abort => false,
            _ => return None,
        };
        let value = record.value.filter(|value| value.len() >= 6)?;
        Some(Self {
            committed,
            coordinator_epoch: i32_at(value, 2),
        })
    }

    /// The control batch that holds this marker, to be appended like any other.
    pub fn to_batch(self, producer_id: i64, producer_epoch: i16, timestamp: i64) -> Vec<u8> {
        let control_type = if self.committed {
            ControlType::Commit
        } else {
            ControlType::Abort
        };
        let [zero, version] = [0, 0];
        let [high, low] = control_type.id().to_be_bytes();
        let mut value = vec![0, 0];
        value.extend_from_slice(&self.coordinator_epoch.to_be_bytes());
        let mut builder = BatchBuilder::new(BatchOptions {
            producer: Some(Producer {
                id: producer_id,
                epoch: producer_epoch,
                base_sequence: -1,
            }),
            transactional: true,
            control: true,
            ..BatchOptions::default()
        });
        builder.append(timestamp, Some(&[zero, version, high, low]), Some(&value), &[]);
        builder.finish_uncompressed()
    }
}
