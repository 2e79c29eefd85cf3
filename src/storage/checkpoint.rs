//! Kafka's text checkpoints: a version line, a count line, one entry a line. Written to a temporary file that is
//! then renamed.
//!
//! Owns the form, not the meaning of the entries.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::disk;
use super::file_name::TEMPORARY_SUFFIX;
use crate::error::{Error, Result};
use crate::topic_partition::{Offset, TopicPartition};

const VERSION: &str = "0";

/// The entries' lines; none for an empty text.
pub fn parse(text: &str) -> Result<Vec<&str>> {
    let mut lines = text.lines();
    let Some(version) = lines.next() else {
        return Ok(Vec::new());
    };
    if version.trim() != VERSION {
        return Err(Error::bad_data(format!("unknown checkpoint version '{version}'")));
    }
    let count = lines.next().unwrap_or_default();
    let count: usize = count
        .trim()
        .parse()
        .map_err(|_| Error::bad_data(format!("malformed entry count '{count}' in line 2")))?;
    let entries: Vec<&str> = lines.collect();
    if entries.len() != count {
        let found = entries.len();
        return Err(Error::bad_data(format!(
            "expected {count} entries, found {found}"
        )));
    }
    Ok(entries)
}

/// The text of a checkpoint with these lines.
pub fn format(entries: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<String> = entries.into_iter().collect();
    let mut text = format!("{VERSION}\n{}\n", lines.len());
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Entries of the form `topic partition offset`.
pub fn parse_offsets(text: &str) -> Result<BTreeMap<TopicPartition, Offset>> {
    parse(text)?.into_iter().map(parse_offset_line).collect()
}

fn parse_offset_line(line: &str) -> Result<(TopicPartition, Offset)> {
    let malformed = || Error::bad_data(format!("malformed line '{line}'"));
    let mut words = line.split_whitespace();
    let (Some(topic), Some(partition), Some(offset), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(malformed());
    };
    let partition = partition.parse().map_err(|_| malformed())?;
    let offset = offset.parse().map_err(|_| malformed())?;
    Ok((TopicPartition::new(topic, partition), offset))
}

/// The text for entries of the form `topic partition offset`.
pub fn format_offsets<'a>(offsets: impl IntoIterator<Item = (&'a TopicPartition, &'a Offset)>) -> String {
    let line = |(partition, offset): (&TopicPartition, &Offset)| {
        format!("{} {} {offset}", partition.topic, partition.partition)
    };
    format(offsets.into_iter().map(line))
}

/// The file's text, empty if there is no file.
pub fn read(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Error::from(error).context(format_args!("cannot read {}", path.display()))),
    }
}

/// Replaces the file as a whole: a reader, also after a crash of the process, sees the old text or the new one; with
/// `sync` also after a power failure.
pub fn write(path: &Path, text: &[u8], sync: bool) -> Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(TEMPORARY_SUFFIX);
    let temporary = Path::new(&temporary);
    let replace = || {
        let file = disk::write_new(temporary, text)?;
        if sync {
            disk::sync_all(&file)?;
        }
        disk::rename(temporary, path)
    };
    replace().map_err(|error| Error::from(error).context(format_args!("cannot write {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_read_back_and_nonsense_is_refused() {
        let offsets = BTreeMap::from([
            (TopicPartition::new("a", 1), 5),
            (TopicPartition::new("b-c", 0), 0),
        ]);
        let text = format_offsets(&offsets);
        assert_eq!(text, "0\n2\na 1 5\nb-c 0 0\n");
        assert_eq!(parse_offsets(&text).unwrap(), offsets);
        assert!(parse_offsets("").unwrap().is_empty());
        for bad in [
            "1\n0\n",
            "0\n",
            "0\nx\n",
            "0\n2\na 1 5\n",
            "0\n1\na 1\n",
            "0\n1\na 1 5 6\n",
            "0\n1\na b 5\n",
        ] {
            assert!(parse_offsets(bad).is_err(), "{bad:?}");
        }
    }
}
