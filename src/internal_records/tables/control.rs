//! The schemas of control records, and the subscriptions and assignments of classic consumers.
//!
//! Owns no behaviour. Written by `tests/recorded/record_schemas.py` from Apache Kafka's own definitions.

use crate::internal_records::schema::{Kind, Message, NEVER, Struct, field};

const CONSUMER_PROTOCOL_ASSIGNMENT_TOPIC_PARTITION: Struct = Struct {
    name: "TopicPartition",
    versions: (0, 3),
    fields: &[
        field("topic", Kind::Text),
        field("partitions", Kind::Array(&Kind::Int32)),
    ],
};

pub(in crate::internal_records) const CONSUMER_PROTOCOL_ASSIGNMENT: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ConsumerProtocolAssignment",
        versions: (0, 3),
        fields: &[
            field(
                "assignedPartitions",
                Kind::Array(&Kind::Struct(&CONSUMER_PROTOCOL_ASSIGNMENT_TOPIC_PARTITION)),
            ),
            field("userData", Kind::Bytes).nullable(0).or_null(),
        ],
    },
};

const CONSUMER_PROTOCOL_SUBSCRIPTION_TOPIC_PARTITION: Struct = Struct {
    name: "TopicPartition",
    versions: (1, 3),
    fields: &[
        field("topic", Kind::Text).since(1),
        field("partitions", Kind::Array(&Kind::Int32)).since(1),
    ],
};

pub(in crate::internal_records) const CONSUMER_PROTOCOL_SUBSCRIPTION: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ConsumerProtocolSubscription",
        versions: (0, 3),
        fields: &[
            field("topics", Kind::Array(&Kind::Text)),
            field("userData", Kind::Bytes).nullable(0).or_null(),
            field(
                "ownedPartitions",
                Kind::Array(&Kind::Struct(&CONSUMER_PROTOCOL_SUBSCRIPTION_TOPIC_PARTITION)),
            )
            .since(1),
            field("generationId", Kind::Int32).since(2).or(-1),
            field("rackId", Kind::Text).since(3).nullable(3).or_null(),
        ],
    },
};

pub(in crate::internal_records) const KRAFT_VERSION_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "KRaftVersionRecord",
        versions: (0, 0),
        fields: &[field("version", Kind::Int16), field("kRaftVersion", Kind::Int16)],
    },
};

const LEADER_CHANGE_MESSAGE_VOTER: Struct = Struct {
    name: "Voter",
    versions: (0, 1),
    fields: &[
        field("voterId", Kind::Int32),
        field("voterDirectoryId", Kind::Uuid).since(1),
    ],
};

pub(in crate::internal_records) const LEADER_CHANGE_MESSAGE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "LeaderChangeMessage",
        versions: (0, 1),
        fields: &[
            field("version", Kind::Int16),
            field("leaderId", Kind::Int32),
            field("voters", Kind::Array(&Kind::Struct(&LEADER_CHANGE_MESSAGE_VOTER))),
            field(
                "grantingVoters",
                Kind::Array(&Kind::Struct(&LEADER_CHANGE_MESSAGE_VOTER)),
            ),
        ],
    },
};

pub(in crate::internal_records) const SNAPSHOT_FOOTER_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "SnapshotFooterRecord",
        versions: (0, 0),
        fields: &[field("version", Kind::Int16)],
    },
};

pub(in crate::internal_records) const SNAPSHOT_HEADER_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "SnapshotHeaderRecord",
        versions: (0, 0),
        fields: &[
            field("version", Kind::Int16),
            field("lastContainedLogTimestamp", Kind::Int64),
        ],
    },
};

const VOTERS_RECORD_ENDPOINT: Struct = Struct {
    name: "Endpoint",
    versions: (0, 0),
    fields: &[
        field("name", Kind::Text),
        field("host", Kind::Text),
        field("port", Kind::Uint16),
    ],
};

const VOTERS_RECORD_KRAFT_VERSION_FEATURE: Struct = Struct {
    name: "KRaftVersionFeature",
    versions: (0, 0),
    fields: &[
        field("minSupportedVersion", Kind::Int16),
        field("maxSupportedVersion", Kind::Int16),
    ],
};

const VOTERS_RECORD_VOTER: Struct = Struct {
    name: "Voter",
    versions: (0, 0),
    fields: &[
        field("voterId", Kind::Int32),
        field("voterDirectoryId", Kind::Uuid),
        field("endpoints", Kind::Array(&Kind::Struct(&VOTERS_RECORD_ENDPOINT))),
        field(
            "kRaftVersionFeature",
            Kind::Struct(&VOTERS_RECORD_KRAFT_VERSION_FEATURE),
        ),
    ],
};

pub(in crate::internal_records) const VOTERS_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "VotersRecord",
        versions: (0, 0),
        fields: &[
            field("version", Kind::Int16),
            field("voters", Kind::Array(&Kind::Struct(&VOTERS_RECORD_VOTER))),
        ],
    },
};
