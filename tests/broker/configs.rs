//! What the broker says of configs, and which changes of them it takes: as Apache Kafka 4.3.1 answered the same
//! requests.

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    DescribeConfigsRequest, IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;

const BROKER: i8 = 4;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
const SET: i8 = 0;

fn connect(cluster: &Cluster) -> Connection {
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    Connection::open(&address, &ConnectionOptions::default()).unwrap()
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// The error code and message of one change.
fn set(cluster: &Cluster, kind: i8, resource: &str, name: &str, value: &str) -> (i16, String) {
    let config = AlterableConfig::default()
        .with_name(text(name))
        .with_config_operation(SET)
        .with_value(Some(text(value)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(resource))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let answer = connect(cluster).send(&request).unwrap().responses.remove(0);
    (
        answer.error_code,
        answer
            .error_message
            .map(|message| message.to_string())
            .unwrap_or_default(),
    )
}

fn described(cluster: &Cluster, kind: i8, resource: &str) -> Vec<DescribeConfigsResourceResult> {
    let wanted = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(resource))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default()
        .with_resources(vec![wanted])
        .with_include_synonyms(true)
        .with_include_documentation(true);
    let mut results = connect(cluster).send(&request).unwrap().results;
    assert_eq!(results[0].error_code, 0, "{results:?}");
    results.remove(0).configs
}

/// The value, source, read-only and sensitive flags of one config, and its synonyms as `source:name=value`.
fn one(
    configs: &[DescribeConfigsResourceResult],
    name: &str,
) -> (Option<String>, i8, bool, bool, Vec<String>) {
    let config = configs.iter().find(|config| config.name.as_str() == name);
    let config = config.unwrap_or_else(|| panic!("{name} is not described"));
    let synonyms = config.synonyms.iter().map(|synonym| {
        let value = synonym.value.as_ref().map_or("null", |value| value.as_str());
        format!("{}:{}={value}", synonym.source, synonym.name.as_str())
    });
    (
        config.value.as_ref().map(ToString::to_string),
        config.config_source,
        config.read_only,
        config.is_sensitive,
        synonyms.collect(),
    )
}

#[test]
fn every_broker_config_of_apache_kafka_is_described_with_its_type_and_a_documentation() {
    let cluster = Cluster::start();
    let configs = described(&cluster, BROKER, "1");
    assert_eq!(configs.len(), 340);
    for config in &configs {
        assert_ne!(config.config_type, 0, "{}", config.name.as_str());
        let documentation = config.documentation.as_ref().map_or("", |text| text.as_str());
        assert!(!documentation.is_empty(), "{}", config.name.as_str());
    }
    let (value, source, read_only, sensitive, _) = one(&configs, "ssl.keystore.password");
    assert_eq!((value, source, read_only, sensitive), (None, 5, false, true));
    let number = one(&configs, "log.retention.hours");
    let synonyms = vec!["5:log.retention.hours=168".to_owned()];
    assert_eq!(number, (Some("168".to_owned()), 5, true, false, synonyms));
}

#[test]
fn a_value_is_described_with_where_it_comes_from() {
    let cluster = Cluster::start();
    assert_eq!(set(&cluster, BROKER, "", "log.retention.ms", "-5").0, 0);
    assert_eq!(set(&cluster, BROKER, "1", "sasl.jaas.config", "secret").0, 0);
    assert_eq!(set(&cluster, BROKER, "1", "no.such", "secret").0, 0);
    assert_eq!(
        set(
            &cluster,
            BROKER,
            "1",
            "listener.name.foo.num.network.threads",
            "4"
        )
        .0,
        0
    );
    let configs = described(&cluster, BROKER, "1");
    let synonyms = vec![
        "3:log.retention.ms=-5".to_owned(),
        "5:log.retention.hours=168".to_owned(),
    ];
    let retention = one(&configs, "log.retention.ms");
    assert_eq!(retention, (Some("-5".to_owned()), 3, false, false, synonyms));
    for secret in ["sasl.jaas.config", "no.such"] {
        let (value, source, _, sensitive, synonyms) = one(&configs, secret);
        assert_eq!((value, source, sensitive), (None, 2, true));
        assert_eq!(synonyms, [format!("2:{secret}=null")]);
    }
    let synonyms = vec![
        "2:listener.name.foo.num.network.threads=4".to_owned(),
        "5:num.network.threads=3".to_owned(),
    ];
    let of_listener = one(&configs, "listener.name.foo.num.network.threads");
    assert_eq!(of_listener, (Some("4".to_owned()), 2, true, false, synonyms));
}

#[test]
fn changes_of_broker_configs_are_refused_as_apache_kafka_refuses_them() {
    let cluster = Cluster::start();
    let (invalid_request, invalid_config) = (42, 40);
    for (resource, name, value, code, words) in [
        (
            "1",
            "log.dirs",
            "/x",
            invalid_request,
            "Cannot update these configs dynamically: [log.dirs]",
        ),
        (
            "",
            "log.segment.bytes",
            "1",
            invalid_request,
            "Invalid value 1 for configuration log.segment.bytes: Value must be at least 1048576",
        ),
        (
            "",
            "sasl.jaas.config",
            "x",
            invalid_request,
            "Cannot update these configs at default cluster level, broker id must be specified: [sasl.jaas.config]",
        ),
        (
            "1",
            "min.insync.replicas",
            "1",
            invalid_config,
            "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
        ),
    ] {
        assert_eq!(
            set(&cluster, BROKER, resource, name, value),
            (code, words.to_owned())
        );
    }
}

#[test]
fn subscriptions_to_client_metrics_are_kept_and_listed() {
    let mut cluster = Cluster::start();
    assert_eq!(set(&cluster, CLIENT_METRICS, "m", "interval.ms", "5000").0, 0);
    let words = "Invalid value 5 for interval.ms, interval must be between 100 and 3600000 (1 hour)";
    assert_eq!(
        set(&cluster, CLIENT_METRICS, "m", "interval.ms", "5"),
        (42, words.to_owned())
    );
    cluster.restart();
    let configs = described(&cluster, CLIENT_METRICS, "m");
    assert_eq!(one(&configs, "interval.ms").0.as_deref(), Some("5000"));
    assert_eq!(one(&configs, "metrics").0.as_deref(), Some(""));
    let request = ListConfigResourcesRequest::default().with_resource_types(vec![CLIENT_METRICS]);
    let listed = connect(&cluster).send(&request).unwrap().config_resources;
    let names: Vec<&str> = listed
        .iter()
        .map(|resource| resource.resource_name.as_str())
        .collect();
    assert_eq!(names, ["m"]);
}

/// As Apache Kafka's own test of group configs wants it.
#[test]
fn groups_without_a_config_of_their_own_have_what_the_cluster_was_given() {
    let cluster = Cluster::start_with(&["group.consumer.assignment.interval.ms=1200"]);
    let setting = "group.consumer.assignment.interval.ms";
    assert_eq!(set(&cluster, BROKER, "", setting, "1500").0, 0);
    let configs = described(&cluster, GROUP, "g");
    let (value, source, _, _, synonyms) = one(&configs, "consumer.assignment.interval.ms");
    assert_eq!((value.as_deref(), source), (Some("1500"), 3));
    let known =
        [(3, 1500), (4, 1200), (5, 1000)].map(|(source, value)| format!("{source}:{setting}={value}"));
    assert_eq!(synonyms, known);
}
