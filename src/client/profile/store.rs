//! Writes a configuration file: whole or not at all, and readable by its owner alone.

use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::error::{Error, Result};

/// Replaces the file; a link to it stays a link. Missing folders are created.
pub fn write(path: &Path, text: &str) -> Result<()> {
    // A link is followed, for example into a folder under version control.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&target, text)
        .map_err(|error| Error::from(error).context(format_args!("cannot write {}", path.display())))
}

fn replace(target: &Path, text: &str) -> std::io::Result<()> {
    let folder = target.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // `tempfile` creates files with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".kafkit-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_behind_its_link_and_is_its_owner_s() {
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real"), home.path().join("a/link"));
        fs::write(&real, "old").unwrap();
        fs::create_dir(home.path().join("a")).unwrap();
        symlink(&real, &link).unwrap();
        write(&link, "new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
        let fresh = home.path().join("b/c/file");
        write(&fresh, "text").unwrap();
        assert_eq!(fs::read_to_string(&fresh).unwrap(), "text");
        let mode = fs::metadata(home.path().join("b")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(fs::read_dir(home.path().join("b/c")).unwrap().count(), 1);
    }
}
