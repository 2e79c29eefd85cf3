//! What is true of the whole cluster, as plain data, and the one log on disk that keeps it.
//!
//! [`controller`] and [`config_changes`] decide whether a change is allowed; [`image`] is the data and changes only by applying records; [`records`] makes those records, in the form of Apache
//! Kafka's metadata log (KIP-631); [`metadata_log`] keeps them; [`apache_kafka`] reads what Apache Kafka has kept.
//! Knows no open log of a partition and no client.

pub(super) mod apache_kafka;
pub(super) mod config_changes;
pub(super) mod controller;
pub(super) mod image;
pub(super) mod metadata_log;
pub(super) mod records;
