//! kafkit: everyday work with Apache Kafka from a shell, and a mini broker.
//!
//! The modules in reading order; ARCHITECTURE.md has the drawing and the rules between them.

pub mod broker;
pub mod cli;
pub mod client;
pub mod commands;
pub mod error;
pub mod filter;
pub mod input;
pub mod internal_records;
pub mod interrupt;
pub mod java;
pub mod java_tools;
pub mod log_audit;
pub mod output;
pub mod plain_words;
pub mod reassignment;
pub mod records;
pub mod spelling;
pub mod storage;
pub mod topic_config;
pub mod topic_partition;
pub mod wire;

use std::ffi::OsString;
use std::process::ExitCode;

use cli::invocation::JavaNames;
use java_tools::flag_table;
use java_tools::multicall::{self, Face};

/// Runs one command line, the program's name first, and says how it ended.
///
/// The name (or the first word, as in busybox) decides which face answers: the native one, or one of Apache
/// Kafka's tools with its own option rules, texts and exit codes.
pub fn run(argv: Vec<OsString>) -> ExitCode {
    match multicall::face(argv) {
        Face::Native(argv) => cli::run(
            &argv,
            &JavaNames {
                links: multicall::link_names,
                man_section: flag_table::roff,
            },
        ),
        Face::Java(tool, words) => java_tools::run(tool, &words),
    }
}
