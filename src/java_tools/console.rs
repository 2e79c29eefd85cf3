//! The common parts of several tools' command lines: properties as pairs and files, and checks of a list of brokers.

use std::net::ToSocketAddrs as _;
use std::path::Path;

use super::client_config::{Refusal, check_admin};
use super::config_rules::{Client, check_values};
use super::log_line;
use super::option_parser::{OptionError, Parsed};
use crate::client::settings::Settings;
use crate::client::{self, java_properties};
use crate::error::{Error, Result};
use crate::output::stderr_line;
use crate::wire::WireError;

/// A property and its value.
pub(super) type KeyValue = (String, String);

/// A value that is converted when it is used: an error ends the run with its text.
pub(super) fn read<T>(value: Result<T, OptionError>) -> Result<T> {
    value.map_err(Error::usage)
}

/// The one value of an option.
pub(super) fn value<'a>(parsed: &'a Parsed, name: &str) -> Result<Option<&'a str>> {
    read(parsed.value(name))
}

/// The `name=value` words of these options, split at the first `=`; without one the value is empty.
pub(super) fn pairs(parsed: &Parsed, options: &[&str]) -> Vec<KeyValue> {
    options
        .iter()
        .flat_map(|option| parsed.values(option))
        .map(|word| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (word.clone(), String::new()),
        })
        .collect()
}

/// A properties file for a reader or a formatter.
pub(super) fn properties_file(file: &str) -> Result<Vec<KeyValue>> {
    let bytes = std::fs::read(Path::new(file)).map_err(|error| Error::from(error).context(file))?;
    let properties =
        java_properties::parse(&bytes).map_err(|error| Error::usage(format!("{file}: {error}")))?;
    Ok(properties
        .into_iter()
        .map(|property| (property.key, property.value))
        .collect())
}

/// Warns of settings that have no effect, in the form of Java's log.
fn note_settings(settings: &Settings) {
    for warning in settings.warnings() {
        let logger = "org.apache.kafka.clients.admin.AdminClientConfig";
        stderr_line(log_line::line("WARN", &warning, logger));
    }
}

/// A tool's client: warns of settings that have no effect and, while no broker can be reached, once for each try, in the
/// form of Java's log.
pub(super) fn admin_client(settings: Settings) -> client::Client {
    note_settings(&settings);
    client::Client::new(settings).telling_unreached(say_unreached)
}

fn say_unreached(error: &WireError) {
    let place = error.place().unwrap_or_default();
    let text = format!(
        "[AdminClient clientId=adminclient-1] Connection to node -1 ({place}) could not be established. Node may not be available."
    );
    stderr_line(log_line::line("WARN", &text, log_line::NETWORK_LOGGER));
}

/// Java's message about a file that cannot be read: its name, or the system's message about reading a folder.
pub(super) fn unreadable<'a>(file: &'a str, error: &std::io::Error) -> &'a str {
    let is_folder = file.is_empty() || error.kind() == std::io::ErrorKind::IsADirectory;
    if is_folder { "Is a directory" } else { file }
}

/// Java's check of `--bootstrap-server` in the console producer: every part is host:port. Java's split drops empty
/// parts at the end.
pub(super) fn check_bootstrap(servers: &str) -> Result<(), String> {
    if servers.trim().is_empty() {
        return Err("Error while validating the bootstrap address\n".into());
    }
    let parts = servers.trim_end_matches(',');
    if !parts.is_empty() && parts.split(',').all(is_host_and_port) {
        return Ok(());
    }
    Err("Please provide valid host:port like host1:9091,host2:9092\n".into())
}

/// The message of Java's clients about a list with an empty entry.
pub(super) fn check_list(servers: &str) -> Result<(), String> {
    if !servers.trim().is_empty() && servers.split(',').any(|part| part.trim().is_empty()) {
        return Err("Configuration 'bootstrap.servers' values must not be empty.".to_owned());
    }
    Ok(())
}

/// The check that Java's clients make of each address when they are built; they are not built either if no server's
/// name can be resolved.
pub(super) fn check_addresses(servers: &str) -> Result<(), String> {
    let mut any = false;
    for part in servers.split(',').map(str::trim) {
        if !is_host_and_port(part) {
            return Err(format!("Invalid url in bootstrap.servers: {part}"));
        }
        let address = part.split_once("://").map_or(part, |(_, address)| address);
        let (name, port) = address.rsplit_once(':').unwrap_or((address, ""));
        let port: u16 = port
            .parse()
            .map_err(|_| format!("Invalid port in bootstrap.servers: {part}"))?;
        let name = name.trim_start_matches('[').trim_end_matches(']');
        // An empty name is this machine.
        any = any || name.is_empty() || (name, port).to_socket_addrs().is_ok();
    }
    if any {
        return Ok(());
    }
    Err("No resolvable bootstrap urls given in bootstrap.servers".into())
}

/// The message of Java's producer about `bootstrap.servers` when it is built.
pub(super) fn check_producer_servers(servers: &str) -> Result<(), String> {
    check_list(servers)?;
    check_addresses(servers)
}

