//! Where profiles are kept: the user's configuration file, the file of a project, and what is trusted.
//!
//! The places are those of the XDG base directory specification.

use std::env;
use std::path::{Path, PathBuf};

/// The name of a project's file.
pub const PROJECT_FILE: &str = ".kafkit.toml";

/// `$XDG_CONFIG_HOME/kafkit/config.toml`, by default in `~/.config`.
pub fn user_file() -> Option<PathBuf> {
    Some(base("XDG_CONFIG_HOME", ".config")?.join("config.toml"))
}

/// The list of project files that the user trusts, in `$XDG_STATE_HOME/kafkit`, by default in `~/.local/state`.
pub(super) fn trust_file() -> Option<PathBuf> {
    Some(base("XDG_STATE_HOME", ".local/state")?.join("trusted-projects"))
}

fn base(variable: &str, below_home: &str) -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let folder = set(variable).map(PathBuf::from);
    let folder = folder.or_else(|| Some(Path::new(&set("HOME")?).join(below_home)))?;
    Some(folder.join("kafkit"))
}

/// The file of the project that `folder` is in: the nearest, up to the root of the repository. Outside of a repository
/// only `folder` itself is searched: a file in a folder above may be from anybody.
pub fn project_file(folder: &Path) -> Option<PathBuf> {
    let root = folder.ancestors().find(|folder| folder.join(".git").exists());
    let last = root.unwrap_or(folder);
    folder
        .ancestors()
        .take_while(|folder| folder.starts_with(last))
        .map(|folder| folder.join(PROJECT_FILE))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_project_s_file_is_found_up_to_the_repository_s_root() {
        let home = tempfile::tempdir().unwrap();
        let (repository, inner) = (home.path().join("r"), home.path().join("r/a/b"));
        fs::create_dir_all(&inner).unwrap();
        let put = |folder: &Path| fs::write(folder.join(PROJECT_FILE), "").unwrap();
        put(home.path());
        assert_eq!(
            project_file(&inner),
            None,
            "no repository: only the folder itself"
        );
        fs::create_dir(repository.join(".git")).unwrap();
        assert_eq!(project_file(&inner), None, "above the root nothing is looked at");
        put(&repository);
        assert_eq!(project_file(&inner), Some(repository.join(PROJECT_FILE)));
        put(&inner);
        assert_eq!(project_file(&inner), Some(inner.join(PROJECT_FILE)));
        assert_eq!(project_file(home.path()), Some(home.path().join(PROJECT_FILE)));
    }
}
