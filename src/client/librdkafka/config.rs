//! Settings to librdkafka's configuration: our defaults, then the user's settings, then the overrides of flags.

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;

use super::entries::{self, Role};
use super::notices;
use crate::client::settings::Settings;
use crate::error::{Error, Result};

/// Large batches for transactions, measured on files of short lines. Size limits are left to the cluster.
const PRODUCER: &[(&str, &str)] = &[
    ("partitioner", "murmur2_random"),
    ("delivery.report.only.error", "true"),
    ("batch.size", "1000000"),
    ("batch.num.messages", "100000"),
    ("message.max.bytes", "1000000000"),
    ("queue.buffering.max.messages", "500000"),
    ("queue.buffering.max.kbytes", "32768"),
    ("topic.metadata.refresh.fast.interval.ms", "50"),
];

/// For reading: fetches of several megabytes, almost no pause after a full queue, and a queue small enough to stay in
/// the CPU cache. The default isolation is Kafka's; librdkafka's differs.
const CONSUMER: &[(&str, &str)] = &[
    ("fetch.message.max.bytes", "4194304"),
    ("queued.min.messages", "1000000"),
    ("queued.max.messages.kbytes", "16384"),
    ("fetch.queue.backoff.ms", "2"),
    ("fetch.error.backoff.ms", "100"),
    ("fetch.wait.max.ms", "250"),
    ("enable.partition.eof", "true"),
    ("isolation.level", "read_uncommitted"),
    ("check.crcs", "true"),
];

/// For both.
const COMMON: &[(&str, &str)] = &[
    ("client.id", "kafkit"),
    ("log.connection.close", "false"),
    ("socket.nagle.disable", "true"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
];

/// Fixed settings: offsets are stored once the records before them were printed.
const CONSUMER_FIXED: &[(&str, &str)] = &[("enable.auto.offset.store", "false")];

/// The default of `transaction.timeout.ms`, as in Java.
const TRANSACTION_TIMEOUT_MS: u64 = 60_000;

/// The least value of `message.max.bytes` that the engine accepts.
const LEAST_FETCH: u32 = 1000;

/// Other names of librdkafka for a setting, and the name that is used here: the crate passes settings in no order, so
/// that of two names for one setting either could win.
const ALIASES: &[(&str, &str)] = &[
    ("auto.commit.enable", "enable.auto.commit"),
    ("compression.type", "compression.codec"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("metadata.broker.list", "bootstrap.servers"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("request.required.acks", "acks"),
    ("retries", "message.send.max.retries"),
    ("sasl.mechanisms", "sasl.mechanism"),
];

/// A client's configuration; of several values for one setting the last counts.
pub(super) fn client_config(entries: &[(String, String)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set_log_level(RDKafkaLogLevel::Warning);
    for (name, value) in entries {
        let alias = ALIASES.iter().find(|(alias, _)| alias == name);
        config.set(alias.map_or(name.as_str(), |(_, name)| name), value);
    }
    config
}

/// librdkafka's message for a configuration that it refuses.
pub(super) fn refusal(error: &KafkaError) -> Error {
    match error {
        KafkaError::ClientConfig(_, problem, name, value) => {
            Error::usage(format!("{name}={value}: {}", notices::plain(problem)))
        }
        KafkaError::ClientCreation(problem) => Error::usage(notices::plain(problem)),
        other => Error::usage(other.to_string()),
    }
}

/// A transactional producer's configuration.
pub(super) fn producer(
    settings: &Settings,
    overrides: &[(String, String)],
    defaults: &[(String, String)],
) -> Result<Vec<(String, String)>> {
    let mut entries = layered(PRODUCER, defaults);
    entries.extend(entries::of(settings, Role::Producer)?);
    entries.extend_from_slice(overrides);
    let milliseconds = |names: &[&str]| {
        let named = entries
            .iter()
            .rev()
            .find(|(name, _)| names.contains(&name.as_str()));
        named.and_then(|(_, value)| value.trim().parse::<u64>().ok())
    };
    // A delivery after the transaction's timeout is useless; librdkafka requires this limit.
    let limit = milliseconds(&["transaction.timeout.ms"]).unwrap_or(TRANSACTION_TIMEOUT_MS);
    let delivery = milliseconds(&["delivery.timeout.ms", "message.timeout.ms"]);
    if delivery.is_some_and(|delivery| delivery == 0 || delivery > limit) {
        entries.push(("message.timeout.ms".into(), limit.to_string()));
    }
    Ok(entries)
}

/// A consumer's configuration.
pub(super) fn consumer(
    settings: &Settings,
    overrides: &[(String, String)],
    defaults: &[(String, String)],
) -> Result<Vec<(String, String)>> {
    let mut entries = layered(CONSUMER, defaults);
    entries.extend(entries::of(settings, Role::Consumer)?);
    entries.extend_from_slice(overrides);
    entries.extend(owned(CONSUMER_FIXED));
    // The engine requires `fetch.max.bytes` to be at least `message.max.bytes`, which a consumer does not use.
    if let Some(bytes) =
        value_of(&entries, "fetch.max.bytes").and_then(|bytes| bytes.trim().parse::<u32>().ok())
    {
        let bytes = bytes.max(LEAST_FETCH).to_string();
        entries.push(("fetch.max.bytes".into(), bytes.clone()));
        entries.push(("message.max.bytes".into(), bytes));
    }
    Ok(entries)
}

/// The value in force of a setting: the last one.
pub(super) fn value_of<'a>(entries: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = entries.iter().rev().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

fn owned(entries: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    entries
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
}

/// Our defaults, then the command's.
fn layered(ours: &[(&str, &str)], defaults: &[(String, String)]) -> Vec<(String, String)> {
    let mut entries: Vec<_> = owned(COMMON).chain(owned(ours)).collect();
    entries.extend_from_slice(defaults);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_given_up_no_later_than_its_transaction() {
        for (name, value, expected) in [
            ("delivery.timeout.ms", "120000", "60000"),
            ("message.timeout.ms", "0", "60000"),
            ("delivery.timeout.ms", "7000", "7000"),
        ] {
            let overrides = [(name.to_owned(), value.to_owned())];
            let entries = producer(&Settings::default(), &overrides, &[]).unwrap();
            assert_eq!(
                client_config(&entries).get("message.timeout.ms"),
                Some(expected),
                "{name}={value}"
            );
        }
    }

    #[test]
    fn of_two_names_for_a_setting_the_last_holds() {
        let entries = |names: &[&str]| -> Vec<(String, String)> {
            let named = names.iter().enumerate();
            named
                .map(|(place, name)| ((*name).to_owned(), place.to_string()))
                .collect()
        };
        for names in [
            ["fetch.message.max.bytes", "max.partition.fetch.bytes"],
            ["max.partition.fetch.bytes", "fetch.message.max.bytes"],
        ] {
            let config = client_config(&entries(&names));
            assert_eq!(config.get("fetch.message.max.bytes"), Some("1"));
            assert_eq!(config.get("max.partition.fetch.bytes"), None);
        }
    }
}
