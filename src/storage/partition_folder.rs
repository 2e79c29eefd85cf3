//! Whether a folder with a partition's name holds a log, and which of its files are the log's own.
//!
//! A data directory may hold a folder `photos-24` that no broker made. Such a folder is never taken for a log, and
//! foreign files in a log's folder are kept when the log is deleted.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::disk;
use super::file_name::{FileKind, PARTITION_METADATA, is_log_file, parse};
use crate::error::{Error, Result};

/// Whether the folder holds a log: its topic's id, or a segment. A link to a folder counts as no folder.
pub(super) fn holds_log(folder: &Path) -> Result<bool> {
    if !fs::symlink_metadata(folder)?.is_dir() {
        return Ok(false);
    }
    any_entry(folder, |name| {
        name == PARTITION_METADATA || matches!(parse(name), Some((_, FileKind::Log)))
    })
}

/// Whether anything in the folder is not the log's.
pub(super) fn holds_others(folder: &Path) -> Result<bool> {
    any_entry(folder, |name| !is_log_file(name))
}

/// Whether there is nothing at all in the folder.
pub(super) fn is_empty(folder: &Path) -> Result<bool> {
    Ok(!any_entry(folder, |_| true)?)
}

/// A name that is not UTF-8 is no name of ours: `holds` gets the empty name.
fn any_entry(folder: &Path, holds: impl Fn(&str) -> bool) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        if holds(entry?.file_name().to_str().unwrap_or_default()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes the log's files, and the folder if nothing else is in it. Of a link to a folder only the link is
/// removed.
pub(super) fn remove(folder: &Path) -> Result<()> {
    let cannot = |error: std::io::Error| {
        Error::from(error).context(format_args!("cannot delete {}", folder.display()))
    };
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let is_file = entry.file_type().is_ok_and(|kind| !kind.is_dir());
        if is_file && entry.file_name().to_str().is_some_and(is_log_file) {
            disk::remove_file(&entry.path()).map_err(cannot)?;
        }
    }
    let removed = if fs::symlink_metadata(folder).map_err(cannot)?.is_symlink() {
        disk::remove_file(folder)
    } else {
        fs::remove_dir(folder)
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::DirectoryNotEmpty => Err(cannot(error)),
        _ => Ok(()),
    }
}
