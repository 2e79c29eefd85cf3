//! A page of the screen: its rows, their figures, their order.

use super::field::{Field, Figure, Health};
use crate::topic_partition::{BrokerId, TopicPartition};

/// The permanent pages, in the order of their tabs.
pub const TABS: [Listing; 4] = [
    Listing::Brokers,
    Listing::Topics,
    Listing::Partitions,
    Listing::Groups,
];

/// The subject of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    Brokers,
    Topics,
    Partitions,
    Groups,
    /// The partitions that a broker has replicas of.
    OfBroker(BrokerId),
    /// The partitions of a topic.
    OfTopic(String),
    /// The partitions that a group reads.
    OfGroup(String),
}

/// The identity of a row, which does not change with the order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowName {
    Broker(BrokerId),
    Topic(String),
    Partition(TopicPartition),
    Group(String),
}

/// One row of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: RowName,
    /// In the order of [`Listing::fields`].
    pub figures: Vec<Figure>,
    /// The last values of the page's main figure, oldest first: records a second, or lag.
    pub history: Vec<f64>,
    pub health: Health,
}

impl Listing {
    /// The fields of its rows, the name first.
    pub fn fields(&self) -> &'static [Field] {
        match self {
            Self::Brokers => &[
                Field::Broker,
                Field::Address,
                Field::Rack,
                Field::Leads,
                Field::Replicas,
                Field::OutOfSync,
                Field::Written,
                Field::Bytes,
                Field::Size,
                Field::Free,
                Field::Health,
            ],
            Self::Topics => &[
                Field::Topic,
                Field::Partitions,
                Field::Written,
                Field::Bytes,
                Field::Offsets,
                Field::Size,
                Field::Health,
            ],
            Self::Partitions | Self::OfBroker(_) | Self::OfTopic(_) => &[
                Field::Topic,
                Field::Partition,
                Field::Leader,
                Field::Replicas,
                Field::InSync,
                Field::Written,
                Field::Bytes,
                Field::First,
                Field::Next,
                Field::Size,
                Field::Health,
            ],
            Self::Groups => &[
                Field::Group,
                Field::State,
                Field::Members,
                Field::Lag,
                Field::Read,
                Field::Written,
                Field::CaughtUpIn,
            ],
            Self::OfGroup(_) => &[
                Field::Topic,
                Field::Partition,
                Field::Committed,
                Field::End,
                Field::Lag,
                Field::Read,
                Field::Written,
                Field::CaughtUpIn,
                Field::Member,
            ],
        }
    }

    /// The initial order of its rows.
    pub fn first_order(&self) -> Order {
        let field = match self {
            Self::Brokers => Field::Broker,
            Self::Topics | Self::Partitions | Self::OfBroker(_) => Field::Written,
            Self::OfTopic(_) => Field::Partition,
            Self::Groups | Self::OfGroup(_) => Field::Lag,
        };
        Order::of(field)
    }

    /// The page that a row of this page opens.
    pub fn opens(&self, row: &RowName) -> Option<Self> {
        match (self, row) {
            (Self::Brokers, RowName::Broker(id)) => Some(Self::OfBroker(*id)),
            (Self::Topics, RowName::Topic(name)) => Some(Self::OfTopic(name.clone())),
            (Self::Partitions | Self::OfBroker(_), RowName::Partition(place)) => {
                Some(Self::OfTopic(place.topic.clone()))
            }
            (Self::Groups, RowName::Group(name)) => Some(Self::OfGroup(name.clone())),
            _ => None,
        }
    }
}

/// The order of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub field: Field,
    pub is_descending: bool,
}

impl Order {
    /// The order by a field in which values of most interest come first.
    pub fn of(field: Field) -> Self {
        Self {
            field,
            is_descending: Figure::is_more_first(field),
        }
    }

    /// Sorts rows; equal ones by name.
    pub fn sort(self, rows: &mut [Row], fields: &[Field]) {
        let place = fields.iter().position(|field| *field == self.field).unwrap_or(0);
        rows.sort_by(|one, two| {
            let (Some(left), Some(right)) = (one.figures.get(place), two.figures.get(place)) else {
                return one.name.cmp(&two.name);
            };
            let order = left.compare(right);
            let order = if self.is_descending {
                order.reverse()
            } else {
                order
            };
            // Unknown values come last in both directions.
            let unknown = left.is_unknown().cmp(&right.is_unknown());
            unknown.then(order).then_with(|| one.name.cmp(&two.name))
        });
    }
}
