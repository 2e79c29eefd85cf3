//! `DescribeClientQuotas`, versions 0–1: the quotas of the entities that match a filter.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeClientQuotas>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::describe_client_quotas_response::{EntityData, EntryData, ValueData};
use kafka_protocol::messages::{DescribeClientQuotasRequest, DescribeClientQuotasResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::client_quotas::{Filter, Match};
use crate::broker::cluster::controller::Refused;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: DescribeClientQuotasRequest,
) -> DescribeClientQuotasResponse {
    let components = request.components.iter().map(component);
    let filter = components
        .collect::<Result<Vec<_>, Refused>>()
        .and_then(|components| Filter::new(components, request.strict));
    let filter = match filter {
        Ok(filter) => filter,
        Err((error, message)) => {
            return DescribeClientQuotasResponse::default()
                .with_error_code(error.code())
                .with_error_message(Some(text(message)))
                .with_entries(None);
        }
    };
    let image = node.cluster.image();
    let found = image
        .client_quotas()
        .iter()
        .filter(|(entity, _)| filter.finds(entity));
    let entries = found.map(|(entity, limits)| {
        let entity = entity.iter().map(|(kind, name)| {
            EntityData::default()
                .with_entity_type(text(kind.as_str()))
                .with_entity_name(name.as_deref().map(text))
        });
        let values = limits.iter().map(|(key, limit)| {
            ValueData::default()
                .with_key(text(key.as_str()))
                .with_value(limit.0)
        });
        EntryData::default()
            .with_entity(entity.collect())
            .with_values(values.collect())
    });
    DescribeClientQuotasResponse::default()
        .with_error_message(None)
        .with_entries(Some(entries.collect()))
}

/// The match types of a filter.
const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const SPECIFIED: i8 = 2;

fn component(component: &ComponentData) -> Result<(String, Match), Refused> {
    let wanted = match (component.match_type, &component._match) {
        (EXACT, Some(name)) => Match::Name(name.to_string()),
        (DEFAULT, None) => Match::Default,
        (SPECIFIED, None) => Match::Any,
        (EXACT, None) => {
            return Err(refused(
                "Request specified MATCH_TYPE_EXACT, but set match string to null.",
            ));
        }
        (DEFAULT, _) => {
            return Err(refused(
                "Request specified MATCH_TYPE_DEFAULT, but also specified a match string.",
            ));
        }
        (SPECIFIED, _) => {
            return Err(refused(
                "Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.",
            ));
        }
        (other, _) => return Err(refused(&format!("Unknown match type {other}"))),
    };
    Ok((component.entity_type.to_string(), wanted))
}

fn refused(message: &str) -> Refused {
    (ResponseError::InvalidRequest, message.to_owned())
}
