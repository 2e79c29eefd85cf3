//! `kafkit produce …` to `produce::Action`.

use std::path::PathBuf;

use clap::Args;

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::times::parse_time;
use crate::client::settings::{Origin, Use};
use crate::commands::produce::{Action, Fixed};
use crate::error::{Error, Result};
use crate::input::RecordParser;
use crate::input::chunks::Source;
use crate::input::csv::CsvParser;
use crate::input::json::JsonParser;
use crate::input::lines::{KeyIn, LineParser, Unseparated};
use crate::input::splitter::PieceEnd;
use crate::output::voice::NativeVoice;
use crate::output::{OutputOptions, is_on_terminal, record_template::unescape};
use crate::plain_words;

const EXAMPLES: &str = "\
Examples:
  seq 5 | kafkit produce hello                            five records
  tail -f app.log | kafkit produce logs --key-regex '^(\\S+)'   the first word is the key
  printf 'k1\\tv1\\n' | kafkit produce t -K '\\t'           key and value in a line
  kafkit produce orders big.csv --csv --key id -z zstd     a column as the key
  kafkit consume a --json | kafkit produce b --json        a copy, nothing lost
  kafkit produce orders big.csv --csv --transactional-id import   all of it, or nothing
  kafkit produce orders big.csv --csv --resume-from big.progress   goes on where it was cut
  find . -name '*.xml' -print0 | kafkit produce docs -0 --value-file   each file a record

Each record is acknowledged by the cluster before it counts as sent; exit 1 if any was not.";

/// Send lines, files or JSON records to a topic
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ProduceArgs {
    /// The topic to send to
    #[arg(add = super::candidates::topics())]
    topic: String,

    /// Files to read, one after the other; `-` or nothing is standard input
    files: Vec<PathBuf>,

    #[command(flatten)]
    shape: ShapeArgs,
    #[command(flatten)]
    record: RecordArgs,
    #[command(flatten)]
    delivery: DeliveryArgs,
    #[command(flatten)]
    connection: ConnectionArgs,

    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,

    /// Say which engine carries the records, and why
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "What a record is")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
struct ShapeArgs {
    /// JSON lines, as `kafkit consume --json` and `kcat -J` print them
    #[arg(long, conflicts_with_all = ["csv", "whole", "key_separator", "key_regex", "null"])]
    json: bool,

    /// CSV with a heading; each row becomes a JSON object, and --key names the column of the key
    #[arg(long, conflicts_with_all = ["whole", "key_separator", "key_regex", "null", "null_delimited", "delimiter"])]
    csv: bool,

    /// What stands between the columns of --csv: a character, or tab, semicolon, pipe, space; a comma unless given
    #[arg(long, value_name = "CHARACTER", requires = "csv", value_parser = csv_delimiter)]
    csv_delimiter: Option<char>,

    /// As --csv, with tabs between the columns
    #[arg(long, conflicts_with_all = ["json", "csv", "csv_delimiter", "whole", "key_separator", "key_regex", "null", "null_delimited", "delimiter", "value_file"])]
    tsv: bool,

    /// With --csv and --tsv: numbers, true and false are such in the JSON object, and empty fields are null
    #[arg(long, conflicts_with_all = ["json", "whole", "value_file"])]
    typed: bool,

    /// Each file is one record
    #[arg(long, conflicts_with_all = ["null_delimited", "delimiter", "value_file"])]
    whole: bool,

    /// Records end in a zero byte, as `find -print0` writes them
    #[arg(short = '0', long)]
    null_delimited: bool,

    /// Records end in these bytes (escapes \n \t \xHH); a line end unless given
    #[arg(short = 'D', long, value_name = "BYTES", conflicts_with = "null_delimited")]
    delimiter: Option<String>,

    /// The key stands before the first of these bytes, the value after (escapes \n \t \xHH)
    #[arg(short = 'K', long, value_name = "BYTES")]
    key_separator: Option<String>,

    /// What to do with a line that has no key separator: send it as a `value`, or as a `key` with a null value
    #[arg(long, value_name = "value|key", requires = "key_separator")]
    no_separator: Option<String>,

    /// The key is what this regular expression matches in the line (its first group, if it has one)
    #[arg(long, value_name = "REGEX", conflicts_with = "key_separator")]
    key_regex: Option<String>,

    /// Empty keys and values are null; without it they are empty
    #[arg(short = 'Z', long)]
    null: bool,

