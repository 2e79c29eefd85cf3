//! `kafka-storage` as Apache Kafka 4.3.1 has it, for log dirs of Apache Kafka and of the mini broker.
//!
//! The properties file is in `config`, the versions of releases in `versions`, first users in `scram`, the voters of a
//! dynamic quorum in `voters`.

mod config;
mod format;
mod info;
mod options;
mod scram;
mod versions;
mod voters;

use std::process::ExitCode;

use super::argparse::{Namespace, parse};
use super::feature_levels::{FEATURES, LATEST, metadata_name};
use super::option_table::Tool;
use crate::output::{stderr_line, stdout_line};
use crate::storage::partition_metadata::{encode_id, random_id};
use options::OPTIONS;
pub(super) use options::PROGRAM;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-storage",
    options: OPTIONS,
};

pub(super) fn run(args: &[String]) -> ExitCode {
    let given = match parse(&PROGRAM, args) {
        Ok(given) => given,
        Err(stop) => return PROGRAM.stopped(stop),
    };
    match carry_out(&given) {
        Ok(code) => code,
        Err(message) => {
            stderr_line(message);
            ExitCode::FAILURE
        }
    }
}

/// The error is the line with which the tool ends.
fn carry_out(given: &Namespace) -> Result<ExitCode, String> {
    match given.command {
        "info" => {
            let config = config::read(given.value("config").unwrap_or_default())?;
            Ok(info::run(&config))
        }
        "format" => {
            let config = config::read(given.value("config").unwrap_or_default())?;
            format::run(&config, given)
        }
        "version-mapping" => version_mapping(given.value("release-version")),
        "feature-dependencies" => {
            for word in given.values("feature") {
                stdout_line(versions::dependencies(word)?);
            }
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            let id = random_id().map_err(|error| error.to_string())?;
            Ok(stdout_line(encode_id(id)))
        }
    }
}

fn version_mapping(word: Option<&str>) -> Result<ExitCode, String> {
    let version = match word {
        Some(word) => versions::of_word(word, true)?,
        None => LATEST,
    };
    let name = word.or(metadata_name(version)).unwrap_or_default();
    stdout_line(format_args!("metadata.version={version} ({name})"));
    for feature in FEATURES {
        let level = feature.level_with(version);
        stdout_line(format_args!("{}={level}", feature.name));
    }
    Ok(ExitCode::SUCCESS)
}
