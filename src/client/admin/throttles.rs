//! Replication throttles: set, cleared and read through `IncrementalAlterConfigs` and `DescribeConfigs`.
//!
//! A broker's own configs are altered and read on that broker, a topic's on any.

use std::collections::BTreeMap;
use std::fmt;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest};
use kafka_protocol::protocol::StrBytes;

use super::configs::{ConfigChange, ConfigResource};
use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::reassignment::throttle::{BROKER_THROTTLES, TOPIC_THROTTLES};
use crate::topic_partition::BrokerId;

const TOPIC_RESOURCE: i8 = 2;
const BROKER_RESOURCE: i8 = 4;
const SET: i8 = 0;
const DELETE: i8 = 1;
/// Config sources in `DescribeConfigs`: set on the topic, or on the one broker.
const TOPIC_CONFIG_SOURCE: i8 = 1;
const DYNAMIC_BROKER_SOURCE: i8 = 2;

/// The resource of a throttle config.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Throttled {
    Broker(BrokerId),
    Topic(String),
}

/// Config names with their new values; `None` deletes the config.
pub type ConfigChanges = Vec<(&'static str, Option<String>)>;

/// Throttle configs that are set, by name.
pub type Throttles = BTreeMap<String, String>;

impl Throttled {
    /// The names of the throttles that it can have.
    pub fn throttle_names(&self) -> &'static [&'static str] {
        match self {
            Throttled::Broker(_) => &BROKER_THROTTLES,
            Throttled::Topic(_) => &TOPIC_THROTTLES,
        }
    }

    fn resource(&self) -> (i8, StrBytes) {
        match self {
            Throttled::Broker(id) => (BROKER_RESOURCE, StrBytes::from_string(id.to_string())),
            Throttled::Topic(name) => (TOPIC_RESOURCE, StrBytes::from_string(name.clone())),
        }
    }

    fn of(resource_type: i8, name: &str) -> Option<Self> {
        match resource_type {
            BROKER_RESOURCE => name.parse().ok().map(Throttled::Broker),
            TOPIC_RESOURCE => Some(Throttled::Topic(name.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Throttled::Broker(id) => write!(f, "broker {id}"),
            Throttled::Topic(name) => write!(f, "topic {name}"),
        }
    }
}

impl AdminClient {
    /// Changes the configs of brokers or topics; returns those that were refused.
    pub fn alter_throttles(
        &mut self,
        changes: &BTreeMap<Throttled, ConfigChanges>,
    ) -> Result<BTreeMap<Throttled, ApiError>> {
        let mut refused = BTreeMap::new();
        let mut topics = Vec::new();
        for (throttled, configs) in changes {
            let resource = alteration(throttled, configs);
            match throttled {
                Throttled::Topic(_) => topics.push(resource),
                Throttled::Broker(id) => {
                    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
                    let response = self.send_to(*id, request)?;
                    refused.extend(refusals(response.responses));
                }
            }
        }
        if !topics.is_empty() {
            let request = IncrementalAlterConfigsRequest::default().with_resources(topics);
            let response = self.send(request)?;
            refused.extend(refusals(response.responses));
        }
        let made = changes
            .iter()
            .filter(|(throttled, _)| !refused.contains_key(throttled));
        self.await_configs(
            made.map(|(throttled, configs)| as_changes(throttled, configs))
                .collect(),
        );
        Ok(refused)
    }

    /// The throttles that are set on some topics, or on live brokers; those without any are left out. Every broker
    /// must answer.
    pub fn throttles(&mut self, of: &[Throttled]) -> Result<BTreeMap<Throttled, Throttles>> {
        let mut found = self.topic_throttles(of)?;
        for response in self.send_to_all(broker_questions(of))?.into_values() {
            found.extend(answers(response.results));
        }
        Ok(found)
    }

    /// [`AdminClient::throttles`] of the brokers that answer; the others are absent.
    pub fn throttles_of_present(&mut self, of: &[Throttled]) -> Result<BTreeMap<Throttled, Throttles>> {
        let mut found = self.topic_throttles(of)?;
        for response in self.send_to_each(broker_questions(of))?.into_values() {
            found.extend(answers(response?.results));
        }
        Ok(found)
    }

    fn topic_throttles(&mut self, of: &[Throttled]) -> Result<BTreeMap<Throttled, Throttles>> {
        let topics: Vec<_> = of
            .iter()
            .filter(|throttled| matches!(throttled, Throttled::Topic(_)))
            .map(question)
            .collect();
        if topics.is_empty() {
            return Ok(BTreeMap::new());
        }
        let response = self.send(DescribeConfigsRequest::default().with_resources(topics))?;
        Ok(answers(response.results).collect())
    }
}

fn broker_questions(of: &[Throttled]) -> Vec<(BrokerId, DescribeConfigsRequest)> {
    let questions = of.iter().filter_map(|throttled| match throttled {
        Throttled::Broker(id) => {
            let request = DescribeConfigsRequest::default().with_resources(vec![question(throttled)]);
            Some((*id, request))
        }
        Throttled::Topic(_) => None,
    });
    questions.collect()
}

fn as_changes(throttled: &Throttled, configs: &ConfigChanges) -> (ConfigResource, Vec<ConfigChange>) {
    let resource = match throttled {
        Throttled::Broker(id) => ConfigResource::Broker(*id),
        Throttled::Topic(name) => ConfigResource::Topic(name.clone()),
    };
    let changes = configs.iter().map(|(name, value)| ConfigChange {
        name: (*name).to_owned(),
        value: value.clone(),
    });
    (resource, changes.collect())
}

fn alteration(throttled: &Throttled, configs: &ConfigChanges) -> AlterConfigsResource {
    let (resource_type, name) = throttled.resource();
    let alterations = configs.iter().map(|(name, value)| {
        AlterableConfig::default()
            .with_name(StrBytes::from_static_str(name))
            .with_config_operation(if value.is_some() { SET } else { DELETE })
            .with_value(value.clone().map(StrBytes::from_string))
    });
    AlterConfigsResource::default()
        .with_resource_type(resource_type)
        .with_resource_name(name)
        .with_configs(alterations.collect())
}

fn refusals(
    responses: Vec<
        kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse,
    >,
) -> impl Iterator<Item = (Throttled, ApiError)> {
    responses.into_iter().filter_map(|response| {
        let throttled = Throttled::of(response.resource_type, &response.resource_name)?;
        Some((
            throttled,
            ApiError::of(response.error_code, response.error_message.as_deref())?,
        ))
    })
}

fn question(throttled: &Throttled) -> DescribeConfigsResource {
    let (resource_type, name) = throttled.resource();
    let names = throttled.throttle_names().iter();
    DescribeConfigsResource::default()
        .with_resource_type(resource_type)
        .with_resource_name(name)
        .with_configuration_keys(Some(names.map(|name| StrBytes::from_static_str(name)).collect()))
}

fn answers(
    results: Vec<kafka_protocol::messages::describe_configs_response::DescribeConfigsResult>,
) -> impl Iterator<Item = (Throttled, Throttles)> {
    results.into_iter().filter_map(|result| {
        let owner = Throttled::of(result.resource_type, &result.resource_name)?;
        let is_set_here = |source| matches!(source, TOPIC_CONFIG_SOURCE | DYNAMIC_BROKER_SOURCE);
        let throttles: Throttles = result
            .configs
            .into_iter()
            .filter(|config| is_set_here(config.config_source))
            .filter_map(|config| Some((config.name.to_string(), config.value?.to_string())))
            .collect();
        (!throttles.is_empty()).then_some((owner, throttles))
    })
}
