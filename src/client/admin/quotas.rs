//! Client quotas (KIP-546): `DescribeClientQuotas` and `AlterClientQuotas` v0–1.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeClientQuotas>

use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};
use kafka_protocol::protocol::StrBytes;

use super::{AdminClient, ApiError};
use crate::error::Result;

/// The entity type of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuotaKind {
    User,
    ClientId,
    Ip,
}

impl QuotaKind {
    /// The name in the protocol.
    pub fn protocol_name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ClientId => "client-id",
            Self::Ip => "ip",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::User, Self::ClientId, Self::Ip]
            .into_iter()
            .find(|kind| kind.protocol_name() == name)
    }
}

/// The entity of a quota: a user, a client id, both together, or an address; a name of `None` is the default entity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuotaEntity(pub Vec<(QuotaKind, Option<String>)>);

/// A component of a quota filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaFilter {
    pub kind: QuotaKind,
    pub names: NameFilter,
}

/// Which names of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameFilter {
    Exactly(String),
    TheDefault,
    /// Every name, and the default.
    Any,
}

/// The quotas of one entity, in the order of the broker's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityQuotas {
    pub entity: QuotaEntity,
    pub values: Vec<(String, f64)>,
}

/// A change of one quota: a new value, or `None` to remove it.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaChange {
    pub name: String,
    pub value: Option<f64>,
}

impl AdminClient {
    /// The quotas of the entities that match every component of `filter`; `strict` excludes entities with further
    /// components.
    pub fn quotas(
        &mut self,
        filter: &[QuotaFilter],
        strict: bool,
    ) -> Result<Result<Vec<EntityQuotas>, ApiError>> {
        let components: Vec<ComponentData> = filter.iter().map(component).collect();
        let request = DescribeClientQuotasRequest::default()
            .with_components(components)
            .with_strict(strict);
        let answer = self.send(request)?;
        if let Err(refusal) = ApiError::check(answer.error_code, answer.error_message.as_deref()) {
            return Ok(Err(refusal));
        }
        let entries = answer.entries.unwrap_or_default().into_iter();
        Ok(Ok(entries
            .map(|entry| EntityQuotas {
                entity: QuotaEntity(
                    entry
                        .entity
                        .into_iter()
                        .filter_map(|part| {
                            let kind = QuotaKind::of(&part.entity_type)?;
                            Some((kind, part.entity_name.map(|name| name.to_string())))
                        })
                        .collect(),
                ),
                values: entry
                    .values
                    .into_iter()
                    .map(|value| (value.key.to_string(), value.value))
                    .collect(),
            })
            .collect()))
    }

    /// Changes some quotas of one entity and leaves its others as they are.
    pub fn alter_quotas(
        &mut self,
        entity: &QuotaEntity,
        changes: &[QuotaChange],
        validate_only: bool,
    ) -> Result<Result<(), ApiError>> {
        let parts = entity.0.iter().map(|(kind, name)| {
            EntityData::default()
                .with_entity_type(StrBytes::from_static_str(kind.protocol_name()))
                .with_entity_name(name.clone().map(StrBytes::from_string))
        });
        let ops = changes.iter().map(|change| {
            OpData::default()
                .with_key(StrBytes::from_string(change.name.clone()))
                .with_value(change.value.unwrap_or_default())
                .with_remove(change.value.is_none())
        });
        let entry = EntryData::default()
            .with_entity(parts.collect())
            .with_ops(ops.collect());
        let request = AlterClientQuotasRequest::default()
            .with_entries(vec![entry])
            .with_validate_only(validate_only);
        let answer = self.send(request)?;
        let first = answer.entries.first();
        Ok(first.map_or(Ok(()), |entry| {
            ApiError::check(entry.error_code, entry.error_message.as_deref())
        }))
    }
}

fn component(filter: &QuotaFilter) -> ComponentData {
    let (match_type, name) = match &filter.names {
        NameFilter::Exactly(name) => (0, Some(StrBytes::from_string(name.clone()))),
        NameFilter::TheDefault => (1, None),
        NameFilter::Any => (2, None),
    };
    ComponentData::default()
        .with_entity_type(StrBytes::from_static_str(filter.kind.protocol_name()))
        .with_match_type(match_type)
        .with_match(name)
}
