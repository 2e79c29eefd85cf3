//! The valid values of each setting of Java's clients: type, range, and the messages of `ConfigDef` about all others.
//!
//! Owns no meaning of a setting: `client::settings` has that. Source: the generated lists of producer, consumer and
//! admin configs in Apache Kafka's documentation, in the order in which its clients check them.

use std::fmt;

use crate::client::offset_reset;
use crate::java::classes;

/// The type of a setting and its valid values.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// A number of the Java type with this name, with the least and the greatest value.
    Number(&'static str, i64, i64),
    /// gzip's levels: 1 to 9, and -1 for gzip's own default.
    GzipLevel,
    /// A fraction, with the least and the greatest value.
    Fraction(f64, f64),
    Boolean,
    /// One of these, in this spelling.
    OneOf(&'static [&'static str]),
    /// One of these, in upper or lower case.
    AnyCaseOf(&'static [&'static str]),
    NotEmpty,
    /// Values separated by commas, none of them empty.
    List,
    /// The name of one of these classes: there is no JVM to load others.
    Class(&'static [&'static str]),
    OffsetReset,
}

use Rule::{AnyCaseOf, Boolean, Class, Fraction, GzipLevel, List, NotEmpty, Number, OffsetReset, OneOf};

const INT: Rule = Number("INT", i32::MIN as i64, i32::MAX as i64);
const LONG: Rule = Number("LONG", i64::MIN, i64::MAX);

const fn int(least: i64) -> Rule {
    Number("INT", least, i32::MAX as i64)
}

const fn long(least: i64) -> Rule {
    Number("LONG", least, i64::MAX)
}

/// The clients that have a setting, by the letters of [`RULES`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Client {
    Producer,
    Consumer,
    Admin,
    /// That of `kafka-broker-api-versions`.
    Versions,
}

impl Client {
    fn letter(self) -> char {
        match self {
            Client::Producer => 'p',
            Client::Consumer => 'c',
            Client::Admin => 'a',
            Client::Versions => 'v',
        }
    }
}

