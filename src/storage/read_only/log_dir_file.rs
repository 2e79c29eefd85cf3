//! Which files of a log dir a path stands for, and what each of them is.
//!
//! Owns the walk through folders and what a name says. What a file with another name holds is for `content` to find out.

use std::fs;
use std::path::{Path, PathBuf};

use super::content;
use crate::error::{Error, Result};
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

    /// Whether it is the log on stdin, which can be read only once.
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

/// Every file that `paths` stand for: files in the order given, the files in and below a folder in the order of their
/// names. An error when a path does not exist, a folder has no file of a log dir in it, or a file is of no known kind.
pub fn find(paths: &[PathBuf]) -> Result<Vec<LogDirFile>> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path).map_err(|error| Error::from(error).context(path.display()))?;
        if metadata.is_dir() {
            let before = files.len();
            walk(path, &mut files)?;
            if files.len() == before {
                return Err(Error::not_found(format!(
                    "{}: no file of a Kafka log in it",
                    path.display()
                )));
            }
        } else if !metadata.is_file() {
            // The bytes of a pipe can be read only once: what it holds cannot be looked at first.
            files.push(log_dir_file(path.clone(), Kind::Log));
        } else {
            let kind = kind_of(path)?.ok_or_else(|| {
                Error::bad_data(format!(
                    "{}: neither a log, an index, a snapshot nor a checkpoint",
                    path.display()
                ))
            })?;
            files.push(log_dir_file(path.clone(), kind));
        }
    }
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<LogDirFile>) -> Result<()> {
    let failed = |error: std::io::Error| Error::from(error).context(folder.display());
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // No broker hides its data: hidden files are its lock and the mini broker's own state.
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry.path());
        }
    }
    entries.sort();
    for path in entries {
        // Links are followed to files, not to folders: no walk goes in circles.
        if path.is_dir() && !path.is_symlink() {
            walk(&path, files)?;
        } else if let Some(kind) = kind_by_name(&path).filter(|_| is_file_or_gone(&path)) {
            files.push(log_dir_file(path, kind));
        }
    }
    Ok(())
}

/// Pipes and devices are no files of a log dir. A file that cannot be examined is reported when it is opened.
fn is_file_or_gone(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

fn log_dir_file(path: PathBuf, kind: Kind) -> LogDirFile {
    let name = path.file_name().and_then(|name| name.to_str()).map(own_name);
    // Only the name of a segment's file says where it begins: that of a metadata snapshot says where it ends, and a pipe
    // has a number as its name.
    let segment = name.filter(|name| FileKind::of(name).is_some());
    let digits = segment.and_then(|name| name.split('.').next());
    let base_offset = digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
    LogDirFile {
        path,
        kind,
        base_offset,
    }
}

/// The name without what Kafka appends to that of a file that it is deleting, cleaning or swapping.
fn own_name(name: &str) -> &str {
    [
        file_name::DELETED_SUFFIX,
        file_name::CLEANED_SUFFIX,
        file_name::SWAP_SUFFIX,
    ]
    .into_iter()
    .find_map(|suffix| name.strip_suffix(suffix))
    .unwrap_or(name)
}

fn kind_of(path: &Path) -> Result<Option<Kind>> {
    match kind_by_name(path) {
        Some(kind) => Ok(Some(kind)),
        None => content::kind_of(path),
    }
}

/// By suffix or name. What Kafka is deleting, cleaning or swapping keeps its kind.
fn kind_by_name(path: &Path) -> Option<Kind> {
    let name = own_name(path.file_name()?.to_str()?);
    if let Some(kind) = FileKind::of(name) {
        return Some(match kind {
            FileKind::Log => Kind::Log,
            FileKind::OffsetIndex => Kind::OffsetIndex,
            FileKind::TimeIndex => Kind::TimeIndex,
            FileKind::TransactionIndex => Kind::TransactionIndex,
            FileKind::ProducerSnapshot => Kind::ProducerSnapshot,
        });
    }
    match name {
        file_name::LEADER_EPOCHS => Some(Kind::LeaderEpochs),
        file_name::META_PROPERTIES => Some(Kind::Properties),
        file_name::CLEAN_SHUTDOWN | file_name::QUORUM_STATE => Some(Kind::Json),
        file_name::PARTITION_METADATA => Some(Kind::PartitionMetadata),
        file_name::RECOVERY_POINTS
        | file_name::LOG_START_OFFSETS
        | file_name::HIGH_WATERMARKS
        | file_name::CLEANER_OFFSETS => Some(Kind::Offsets),
        file_name::BOOTSTRAP_CHECKPOINT => Some(Kind::Log),
        _ => file_name::parse_metadata_snapshot(name).map(|_| Kind::Log),
    }
}
