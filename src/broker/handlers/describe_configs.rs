//! DescribeConfigs, versions 1–4: configs of topics, brokers and groups, each with the source of its value.
//!
//! - All configs, or those named. v3 adds types and, on demand, the documentation.
//! - The configs of a broker (not the cluster's default) are every setting in the table, and whatever else it was
//!   given; settings that cannot change while it runs are read-only.
//! - Passwords, and settings of unknown type, are described without their values.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeConfigs>

use std::collections::BTreeSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

use super::config_resource;
use super::{text, words_of};
use crate::broker::call::RequestContext;
use crate::broker::cluster::config_changes::Resource;
use crate::broker::config::client_metrics_config::CLIENT_METRICS_CONFIGS;
use crate::broker::config::config_table::{self, BROKER_SETTINGS, Scope};
use crate::broker::config::effective_config::{BrokerValues, Configs, Origin, Source};
use crate::broker::config::group_config::GROUP_CONFIGS;
use crate::broker::node::Node;
use crate::broker::server::connections::Listener;
use crate::topic_config::{Kind, TOPIC_CONFIGS};
use crate::wire::host_port::host_port;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let knows_all = (request.resources.iter()).all(|wanted| config_resource::is_known(wanted.resource_type));
    let results = request.resources.iter().map(|wanted| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(wanted.resource_type)
            .with_resource_name(wanted.resource_name.clone());
        if !knows_all {
            let error = ResponseError::InvalidRequest;
            return result
                .with_error_code(error.code())
                .with_error_message(Some(text(words_of(error))));
        }
        match config_resource::find_described(node, wanted.resource_type, &wanted.resource_name) {
            Ok(resource) => result.with_configs(describe(node, &resource, wanted, &request)),
            // Kafka sends an empty message for a topic that does not exist.
            Err((error @ ResponseError::UnknownTopicOrPartition, _)) => result
                .with_error_code(error.code())
                .with_error_message(Some(text(""))),
            Err((error, message)) => result
                .with_error_code(error.code())
                .with_error_message(Some(text(message))),
        }
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

/// One config of the answer.
struct Entry<'a> {
    name: &'a str,
    value: Option<String>,
    source: Source,
    read_only: bool,
    is_sensitive: bool,
    /// `None` for a name that no table has.
    kind: Option<Kind>,
    help: &'a str,
    origins: Vec<Origin>,
}

fn describe(
    node: &Node,
    resource: &Resource,
    wanted: &DescribeConfigsResource,
    request: &DescribeConfigsRequest,
) -> Vec<DescribeConfigsResourceResult> {
    let is_wanted = |name: &str| match &wanted.configuration_keys {
        Some(keys) if !keys.is_empty() => keys.iter().any(|key| key.as_str() == name),
        // An empty list means all configs, like a null list.
        _ => true,
    };
    let image = node.cluster.image();
    let values = node.broker_values(&image);
    let mut described = Vec::new();
    let mut push = |entry: Entry<'_>| {
        if is_wanted(entry.name) {
            described.push(result(entry, request));
        }
    };
    match resource {
        Resource::Topic(name) => {
            let nothing = Configs::new();
            let configs = image.topic(name).map_or(&nothing, |topic| &topic.configs);
            topic_entries(values, configs, &mut push);
        }
        Resource::Group(group) => {
            let nothing = Configs::new();
            let configs = image.group_configs(group).unwrap_or(&nothing);
            group_entries(values, configs, &mut push);
        }
        Resource::ClientMetrics(name) => {
            let nothing = Configs::new();
            let configs = image.all_client_metrics_configs().get(name);
            client_metrics_entries(configs.unwrap_or(&nothing), &mut push);
        }
        Resource::Broker(_) => node_entries(node, values, &mut push),
        Resource::BrokerDefaults => {
            for name in image.broker_configs("").into_iter().flat_map(Configs::keys) {
                let mut origins = values.origins(name);
                origins.retain(|origin| origin.source == Source::DynamicDefaultBroker);
                push(broker_entry(name, origins));
            }
        }
        Resource::BrokerLoggers => {}
    }
    described
}

fn topic_entries<'a>(values: BrokerValues<'_>, configs: &Configs, push: &mut dyn FnMut(Entry<'a>)) {
    for config in TOPIC_CONFIGS {
        let (value, source) = values.topic_value(config, configs);
        push(Entry {
            name: config.name,
            value: Some(value),
            source,
            read_only: false,
            is_sensitive: false,
            kind: Some(config.kind),
            help: config.help,
            origins: values.topic_origins(config, configs),
        });
    }
}

fn group_entries(values: BrokerValues<'_>, configs: &Configs, push: &mut dyn FnMut(Entry<'_>)) {
    for config in GROUP_CONFIGS {
        let origins = config.origins(configs, values);
        let strongest = origins.first();
        push(Entry {
            name: config.name,
            value: strongest.map(|origin| origin.value.clone()),
            source: strongest.map_or(Source::Default, |origin| origin.source),
            read_only: false,
            is_sensitive: false,
            kind: Some(config.kind),
            help: config.help,
            origins,
        });
    }
}

