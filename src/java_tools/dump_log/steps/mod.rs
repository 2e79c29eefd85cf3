//! kafka-dump-log as Apache Kafka runs it: file after file, then the mismatches of all of them.
//!
//! Owns the kinds of files, the order of stdout and stderr, and the exit code.

mod batches;
mod findings;
mod gaps;
mod index;
mod log;
mod pairs;
mod records;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::error::io_words;
use crate::java_tools::dump_log::words::files;
use crate::java_tools::dump_log::words::findings::Finding;
use crate::java_tools::dump_log::words::log::LogView;
use crate::output::{Printer, stderr_line};
use crate::storage::entry_file::EntryFile;
use crate::storage::producer_snapshot::SnapshotFile;
use crate::storage::transaction_index;

pub use crate::java_tools::dump_log::words::decoders::{Decoder, ElementDecoder};

use self::findings::Findings;

/// One run of kafka-dump-log. Values that Java converts late may be errors.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of Java's tool")]
pub struct JavaDump {
    pub files: Vec<String>,
    pub deep: bool,
    pub print_contents: bool,
    pub skip_record_metadata: bool,
    pub verify_only: bool,
    pub sanity_only: bool,
    pub decoder: Result<Decoder, String>,
    pub max_bytes: Result<i32, String>,
    pub max_message_size: Result<i32, String>,
}

