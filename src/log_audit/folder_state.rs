//! What was read so far in the logs of one folder, for the files that are compared with them.
//!
//! Owns when it is reset: at the first file of another folder.

use std::path::PathBuf;

use super::epoch_check::Epochs;
use super::producer_check::Producers;
use crate::storage::read_only::log_dir_file::{LaterSegments, LogDirFile, segments};

/// The state of the folder whose files are being read.
#[derive(Debug, Default)]
pub(super) struct FolderState {
    pub(super) producers: Producers,
    pub(super) epochs: Epochs,
    folder: PathBuf,
    /// The base offsets of the folder's segments when its first file was read.
    segments: Vec<i64>,
}

impl FolderState {
    /// Resets the state if `file` is in another folder than the file before.
    pub(super) fn enter(&mut self, file: &LogDirFile) {
        let folder = file.folder();
        if self.folder != folder {
            *self = Self {
                producers: Producers::default(),
                epochs: Epochs::of(folder),
                folder: folder.to_owned(),
                segments: segments(folder),
            };
        }
    }

    /// The segments after that of a file.
    pub(super) fn later_segments(&self, file: &LogDirFile) -> LaterSegments {
        file.later_segments(&self.segments)
    }
}