/// The message of a client that needs `bootstrap.servers` and has none.
pub(super) const NO_SERVERS: &str =
    "Configuration 'bootstrap.servers' must not be empty. Valid values include: any non-empty value";

/// Java's messages if its consumer cannot be built: a line for the user, and the cause.
pub(super) fn no_consumer(reason: &str) -> String {
    format!(
        "Failed to construct kafka consumer\nCaused by: org.apache.kafka.common.config.ConfigException: {reason}"
    )
}

/// The message of Java's consumer about `bootstrap.servers` when it is built.
pub(super) fn check_consumer_servers(servers: &str) -> Result<(), String> {
    if servers.trim().is_empty() {
        return Err(NO_SERVERS.to_owned());
    }
    check_list(servers)?;
    check_addresses(servers)
}

/// The messages of Java's admin client about `bootstrap.servers` when it is built: a line for the user, and the cause.
fn check_admin_servers(servers: &str) -> Result<(), String> {
    check_list(servers)?;
    let checked = if servers.trim().is_empty() {
        Err("You must set either bootstrap.servers or bootstrap.controllers".to_owned())
    } else {
        check_addresses(servers)
    };
    checked.map_err(|reason| {
        format!("{NO_CLIENT}\nCaused by: org.apache.kafka.common.config.ConfigException: {reason}")
    })
}

/// The first line of Java's tools if their admin client cannot be built.
const NO_CLIENT: &str = "Failed to create new KafkaAdminClient";

/// Why Java's admin client cannot be built, with the message of its exception. Java prints the first line; the second
/// is the line of its trace with the cause.
pub(super) fn check_admin_client(settings: &Settings, servers: &str) -> Result<(), String> {
    check_values(Client::Admin, |name| settings.get(name))?;
    check_admin_servers(servers)?;
    check_admin(settings).map_err(|refusal| match refusal {
        Refusal::Value(message) => message,
        Refusal::Client(reason) => no_client(&reason),
    })
}

pub(super) fn no_client(reason: &str) -> String {
    format!("{NO_CLIENT}\nCaused by: org.apache.kafka.common.KafkaException: {reason}")
}

/// Whether the whole text matches `^(?:[a-zA-Z][a-zA-Z\d+-.]*://)?\[?([0-9a-zA-Z\-._%:]*)\]?:([0-9]+)`.
fn is_host_and_port(url: &str) -> bool {
    let hosted = match url.split_once("://") {
        Some((scheme, rest)) if scheme.starts_with(|first: char| first.is_ascii_alphabetic()) => rest,
        Some(_) => return false,
        None => url,
    };
    let Some((name, port)) = hosted.rsplit_once(':') else {
        return false;
    };
    let name = name.strip_prefix('[').unwrap_or(name);
    let name = name.strip_suffix(']').unwrap_or(name);
    let is_name = name
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || "-._%:".contains(character));
    is_name && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bootstrap_servers_are_hosts_and_ports() {
        for good in ["a:1", "a:1,b:2", "[::1]:9092", "PLAINTEXT://a:1", ":9092", "a:1,"] {
            assert_eq!(check_bootstrap(good), Ok(()), "{good}");
        }
        for bad in ["nonsense", "a:1,other", "a:1, b:2", "a:x", ",", "a:1,,b:2", " "] {
            assert!(check_bootstrap(bad).is_err(), "{bad}");
        }
    }

    /// Recorded from the tools of Apache Kafka 4.3.1.
    #[test]
    fn clients_refuse_servers_in_java_s_words() {
        let admin = |reason: &str| {
            format!(
                "Failed to create new KafkaAdminClient\n\
                 Caused by: org.apache.kafka.common.config.ConfigException: {reason}"
            )
        };
        for (servers, reason) in [
            (
                "127.0.0.1:99999",
                "Invalid port in bootstrap.servers: 127.0.0.1:99999",
            ),
            ("h:abc", "Invalid url in bootstrap.servers: h:abc"),
            (
                "127.0.0.1:1/path",
                "Invalid url in bootstrap.servers: 127.0.0.1:1/path",
            ),
            ("127.0.0.1", "Invalid url in bootstrap.servers: 127.0.0.1"),
        ] {
            assert_eq!(check_producer_servers(servers), Err(reason.to_owned()));
            assert_eq!(check_consumer_servers(servers), Err(reason.to_owned()));
            assert_eq!(check_admin_servers(servers), Err(admin(reason)));
        }
        let empty_place = Err("Configuration 'bootstrap.servers' values must not be empty.".to_owned());
        assert_eq!(check_producer_servers("127.0.0.1:1,"), empty_place);
        assert_eq!(check_admin_servers("127.0.0.1:1,"), empty_place);
        assert_eq!(
            check_admin_servers(" "),
            Err(admin(
                "You must set either bootstrap.servers or bootstrap.controllers"
            ))
        );
        for taken in [
            "http://127.0.0.1:1",
            "SSL://127.0.0.1:1",
            "::1:1",
            ":1",
            "127.0.0.1:0",
        ] {
            assert_eq!(check_admin_servers(taken), Ok(()), "{taken}");
        }
    }
}
