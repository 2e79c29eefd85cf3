//! The schemas of the records of `__remote_log_metadata`.
//!
//! Owns no behaviour. Written by `tests/recorded/record_schemas.py` from Apache Kafka's own definitions.

use crate::internal_records::schema::{Kind, Message, Struct, field};

const REMOTE_LOG_SEGMENT_METADATA_RECORD_TOPIC_ID_PARTITION_ENTRY: Struct = Struct {
    name: "TopicIdPartitionEntry",
    versions: (0, 0),
    fields: &[
        field("name", Kind::Text),
        field("id", Kind::Uuid),
        field("partition", Kind::Int32),
    ],
};

const REMOTE_LOG_SEGMENT_METADATA_RECORD_REMOTE_LOG_SEGMENT_ID_ENTRY: Struct = Struct {
    name: "RemoteLogSegmentIdEntry",
    versions: (0, 0),
    fields: &[
        field(
            "topicIdPartition",
            Kind::Struct(&REMOTE_LOG_SEGMENT_METADATA_RECORD_TOPIC_ID_PARTITION_ENTRY),
        ),
        field("id", Kind::Uuid),
    ],
};

const REMOTE_LOG_SEGMENT_METADATA_RECORD_SEGMENT_LEADER_EPOCH_ENTRY: Struct = Struct {
    name: "SegmentLeaderEpochEntry",
    versions: (0, 0),
    fields: &[field("leaderEpoch", Kind::Int32), field("offset", Kind::Int64)],
};

pub(in crate::internal_records) const REMOTE_LOG_SEGMENT_METADATA_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "RemoteLogSegmentMetadataRecord",
        versions: (0, 0),
        fields: &[
            field(
                "remoteLogSegmentId",
                Kind::Struct(&REMOTE_LOG_SEGMENT_METADATA_RECORD_REMOTE_LOG_SEGMENT_ID_ENTRY),
            ),
            field("startOffset", Kind::Int64),
            field("endOffset", Kind::Int64),
            field("brokerId", Kind::Int32),
            field("maxTimestampMs", Kind::Int64),
            field("eventTimestampMs", Kind::Int64),
            field(
                "segmentLeaderEpochs",
                Kind::Array(&Kind::Struct(
                    &REMOTE_LOG_SEGMENT_METADATA_RECORD_SEGMENT_LEADER_EPOCH_ENTRY,
                )),
            ),
            field("segmentSizeInBytes", Kind::Int32),
            field("customMetadata", Kind::Bytes).nullable(0).or_null(),
            field("remoteLogSegmentState", Kind::Int8),
            field("txnIndexEmpty", Kind::Bool).tagged(0, 0),
        ],
    },
};

const REMOTE_LOG_SEGMENT_METADATA_UPDATE_RECORD_TOPIC_ID_PARTITION_ENTRY: Struct = Struct {
    name: "TopicIdPartitionEntry",
    versions: (0, 0),
    fields: &[
        field("name", Kind::Text),
        field("id", Kind::Uuid),
        field("partition", Kind::Int32),
    ],
};

const REMOTE_LOG_SEGMENT_METADATA_UPDATE_RECORD_REMOTE_LOG_SEGMENT_ID_ENTRY: Struct = Struct {
    name: "RemoteLogSegmentIdEntry",
    versions: (0, 0),
    fields: &[
        field(
            "topicIdPartition",
            Kind::Struct(&REMOTE_LOG_SEGMENT_METADATA_UPDATE_RECORD_TOPIC_ID_PARTITION_ENTRY),
        ),
        field("id", Kind::Uuid),
    ],
};

pub(in crate::internal_records) const REMOTE_LOG_SEGMENT_METADATA_UPDATE_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "RemoteLogSegmentMetadataUpdateRecord",
        versions: (0, 0),
        fields: &[
            field(
                "remoteLogSegmentId",
                Kind::Struct(&REMOTE_LOG_SEGMENT_METADATA_UPDATE_RECORD_REMOTE_LOG_SEGMENT_ID_ENTRY),
            ),
            field("brokerId", Kind::Int32),
            field("eventTimestampMs", Kind::Int64),
            field("customMetadata", Kind::Bytes).nullable(0).or_null(),
            field("remoteLogSegmentState", Kind::Int8),
        ],
    },
};

const REMOTE_PARTITION_DELETE_METADATA_RECORD_TOPIC_ID_PARTITION_ENTRY: Struct = Struct {
    name: "TopicIdPartitionEntry",
    versions: (0, 0),
    fields: &[
        field("name", Kind::Text),
        field("id", Kind::Uuid),
        field("partition", Kind::Int32),
    ],
};

pub(in crate::internal_records) const REMOTE_PARTITION_DELETE_METADATA_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "RemotePartitionDeleteMetadataRecord",
        versions: (0, 0),
        fields: &[
            field(
                "topicIdPartition",
                Kind::Struct(&REMOTE_PARTITION_DELETE_METADATA_RECORD_TOPIC_ID_PARTITION_ENTRY),
            ),
            field("brokerId", Kind::Int32),
            field("eventTimestampMs", Kind::Int64),
            field("remotePartitionDeleteState", Kind::Int8),
        ],
    },
};

const REMOTE_LOG_SEGMENT_METADATA_SNAPSHOT_RECORD_SEGMENT_LEADER_EPOCH_ENTRY: Struct = Struct {
    name: "SegmentLeaderEpochEntry",
    versions: (0, 0),
    fields: &[field("leaderEpoch", Kind::Int32), field("offset", Kind::Int64)],
};

pub(in crate::internal_records) const REMOTE_LOG_SEGMENT_METADATA_SNAPSHOT_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "RemoteLogSegmentMetadataSnapshotRecord",
        versions: (0, 0),
        fields: &[
            field("segmentId", Kind::Uuid),
            field("startOffset", Kind::Int64),
            field("endOffset", Kind::Int64),
            field("brokerId", Kind::Int32),
            field("maxTimestampMs", Kind::Int64),
            field("eventTimestampMs", Kind::Int64),
            field(
                "segmentLeaderEpochs",
                Kind::Array(&Kind::Struct(
                    &REMOTE_LOG_SEGMENT_METADATA_SNAPSHOT_RECORD_SEGMENT_LEADER_EPOCH_ENTRY,
                )),
            ),
            field("segmentSizeInBytes", Kind::Int32),
            field("customMetadata", Kind::Bytes).nullable(0).or_null(),
            field("remoteLogSegmentState", Kind::Int8),
            field("txnIndexEmpty", Kind::Bool).tagged(0, 0),
        ],
    },
};

pub(in crate::internal_records) const RECORDS: &[(i16, &Message)] = &[
    (0, &REMOTE_LOG_SEGMENT_METADATA_RECORD),
    (1, &REMOTE_LOG_SEGMENT_METADATA_UPDATE_RECORD),
    (2, &REMOTE_PARTITION_DELETE_METADATA_RECORD),
    (3, &REMOTE_LOG_SEGMENT_METADATA_SNAPSHOT_RECORD),
];
