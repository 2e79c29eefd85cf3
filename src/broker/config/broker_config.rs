//! What the broker was started with: the static settings, checked once.
//!
//! Owns defaults, types and listener addresses. Configs that change while the broker runs (topic configs, dynamic
//! broker configs) are in the image of `cluster/`; commands read files and the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config_table;
use crate::broker::rehearsal::Rehearsal;
use crate::error::{Error, Result};
use crate::wire::Secret;
use crate::wire::host_port::host_port;
use crate::wire::sasl::jaas::LoginFile;
use crate::wire::security_protocol::SecurityProtocol;

/// A listener as configured: `NAME://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub name: String,
    pub host: String,
    /// 0 for any free port.
    pub port: u16,
}

impl Endpoint {
    /// Parses `NAME://host:port`; the host may be empty, and in brackets if it is IPv6.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, address) = text.split_once("://")?;
        let (host, port) = address.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(Self {
            name: name.to_ascii_uppercase(),
            host: host.to_owned(),
            port: port.parse().ok()?,
        })
    }

    /// The host to bind: an empty one and `*` stand for every address of this machine.
    pub fn bind_host(&self) -> &str {
        match self.host.as_str() {
            "" | "*" => "0.0.0.0",
            host => host,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.name, host_port(&self.host, self.port))
    }
}

/// Static settings.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    given: BTreeMap<String, String>,
    pub node_id: i32,
    /// The log dir, or the first of several.
    pub data_dir: PathBuf,
    /// The other log dirs.
    pub other_dirs: Vec<PathBuf>,
    pub listeners: Vec<Endpoint>,
    /// The advertised addresses, by listener name; a listener without one advertises its bound address.
    pub advertised: Vec<Endpoint>,
    /// The JAAS file, for listeners without logins in their settings.
    pub login_file: Option<Arc<LoginFile>>,
    /// The controller listeners, where nothing listens.
    pub controllers: Vec<Endpoint>,
    /// Force each batch to disk before it is acknowledged.
    pub flush_each_batch: bool,
    /// Stop after this long without a client; `None` for never.
    pub leave_when_idle: Option<std::time::Duration>,
    /// How it behaves so that clients can be tested with it.
    pub rehearsal: Rehearsal,
    pub connections_max_idle_ms: u64,
    pub socket_request_max_bytes: usize,
    /// The same limit for clients that have not authenticated.
    pub sasl_server_max_receive_size: usize,
    pub fetch_max_bytes: usize,
    pub auto_create_topics: bool,
    pub num_partitions: i32,
}

impl BrokerConfig {
    /// Checks `given`: names and values as in server.properties; of two for one name the later counts. Unknown names
    /// are kept and shown, and have no effect.
    pub fn new(data_dir: PathBuf, given: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let given: BTreeMap<String, String> = given.into_iter().collect();
        for (name, value) in &given {
            if let Some(setting) = config_table::find(name) {
                setting.check(value).map_err(Error::bad_data)?;
            }
        }
        let mut config = Self {
            given,
            node_id: 1,
            data_dir,
            other_dirs: Vec::new(),
            listeners: Vec::new(),
            advertised: Vec::new(),
            login_file: None,
            controllers: Vec::new(),
            flush_each_batch: false,
            leave_when_idle: None,
            rehearsal: Rehearsal::default(),
            connections_max_idle_ms: 0,
            socket_request_max_bytes: 0,
            sasl_server_max_receive_size: 0,
            fetch_max_bytes: 0,
            auto_create_topics: true,
            num_partitions: 1,
        };
        config.node_id = config.node_id_given();
        config.listeners = config.endpoints("listeners")?;
        config.advertised = config.endpoints("advertised.listeners")?;
        config.controllers = config.controller_endpoints()?;
        config.connections_max_idle_ms =
            u64::try_from(config.number("connections.max.idle.ms")).unwrap_or(u64::MAX >> 20);
        config.socket_request_max_bytes = config.size("socket.request.max.bytes");
        config.sasl_server_max_receive_size = config.size("sasl.server.max.receive.size");
        config.fetch_max_bytes = config.size("fetch.max.bytes");
        config.auto_create_topics = config.flag("auto.create.topics.enable");
        config.num_partitions = i32::try_from(config.number("num.partitions").max(1)).unwrap_or(i32::MAX);
        Ok(config)
    }

