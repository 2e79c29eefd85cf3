//! The fields of listings, and their values. Headings and formats belong to `output/top`.

use std::cmp::Ordering;

use crate::topic_partition::BrokerId;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    Broker,
    Address,
    Rack,
    /// Partitions that the broker leads.
    Leads,
    Replicas,
    /// Replicas on the broker that are not in sync.
    OutOfSync,
    Topic,
    Partitions,
    /// The difference of the next offset and the log start offset.
    Offsets,
    Partition,
    Leader,
    InSync,
    First,
    Next,
    /// Records written a second.
    Written,
    /// Bytes written a second.
    Bytes,
    Size,
    /// Free bytes on the broker's disks.
    Free,
    Group,
    State,
    Members,
    Lag,
    /// Records read a second.
    Read,
    /// Seconds until the lag is gone.
    CaughtUpIn,
    Committed,
    End,
    Member,
    Health,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    Unknown,
    Word(String),
    Number(i64),
    /// Ids of brokers.
    Ids(Vec<BrokerId>),
    Bytes(i64),
    /// Per second.
    Rate(f64),
    /// Bytes a second.
    ByteRate(f64),
    Seconds(f64),
    Health(Health),
}

/// How many of some partitions have which problem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Health {
    /// Of a broker: it is missing in the cluster's metadata.
    pub is_down: bool,
    pub without_leader: usize,
    pub under_replicated: usize,
    /// The number of all partitions.
    pub partitions: usize,
}

impl Health {
    pub fn is_well(self) -> bool {
        !self.is_down && self.without_leader == 0 && self.under_replicated == 0
    }
}

impl Figure {
    /// A number that may be unknown.
    pub fn number(number: Option<i64>) -> Self {
        number.map_or(Self::Unknown, Self::Number)
    }

    pub fn count(count: usize) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }

    pub fn bytes(bytes: Option<i64>) -> Self {
        bytes.map_or(Self::Unknown, Self::Bytes)
    }

    pub fn rate(rate: Option<f64>) -> Self {
        rate.map_or(Self::Unknown, Self::Rate)
    }

    pub fn byte_rate(rate: Option<f64>) -> Self {
        rate.map_or(Self::Unknown, Self::ByteRate)
    }

    /// Whether the largest values are of most interest.
    pub fn is_more_first(field: Field) -> bool {
        !matches!(
            field,
            Field::Broker
                | Field::Address
                | Field::Rack
                | Field::Topic
                | Field::Partition
                | Field::Leader
                | Field::InSync
                | Field::Group
                | Field::State
                | Field::Member
                | Field::Free
        )
    }

    /// Compares two values of one field; an unknown one is less than all others.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Word(one), Self::Word(two)) => one.cmp(two),
            (Self::Ids(one), Self::Ids(two)) => one.cmp(two),
            (Self::Health(one), Self::Health(two)) => one.cmp(two),
            _ => self.as_number().total_cmp(&other.as_number()),
        }
    }

    fn as_number(&self) -> f64 {
        match self {
            Self::Number(number) | Self::Bytes(number) => *number as f64,
            Self::Rate(number) | Self::ByteRate(number) | Self::Seconds(number) => *number,
            Self::Unknown | Self::Word(_) | Self::Ids(_) | Self::Health(_) => f64::NEG_INFINITY,
        }
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}
