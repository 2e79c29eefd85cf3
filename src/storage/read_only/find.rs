//! Which files of a log dir a path stands for, and what each of them is.
//!
//! Owns the walk through folders and what a name says. `content` finds out what a file with another name holds.

use std::fs;
use std::path::{Path, PathBuf};

use super::content;
use super::log_dir_file::{Kind, LogDirFile};
use crate::error::{Error, Result};
use crate::storage::file_name::{self, FileKind};

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
