//! Does the broker answer right?

mod expected_by_clients;
mod group_transcript;
mod groups;
mod hostile_client;
mod lifecycle;
mod partition_files;
mod protocol_transcript;
mod restart;
mod talk;
