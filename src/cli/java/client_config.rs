//! What Java's clients refuse in their settings before they connect: types, ranges, and settings that cannot go
//! together, in the words of Kafka's `ConfigDef`.
//!
//! Owns no meaning of a setting: `client::settings` has that. Sources: the generated lists of producer, consumer and
//! admin configs in Apache Kafka's documentation, and what its tools say.

use crate::client::settings::Settings;

/// The type of a setting and the values it may have.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// At least this.
    Int(i32),
    /// At least this.
    Long(i64),
    Boolean,
    /// One of these, as they are written.
    OneOf(&'static [&'static str]),
}

use Rule::{Boolean, Int, Long, OneOf};

const RULES: &[(&str, Rule)] = &[
    ("acks", OneOf(&["all", "-1", "0", "1"])),
    ("allow.auto.create.topics", Boolean),
    ("auto.commit.interval.ms", Int(0)),
    ("batch.size", Int(0)),
    ("buffer.memory", Long(0)),
    ("check.crcs", Boolean),
    (
        "client.dns.lookup",
        OneOf(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"]),
    ),
    ("connections.max.idle.ms", Long(i64::MIN)),
    ("default.api.timeout.ms", Int(0)),
    ("delivery.timeout.ms", Int(0)),
    ("enable.auto.commit", Boolean),
    ("enable.idempotence", Boolean),
    ("exclude.internal.topics", Boolean),
    ("fetch.max.bytes", Int(0)),
    ("fetch.max.wait.ms", Int(0)),
    ("fetch.min.bytes", Int(0)),
    ("heartbeat.interval.ms", Int(i32::MIN)),
    ("linger.ms", Long(0)),
    ("max.block.ms", Long(0)),
    ("max.in.flight.requests.per.connection", Int(1)),
    ("max.partition.fetch.bytes", Int(0)),
    ("max.poll.interval.ms", Int(1)),
    ("max.poll.records", Int(1)),
    ("max.request.size", Int(0)),
    ("metadata.max.age.ms", Long(0)),
    ("metadata.max.idle.ms", Long(5000)),
    ("receive.buffer.bytes", Int(-1)),
    ("reconnect.backoff.max.ms", Long(0)),
    ("reconnect.backoff.ms", Long(0)),
    ("request.timeout.ms", Int(0)),
    ("retries", Int(0)),
    ("retry.backoff.max.ms", Long(0)),
    ("retry.backoff.ms", Long(0)),
    ("send.buffer.bytes", Int(-1)),
    ("session.timeout.ms", Int(i32::MIN)),
    ("socket.connection.setup.timeout.max.ms", Long(i64::MIN)),
    ("socket.connection.setup.timeout.ms", Long(i64::MIN)),
    ("transaction.timeout.ms", Int(i32::MIN)),
];

impl Rule {
    /// What is wrong with a value, after the words that name it.
    fn problem(self, value: &str) -> Option<String> {
        let value = value.trim();
        match self {
            Int(least) => number(value, "INT", &least),
            Long(least) => number(value, "LONG", &least),
            Boolean => {
                let is_one = ["true", "false"]
                    .iter()
                    .any(|word| value.eq_ignore_ascii_case(word));
                (!is_one).then(|| "Expected value to be either true or false".to_owned())
            }
            OneOf(words) => {
                (!words.contains(&value)).then(|| format!("String must be one of: {}", words.join(", ")))
            }
        }
    }
}

fn number<T: std::str::FromStr + PartialOrd + std::fmt::Display>(
    value: &str,
    kind: &str,
    least: &T,
) -> Option<String> {
    match value.parse::<T>() {
        Err(_) => Some(format!("Not a number of type {kind}")),
        Ok(number) if number < *least => Some(format!("Value must be at least {least}")),
        Ok(_) => None,
    }
}

/// Holds single settings against their rules; `given` tells what stands for a setting.
pub(super) fn check_values<'a>(given: impl Fn(&str) -> Option<&'a str>) -> Result<(), String> {
    for (name, rule) in RULES {
        if let Some(value) = given(name)
            && let Some(problem) = rule.problem(value)
        {
            return Err(format!(
                "Invalid value {value} for configuration {name}: {problem}"
            ));
        }
    }
    Ok(())
}

/// What every client refuses, and what it would need to connect.
pub(super) fn check_client(settings: &Settings) -> Result<(), String> {
    check_values(|name| settings.get(name))?;
    settings
        .connection_options()
        .map(drop)
        .map_err(|error| error.message())
}

