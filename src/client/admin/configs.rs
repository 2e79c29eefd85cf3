//! Configs of topics, brokers, groups: `DescribeConfigs` (v1–4), `IncrementalAlterConfigs` (v0–1).
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeConfigs>

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    DescribeConfigsRequest, DescribeConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::visibility::Check;
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::BrokerId;
use crate::wire::error_codes::UNKNOWN_TOPIC_OR_PARTITION;

/// Resources in one request: an answer with all their configs has a few megabytes.
const DESCRIBED_AT_ONCE: usize = 500;

/// A resource that has configs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigResource {
    Topic(String),
    Broker(BrokerId),
    /// The dynamic defaults of all brokers.
    AllBrokers,
    /// The log levels of a broker's loggers.
    BrokerLoggers(BrokerId),
    Group(String),
    /// Which metrics clients send to the brokers (KIP-714).
    ClientMetrics(String),
}

/// The source of a value, as the broker states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    Topic,
    /// Set on one broker while it ran.
    DynamicBroker,
    /// Set on all brokers while they ran.
    DynamicDefaultBroker,
    /// The broker's own configuration file.
    StaticBroker,
    Default,
    BrokerLogger,
    ClientMetrics,
    Group,
    /// A source that this program does not know, or none.
    Other(i8),
}

impl ConfigSource {
    pub(super) fn of(code: i8) -> Self {
        match code {
            1 => Self::Topic,
            2 => Self::DynamicBroker,
            3 => Self::DynamicDefaultBroker,
            4 => Self::StaticBroker,
            5 => Self::Default,
            6 => Self::BrokerLogger,
            7 => Self::ClientMetrics,
            8 => Self::Group,
            other => Self::Other(other),
        }
    }
}

/// One config and its value in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    pub name: String,
    /// `None` if the broker does not reveal it, or there is none.
    pub value: Option<String>,
    pub source: ConfigSource,
    pub is_sensitive: bool,
    pub is_read_only: bool,
}

impl ConfigEntry {
    pub fn is_default(&self) -> bool {
        self.source == ConfigSource::Default
    }
}

/// A change of one config: a new value, or `None` to reset it to its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigChange {
    pub name: String,
    pub value: Option<String>,
}

impl ConfigResource {
    pub(super) fn code_and_name(&self) -> (i8, String) {
        match self {
            Self::Topic(name) => (2, name.clone()),
            Self::Broker(id) => (4, id.to_string()),
            Self::AllBrokers => (4, String::new()),
            Self::BrokerLoggers(id) => (8, id.to_string()),
            Self::ClientMetrics(name) => (16, name.clone()),
            Self::Group(name) => (32, name.clone()),
        }
    }

    /// The only broker that knows these configs; `None` if every broker does.
    pub(super) fn only_broker(&self) -> Option<BrokerId> {
        match self {
            Self::Broker(id) | Self::BrokerLoggers(id) => Some(*id),
            _ => None,
        }
    }

    /// The source of a value that was set for this resource itself.
    pub fn own_source(&self) -> ConfigSource {
        match self {
            Self::Topic(_) => ConfigSource::Topic,
            Self::Broker(_) => ConfigSource::DynamicBroker,
            Self::AllBrokers => ConfigSource::DynamicDefaultBroker,
            Self::BrokerLoggers(_) => ConfigSource::BrokerLogger,
            Self::ClientMetrics(_) => ConfigSource::ClientMetrics,
            Self::Group(_) => ConfigSource::Group,
        }
    }
}

impl AdminClient {
    /// The configs of several topics or groups, in the order of `resources`, each with its own outcome.
    pub fn describe_configs(
        &mut self,
        resources: &[ConfigResource],
    ) -> Result<Vec<Result<Vec<ConfigEntry>, ApiError>>> {
        self.describe_named_configs(resources, None)
    }

    /// One config of several resources: for many topics a small part of all their configs.
    pub fn describe_one_config(
        &mut self,
        resources: &[ConfigResource],
        name: &'static str,
    ) -> Result<Vec<Result<Option<ConfigEntry>, ApiError>>> {
        let found = self.describe_named_configs(resources, Some(name))?.into_iter();
        // A broker may return more configs than requested.
        let only = |entries: Vec<ConfigEntry>| entries.into_iter().find(|entry| entry.name == name);
        Ok(found.map(|entries| entries.map(only)).collect())
    }

    fn describe_named_configs(
        &mut self,
        resources: &[ConfigResource],
        name: Option<&'static str>,
    ) -> Result<Vec<Result<Vec<ConfigEntry>, ApiError>>> {
        let mut found = Vec::with_capacity(resources.len());
        for some in resources.chunks(DESCRIBED_AT_ONCE) {
            let answer = self.send_with(|_| describe_request(some, name))?;
            found.extend(in_order(some, &answer.results));
        }
        Ok(found)
    }

