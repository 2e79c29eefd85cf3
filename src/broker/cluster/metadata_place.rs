//! Where the metadata are if the nodes of a cluster are processes of their own: in the log dir of the node that
//! started first. A file in every log dir of the cluster names the metadata file, so that any node can be the first
//! to start again.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::lock_file::LockFile;

/// The name of that file, in each log dir.
const PLACE: &str = ".kafkit-metadata";
/// The lock file beside the metadata.
const LOCK: &str = ".kafkit-metadata.lock";

/// The metadata file of the cluster that a log dir belongs to; `None` if the log dir is new or its cluster has no
/// other.
///
/// # Errors
///
/// The metadata file does not exist, or the disk fails.
pub(in crate::broker) fn read(log_dir: &Path) -> Result<Option<PathBuf>> {
    let text = match fs::read_to_string(log_dir.join(PLACE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let path = PathBuf::from(text.trim_end_matches('\n'));
    if path.is_file() {
        return Ok(Some(path));
    }
    let dir = log_dir.display();
    let place = path.display();
    Err(
        Error::failed(format!("the metadata of its cluster are gone: {place}"))
            .context(format!("data directory {dir}"))
            .hint("remove the log dirs of its other nodes as well, and begin anew"),
    )
}

/// Writes into a log dir where the metadata are.
///
/// # Errors
///
/// The disk fails.
pub(in crate::broker) fn write(log_dir: &Path, metadata: &Path) -> Result<()> {
    let fresh = log_dir.join(format!("{PLACE}.tmp"));
    fs::write(&fresh, format!("{}\n", metadata.display()))?;
    Ok(fs::rename(fresh, log_dir.join(PLACE))?)
}

/// Removes that file.
pub(in crate::broker) fn remove(log_dir: &Path) {
    let _ = fs::remove_file(log_dir.join(PLACE));
}

/// Keeps other processes from using the metadata until the returned lock is dropped. The lock of a log dir is not
/// enough: it is released when its node stops, and the cluster may run on without that node.
///
/// # Errors
///
/// Another process holds the lock.
pub(in crate::broker) fn lock(metadata: &Path) -> Result<LockFile> {
    let folder = metadata.parent().unwrap_or(metadata);
    LockFile::take(&folder.join(LOCK)).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => Error::failed(format!(
            "the metadata in {} are in use by another broker",
            folder.display()
        ))
        .hint("stop the process that runs the cluster, or join it with kafka-server-start"),
        _ => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_dir_names_the_metadata_of_its_cluster() {
        let folder = tempfile::tempdir().unwrap();
        let metadata = folder.path().join("m.checkpoint");
        assert_eq!(read(folder.path()).unwrap(), None);
        write(folder.path(), &metadata).unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("are gone"));
        fs::write(&metadata, "").unwrap();
        assert_eq!(read(folder.path()).unwrap(), Some(metadata));
    }

    #[test]
    fn one_process_at_a_time_has_the_metadata() {
        let folder = tempfile::tempdir().unwrap();
        let metadata = folder.path().join("m.checkpoint");
        let first = lock(&metadata).unwrap();
        assert!(lock(&metadata).is_err());
        drop(first);
        assert!(lock(&metadata).is_ok());
    }
}
