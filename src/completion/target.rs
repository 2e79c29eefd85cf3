//! The cluster of a line: from the connection flags of either face, or else from the environment and the profile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cluster_names::Kind;
use super::known::Known;
use super::line::Line;
use crate::client::local_broker::RunningBroker;
use crate::client::mini_place;
use crate::client::settings::{Asking, Origin, Settings};
use crate::error::{Error, Result};
use crate::storage::file_name::parse_partition_folder;

const SERVERS: &[&str] = &["-b", "--bootstrap-server"];
/// Old names of the flag, which mean ids of brokers in another tool.
const OLD_SERVERS: &[&str] = &["--broker-list", "--brokers"];
const FILES: &[&str] = &[
    "--command-config",
    "--consumer.config",
    "--producer.config",
    "--admin.config",
];
const PROFILE: &[&str] = &["--profile"];
/// The flag for the second cluster of commands that have two.
const OTHER_SERVERS: &[&str] = &["--to"];
const OTHER_PROFILE: &[&str] = &["--to-profile"];
const OTHER_FILE: &[&str] = &["--to-config"];
/// The most folders of a data directory that are listed.
const MOST_FOLDERS: usize = 50_000;

/// A cluster, and how it is reached.
#[derive(Clone, Debug)]
pub(super) struct Target {
    settings: Settings,
    key: String,
    /// The data directory, if the cluster is a mini broker.
    dir: Option<PathBuf>,
}

impl Target {
    /// The cluster named by the line, the environment, or the profile; else the user's mini broker.
    pub(super) fn of(line: &Line) -> Result<Self> {
        let first = settings_of(line)?;
        let (mut settings, others) = other_cluster(line, &first.0)?.unwrap_or(first);
        settings.resolve_references(Asking::PassedOver)?;
        settings.check_servers()?;
        let servers = settings.get("bootstrap.servers").unwrap_or_default().to_owned();
        let dir = mini_place::directory_named(&servers)?;
        let place = match &dir {
            Some(dir) => format!("mini {}", dir.display()),
            None => format!("servers {servers}"),
        };
        let user = settings.get("sasl.username").unwrap_or_default();
        Ok(Self {
            key: format!("{place}\t{others} {user}"),
            settings,
            dir,
        })
    }

    /// Identifies the cluster, and the user who asks it.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The settings with an address. A mini broker is asked only if it is running.
    pub(super) fn reachable(&self) -> Result<Settings> {
        let mut settings = self.settings.clone();
        // A password must not be asked for while the user types at the shell's prompt.
        settings.resolve_references(Asking::Refused)?;
        if let Some(dir) = &self.dir {
            let running = RunningBroker::find(dir).and_then(|broker| broker.addresses.into_iter().next());
            let address = running.ok_or_else(|| Error::unreachable("no mini broker runs"))?;
            settings.set("bootstrap.servers", address, Origin::Flag);
        }
        Ok(settings)
    }

    /// The topics of a mini broker that is not running, from its folders.
    pub(super) fn names_on_disk(&self, kind: &Kind) -> Vec<Known> {
        let Some(dir) = self.dir.as_ref().filter(|_| *kind == Kind::Topics) else {
            return Vec::new();
        };
        let mut partitions: BTreeMap<String, u32> = BTreeMap::new();
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        for entry in entries.take(MOST_FOLDERS) {
            let folder = entry.file_name();
            if let Some(partition) = folder.to_str().and_then(parse_partition_folder) {
                *partitions.entry(partition.topic).or_default() += 1;
            }
        }
        partitions
            .into_iter()
            .map(|(topic, count)| Known::topic(topic, count))
            .collect()
    }
}

/// The settings of the line's cluster, and the words that identify them.
fn settings_of(line: &Line) -> Result<(Settings, String)> {
    let profile = value_of(line, PROFILE).or_else(|| std::env::var("KAFKIT_PROFILE").ok());
    let mut settings = Settings::from_environment(profile.as_deref())?;
    let file = value_of(line, FILES);
    if let Some(path) = &file {
        settings.read_properties_file(Path::new(path))?;
    }
    for pair in line.words.windows(2) {
        if let [flag, setting] = pair
            && matches!(flag.as_str(), "-X" | "--command-property")
            && let Some((key, value)) = setting.split_once('=')
        {
            settings.set_from_flag(key.trim(), value)?;
        }
    }
    let old = value_of(line, OLD_SERVERS).filter(|value| value.contains(':'));
    if let Some(servers) = value_of(line, SERVERS).or(old).or_else(|| joined_servers(line)) {
        settings.set("bootstrap.servers", servers, Origin::Flag);
    }
    Ok((settings, words_of(profile, file)))
}

/// The same for the second cluster of the line, if it is wanted and named; `first` are the settings of the first one.
fn other_cluster(line: &Line, first: &Settings) -> Result<Option<(Settings, String)>> {
    let (servers, profile) = (value_of(line, OTHER_SERVERS), value_of(line, OTHER_PROFILE));
    let file = value_of(line, OTHER_FILE);
    if !line.is_of_other_cluster || (servers.is_none() && profile.is_none() && file.is_none()) {
        return Ok(None);
    }
    let mut settings = match (&profile, &file) {
        (None, None) => first.clone(),
        (None, Some(_)) => Settings::default(),
        (Some(profile), _) => Settings::of_profile(Some(profile))?,
    };
    if let Some(path) = &file {
        settings.read_properties_file(Path::new(path))?;
    }
    if let Some(servers) = servers {
        settings.set("bootstrap.servers", servers, Origin::Flag);
    }
    Ok(Some((settings, words_of(profile, file))))
}

fn value_of(line: &Line, flags: &[&str]) -> Option<String> {
    let value = line.value_of(flags).filter(|value| !value.is_empty());
    value.map(expanded)
}

fn words_of(profile: Option<String>, file: Option<String>) -> String {
    [profile, file].map(Option::unwrap_or_default).join(" ")
}

/// `-bHOST:PORT`, the form of short flags.
fn joined_servers(line: &Line) -> Option<String> {
    let joined = line.words.iter().skip(1).find_map(|word| word.strip_prefix("-b"));
    joined.filter(|servers| !servers.is_empty()).map(expanded)
}

/// `$NAME` and `${NAME}` as the shell will expand them when the line runs, if the variable is exported.
fn expanded(value: &str) -> String {
    let name = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match name.or_else(|| value.strip_prefix('$')) {
        Some(name) => std::env::var(name).unwrap_or_else(|_| value.to_owned()),
        None => value.to_owned(),
    }
}
