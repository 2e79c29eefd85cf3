//! The outcome of each record of a run: delivered, failed or rejected, and the lines that report it.
//!
//! Bounded, however many records fail. The wording is the face's: see `output/voice.rs`.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};

use super::Action;
use super::piece_names::PieceNames;
use crate::client::record_sink::{DeliveryFailure, DeliveryListener};
use crate::error::{Error, Kind, Result};
use crate::input::BadInput;
use crate::output::voice::Voice;
use crate::output::{grouped, plural, stderr_line};

/// Records listed singly on stderr; the rest are counted.
const NAMED: u64 = 20;

/// The counts of a run's records.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) sent: u64,
    pub(super) rejects: Option<Rejects>,
    delivered: u64,
    failed: u64,
    first: Option<(Kind, String)>,
    lines: Vec<String>,
    pieces: PieceNames,
    voice: &'static dyn Voice,
    topic: String,
}

/// The file of pieces that are not records.
#[derive(Debug)]
pub(super) struct Rejects {
    name: String,
    file: BufWriter<File>,
    count: u64,
    examples: Vec<String>,
}

impl Account {
    /// `goes_on`: an earlier run is continued, whose rejects are kept.
    pub(super) fn new(action: &Action, goes_on: bool) -> Result<Self> {
        let rejects = match &action.rejects {
            Some(path) => {
                let name = path.display().to_string();
                let mut options = OpenOptions::new();
                let file = if goes_on {
                    options.append(true).create(true).open(path)
                } else {
                    File::create(path)
                };
                let file = file.map_err(|error| Error::from(error).context(&name))?;
                Some(Rejects {
                    name,
                    file: BufWriter::new(file),
                    count: 0,
                    examples: Vec::new(),
                })
            }
            None => None,
        };
        Ok(Self {
            sent: 0,
            rejects,
            delivered: 0,
            failed: 0,
            first: None,
            lines: Vec::new(),
            pieces: PieceNames::of(action),
            voice: action.voice,
            topic: action.topic.clone(),
        })
    }

    /// Writes a piece that is not a record to the file of rejects; without that file, it ends the run.
    pub(super) fn refuse(&mut self, piece: &[u8], number: u64, bad: &BadInput) -> Result<()> {
        if self.rejects.is_none() {
            return Err(self.bad_piece(number, bad));
        }
        self.reject(piece, number, bad)
    }

    /// The error for piece `number` of the input, which is not a record.
    pub(super) fn bad_piece(&self, number: u64, bad: &BadInput) -> Error {
        let piece = self.pieces.name(number);
        let error = Error::bad_data(self.voice.bad_input(&piece, &bad.message));
        match bad.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// Writes a piece to the file of rejects.
    pub(super) fn reject(&mut self, piece: &[u8], number: u64, bad: &BadInput) -> Result<()> {
        if let Some(rejects) = &mut self.rejects {
            rejects.file.write_all(piece)?;
            rejects.file.write_all(b"\n")?;
            rejects.count += 1;
            if rejects.examples.len() < 2 {
                rejects
                    .examples
                    .push(format!("{}: {}", self.pieces.name(number), bad.message));
            }
        }
        Ok(())
    }

    /// The failures that have not been reported yet.
    pub(super) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// The lines at the end: how many failures were not listed.
    pub(super) fn last_lines(&mut self, topic: &str) -> Vec<String> {
        let mut lines = self.take_lines();
        if self.failed > NAMED {
            let more = self.failed - NAMED;
            lines.push(self.voice.more_failures(topic, more));
        }
        lines
    }

    /// The last line of a native run.
    pub(super) fn summary(&mut self, action: &Action, has_failed: bool) -> Option<String> {
        if !action.voice.sums_up() || (self.sent == 0 && has_failed) {
            return None;
        }
        let mut line = format!(
            "{} to {}, {} failed",
            plural(self.delivered, "record"),
            action.topic,
            grouped(self.failed)
        );
        if let Some(rejects) = self.rejects.as_mut().filter(|rejects| rejects.count > 0) {
            let _ = rejects.file.flush();
            let more = rejects.count - rejects.examples.len() as u64;
            let more = if more > 0 {
                format!("; {more} more")
            } else {
                String::new()
            };
            let examples = rejects.examples.join("; ");
            let rest = format!(
                ", {} rejected: see {} ({examples}{more})",
                rejects.count, rejects.name
            );
            line.push_str(&rest);
        }
        Some(line)
    }

    /// Whether everything that was sent has arrived.
    pub(super) fn has_delivered_all(&self) -> bool {
        self.failed == 0 && self.delivered == self.sent
    }

    /// The first failure, as an error.
    pub(super) fn first_failure(&self) -> Result<()> {
        match &self.first {
            Some((kind, text)) => Err(Error::new(*kind, text)),
            None => Ok(()),
        }
    }

    /// An error if the run did not do all it was asked to.
    pub(super) fn verdict(&mut self) -> Result<()> {
        let rejected = match &mut self.rejects {
            Some(rejects) => {
                rejects.file.flush()?;
                rejects.count
            }
            None => 0,
        };
        let missing = self.failed + rejected + self.sent.saturating_sub(self.delivered + self.failed);
        if missing == 0 {
            return Ok(());
        }
        Err(Error::failed(format!(
            "{} of {} did not arrive in {}",
            grouped(missing),
            plural(self.sent + rejected, "record"),
            self.topic
        )))
    }
}

impl DeliveryListener for Account {
    fn delivered(&mut self, count: u64) {
        self.delivered += count;
    }

    fn failed(&mut self, failure: &DeliveryFailure<'_>) {
        self.failed += 1;
        let piece = self.pieces.name(failure.tag);
        let text = self.voice.not_delivered(&self.topic, &piece, failure);
        if self.failed <= NAMED {
            self.lines.push(self.voice.failure(&text));
        }
        self.first.get_or_insert((failure.kind, text));
    }

    fn notice(&mut self, line: &str) {
        stderr_line(self.voice.notice(line));
    }
}