/// What the consumer refuses besides.
pub(super) fn check_consumer(settings: &Settings) -> Result<(), String> {
    check_client(settings)?;
    let millis = |name: &str, default| {
        let value = settings
            .get(name)
            .and_then(|value| value.trim().parse::<i32>().ok());
        value.unwrap_or(default)
    };
    if millis("heartbeat.interval.ms", 3000) >= millis("session.timeout.ms", 45_000) {
        return Err("Heartbeat must be set lower than the session timeout".to_owned());
    }
    Ok(())
}

/// What the admin client refuses besides.
pub(super) fn check_admin(settings: &Settings) -> Result<(), String> {
    check_client(settings)?;
    let millis = |name: &str| {
        settings
            .get(name)
            .and_then(|value| value.trim().parse::<i32>().ok())
    };
    match (millis("default.api.timeout.ms"), millis("request.timeout.ms")) {
        (Some(all), Some(one)) if all < one => Err(
            "The specified value of default.api.timeout.ms must be no smaller than the value of request.timeout.ms."
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// What the producer refuses besides; `effective` has the flags' values, too.
pub(super) fn check_producer<'a>(effective: impl Fn(&str) -> Option<&'a str>) -> Result<(), String> {
    check_values(&effective)?;
    let number = |name: &str| effective(name).and_then(|value| value.trim().parse::<i64>().ok());
    let wants_idempotence =
        effective("enable.idempotence").map(|value| value.trim().eq_ignore_ascii_case("true"));
    let acks = effective("acks").unwrap_or("all");
    if wants_idempotence == Some(true) && number("retries") == Some(0) {
        return Err("Must set retries to non-zero when using the idempotent producer.".to_owned());
    }
    if wants_idempotence == Some(true) && !matches!(acks.trim(), "all" | "-1") {
        return Err(
            "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence."
                .to_owned(),
        );
    }
    let is_idempotent =
        wants_idempotence.unwrap_or(number("retries") != Some(0) && matches!(acks.trim(), "all" | "-1"));
    if is_idempotent && number("max.in.flight.requests.per.connection").is_some_and(|requests| requests > 5) {
        return Err(
            "Must set max.in.flight.requests.per.connection to at most 5 to use the idempotent producer."
                .to_owned(),
        );
    }
    let company = number("linger.ms").unwrap_or(1000) + number("request.timeout.ms").unwrap_or(1500);
    if number("delivery.timeout.ms").is_some_and(|all| all < company) {
        return Err(
            "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms".to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(pairs: &[(&'static str, &'static str)]) -> Option<String> {
        let find = |name: &str| {
            pairs
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| *value)
        };
        check_producer(find).err()
    }

    #[test]
    fn types_and_ranges_are_kafkas() {
        for (name, value, problem) in [
            ("request.timeout.ms", "soon", "Not a number of type INT"),
            ("linger.ms", "-1", "Value must be at least 0"),
            ("retries", "2147483648", "Not a number of type INT"),
            ("send.buffer.bytes", "-2", "Value must be at least -1"),
            (
                "enable.idempotence",
                "maybe",
                "Expected value to be either true or false",
            ),
            ("acks", "5", "String must be one of: all, -1, 0, 1"),
        ] {
            let expected = format!("Invalid value {value} for configuration {name}: {problem}");
            assert_eq!(refusal(&[(name, value)]), Some(expected));
        }
        for (name, value) in [
            ("send.buffer.bytes", "-1"),
            ("linger.ms", " 5 "),
            ("check.crcs", "FALSE"),
        ] {
            assert_eq!(refusal(&[(name, value)]), None, "{name}={value}");
        }
    }

    #[test]
    fn what_cannot_go_together_is_refused() {
        let told = |pairs| refusal(pairs).unwrap_or_default();
        assert!(told(&[("enable.idempotence", "true"), ("retries", "0")]).contains("retries"));
        assert!(told(&[("enable.idempotence", "true"), ("acks", "1")]).contains("acks"));
        assert!(told(&[("max.in.flight.requests.per.connection", "6")]).contains("in.flight"));
        assert!(told(&[("delivery.timeout.ms", "10")]).contains("linger.ms"));
        assert_eq!(
            told(&[("retries", "0"), ("max.in.flight.requests.per.connection", "6")]),
            ""
        );
        assert_eq!(
            told(&[("acks", "1"), ("max.in.flight.requests.per.connection", "6")]),
            ""
        );
    }
}
