//! Whether the listeners of a broker and their settings may change while it runs, with Apache Kafka's messages
//! (KIP-226).
//!
//! Pure. Opening and closing them is in `broker/host/open_listeners.rs`.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use super::broker_config::{BrokerConfig, Endpoint};
use super::config_table;
use super::effective_config::{BrokerValues, Configs};
use crate::wire::security_protocol::SecurityProtocol;

const LISTENERS: &str = "listeners";
const PROTOCOLS: &str = "listener.security.protocol.map";

/// Keys and certificates, which can be set while the broker runs only for one listener, with its prefix.
pub(in crate::broker) const SECRETS_OF_LISTENERS: [&str; 10] = [
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

/// The other settings of a listener that may change while it is open.
const ADJUSTABLE: [&str; 3] = [
    "max.connections",
    "max.connection.creation.rate",
    "num.network.threads",
];

/// A listener in a list; its port may be malformed.
#[derive(Clone, Debug)]
struct Listed<'a> {
    /// In upper case.
    name: String,
    host: &'a str,
    port: i64,
}

/// A broker's configs, with these as its dynamic ones.
#[derive(Clone, Copy, Debug)]
struct View<'a> {
    own: Option<&'a Configs>,
    config: &'a BrokerConfig,
}

/// Checks the listeners that a broker would have with `configs` as its dynamic configs.
///
/// # Errors
///
/// Kafka's messages.
pub(in crate::broker) fn check(configs: &Configs, broker: BrokerValues<'_>) -> Result<(), String> {
    let config = broker.config;
    let before = View {
        own: broker.node,
        config,
    };
    let after = View {
        own: Some(configs),
        config,
    };
    if [LISTENERS, PROTOCOLS]
        .iter()
        .all(|name| before.given(name) == after.given(name))
    {
        return Ok(());
    }
    let protocols = after.protocols()?;
    let listeners = endpoints(after.listeners(), &protocols)?;
    check_controllers(config, &listeners)?;
    check_advertised(config, &listeners, &protocols)?;
    check_openness(config, configs)?;
    let Ok(protocols_before) = before.protocols() else {
        return Ok(());
    };
    let kept = parsed(before.listeners()).flatten();
    for Listed { name, .. } in kept.filter(|kept| listeners.iter().any(|new| new.name == kept.name)) {
        check_own_configs(&name, configs, config)?;
        if let Some(protocol) = protocols_before.get(&name)
            && protocols.get(&name) != Some(protocol)
        {
            return Err(format!(
                "Invalid value org.apache.kafka.common.config.ConfigException: Security protocol cannot be updated for \
                 existing listener ListenerName({name}) for configuration Invalid dynamic configuration"
            ));
        }
    }
    Ok(())
}

/// A listener that stays must keep its own settings from the start, except for those that may change.
fn check_own_configs(name: &str, configs: &Configs, at_start: &BrokerConfig) -> Result<(), String> {
    let prefix = format!("listener.name.{}.", name.to_lowercase());
    let is_fixed = |(key, value): (&String, &String)| {
        key.strip_prefix(&prefix).is_some_and(|setting| {
            !SECRETS_OF_LISTENERS.contains(&setting)
                && !ADJUSTABLE.contains(&setting)
                && at_start.given(key) != Some(value)
        })
    };
    if configs.iter().any(is_fixed) {
        return Err(format!(
            "Invalid value org.apache.kafka.common.config.ConfigException: Configs cannot be updated dynamically for existing \
             listener ListenerName({name}), restart broker or create a new listener for update for configuration Invalid \
             dynamic configuration"
        ));
    }
    Ok(())
}

impl<'a> View<'a> {
    fn given(self, name: &str) -> Option<&'a str> {
        let own = self.own.and_then(|own| own.get(name)).map(String::as_str);
        own.or_else(|| self.config.given(name))
    }

    fn listeners(self) -> &'a str {
        let given = self.given(LISTENERS);
        given.or_else(|| self.config.value(LISTENERS)).unwrap_or_default()
    }

    /// The security protocol of each listener, by name. Without a setting, controller listeners have one, too.
    fn protocols(self) -> Result<BTreeMap<String, SecurityProtocol>, String> {
        let Some(given) = self.given(PROTOCOLS) else {
            let controllers = self.config.controllers.iter();
            let mut protocols: BTreeMap<_, _> = controllers
                .map(|endpoint| (endpoint.name.clone(), SecurityProtocol::Plaintext))
                .collect();
            protocols.extend(protocols_of(self.config.value(PROTOCOLS).unwrap_or_default())?);
            return Ok(protocols);
        };
        protocols_of(given)
    }
}

