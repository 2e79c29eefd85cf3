//! Files with secrets: readable by their owner alone, written as a whole or not at all.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::{Error, Result};

/// Writes the file, and replaces an existing one.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let failed =
        |error: std::io::Error| Error::from(error).context(format!("cannot write {}", path.display()));
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = Path::new(&fresh);
    let _ = fs::remove_file(fresh);
    let file = fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(fresh);
    let mut file = file.map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(fresh, path).map_err(failed)
}
