//! A disk that fails on purpose: rules that say which of the next operations under a folder go wrong, and how.
//!
//! For tests alone: only a test's own call, or a request on a broker's control socket, puts rules in force. Until then
//! each operation costs one load of a flag. The rules count operations and use no random numbers, so that rules chosen
//! by a seed give the same failures again. The path of an open file comes from `/proc`; without `/proc` only
//! operations that name a path are hit.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is done to a disk.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A file is made, or opened to be written to; a folder is made.
    Create,
    Write,
    Truncate,
    Sync,
    Rename,
    Remove,
    Read,
}

/// What happens to an operation that a rule hits.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It fails with this error number of the system, such as `libc::EIO`.
    Fail(i32),
    /// A write writes this percentage of its bytes, and fails with `EIO`.
    Tear(u8),
    /// All writes together have room for this many more bytes: one that needs more writes what fits and fails with
    /// `ENOSPC`, as do later ones that need more than is left.
    Room(u64),
    /// It takes this many milliseconds longer.
    WaitMs(u64),
}

/// One rule.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct DiskRule {
    pub operation: Operation,
    /// Only files whose path contains this.
    pub named: String,
    /// This many matching operations succeed first.
    pub skip: u64,
    /// This many are hit after these; `None` is all.
    pub count: Option<u64>,
    pub effect: Effect,
}

/// How a write goes wrong.
#[derive(Debug)]
pub(super) struct WriteFailure {
    /// How many of its bytes reach the file.
    pub(super) written: usize,
    pub(super) error: io::Error,
}

static IS_ARMED: AtomicBool = AtomicBool::new(false);
/// The rules by the folder that they are about.
static RULES: Mutex<BTreeMap<PathBuf, Vec<DiskRule>>> = Mutex::new(BTreeMap::new());

fn rules() -> MutexGuard<'static, BTreeMap<PathBuf, Vec<DiskRule>>> {
    RULES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Replaces the rules for everything below `folder`; an empty list ends the failures.
pub fn set(folder: &Path, new: Vec<DiskRule>) {
    let mut rules = rules();
    if new.is_empty() {
        rules.remove(folder);
    } else {
        rules.insert(folder.to_owned(), new);
    }
    IS_ARMED.store(!rules.is_empty(), Ordering::Relaxed);
}

/// Whether any rule is in force.
#[inline]
fn is_armed() -> bool {
    IS_ARMED.load(Ordering::Relaxed)
}

/// The error of an operation on a path, if a rule hits it.
#[inline]
pub(super) fn check_path(operation: Operation, path: &Path) -> io::Result<()> {
    if is_armed() { fail(operation, path) } else { Ok(()) }
}

/// [`check_path`] for an open file.
#[inline]
pub(super) fn check_file(operation: Operation, file: &File) -> io::Result<()> {
    if is_armed() {
        fail(operation, &path_of(file))
    } else {
        Ok(())
    }
}

/// [`check_path`] for a write of `length` bytes.
#[inline]
pub(super) fn check_write(file: &File, length: usize) -> Option<WriteFailure> {
    if is_armed() {
        hit(Operation::Write, &path_of(file), length)
    } else {
        None
    }
}

#[cold]
fn fail(operation: Operation, path: &Path) -> io::Result<()> {
    hit(operation, path, 0).map_or(Ok(()), |failure| Err(failure.error))
}

#[cold]
fn hit(operation: Operation, path: &Path, length: usize) -> Option<WriteFailure> {
    let mut wait = Duration::ZERO;
    let failure = {
        let mut rules = rules();
        let about = rules.iter_mut().filter(|(folder, _)| path.starts_with(folder));
        let mut matching = about
            .flat_map(|(_, rules)| rules)
            .filter(|rule| rule.operation == operation && path.to_string_lossy().contains(&rule.named));
        matching.find_map(|rule| rule.take(length, &mut wait))
    };
    std::thread::sleep(wait);
    failure
}

impl DiskRule {
    /// Counts an operation, and returns how it fails; a wait is added to `wait`.
    fn take(&mut self, length: usize, wait: &mut Duration) -> Option<WriteFailure> {
        if let Effect::Room(left) = &mut self.effect {
            let fits = usize::try_from(*left).unwrap_or(usize::MAX).min(length);
            *left -= fits as u64;
            return (fits < length).then(|| failure(fits, libc::ENOSPC));
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        if self.count == Some(0) {
            return None;
        }
        self.count = self.count.map(|count| count - 1);
        match self.effect {
            Effect::Fail(number) => Some(failure(0, number)),
            Effect::Tear(percent) => Some(failure(length * usize::from(percent.min(99)) / 100, libc::EIO)),
            Effect::WaitMs(ms) => {
                *wait += Duration::from_millis(ms);
                None
            }
            Effect::Room(_) => None,
        }
    }
}

fn failure(written: usize, number: i32) -> WriteFailure {
    WriteFailure {
        written,
        error: io::Error::from_raw_os_error(number),
    }
}

/// The path of an open file; empty where the system does not say.
fn path_of(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    std::fs::read_link(link).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::disk;

    fn rule(operation: Operation, effect: Effect) -> DiskRule {
        DiskRule {
            operation,
            named: String::new(),
            skip: 0,
            count: None,
            effect,
        }
    }

    #[test]
    fn a_full_disk_takes_what_fits() {
        let folder = tempfile::tempdir().unwrap();
        let file = disk::create(&folder.path().join("file")).unwrap();
        set(folder.path(), vec![rule(Operation::Write, Effect::Room(10))]);
        disk::write_all_at(&file, b"123456", 0).unwrap();
        let error = disk::write_all_at(&file, b"789abcd", 6).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(disk::write_all_at(&file, b"x", 10).is_err());
        set(folder.path(), Vec::new());
        assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"123456789a");
        disk::write_all_at(&file, b"x", 10).unwrap();
    }

    #[test]
    fn rules_count_and_keep_to_their_folder_and_names() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = disk::create(&folder.path().join("a.log")).unwrap();
        let elsewhere = disk::create(&other.path().join("a.log")).unwrap();
        let sync = DiskRule {
            named: ".log".to_owned(),
            skip: 1,
            count: Some(2),
            ..rule(Operation::Sync, Effect::Fail(libc::EIO))
        };
        set(folder.path(), vec![sync]);
        let outcomes: Vec<bool> = (0..4).map(|_| disk::sync(&file).is_ok()).collect();
        assert_eq!(outcomes, [true, false, false, true]);
        assert!(disk::sync(&elsewhere).is_ok());
        set(
            folder.path(),
            vec![rule(Operation::Rename, Effect::Fail(libc::EIO))],
        );
        let (from, to) = (folder.path().join("a.log"), folder.path().join("b.log"));
        assert!(disk::rename(&from, &to).is_err());
        set(folder.path(), vec![rule(Operation::Write, Effect::Tear(50))]);
        assert!(disk::write_all_at(&file, b"12345678", 0).is_err());
        set(folder.path(), Vec::new());
        assert_eq!(std::fs::read(&from).unwrap(), b"1234");
    }
}
