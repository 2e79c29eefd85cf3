//! What one look at a cluster found. A look asks for what is due only: the other parts are empty.

use std::collections::BTreeMap;

use crate::client::admin::Broker;
use crate::client::admin::groups::GroupListing;
use crate::client::admin::topics::TopicDescription;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// What one look found.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub layout: Option<Layout>,
    /// Where partitions end; those whose leader did not say are left out.
    pub ends: Option<BTreeMap<TopicPartition, Offset>>,
    pub disks: Option<Disks>,
    /// All groups.
    pub groups: Option<Vec<GroupListing>>,
    /// Groups whose coordinators were asked this time.
    pub places: BTreeMap<String, GroupPlaces>,
    /// Brokers that could not be asked, each with the reason; and what may not be asked.
    pub complaints: Vec<String>,
}

/// Brokers and topics.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    pub cluster_id: Option<String>,
    pub controller: Option<BrokerId>,
    /// By id.
    pub brokers: Vec<Broker>,
    /// By name.
    pub topics: Vec<TopicDescription>,
}

/// What lies on disks.
#[derive(Clone, Debug, Default)]
pub struct Disks {
    pub brokers: BTreeMap<BrokerId, DiskSpace>,
    /// Bytes of the segments of each partition at its leader.
    pub sizes: BTreeMap<TopicPartition, i64>,
    /// Log start offsets.
    pub firsts: BTreeMap<TopicPartition, Offset>,
}

/// The log dirs of one broker, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskSpace {
    /// Of all its replicas.
    pub used: i64,
    /// Left on its file systems, where it tells.
    pub free: Option<i64>,
}

/// How far a group is.
#[derive(Clone, Debug, Default)]
pub struct GroupPlaces {
    /// Committed offsets; unknown where the coordinator did not say, and of share groups.
    pub committed: Option<BTreeMap<TopicPartition, Offset>>,
    /// Where it is known: not asked each time.
    pub members: Option<usize>,
    /// The lag that the coordinator states itself, as it does of share groups.
    pub stated_lag: Option<i64>,
    /// The client id of the member that has each partition; of a group that is opened alone.
    pub assigned: Option<BTreeMap<TopicPartition, String>>,
}
