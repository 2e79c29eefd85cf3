//! The folder of one log, and whether the disk under it can still be trusted.
//!
//! After a failed sync the bytes of a file may be lost although they can still be read, and a second sync may succeed.
//! So the first failure is final for the whole log dir until the broker restarts and reads what is on disk, as in
//! Apache Kafka.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::disk;
use crate::error::{Error, Result};

/// The health of the disk under a log dir; clones share it.
#[derive(Clone, Debug, Default)]
pub struct DiskHealth(Arc<OnceLock<String>>);

impl DiskHealth {
    /// Why nothing may be acknowledged any more; `None` as long as no sync has failed.
    pub fn failure(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// # Errors
    ///
    /// The disk has failed before.
    pub fn check(&self) -> Result<()> {
        match self.failure() {
            None => Ok(()),
            Some(why) => Err(Error::failed(why).hint("start the broker again once the disk is sound")),
        }
    }

    fn has_failed(&self, why: impl fmt::Display) {
        let _ = self.0.set(why.to_string());
    }
}

/// The folder of one log.
#[derive(Debug)]
pub struct LogFolder {
    path: PathBuf,
    disk: DiskHealth,
}

impl LogFolder {
    /// A folder on a disk that other folders share.
    pub(super) fn new(path: &Path, disk: &DiskHealth) -> Self {
        Self {
            path: path.to_owned(),
            disk: disk.clone(),
        }
    }

    pub(super) fn disk(&self) -> &DiskHealth {
        &self.disk
    }

    /// Syncs a file. A missing one is no error: retention deleted it, or it was never made.
    ///
    /// # Errors
    ///
    /// It cannot be opened or synced.
    pub(super) fn sync_file(&self, path: &Path) -> Result<()> {
        match File::open(path) {
            Ok(file) => self.synced(disk::sync(&file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::from(error).context(format_args!("cannot open {}", path.display()))),
        }
    }

    /// Syncs the names of the files.
    pub(super) fn sync_names(&self) -> Result<()> {
        let folder = File::open(&self.path)?;
        self.synced(disk::sync_all(&folder))
    }

    /// Takes the outcome of a sync of a file of this folder.
    ///
    /// # Errors
    ///
    /// It failed; then everything on this disk is refused from now on.
    pub(super) fn synced(&self, outcome: io::Result<()>) -> Result<()> {
        outcome.map_err(|error| {
            let error = Error::from(error).context(format_args!("cannot flush {}", self.path.display()));
            self.disk.has_failed(error.message());
            error
        })
    }
}

impl Deref for LogFolder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}
