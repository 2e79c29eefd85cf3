//! One configuration out of flags, `-X`, the environment of container images and server.properties, in this order of
//! precedence; and what a broker without security must not do.

use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::container_environment;
use super::faults::FaultFlags;
use super::nodes;
use super::secure::Secure;
use crate::broker::config::config_table;
use crate::broker::config::effective_config::Configs;
use crate::broker::config::{BrokerConfig, Endpoint};
use crate::broker::faults::table::Faults;
use crate::broker::rehearsal::Rehearsal;
use crate::broker::releases::{NEWEST, OLDEST, Release};
use crate::client::java_properties;
use crate::client::login_file;
use crate::client::mini_place::default_data_dir;
use crate::error::{Error, Kind, Result};
use crate::wire::security_protocol::SecurityProtocol;

/// The setting of a file that has the meaning of `--allow-anonymous`.
const ALLOW_ANONYMOUS: &str = "kafkit.allow.anonymous";

/// How to serve.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Serve {
    /// `HOST:PORT`.
    pub listen: Vec<String>,
    pub advertise: Option<String>,
    pub data_dir: Option<PathBuf>,
    pub config: Option<PathBuf>,
    pub config_from_env: bool,
    /// Names and values, which override any file.
    pub settings: Vec<(String, String)>,
    pub flush: bool,
    pub allow_anonymous: bool,
    /// Whether certificates and a user are made for it.
    pub secure: bool,
    /// The broker ends after this time without a client.
    pub leave_when_idle: Option<Duration>,
    /// Whether another command started it, not a user.
    pub detached: bool,
    /// How many nodes; `None`: as many as the data directory has, one if it is new.
    pub nodes: Option<usize>,
    /// `broker.rack` of each node.
    pub racks: Vec<String>,
    pub faults: FaultFlags,
    /// The seed that repeats the random draws of fault rules.
    pub fault_seed: Option<u64>,
    /// The release of Apache Kafka whose API versions it serves.
    pub as_version: Option<String>,
    pub logs_requests: bool,
    /// The file that is written when it listens.
    pub ready_file: Option<PathBuf>,
    /// Whether it is one node of the cluster that its settings name, whose other nodes are other processes.
    pub is_member: bool,
    /// The line on stdout when it listens, for the node with this id, whose settings have `process.roles` or not.
    pub ready_words: Option<fn(i32, bool) -> String>,
}

/// A topic that must exist when the broker is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WantedTopic {
    pub(super) name: String,
    pub(super) partitions: i32,
    pub(super) configs: Configs,
}

/// The configuration of a broker.
#[derive(Debug)]
pub(super) struct Configuration {
    /// One for each node.
    pub(super) configs: Vec<BrokerConfig>,
    /// Where other commands find the broker: the log dir of a single node, the folder with the log dirs of several.
    pub(super) data_dir: PathBuf,
    pub(super) topics: Vec<WantedTopic>,
    pub(super) secure: Option<Secure>,
    /// Lines that the user should see.
    pub(super) notes: Vec<String>,
}

impl Configuration {
    pub(super) fn new(serve: &Serve) -> Result<Self> {
        let Given {
            settings: mut given,
            mut notes,
            topics,
        } = given(serve)?;
        note_zookeeper(serve, &given, &mut notes);
        let mut dirs = log_dirs(serve, &given)?.into_iter();
        let data_dir = dirs.next().unwrap_or_default();
        let other_dirs: Vec<PathBuf> = dirs.collect();
        let allow =
            serve.allow_anonymous || last(&given, ALLOW_ANONYMOUS).is_some_and(|value| value == "true");
        let secure = if serve.secure {
            Some(secured(&data_dir, &mut given)?)
        } else {
            None
        };
        let rehearsal = rehearsal(serve)?;
        let mut configs = Vec::new();
        for (dir, given) in nodes::settings(serve, &data_dir, given)? {
            let is_alone = dir == data_dir;
            let mut config = BrokerConfig::new(dir, given)?;
            if is_alone {
                config.other_dirs.clone_from(&other_dirs);
            }
            config.flush_each_batch = serve.flush;
            config.leave_when_idle = serve.leave_when_idle;
            config.rehearsal = rehearsal.clone();
            if config.listeners.is_empty() && (config.is_broker() || !serve.is_member) {
                return Err(Error::bad_data("listeners names no address for clients"));
            }
            if !config.is_broker() && !serve.is_member {
                return Err(
                    Error::bad_data("process.roles: a controller alone serves no clients")
                        .hint("kafka-server-start runs one for the brokers of its cluster"),
                );
            }
            for mut endpoint in std::mem::take(&mut config.listeners) {
                if !allow && !config.authenticates(&endpoint)? {
                    check_endpoint(&mut endpoint, &mut notes)?;
                }
                config.listeners.push(endpoint);
            }
            configs.push(config);
        }
        give_login_file(&mut configs)?;
        Ok(Self {
            configs,
            data_dir,
            topics,
            secure,
            notes,
        })
    }
}

