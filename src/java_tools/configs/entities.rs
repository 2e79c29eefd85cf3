//! The entities of a command line of `kafka-configs`, and Java's checks on them.

use std::net::ToSocketAddrs as _;

use super::super::option_parser::{OptionError, Parsed};

/// The types of entities, in the order of Java's message.
pub(super) const TYPES: [&str; 8] = [
    "topics",
    "clients",
    "users",
    "brokers",
    "ips",
    "client-metrics",
    "groups",
    "broker-loggers",
];

/// Options that name an entity and its type at once.
const ENTITY_FLAGS: [(&str, &str); 8] = [
    ("topic", "topics"),
    ("client", "clients"),
    ("user", "users"),
    ("broker", "brokers"),
    ("broker-logger", "broker-loggers"),
    ("ip", "ips"),
    ("client-metrics", "client-metrics"),
    ("group", "groups"),
];

/// Options that name the default entity of a type.
const DEFAULT_FLAGS: [(&str, &str); 4] = [
    ("client-defaults", "clients"),
    ("user-defaults", "users"),
    ("broker-defaults", "brokers"),
    ("ip-defaults", "ips"),
];

/// Types and names of entities; an empty name is the default. There may be fewer names than types.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entities {
    pub types: Vec<String>,
    pub names: Vec<String>,
}

impl Entities {
    /// The first type, which decides the action.
    pub(super) fn kind(&self) -> &str {
        self.types.first().map_or("", String::as_str)
    }

    fn has(&self, kind: &str) -> bool {
        self.types.iter().any(|known| known == kind)
    }
}

/// The types that are named.
fn types(parsed: &Parsed) -> Vec<String> {
    let by_flag = ENTITY_FLAGS.iter().chain(&DEFAULT_FLAGS);
    let by_flag = by_flag.filter(|(option, _)| parsed.has(option));
    let named = parsed.values("entity-type").iter().cloned();
    named.chain(by_flag.map(|(_, kind)| (*kind).to_owned())).collect()
}

/// The names, in the order of the command line; those of flags come last.
fn names(parsed: &Parsed) -> Result<Vec<String>, OptionError> {
    let mut values = parsed.values("entity-name").iter();
    let mut names = Vec::new();
    for option in parsed.given() {
        match option {
            "entity-name" => names.extend(values.next().cloned()),
            "entity-default" => names.push(String::new()),
            _ => {}
        }
    }
    for (option, _) in ENTITY_FLAGS {
        if parsed.has(option) {
            names.push(parsed.value(option)?.unwrap_or_default().to_owned());
        }
    }
    let defaults = DEFAULT_FLAGS.iter().filter(|(option, _)| parsed.has(option));
    names.extend(defaults.map(|_| String::new()));
    Ok(names)
}

/// Java's checks on entities, in Java's order; the error is its message.
pub(super) fn checked(parsed: &Parsed) -> Result<Entities, String> {
    let types = types(parsed);
    check_types(parsed, &types)?;
    let names = names(parsed).map_err(|error| error.to_string())?;
    let entities = Entities { types, names };
    let has_name = entities.names.iter().any(|name| !name.is_empty());
    let has_default = entities.names.iter().any(String::is_empty);
    if parsed.has("bootstrap-server") && parsed.has("bootstrap-controller") {
        return Err("Only one of --bootstrap-server or --bootstrap-controller can be specified".to_owned());
    }
    if has_name {
        check_names(parsed, &entities)?;
    }
    let may_be_default = ["users", "clients", "brokers", "ips"]
        .iter()
        .any(|kind| entities.has(kind));
    let all = entities.types.join(",");
    if parsed.has("describe") {
        if !may_be_default && parsed.has("entity-default") {
            return Err(format!(
                "--entity-default must not be specified with --describe of {all}"
            ));
        }
        if entities.has("broker-loggers") && !has_name {
            return Err(format!(
                "An entity name must be specified with --describe of {all}"
            ));
        }
    }
    if parsed.has("alter") {
        if may_be_default && !has_name && !has_default {
            return Err(
                "An entity-name or default entity must be specified with --alter of users, clients, brokers or ips"
                    .to_owned(),
            );
        }
        if !may_be_default && !has_name {
            return Err(format!("An entity name must be specified with --alter of {all}"));
        }
    }
    Ok(entities)
}

fn check_types(parsed: &Parsed, types: &[String]) -> Result<(), String> {
    let mut distinct: Vec<&String> = Vec::new();
    let mut repeated: Vec<&str> = Vec::new();
    for kind in types {
        if distinct.contains(&kind) {
            repeated.push(kind);
        } else {
            distinct.push(kind);
        }
    }
    if !repeated.is_empty() {
        let repeated = repeated.join(",");
        return Err(format!("Duplicate entity type(s) specified: {repeated}"));
    }
    if !parsed.has("bootstrap-server") && !parsed.has("bootstrap-controller") {
        return Err("Either --bootstrap-server or --bootstrap-controller must be specified.".to_owned());
    }
    if let Some(kind) = types.iter().find(|kind| !TYPES.contains(&kind.as_str())) {
        let all = TYPES.join(", ");
        return Err(format!(
            "Invalid entity type {kind}, the entity type must be one of {all} with a --bootstrap-server or \
             --bootstrap-controller argument"
        ));
    }
    match types {
        [] => return Err("At least one entity type must be specified".to_owned()),
        [_] => {}
        [one, other] if ["users clients", "clients users"].contains(&format!("{one} {other}").as_str()) => {}
        _ => return Err("Only 'users' and 'clients' entity types may be specified together".to_owned()),
    }
    let generic = ["entity-name", "entity-type", "entity-default"];
    let mut specific = ENTITY_FLAGS.iter().chain(&DEFAULT_FLAGS);
    if generic.iter().any(|option| parsed.has(option)) && specific.any(|(option, _)| parsed.has(option)) {
        return Err(
            "--entity-{type,name,default} should not be used in conjunction with specific entity flags"
                .to_owned(),
        );
    }
    Ok(())
}

/// Brokers must have numeric ids, and addresses must resolve.
fn check_names(parsed: &Parsed, entities: &Entities) -> Result<(), String> {
    let given = |options: &[&'static str]| -> Result<Vec<String>, String> {
        let options = options.iter().filter(|option| parsed.has(option));
        let value = |option: &&'static str| {
            let value = parsed.value(option).map_err(|error| error.to_string())?;
            Ok(value.unwrap_or_default().to_owned())
        };
        options.map(value).collect()
    };
    let kind = entities.kind();
    if entities.has("brokers") || entities.has("broker-loggers") {
        let ids = given(&["entity-name", "broker", "broker-logger"])?;
        if let Some(id) = ids.iter().find(|id| id.parse::<i32>().is_err()) {
            return Err(format!(
                "The entity name for {kind} must be a valid integer broker id, but it is: {id}"
            ));
        }
    }
    if entities.has("ips") {
        let addresses = given(&["entity-name", "ip"])?;
        if let Some(address) = addresses.iter().find(|address| !leads_somewhere(address)) {
            return Err(format!(
                "The entity name for {kind} must be a valid IP or resolvable host, but it is: {address}"
            ));
        }
    }
    Ok(())
}

/// Whether Java can resolve a host.
fn leads_somewhere(host: &str) -> bool {
    host.is_empty() || (host, 0).to_socket_addrs().is_ok()
}
