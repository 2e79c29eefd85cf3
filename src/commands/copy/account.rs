//! The outcome of a copy's records: reported by the sink, entered in the ledger; refusals are listed one by one.

use super::ledger::Ledger;
use crate::client::record_sink::{DeliveryFailure, DeliveryListener};
use crate::commands::batch_reading::RecordFields;
use crate::error::{Error, Kind, Result};
use crate::filter::Field;
use crate::output::{self, counted, stderr_line};
use crate::topic_partition::Offset;

/// Records listed singly on stderr; the rest are counted.
const NAMED: u64 = 20;

/// The account of a run.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) ledger: Ledger,
    /// Source topics and partitions, by index.
    pub(super) names: Vec<(String, i32)>,
    /// Whether a record that is refused is skipped.
    pub(super) skips_failed: bool,
    failed: u64,
    first: Option<(Kind, String)>,
    lines: Vec<String>,
}

impl Account {
    pub(super) fn new(skips_failed: bool) -> Self {
        Self {
            ledger: Ledger::default(),
            names: Vec::new(),
            skips_failed,
            failed: 0,
            first: None,
            lines: Vec::new(),
        }
    }

    /// Whether a failure ends the run.
    pub(super) fn must_stop(&self) -> bool {
        self.failed > 0 && !self.skips_failed
    }

    /// A record lacks the field that would become its key: it is skipped, or ends the run.
    ///
    /// # Errors
    ///
    /// The record, where such records are not skipped.
    pub(super) fn keyless(&mut self, record: &RecordFields<'_>, field: &Field) -> Result<()> {
        let (topic, partition, offset) = (record.topic, record.partition, record.record.offset);
        let text =
            format!("{topic}-{partition} offset {offset} is not copied: it has no {field} to be its key");
        if !self.skips_failed {
            let hint = format!("--where '{field} != null' leaves such records out, --skip-failed names them");
            return Err(Error::bad_data(text).hint(hint));
        }
        self.note(Kind::BadData, text);
        Ok(())
    }

    fn note(&mut self, kind: Kind, text: String) {
        self.failed += 1;
        if self.skips_failed && self.failed <= NAMED {
            self.lines.push(text.clone());
        }
        self.first.get_or_insert((kind, text));
    }

    /// The failures that have not been reported yet.
    pub(super) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// An error if not everything that was to be copied is in the target.
    pub(super) fn verdict(&self) -> Result<()> {
        let Some((kind, text)) = &self.first else {
            return Ok(());
        };
        if !self.skips_failed {
            let error = Error::new(*kind, text);
            return Err(match kind {
                Kind::BadData => error.hint("--skip-failed passes over such records"),
                _ => error,
            });
        }
        if self.failed > NAMED {
            stderr_line(format_args!(
                "kafkit: {} more not copied",
                output::plural(self.failed - NAMED, "record")
            ));
        }
        let what = counted(self.failed, "record was", "records were");
        Err(Error::failed(format!("{what} not copied")))
    }
}

impl DeliveryListener for Account {
    fn delivered(&mut self, _count: u64) {}

    fn wants_runs(&self) -> bool {
        true
    }

    fn delivered_run(&mut self, first_tag: u64, count: u64, offset: Option<Offset>) {
        self.ledger.delivered(first_tag, count, offset);
    }

    fn failed(&mut self, failure: &DeliveryFailure<'_>) {
        let origin = self.ledger.origin(failure.tag);
        let name = origin.and_then(|origin| Some((self.names.get(origin.chunk.place)?, origin.offset)));
        let text = match name {
            Some(((topic, partition), offset)) => {
                format!(
                    "{topic}-{partition} offset {offset} is not copied: {}",
                    failure.reason
                )
            }
            None => format!("a record is not copied: {}", failure.reason),
        };
        if self.skips_failed {
            self.ledger.skip(failure.tag);
        }
        self.note(failure.kind, text);
    }

    fn notice(&mut self, line: &str) {
        stderr_line(format_args!("kafkit: {line}"));
    }
}
