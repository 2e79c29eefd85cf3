//! `kafka-dump-log` as Apache Kafka 4.3.1 has it: its checks in their order, and the meaning of its values.
//!
//! Its options are in `options`, its reading of files in `steps`, and its output in `words`.

mod options;
pub mod steps;
pub mod words;

use std::process::ExitCode;

use super::option_parser::{self, Parsed};
use super::option_table::Tool;
use super::usage;
use crate::output::{OutputOptions, Printer, stderr_line};
use options::OPTIONS;
use steps::{Decoder, ElementDecoder, JavaDump};

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-dump-log",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly corrupt log segment.";
const DEFAULT_MAX_MESSAGE_SIZE: i32 = 5 * 1024 * 1024;
const STRING_DECODER: &str = "org.apache.kafka.tools.api.StringDecoder";

/// The options that print the contents of records.
const PRINTING: &[&str] = &[
    "print-data-log",
    "offsets-decoder",
    "transaction-log-decoder",
    "cluster-metadata-decoder",
    "remote-log-metadata-decoder",
    "value-decoder-class",
    "key-decoder-class",
    "share-group-state-decoder",
];

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match option_parser::parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&error.to_string()),
    };
    if let Some(code) = usage::help_or_version(&TOOL, &parsed, ABOUT) {
        return code;
    }
    if let Err(message) = option_parser::check_required(&parsed, &["files"]) {
        return usage::refuse(&TOOL, &message);
    }
    match translate(&parsed) {
        Ok(dump) => steps::run(&dump, Printer::new(OutputOptions::default())),
        Err(message) => refuse(&message),
    }
}

fn refuse(message: &str) -> ExitCode {
    stderr_line(message);
    ExitCode::FAILURE
}

/// Java converts most values only when a file needs them, hence the results in the fields.
fn translate(parsed: &Parsed) -> Result<JavaDump, String> {
    let files = parsed
        .value("files")
        .map_err(|error| error.to_string())?
        .unwrap_or_default();
    let print_contents = PRINTING.iter().any(|name| parsed.has(name));
    Ok(JavaDump {
        files: split_like_java(files),
        print_contents,
        deep: print_contents || parsed.has("deep-iteration"),
        skip_record_metadata: parsed.has("skip-record-metadata"),
        verify_only: parsed.has("verify-index-only"),
        sanity_only: parsed.has("index-sanity-check"),
        decoder: decoder(parsed),
        max_bytes: integer(parsed, "max-bytes", i32::MAX),
        max_message_size: integer(parsed, "max-message-size", DEFAULT_MAX_MESSAGE_SIZE),
    })
}

/// `String.split(",")`: empty parts at the end are dropped, but the empty text is one part.
fn split_like_java(files: &str) -> Vec<String> {
    if files.is_empty() {
        return vec![String::new()];
    }
    files
        .trim_end_matches(',')
        .split(',')
        .filter(|_| files.contains(|c| c != ','))
        .map(str::to_owned)
        .collect()
}

fn integer(parsed: &Parsed, name: &str, default: i32) -> Result<i32, String> {
    let value = parsed.integer(name).map_err(|error| error.to_string())?;
    Ok(value.unwrap_or(default))
}

fn decoder(parsed: &Parsed) -> Result<Decoder, String> {
    let chosen = [
        ("offsets-decoder", Decoder::Offsets),
        ("transaction-log-decoder", Decoder::TransactionLog),
        ("cluster-metadata-decoder", Decoder::ClusterMetadata),
        ("remote-log-metadata-decoder", Decoder::RemoteLogMetadata),
        ("share-group-state-decoder", Decoder::ShareGroupState),
    ];
    if let Some((_, decoder)) = chosen.into_iter().find(|(name, _)| parsed.has(name)) {
        return Ok(decoder);
    }
    let value = element_decoder(parsed, "value-decoder-class")?;
    let key = element_decoder(parsed, "key-decoder-class")?;
    Ok(Decoder::Elements { key, value })
}

fn element_decoder(parsed: &Parsed, name: &str) -> Result<ElementDecoder, String> {
    let class = parsed
        .value(name)
        .map_err(|error| error.to_string())?
        .unwrap_or(STRING_DECODER);
    match class.strip_prefix("org.apache.kafka.tools.api.") {
        Some("StringDecoder") => Ok(ElementDecoder::Text),
        Some("IntegerDecoder") => Ok(ElementDecoder::Integer),
        Some("LongDecoder") => Ok(ElementDecoder::Long),
        Some("DefaultDecoder") => Ok(ElementDecoder::Bytes),
        _ => Err(format!("Failed to load decoder class {class}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_split_as_java_splits() {
        assert_eq!(split_like_java(""), [""]);
        assert_eq!(split_like_java("a,b"), ["a", "b"]);
        assert_eq!(split_like_java("a,,b,,"), ["a", "", "b"]);
        assert_eq!(split_like_java(",a"), ["", "a"]);
        assert!(split_like_java(",,").is_empty());
    }
}