    /// Each piece of input is the name of a file whose contents are the value
    #[arg(long, conflicts_with_all = ["json", "csv"])]
    value_file: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "What every record gets")]
struct RecordArgs {
    /// The key of records that have none of their own (with --csv: the column of the key)
    #[arg(short, long, value_name = "KEY", allow_negative_numbers = true)]
    key: Option<String>,

    /// A header, as NAME=VALUE (NAME alone is a null); may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME=VALUE")]
    headers: Vec<String>,

    /// The partition; else (and with -1) the key decides as in Java, and without a key it changes from batch to batch
    #[arg(short, long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(-1..), allow_negative_numbers = true)]
    partition: Option<i32>,

    /// The time: milliseconds since 1970, RFC 3339, a date, or an age such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    timestamp: Option<i64>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Delivery")]
struct DeliveryArgs {
    /// Compress batches
    #[arg(short = 'z', long, value_name = "none|gzip|snappy|lz4|zstd", value_parser = ["none", "gzip", "snappy", "lz4", "zstd"])]
    compression: Option<String>,

    /// Who must have a record before it counts as sent
    #[arg(long, value_name = "all|1|0", value_parser = ["all", "-1", "1", "0"], allow_negative_numbers = true)]
    acks: Option<String>,

    /// Send so many records at most
    #[arg(short = 'n', long, value_name = "COUNT", allow_negative_numbers = true)]
    count: Option<u64>,

    /// Send in a transaction of this id: readers of committed records see all of it, or nothing
    #[arg(long, value_name = "ID")]
    transactional_id: Option<String>,

    /// Commit after so many records and begin another transaction; else when the input ends
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    transaction_every: Option<u64>,

    /// Send so many records a second at most: 100, or 100/s, 90/m, 5/h
    #[arg(long, value_name = "COUNT", value_parser = rate)]
    rate: Option<f64>,

    /// Keep in this file how much of the input has arrived; where the file exists, go on behind that
    #[arg(long, value_name = "FILE", conflicts_with = "whole")]
    resume_from: Option<PathBuf>,

    /// Put what is no record into this file and go on
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

impl IntoInvocation for ProduceArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let mut sources: Vec<Source> = self
            .files
            .into_iter()
            .map(|file| {
                if file.as_os_str() == "-" {
                    Source::Stdin
                } else {
                    Source::File(file)
                }
            })
            .collect();
        if sources.is_empty() {
            sources.push(Source::Stdin);
        }
        let mut overrides: Vec<(String, String)> = Vec::new();
        let topic_wait = self.connection.time_without_answer();
        let mut settings = self.connection.into_settings(Use::Produce)?;
        if let Some(codec) = self.delivery.compression {
            // A compression level in the settings applies to the codec named there.
            settings.set("compression.type", codec.as_str(), Origin::Flag);
            overrides.push(("compression.codec".into(), codec));
        }
        if let Some(id) = self.delivery.transactional_id {
            overrides.push(("transactional.id".into(), id));
        } else if self.delivery.transaction_every.is_some() && settings.get("transactional.id").is_none() {
            let missing = Error::usage("--transaction-every commits a transaction, and there is none");
            return Err(missing.hint("give it an id with --transactional-id"));
        }
        overrides.extend(self.delivery.acks.map(|acks| ("acks".into(), acks)));
        let action = Action {
            topic: self.topic,
            sources,
            piece_end: self.shape.piece_end()?,
            parser: self.shape.parser(&self.record)?,
            fixed: Fixed {
                key: self
                    .record
                    .key
                    .filter(|_| !self.shape.has_columns())
                    .map(String::into_bytes),
                partition: self.record.partition.filter(|partition| *partition >= 0),
                headers: self.record.headers.iter().map(|word| header(word)).collect(),
                timestamp: self.record.timestamp,
                value_is_file: self.shape.value_file,
            },
            limit: self.delivery.count,
            rate: self.delivery.rate,
            rejects: self.delivery.rejects,
            resume_from: self.delivery.resume_from,
            is_sync: false,
            commit_every: self.delivery.transaction_every,
            batch_bytes: 1_000_000,
            prompts: is_on_terminal() && !self.quiet,
            topic_wait,
            overrides,
            defaults: Vec::new(),
            oversized_ends_run: false,
            voice: &NativeVoice,
        };
        Ok(Invocation {
            command: Box::new(action),
            settings,
            output: OutputOptions {
                quiet: self.quiet,
                verbose: self.verbose,
                ..OutputOptions::default()
            },
        })
    }
}