    /// The same config with the bound ports, one for each listener: a node that is started again listens there.
    pub(in crate::broker) fn with_ports(&self, ports: &[u16]) -> Self {
        let mut config = self.clone();
        for (endpoint, port) in config.listeners.iter_mut().zip(ports) {
            endpoint.port = *port;
        }
        config
    }

    /// The same config with the node's dynamic settings of listeners, and the listeners that these name.
    ///
    /// # Errors
    ///
    /// An address is malformed.
    pub(in crate::broker) fn with_listeners_of(&self, dynamic: &BTreeMap<String, String>) -> Result<Self> {
        let mut config = self.clone();
        let of_listeners = dynamic.iter().filter(|(name, _)| name.starts_with("listener"));
        (config.given).extend(of_listeners.map(|(name, value)| (name.clone(), value.clone())));
        if dynamic.contains_key("listeners") {
            config.listeners = config.endpoints("listeners")?;
        }
        Ok(config)
    }

    /// Every log dir, in the order of `log.dirs`.
    pub fn log_dirs(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(&self.data_dir)
            .chain(&self.other_dirs)
            .map(PathBuf::as_path)
    }

    /// The value that was given at the start.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// Every name and value that was given at the start.
    pub fn all_given(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value in force: the given one, or the table's default.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.given(name)
            .or_else(|| config_table::find(name).and_then(|setting| setting.default))
    }

    /// The value of a number setting; 0 if it is no number.
    pub fn number(&self, name: &str) -> i64 {
        let value = self.value(name).and_then(|value| value.trim().parse().ok());
        value.unwrap_or(0)
    }

