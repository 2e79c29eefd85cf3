//! Where mini brokers keep their data: the word `mini` as an address, and the directory that it means.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Where the user's mini broker keeps its data: `$XDG_DATA_HOME/kafkit`, by default `~/.local/share/kafkit`.
pub fn default_data_dir() -> Result<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(data) = set("XDG_DATA_HOME").filter(|path| path.is_absolute()) {
        return Ok(data.join("kafkit"));
    }
    let home = set("HOME").ok_or_else(|| {
        Error::failed("neither XDG_DATA_HOME nor HOME is set: no place for the mini broker's data")
            .hint("say --data-dir DIR, or -b mini:DIR")
    })?;
    Ok(home.join(".local/share/kafkit"))
}

/// The directory with the processes that run clusters of several nodes: `$XDG_STATE_HOME/kafkit/clusters`, by
/// default `~/.local/state/kafkit/clusters`.
///
/// # Errors
///
/// The home directory is not known.
pub fn clusters_dir() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = set("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(PathBuf::from(set("HOME")?).join(".local/state")));
    let state = state.ok_or_else(|| {
        Error::failed(
            "neither XDG_STATE_HOME nor HOME is set: no place to find the other nodes of the cluster",
        )
    })?;
    Ok(state.join("kafkit/clusters"))
}

/// The address that means the user's own mini broker.
pub const MINI: &str = "mini";

/// The data directory that `servers` names instead of brokers: an empty text and `mini` name the user's own,
/// `mini:DIR` another. `mini:9092` is a host called mini, as in any list of brokers.
pub fn directory_named(servers: &str) -> Result<Option<PathBuf>> {
    if matches!(servers, "" | MINI) {
        return default_data_dir().map(Some);
    }
    let Some(dir) = servers.strip_prefix("mini:") else {
        return Ok(None);
    };
    let first = dir.split(',').next().unwrap_or_default();
    if !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    if dir.is_empty() {
        return Err(Error::usage("mini: wants a directory").hint("-b mini is the one of your own"));
    }
    Ok(Some(std::path::absolute(dir)?))
}

/// A path in the user's notation.
pub fn shown(path: &Path) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned)) {
        Some(rest) if !rest.as_os_str().is_empty() => format!("~/{}", rest.display()),
        _ => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_called_mini_is_a_host() {
        for servers in [
            "mini:9092",
            "mini:9092,mini2:9092",
            "minimal",
            "mini.example.com:9092",
            "mini,other:1",
        ] {
            assert_eq!(directory_named(servers).unwrap(), None, "{servers}");
        }
        for (servers, dir) in [("mini:/srv/kafka", "/srv/kafka"), ("mini:/9092", "/9092")] {
            assert_eq!(
                directory_named(servers).unwrap(),
                Some(PathBuf::from(dir)),
                "{servers}"
            );
        }
        let relative = directory_named("mini:./9092").unwrap().unwrap();
        assert!(relative.is_absolute() && relative.ends_with("9092"));
        assert!(directory_named("mini:").is_err());
    }
}
