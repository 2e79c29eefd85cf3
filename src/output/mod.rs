//! Values to text: the only room that writes to stdout and stderr.
//!
//! Owns columns, JSON names, Java's exact wording, and the quiet end when stdout's reader has gone. Each kind of
//! value has a file of its own; the values themselves are defined in the rooms that make them.

pub mod acl;
pub mod checkup;
pub mod cluster;
pub mod config;
pub mod confirm;
pub mod copy;
pub mod digits;
pub mod explanation;
pub mod faults;
mod fold;
pub mod group;
pub mod group_list;
pub mod group_rates;
pub mod group_reset;
pub mod group_watch;
pub mod health;
pub mod leader_election;
pub mod log_dirs;
pub mod log_dump;
pub mod mini_broker;
pub mod offsets;
pub mod printable;
pub mod producers;
pub mod profile;
pub mod progress;
pub mod prose;
pub mod quota;
pub(crate) mod reassignment;
pub(crate) mod reassignment_progress;
pub mod record;
pub mod record_count;
pub mod record_deletion;
pub mod record_json;
pub mod record_lines;
pub mod record_template;
mod spark;
pub mod table;
pub mod token;
pub mod top;
pub mod topic;
pub mod topic_drift;
pub mod transaction;
pub mod user;
pub mod voice;
pub mod welcome;
mod yaml;

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use crate::error::{Error, Kind, Result};

/// How results are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Tab-separated values under a heading.
    Tsv,
    /// Names only, one a line.
    Name,
}

/// How the user wants results and messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutputOptions {
    pub format: Format,
    /// With [`Format::Json`]: documents are written as YAML. Documents in one line stay JSON, which is valid YAML.
    pub is_yaml: bool,
    pub quiet: bool,
    pub verbose: bool,
}

/// The way to the user: results on stdout, everything else on stderr.
#[derive(Debug)]
pub struct Printer {
    out: BufWriter<io::Stdout>,
    options: OutputOptions,
}

impl Printer {
    pub fn new(options: OutputOptions) -> Self {
        Self {
            out: BufWriter::with_capacity(64 * 1024, io::stdout()),
            options,
        }
    }

    pub fn format(&self) -> Format {
        self.options.format
    }

    /// Whether JSON documents are written as YAML.
    fn is_yaml(&self) -> bool {
        self.options.is_yaml
    }

    pub fn is_quiet(&self) -> bool {
        self.options.quiet
    }

    /// One line on stderr about how things are done; with `-v` alone.
    pub fn detail(&mut self, line: impl Display) {
        if self.options.verbose {
            self.warn(line);
        }
    }

    /// Whether stdout is a terminal.
    pub fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether to use colours: stdout is a terminal, and `NO_COLOR` is not set.
    pub fn is_coloured(&self) -> bool {
        self.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }

    /// Stdout, buffered.
    pub fn out(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// Results as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(not_written)
    }

    /// One line of results.
    pub fn line(&mut self, line: impl Display) -> Result<()> {
        writeln!(self.out, "{line}").map_err(not_written)
    }

    /// Results that contain their own line ends.
    pub fn text(&mut self, text: impl Display) -> Result<()> {
        write!(self.out, "{text}").map_err(not_written)
    }

    /// One line on stderr about progress; not with `-q`.
    pub fn note(&mut self, line: impl Display) {
        if !self.options.quiet {
            self.warn(line);
        }
    }

    /// Says that a list without rows is empty, if stdout is a terminal: programs see it by themselves.
    pub fn note_empty(&mut self, is_empty: bool, what: &str) {
        if is_empty && self.is_terminal() {
            self.note(format_args!("no {what} to show"));
        }
    }

    /// One line on stderr about something that may be wrong; not with `-q`. It begins as an error does.
    pub fn warning(&mut self, line: impl Display) {
        self.note(format_args!("kafkit: {line}"));
    }

    /// One line on stderr that must be seen, even with `-q`.
    pub fn warn(&mut self, line: impl Display) {
        let _ = self.out.flush();
        stderr_line(line);
    }

    /// Whether the reader of our pipe has gone: a program that has nothing to write does not notice it by itself.
    pub fn has_lost_reader(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut ends = [PollFd::new(self.out.get_ref(), PollFlags::empty())];
        let answered = poll(&mut ends, Some(&at_once)).is_ok();
        answered && ends.iter().any(|end| end.revents().contains(PollFlags::ERR))
    }

    /// Writes everything printed so far to stdout.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(not_written)
    }

    /// The last flush of a command.
    pub fn finish(mut self) -> Result<()> {
        self.flush()
    }
}

/// A failure to write to stdout; if its reader has gone, a quiet end.
pub fn not_written(error: io::Error) -> Error {
    let error = Error::from(error);
    if error.kind() == Kind::ClosedPipe {
        return error;
    }
    error.context("cannot write to stdout")
}

/// Whether a user reads what is printed and can answer.
pub fn is_on_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Writes one line to stderr, with control characters escaped on a terminal: messages quote data of others. A closed
/// stderr is not a failure.
pub fn stderr_line(line: impl Display) {
    let mut stderr = io::stderr().lock();
    let _ = if stderr.is_terminal() {
        writeln!(stderr, "{}", printable::printable(&line.to_string()))
    } else {
        writeln!(stderr, "{line}")
    };
}

/// Writes to stderr without a line end.
pub fn stderr_text(text: impl Display) {
    let _ = write!(io::stderr().lock(), "{text}");
}

/// Writes one line to stdout for a tool that has nothing else to print; it is no failure if its reader has gone.
pub fn stdout_line(line: impl Display) -> ExitCode {
    ended(writeln!(io::stdout().lock(), "{line}"), ExitCode::SUCCESS)
}

/// The same for text that contains its own line ends.
pub fn stdout_text(text: impl Display) -> ExitCode {
    let mut stdout = io::stdout().lock();
    let written = write!(stdout, "{text}").and_then(|()| stdout.flush());
    ended(written, ExitCode::SUCCESS)
}

/// The one line that a failed native command ends with.
pub fn error_line(error: &Error) {
    stderr_line(format_args!("kafkit: {error}"));
}

/// Help and version as clap has them, on stdout with exit 0 where they were asked for, else on stderr with exit 2.
pub fn clap_message(message: &clap::Error) -> ExitCode {
    let written = message.print().and_then(|()| io::stdout().flush());
    ended(
        written,
        ExitCode::from(u8::try_from(message.exit_code()).unwrap_or(2)),
    )
}

/// The exit code of a program that has nothing more to write.
fn ended(written: io::Result<()>, code: ExitCode) -> ExitCode {
    match written.map_err(not_written) {
        Err(error) if error.kind() != Kind::ClosedPipe => {
            error_line(&error);
            ExitCode::FAILURE
        }
        _ => code,
    }
}

/// A count with its noun: `1 record`, `5 records`.
pub fn plural(count: u64, noun: &str) -> String {
    counted(count, noun, &format!("{noun}s"))
}

/// A count with its noun: `1 batch`, `5 batches`.
pub fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { more })
}

/// A count with a space after each three digits: `3 000`.
pub fn grouped(count: u64) -> String {
    log_dump::cells::grouped(count)
}

/// A number of bytes for people: `105 B`, `1.2 MB`.
pub fn size(bytes: u64) -> String {
    table::size(i64::try_from(bytes).unwrap_or(i64::MAX))
}
