//! Gates of configs: those of a topic or group need an operation on it, those of brokers one on the cluster.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse as IncrementalResponse;
use kafka_protocol::messages::{AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest};

use super::{Asks, Gated, Passage, passed_then, split, words};
use crate::broker::access::AclOperation::{self, AlterConfigs, DescribeConfigs};
use crate::broker::rights::Rights;

/// The protocol's resource types with configs.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

/// Whether the client may do this with the configs of a resource. Unknown resource types are left to the handler.
fn may(rights: &Rights<'_>, operation: AclOperation, resource_type: i8, name: &str) -> bool {
    match resource_type {
        TOPIC => rights.may_topic(operation, name),
        GROUP => rights.may_group(operation, name),
        BROKER | BROKER_LOGGER | CLIENT_METRICS => rights.may_cluster(operation),
        _ => true,
    }
}

fn refused(resource_type: i8) -> ResponseError {
    match resource_type {
        TOPIC => ResponseError::TopicAuthorizationFailed,
        GROUP => ResponseError::GroupAuthorizationFailed,
        _ => ResponseError::ClusterAuthorizationFailed,
    }
}

/// The gate of an API whose request names resources, and whose answer has one result for each.
macro_rules! gate_of_resources {
    ($request:ty, $operation:expr, $results:ident: $refused:ty) => {
        impl Gated for $request {
            fn pass(mut self, asks: &mut Asks<'_>) -> Passage<Self> {
                let rights = asks.rights();
                let (allowed, others) = split(std::mem::take(&mut self.resources), |resource| {
                    let (kind, name) = (resource.resource_type, &resource.resource_name);
                    may(&rights, $operation, kind, name)
                });
                self.resources = allowed;
                passed_then(self, move |answer| {
                    answer.$results.extend(others.into_iter().map(|resource| {
                        let error = refused(resource.resource_type);
                        <$refused>::default()
                            .with_error_code(error.code())
                            .with_error_message(words(error))
                            .with_resource_type(resource.resource_type)
                            .with_resource_name(resource.resource_name)
                    }));
                })
            }
        }
    };
}

gate_of_resources!(DescribeConfigsRequest, DescribeConfigs, results: DescribeConfigsResult);
gate_of_resources!(AlterConfigsRequest, AlterConfigs, responses: AlterConfigsResourceResponse);
gate_of_resources!(IncrementalAlterConfigsRequest, AlterConfigs, responses: IncrementalResponse);