    /// The configs of some brokers, each of which only that broker knows. They are asked at the same time; one that does
    /// not answer is absent.
    pub fn describe_broker_configs(
        &mut self,
        brokers: &[BrokerId],
    ) -> Result<BTreeMap<BrokerId, Result<Vec<ConfigEntry>>>> {
        let request = |broker: &BrokerId| {
            (
                *broker,
                describe_request(&[ConfigResource::Broker(*broker)], None),
            )
        };
        let answers = self.send_to_each(brokers.iter().map(request).collect())?;
        let configs = |(broker, answer): (BrokerId, Result<DescribeConfigsResponse>)| {
            let entries = answer.and_then(|answer| {
                let resources = [ConfigResource::Broker(broker)];
                match in_order(&resources, &answer.results).pop() {
                    Some(entries) => Ok(entries?),
                    None => Ok(Vec::new()),
                }
            });
            (broker, entries)
        };
        Ok(answers.into_iter().map(configs).collect())
    }

    /// Changes some configs and leaves the others as they are. Many resources take several requests.
    pub fn alter_configs(
        &mut self,
        changes: &[(ConfigResource, Vec<ConfigChange>)],
        validate_only: bool,
    ) -> Result<Vec<Result<(), ApiError>>> {
        let records = |(_, changes): &(ConfigResource, Vec<ConfigChange>)| changes.len();
        self.in_parts(changes, records, |admin, part| {
            admin.alter_some_configs(part, validate_only)
        })
    }

    fn alter_some_configs(
        &mut self,
        changes: &[(ConfigResource, Vec<ConfigChange>)],
        validate_only: bool,
    ) -> Result<Vec<Result<(), ApiError>>> {
        let answer = self.send_with(|_| alter_request(changes, validate_only))?;
        let outcome = |(resource, _): &(ConfigResource, Vec<ConfigChange>)| outcome(&answer, resource);
        let outcomes: Vec<Result<(), ApiError>> = changes.iter().map(outcome).collect();
        if !validate_only {
            let made = changes
                .iter()
                .zip(&outcomes)
                .filter(|(_, outcome)| outcome.is_ok());
            self.await_configs(made.map(|(change, _)| change.clone()).collect());
        }
        Ok(outcomes)
    }

    /// Changes some configs of one resource. A change that only one broker knows is sent to that broker, which checks
    /// the values against its own configuration.
    pub fn alter_configs_of(
        &mut self,
        resource: &ConfigResource,
        changes: &[ConfigChange],
        validate_only: bool,
    ) -> Result<Result<(), ApiError>> {
        let all = [(resource.clone(), changes.to_vec())];
        let Some(broker) = resource.only_broker() else {
            let outcome = self.alter_configs(&all, validate_only)?.pop();
            return Ok(outcome.unwrap_or(Ok(())));
        };
        let answer = self.send_to_with(broker, |_| alter_request(&all, validate_only))?;
        let outcome = outcome(&answer, resource);
        if outcome.is_ok() && !validate_only && matches!(resource, ConfigResource::Broker(_)) {
            self.await_configs(all.to_vec());
        }
        Ok(outcome)
    }

    /// Waits until every broker shows these configs; for a broker's own configs, until that broker does.
    pub(super) fn await_configs(&mut self, made: Vec<(ConfigResource, Vec<ConfigChange>)>) {
        let (own, common): (Vec<_>, Vec<_>) = made
            .into_iter()
            .partition(|(resource, _)| matches!(resource, ConfigResource::Broker(_)));
        for change in own {
            if let (ConfigResource::Broker(id), _) = change {
                let (request, check) = look_for(vec![change]);
                self.await_on(&[id], &request, &check, "the new configs");
            }
        }
        if !common.is_empty() {
            let (request, check) = look_for(common);
            self.await_everywhere(&request, &check, "the new configs");
        }
    }
}

/// The request for a broker, and the check whether its answer shows these changes.
fn look_for(
    changes: Vec<(ConfigResource, Vec<ConfigChange>)>,
) -> (DescribeConfigsRequest, Check<DescribeConfigsResponse>) {
    let resources = changes.iter().map(|(resource, changes)| {
        let (code, name) = resource.code_and_name();
        let names = changes
            .iter()
            .map(|change| StrBytes::from_string(change.name.clone()));
        DescribeConfigsResource::default()
            .with_resource_type(code)
            .with_resource_name(StrBytes::from_string(name))
            .with_configuration_keys(Some(names.collect()))
    });
    let request = DescribeConfigsRequest::default().with_resources(resources.collect());
    let check = move |answer: &DescribeConfigsResponse| {
        changes
            .iter()
            .all(|(resource, changes)| shows(answer, resource, changes))
    };
    (request, Arc::new(check))
}

