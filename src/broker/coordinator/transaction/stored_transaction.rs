//! Transactional ids as records of `__transaction_state`, and back.
//!
//! Written as Apache Kafka does at the cluster's `transaction.version`: value version 1 from level 1 on. The schemas
//! are in `internal_records`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::events::{Generation, ProducerIdentity};
use super::transaction_data::{NO_EPOCH, Transaction};
use super::transaction_state::TransactionState;
use crate::internal_records::coordinator::Topic;
use crate::internal_records::value::{StructValue, Value};
use crate::topic_partition::TopicPartition;

/// The type at the beginning of a key.
const KEY_TYPE: i16 = 0;

/// The key of a transactional id.
pub fn encode_key(transactional_id: &str) -> Vec<u8> {
    let Some(mut key) = Topic::TransactionState.new_key(KEY_TYPE) else {
        return Vec::new();
    };
    key.set("transactionalId", Value::Text(Cow::Borrowed(transactional_id)));
    Topic::TransactionState.encode_key(KEY_TYPE, &key)
}

/// The transactional id in a key; `None` for another kind of key.
pub fn decode_key(bytes: &[u8]) -> Option<String> {
    let (id, key) = Topic::TransactionState.decode_key(bytes).ok()?;
    (id == KEY_TYPE)
        .then(|| key.text("transactionalId").map(str::to_owned))
        .flatten()
}

impl Transaction {
    /// Encodes the value in version 0 or 1.
    pub fn encode(&self, version: i16) -> Vec<u8> {
        let Some(mut value) = Topic::TransactionState.new_value(KEY_TYPE, version) else {
            return Vec::new();
        };
        let mut number = |name: &str, number: i64| value.set(name, Value::Number(number));
        number("producerId", self.producer.id);
        number("previousProducerId", self.previous_producer_id);
        number("nextProducerId", self.next_producer_id);
        number("producerEpoch", self.producer.epoch.into());
        number("transactionTimeoutMs", self.timeout_ms.into());
        number("transactionStatus", self.state.id().into());
        number("transactionLastUpdateTimestampMs", self.updated_ms);
        number("transactionStartTimestampMs", self.started_ms);
        number(
            "clientTransactionVersion",
            self.generation.transaction_version().into(),
        );
        let partitions = self.partition_values(&value, version);
        value.set("transactionPartitions", partitions);
        Topic::TransactionState.encode_value(KEY_TYPE, &value)
    }

    /// Null only in the state Empty, as Kafka writes it.
    fn partition_values(&self, value: &StructValue<'_>, version: i16) -> Value<'static> {
        let element = value.schema.fields.iter().find_map(|field| match field.kind {
            crate::internal_records::schema::Kind::Array(crate::internal_records::schema::Kind::Struct(
                schema,
            )) => Some(*schema),
            _ => None,
        });
        let (Some(schema), false) = (element, self.state == TransactionState::Empty) else {
            return Value::Null;
        };
        let mut topics: BTreeMap<&str, Vec<Value<'static>>> = BTreeMap::new();
        for partition in &self.partitions {
            let ids = topics.entry(&partition.topic).or_default();
            ids.push(Value::Number(partition.partition.into()));
        }
        let topics = topics.into_iter().map(|(topic, ids)| {
            let mut value = StructValue::new(schema, version);
            value.set("topic", Value::Text(Cow::Owned(topic.to_owned())));
            value.set("partitionIds", Value::Array(ids));
            Value::Struct(value)
        });
        Value::Array(topics.collect())
    }

    /// Decodes a value; `None` if it is of a later version, or malformed.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let value = Topic::TransactionState.decode_value(KEY_TYPE, bytes).ok()?;
        let topics = value.array("transactionPartitions").iter();
        let partitions = topics.filter_map(Value::as_struct).flat_map(|topic| {
            let name = topic.text("topic").unwrap_or_default().to_owned();
            let ids = topic.array("partitionIds").iter().filter_map(Value::as_number);
            ids.filter_map(move |id| Some(TopicPartition::new(name.clone(), i32::try_from(id).ok()?)))
        });
        Some(Self {
            producer: ProducerIdentity {
                id: value.number("producerId"),
                epoch: i16::try_from(value.number("producerEpoch")).ok()?,
            },
            previous_producer_id: value.number("previousProducerId"),
            next_producer_id: value.number("nextProducerId"),
            last_epoch: NO_EPOCH,
            timeout_ms: i32::try_from(value.number("transactionTimeoutMs")).ok()?,
            state: TransactionState::from_id(value.number("transactionStatus"))?,
            partitions: partitions.collect(),
            started_ms: value.number("transactionStartTimestampMs"),
            updated_ms: value.number("transactionLastUpdateTimestampMs"),
            generation: Generation::of_transaction_version(
                i16::try_from(value.number("clientTransactionVersion")).unwrap_or(0),
            ),
        })
    }
}
