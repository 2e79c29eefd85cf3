//! What lies in a partition's folder; clears away what an interrupted deletion or compaction left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;

use super::batch_reader::{BatchReader, LOOKUP_BUFFER};
use super::file_name::{FileKind, SWAP_SUFFIX, file_name, parse, unfinished};
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
    let swapped = swapped(&names).next().is_some();
    let leftover = |name: &&String| unfinished(name).is_some() && !name.ends_with(SWAP_SUFFIX);
    for name in names.iter().filter(leftover) {
        fs::remove_file(folder.join(name))?;
    }
    if swapped {
        finish_swap(folder, &names)?;
        return sort(folder, &file_names(folder)?);
    }
    sort(folder, &names)
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
            fs::remove_file(folder.join(file_name(offset, kind)))?;
        }
    }
    Ok(files)
}

/// Compaction had written a segment whole and was about to put it in place of those that it was made from.
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
            fs::remove_file(folder.join(file_name(offset, kind)))?;
        }
    }
    for name in swapped(names) {
        fs::rename(folder.join(format!("{name}{SWAP_SUFFIX}")), folder.join(name))?;
    }
    Ok(())
}