/// Sets the JAAS file of the nodes, if clients log in at one of their listeners.
fn give_login_file(configs: &mut [BrokerConfig]) -> Result<()> {
    let mut endpoints = configs
        .iter()
        .flat_map(|config| config.listeners.iter().map(move |endpoint| (config, endpoint)));
    let has_logins = endpoints.any(|(config, endpoint)| {
        let protocol = config.protocol_of(endpoint);
        protocol.is_ok_and(SecurityProtocol::uses_sasl)
    });
    if !has_logins {
        return Ok(());
    }
    let file = login_file::read()?.map(Arc::new);
    for config in configs {
        config.login_file.clone_from(&file);
    }
    Ok(())
}

/// The data directory of a broker that is started with these options.
pub fn data_dir_of(serve: &Serve) -> Result<PathBuf> {
    let mut dirs = log_dirs(serve, &given(serve)?.settings)?.into_iter();
    Ok(dirs.next().unwrap_or_default())
}

/// Settings of files, the environment and flags; the last one of a name is in force.
struct Given {
    settings: Vec<(String, String)>,
    notes: Vec<String>,
    topics: Vec<WantedTopic>,
}

fn given(serve: &Serve) -> Result<Given> {
    let mut settings = Vec::new();
    let mut notes = Vec::new();
    let mut topics = Vec::new();
    if let Some(path) = &serve.config {
        settings.extend(read_properties(path)?);
    }
    if serve.config_from_env {
        let found = container_environment::read(std::env::vars())?;
        settings.extend(found.settings);
        notes.extend(found.notes);
        topics = found.topics;
    }
    settings.extend(serve.settings.iter().cloned());
    if !serve.listen.is_empty() {
        settings.push(("listeners".to_owned(), endpoints("--listen", &serve.listen)?));
    }
    if let Some(advertise) = &serve.advertise {
        let advertised = endpoints("--advertise", std::slice::from_ref(advertise))?;
        settings.push(("advertised.listeners".to_owned(), advertised));
    }
    Ok(Given {
        settings,
        notes,
        topics,
    })
}

/// Behaviour that lets clients be tested with the broker, the same for all its nodes.
fn rehearsal(serve: &Serve) -> Result<Rehearsal> {
    let seed = serve.fault_seed.or_else(|| getrandom::u64().ok());
    let faults = Faults::new(seed.unwrap_or_default());
    if faults.add(serve.faults.rules()?).is_none() {
        return Err(Error::usage("there are too many fault rules"));
    }
    Ok(Rehearsal {
        faults: Arc::new(faults),
        release: serve.as_version.as_deref().map(release).transpose()?,
        logs_requests: serve.logs_requests,
    })
}

fn release(text: &str) -> Result<Release> {
    let release: Release = text
        .parse()
        .map_err(|why| Error::usage(format!("--as-version: {why}")))?;
    if (OLDEST..=NEWEST).contains(&release) {
        return Ok(release);
    }
    Err(Error::usage(format!(
        "--as-version takes {OLDEST} to {NEWEST}, not {release}"
    )))
}

fn read_properties(path: &Path) -> Result<Vec<(String, String)>> {
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| Error::from(error).context(name()))?;
    let properties =
        java_properties::parse(&bytes).map_err(|error| Error::bad_data(error).context(name()))?;
    for property in &properties {
        let checked =
            config_table::find(&property.key).map_or(Ok(()), |setting| setting.check(&property.value));
        checked.map_err(|error| Error::bad_data(error).context(format!("{}:{}", name(), property.line)))?;
    }
    Ok(properties
        .into_iter()
        .map(|property| (property.key, property.value))
        .collect())
}

fn last<'a>(given: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = given.iter().rev().filter(|(key, _)| key == name);
    found.next().map(|(_, value)| value.as_str())
}