/// The clients, the setting, its rule: in the order in which Java checks them.
#[rustfmt::skip] // one setting a line
const RULES: &[(&str, &str, Rule)] = &[
    ("pcav", "bootstrap.servers", List),
    ("pcav", "client.dns.lookup", OneOf(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    ("p", "buffer.memory", long(0)),
    ("pa", "retries", int(0)),
    ("p", "acks", OneOf(&["all", "-1", "0", "1"])),
    ("p", "compression.type", OneOf(&["none", "gzip", "snappy", "lz4", "zstd"])),
    ("p", "compression.gzip.level", GzipLevel),
    ("p", "compression.lz4.level", Number("INT", 1, 17)),
    ("p", "compression.zstd.level", Number("INT", -131_072, 22)),
    ("p", "batch.size", int(0)),
    ("p", "partitioner.adaptive.partitioning.enable", Boolean),
    ("p", "partitioner.availability.timeout.ms", long(0)),
    ("p", "partitioner.ignore.keys", Boolean),
    ("p", "linger.ms", long(0)),
    ("p", "delivery.timeout.ms", int(0)),
    ("pca", "send.buffer.bytes", int(-1)),
    ("pca", "receive.buffer.bytes", int(-1)),
    ("p", "max.request.size", int(0)),
    ("pca", "reconnect.backoff.ms", long(0)),
    ("pca", "reconnect.backoff.max.ms", long(0)),
    ("pca", "retry.backoff.ms", long(0)),
    ("pca", "retry.backoff.max.ms", long(0)),
    ("pca", "enable.metrics.push", Boolean),
    ("v", "request.timeout.ms", INT),
    ("v", "retry.backoff.ms", LONG),
    ("p", "max.block.ms", long(0)),
    ("pca", "request.timeout.ms", int(0)),
    ("pca", "metadata.max.age.ms", long(0)),
    ("p", "metadata.max.idle.ms", long(5000)),
    ("pca", "metrics.sample.window.ms", long(0)),
    ("pca", "metrics.num.samples", int(1)),
    ("pca", "metrics.recording.level", OneOf(&["INFO", "DEBUG", "TRACE"])),
    ("pca", "metric.reporters", List),
    ("p", "max.in.flight.requests.per.connection", int(1)),
    ("pcav", "socket.connection.setup.timeout.ms", LONG),
    ("pcav", "socket.connection.setup.timeout.max.ms", LONG),
    ("pca", "connections.max.idle.ms", LONG),
    ("p", "partitioner.class", Class(&["org.apache.kafka.clients.producer.RoundRobinPartitioner"])),
    ("pc", "interceptor.classes", List),
    ("pcav", "security.protocol", AnyCaseOf(&["SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"])),
    ("pcav", "ssl.cipher.suites", List),
    ("pcav", "ssl.enabled.protocols", List),
    ("pcav", "sasl.kerberos.min.time.before.relogin", LONG),
    ("pcav", "sasl.login.refresh.window.factor", Fraction(0.5, 1.0)),
    ("pcav", "sasl.login.refresh.window.jitter", Fraction(0.0, 0.25)),
    ("pcav", "sasl.login.refresh.min.period.seconds", Number("SHORT", 0, 900)),
    ("pcav", "sasl.login.refresh.buffer.seconds", Number("SHORT", 0, 3600)),
    ("pcav", "sasl.login.connect.timeout.ms", INT),
    ("pcav", "sasl.login.read.timeout.ms", INT),
    ("pcav", "sasl.login.retry.backoff.max.ms", LONG),
    ("pcav", "sasl.login.retry.backoff.ms", LONG),
    ("pcav", "sasl.oauthbearer.assertion.algorithm", AnyCaseOf(&["ES256", "RS256"])),
    ("pcav", "sasl.oauthbearer.assertion.claim.exp.seconds", Number("INT", 0, 86_400)),
    ("pcav", "sasl.oauthbearer.assertion.claim.jti.include", Boolean),
    ("pcav", "sasl.oauthbearer.assertion.claim.nbf.seconds", Number("INT", 0, 3600)),
    ("pcav", "sasl.oauthbearer.clock.skew.seconds", INT),
    ("pcav", "sasl.oauthbearer.header.urlencode", Boolean),
    ("p", "enable.idempotence", Boolean),
    ("p", "transaction.timeout.ms", INT),
    ("p", "transactional.id", NotEmpty),
    ("p", "transaction.two.phase.commit.enable", Boolean),
    ("c", "group.instance.id", NotEmpty),
    ("c", "session.timeout.ms", INT),
    ("c", "heartbeat.interval.ms", INT),
    ("c", "partition.assignment.strategy", List),
    ("c", "enable.auto.commit", Boolean),
    ("c", "auto.commit.interval.ms", int(0)),
    ("c", "max.partition.fetch.bytes", int(0)),
    ("c", "fetch.min.bytes", int(0)),
    ("c", "fetch.max.bytes", int(0)),
    ("c", "fetch.max.wait.ms", int(0)),
    ("c", "auto.offset.reset", OffsetReset),
    ("c", "check.crcs", Boolean),
    ("ca", "default.api.timeout.ms", int(0)),
    ("c", "max.poll.records", int(1)),
    ("c", "max.poll.interval.ms", int(1)),
    ("c", "exclude.internal.topics", Boolean),
    ("c", "isolation.level", OneOf(&["read_committed", "read_uncommitted"])),
    ("c", "allow.auto.create.topics", Boolean),
    ("c", "group.protocol", AnyCaseOf(&["CONSUMER", "CLASSIC"])),
    ("c", "share.acknowledgement.mode", OneOf(&["implicit", "explicit"])),
    ("c", "share.acquire.mode", OneOf(&["batch_optimized", "record_limit"])),
    ("pca", "metadata.recovery.strategy", AnyCaseOf(&["REBOOTSTRAP", "NONE"])),
    ("pca", "metadata.recovery.rebootstrap.trigger.ms", long(0)),
    ("pca", "config.providers", List),
    ("a", "bootstrap.controllers", List),
];

impl Rule {
    /// Java's message about an invalid value; `name` is the setting's.
    fn refusal(self, name: &str, value: &str) -> Option<String> {
        let trimmed = value.trim();
        let invalid = |shown: &str, problem: &str| {
            Some(format!(
                "Invalid value {shown} for configuration {name}: {problem}"
            ))
        };
        match self {
            Number(kind, least, most) => match trimmed.parse::<i64>() {
                Ok(number) if is_of(kind, number) => {
                    let problem = out_of_range(&number, &least, &most)?;
                    invalid(&number.to_string(), &problem)
                }
                _ => invalid(value, &format!("Not a number of type {kind}")),
            },
            GzipLevel => match trimmed.parse::<i32>() {
                Ok(-1 | 1..=9) => None,
                Ok(_) => invalid(trimmed, "Value must be between 1 and 9 or equal to -1"),
                Err(_) => invalid(value, "Not a number of type INT"),
            },
            Fraction(least, most) => match trimmed.parse::<f64>() {
                Ok(number) => {
                    let problem = out_of_range(&Decimal(number), &Decimal(least), &Decimal(most))?;
                    invalid(&Decimal(number).to_string(), &problem)
                }
                Err(_) => invalid(value, "Not a number of type DOUBLE"),
            },
            Boolean
                if ["true", "false"]
                    .iter()
                    .any(|word| trimmed.eq_ignore_ascii_case(word)) =>
            {
                None
            }
            Boolean => invalid(value, "Expected value to be either true or false"),
            OneOf(words) if words.contains(&trimmed) => None,
            OneOf(words) => invalid(trimmed, &format!("String must be one of: {}", words.join(", "))),
            AnyCaseOf(words) if words.iter().any(|word| trimmed.eq_ignore_ascii_case(word)) => None,
            AnyCaseOf(words) => {
                let words = words.join(", ");
                invalid(
                    trimmed,
                    &format!("String must be one of (case insensitive): {words}"),
                )
            }
            NotEmpty if trimmed.is_empty() => invalid(trimmed, "String must be non-empty"),
            NotEmpty => None,
            List => list_refusal(name, trimmed),
            Class(known) if known.contains(&value) => None,
            // An existing class of the wrong kind is refused later, when the client makes an object of it.
            Class(_) if classes::find(value).is_some() => None,
            Class(_) => invalid(value, &format!("Class {value} could not be found.")),
            OffsetReset => {
                let problem = offset_reset::since(trimmed, false).err()?;
                invalid(trimmed, &problem)
            }
        }
    }
}

/// Whether a Java number of this type can have this value.
fn is_of(kind: &str, number: i64) -> bool {
    match kind {
        "SHORT" => i16::try_from(number).is_ok(),
        "INT" => i32::try_from(number).is_ok(),
        _ => true,
    }
}

/// A double as Java prints it, for numbers of usual size.
#[derive(PartialEq, PartialOrd)]
struct Decimal(f64);

impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.0)
    }
}

fn out_of_range<T: PartialOrd + fmt::Display>(number: &T, least: &T, most: &T) -> Option<String> {
    if number < least {
        return Some(format!("Value must be at least {least}"));
    }
    (number > most).then(|| format!("Value must be no more than {most}"))
}

/// The message about an invalid list; Java drops duplicates before it checks.
fn list_refusal(name: &str, text: &str) -> Option<String> {
    let is_refused = !text.is_empty() && text.split(',').any(|value| value.trim().is_empty());
    is_refused.then(|| format!("Configuration '{name}' values must not be empty."))
}

/// Checks settings against their rules; `given` returns the value of a setting.
pub(super) fn check_values<'a>(
    client: Client,
    given: impl Fn(&str) -> Option<&'a str>,
) -> Result<(), String> {
    let rules = RULES
        .iter()
        .filter(|(clients, ..)| clients.contains(client.letter()));
    for (_, name, rule) in rules {
        if let Some(refusal) = given(name).and_then(|value| rule.refusal(name, value)) {
            return Err(refusal);
        }
    }
    Ok(())
}
