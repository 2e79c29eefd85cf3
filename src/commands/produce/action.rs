//! The options of a run of `produce`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use crate::client::settings::Settings;
use crate::input::RecordParser;
use crate::input::chunks::Source;
use crate::input::splitter::PieceEnd;
use crate::output::voice::Voice;

/// What the user asked for.
pub struct Action {
    pub topic: String,
    pub sources: Vec<Source>,
    pub piece_end: PieceEnd,
    pub parser: Box<dyn RecordParser>,
    /// Fields that the text of a record does not contain.
    pub fixed: Fixed,
    /// The most records to send.
    pub limit: Option<u64>,
    /// The most records a second, above 0.
    pub rate: Option<f64>,
    /// The file for pieces that are not records; without it the first ends the run.
    pub rejects: Option<PathBuf>,
    /// The file with the progress through the input, from which an earlier run is continued.
    pub resume_from: Option<PathBuf>,
    /// Whether to wait for each record before the next is read.
    pub is_sync: bool,
    /// Commit the transaction after this many records, at least 1; without it at the end of the input.
    pub commit_every: Option<u64>,
    /// Whether to print a prompt for each line on a terminal.
    pub prompts: bool,
    /// The bytes of a batch, unless the topic's limit is lower.
    pub batch_bytes: usize,
    /// How long to wait for the topic to exist.
    pub topic_wait: Duration,
    /// Engine settings that override the user's, and defaults for those that the user did not set.
    pub overrides: Vec<(String, String)>,
    pub defaults: Vec<(String, String)>,
    /// Whether a record that is larger than the topic's limit and `batch_bytes` ends the run: Java's producer would
    /// split its batch again and again, and never send the following ones.
    pub oversized_ends_run: bool,
    /// The wording of the calling face.
    pub voice: &'static dyn Voice,
}

impl Action {
    /// Whether a user types the records.
    pub(super) fn reads_terminal(&self) -> bool {
        self.sources.contains(&Source::Stdin) && std::io::stdin().is_terminal()
    }

    /// The files of the input; empty if there is any other source.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let file = |source: &Source| match source {
            Source::Stdin => None,
            Source::File(path) => Some(path.clone()),
        };
        let files: Option<Vec<PathBuf>> = self.sources.iter().map(file).collect();
        files.unwrap_or_default()
    }

    /// Whether a flag, a setting or a default gives one of these settings a value.
    pub(super) fn sets(&self, names: &[&str], settings: &Settings) -> bool {
        names.iter().any(|name| {
            let is_it = |(known, _): &(String, String)| known == name;
            settings.get(name).is_some() || self.overrides.iter().chain(&self.defaults).any(is_it)
        })
    }
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Action")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

/// Fields that every record of a run gets unless its text says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    pub key: Option<Vec<u8>>,
    pub partition: Option<i32>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since 1970.
    pub timestamp: Option<i64>,
    /// Each piece names a file, whose contents are the value.
    pub value_is_file: bool,
}