    /// The value of a boolean setting.
    pub fn flag(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// The secret key of delegation tokens; without one there are no tokens.
    pub fn token_key(&self) -> Option<Secret> {
        let key = self.value("delegation.token.secret.key")?.trim();
        (!key.is_empty()).then(|| Secret::new(key))
    }

    fn size(&self, name: &str) -> usize {
        usize::try_from(self.number(name)).unwrap_or(0)
    }

    /// `node.id`, or `broker.id` of older files; ZooKeeper's "any id" (-1) is 1.
    fn node_id_given(&self) -> i32 {
        let id = self.given("node.id").or_else(|| self.given("broker.id"));
        let id = id.and_then(|id| id.trim().parse().ok()).filter(|id| *id >= 0);
        id.unwrap_or(1)
    }

    /// The security protocol of a listener: by `listener.security.protocol.map`, or by its own name.
    ///
    /// # Errors
    ///
    /// The map has no protocol for the listener, or names one that does not exist.
    pub fn protocol_of(&self, endpoint: &Endpoint) -> Result<SecurityProtocol> {
        let key = "listener.security.protocol.map";
        let pairs = self.value(key).unwrap_or_default().split(',');
        let mut mapped = pairs.filter_map(|pair| pair.split_once(':'));
        let mapped = mapped.find(|(name, _)| name.trim().eq_ignore_ascii_case(&endpoint.name));
        let protocol = SecurityProtocol::find(mapped.map_or(&endpoint.name, |(_, protocol)| protocol));
        protocol.ok_or_else(|| {
            Error::bad_data(format!(
                "{key}: there is no security protocol for listener {}",
                endpoint.name
            ))
            .hint("there are PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL")
        })
    }

    /// Whether clients of a listener have to authenticate.
    pub fn authenticates(&self, endpoint: &Endpoint) -> Result<bool> {
        let protocol = self.protocol_of(endpoint)?;
        let own = format!(
            "listener.name.{}.ssl.client.auth",
            endpoint.name.to_ascii_lowercase()
        );
        let client_auth = self.given(&own).or_else(|| self.value("ssl.client.auth"));
        let has_certificates = client_auth.is_some_and(|auth| auth.trim() == "required");
        Ok(protocol.uses_sasl() || (protocol == SecurityProtocol::Ssl && has_certificates))
    }

    /// Whether `process.roles` has a role; without the setting a node has both.
    fn has_role(&self, role: &str) -> bool {
        let roles = self.value("process.roles").unwrap_or_default();
        roles.trim().is_empty() || roles.split(',').any(|given| given.trim() == role)
    }

    /// Whether the node is a broker.
    pub fn is_broker(&self) -> bool {
        self.has_role("broker")
    }

    /// Whether the node is a controller, which votes in the quorum.
    pub fn is_controller(&self) -> bool {
        self.has_role("controller")
    }

    /// Whether the voters of the quorum are listed in the settings, as they are without KIP-853.
    pub fn lists_voters(&self) -> bool {
        let bootstrap = self.value("controller.quorum.bootstrap.servers");
        bootstrap.is_none_or(|servers| servers.trim().is_empty())
    }

    /// The voters in `controller.quorum.voters`, `1@host:9093,2@…`, with their endpoints. Malformed entries are
    /// skipped.
    pub fn listed_voters(&self) -> Vec<(i32, Endpoint)> {
        let names = self.value("controller.listener.names").unwrap_or_default();
        let name = names.split(',').next().map_or("", str::trim);
        let listed = self.value("controller.quorum.voters").unwrap_or_default();
        let voters = listed.split(',').filter_map(|voter| {
            let (id, address) = voter.trim().split_once('@')?;
            let mut endpoints = parse_endpoints("", &format!("{name}://{address}")).ok()?;
            Some((id.parse().ok()?, endpoints.pop()?))
        });
        voters.collect()
    }

    /// The endpoints of a list of listeners, without controller listeners: no controller serves there.
    fn endpoints(&self, name: &str) -> Result<Vec<Endpoint>> {
        let mut endpoints = parse_endpoints(name, self.value(name).unwrap_or(""))?;
        endpoints.retain(|endpoint| !self.is_of_controller(endpoint));
        Ok(endpoints)
    }

    fn controller_endpoints(&self) -> Result<Vec<Endpoint>> {
        let name = "listeners";
        let mut endpoints = parse_endpoints(name, self.value(name).unwrap_or(""))?;
        endpoints.retain(|endpoint| self.is_of_controller(endpoint));
        Ok(endpoints)
    }

    fn is_of_controller(&self, endpoint: &Endpoint) -> bool {
        self.is_controller_name(&endpoint.name)
    }

    /// Whether this is the name of a controller listener.
    pub(super) fn is_controller_name(&self, listener: &str) -> bool {
        let controllers = self.value("controller.listener.names").unwrap_or("CONTROLLER");
        controllers
            .split(',')
            .any(|controller| controller.trim().eq_ignore_ascii_case(listener))
    }
}

/// Parses `NAME://host:port,…`.
fn parse_endpoints(setting: &str, value: &str) -> Result<Vec<Endpoint>> {
    let mut endpoints = Vec::new();
    for word in value.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let bad = || Error::bad_data(format!("{setting}: \"{word}\" is not NAME://host:port"));
        endpoints.push(Endpoint::parse(word).ok_or_else(bad)?);
    }
    Ok(endpoints)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(given: &[(&str, &str)]) -> Result<BrokerConfig> {
        let given = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        BrokerConfig::new(PathBuf::from("/nowhere"), given)
    }

    #[test]
    fn the_controllers_listener_is_left_out() {
        let config = config(&[
            ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
            ("controller.listener.names", "CONTROLLER"),
            ("advertised.listeners", "PLAINTEXT://[::1]:9092"),
        ])
        .unwrap();
        assert_eq!(config.listeners.len(), 1);
        assert_eq!(config.advertised[0].host, "::1");
    }

    #[test]
    fn voters_are_listed_with_their_addresses() {
        let config = config(&[
            ("controller.quorum.voters", "1@localhost:9093, 2@[::1]:9094,x"),
            ("controller.listener.names", "CONTROLLER"),
        ]);
        let voters = config.unwrap().listed_voters();
        let shown: Vec<String> = voters.iter().map(|(id, at)| format!("{id} {at}")).collect();
        assert_eq!(
            shown,
            ["1 CONTROLLER://localhost:9093", "2 CONTROLLER://[::1]:9094"]
        );
    }

    #[test]
    fn the_old_name_of_the_node_id_counts() {
        assert_eq!(config(&[("broker.id", "0")]).unwrap().node_id, 0);
        assert_eq!(config(&[("broker.id", "-1")]).unwrap().node_id, 1);
        assert_eq!(
            config(&[("broker.id", "0"), ("node.id", "7")]).unwrap().node_id,
            7
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named() {
        let error = config(&[("num.partitions", "many")]).unwrap_err();
        assert_eq!(
            error.message(),
            "Invalid value many for configuration num.partitions: Not a number of type INT"
        );
    }
}
