//! All integration tests, by question: does each command do what it says (`cli`), does the broker answer right
//! (`broker`), does the log survive (`storage`), and does every parser of bytes keep its promises
//! (`properties`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on must stop"
)]
#![allow(
    unreachable_pub,
    reason = "helpers are shared between the modules of one binary"
)]

mod architecture;
mod broker;
mod cli;
mod client;
mod fuzz;
mod generated_files;
mod house;
mod internal_records;
mod properties;
mod readme;
mod recorded;
mod storage;
mod support;
mod torture;
