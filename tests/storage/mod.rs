//! Does the log survive? Files that Apache Kafka wrote, crashes, restarts, retention.

mod crash;
mod golden;
mod lifecycle;
mod log_dir;
pub mod write;
