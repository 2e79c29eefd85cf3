//! The files in a partition's folder; removes what an interrupted deletion or compaction left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;

use super::batch_reader::{BatchReader, LOOKUP_BUFFER};
use super::disk;
use super::file_name::{CLEANED_SUFFIX, FileKind, SWAP_SUFFIX, file_name, parse, unfinished};
use crate::error::Result;
use crate::topic_partition::Offset;

/// The files that belong to a log.
#[derive(Debug, Default)]
pub(super) struct FolderFiles {
    /// Base offset → size of the log file.
    pub(super) logs: BTreeMap<Offset, u64>,
    /// Base offsets of the segments that have both indexes.
    pub(super) indexed: BTreeSet<Offset>,
    pub(super) snapshots: BTreeSet<Offset>,
    /// Some segment has a transaction index.
    pub(super) has_transactions: bool,
}

/// Reads the folder.
pub(super) fn list(folder: &Path) -> Result<FolderFiles> {
    let names = file_names(folder)?;
    if !names.iter().any(|name| unfinished(name).is_some()) {
        return sort(folder, &names);
    }
    forget_or_finish(folder, &names)?;
    let names = file_names(folder)?;
    if swapped(&names).next().is_some() {
        finish_swap(folder, &names)?;
        return sort(folder, &file_names(folder)?);
    }
    sort(folder, &names)
}

/// Removes segments that compaction had not finished writing; of a finished one all files get the suffix `.swap`. The
/// log file decides: if it is `.cleaned`, the other files of the segment are of no use; if it is `.swap`, all of them
/// are finished. It is removed last, since this decision needs it.
fn forget_or_finish(folder: &Path, names: &[String]) -> Result<()> {
    let has = |segment: &str, suffix: &str| {
        let log = format!("{segment}{}{suffix}", FileKind::Log.suffix());
        names.contains(&log)
    };
    let mut logs = Vec::new();
    for name in names {
        let Some(whole) = unfinished(name) else { continue };
        let (segment, _) = whole.split_once('.').unwrap_or((whole, ""));
        let is_log = whole.ends_with(FileKind::Log.suffix());
        let path = folder.join(name);
        if name.ends_with(CLEANED_SUFFIX) && !is_log && has(segment, SWAP_SUFFIX) {
            disk::rename(&path, &folder.join(format!("{whole}{SWAP_SUFFIX}")))?;
        } else if name.ends_with(SWAP_SUFFIX) && (is_log || !has(segment, CLEANED_SUFFIX)) {
            // Left for `finish_swap`.
        } else if is_log {
            logs.push(path);
        } else {
            disk::remove_file(&path)?;
        }
    }
    for log in logs {
        disk::remove_file(&log)?;
    }
    Ok(())
}

/// The final names of the files that compaction was about to put in place.
fn swapped(names: &[String]) -> impl Iterator<Item = &str> {
    names
        .iter()
        .filter(|name| name.ends_with(SWAP_SUFFIX))
        .filter_map(|name| unfinished(name))
}

fn file_names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

fn sort(folder: &Path, names: &[String]) -> Result<FolderFiles> {
    let mut files = FolderFiles::default();
    let mut offset_indexes = BTreeSet::new();
    let mut time_indexes = BTreeSet::new();
    let mut transaction_indexes = BTreeSet::new();
    for (offset, kind) in names.iter().filter_map(|name| parse(name)) {
        match kind {
            FileKind::Log => {
                let size = fs::metadata(folder.join(file_name(offset, kind)))?.len();
                files.logs.insert(offset, size);
            }
            FileKind::OffsetIndex => drop(offset_indexes.insert(offset)),
            FileKind::TimeIndex => drop(time_indexes.insert(offset)),
            FileKind::TransactionIndex => drop(transaction_indexes.insert(offset)),
            FileKind::ProducerSnapshot => drop(files.snapshots.insert(offset)),
        }
    }
    files.has_transactions = !transaction_indexes.is_empty();
    files.indexed = offset_indexes.intersection(&time_indexes).copied().collect();
    let indexes = [
        (FileKind::OffsetIndex, offset_indexes),
        (FileKind::TimeIndex, time_indexes),
        (FileKind::TransactionIndex, transaction_indexes),
    ];
    for (kind, offsets) in indexes {
        for offset in offsets
            .into_iter()
            .filter(|offset| !files.logs.contains_key(offset))
        {
            disk::remove_file(&folder.join(file_name(offset, kind)))?;
        }
    }
    Ok(files)
}

/// Finishes a replacement: compaction had written a whole segment, and was about to replace those that it was made
/// from.
fn finish_swap(folder: &Path, names: &[String]) -> Result<()> {
    for (base, _) in swapped(names)
        .filter_map(parse)
        .filter(|(_, kind)| *kind == FileKind::Log)
    {
        let mut path = folder.join(file_name(base, FileKind::Log)).into_os_string();
        path.push(SWAP_SUFFIX);
        let file = File::open(path)?;
        let mut reader = BatchReader::new(&file, 0, file.metadata()?.len(), LOOKUP_BUFFER);
        let mut next_offset = base;
        while let Some(batch) = reader.next_valid()? {
            next_offset = batch.header.next_offset();
        }
        let replaced = |(offset, kind): &(Offset, FileKind)| {
            (base..next_offset.max(base + 1)).contains(offset) && *kind != FileKind::ProducerSnapshot
        };
        for (offset, kind) in names.iter().filter_map(|name| parse(name)).filter(replaced) {
            disk::remove_file(&folder.join(file_name(offset, kind)))?;
        }
    }
    // The log first: as long as it is `.swap`, so are the others, and none of them is taken for an old one.
    let (logs, others): (Vec<&str>, Vec<&str>) =
        swapped(names).partition(|name| name.ends_with(FileKind::Log.suffix()));
    for name in logs.into_iter().chain(others) {
        let unfinished = folder.join(format!("{name}{SWAP_SUFFIX}"));
        disk::rename(&unfinished, &folder.join(name))?;
    }
    Ok(())
}