/// Why the run ends early.
#[derive(Debug)]
pub(super) enum Failure {
    /// Stdout has failed or its reader has gone.
    Output(io::Error),
    /// Java would end with an exception of this message.
    Java(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Runs it; returns Java's exit code.
pub fn run(dump: &JavaDump, mut printer: Printer) -> ExitCode {
    let mut findings = Findings::default();
    let outcome = dump.files.iter().try_for_each(|file| {
        let path = normalized(file);
        one_file(dump, &path, &mut findings, &mut printer)?;
        findings.settle(&absolute(&path));
        Ok(())
    });
    let flushed = printer.flush();
    match outcome {
        Ok(()) => {
            let told = findings.tell();
            if let Err(error) = &told {
                stderr_line(format_args!("not all that was found could be kept: {error}"));
            }
            if flushed.is_ok() && told.is_ok() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Output(error)) => {
            stderr_line(format_args!("cannot write to stdout: {error}"));
            ExitCode::FAILURE
        }
        Err(Failure::Java(message)) => {
            stderr_line(message);
            ExitCode::FAILURE
        }
    }
}

/// `new File(path).toString()`: no duplicate slashes, none at the end.
fn normalized(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for letter in path.chars() {
        if letter != '/' || !out.ends_with('/') {
            out.push(letter);
        }
    }
    if out.len() > 1 && out.ends_with('/') {
        out.pop();
    }
    out
}

/// `File.getAbsolutePath()`: nothing is resolved.
fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let folder = std::env::current_dir().unwrap_or_default();
    if path.is_empty() {
        return folder.to_string_lossy().into_owned();
    }
    format!("{}/{path}", folder.to_string_lossy().trim_end_matches('/'))
}

fn one_file(
    dump: &JavaDump,
    path: &str,
    findings: &mut Findings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    writeln!(printer.out(), "Dumping {path}")?;
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.rfind('.').map(|dot| name.split_at(dot).1) {
        Some(".log" | ".checkpoint") => log(dump, path, name, findings, printer),
        Some(".index") => {
            let max_message_size = dump.max_message_size.clone().map_err(Failure::Java)?;
            let files = index::Files::of(path, name)?;
            let options = (dump.sanity_only, dump.verify_only);
            index::dump_offset_index(
                &files,
                &absolute(path),
                options,
                max_message_size,
                findings,
                printer,
            )
        }
        Some(".timeindex") => {
            let files = index::Files::of(path, name)?;
            let options = (dump.sanity_only, dump.verify_only);
            index::dump_time_index(&files, &absolute(path), options, findings, printer)
        }
        Some(".snapshot") => snapshot(path, printer),
        Some(".txnindex") => transaction_index(path, name, printer),
        _ => {
            printer
                .flush()
                .map_err(|error| Failure::Java(error.to_string()))?;
            stderr_line(format_args!("Ignoring unknown file {path}"));
            Ok(())
        }
    }
}

/// `Long.parseLong` of a name up to its first dot.
pub(super) fn base_offset(name: &str) -> Result<i64, Failure> {
    let digits = name.split('.').next().unwrap_or_default();
    digits
        .parse()
        .map_err(|_| Failure::Java(format!("For input string: \"{digits}\"")))
}

fn log(
    dump: &JavaDump,
    path: &str,
    name: &str,
    findings: &mut Findings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let decoder = dump.decoder.clone().map_err(Failure::Java)?;
    let max_bytes = dump.max_bytes.clone().map_err(Failure::Java)?;
    if Path::new(name).extension() == Some("log".as_ref()) || name == ".log" {
        writeln!(printer.out(), "Log starting offset: {}", base_offset(name)?)?;
    } else if name == "bootstrap.checkpoint" {
        writeln!(printer.out(), "KRaft bootstrap snapshot")?;
    } else {
        let (offset, epoch) = snapshot_id(name)?;
        writeln!(printer.out(), "Snapshot end offset: {offset}, epoch: {epoch}")?;
    }
    let file = open(path)?;
    let length = length_of(&file, path)?;
    let Ok(limit) = u64::try_from(max_bytes) else {
        return Err(Failure::Java(format!(
            "Invalid size: {max_bytes} in read from {path}"
        )));
    };
    let limited = max_bytes != i32::MAX;
    let end = if limited { length.min(limit) } else { length };
    let view = LogView {
        deep: dump.deep,
        print_contents: dump.print_contents,
        skip_record_metadata: dump.skip_record_metadata,
        decoder,
    };
    let (gaps, trailing) = log::dump(file, end, view, printer.out(), path)?;
    findings.add_sorted(Finding::Gap, &absolute(path), gaps);
    if trailing > 0 && !limited {
        writeln!(
            printer.out(),
            "Found {trailing} invalid bytes at the end of {name}"
        )?;
    }
    Ok(())
}

/// `00000000000000000029-0000000001.checkpoint`: the end offset and the epoch.
fn snapshot_id(name: &str) -> Result<(i64, i32), Failure> {
    let id = || Some((name.get(..20)?.parse().ok()?, name.get(21..31)?.parse().ok()?));
    id().ok_or_else(|| {
        Failure::Java(format!(
            "{name} is no snapshot: its name begins with no offset and epoch"
        ))
    })
}

pub(super) fn open(path: impl AsRef<Path>) -> Result<File, Failure> {
    let path = path.as_ref();
    File::open(path).map_err(|error| Failure::Java(format!("{}: {}", path.display(), io_words(&error))))
}

pub(super) fn length_of(file: &File, path: impl AsRef<Path>) -> Result<u64, Failure> {
    let length = file
        .metadata()
        .map(|data| if data.is_dir() { None } else { Some(data.len()) });
    match length {
        Ok(Some(length)) => Ok(length),
        Ok(None) => Err(Failure::Java(format!(
            "{}: is a directory",
            path.as_ref().display()
        ))),
        Err(error) => Err(Failure::Java(format!(
            "{}: {}",
            path.as_ref().display(),
            io_words(&error)
        ))),
    }
}

fn snapshot(path: &str, printer: &mut Printer) -> Result<(), Failure> {
    let mut snapshot = match SnapshotFile::new(open(path)?) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            let Some(refused) = error.cause() else {
                return Err(Failure::Java(format!("{path}: {error}")));
            };
            printer
                .flush()
                .map_err(|error| Failure::Java(error.to_string()))?;
            stderr_line(files::snapshot_refusal(refused));
            return Ok(());
        }
    };
    let mut line = Vec::new();
    for entry in snapshot.entries() {
        line.clear();
        let entry = entry.map_err(|error| Failure::Java(format!("{path}: {error}")))?;
        files::write_producer(&entry, &mut line);
        printer.out().write_all(&line)?;
    }
    Ok(())
}

/// Java accepts a missing file, and stops at a truncated entry.
fn transaction_index(path: &str, name: &str, printer: &mut Printer) -> Result<(), Failure> {
    base_offset(name)?;
    let failed = |error: io::Error| Failure::Java(format!("{path}: {}", io_words(&error)));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let mut entries = EntryFile::<{ transaction_index::ENTRY_LEN }>::new(file, 0).map_err(failed)?;
    let mut line = Vec::new();
    // All entries are read before the first is printed.
    for is_shown in [false, true] {
        for entry in entries.iter() {
            line.clear();
            let version = files::write_aborted_transaction(&entry.map_err(failed)?, &mut line);
            if version != 0 {
                return Err(Failure::Java(format!(
                    "Unexpected aborted transaction version {version} in transaction index {path}, current version is 0"
                )));
            }
            if is_shown {
                printer.out().write_all(&line)?;
            }
        }
    }
    Ok(())
}
