//! The results of one look at a cluster. A look requests only what is due: the other parts are empty.

use std::collections::BTreeMap;

use crate::client::admin::Broker;
use crate::client::admin::groups::GroupListing;
use crate::client::admin::topics::TopicDescription;
use crate::topic_partition::{BrokerId, Offset, TopicPartition};

/// The results of one look.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub layout: Option<Layout>,
    /// The ends of partitions; those whose leader did not answer are left out.
    pub ends: Option<BTreeMap<TopicPartition, Offset>>,
    pub disks: Option<Disks>,
    /// All groups.
    pub groups: Option<Vec<GroupListing>>,
    /// Groups whose coordinators were asked in this look.
    pub places: BTreeMap<String, GroupPlaces>,
    /// Brokers that did not answer, each with the reason; and requests that are not authorized.
    pub complaints: Vec<String>,
}

/// Brokers and topics.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    pub cluster_id: Option<String>,
    pub controller: Option<BrokerId>,
    /// Sorted by id.
    pub brokers: Vec<Broker>,
    /// Sorted by name.
    pub topics: Vec<TopicDescription>,
}

/// The sizes of logs.
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
    /// Bytes of all its replicas.
    pub used: i64,
    /// Free bytes of its file systems, if it reports them.
    pub free: Option<i64>,
}

/// The progress of a group.
#[derive(Clone, Debug, Default)]
pub struct GroupPlaces {
    /// Committed offsets; `None` if the coordinator did not answer, and for share groups.
    pub committed: Option<BTreeMap<TopicPartition, Offset>>,
    /// `None` if they were not requested in this look.
    pub members: Option<usize>,
    /// The lag as the coordinator reports it, for share groups.
    pub stated_lag: Option<i64>,
    /// The client id of the member that owns each partition; only for the group that is opened.
    pub assigned: Option<BTreeMap<TopicPartition, String>>,
}