fn shows(answer: &DescribeConfigsResponse, resource: &ConfigResource, changes: &[ConfigChange]) -> bool {
    let (code, name) = resource.code_and_name();
    let found = answer
        .results
        .iter()
        .find(|result| result.resource_type == code && result.resource_name.as_str() == name);
    let Some(result) = found else { return true };
    if result.error_code != 0 {
        // The broker does not know the topic yet. Resources that the user may not see are not waited for.
        return result.error_code != UNKNOWN_TOPIC_OR_PARTITION;
    }
    let level = resource.own_source();
    changes.iter().all(|change| {
        let entry = result
            .configs
            .iter()
            .find(|config| config.name.as_str() == change.name);
        let set = entry.map(entry_of).filter(|entry| entry.source == level);
        match (&change.value, set) {
            (None, set) => set.is_none(),
            (Some(_), None) => false,
            (Some(wanted), Some(entry)) => match entry.value {
                Some(value) if !entry.is_sensitive => is_same(&value, wanted),
                _ => true,
            },
        }
    })
}

/// Whether two texts are the same value: brokers show numbers, booleans and lists in their own form.
fn is_same(shown: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    let (shown, wanted) = (plain(shown), plain(wanted));
    let as_number = |text: &str| text.parse::<f64>().ok();
    shown == wanted
        || matches!((as_number(&shown), as_number(&wanted)), (Some(a), Some(b)) if a.total_cmp(&b).is_eq())
}

/// All configs of the resources, or the one of this name.
fn describe_request(resources: &[ConfigResource], name: Option<&'static str>) -> DescribeConfigsRequest {
    let names = name.map(|name| vec![StrBytes::from_static_str(name)]);
    let resources = resources.iter().map(|resource| {
        let (code, name) = resource.code_and_name();
        DescribeConfigsResource::default()
            .with_resource_type(code)
            .with_resource_name(StrBytes::from_string(name))
            .with_configuration_keys(names.clone())
    });
    DescribeConfigsRequest::default().with_resources(resources.collect())
}

fn alter_request(
    changes: &[(ConfigResource, Vec<ConfigChange>)],
    validate_only: bool,
) -> IncrementalAlterConfigsRequest {
    let resources = changes.iter().map(|(resource, changes)| {
        let (code, name) = resource.code_and_name();
        AlterConfigsResource::default()
            .with_resource_type(code)
            .with_resource_name(StrBytes::from_string(name))
            .with_configs(changes.iter().map(alterable).collect())
    });
    IncrementalAlterConfigsRequest::default()
        .with_resources(resources.collect())
        .with_validate_only(validate_only)
}

/// The outcome for one resource.
fn outcome(answer: &IncrementalAlterConfigsResponse, resource: &ConfigResource) -> Result<(), ApiError> {
    let (code, name) = resource.code_and_name();
    let mut responses = answer.responses.iter();
    let found =
        responses.find(|response| response.resource_type == code && response.resource_name.as_str() == name);
    found.map_or(Ok(()), |response| {
        ApiError::check(response.error_code, response.error_message.as_deref())
    })
}

fn in_order(
    resources: &[ConfigResource],
    results: &[DescribeConfigsResult],
) -> Vec<Result<Vec<ConfigEntry>, ApiError>> {
    let answer = |resource: &ConfigResource| {
        let (code, name) = resource.code_and_name();
        let found = results
            .iter()
            .find(|result| result.resource_type == code && result.resource_name.as_str() == name);
        let Some(result) = found else {
            return Ok(Vec::new());
        };
        ApiError::check(result.error_code, result.error_message.as_deref())?;
        Ok(result.configs.iter().map(entry_of).collect())
    };
    resources.iter().map(answer).collect()
}

pub(super) fn entry_of(config: &DescribeConfigsResourceResult) -> ConfigEntry {
    ConfigEntry {
        name: config.name.to_string(),
        value: config.value.as_ref().map(ToString::to_string),
        source: ConfigSource::of(config.config_source),
        is_sensitive: config.is_sensitive,
        is_read_only: config.read_only,
    }
}

fn alterable(change: &ConfigChange) -> AlterableConfig {
    const SET: i8 = 0;
    const DELETE: i8 = 1;
    AlterableConfig::default()
        .with_name(StrBytes::from_string(change.name.clone()))
        .with_config_operation(if change.value.is_some() { SET } else { DELETE })
        .with_value(change.value.clone().map(StrBytes::from_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_again_in_the_broker_s_spelling() {
        for (shown, wanted) in [
            ("60000", "60000"),
            ("60000", "060000"),
            ("0.5", "0.50"),
            ("true", "TRUE"),
            ("compact,delete", "compact, delete"),
        ] {
            assert!(is_same(shown, wanted), "{shown} {wanted}");
        }
        assert!(!is_same("60000", "60001"));
        assert!(!is_same("gzip", "zstd"));
    }
}
