//! Settings to librdkafka's configuration: our defaults, then the user's words, then what a flag insists on.

use super::entries::{self, Role};
use crate::client::settings::Settings;
use crate::error::Result;

/// What sending wants, measured on files of short lines: big batches. Size limits are the cluster's to set, not ours.
/// Reports of what was delivered would cost a sixth of the time: failures are reported, and what is left is counted.
const PRODUCER: &[(&str, &str)] = &[
    ("acks", "all"),
    ("partitioner", "murmur2_random"),
    ("delivery.report.only.error", "true"),
    ("batch.size", "1000000"),
    ("batch.num.messages", "100000"),
    ("message.max.bytes", "1000000000"),
    ("queue.buffering.max.messages", "2000000"),
    ("queue.buffering.max.kbytes", "1048576"),
    ("topic.metadata.refresh.fast.interval.ms", "50"),
    ("max.in.flight.requests.per.connection", "5"),
    // Two log lines a batch, the only place that says what a broker answers to records that are sent again.
    ("debug", "msg"),
];

/// What reading wants: fetches of several megabytes, no pause when the queue was full, and a queue that is small
/// enough to be used again before its memory has gone cold. Kafka's own default isolation; librdkafka's differs.
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

/// How long librdkafka may gather a batch where nobody said it, in milliseconds. Records leave when a batch is full
/// or when we say so; a batch that waits longer than this for its turn would make librdkafka look for work without
/// pause.
const LINGER_MS: u64 = 5000;

/// For both.
const COMMON: &[(&str, &str)] = &[
    ("client.id", "kafkit"),
    ("log.queue", "true"),
    ("log.connection.close", "false"),
    ("socket.nagle.disable", "true"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
];

/// What must not be changed from outside: offsets are stored when what they cover was printed.
const CONSUMER_FIXED: &[(&str, &str)] = &[("enable.auto.offset.store", "false")];

/// The least that the engine takes for `message.max.bytes`.
const LEAST_FETCH: u32 = 1000;

/// A producer's configuration. Idempotent unless another setting rules it out, as in Java.
pub(super) fn producer(
    settings: &Settings,
    overrides: &[(String, String)],
    defaults: &[(String, String)],
) -> Result<Vec<(String, String)>> {
    let mut entries = layered(PRODUCER, defaults);
    entries.extend(entries::of(settings, Role::Producer)?);
    entries.extend_from_slice(overrides);
    if may_be_idempotent(&entries) && value_of(&entries, "enable.idempotence").is_none() {
        entries.push(("enable.idempotence".into(), "true".into()));
    }
    if value_of(&entries, "linger.ms").is_none() && value_of(&entries, "queue.buffering.max.ms").is_none() {
        entries.push(("linger.ms".into(), linger_below_timeout(&entries).to_string()));
    }
    Ok(entries)
}

/// Whether all replicas are waited for, and a failed send is tried again.
fn may_be_idempotent(entries: &[(String, String)]) -> bool {
    let holds = |names: &[&str], rule: fn(&str) -> bool| {
        let mut values = names.iter().filter_map(|name| value_of(entries, name));
        values.all(rule)
    };
    holds(&["acks", "request.required.acks"], |acks| {
        matches!(acks, "all" | "-1")
    }) && holds(&["retries", "message.send.max.retries"], |tries| {
        tries.trim() != "0"
    })
}

/// Our linger; librdkafka wants it below the time in which a record must be delivered.
fn linger_below_timeout(entries: &[(String, String)]) -> u64 {
    let timeouts = ["delivery.timeout.ms", "message.timeout.ms"]
        .iter()
        .filter_map(|name| value_of(entries, name)?.parse::<u64>().ok());
    let shortest = timeouts.filter(|timeout| *timeout > 0).min();
    shortest.map_or(LINGER_MS, |timeout| LINGER_MS.min(timeout / 2))
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
    // The engine wants the one to be no smaller than the other, which means nothing to a consumer.
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

/// Ours, then the command's.
fn layered(ours: &[(&str, &str)], defaults: &[(String, String)]) -> Vec<(String, String)> {
    let mut entries: Vec<_> = owned(COMMON).chain(owned(ours)).collect();
    entries.extend_from_slice(defaults);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rules_idempotence_out_in_java_rules_it_out_here() {
        let idempotence = |name: &str, value: &str| {
            let overrides = [(name.to_owned(), value.to_owned())];
            let entries = producer(&Settings::default(), &overrides, &[]).unwrap();
            value_of(&entries, "enable.idempotence").map(str::to_owned)
        };
        for (name, value) in [("retries", "0"), ("acks", "1")] {
            assert_eq!(idempotence(name, value), None, "{name}={value}");
        }
        for (name, value) in [("retries", "1"), ("acks", "-1")] {
            assert_eq!(
                idempotence(name, value).as_deref(),
                Some("true"),
                "{name}={value}"
            );
        }
    }
}