impl ShapeArgs {
    fn has_columns(&self) -> bool {
        self.csv || self.tsv
    }

    fn piece_end(&self) -> Result<PieceEnd> {
        if self.whole {
            return Ok(PieceEnd::Whole);
        }
        if self.has_columns() {
            return Ok(PieceEnd::CsvRow);
        }
        if self.null_delimited {
            return Ok(PieceEnd::Delimiter(vec![0]));
        }
        match &self.delimiter {
            Some(text) => Ok(PieceEnd::Delimiter(bytes_of("--delimiter", text)?)),
            None => Ok(PieceEnd::Delimiter(vec![b'\n'])),
        }
    }

    fn parser(&self, record: &RecordArgs) -> Result<Box<dyn RecordParser>> {
        if self.json {
            return Ok(Box::new(JsonParser {
                keeps_topic: false,
                keeps_partition: record.partition.is_none(),
            }));
        }
        if self.has_columns() {
            let delimiter = if self.tsv { Some('\t') } else { self.csv_delimiter };
            let parser = CsvParser::new(record.key.clone(), delimiter);
            return Ok(Box::new(parser.typed(self.typed)));
        }
        if self.typed {
            return Err(Error::usage("--typed is for the columns of --csv and --tsv"));
        }
        let key = match (&self.key_separator, &self.key_regex) {
            (Some(text), _) => KeyIn::Before(bytes_of("--key-separator", text)?),
            (None, Some(pattern)) => {
                KeyIn::Match(regex::bytes::Regex::new(pattern).map_err(|error| no_pattern(pattern, &error))?)
            }
            (None, None) => KeyIn::Nothing,
        };
        let unseparated = match self.no_separator.as_deref() {
            None => Unseparated::Refuse,
            Some("value") => Unseparated::IsValue,
            Some("key") => Unseparated::IsKey,
            Some(other) => {
                return Err(Error::usage(format!(
                    "--no-separator takes value or key, not \"{other}\""
                )));
            }
        };
        Ok(Box::new(LineParser {
            key,
            unseparated,
            empty_is_null: self.null,
        }))
    }
}

fn bytes_of(flag: &str, text: &str) -> Result<Vec<u8>> {
    let bytes = unescape(text).map_err(|problem| Error::usage(format!("{flag}: {problem}")))?;
    if bytes.is_empty() {
        return Err(Error::usage(format!("{flag} wants at least one byte")));
    }
    Ok(bytes)
}

fn csv_delimiter(text: &str) -> Result<char, String> {
    const WRONG: &str = "a delimiter is one character, or tab, semicolon, comma, pipe or space";
    let mut characters = text.chars();
    let delimiter = match (characters.next(), characters.as_str()) {
        (Some(single), "") => single,
        _ => match text {
            "\\t" | "tab" => '\t',
            "semicolon" => ';',
            "comma" => ',',
            "pipe" => '|',
            "space" => ' ',
            _ => return Err(WRONG.to_owned()),
        },
    };
    match delimiter {
        '"' | '\n' | '\r' | '\\' => Err(WRONG.to_owned()),
        delimiter => Ok(delimiter),
    }
}

/// Records a second.
fn rate(text: &str) -> Result<f64, String> {
    let (count, seconds) = match text.split_once('/') {
        None | Some((_, "s")) => (text.strip_suffix("/s").unwrap_or(text), 1.0),
        Some((count, "m")) => (count, 60.0),
        Some((count, "h")) => (count, 3600.0),
        Some(_) => ("", 1.0),
    };
    match count.parse::<f64>() {
        Ok(count) if count > 0.0 && count.is_finite() => Ok(count / seconds),
        _ => Err("a rate is a number above 0, alone or with /s, /m or /h".to_owned()),
    }
}

fn header(word: &str) -> (String, Option<Vec<u8>>) {
    match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.as_bytes().to_vec())),
        None => (word.to_owned(), None),
    }
}

fn no_pattern(pattern: &str, error: &regex::Error) -> Error {
    Error::usage(format!(
        "--key-regex \"{pattern}\" is no regular expression: {}",
        plain_words::of_pattern(error)
    ))
}
