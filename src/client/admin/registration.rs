//! The registered brokers, those that are down included (`DescribeCluster` v0–2), the APIs that each serves
//! (`ApiVersions`), and the removal of one (`UnregisterBroker` v0).
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeCluster>

use kafka_protocol::messages::{
    ApiVersionsRequest, BrokerId as WireBrokerId, DescribeClusterRequest, UnregisterBrokerRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::BrokerId;

/// An endpoint of a broker or controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub id: BrokerId,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
    /// Registered, but fenced: not in use.
    pub is_fenced: bool,
}

/// One API that a broker serves: its key, and the lowest and the highest version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedApi {
    pub key: i16,
    pub min: i16,
    pub max: i16,
}

impl AdminClient {
    /// The endpoints of the brokers, or with `of_controllers` of the controllers.
    pub fn endpoints(
        &mut self,
        of_controllers: bool,
        with_fenced: bool,
    ) -> Result<Result<Vec<Endpoint>, ApiError>> {
        let answer = self.send_with(|version| {
            let request = DescribeClusterRequest::default();
            let request = if version >= 1 {
                request.with_endpoint_type(if of_controllers { 2 } else { 1 })
            } else {
                request
            };
            request.with_include_fenced_brokers(with_fenced && version >= 2)
        })?;
        let checked = ApiError::check(answer.error_code, answer.error_message.as_deref());
        let brokers = answer.brokers.into_iter();
        Ok(checked.map(|()| {
            brokers
                .map(|broker| Endpoint {
                    id: broker.broker_id.0,
                    host: broker.host.to_string(),
                    port: broker.port,
                    rack: broker.rack.map(|rack| rack.to_string()),
                    is_fenced: broker.is_fenced,
                })
                .collect()
        }))
    }

    /// Unregisters a broker that is permanently down.
    pub fn unregister_broker(&mut self, broker: BrokerId) -> Result<Result<(), ApiError>> {
        let answer = self.send(UnregisterBrokerRequest::default().with_broker_id(WireBrokerId(broker)))?;
        Ok(ApiError::check(
            answer.error_code,
            answer.error_message.as_deref(),
        ))
    }

    /// The APIs that one broker serves, in the order of its answer.
    pub fn served_apis(&mut self, broker: BrokerId) -> Result<Result<Vec<ServedApi>, ApiError>> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(env!("CARGO_PKG_NAME")))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let answer = self.send_to(broker, request)?;
        let apis = answer.api_keys.iter().map(|api| ServedApi {
            key: api.api_key,
            min: api.min_version,
            max: api.max_version,
        });
        Ok(ApiError::check(answer.error_code, None::<String>).map(|()| apis.collect()))
    }
}
