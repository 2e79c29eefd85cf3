//! The file of `--resume-from`: how many pieces of the input have arrived, so that the next run continues there.
//!
//! The number is never too high: it is written when everything sent is acknowledged. After a run that was killed,
//! pieces after it are sent again. A digest of the pieces that were sent tells another input that has the same name.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use twox_hash::XxHash3_64;

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
    former: Former,
    /// The digest of all pieces so far, and the same with the piece that is being sent.
    digest: u64,
    digest_with_next: u64,
    /// The number of pieces in the file.
    saved: u64,
    looked: Instant,
}

/// What an earlier run has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Former {
    pieces: u64,
    /// The digest of these pieces; `None` in a file that was written before there were digests.
    digest: Option<u64>,
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
        let former = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Former::default(),
            Err(error) => return Err(named(error.into())),
            Ok(bytes) => former(&bytes, topic, &input).map_err(named)?,
        };
        Ok(Self {
            path: path.to_owned(),
            topic: topic.to_owned(),
            input,
            former,
            digest: 0,
            digest_with_next: 0,
            saved: former.pieces,
            looked: Instant::now(),
        })
    }

    /// How many pieces an earlier run has sent, which this one skips.
    pub(super) fn start(&self) -> u64 {
        self.former.pieces
    }

    /// Begins the next piece of the input.
    pub(super) fn begin(&mut self, piece: &[u8]) {
        self.digest_with_next = XxHash3_64::oneshot_with_seed(self.digest, piece);
    }

    /// The piece that was begun needs nothing more: it was taken, or sent by an earlier run.
    pub(super) fn settle(&mut self) {
        self.digest = self.digest_with_next;
    }

    /// Compares the first pieces of the input with those that were sent, when all of them, `pieces`, were seen.
    pub(super) fn check(&self, pieces: u64) -> Result<()> {
        let is_same = self.former.digest.is_none_or(|digest| digest == self.digest);
        if pieces != self.former.pieces || is_same {
            return Ok(());
        }
        let path = self.path.display();
        Err(Error::bad_data(format!(
            "the first {pieces} pieces of the input are not those that {path} says were sent: it is another input"
        ))
        .hint("remove the file to send everything"))
    }

    /// The error about an input of only `pieces` pieces, fewer than were sent.
    pub(super) fn too_short(&self, pieces: u64) -> Error {
        let (path, start) = (self.path.display(), self.former.pieces);
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
        let document = json!({
            "topic": self.topic,
            "input": self.input,
            "done": pieces,
            "digest": format!("{:016x}", self.digest),
        });
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

/// What a file says, which must be about this topic and input.
fn former(bytes: &[u8], topic: &str, input: &[String]) -> Result<Former> {
    let strange = || {
        Error::bad_data("this is no file that --resume-from has written")
            .hint("name a file that does not exist yet")
    };
    let document: Value = serde_json::from_slice(bytes).map_err(|_| strange())?;
    let pieces = document["done"].as_u64().ok_or_else(strange)?;
    let digest = match &document["digest"] {
        Value::Null => None,
        digest => {
            let digits = digest.as_str().ok_or_else(strange)?;
            Some(u64::from_str_radix(digits, 16).map_err(|_| strange())?)
        }
    };
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
    Ok(Former { pieces, digest })
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
    fn another_input_of_the_same_name_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        let open = || ProgressFile::open(&path, "t", &sources(&["a"])).unwrap();
        let see = |file: &mut ProgressFile, pieces: &[&[u8]]| {
            for piece in pieces {
                file.begin(piece);
                file.settle();
            }
        };
        let mut file = open();
        see(&mut file, &[b"a", b"bc"]);
        file.begin(b"not settled");
        file.save(2).unwrap();
        for (pieces, is_same) in [
            ([&b"a"[..], b"bc"], true),
            ([b"ab", b"c"], false),
            ([b"bc", b"a"], false),
        ] {
            let mut again = open();
            see(&mut again, &pieces[..1]);
            assert!(again.check(1).is_ok());
            see(&mut again, &pieces[1..]);
            assert_eq!(again.check(2).is_ok(), is_same, "{pieces:?}");
        }
        fs::write(&path, r#"{"topic":"t","input":["a"],"done":1}"#).unwrap();
        let mut old = open();
        see(&mut old, &[b"x"]);
        assert!(old.check(1).is_ok());
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        for text in [
            "",
            "hello\n",
            "{}",
            "{\"done\":-1}",
            "{\"done\":1,\"digest\":\"-\"}",
            "[1]",
        ] {
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
