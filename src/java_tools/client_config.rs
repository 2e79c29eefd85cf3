//! The checks of Java's clients when they are built, with their messages: values that a setting cannot have
//! (`config_rules`), settings that exclude each other, unknown classes, impossible connections.

use super::config_rules::{Client, check_values};
use crate::client::settings::Settings;
use crate::java::classes;

/// Why a client is not built.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A value that a setting cannot have; with Java's message.
    Value(String),
    /// A failure while the client was built, whose message Java gives as the cause.
    Client(String),
}

impl Refusal {
    /// The message alone.
    pub(super) fn reason(self) -> String {
        match self {
            Refusal::Value(reason) | Refusal::Client(reason) => reason,
        }
    }
}

/// The checks of every client, and of what it needs to connect.
fn check_client(client: Client, settings: &Settings) -> Result<(), Refusal> {
    check_values(client, |name| settings.get(name)).map_err(Refusal::Value)?;
    check_connection(client, settings)
}

/// What a client would need besides values that can be.
fn check_connection(client: Client, settings: &Settings) -> Result<(), Refusal> {
    check_classes(client, |name| settings.get(name)).map_err(Refusal::Client)?;
    settings
        .connection_options()
        .map(drop)
        .map_err(|error| Refusal::Client(error.message()))
}

/// Checks classes, which Java loads when it builds a client; known are those of Kafka's own jars.
fn check_classes<'a>(client: Client, given: impl Fn(&str) -> Option<&'a str>) -> Result<(), String> {
    let reporters = (
        "metric.reporters",
        Some("org.apache.kafka.common.metrics.JmxReporter"),
    );
    let interceptors = (!matches!(client, Client::Admin)).then_some(("interceptor.classes", None));
    for (name, known) in [Some(reporters), interceptors].into_iter().flatten() {
        let classes = given(name).unwrap_or_default().split(',').map(str::trim);
        if let Some(class) = classes
            .filter(|class| !class.is_empty())
            .find(|class| known != Some(*class))
        {
            return Err(match classes::find(class) {
                Some(class) => class.with_kind(),
                None => format!("Class {class} cannot be found"),
            });
        }
    }
    Ok(())
}

/// Checks that the class is Kafka's own partitioner; any other known class is not a partitioner.
fn check_partitioner<'a>(given: impl Fn(&str) -> Option<&'a str>) -> Result<(), String> {
    let class = given("partitioner.class")
        .filter(|name| *name != "org.apache.kafka.clients.producer.RoundRobinPartitioner");
    match class.and_then(classes::find) {
        Some(class) => Err(class.not_configured_as("org.apache.kafka.clients.producer.Partitioner")),
        None => Ok(()),
    }
}

/// Checks that the classes are Kafka's own assignors.
fn check_assignors(settings: &Settings) -> Result<(), Refusal> {
    let given = settings.get("partition.assignment.strategy").unwrap_or_default();
    for name in given.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if name.starts_with("org.apache.kafka.clients.consumer.") && name.ends_with("Assignor") {
            continue;
        }
        return Err(Refusal::Client(match classes::find(name) {
            Some(class) => {
                class.not_configured_as("org.apache.kafka.clients.consumer.ConsumerPartitionAssignor")
            }
            None => format!("{name} ClassNotFoundException exception occurred"),
        }));
    }
    Ok(())
}

