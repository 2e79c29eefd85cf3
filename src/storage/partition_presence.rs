//! A log whose folder is deleted or moved away while it is open: no append to such unlinked files may be acknowledged.

use super::log_answer::{AppendError, ReadError};
use super::partition_log::PartitionLog;
use super::segment::Segment;
use crate::error::{Error, Kind, Result};

/// The folder of a log is gone, or its disk may have lost data.
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
    /// Checks that the folder still has the file that is appended to; costs two system calls while that is open, and
    /// none otherwise.
    ///
    /// # Errors
    ///
    /// The file is missing, now or at an earlier check: the log refuses appends and reads from then on.
    pub fn look_for_folder(&mut self) -> Result<()> {
        self.is_gone = self.is_gone || !self.segments.last().is_none_or(Segment::is_in_place);
        self.check_present().map_err(|Gone(error)| error)
    }

    /// Why an append failed: a missing file is final, while an I/O error may pass.
    pub(super) fn explain(&mut self, error: AppendError) -> AppendError {
        let is_missing = matches!(&error, AppendError::Storage(error) if error.kind() == Kind::NotFound);
        self.is_gone |= is_missing;
        match self.check_present() {
            Err(gone) => gone.into(),
            Ok(()) => error,
        }
    }

    /// Whether every sync to the disk has succeeded.
    pub(super) fn check_disk(&self) -> Result<(), Gone> {
        self.folder.disk().check().map_err(Gone)
    }

    /// The result of the last check of the folder, and whether the disk can be trusted.
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
