//! A cluster as its brokers describe it: the live brokers, their addresses, and the controller.

use kafka_protocol::messages::{DescribeClusterResponse, FindCoordinatorResponse, MetadataResponse};

use super::ApiError;
use crate::error::Error;
use crate::topic_partition::BrokerId;
use crate::wire::HostPort;
use crate::wire::error_codes;

/// One broker that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    pub id: BrokerId,
    pub host: String,
    pub port: u16,
    pub rack: Option<String>,
}

/// The brokers that are up, by id, and the controller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    pub id: Option<String>,
    pub controller: Option<BrokerId>,
    pub brokers: Vec<Broker>,
    addresses: Vec<HostPort>,
}

impl Cluster {
    pub(super) fn of(answer: &MetadataResponse) -> Self {
        let mut brokers: Vec<Broker> = answer
            .brokers
            .iter()
            .filter_map(|broker| {
                Some(Broker {
                    id: broker.node_id.0,
                    host: broker.host.to_string(),
                    port: u16::try_from(broker.port).ok()?,
                    rack: broker.rack.as_ref().map(ToString::to_string),
                })
            })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        Self {
            id: answer.cluster_id.as_ref().map(ToString::to_string),
            controller: Some(answer.controller_id.0).filter(|id| *id >= 0),
            addresses: brokers
                .iter()
                .map(|broker| HostPort::new(&broker.host, broker.port))
                .collect(),
            brokers,
        }
    }

    /// The cluster as a controller describes it: only controllers are named.
    pub(super) fn of_controllers(answer: &DescribeClusterResponse) -> Self {
        let controllers = answer.brokers.iter().filter_map(|controller| {
            Some(Broker {
                id: controller.broker_id.0,
                host: controller.host.to_string(),
                port: u16::try_from(controller.port).ok()?,
                rack: controller.rack.as_ref().map(ToString::to_string),
            })
        });
        let mut brokers: Vec<Broker> = controllers.collect();
        brokers.sort_by_key(|broker| broker.id);
        Self {
            id: Some(answer.cluster_id.to_string()),
            controller: Some(answer.controller_id.0).filter(|id| *id >= 0),
            addresses: brokers
                .iter()
                .map(|broker| HostPort::new(&broker.host, broker.port))
                .collect(),
            brokers,
        }
    }

    pub(super) fn address_of(&self, id: BrokerId) -> Option<&HostPort> {
        let place = self.brokers.iter().position(|broker| broker.id == id)?;
        self.addresses.get(place)
    }

    /// Every broker's address, by broker id.
    pub fn addresses(&self) -> &[HostPort] {
        &self.addresses
    }

    pub(super) fn no_broker(&self, id: BrokerId) -> Error {
        let known: Vec<String> = self.brokers.iter().map(|broker| broker.id.to_string()).collect();
        Error::not_found(format!("broker {id} is not up in this cluster"))
            .hint(format!("brokers that are up: {}", known.join(", ")))
    }
}

/// Where the coordinator asked for is.
pub(super) fn coordinator(answer: &FindCoordinatorResponse) -> Result<HostPort, ApiError> {
    // From version 4 on an answer has many keys; we ask for one.
    let (code, message, host, port) = match answer.coordinators.first() {
        Some(found) => (found.error_code, &found.error_message, &found.host, found.port),
        None => (
            answer.error_code,
            &answer.error_message,
            &answer.host,
            answer.port,
        ),
    };
    ApiError::check(code, message.as_deref())?;
    match u16::try_from(port) {
        Ok(port) => Ok(HostPort::new(host.to_string(), port)),
        Err(_) => Err(ApiError {
            code: error_codes::COORDINATOR_NOT_AVAILABLE,
            message: None,
        }),
    }
}