fn protocols_of(map: &str) -> Result<BTreeMap<String, SecurityProtocol>, String> {
    let pair = |word: &str| {
        let (name, protocol) = config_table::pair(PROTOCOLS, word)?;
        let known = SecurityProtocol::find(protocol);
        let known =
            known.ok_or_else(|| format!("Invalid security protocol `{protocol}` defined in {PROTOCOLS}"))?;
        Ok((name.to_ascii_uppercase(), known))
    };
    words(map).map(pair).collect()
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// Parses `NAME://host:port` entries.
fn parsed(list: &str) -> impl Iterator<Item = Option<Listed<'_>>> {
    words(list).map(|word| {
        let (name, address) = word.rsplit_once("://")?;
        let (host, port) = address.rsplit_once(':')?;
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host);
        let is_of_host = |letter: char| letter.is_ascii_alphanumeric() || "-%._:".contains(letter);
        let digits = port.strip_prefix('-').unwrap_or(port);
        let is_port = digits.bytes().all(|digit| digit.is_ascii_digit());
        (is_port && host.chars().all(is_of_host)).then_some(Listed {
            name: name.to_uppercase(),
            host,
            port: port.parse().ok()?,
        })
    })
}

/// The listeners of a list, checked for conflicts.
fn endpoints<'a>(
    list: &'a str,
    protocols: &BTreeMap<String, SecurityProtocol>,
) -> Result<Vec<Listed<'a>>, String> {
    let all: Vec<&str> = words(list).collect();
    if all.is_empty() {
        return Err(format!(
            "Configuration '{LISTENERS}' must not be empty. Valid values include: any non-empty value"
        ));
    }
    let shown = format!("[{}]", all.join(", "));
    let failed = |why: String| format!("Error creating broker listeners from '{shown}': {why}");
    let mut listeners = Vec::new();
    for (word, listed) in all.iter().zip(parsed(list)) {
        let Some(listed) = listed else {
            return Err(failed(format!("Unable to parse {word} to a broker endpoint")));
        };
        if listed.name.trim().is_empty() {
            return Err(failed(
                "The provided listener name is null or empty string".to_owned(),
            ));
        }
        if !protocols.contains_key(&listed.name) {
            let why = format!("No security protocol defined for listener {}", listed.name);
            return Err(failed(why));
        }
        listeners.push(listed);
    }
    check_distinct(&listeners, &shown).map_err(failed)?;
    Ok(listeners)
}

