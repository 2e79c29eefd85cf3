//! kafkit: everyday work with Apache Kafka from a shell, and a mini broker.
//!
//! The modules in reading order; ARCHITECTURE.md has the drawing and the rules between them.

pub mod broker;
pub mod cli;
pub mod client;
pub mod commands;
pub mod completion;
pub mod error;
pub mod filter;
pub mod input;
pub mod internal_records;
pub mod interrupt;
pub mod java;
pub mod java_tools;
pub mod lock_file;
pub mod log_audit;
pub mod monitor;
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
use completion::{Line, Offer, Question};
use java_tools::flag_table;
use java_tools::multicall::{self, Face};

/// What the native face knows of the Java face.
const JAVA: JavaNames = JavaNames {
    links: multicall::link_names,
    man_section: flag_table::roff,
};

/// Runs one command line, the program's name first, and says how it ended.
///
/// The name (or the first word, as in busybox) decides which face answers: the native one, or one of Apache
/// Kafka's tools with its own option rules, texts and exit codes. A shell that asks for completions gets those.
pub fn run(argv: Vec<OsString>) -> ExitCode {
    if let Some(question) = Question::asked(&argv) {
        return output::stdout_text(question.answer(&offer(question.line())));
    }
    match multicall::face(argv) {
        Face::Native(argv) => cli::run(&argv, &JAVA),
        Face::Java(tool, words) => java_tools::run(tool, &words),
    }
}

/// What the face that answers a line offers for the word that is being typed.
fn offer(line: &Line) -> Offer {
    match multicall::face(line.words.iter().map(OsString::from).collect()) {
        Face::Native(_) => cli::completion::offer(line, &JAVA),
        Face::Java(tool, words) => {
            let words: Vec<String> = words
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            java_tools::completion::offer(tool, &words, line)
        }
    }
}
