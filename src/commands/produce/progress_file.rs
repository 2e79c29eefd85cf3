//! The file of `--resume-from`: how many pieces of the input have arrived, so that the next run continues there.
//!
//! The number is never too high: it is written when everything sent is acknowledged. After a run that was killed,
//! pieces after it are sent again.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::input::chunks::Source;

/// How often the file is written while records flow.
const INTERVAL: Duration = Duration::from_millis(250);

/// The progress of a run, and its file.
#[derive(Debug)]
pub(super) struct ProgressFile {
    path: PathBuf,
    topic: String,
    /// The names of the input's files; `-` is stdin.
    input: Vec<String>,
    /// How many pieces an earlier run has sent.
    start: u64,
    /// The number of pieces in the file.
    saved: u64,
    looked: Instant,
}

impl ProgressFile {
    /// Reads the file; at a first run it does not exist yet.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is of another kind, or is about another topic or input.
    pub(super) fn open(path: &Path, topic: &str, sources: &[Source]) -> Result<Self> {
        let input: Vec<String> = sources.iter().map(name).collect();
        let named = |error: Error| error.context(path.display());
        let start = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(named(error.into())),
            Ok(bytes) => done(&bytes, topic, &input).map_err(named)?,
        };
        Ok(Self {
            path: path.to_owned(),
            topic: topic.to_owned(),
            input,
            start,
            saved: start,
            looked: Instant::now(),
        })
    }

    /// How many pieces an earlier run has sent, which this one skips.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The error about an input of only `pieces` pieces, fewer than were sent.
    pub(super) fn too_short(&self, pieces: u64) -> Error {
        let (path, start) = (self.path.display(), self.start);
        Error::bad_data(format!(
            "the input ends after {pieces} pieces, and {path} says that {start} of them were sent: it is another input"
        ))
        .hint("remove the file to send everything")
    }

    /// Whether it is time to save the progress.
    pub(super) fn is_due(&self, pieces: u64) -> bool {
        pieces > self.saved && self.looked.elapsed() >= INTERVAL
    }

    /// Writes that `pieces` pieces have arrived. A reader finds the old file or the new one.
    pub(super) fn save(&mut self, pieces: u64) -> Result<()> {
        self.looked = Instant::now();
        if pieces <= self.saved {
            return Ok(());
        }
        let document = json!({ "topic": self.topic, "input": self.input, "done": pieces });
        let mut temporary = self.path.as_os_str().to_owned();
        temporary.push(".tmp");
        let written = fs::write(&temporary, format!("{document}\n"));
        written
            .and_then(|()| fs::rename(&temporary, &self.path))
            .map_err(|error| Error::from(error).context(self.path.display()))?;
        self.saved = pieces;
        Ok(())
    }
}

fn name(source: &Source) -> String {
    match source {
        Source::Stdin => "-".to_owned(),
        Source::File(path) => path.display().to_string(),
    }
}

/// The number of pieces in a file, which must be about this topic and input.
fn done(bytes: &[u8], topic: &str, input: &[String]) -> Result<u64> {
    let strange = || {
        Error::bad_data("this is no file that --resume-from has written")
            .hint("name a file that does not exist yet")
    };
    let document: Value = serde_json::from_slice(bytes).map_err(|_| strange())?;
    let done = document["done"].as_u64().ok_or_else(strange)?;
    let told = |what: &str, found: &Value, wanted: &str| {
        Error::bad_data(format!("this is about {what} {found}, not {wanted}"))
            .hint("name another file, or remove this one to send everything")
    };
    if document["topic"] != topic {
        return Err(told("topic", &document["topic"], &json!(topic).to_string()));
    }
    if document["input"] != json!(input) {
        return Err(told("input", &document["input"], &json!(input).to_string()));
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(names: &[&str]) -> Vec<Source> {
        names.iter().map(|name| Source::File(name.into())).collect()
    }

    #[test]
    fn what_was_saved_is_read_back_for_the_same_topic_and_input_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        let mut file = ProgressFile::open(&path, "t", &sources(&["a", "b"])).unwrap();
        assert_eq!(file.start(), 0);
        file.save(7).unwrap();
        file.save(5).unwrap();
        assert_eq!(
            ProgressFile::open(&path, "t", &sources(&["a", "b"]))
                .unwrap()
                .start(),
            7
        );
        for (topic, names) in [("u", &["a", "b"][..]), ("t", &["a"]), ("t", &["b", "a"])] {
            let error = ProgressFile::open(&path, topic, &sources(names)).unwrap_err();
            assert!(error.to_string().contains("this is about"), "{error}");
        }
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        for text in ["", "hello\n", "{}", "{\"done\":-1}", "[1]"] {
            fs::write(&path, text).unwrap();
            let error = ProgressFile::open(&path, "t", &sources(&["a"])).unwrap_err();
            assert!(
                error.to_string().contains("no file that --resume-from"),
                "{text}: {error}"
            );
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