/// The addresses of `flag` in the form of the setting for listeners.
fn endpoints(flag: &str, addresses: &[String]) -> Result<String> {
    let named = addresses.iter().map(|address| match address.parse::<u16>() {
        // A port alone is a port of the loopback address.
        Ok(port) => format!("PLAINTEXT://127.0.0.1:{port}"),
        Err(_) if address.contains("://") => address.clone(),
        Err(_) => format!("PLAINTEXT://{address}"),
    });
    let named = named.collect::<Vec<_>>().join(",");
    let mut words = named.split(',').map(str::trim).filter(|word| !word.is_empty());
    match words.find(|word| Endpoint::parse(word).is_none()) {
        None => Ok(named),
        Some(bad) => {
            let given = bad.strip_prefix("PLAINTEXT://").unwrap_or(bad);
            Err(Error::usage(format!(
                "{flag}: \"{given}\" is not host:port, a port, or NAME://host:port"
            )))
        }
    }
}

/// Makes every listener one with TLS and passwords. Settings of the user take precedence, except for plaintext.
fn secured(data_dir: &Path, given: &mut Vec<(String, String)>) -> Result<Secure> {
    for key in ["listeners", "advertised.listeners"] {
        let default = if key == "listeners" {
            "PLAINTEXT://127.0.0.1:9092"
        } else {
            ""
        };
        let value = last(given, key)
            .unwrap_or(default)
            .replace("PLAINTEXT://", "SASL_SSL://");
        let value = value.replace("SASL_SASL_SSL://", "SASL_SSL://");
        if !value.is_empty() {
            given.push((key.to_owned(), value));
        }
    }
    let probe = BrokerConfig::new(data_dir.to_owned(), given.iter().cloned())?;
    let endpoints = probe.listeners.iter().chain(&probe.advertised);
    let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    hosts.extend(endpoints.map(|endpoint| endpoint.host.clone()));
    hosts.push(rustix::system::uname().nodename().to_string_lossy().into_owned());
    hosts.retain(|host| !matches!(host.as_str(), "" | "*" | "0.0.0.0" | "::"));
    let secure = Secure::prepare(data_dir, &hosts)?;
    let listeners: Vec<String> = probe
        .listeners
        .iter()
        .map(|endpoint| endpoint.name.clone())
        .collect();
    let mut all = secure.settings(&listeners);
    all.append(given);
    *given = all;
    Ok(secure)
}

fn note_zookeeper(serve: &Serve, given: &[(String, String)], notes: &mut Vec<String>) {
    if given.iter().any(|(name, _)| name.starts_with("zookeeper.")) {
        let use_of_it = if serve.is_member {
            "; nodes with the same zookeeper.connect are one cluster"
        } else {
            ""
        };
        notes.push(format!(
            "zookeeper.* settings are ignored: the mini broker needs no ZooKeeper{use_of_it}"
        ));
    }
}

/// `--data-dir`, or the file's `log.dirs` or `log.dir`, or the user's default; the metadata are in the first.
fn log_dirs(serve: &Serve, given: &[(String, String)]) -> Result<Vec<PathBuf>> {
    let named = last(given, "log.dirs").or_else(|| last(given, "log.dir"));
    let dirs: Vec<PathBuf> = match (&serve.data_dir, named) {
        (Some(dir), _) => vec![dir.clone()],
        (None, Some(dirs)) => {
            let dirs = dirs.split(',').map(str::trim).filter(|dir| !dir.is_empty());
            dirs.map(PathBuf::from).collect()
        }
        (None, None) => vec![default_data_dir()?],
    };
    if dirs.is_empty() {
        return Err(Error::bad_data("log.dirs names no directory"));
    }
    let absolute = dirs.iter().map(std::path::absolute);
    let mut absolute: Vec<PathBuf> = absolute.collect::<std::io::Result<_>>()?;
    let mut known = std::collections::BTreeSet::new();
    absolute.retain(|dir| known.insert(dir.clone()));
    Ok(absolute)
}