/// The additional checks of the consumer.
pub(super) fn check_consumer(settings: &Settings) -> Result<(), Refusal> {
    check_client(Client::Consumer, settings)?;
    check_assignors(settings)?;
    let millis = |name: &str, default| {
        let value = settings
            .get(name)
            .and_then(|value| value.trim().parse::<i32>().ok());
        value.unwrap_or(default)
    };
    if millis("heartbeat.interval.ms", 3000) >= millis("session.timeout.ms", 45_000) {
        let reason = "Heartbeat must be set lower than the session timeout";
        return Err(Refusal::Client(reason.to_owned()));
    }
    let is_classic = settings
        .get("group.protocol")
        .is_none_or(|protocol| protocol.trim().eq_ignore_ascii_case("classic"));
    let of_classic = ["heartbeat.interval.ms", "session.timeout.ms"];
    let given = of_classic.into_iter().find(|name| settings.get(name).is_some());
    if let Some(name) = given.filter(|_| !is_classic) {
        let reason = format!("{name} cannot be set when group.protocol=CONSUMER");
        return Err(Refusal::Client(reason));
    }
    if is_classic && settings.get("group.remote.assignor").is_some() {
        let reason = "group.remote.assignor cannot be set when group.protocol=CLASSIC";
        return Err(Refusal::Client(reason.to_owned()));
    }
    Ok(())
}

/// The additional checks of the admin client; `settings` are those of its file, which usually names no brokers.
pub(super) fn check_admin(settings: &Settings) -> Result<(), Refusal> {
    check_connection(Client::Admin, settings)?;
    let millis = |name: &str| {
        settings
            .get(name)
            .and_then(|value| value.trim().parse::<i32>().ok())
    };
    if settings
        .get("bootstrap.controllers")
        .is_some_and(|servers| !servers.trim().is_empty())
    {
        let reason = "You cannot set both bootstrap.servers and bootstrap.controllers";
        return Err(Refusal::Client(reason.to_owned()));
    }
    match (millis("default.api.timeout.ms"), millis("request.timeout.ms")) {
        (Some(all), Some(one)) if all < one => Err(Refusal::Client(
            "The specified value of default.api.timeout.ms must be no smaller than the value of request.timeout.ms."
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

/// The additional checks of the producer; `effective` includes the values of flags.
pub(super) fn check_producer<'a>(effective: impl Fn(&str) -> Option<&'a str>) -> Result<(), String> {
    check_values(Client::Producer, &effective)?;
    check_partitioner(&effective)
        .and_then(|()| check_classes(Client::Producer, &effective))
        .map_err(|reason| format!("Failed to construct kafka producer: {reason}"))?;
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
            (
                "compression.gzip.level",
                "10",
                "Value must be between 1 and 9 or equal to -1",
            ),
            ("compression.zstd.level", "99", "Value must be no more than 22"),
            ("transactional.id", "", "String must be non-empty"),
            ("partitioner.class", "a.B", "Class a.B could not be found."),
            (
                "security.protocol",
                "NONE",
                "String must be one of (case insensitive): SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT",
            ),
            (
                "sasl.login.refresh.window.factor",
                "2.0",
                "Value must be no more than 1.0",
            ),
            (
                "sasl.login.refresh.buffer.seconds",
                "70000",
                "Not a number of type SHORT",
            ),
        ] {
            let expected = format!("Invalid value {value} for configuration {name}: {problem}");
            assert_eq!(refusal(&[(name, value)]), Some(expected));
        }
        for (name, value) in [
            ("send.buffer.bytes", "-1"),
            ("linger.ms", " 5 "),
            ("enable.idempotence", " TRUE "),
            // The producer ignores settings of other clients.
            ("check.crcs", "maybe"),
            (
                "partitioner.class",
                "org.apache.kafka.clients.producer.RoundRobinPartitioner",
            ),
            ("metric.reporters", "org.apache.kafka.common.metrics.JmxReporter"),
            ("interceptor.classes", ""),
        ] {
            assert_eq!(refusal(&[(name, value)]), None, "{name}={value}");
        }
    }

    #[test]
    fn lists_have_no_empty_values_and_name_classes_that_exist() {
        for (value, problem) in [
            (
                "a,,b",
                "Configuration 'metric.reporters' values must not be empty.",
            ),
            (",", "Configuration 'metric.reporters' values must not be empty."),
            (
                "a.B",
                "Failed to construct kafka producer: Class a.B cannot be found",
            ),
        ] {
            assert_eq!(
                refusal(&[("metric.reporters", value)]),
                Some(problem.to_owned()),
                "{value}"
            );
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
