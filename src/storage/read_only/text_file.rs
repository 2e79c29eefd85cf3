//! The small text files of a log dir: checkpoints, properties, JSON.
//!
//! Owns how much of them is read: a file that is longer than any that a broker writes is refused unread.

use std::fs::File;
use std::io::Read;

use super::log_dir_file::{Kind, LogDirFile};
use crate::error::{Error, Result};
use crate::plain_words;

/// The longest file of one kind that is read.
struct Limit {
    bytes: u64,
    /// The same number for messages.
    text: &'static str,
}

/// More than the checkpoint of a broker with tens of thousands of partitions.
const CHECKPOINT: Limit = Limit {
    bytes: 4 << 20,
    text: "4 194 304",
};
/// More than any other text file that a broker writes.
const OTHER: Limit = Limit {
    bytes: 256 << 10,
    text: "262 144",
};

/// The text of a checkpoint, or of another small file. An error when it cannot be read, is no UTF-8, or is longer than
/// such a file can be.
pub(crate) fn read_text(file: &LogDirFile) -> Result<String> {
    let limit = match file.kind {
        Kind::LeaderEpochs | Kind::Offsets => CHECKPOINT,
        _ => OTHER,
    };
    let mut text = String::new();
    let read = File::open(&file.path)?
        .take(limit.bytes + 1)
        .read_to_string(&mut text)?;
    if read as u64 > limit.bytes {
        let most = limit.text;
        return Err(Error::bad_data(format!(
            "longer than {most} bytes, as no such file is"
        )));
    }
    Ok(text)
}

/// The one object that a file of [`Kind::Json`] holds.
pub(crate) fn json_object(text: &str) -> Result<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(text)
        .map_err(|error| Error::bad_data(format!("no JSON object: {}", plain_words::of_json(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_written_as_they_are() {
        for limit in [CHECKPOINT, OTHER] {
            assert_eq!(limit.text.replace(' ', ""), limit.bytes.to_string());
        }
    }
}
