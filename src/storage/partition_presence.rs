//! A log whose folder is deleted or moved away while it is open: nothing may be acknowledged into files that have no
//! name any more.

use super::log_answer::{AppendError, ReadError};
use super::partition_log::PartitionLog;
use super::segment::Segment;
use crate::error::{Error, Kind, Result};

/// The folder of a log is gone, or what it holds may be.
pub(super) struct Gone(Error);

impl From<Gone> for AppendError {
    fn from(Gone(error): Gone) -> Self {
        AppendError::Gone(error)
    }
}

impl From<Gone> for ReadError {
    fn from(Gone(error): Gone) -> Self {
        ReadError::Storage(error)
    }
}

impl PartitionLog {
    /// Looks whether the folder still has the file that is appended to; costs two system calls while that is open, and
    /// nothing else.
    ///
    /// # Errors
    ///
    /// It has not, now or at an earlier look: the log takes and gives no records any more.
    pub fn look_for_folder(&mut self) -> Result<()> {
        self.is_gone = self.is_gone || !self.segments.last().is_none_or(Segment::is_in_place);
        self.check_present().map_err(|Gone(error)| error)
    }

    /// Why an append failed: a file that is missing is none of the disk's troubles, which may pass.
    pub(super) fn explain(&mut self, error: AppendError) -> AppendError {
        let is_missing = matches!(&error, AppendError::Storage(error) if error.kind() == Kind::NotFound);
        self.is_gone |= is_missing;
        match self.check_present() {
            Err(gone) => gone.into(),
            Ok(()) => error,
        }
    }

    /// Whether the disk has kept all that it was given to keep.
    pub(super) fn check_disk(&self) -> Result<(), Gone> {
        self.folder.disk().check().map_err(Gone)
    }

    /// What the last look has found, and whether the disk can be believed.
    pub(super) fn check_present(&self) -> Result<(), Gone> {
        self.check_disk()?;
        if !self.is_gone {
            return Ok(());
        }
        let folder = self.folder.display();
        Err(Gone(
            Error::failed(format!(
                "the files of {folder} were deleted or moved away: its partition takes and gives no records any more"
            ))
            .hint("start the broker again: the partition is then empty, or has what was put back"),
        ))
    }
}
