//! The voters of a dynamic quorum (KIP-853): `--standalone`, `--initial-controllers`, and the snapshot with them.

use std::net::Ipv6Addr;

use uuid::Uuid;

use super::config::ServerConfig;
use crate::internal_records::control::encode_value;
use crate::internal_records::value::{StructValue, Value};
use crate::records::BatchBuilder;
use crate::records::batch_builder::BatchOptions;
use crate::records::control_record::ControlType;
use crate::storage::partition_metadata::{decode_id, random_id};

/// The level of `kraft.version` for dynamic quorums.
const KRAFT_VERSION: i64 = 1;

/// A voter of the quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Voter {
    pub id: i32,
    host: String,
    port: u16,
    pub directory_id: Uuid,
}

/// The only voter: the node itself, with a new directory id.
pub(super) fn standalone(config: &ServerConfig) -> Result<Vec<Voter>, String> {
    if !config.is_controller() {
        return Err("You can only use --standalone on a controller.".to_owned());
    }
    let (host, port) = config.controller_address()?;
    let directory_id = random_id().map_err(|error| error.to_string())?;
    Ok(vec![Voter {
        id: config.node_id,
        host,
        port,
        directory_id,
    }])
}

/// Parses `1@host:9093:directory-id,2@…`; sorted by id.
pub(super) fn parse(words: &str) -> Result<Vec<Voter>, String> {
    let mut voters: Vec<Voter> = words.split(',').map(voter).collect::<Result<_, _>>()?;
    voters.sort_by_key(|voter| voter.id);
    for pair in voters.windows(2) {
        if let [first, second] = pair
            && first.id == second.id
        {
            return Err(format!("Duplicate dynamic voter id {}", first.id));
        }
    }
    Ok(voters)
}

fn voter(word: &str) -> Result<Voter, String> {
    let (id, rest) = word
        .trim()
        .split_once('@')
        .ok_or("No @ found in dynamic voter string.")?;
    let id: i32 = id
        .parse()
        .map_err(|_| "Failed to parse node id in dynamic voter string.")?;
    if id < 0 {
        return Err(format!("Invalid negative node id {id} in dynamic voter string."));
    }
    let (host, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest
            .split_once("]:")
            .ok_or("Hostname began with left bracket, but no right bracket was found.")?,
        None => rest
            .split_once(':')
            .ok_or("No colon following hostname could be found.")?,
    };
    let (port, directory) = rest
        .split_once(':')
        .ok_or("No colon following port could be found.")?;
    let port = port
        .parse()
        .map_err(|_| "Failed to parse port in dynamic voter string.")?;
    let directory_id = decode_id(directory).ok_or("Failed to parse directory ID in dynamic voter string.")?;
    Ok(Voter {
        id,
        host: java_host(host),
        port,
        directory_id,
    })
}

/// A host as Java prints it: an IPv6 address with all its groups.
fn java_host(host: &str) -> String {
    let Ok(address) = host.parse::<Ipv6Addr>() else {
        return host.to_owned();
    };
    let groups: Vec<String> = address
        .segments()
        .iter()
        .map(|group| format!("{group:x}"))
        .collect();
    groups.join(":")
}

/// The first snapshot of the metadata log, with `kraft.version` and the voters.
pub(super) fn snapshot(listener: &str, voters: &[Voter], now_ms: i64) -> Option<Vec<u8>> {
    let mut first = batch(0);
    append(&mut first, ControlType::SnapshotHeader, now_ms, |value| {
        value.set("lastContainedLogTimestamp", Value::Number(now_ms));
    })?;
    append(&mut first, ControlType::KRaftVersion, now_ms, |value| {
        value.set("kRaftVersion", Value::Number(KRAFT_VERSION));
    })?;
    append(&mut first, ControlType::KRaftVoters, now_ms, |value| {
        let all = voters
            .iter()
            .filter_map(|voter| voter_value(value, listener, voter));
        let all = Value::Array(all.collect());
        value.set("voters", all);
    })?;
    let mut last = batch(i64::from(first.count()));
    append(&mut last, ControlType::SnapshotFooter, now_ms, |_| {})?;
    Some([first.finish_uncompressed(), last.finish_uncompressed()].concat())
}

fn voter_value<'a>(record: &StructValue<'a>, listener: &'a str, voter: &'a Voter) -> Option<Value<'a>> {
    let mut value = record.new_element("voters")?;
    let mut endpoint = value.new_element("endpoints")?;
    endpoint.set("name", Value::Text(listener.into()));
    endpoint.set("host", Value::Text(voter.host.as_str().into()));
    endpoint.set("port", Value::Number(voter.port.into()));
    let mut versions = value.new_struct("kRaftVersionFeature")?;
    versions.set("maxSupportedVersion", Value::Number(KRAFT_VERSION));
    value.set("voterId", Value::Number(voter.id.into()));
    value.set("voterDirectoryId", Value::Uuid(voter.directory_id.into_bytes()));
    value.set("endpoints", Value::Array(vec![Value::Struct(endpoint)]));
    value.set("kRaftVersionFeature", Value::Struct(versions));
    Some(Value::Struct(value))
}

/// An empty batch of control records.
fn batch(base_offset: i64) -> BatchBuilder {
    BatchBuilder::new(BatchOptions {
        base_offset,
        partition_leader_epoch: 0,
        control: true,
        ..BatchOptions::default()
    })
}

fn append<'a>(
    batch: &mut BatchBuilder,
    kind: ControlType,
    now_ms: i64,
    fill: impl FnOnce(&mut StructValue<'a>),
) -> Option<()> {
    let value = encode_value(kind.id(), fill)?;
    let mut key = vec![0, 0];
    key.extend_from_slice(&kind.id().to_be_bytes());
    batch.append(now_ms, Some(&key), Some(&value), &[]);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voters_have_an_id_an_address_and_a_directory() {
        let id = "JEXY6aqzQY-32P5TStzaFg";
        let voters = parse(&format!("1@localhost:9093:{id}, 2@[::1]:9094:{id}")).unwrap();
        let addresses: Vec<(i32, &str, u16)> = voters
            .iter()
            .map(|voter| (voter.id, voter.host.as_str(), voter.port))
            .collect();
        assert_eq!(addresses, [(1, "localhost", 9093), (2, "0:0:0:0:0:0:0:1", 9094)]);
        for wrong in [
            "",
            "nonsense",
            "x@h:1:i",
            "-1@h:1:i",
            "1@",
            "1@h",
            "1@h:1",
            "1@h:x:i",
            "1@h:70000:i",
            "1@h:1:i",
            "1@[::1:1:i",
        ] {
            let wrong = wrong.replace(":i", &format!(":{}", if wrong == "1@h:1:i" { "i" } else { id }));
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
        assert!(parse(&format!("1@a:1:{id},1@b:2:{id}")).is_err());
    }
}
