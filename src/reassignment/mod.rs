//! A move of replicas, as values: plans read and written, plans proposed, throttles, progress.
//!
//! Pure: JSON and facts about a cluster in, values out. Owns no socket, no clock and no layout of output;
//! `commands/reassign` calls it, and `output/reassignment.rs` shows its values.

pub mod active;
pub mod cluster_view;
pub mod edited_plan;
pub mod impact;
pub mod plan;
pub mod plan_json;
pub mod planner;
pub mod progress;
pub mod random;
pub mod striped_placement;
pub mod throttle;

use std::collections::BTreeMap;

use crate::topic_partition::{BrokerId, TopicPartition};

/// Which brokers hold each partition; the preferred leader comes first.
pub type Assignment = BTreeMap<TopicPartition, Vec<BrokerId>>;
