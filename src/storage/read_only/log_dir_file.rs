//! One file of a log dir: where it is, what it holds, and which files belong to it.
//!
//! Owns the kinds of files. Opens none of them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::storage::file_name::{self, FileKind};

/// The path that stands for stdin.
const STDIN: &str = "-";

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Batches, a metadata snapshot among them.
    Log,
    OffsetIndex,
    TimeIndex,
    TransactionIndex,
    ProducerSnapshot,
    LeaderEpochs,
    /// A text checkpoint with an offset for each partition.
    Offsets,
    Properties,
    PartitionMetadata,
    /// One JSON object: the state of a controller quorum, or the mark of a clean shutdown.
    Json,
}

/// A file of a log dir.
#[derive(Clone, Debug)]
pub struct LogDirFile {
    pub path: PathBuf,
    pub kind: Kind,
    /// The offset that its name begins with, 0 for a name without one.
    pub base_offset: i64,
}

impl LogDirFile {
    /// A log on stdin, under the name `-`.
    pub fn stdin() -> Self {
        Self {
            path: PathBuf::from(STDIN),
            kind: Kind::Log,
            base_offset: 0,
        }
    }

    /// Whether this is the log on stdin, which can be read only once.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == STDIN
    }

    /// See [`short_name`].
    pub fn short_name(&self) -> String {
        short_name(&self.path)
    }

    /// The file of another kind with the same base offset in the same folder, if there is one. A metadata snapshot, or
    /// a file whose name is not that of a segment, has none.
    pub fn sibling(&self, kind: FileKind) -> Option<PathBuf> {
        FileKind::of(self.path.file_name()?.to_str()?)?;
        let path = self
            .path
            .with_file_name(file_name::file_name(self.base_offset, kind));
        path.is_file().then_some(path)
    }

    /// The segments after this file's own, given the base offsets of all in its folder, ascending; none for a file whose
    /// name is not that of a segment.
    pub fn later_segments(&self, segments: &[i64]) -> LaterSegments {
        let own = self.path.file_name().and_then(|name| name.to_str());
        if own.and_then(file_name::parse).is_none() {
            return LaterSegments::default();
        }
        let later = segments.partition_point(|base_offset| *base_offset <= self.base_offset);
        LaterSegments {
            next: segments.get(later).copied(),
            count: (segments.len() - later) as u64,
        }
    }

    /// The folder it is in, `.` for a path without one.
    pub fn folder(&self) -> &Path {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        }
    }
}

/// The name of a file with that of the folder it is in: `orders-0/00000000000000000000.log`.
pub fn short_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match path.parent().and_then(Path::file_name) {
        Some(folder) => format!("{}/{name}", folder.to_string_lossy()),
        None => name.into_owned(),
    }
}

/// The base offsets of the segments in a folder, ascending; none when the folder cannot be read.
pub fn segments(folder: &Path) -> Vec<i64> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut segments: Vec<i64> = entries
        .filter_map(|entry| match file_name::parse(entry.file_name().to_str()?) {
            Some((base_offset, FileKind::Log)) => Some(base_offset),
            _ => None,
        })
        .collect();
    segments.sort_unstable();
    segments
}

/// The segments of a log after one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaterSegments {
    /// The base offset of the next one.
    pub next: Option<i64>,
    /// How many there are.
    pub count: u64,
}
