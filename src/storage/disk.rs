//! Every change of a file of a log dir, and every read that a log depends on: the one place where a disk can be made to
//! fail.
//!
//! Without rules in force (`disk_faults`) each call is the system call and one load of a flag that is never set. Owns
//! nothing of what the bytes mean, and no file names.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::disk_faults::{self as faults, Operation};

/// Creates an empty file; an existing one is truncated.
pub fn create(path: &Path) -> io::Result<File> {
    faults::check_path(Operation::Create, path)?;
    File::create(path)
}

/// Opens a file to be written to.
pub fn open(options: &OpenOptions, path: &Path) -> io::Result<File> {
    faults::check_path(Operation::Create, path)?;
    options.open(path)
}

/// Writes all of `bytes` at `position`; after a failure some of them may be there.
pub fn write_all_at(file: &File, bytes: &[u8], position: u64) -> io::Result<()> {
    let failure = faults::check_write(file, bytes.len());
    let Some(failure) = failure else {
        return file.write_all_at(bytes, position);
    };
    file.write_all_at(bytes.get(..failure.written).unwrap_or(bytes), position)?;
    Err(failure.error)
}

/// Creates a file with these bytes; after a failure it may have some of them.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let file = create(path)?;
    write_all_at(&file, bytes, 0)?;
    Ok(file)
}

/// Truncates a file, or extends it with zeros.
pub fn set_len(file: &File, len: u64) -> io::Result<()> {
    faults::check_file(Operation::Truncate, file)?;
    file.set_len(len)
}

/// Syncs the bytes of a file (`fdatasync`). After a failure they may be lost, and a later success does not mean that
/// they are on disk.
pub fn sync(file: &File) -> io::Result<()> {
    faults::check_file(Operation::Sync, file)?;
    file.sync_data()
}

/// Syncs the bytes and the metadata (`fsync`) of a new file, or the names in a folder.
pub fn sync_all(file: &File) -> io::Result<()> {
    faults::check_file(Operation::Sync, file)?;
    file.sync_all()
}

/// Gives a file or folder another name; a file of that name is replaced.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    faults::check_path(Operation::Rename, from)?;
    fs::rename(from, to)
}

pub fn remove_file(path: &Path) -> io::Result<()> {
    faults::check_path(Operation::Remove, path)?;
    fs::remove_file(path)
}

/// Creates a folder, not its parents.
pub fn create_dir(path: &Path) -> io::Result<()> {
    faults::check_path(Operation::Create, path)?;
    fs::create_dir(path)
}

/// Fills all of `place` with the bytes from `position` on.
pub fn read_exact_at(file: &File, place: &mut [u8], position: u64) -> io::Result<()> {
    faults::check_file(Operation::Read, file)?;
    file.read_exact_at(place, position)
}
