//! Configs with all their details: synonyms, types, documentation (`DescribeConfigs` v1–4), and which resources have
//! configs of their own (`ListConfigResources` v0–1, KIP-1142).
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeConfigs>

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use kafka_protocol::messages::{DescribeConfigsRequest, ListConfigResourcesRequest};
use kafka_protocol::protocol::StrBytes;

use super::configs::{ConfigEntry, ConfigResource, ConfigSource, entry_of};
use super::{AdminClient, ApiError};
use crate::error::Result;

/// The number of client metrics and of groups among the types of resources.
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

/// One config with all details of the broker's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigDetail {
    pub entry: ConfigEntry,
    /// The values that apply in order of precedence, its own included; the first is in force.
    pub synonyms: Vec<Synonym>,
    /// 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password; 0 if the broker does not
    /// state it.
    pub type_code: i8,
    /// The documentation as HTML; `None` if it was not requested or there is none.
    pub documentation: Option<String>,
}

/// A value from one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    pub name: String,
    pub value: Option<String>,
    pub source: ConfigSource,
}

/// What is requested beside names and values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub synonyms: bool,
    pub documentation: bool,
}

impl AdminClient {
    /// The configs of one resource, in the order of the broker's answer. If only one broker knows them, that broker
    /// is asked.
    pub fn config_details(
        &mut self,
        resource: &ConfigResource,
        wanted: Wanted,
    ) -> Result<Result<Vec<ConfigDetail>, ApiError>> {
        let (code, name) = resource.code_and_name();
        let asked = DescribeConfigsResource::default()
            .with_resource_type(code)
            .with_resource_name(StrBytes::from_string(name))
            .with_configuration_keys(None);
        // Documentation came with version 3; older brokers are asked without it.
        let build = |version| {
            DescribeConfigsRequest::default()
                .with_resources(vec![asked.clone()])
                .with_include_synonyms(wanted.synonyms)
                .with_include_documentation(wanted.documentation && version >= 3)
        };
        let answer = match resource.only_broker() {
            Some(broker) => self.send_to_with(broker, build)?,
            None => self.send_with(build)?,
        };
        let Some(result) = answer.results.first() else {
            return Ok(Ok(Vec::new()));
        };
        let checked = ApiError::check(result.error_code, result.error_message.as_deref());
        Ok(checked.map(|()| result.configs.iter().map(detail_of).collect()))
    }

    /// The names of the client metrics that are configured.
    pub fn client_metrics(&mut self) -> Result<Result<Vec<String>, ApiError>> {
        self.config_resources(CLIENT_METRICS)
    }

    /// The groups that have configs of their own.
    pub fn groups_with_configs(&mut self) -> Result<Result<Vec<String>, ApiError>> {
        self.config_resources(GROUP)
    }

    fn config_resources(&mut self, code: i8) -> Result<Result<Vec<String>, ApiError>> {
        let answer = self.send_with(|version| {
            // Version 0 lists client metrics only, and has no field for types.
            let types = if version >= 1 { vec![code] } else { Vec::new() };
            ListConfigResourcesRequest::default().with_resource_types(types)
        })?;
        let checked = ApiError::check(answer.error_code, None::<String>);
        let names = answer.config_resources.iter();
        Ok(checked.map(|()| names.map(|resource| resource.resource_name.to_string()).collect()))
    }
}

fn detail_of(config: &DescribeConfigsResourceResult) -> ConfigDetail {
    ConfigDetail {
        entry: entry_of(config),
        synonyms: config
            .synonyms
            .iter()
            .map(|synonym| Synonym {
                name: synonym.name.to_string(),
                value: synonym.value.as_ref().map(ToString::to_string),
                source: ConfigSource::of(synonym.source),
            })
            .collect(),
        type_code: config.config_type,
        documentation: config.documentation.as_ref().map(ToString::to_string),
    }
}
