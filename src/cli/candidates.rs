//! What the shell offers while a command line is being typed: live names from the cluster, and names of configs.
//!
//! A cluster that does not answer at once is no reason to wait: after 300 milliseconds there is nothing to offer,
//! and nothing is ever said.

use std::ffi::OsStr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::connection_args::ConnectionArgs;
use crate::client::admin::AdminClient;
use crate::client::local_broker::{self, RunningBroker};
use crate::client::settings::{Origin, Settings};
use crate::error::{Error, Result};
use crate::topic_config::{self, Kind, Rule, TOPIC_CONFIGS};

/// How long a shell may wait for its prompt.
const PATIENCE: Duration = Duration::from_millis(300);

/// Names of topics.
pub fn topics() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let names = live(|admin| {
            let topics = admin.all_topics()?.into_iter();
            Ok(topics
                .filter(|topic| !topic.is_internal)
                .map(|topic| topic.name)
                .collect())
        });
        beginning_with(typed, names)
    })
}

/// Names of groups.
pub fn groups() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let names = live(|admin| Ok(admin.list_groups()?.into_iter().map(|group| group.id).collect()));
        beginning_with(typed, names)
    })
}

/// Names of users with SCRAM passwords.
pub fn users() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let names = live(|admin| {
            let users = admin.scram_users(&[])??.into_iter();
            Ok(users.map(|user| user.name).collect())
        });
        beginning_with(typed, names)
    })
}

/// Topics, brokers, groups or client metrics: whichever kind stands on the line so far.
pub fn owners_of_configs() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let words: Vec<String> = std::env::args().collect();
        let has = |kind: &str| words.iter().any(|word| word == kind);
        let names = if has("topic") {
            live(|admin| Ok(admin.all_topics()?.into_iter().map(|topic| topic.name).collect()))
        } else if has("group") {
            live(|admin| Ok(admin.list_groups()?.into_iter().map(|group| group.id).collect()))
        } else if has("client-metrics") {
            live(|admin| Ok(admin.client_metrics()??))
        } else {
            live(|admin| {
                let ids = admin.brokers()?.iter().map(|broker| broker.id.to_string());
                Ok(ids.chain(["default".to_owned()]).collect())
            })
        };
        beginning_with(typed, names)
    })
}

/// Transactional ids.
pub fn transactional_ids() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let ids = live(|admin| {
            let transactions = admin.list_transactions()?.into_iter();
            Ok(transactions.map(|transaction| transaction.id).collect())
        });
        beginning_with(typed, ids)
    })
}

/// Ids of brokers.
pub fn brokers() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let ids = live(|admin| {
            let brokers = admin.brokers()?.iter();
            Ok(brokers.map(|broker| broker.id.to_string()).collect())
        });
        beginning_with(typed, ids)
    })
}

/// Names of client settings, with an equals sign.
pub fn client_settings() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let names = Settings::known_names().into_iter();
        beginning_with(typed, names.map(|name| format!("{name}=")).collect())
    })
}

/// Names of topic configs, with an equals sign and what they decide; after the sign the values that there are.
pub fn topic_config_settings() -> ArgValueCompleter {
    ArgValueCompleter::new(
        |typed: &OsStr| match typed.to_str().and_then(|typed| typed.split_once('=')) {
            Some((name, _)) => beginning_with(typed, topic_config_values(name)),
            None => topic_config_candidates(typed, "="),
        },
    )
}

/// `NAME=VALUE` of each value, where they can be counted.
fn topic_config_values(name: &str) -> Vec<String> {
    let Some(config) = topic_config::find(name) else {
        return Vec::new();
    };
    let values: &[&str] = match (config.kind, config.rule) {
        (Kind::Boolean, _) => &["false", "true"],
        (_, Rule::OneOf(words)) => words,
        _ => &[],
    };
    values.iter().map(|value| format!("{name}={value}")).collect()
}

/// Names of topic configs with what they decide.
pub fn topic_config_names() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| topic_config_candidates(typed, ""))
}

fn topic_config_candidates(typed: &OsStr, after: &str) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else {
        return Vec::new();
    };
    TOPIC_CONFIGS
        .iter()
        .filter(|config| config.name.starts_with(typed))
        .map(|config| {
            let help = format!("{}; default {}", config.help, config.default);
            CompletionCandidate::new(format!("{}{after}", config.name)).help(Some(help.into()))
        })
        .collect()
}

fn beginning_with(typed: &OsStr, names: Vec<String>) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else {
        return Vec::new();
    };
    let names = names.into_iter().filter(|name| name.starts_with(typed));
    names.map(CompletionCandidate::new).collect()
}

/// Asks the cluster that the command line or the environment names; never starts one.
fn live(ask: impl FnOnce(&mut AdminClient) -> Result<Vec<String>> + Send + 'static) -> Vec<String> {
    let (sender, receiver) = mpsc::channel();
    // The thread is left behind when it is late; the process ends right after.
    thread::spawn(move || {
        let names = settings().and_then(|settings| ask(&mut AdminClient::connect(&settings)?));
        // Nobody listens any more when it took too long.
        let _ = sender.send(names.unwrap_or_default());
    });
    receiver.recv_timeout(PATIENCE).unwrap_or_default()
}

/// The connection flags that stand on the line so far count as they will when it runs. A mini broker is asked only
/// when it runs already.
fn settings() -> Result<Settings> {
    let words: Vec<String> = std::env::args().collect();
    let mut settings = connection_on(&words).into_raw_settings()?;
    let servers = settings.get("bootstrap.servers").unwrap_or_default();
    if let Some(dir) = local_broker::directory_named(servers)? {
        let running = RunningBroker::find(&dir).and_then(|broker| broker.addresses.into_iter().next());
        let address = running.ok_or_else(|| Error::unreachable("no mini broker runs"))?;
        settings.set("bootstrap.servers", address, Origin::Flag);
    }
    Ok(settings)
}

/// The connection flags among words that need not make a whole command line yet.
fn connection_on(words: &[String]) -> ConnectionArgs {
    let mut connection = ConnectionArgs {
        profile: std::env::var("KAFKIT_PROFILE").ok(),
        ..ConnectionArgs::default()
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (flag, joined) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let mut value = || joined.clone().or_else(|| words.next().cloned());
        match flag {
            "-b" | "--bootstrap-server" => connection.bootstrap_server = value(),
            "-X" => connection.set.extend(value()),
            "--command-config" => connection.command_config = value().map(Into::into),
            "--profile" => connection.profile = value(),
            _ => {}
        }
    }
    connection
}
