//! The settings of each node of a cluster out of those of the cluster: id, rack, ports, log dir.
//!
//! Several nodes keep their log dirs in one folder, `node-1` and so on, from which a later start knows their number.

use std::path::{Path, PathBuf};

use super::configuration::Serve;
use crate::broker::config::{BrokerConfig, Endpoint};
use crate::error::{Error, Result};
use crate::storage::file_name::META_PROPERTIES;

/// More nodes on one machine are refused.
const MOST: usize = 100;
/// Replication factors of internal topics; the default is the number of nodes, at most three.
const REPLICATED: [&str; 3] = [
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "share.coordinator.state.topic.replication.factor",
];

/// Names and values of settings.
type Given = Vec<(String, String)>;

/// The log dir and the settings of each node.
pub(super) fn settings(serve: &Serve, data_dir: &Path, given: Given) -> Result<Vec<(PathBuf, Given)>> {
    let base = BrokerConfig::new(data_dir.to_owned(), given.clone())?;
    let count = match serve.nodes {
        Some(count) => count,
        None => found(data_dir, base.node_id),
    };
    if !(1..=MOST).contains(&count) {
        return Err(Error::usage(format!("--nodes takes 1 to {MOST}, not {count}")));
    }
    if !serve.racks.is_empty() && serve.racks.len() != count {
        let racks = serve.racks.len();
        return Err(Error::usage(format!(
            "--racks names {racks} racks for {count} nodes"
        )));
    }
    if count == 1 && !log_dir(data_dir, base.node_id).join(META_PROPERTIES).exists() {
        let given = with_rack(given, serve, 0);
        return Ok(vec![(data_dir.to_owned(), given)]);
    }
    if data_dir.join(META_PROPERTIES).exists() {
        let dir = data_dir.display();
        return Err(Error::failed(format!("{dir} is the log dir of a single node"))
            .hint("name another directory for several nodes"));
    }
    let nodes = (0..count).map(|place| node(serve, &base, data_dir, given.clone(), place, count));
    nodes.collect()
}

/// How many log dirs of nodes there are; 1 if there are none.
fn found(data_dir: &Path, first: i32) -> usize {
    let ids = (first..).take(MOST);
    let dirs = ids.take_while(|id| log_dir(data_dir, *id).join(META_PROPERTIES).exists());
    dirs.count().max(1)
}

fn log_dir(data_dir: &Path, id: i32) -> PathBuf {
    data_dir.join(format!("node-{id}"))
}

fn node(
    serve: &Serve,
    base: &BrokerConfig,
    data_dir: &Path,
    given: Given,
    place: usize,
    count: usize,
) -> Result<(PathBuf, Given)> {
    let id = base.node_id + i32::try_from(place).unwrap_or(i32::MAX);
    let mut given = with_rack(given, serve, place);
    given.retain(|(name, _)| name != "broker.id" && name != "log.dirs" && name != "log.dir");
    given.push(("node.id".to_owned(), id.to_string()));
    for (name, endpoints) in [
        ("listeners", &base.listeners),
        ("advertised.listeners", &base.advertised),
    ] {
        if !endpoints.is_empty() {
            given.push((name.to_owned(), shifted(endpoints, place)?));
        }
    }
    for name in REPLICATED {
        if base.given(name).is_none() {
            given.push((name.to_owned(), count.min(3).to_string()));
        }
    }
    Ok((log_dir(data_dir, id), given))
}

fn with_rack(mut given: Given, serve: &Serve, place: usize) -> Given {
    if let Some(rack) = serve.racks.get(place) {
        given.push(("broker.rack".to_owned(), rack.clone()));
    }
    given
}

/// The listeners of the node at this index: ports count up with it; a free port (0) stays 0.
fn shifted(endpoints: &[Endpoint], place: usize) -> Result<String> {
    let shifted = endpoints.iter().map(|endpoint| {
        let port = match endpoint.port {
            0 => Some(0),
            port => u16::try_from(place)
                .ok()
                .and_then(|place| port.checked_add(place)),
        };
        let port = port.ok_or_else(|| Error::usage("there are no ports left for all nodes"))?;
        let host = if endpoint.host.contains(':') {
            format!("[{}]", endpoint.host)
        } else {
            endpoint.host.clone()
        };
        Ok(format!("{}://{host}:{port}", endpoint.name))
    });
    Ok(shifted.collect::<Result<Vec<_>>>()?.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(nodes: Option<usize>, racks: &[&str]) -> Serve {
        Serve {
            nodes,
            racks: racks.iter().map(ToString::to_string).collect(),
            ..Serve::default()
        }
    }

    fn given(listeners: &str) -> Given {
        vec![("listeners".to_owned(), listeners.to_owned())]
    }

    #[test]
    fn nodes_have_ids_ports_racks_and_log_dirs_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let nodes = settings(
            &serve(Some(3), &["a", "b", "c"]),
            folder.path(),
            given("PLAINTEXT://127.0.0.1:19092,OTHER://[::1]:0"),
        )
        .unwrap();
        let last = BrokerConfig::new(nodes[2].0.clone(), nodes[2].1.clone()).unwrap();
        assert_eq!((last.node_id, last.value("broker.rack")), (3, Some("c")));
        let ports: Vec<u16> = last.listeners.iter().map(|listener| listener.port).collect();
        assert_eq!(ports, [19094, 0]);
        assert_eq!(last.number("offsets.topic.replication.factor"), 3);
        assert_eq!(last.data_dir, folder.path().join("node-3"));
    }

    #[test]
    fn a_later_start_finds_out_how_many_nodes_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let count =
            |nodes| settings(&serve(nodes, &[]), folder.path(), Given::new()).map(|nodes| nodes.len());
        assert_eq!(count(None).unwrap(), 1);
        for id in 1..=3 {
            let dir = log_dir(folder.path(), id);
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join(META_PROPERTIES), "").unwrap();
        }
        assert_eq!(count(None).unwrap(), 3);
        std::fs::write(folder.path().join(META_PROPERTIES), "").unwrap();
        assert!(count(Some(3)).is_err());
    }

    #[test]
    fn there_are_as_many_racks_as_nodes() {
        let refused = settings(&serve(Some(3), &["a"]), Path::new("/nowhere"), Given::new()).unwrap_err();
        assert_eq!(refused.message(), "--racks names 1 racks for 3 nodes");
    }
}