/// No name may occur twice, and a port only for one address of each IP version.
fn check_distinct(listeners: &[Listed<'_>], shown: &str) -> Result<(), String> {
    let names: HashSet<&str> = listeners.iter().map(|listed| listed.name.as_str()).collect();
    if names.len() < listeners.len() {
        return Err(format!(
            "Each listener must have a different name, listeners: {shown}"
        ));
    }
    let mut ports: BTreeMap<i64, Vec<Option<IpAddr>>> = BTreeMap::new();
    for listed in listeners.iter().filter(|listed| listed.port != 0) {
        let address = listed.host.parse().ok();
        ports.entry(listed.port).or_default().push(address);
    }
    for (port, hosts) in ports {
        match hosts.as_slice() {
            [] | [_] => {}
            [Some(one), Some(other)] => {
                if one.is_ipv4() == other.is_ipv4() {
                    return Err(format!(
                        "If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, \
                         listeners: {shown}, port: {port}"
                    ));
                }
            }
            names if names.iter().all(Option::is_none) => {
                return Err(format!(
                    "Each listener must have a different port, listeners: {shown}"
                ));
            }
            _ => {
                return Err(format!(
                    "Each listener must have a different port unless exactly one listener has an IPv4 address and the \
                     other IPv6 address, listeners: {shown}, port: {port}"
                ));
            }
        }
    }
    Ok(())
}

/// Whether an endpoint of `now` admits unauthenticated clients from other machines, which no endpoint did `at_start`:
/// only the user who starts the broker may decide that, and no client. A listener from the start keeps its address in
/// any case.
pub(in crate::broker) fn opens_to_anybody(
    at_start: &BrokerConfig,
    now: &BrokerConfig,
    endpoint: &Endpoint,
) -> bool {
    let lets_anybody_in = |config: &BrokerConfig, endpoint: &Endpoint| {
        !is_loopback(endpoint.bind_host()) && !config.authenticates(endpoint).is_ok_and(|must| must)
    };
    let is_no_news = |first: &Endpoint| first.name == endpoint.name || lets_anybody_in(at_start, first);
    lets_anybody_in(now, endpoint) && !at_start.listeners.iter().any(is_no_news)
}

/// Host names do not count: they may resolve to any address by the time of binding.
fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// No request may open the broker to other machines. Apache Kafka has no such rule; by default it listens on all
/// addresses.
fn check_openness(config: &BrokerConfig, configs: &Configs) -> Result<(), String> {
    let now = config
        .with_listeners_of(configs)
        .map_err(|error| error.to_string())?;
    let open = |endpoint: &&Endpoint| opens_to_anybody(config, &now, endpoint);
    match now.listeners.iter().find(open) {
        None => Ok(()),
        Some(endpoint) => Err(format!(
            "listener {}: {}:{} is open to other machines, and nobody has to log in; a broker that was started with \
             --allow-anonymous takes it",
            endpoint.name, endpoint.host, endpoint.port
        )),
    }
}

/// A node with a controller listener keeps one.
fn check_controllers(config: &BrokerConfig, listeners: &[Listed<'_>]) -> Result<(), String> {
    let is_there = listeners
        .iter()
        .any(|listed| config.is_controller_name(&listed.name));
    if config.controllers.is_empty() || is_there {
        return Ok(());
    }
    Err(
        "requirement failed: controller.listener.names must contain at least one value appearing in the 'listeners' \
         configuration when running the KRaft controller role"
            .to_owned(),
    )
}

/// Advertised listeners must exist, and the inter-broker listener must be advertised.
fn check_advertised(
    config: &BrokerConfig,
    listeners: &[Listed<'_>],
    protocols: &BTreeMap<String, SecurityProtocol>,
) -> Result<(), String> {
    let joined = |names: Vec<&str>| names.join(",");
    let all: Vec<&str> = listeners.iter().map(|listed| listed.name.as_str()).collect();
    let advertised = match config.given("advertised.listeners") {
        Some(list) if words(list).next().is_some() => endpoints(list, protocols)?,
        _ => {
            let clients = listeners
                .iter()
                .filter(|listed| !config.is_controller_name(&listed.name));
            clients.cloned().collect()
        }
    };
    let advertised: Vec<&str> = advertised.iter().map(|listed| listed.name.as_str()).collect();
    let given = config.given("inter.broker.listener.name");
    let between = given.map_or("PLAINTEXT".to_owned(), |name| name.trim().to_uppercase());
    let was_there = config.listeners.iter().any(|endpoint| endpoint.name == between);
    if was_there && !advertised.contains(&between.as_str()) {
        return Err(format!(
            "requirement failed: inter.broker.listener.name must be a listener name defined in advertised.listeners. The \
             valid options based on currently configured listeners are {}",
            joined(advertised)
        ));
    }
    if advertised.iter().all(|name| all.contains(name)) {
        return Ok(());
    }
    Err(format!(
        "requirement failed: advertised.listeners listener names must be equal to or a subset of the ones defined in \
         listeners. Found {}. The valid options based on the current configuration are {}",
        joined(advertised),
        joined(all)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATIC: [(&str, &str); 5] = [
        (
            "listeners",
            "PLAINTEXT://127.0.0.1:24800,CONTROLLER://127.0.0.1:24900",
        ),
        ("advertised.listeners", "PLAINTEXT://127.0.0.1:24800"),
        ("controller.listener.names", "CONTROLLER"),
        (
            "listener.security.protocol.map",
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        ),
        ("process.roles", "broker,controller"),
    ];

    fn checked(listeners: Option<&str>, protocols: Option<&str>) -> Result<(), String> {
        let given = STATIC.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = BrokerConfig::new(std::path::PathBuf::new(), given).unwrap();
        let named = [(LISTENERS, listeners), (PROTOCOLS, protocols)];
        let named = named
            .iter()
            .filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())));
        let broker = BrokerValues {
            config: &config,
            node: None,
            cluster: None,
        };
        check(&named.collect(), broker)
    }

    const BOTH: &str = "PLAINTEXT://127.0.0.1:24800,CONTROLLER://127.0.0.1:24900";
    const THREE: &str = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,EXTRA:PLAINTEXT";

    fn refused_with(more: &str, protocols: Option<&str>) -> String {
        checked(Some(&format!("{BOTH},{more}")), protocols).unwrap_err()
    }

    #[test]
    fn a_listener_may_come_with_its_protocol() {
        assert_eq!(checked(None, None), Ok(()));
        let more = format!("{BOTH},EXTRA://127.0.0.1:24810");
        assert_eq!(checked(Some(&more), Some(THREE)), Ok(()));
        let more = format!("{BOTH},extra://[::1]:24800");
        assert_eq!(checked(Some(&more), Some(THREE)), Ok(()));
    }

    /// The messages are those of Apache Kafka 4.3.1.
    #[test]
    fn refusals_are_those_of_apache_kafka() {
        let shown = "[PLAINTEXT://127.0.0.1:24800, CONTROLLER://127.0.0.1:24900";
        let creating =
            |more: &str, why: &str| format!("Error creating broker listeners from '{shown}, {more}]': {why}");
        let extra = "EXTRA://127.0.0.1:24810";
        assert_eq!(
            refused_with(extra, None),
            creating(extra, "No security protocol defined for listener EXTRA")
        );
        let bad = "EXTRA://127.0.0.1:x";
        assert_eq!(
            refused_with(bad, Some(THREE)),
            creating(bad, "Unable to parse EXTRA://127.0.0.1:x to a broker endpoint")
        );
        let nameless = "://127.0.0.1:1";
        assert_eq!(
            refused_with(nameless, Some(THREE)),
            creating(nameless, "The provided listener name is null or empty string")
        );
        let twice = "CONTROLLER://127.0.0.1:24800";
        let why = format!("Each listener must have a different name, listeners: {shown}, {twice}]");
        assert_eq!(refused_with(twice, None), creating(twice, &why));
        let taken = "EXTRA://127.0.0.1:24800";
        let why = format!(
            "If you have two listeners on the same port then one needs to be IPv4 and the other IPv6, listeners: {shown}, \
             {taken}], port: 24800"
        );
        assert_eq!(refused_with(taken, Some(THREE)), creating(taken, &why));
        assert_eq!(
            checked(Some("PLAINTEXT://127.0.0.1:24810"), None).unwrap_err(),
            "requirement failed: controller.listener.names must contain at least one value appearing in the 'listeners' \
             configuration when running the KRaft controller role"
        );
        assert_eq!(
            checked(Some(""), None).unwrap_err(),
            "Configuration 'listeners' must not be empty. Valid values include: any non-empty value"
        );
    }

    #[test]
    fn no_client_opens_the_broker_to_other_machines() {
        let refusal = refused_with("EXTRA://0.0.0.0:24810", Some(THREE));
        assert!(
            refusal.contains("0.0.0.0:24810 is open to other machines"),
            "{refusal}"
        );
        for host in ["", "192.0.2.1", "[::]", "host.example"] {
            let refusal = refused_with(&format!("EXTRA://{host}:24810"), Some(THREE));
            assert!(refusal.contains("--allow-anonymous"), "{refusal}");
        }
    }

    /// As in Apache Kafka 4.3.1.
    #[test]
    fn a_listener_that_has_configs_of_its_own_holds_the_others_too() {
        let given = STATIC.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = BrokerConfig::new(std::path::PathBuf::new(), given).unwrap();
        let more = format!("{BOTH},EXTRA://127.0.0.1:24810");
        let with = |name: &str, value: &str| {
            let configs = [(LISTENERS, more.as_str()), (PROTOCOLS, THREE), (name, value)];
            let configs = configs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let broker = BrokerValues {
                config: &config,
                node: None,
                cluster: None,
            };
            check(&Configs::from(configs), broker)
        };
        for (name, value) in [
            ("listener.name.extra.sasl.enabled.mechanisms", "PLAIN"),
            ("listener.name.plaintext.max.connections", "10"),
            ("listener.name.plaintext.num.network.threads", "2"),
            ("listener.name.plaintext.ssl.keystore.location", "/x"),
        ] {
            assert_eq!(with(name, value), Ok(()), "{name}");
        }
        for name in ["sasl.enabled.mechanisms", "ssl.client.auth", "foo"] {
            let refusal = with(&format!("listener.name.plaintext.{name}"), "x").unwrap_err();
            let words = "Invalid value org.apache.kafka.common.config.ConfigException: Configs cannot be updated dynamically \
                         for existing listener ListenerName(PLAINTEXT), restart broker or create a new listener for update for \
                         configuration Invalid dynamic configuration";
            assert_eq!(refusal, words);
        }
    }

    #[test]
    fn refusals_of_protocols_are_those_of_apache_kafka() {
        let refused = |map| checked(None, Some(map)).unwrap_err();
        assert_eq!(
            refused("PLAINTEXT:NONSENSE"),
            "Invalid security protocol `NONSENSE` defined in listener.security.protocol.map"
        );
        assert_eq!(
            refused("nonsense"),
            "Error parsing configuration property 'listener.security.protocol.map': begin 0, end -1, length 8"
        );
        assert_eq!(
            refused("PLAINTEXT:SSL,CONTROLLER:PLAINTEXT"),
            "Invalid value org.apache.kafka.common.config.ConfigException: Security protocol cannot be updated for existing \
             listener ListenerName(PLAINTEXT) for configuration Invalid dynamic configuration"
        );
    }
}
