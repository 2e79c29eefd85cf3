//! Names kept between two requests: a file for each cluster and kind in `$XDG_CACHE_HOME/kafkit/names`, by default in
//! `~/.cache`, that only its user can read.
//!
//! The first line of a file is the cluster's key; each further line is a name: its number, a tab, the name, a tab, the
//! note. A file that cannot be read counts as none.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File};
use std::io::{BufRead, BufReader, Read, Write as _};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use twox_hash::XxHash3_64;

use crate::lock_file::LockFile;

use super::cluster_names::Kind;
use super::known::Known;

/// The most files; the oldest are deleted.
const MOST_FILES: usize = 200;
/// The most bytes of a file that are read.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// The most names of one kind that are kept.
const MOST_NAMES: usize = 20_000;

/// The kept names of one kind in one cluster.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    path: PathBuf,
    key: String,
}

impl Cache {
    /// The cache for a cluster's names; `None` where there is no home directory.
    pub(super) fn of(cluster: &str, kind: &Kind) -> Option<Self> {
        let key = format!("{cluster}\t{}", kind.word()).replace('\n', " ");
        let name = format!("{:016x}", XxHash3_64::oneshot(key.as_bytes()));
        Some(Self {
            path: folder()?.join(name),
            key,
        })
    }

    /// The kept names; `None` when there are none.
    pub(super) fn read(&self) -> Option<Vec<Known>> {
        let file = File::open(&self.path).ok()?;
        let mut text = String::new();
        file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
        let mut lines = text.lines();
        // Two keys may have the same hash.
        if lines.next()? != self.key {
            return None;
        }
        Some(lines.filter_map(parsed).collect())
    }

    /// Keeps the names; replaces the file as a whole.
    pub(super) fn write(&self, names: &[Known]) {
        let mut text = format!("{}\n", self.key);
        for known in names.iter().take(MOST_NAMES) {
            if !known.name.chars().any(char::is_control) {
                let note = known.note.replace(char::is_control, " ");
                let _ = writeln!(text, "{}\t{}\t{note}", known.count, known.name);
            }
        }
        let Some(folder) = self.path.parent() else { return };
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        // The file is readable by its owner alone.
        let Ok(mut file) = NamedTempFile::new_in(folder) else {
            return;
        };
        if file.write_all(text.as_bytes()).is_ok() && file.persist(&self.path).is_ok() {
            drop_oldest(folder);
        }
    }

    /// The right to ask the cluster in the background, until the lock is dropped; `None` while another process has it.
    pub(super) fn take_turn(&self) -> Option<LockFile> {
        let folder = self.path.parent()?;
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        LockFile::take(&self.path.with_extension("turn")).ok()
    }
}

/// The addresses of the clusters whose names are kept.
pub(super) fn servers() -> Vec<String> {
    let mut servers = Vec::new();
    let files = folder().and_then(|folder| fs::read_dir(folder).ok());
    for entry in files.into_iter().flatten().flatten().take(MOST_FILES * 2) {
        let Ok(file) = File::open(entry.path()) else {
            continue;
        };
        let mut line = String::new();
        if BufReader::new(file.take(4096)).read_line(&mut line).is_err() {
            continue;
        }
        if let Some(("servers", given)) = line.split('\t').next().and_then(|word| word.split_once(' ')) {
            servers.push(given.to_owned());
        }
    }
    servers.sort();
    servers.dedup();
    servers
}

fn parsed(line: &str) -> Option<Known> {
    let mut parts = line.splitn(3, '\t');
    Some(Known {
        count: parts.next()?.parse().ok()?,
        name: parts.next()?.to_owned(),
        note: parts.next().unwrap_or_default().to_owned(),
    })
}

fn folder() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let cache = cache.or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(cache.join("kafkit").join("names"))
}

fn drop_oldest(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    for (_, path) in files.iter().take(files.len().saturating_sub(MOST_FILES)) {
        let _ = fs::remove_file(path);
    }
}
