//! What is true of the whole cluster, as plain data, and the one log on disk that keeps it.
//!
//! [`controller`] and [`config_changes`] decide whether a change is allowed; [`image`] is the data and changes only by
//! applying records; [`records`] makes those records, in the form of Apache Kafka's metadata log (KIP-631);
//! [`metadata_log`] keeps them; [`apache_kafka`] and [`metadata_file`] read what Apache Kafka and kafkit 0.1.0 have kept;
//! [`producer_ids`] counts the ids that are given. Knows no open log of a partition and no client.

pub(super) mod apache_kafka;
pub(super) mod config_changes;
pub(super) mod controller;
pub(super) mod image;
pub(super) mod metadata_file;
pub(super) mod metadata_log;
pub(super) mod producer_ids;
pub(super) mod records;