/// Without authentication everyone who reaches the port is let in: only loopback, unless the user allows more.
fn check_endpoint(endpoint: &mut Endpoint, notes: &mut Vec<String>) -> Result<()> {
    if endpoint.host.is_empty() {
        "127.0.0.1".clone_into(&mut endpoint.host);
        notes.push(format!(
            "listening on 127.0.0.1:{} only; --allow-anonymous opens it to other machines",
            endpoint.port
        ));
        return Ok(());
    }
    let addresses = (endpoint.bind_host(), endpoint.port).to_socket_addrs();
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    // A name that cannot be resolved yet could be any address by the time it is bound.
    let mut addresses = addresses.map_err(|error| {
        Error::from_cause(Kind::Failed, error)
            .context(format!("cannot listen on {}:{}", endpoint.host, endpoint.port))
            .hint("--listen takes an address of this machine")
    })?;
    if addresses.all(|address| is_loopback(address.ip())) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{}:{} is open to other machines, and nobody has to log in",
        endpoint.host, endpoint.port
    ))
    .hint("say --allow-anonymous if that is wanted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_wrong_type_in_a_file_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.properties");
        std::fs::write(&path, "# retention\nnum.partitions=3\nlog.retention.hours=1x\n").unwrap();
        let serve = Serve {
            config: Some(path.clone()),
            ..serve(&[])
        };
        let error = Configuration::new(&serve).unwrap_err().to_string();
        let words = "Invalid value 1x for configuration log.retention.hours: Not a number of type INT";
        assert_eq!(error, format!("{}:3: {words}", path.display()));
    }

    fn serve(settings: &[(&str, &str)]) -> Serve {
        Serve {
            data_dir: Some(PathBuf::from("/nowhere")),
            settings: settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Serve::default()
        }
    }

    #[test]
    fn other_machines_are_let_in_only_when_told_twice() {
        for host in [
            "*",
            "[::]",
            "0",
            "::0",
            "[::ffff:0.0.0.0]",
            "192.0.2.1",
            "0.0.0.0",
        ] {
            let listeners = format!("PLAINTEXT://127.0.0.1:9092,OTHER://{host}:9093");
            let refusal = Configuration::new(&serve(&[
                ("listeners", &listeners),
                (
                    "listener.security.protocol.map",
                    "OTHER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
                ),
            ]))
            .unwrap_err();
            assert!(
                refusal.to_string().contains("--allow-anonymous"),
                "{host}: {refusal}"
            );
        }
        let open = [("listeners", "PLAINTEXT://0.0.0.0:9092")];
        let mut told_twice = serve(&open);
        told_twice.allow_anonymous = true;
        assert_eq!(
            Configuration::new(&told_twice).unwrap().configs[0].listeners[0].host,
            "0.0.0.0"
        );
    }

    #[test]
    fn an_address_that_is_none_is_a_mistake_of_the_command_line() {
        for bad in ["foo", "foo:bar", "127.0.0.1:99999"] {
            let error = endpoints("--listen", &[bad.to_owned()]).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(
                error.message().starts_with(&format!("--listen: \"{bad}\"")),
                "{error}"
            );
        }
        let given = ["9092", "[::1]:0", "OTHER://:9093"].map(str::to_owned);
        assert_eq!(
            endpoints("--listen", &given).unwrap(),
            "PLAINTEXT://127.0.0.1:9092,PLAINTEXT://[::1]:0,OTHER://:9093"
        );
    }

    #[test]
    fn a_listener_without_host_is_loopback() {
        let configuration = Configuration::new(&serve(&[("listeners", "PLAINTEXT://:9092")])).unwrap();
        assert_eq!(configuration.configs[0].listeners[0].host, "127.0.0.1");
        assert_eq!(configuration.notes.len(), 1);
    }

    #[test]
    fn a_listener_with_authentication_may_be_open_to_other_machines() {
        for (protocol, client_auth, is_open) in [
            ("SASL_SSL", "none", true),
            ("SASL_PLAINTEXT", "none", true),
            ("SSL", "required", true),
            ("SSL", "requested", false),
        ] {
            let map = format!("CLIENTS:{protocol}");
            let settings = [
                ("listeners", "CLIENTS://0.0.0.0:9092"),
                ("listener.security.protocol.map", map.as_str()),
                ("listener.name.clients.ssl.client.auth", client_auth),
            ];
            assert_eq!(
                Configuration::new(&serve(&settings)).is_ok(),
                is_open,
                "{protocol} {client_auth}"
            );
        }
        let unknown = [("listeners", "CLIENTS://127.0.0.1:9092")];
        let refusal = Configuration::new(&serve(&unknown)).unwrap_err().to_string();
        assert!(
            refusal.contains("no security protocol for listener CLIENTS"),
            "{refusal}"
        );
    }
}
