//! Files that are locked while a process uses what lies beside them.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// A file that this process has locked with `flock`. The lock ends when the value is dropped.
#[derive(Debug)]
pub struct LockFile(File);

impl LockFile {
    /// Locks the file at `path`, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or somebody else holds the lock: [`io::ErrorKind::WouldBlock`].
    pub fn take(path: &Path) -> io::Result<Self> {
        Self::lock(path, FlockOperation::NonBlockingLockExclusive)
    }

    /// The same, but waits until nobody else holds the lock.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    pub fn wait(path: &Path) -> io::Result<Self> {
        Self::lock(path, FlockOperation::LockExclusive)
    }

    fn lock(path: &Path, operation: FlockOperation) -> io::Result<Self> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)?;
        flock(&file, operation)?;
        Ok(Self(file))
    }

    pub fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for LockFile {
    /// Closing the file is not enough: a process that is being started at this moment has a copy of each open file
    /// until it runs its program, and the lock belongs to all copies.
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_the_lock_and_copies_of_the_file_do_not_keep_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = LockFile::take(&path).unwrap();
        let copy = first.file().try_clone().unwrap();
        assert!(LockFile::take(&path).is_err());
        drop(first);
        LockFile::take(&path).unwrap();
        drop(copy);
    }
}
