//! What a run of `produce` is asked for.

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
    /// What a record's text does not say.
    pub fixed: Fixed,
    /// Records to send at most.
    pub limit: Option<u64>,
    /// Records a second at most, above 0.
    pub rate: Option<f64>,
    /// Where pieces go that are no records; without it the first ends the run.
    pub rejects: Option<PathBuf>,
    /// Where it is kept how much of the input has arrived, and from where an earlier run is continued.
    pub resume_from: Option<PathBuf>,
    /// Wait for each record before the next is read.
    pub is_sync: bool,
    /// Commit the transaction after so many records, at least 1; without it when the input ends.
    pub commit_every: Option<u64>,
    /// Ask for each line on a terminal.
    pub prompts: bool,
    /// Bytes of a batch, unless the topic takes less.
    pub batch_bytes: usize,
    /// How long to wait for the topic to be known.
    pub topic_wait: Duration,
    /// Engine settings that flags insist on, and those that hold where nothing else speaks.
    pub overrides: Vec<(String, String)>,
    pub defaults: Vec<(String, String)>,
    /// A record that is too large for the topic, and larger than `batch_bytes`, ends the run: Java's producer would split
    /// its batch again and again, and never get to what follows.
    pub oversized_ends_run: bool,
    /// The wording of the face that asks.
    pub voice: &'static dyn Voice,
}

impl Action {
    /// Whether somebody types what is sent.
    pub(super) fn reads_terminal(&self) -> bool {
        self.sources.contains(&Source::Stdin) && std::io::stdin().is_terminal()
    }

    /// The files of the input, or none if there is more than files.
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
    pub timestamp: Option<i64>,
    /// Each piece names a file, whose contents are the value.
    pub value_is_file: bool,
}
