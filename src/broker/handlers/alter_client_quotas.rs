//! `AlterClientQuotas`, versions 0–1: sets and removes quotas of users, client ids and addresses.
//!
//! - Each entity by itself: an entity that is refused does not keep others from being changed.
//!
//! <https://kafka.apache.org/protocol#The_Messages_AlterClientQuotas>

use std::collections::HashSet;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_client_quotas_request::EntryData;
use kafka_protocol::messages::alter_client_quotas_response::{EntityData, EntryData as EntryResult};
use kafka_protocol::messages::{AlterClientQuotasRequest, AlterClientQuotasResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::client_quotas::{Entity, check_change, check_entity};
use crate::broker::cluster::controller::Refused;
use crate::broker::cluster::records;
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: AlterClientQuotasRequest,
) -> AlterClientQuotasResponse {
    let mut seen = HashSet::new();
    let results = request.entries.iter().map(|entry| {
        let parts = entry.entity.iter().map(|part| {
            let name = part.entity_name.as_ref().map(ToString::to_string);
            (part.entity_type.to_string(), name)
        });
        let entity: Entity = parts.collect();
        let is_twice = !seen.insert(entity.clone()) || names_a_key_twice(entry);
        let outcome = if is_twice {
            let message = format!("Ignoring duplicate entity {}", java_text(&entity));
            Err((ResponseError::InvalidRequest, message))
        } else {
            alter(node, &entity, entry, request.validate_only)
        };
        let entity = entry.entity.iter().map(|part| {
            EntityData::default()
                .with_entity_type(part.entity_type.clone())
                .with_entity_name(part.entity_name.clone())
        });
        let result = EntryResult::default().with_entity(entity.collect());
        match outcome {
            Ok(()) => result.with_error_message(None),
            Err((error, message)) => result
                .with_error_code(error.code())
                .with_error_message(Some(text(message))),
        }
    });
    AlterClientQuotasResponse::default().with_entries(results.collect())
}

fn names_a_key_twice(entry: &EntryData) -> bool {
    let mut keys = HashSet::new();
    !entry.ops.iter().all(|op| keys.insert(op.key.as_str()))
}

/// An entity in the form of Java's `toString`.
fn java_text(entity: &Entity) -> String {
    let parts = entity.iter().map(|(kind, name)| {
        let name = name.as_deref().unwrap_or("null");
        format!("{kind}={name}")
    });
    let parts: Vec<String> = parts.collect();
    format!("ClientQuotaEntity(entries={{{}}})", parts.join(", "))
}

fn alter(node: &Node, entity: &Entity, entry: &EntryData, validate_only: bool) -> Result<(), Refused> {
    check_entity(entity)?;
    for op in &entry.ops {
        check_change(entity, &op.key, (!op.remove).then_some(op.value))?;
    }
    if validate_only {
        return Ok(());
    }
    let mut change = node.cluster.change();
    let image = node.cluster.image();
    let known = image.client_quotas().get(entity);
    let mut made = records::Records::new();
    for op in &entry.ops {
        let has = known.is_some_and(|limits| limits.contains_key(op.key.as_str()));
        // A quota that does not exist needs no removal.
        if has || !op.remove {
            let limit = (!op.remove).then_some(op.value);
            made.extend(records::client_quota(entity, &op.key, limit));
        }
    }
    drop(image);
    change
        .commit(&made)
        .map_err(|error| (ResponseError::KafkaStorageError, error.message()))
}
