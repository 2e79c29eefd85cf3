//! A controller as its properties file describes it, for `kafka-metadata-quorum add-controller`.

use std::path::Path;

use uuid::Uuid;

use super::super::admin_tool::Failure;
use super::super::console::{KeyValue, properties_file};
use crate::client::admin::quorum::Endpoint;
use crate::storage::meta_properties::MetaProperties;
use crate::topic_partition::BrokerId;

/// A controller that is to become a voter.
#[derive(Debug)]
pub(super) struct Controller {
    pub id: BrokerId,
    pub directory: Uuid,
    pub endpoints: Vec<Endpoint>,
}

const IS_IT_VALID: &str = "Is this a valid controller configuration file?";

/// Reads the file, and the log dir in it; the errors are Java's messages.
pub(super) fn read(file: &str) -> Result<Controller, Failure> {
    let properties = properties_file(file).map_err(|error| Failure::of(error.message()))?;
    let id = node_id(&properties)?;
    let directory = directory_id(&metadata_dir(&properties)?)?;
    Ok(Controller {
        id,
        directory,
        endpoints: endpoints(&properties)?,
    })
}

/// The last value of a property.
fn value<'a>(properties: &'a [KeyValue], name: &str) -> Option<&'a str> {
    let found = properties.iter().rev().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

fn node_id(properties: &[KeyValue]) -> Result<BrokerId, Failure> {
    let text = value(properties, "node.id")
        .ok_or_else(|| Failure::of(format!("node.id not found in configuration file. {IS_IT_VALID}")))?;
    let id: BrokerId = text
        .parse()
        .map_err(|_| Failure::of(format!("For input string: \"{text}\"")))?;
    if id < 0 {
        return Err(Failure::of(format!(
            "node.id was negative in configuration file. {IS_IT_VALID}"
        )));
    }
    let roles = value(properties, "process.roles").unwrap_or_default();
    if !roles.contains("controller") {
        return Err(Failure::of(format!(
            "process.roles did not contain 'controller' in configuration file. {IS_IT_VALID}"
        )));
    }
    Ok(id)
}

fn metadata_dir(properties: &[KeyValue]) -> Result<String, Failure> {
    if let Some(dir) = value(properties, "metadata.log.dir") {
        return Ok(dir.to_owned());
    }
    match value(properties, "log.dirs") {
        Some(dirs) => {
            let first = dirs.trim().split(',').next().unwrap_or_default();
            Ok(first.to_owned())
        }
        None => Err(Failure::of(format!(
            "Neither metadata.log.dir nor log.dirs were found. {IS_IT_VALID}"
        ))),
    }
}

fn directory_id(dir: &str) -> Result<Uuid, Failure> {
    let meta = MetaProperties::read(Path::new(dir)).ok().flatten();
    let meta = meta.ok_or_else(|| Failure::of(format!("Unable to read meta.properties from {dir}")))?;
    meta.directory_id
        .ok_or_else(|| Failure::of(format!("No directory id found in {dir}")))
}

/// The advertised addresses of the controller's listeners.
fn endpoints(properties: &[KeyValue]) -> Result<Vec<Endpoint>, Failure> {
    let mut known: Vec<Endpoint> = Vec::new();
    for name in ["listeners", "advertised.listeners"] {
        let list = value(properties, name).unwrap_or_default();
        for text in list.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let endpoint = endpoint(text)
                .ok_or_else(|| Failure::of(format!("Unable to parse {text} to a broker endpoint")))?;
            known.retain(|other| other.listener != endpoint.listener);
            known.push(endpoint);
        }
    }
    let names = value(properties, "controller.listener.names")
        .ok_or_else(|| Failure::of(format!("controller.listener.names was not found. {IS_IT_VALID}")))?;
    let find = |name: &str| {
        let name = name.to_uppercase();
        let mut all = known.iter();
        let found = all.find(|endpoint| endpoint.listener == name);
        found.cloned().ok_or_else(|| {
            Failure::of(format!(
                "Cannot find information about controller listener name: {name}"
            ))
        })
    };
    names.split(',').map(find).collect()
}

/// `CONTROLLER://host:9093`, `CONTROLLER://[::1]:9093`, `CONTROLLER://:9093`.
fn endpoint(text: &str) -> Option<Endpoint> {
    let (listener, address) = text.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some(Endpoint {
        listener: listener.to_uppercase(),
        host: if host.is_empty() { "localhost" } else { host }.to_owned(),
        port: port.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_has_a_name_a_host_and_a_port() {
        let shown = |text| endpoint(text).map(|found| (found.listener, found.host, found.port));
        let expected = |name: &str, host: &str, port| Some((name.to_owned(), host.to_owned(), port));
        assert_eq!(shown("c://h:9093"), expected("C", "h", 9093));
        assert_eq!(shown("C://[::1]:9093"), expected("C", "::1", 9093));
        assert_eq!(shown("C://:1"), expected("C", "localhost", 1));
        for text in ["", "C", "C://", "C://h", "C://h:x"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