fn client_metrics_entries(configs: &Configs, push: &mut dyn FnMut(Entry<'_>)) {
    for config in CLIENT_METRICS_CONFIGS {
        let own = configs.get(config.name).map(|value| Origin {
            name: config.name.to_owned(),
            value: value.clone(),
            source: Source::DynamicClientMetrics,
        });
        push(Entry {
            name: config.name,
            value: Some(own.as_ref().map_or(config.default, |own| &own.value).to_owned()),
            source: own.as_ref().map_or(Source::Default, |own| own.source),
            read_only: false,
            is_sensitive: false,
            kind: Some(config.kind),
            help: config.help,
            origins: own.into_iter().collect(),
        });
    }
}

/// Every setting of the table, and the other settings that this broker was given, at the start or since.
fn node_entries(node: &Node, values: BrokerValues<'_>, push: &mut dyn FnMut(Entry<'_>)) {
    let listed = BROKER_SETTINGS.iter().filter(|setting| setting.is_listed);
    let mut names: BTreeSet<&str> = listed.map(|setting| setting.name).collect();
    names.extend(values.config.all_given().map(|(name, _)| name));
    let dynamic = [values.node, values.cluster].into_iter().flatten();
    names.extend(dynamic.flat_map(Configs::keys).map(String::as_str));
    for name in names {
        let mut origins = values.origins(name);
        let actual = actual(node, name);
        // Every broker of Apache Kafka has these in its file; here they may come from the command line.
        if ALWAYS_GIVEN.contains(&name) {
            origins.retain(|origin| origin.source == Source::DynamicBroker);
            origins.extend(actual.clone().map(|value| Origin {
                name: name.to_owned(),
                value,
                source: Source::StaticBroker,
            }));
        }
        let is_changed = origins
            .first()
            .is_some_and(|first| first.source == Source::DynamicBroker);
        let entry = broker_entry(name, origins);
        push(Entry {
            value: actual.filter(|_| !is_changed).or(entry.value),
            ..entry
        });
    }
}

/// A setting of brokers, with its values from the strongest to the weakest.
fn broker_entry(name: &str, origins: Vec<Origin>) -> Entry<'_> {
    let setting = config_table::find(name);
    let strongest = origins.first();
    Entry {
        name,
        value: strongest.map(|origin| origin.value.clone()),
        source: strongest.map_or(Source::Default, |origin| origin.source),
        // A listener's own setting is read-only, as in Kafka, although it can be changed.
        read_only: config_table::exactly(name).is_none_or(|setting| setting.scope == Scope::ReadOnly),
        is_sensitive: config_table::is_sensitive(name),
        kind: setting.map(|setting| setting.kind),
        help: setting.map_or("", |setting| setting.help),
        origins,
    }
}

/// The type of a config that no table has.
const UNKNOWN_TYPE: i8 = 0;
const ALWAYS_GIVEN: [&str; 4] = ["advertised.listeners", "listeners", "log.dirs", "node.id"];

/// The values of settings that are known only once the broker runs.
fn actual(node: &Node, name: &str) -> Option<String> {
    let listeners = |address: fn(&Listener) -> String| {
        let listeners = node.listeners.iter();
        let named = listeners.map(|listener| format!("{}://{}", listener.name, address(listener)));
        Some(named.collect::<Vec<_>>().join(","))
    };
    match name {
        "advertised.listeners" => {
            listeners(|listener| host_port(&listener.advertised_host, listener.advertised_port))
        }
        "listeners" => listeners(|listener| listener.bound.to_string()),
        "node.id" | "broker.id" => Some(node.id.to_string()),
        "log.dirs" | "log.dir" => {
            let dirs = node.config.log_dirs().map(|dir| dir.display().to_string());
            Some(dirs.collect::<Vec<_>>().join(","))
        }
        _ => None,
    }
}

fn result(entry: Entry<'_>, request: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let shown = |value: String| (!entry.is_sensitive).then(|| text(value));
    let synonyms = entry.origins.into_iter().map(|origin| {
        DescribeConfigsSynonym::default()
            .with_name(text(origin.name))
            .with_value(shown(origin.value))
            .with_source(origin.source as i8)
    });
    DescribeConfigsResourceResult::default()
        .with_name(text(entry.name))
        .with_value(entry.value.and_then(shown))
        .with_is_sensitive(entry.is_sensitive)
        .with_read_only(entry.read_only)
        .with_config_source(entry.source as i8)
        .with_config_type(entry.kind.map_or(UNKNOWN_TYPE, Kind::protocol_code))
        .with_synonyms(if request.include_synonyms {
            synonyms.collect()
        } else {
            Vec::new()
        })
        .with_documentation(request.include_documentation.then(|| text(entry.help)))
}
