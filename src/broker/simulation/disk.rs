//! A disk after a power cut: the end of a log that was not synced may be missing, also from the middle of a batch, or
//! be zeros.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::reassignment::random::Random;
use crate::records::Batches;
use crate::topic_partition::Offset;

/// Loses a random part of the log in `folder` from `synced` on, the offset below which everything was synced.
pub(super) fn tear(folder: &Path, synced: Offset, random: &mut Random) {
    let mut logs = log_files(folder);
    while let Some(path) = logs.pop() {
        let bytes = fs::read(&path).unwrap();
        let safe = safe_length(&bytes, synced);
        let kept = safe + random.below(bytes.len() - safe + 1);
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(kept as u64).unwrap();
        if random.below(4) == 0 {
            // The file has its length, but its blocks were never written.
            file.set_len(bytes.len() as u64).unwrap();
        }
        // Later segments may be lost with it; an earlier one is damaged only if all later ones are lost.
        if safe > 0 || random.below(2) == 0 {
            break;
        }
        fs::remove_file(&path).unwrap();
        if logs.is_empty() {
            break;
        }
    }
}

fn log_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_log = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "log");
    let mut logs: Vec<PathBuf> = paths.filter(is_log).collect();
    logs.sort();
    logs
}

/// The number of bytes of the batches below `synced`.
fn safe_length(bytes: &[u8], synced: Offset) -> usize {
    let batches = Batches::new(bytes).map_while(Result::ok);
    let safe = batches.take_while(|batch| batch.header.next_offset() <= synced);
    safe.map(|batch| batch.position + batch.bytes.len())
        .last()
        .unwrap_or(0)
}
