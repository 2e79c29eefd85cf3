//! The schemas of the records of `__transaction_state`.
//!
//! Owns no behaviour. Written by `tests/recorded/record_schemas.py` from Apache Kafka's own definitions.

use crate::internal_records::schema::{Kind, Message, NEVER, RecordType, Struct, field};

pub(in crate::internal_records) const TRANSACTION_LOG_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "TransactionLogKey",
        versions: (0, 0),
        fields: &[field("transactionalId", Kind::Text)],
    },
};

const TRANSACTION_LOG_VALUE_PARTITIONS_SCHEMA: Struct = Struct {
    name: "PartitionsSchema",
    versions: (0, 1),
    fields: &[
        field("topic", Kind::Text),
        field("partitionIds", Kind::Array(&Kind::Int32)),
    ],
};

pub(in crate::internal_records) const TRANSACTION_LOG_VALUE: Message = Message {
    flexible: 1,
    body: Struct {
        name: "TransactionLogValue",
        versions: (0, 1),
        fields: &[
            field("producerId", Kind::Int64),
            field("previousProducerId", Kind::Int64)
                .since(1)
                .tagged(0, 1)
                .or(-1),
            field("nextProducerId", Kind::Int64).since(1).tagged(1, 1).or(-1),
            field("producerEpoch", Kind::Int16),
            field("nextProducerEpoch", Kind::Int16)
                .since(1)
                .tagged(3, 1)
                .or(-1),
            field("transactionTimeoutMs", Kind::Int32),
            field("transactionStatus", Kind::Int8),
            field(
                "transactionPartitions",
                Kind::Array(&Kind::Struct(&TRANSACTION_LOG_VALUE_PARTITIONS_SCHEMA)),
            )
            .nullable(0),
            field("transactionLastUpdateTimestampMs", Kind::Int64),
            field("transactionStartTimestampMs", Kind::Int64),
            field("clientTransactionVersion", Kind::Int16)
                .since(1)
                .tagged(2, 1),
        ],
    },
};

pub(in crate::internal_records) const RECORDS: &[RecordType] = &[RecordType {
    id: 0,
    key: &TRANSACTION_LOG_KEY,
    value: Some(&TRANSACTION_LOG_VALUE),
}];
