//! The settings of a `server.properties` that `kafka-storage` needs.

use super::super::console::{KeyValue, properties_file};
use crate::topic_partition::BrokerId;

/// The log directory without `log.dirs`.
const DEFAULT_LOG_DIR: &str = "/tmp/kafka-logs";

/// The settings of a broker or a controller.
#[derive(Debug)]
pub(super) struct ServerConfig {
    /// Empty if the file belongs to a cluster with `ZooKeeper`.
    pub roles: Vec<String>,
    pub node_id: BrokerId,
    /// In the order of the file.
    pub log_dirs: Vec<String>,
    /// The directory of the metadata log; the first log dir, unless `metadata.log.dir` is set.
    pub metadata_dir: String,
    pub has_static_voters: bool,
    /// The first name in `controller.listener.names`.
    pub controller_listener: String,
    /// `NAME://host:port` of every listener, advertised ones first.
    listeners: Vec<String>,
}

impl ServerConfig {
    /// Every directory, sorted and without duplicates.
    pub(super) fn directories(&self) -> Vec<String> {
        let mut all = self.log_dirs.clone();
        all.push(self.metadata_dir.clone());
        all.sort();
        all.dedup();
        all
    }

    /// The address of the node's controller listener.
    pub(super) fn controller_address(&self) -> Result<(String, u16), String> {
        let name = &self.controller_listener;
        let of_name = |listener: &String| {
            let (known, address) = listener.split_once("://")?;
            let (host, port) = address.rsplit_once(':')?;
            let host = host.trim_matches(['[', ']']);
            (known == name).then(|| (host.to_owned(), port.parse::<u16>().ok()))
        };
        let found = self.listeners.iter().find_map(of_name);
        match found {
            Some((host, Some(port))) if host.is_empty() => Ok((own_name(), port)),
            Some((host, Some(port))) => Ok((host, port)),
            _ => Err(format!(
                "kafka-storage: there is no listener {name} with a host and a port"
            )),
        }
    }

    pub(super) fn is_controller(&self) -> bool {
        self.roles.iter().any(|role| role == "controller")
    }
}

/// Reads the file.
pub(super) fn read(file: &str) -> Result<ServerConfig, String> {
    let properties = properties_file(file).map_err(|error| format!("kafka-storage: {error}"))?;
    let words = |name: &str| -> Vec<String> {
        let text = value(&properties, name).unwrap_or_default();
        let words = text.split(',').map(str::trim);
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let mut log_dirs = words("log.dirs");
    if log_dirs.is_empty() {
        log_dirs = words("log.dir");
    }
    if log_dirs.is_empty() {
        log_dirs.push(DEFAULT_LOG_DIR.to_owned());
    }
    let id = value(&properties, "node.id").or(value(&properties, "broker.id"));
    let node_id = match id.map(str::trim) {
        Some(text) => text.parse().map_err(|_| {
            format!("Invalid value {text} for configuration node.id: Not a number of type INT")
        })?,
        None => -1,
    };
    let first = log_dirs.first().cloned().unwrap_or_default();
    let listeners = [words("advertised.listeners"), words("listeners")].concat();
    Ok(ServerConfig {
        controller_listener: words("controller.listener.names")
            .into_iter()
            .next()
            .unwrap_or_default(),
        listeners,
        roles: words("process.roles"),
        node_id,
        metadata_dir: value(&properties, "metadata.log.dir").map_or(first, str::to_owned),
        has_static_voters: !words("controller.quorum.voters").is_empty(),
        log_dirs,
    })
}

/// The name of this machine.
fn own_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The last value of a property.
pub(super) fn value<'a>(properties: &'a [KeyValue], name: &str) -> Option<&'a str> {
    let found = properties.iter().rev().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}
