//! Which figures there are, and their values. Their headings and formats belong to `output/top`.

use std::cmp::Ordering;

use crate::topic_partition::BrokerId;

/// What stands in a column.
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
    /// Offsets from the first to the next one.
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
    /// Bytes that are free on the broker's disks.
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
    /// Brokers.
    Ids(Vec<BrokerId>),
    Bytes(i64),
    /// A second.
    Rate(f64),
    /// Bytes a second.
    ByteRate(f64),
    Seconds(f64),
    Health(Health),
}

/// How many of some partitions are unwell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Health {
    /// Of a broker: the cluster does not name it.
    pub is_down: bool,
    pub without_leader: usize,
    pub under_replicated: usize,
    /// Partitions in all.
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

    /// Whether the more of it is what one looks for first.
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

    /// The order of two values of one field; what is unknown is less than all else.
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
