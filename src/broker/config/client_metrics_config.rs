//! The configs of a client metrics subscription (KIP-714): names, types, and Kafka's messages for invalid values.
//!
//! Subscriptions are kept and described. This broker has no receiver of metrics, and so no client is asked to push
//! any.

use kafka_protocol::ResponseError;

use super::effective_config::Configs;
use crate::java::regex::JavaRegex;
use crate::topic_config::Kind::{self, Int, List};

/// One config of a subscription.
#[derive(Clone, Copy, Debug)]
pub struct ClientMetricsConfig {
    pub name: &'static str,
    pub kind: Kind,
    pub default: &'static str,
    /// What it controls, on one line.
    pub help: &'static str,
}

const INTERVAL: &str = "interval.ms";
const MATCH: &str = "match";

/// Every config of a subscription, by name.
pub const CLIENT_METRICS_CONFIGS: &[ClientMetricsConfig] = &[
    ClientMetricsConfig {
        name: INTERVAL,
        kind: Int,
        default: "300000",
        help: "milliseconds between two pushes of metrics",
    },
    ClientMetricsConfig {
        name: MATCH,
        kind: List,
        default: "",
        help: "which clients push: criteria like client_id=REGEX, all of which must hold",
    },
    ClientMetricsConfig {
        name: "metrics",
        kind: List,
        default: "",
        help: "prefixes of the names of metrics that are pushed; * is all",
    },
];

/// The names that a match criterion may have.
const CRITERIA: [&str; 6] = [
    "client_id",
    "client_instance_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Whether a subscription of this name may have these configs; the error is Kafka's.
pub fn validate(name: &str, configs: &Configs) -> Result<(), (ResponseError, String)> {
    if name.is_empty() {
        let message = "Subscription name can't be empty";
        return Err((ResponseError::InvalidRequest, message.to_owned()));
    }
    let unknown = |name: &&String| !CLIENT_METRICS_CONFIGS.iter().any(|config| config.name == *name);
    if let Some(name) = configs.keys().find(unknown) {
        let message = format!("Unknown client metrics configuration: {name}");
        return Err((ResponseError::InvalidRequest, message));
    }
    if let Some(interval) = configs.get(INTERVAL) {
        check_interval(interval)?;
    }
    let criteria = configs.get(MATCH).map(String::as_str).unwrap_or_default();
    let mut criteria = criteria.split(',').map(str::trim).filter(|word| !word.is_empty());
    match criteria.find(|criterion| !is_criterion(criterion)) {
        Some(criterion) => {
            let message = format!("Illegal client matching pattern: {criterion}");
            Err((ResponseError::InvalidConfig, message))
        }
        None => Ok(()),
    }
}

fn check_interval(value: &str) -> Result<(), (ResponseError, String)> {
    match value.trim().parse::<i32>() {
        Ok(interval) if (100..=3_600_000).contains(&interval) => Ok(()),
        Ok(interval) => {
            let message = format!(
                "Invalid value {interval} for {INTERVAL}, interval must be between 100 and 3600000 (1 hour)"
            );
            Err((ResponseError::InvalidRequest, message))
        }
        Err(_) => {
            let message =
                format!("Invalid value {value} for configuration {INTERVAL}: Not a number of type INT");
            Err((ResponseError::InvalidConfig, message))
        }
    }
}

fn is_criterion(criterion: &str) -> bool {
    criterion.split_once('=').is_some_and(|(name, pattern)| {
        CRITERIA.contains(&name.trim()) && JavaRegex::new(pattern.trim()).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, config: &str, value: &str) -> Option<String> {
        let configs = Configs::from([(config.to_owned(), value.to_owned())]);
        validate(name, &configs).err().map(|(_, message)| message)
    }

    /// The messages are those of Apache Kafka 4.3.1.
    #[test]
    fn refusals_are_those_of_apache_kafka() {
        let refused = |config, value| refused("m", config, value).unwrap_or_default();
        assert_eq!(
            refused("interval.ms", "5"),
            "Invalid value 5 for interval.ms, interval must be between 100 and 3600000 (1 hour)"
        );
        assert_eq!(
            refused("interval.ms", "abc"),
            "Invalid value abc for configuration interval.ms: Not a number of type INT"
        );
        assert_eq!(
            refused("nosuch", "1"),
            "Unknown client metrics configuration: nosuch"
        );
        for criterion in ["client_id", "foo=a", "client_id=["] {
            assert_eq!(
                refused("match", criterion),
                format!("Illegal client matching pattern: {criterion}")
            );
        }
        assert_eq!(refused("match", "client_source_port=80,client_id=a.*"), "");
        assert_eq!(refused("metrics", "*"), "");
    }

    #[test]
    fn a_subscription_has_a_name() {
        assert_eq!(
            refused("", "metrics", "*").as_deref(),
            Some("Subscription name can't be empty")
        );
        assert_eq!(refused("bad name!", "metrics", "*"), None);
    }
}
