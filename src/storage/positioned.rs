//! Reads at a position of a shared file, until all the bytes are read or the file ends.
//!
//! Owns nothing of what the bytes mean.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::io::Errno;

use super::disk_faults::{Operation, check_file};

/// Fills `place` with the file's bytes from `at` on; returns how many there were.
pub fn fill_at(file: &File, at: u64, place: &mut [u8]) -> io::Result<usize> {
    check_file(Operation::Read, file)?;
    let mut filled = 0;
    while let Some(rest) = place.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Appends up to `wanted` of the file's bytes from `at` on; returns how many there were.
pub fn append_at(file: &File, at: u64, wanted: usize, bytes: &mut Vec<u8>) -> io::Result<usize> {
    check_file(Operation::Read, file)?;
    let (start, whole) = (bytes.len(), bytes.len() + wanted);
    // Memory that is not filled with zeros first.
    bytes.reserve_exact(wanted);
    while bytes.len() < whole {
        let next = at + (bytes.len() - start) as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(bytes), next) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(whole);
    Ok(bytes.len() - start)
}
