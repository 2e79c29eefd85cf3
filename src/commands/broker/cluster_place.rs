//! Which cluster the settings of a node name, and which process of this user runs it.
//!
//! Nodes of one cluster are identified by what Apache Kafka's nodes would find each other by: the same
//! `zookeeper.connect`, or the same quorum of controllers. The process that runs the cluster registers in a file for
//! each cluster, in a folder that only its user can read; a lock decides which of several processes does.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use crate::broker::config::BrokerConfig;
use crate::client::mini_place;
use crate::error::{Error, Result};
use crate::lock_file::LockFile;

/// What identifies a cluster: a setting and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClusterKey(String);

impl ClusterKey {
    /// The cluster of a node; `None` if its settings name none.
    pub(super) fn of(config: &BrokerConfig) -> Option<Self> {
        let given = |name: &str| {
            let value = config.given(name)?.trim();
            (!value.is_empty()).then(|| Self(format!("{name}={}", in_order(value))))
        };
        if config.given("process.roles").is_none() {
            return given("zookeeper.connect");
        }
        given("controller.quorum.voters").or_else(|| given("controller.quorum.bootstrap.servers"))
    }

    /// The value as in the settings.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// The entries of a list in sorted order; ZooKeeper's path applies to the whole list.
fn in_order(list: &str) -> String {
    let (list, path) = list.split_at(list.find('/').unwrap_or(list.len()));
    let mut words: Vec<String> = list
        .split(',')
        .map(|word| word.trim().to_ascii_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    words.sort();
    words.dedup();
    words.join(",") + path.trim_end_matches('/')
}

/// A process that runs a cluster.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Host {
    cluster: String,
    pub(super) pid: u32,
    /// The directory of its control socket.
    pub(super) dir: PathBuf,
    /// Whether its own node has stopped, and it continues for those of other processes.
    pub(super) stays: bool,
}

/// Where the process that runs a cluster registers.
#[derive(Clone, Debug)]
pub(super) struct ClusterPlace {
    folder: PathBuf,
    key: ClusterKey,
}

/// The right to become the process that runs a cluster; other processes wait until it is dropped.
#[derive(Debug)]
pub(super) struct Turn(#[allow(dead_code, reason = "is held")] LockFile);

impl ClusterPlace {
    /// # Errors
    ///
    /// There is no folder for it: the system does not name a home directory, or the folder belongs to another user.
    pub(super) fn of(key: ClusterKey) -> Result<Self> {
        let folder = folder()?;
        Ok(Self { folder, key })
    }

    pub(super) fn key(&self) -> &ClusterKey {
        &self.key
    }

    fn file(&self, suffix: &str) -> PathBuf {
        let hash = XxHash3_64::oneshot(self.key.0.as_bytes());
        self.folder.join(format!("{hash:016x}.{suffix}"))
    }

    /// Waits until no other process holds the right to become the one that runs the cluster. `waits` is called if that
    /// takes time.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or its file system does not support locks.
    pub(super) fn take_turn(&self, waits: impl FnOnce()) -> Result<Turn> {
        let path = self.file("lock");
        let lock = LockFile::take(&path).or_else(|error| {
            if error.kind() != ErrorKind::WouldBlock {
                return Err(error);
            }
            waits();
            LockFile::wait(&path)
        });
        let lock = lock.map_err(|error| Error::from(error).context(path.display()))?;
        Ok(Turn(lock))
    }

    /// The process that registered last as the one that runs the cluster, whether or not it still does.
    pub(super) fn host(&self) -> Option<Host> {
        read(&self.file("json")).filter(|host| host.cluster == self.key.0)
    }

    /// Registers this process as the one that runs the cluster, with its control socket in `dir`.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn announce(&self, dir: &Path, stays: bool) -> Result<()> {
        let host = Host {
            cluster: self.key.0.clone(),
            pid: std::process::id(),
            dir: dir.to_owned(),
            stays,
        };
        let fresh = self.file("json.tmp");
        fs::write(&fresh, serde_json::to_vec(&host).map_err(Error::failed)?)?;
        Ok(fs::rename(fresh, self.file("json"))?)
    }

    /// Removes the registration of this process.
    pub(super) fn withdraw(&self) {
        let is_own = self.host().is_some_and(|host| host.pid == std::process::id());
        if is_own {
            let _ = fs::remove_file(self.file("json"));
        }
    }
}

/// Whether that process has stopped its own node and continues for those of others.
pub(super) fn stays(pid: u32) -> bool {
    let entries = folder().ok().and_then(|folder| fs::read_dir(folder).ok());
    let files = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()));
    let mut hosts = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter_map(|path| read(&path));
    hosts.any(|host| host.pid == pid && host.stays)
}

fn read(path: &Path) -> Option<Host> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// The folder for all clusters. Anyone who can write there could make a process run a node with other settings.
fn folder() -> Result<PathBuf> {
    let folder = mini_place::clusters_dir()?;
    let failed = |error: std::io::Error| Error::from(error).context(folder.display());
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(failed)?;
    let metadata = fs::metadata(&folder).map_err(failed)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
        return Err(
            Error::failed(format!("{} can be written by other users", folder.display()))
                .hint("chmod 700 makes it yours alone"),
        );
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(settings: &[(&str, &str)]) -> Option<String> {
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = BrokerConfig::new(PathBuf::from("/nowhere"), settings).unwrap();
        ClusterKey::of(&config).map(|key| key.text().to_owned())
    }

    #[test]
    fn the_same_cluster_has_the_same_key() {
        let zookeeper = |value| key(&[("zookeeper.connect", value)]);
        let one = Some("zookeeper.connect=a:2181,b:2181/kafka".to_owned());
        assert_eq!(zookeeper("b:2181, A:2181/kafka"), one);
        assert_ne!(zookeeper("a:2181,b:2181/other"), one);
        let voters = "controller.quorum.voters";
        let servers = "controller.quorum.bootstrap.servers";
        let kraft = |name, value| {
            key(&[
                ("process.roles", "broker,controller"),
                ("zookeeper.connect", "ignored:2181"),
                (name, value),
            ])
        };
        assert_eq!(
            kraft(voters, "2@b:9093,1@a:9093"),
            kraft(voters, "1@a:9093,2@b:9093")
        );
        assert_eq!(
            kraft(servers, "localhost:9093").as_deref(),
            Some("controller.quorum.bootstrap.servers=localhost:9093")
        );
        assert_eq!(kraft(servers, " "), None);
        assert_eq!(key(&[]), None);
    }
}
