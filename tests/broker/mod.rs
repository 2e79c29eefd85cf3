//! Does the broker answer right?

mod access_lists;
mod compaction;
mod configs;
mod connection_limits;
mod consumer_protocol;
mod conversation;
mod expected_by_clients;
mod faults;
mod features;
mod foreign_folders;
mod full_disk;
mod groups;
mod hostile_client;
mod lifecycle;
mod locked_listeners;
mod lost_folder;
mod many_clients;
mod newer_versions;
mod nodes;
mod partition_files;
mod quotas;
mod replicas_of_one_node;
mod restart;
mod share_groups;
mod transactions;
mod transcript;
