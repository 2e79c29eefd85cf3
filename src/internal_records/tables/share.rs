//! The schemas of the records of `__share_group_state`.
//!
//! Owns no behaviour. Written by `tests/recorded/record_schemas.py` from Apache Kafka's own definitions.

use crate::internal_records::schema::{Kind, Message, NEVER, RecordType, Struct, field};

pub(in crate::internal_records) const SHARE_SNAPSHOT_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ShareSnapshotKey",
        versions: (0, 0),
        fields: &[
            field("groupId", Kind::Text),
            field("topicId", Kind::Uuid),
            field("partition", Kind::Int32),
        ],
    },
};

const SHARE_SNAPSHOT_VALUE_STATE_BATCH: Struct = Struct {
    name: "StateBatch",
    versions: (0, 0),
    fields: &[
        field("firstOffset", Kind::Int64),
        field("lastOffset", Kind::Int64),
        field("deliveryState", Kind::Int8),
        field("deliveryCount", Kind::Int16),
    ],
};

pub(in crate::internal_records) const SHARE_SNAPSHOT_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ShareSnapshotValue",
        versions: (0, 0),
        fields: &[
            field("snapshotEpoch", Kind::Int32),
            field("stateEpoch", Kind::Int32),
            field("leaderEpoch", Kind::Int32),
            field("startOffset", Kind::Int64),
            field("deliveryCompleteCount", Kind::Int32).tagged(0, 0).or(-1),
            field("createTimestamp", Kind::Int64),
            field("writeTimestamp", Kind::Int64),
            field(
                "stateBatches",
                Kind::Array(&Kind::Struct(&SHARE_SNAPSHOT_VALUE_STATE_BATCH)),
            ),
        ],
    },
};

pub(in crate::internal_records) const SHARE_UPDATE_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ShareUpdateKey",
        versions: (0, 0),
        fields: &[
            field("groupId", Kind::Text),
            field("topicId", Kind::Uuid),
            field("partition", Kind::Int32),
        ],
    },
};

const SHARE_UPDATE_VALUE_STATE_BATCH: Struct = Struct {
    name: "StateBatch",
    versions: (0, 0),
    fields: &[
        field("firstOffset", Kind::Int64),
        field("lastOffset", Kind::Int64),
        field("deliveryState", Kind::Int8),
        field("deliveryCount", Kind::Int16),
    ],
};

pub(in crate::internal_records) const SHARE_UPDATE_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ShareUpdateValue",
        versions: (0, 0),
        fields: &[
            field("snapshotEpoch", Kind::Int32),
            field("leaderEpoch", Kind::Int32),
            field("startOffset", Kind::Int64),
            field("deliveryCompleteCount", Kind::Int32).tagged(0, 0).or(-1),
            field(
                "stateBatches",
                Kind::Array(&Kind::Struct(&SHARE_UPDATE_VALUE_STATE_BATCH)),
            ),
        ],
    },
};

pub(in crate::internal_records) const RECORDS: &[RecordType] = &[
    RecordType {
        id: 0,
        key: &SHARE_SNAPSHOT_KEY,
        value: Some(&SHARE_SNAPSHOT_VALUE),
    },
    RecordType {
        id: 1,
        key: &SHARE_UPDATE_KEY,
        value: Some(&SHARE_UPDATE_VALUE),
    },
];
