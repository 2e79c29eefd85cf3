//! Does the broker answer right?

mod expected_by_clients;
mod groups;
mod hostile_client;
mod lifecycle;
mod partition_files;
mod restart;
mod transcript;
