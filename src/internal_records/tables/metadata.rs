//! The schemas of the records of `__cluster_metadata`.
//!
//! Owns no behaviour. Written by `tests/recorded/record_schemas.py` from Apache Kafka's own definitions.

use crate::internal_records::schema::{Kind, Message, Struct, field};

const REGISTER_BROKER_RECORD_BROKER_ENDPOINT: Struct = Struct {
    name: "BrokerEndpoint",
    versions: (0, 4),
    fields: &[
        field("name", Kind::Text),
        field("host", Kind::Text),
        field("port", Kind::Uint16),
        field("securityProtocol", Kind::Int16),
    ],
};

const REGISTER_BROKER_RECORD_BROKER_FEATURE: Struct = Struct {
    name: "BrokerFeature",
    versions: (0, 4),
    fields: &[
        field("name", Kind::Text),
        field("minSupportedVersion", Kind::Int16),
        field("maxSupportedVersion", Kind::Int16),
    ],
};

pub(in crate::internal_records) const REGISTER_BROKER_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "RegisterBrokerRecord",
        versions: (0, 4),
        fields: &[
            field("brokerId", Kind::Int32),
            field("isMigratingZkBroker", Kind::Bool).since(2),
            field("incarnationId", Kind::Uuid),
            field("brokerEpoch", Kind::Int64),
            field(
                "endPoints",
                Kind::Array(&Kind::Struct(&REGISTER_BROKER_RECORD_BROKER_ENDPOINT)),
            ),
            field(
                "features",
                Kind::Array(&Kind::Struct(&REGISTER_BROKER_RECORD_BROKER_FEATURE)),
            ),
            field("rack", Kind::Text).nullable(0),
            field("fenced", Kind::Bool).or(1),
            field("inControlledShutdown", Kind::Bool).since(1),
            field("logDirs", Kind::Array(&Kind::Uuid)).since(3).tagged(0, 3),
            field("cordonedLogDirs", Kind::Array(&Kind::Uuid))
                .since(4)
                .nullable(4)
                .tagged(1, 4)
                .or_null(),
        ],
    },
};

pub(in crate::internal_records) const UNREGISTER_BROKER_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "UnregisterBrokerRecord",
        versions: (0, 0),
        fields: &[field("brokerId", Kind::Int32), field("brokerEpoch", Kind::Int64)],
    },
};

pub(in crate::internal_records) const TOPIC_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "TopicRecord",
        versions: (0, 0),
        fields: &[field("name", Kind::Text), field("topicId", Kind::Uuid)],
    },
};

pub(in crate::internal_records) const PARTITION_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "PartitionRecord",
        versions: (0, 2),
        fields: &[
            field("partitionId", Kind::Int32).or(-1),
            field("topicId", Kind::Uuid),
            field("replicas", Kind::Array(&Kind::Int32)),
            field("isr", Kind::Array(&Kind::Int32)),
            field("removingReplicas", Kind::Array(&Kind::Int32)),
            field("addingReplicas", Kind::Array(&Kind::Int32)),
            field("leader", Kind::Int32).or(-1),
            field("leaderRecoveryState", Kind::Int8).tagged(0, 0),
            field("leaderEpoch", Kind::Int32).or(-1),
            field("partitionEpoch", Kind::Int32).or(-1),
            field("directories", Kind::Array(&Kind::Uuid)).since(1),
            field("eligibleLeaderReplicas", Kind::Array(&Kind::Int32))
                .since(2)
                .nullable(2)
                .tagged(1, 2)
                .or_null(),
            field("lastKnownElr", Kind::Array(&Kind::Int32))
                .since(2)
                .nullable(2)
                .tagged(2, 2)
                .or_null(),
        ],
    },
};

pub(in crate::internal_records) const CONFIG_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ConfigRecord",
        versions: (0, 0),
        fields: &[
            field("resourceType", Kind::Int8),
            field("resourceName", Kind::Text),
            field("name", Kind::Text),
            field("value", Kind::Text).nullable(0),
        ],
    },
};

pub(in crate::internal_records) const PARTITION_CHANGE_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "PartitionChangeRecord",
        versions: (0, 2),
        fields: &[
            field("partitionId", Kind::Int32).or(-1),
            field("topicId", Kind::Uuid),
            field("isr", Kind::Array(&Kind::Int32))
                .nullable(0)
                .tagged(0, 0)
                .or_null(),
            field("leader", Kind::Int32).tagged(1, 0).or(-2),
            field("replicas", Kind::Array(&Kind::Int32))
                .nullable(0)
                .tagged(2, 0)
                .or_null(),
            field("removingReplicas", Kind::Array(&Kind::Int32))
                .nullable(0)
                .tagged(3, 0)
                .or_null(),
            field("addingReplicas", Kind::Array(&Kind::Int32))
                .nullable(0)
                .tagged(4, 0)
                .or_null(),
            field("leaderRecoveryState", Kind::Int8).tagged(5, 0).or(-1),
            field("directories", Kind::Array(&Kind::Uuid))
                .since(1)
                .nullable(1)
                .tagged(8, 1)
                .or_null(),
            field("eligibleLeaderReplicas", Kind::Array(&Kind::Int32))
                .since(2)
                .nullable(2)
                .tagged(6, 2)
                .or_null(),
            field("lastKnownElr", Kind::Array(&Kind::Int32))
                .since(2)
                .nullable(2)
                .tagged(7, 2)
                .or_null(),
        ],
    },
};

pub(in crate::internal_records) const FENCE_BROKER_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "FenceBrokerRecord",
        versions: (0, 0),
        fields: &[field("id", Kind::Int32), field("epoch", Kind::Int64)],
    },
};

pub(in crate::internal_records) const UNFENCE_BROKER_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "UnfenceBrokerRecord",
        versions: (0, 0),
        fields: &[field("id", Kind::Int32), field("epoch", Kind::Int64)],
    },
};

pub(in crate::internal_records) const REMOVE_TOPIC_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "RemoveTopicRecord",
        versions: (0, 0),
        fields: &[field("topicId", Kind::Uuid)],
    },
};

pub(in crate::internal_records) const DELEGATION_TOKEN_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "DelegationTokenRecord",
        versions: (0, 0),
        fields: &[
            field("owner", Kind::Text),
            field("requester", Kind::Text),
            field("renewers", Kind::Array(&Kind::Text)),
            field("issueTimestamp", Kind::Int64),
            field("maxTimestamp", Kind::Int64),
            field("expirationTimestamp", Kind::Int64),
            field("tokenId", Kind::Text),
        ],
    },
};

pub(in crate::internal_records) const USER_SCRAM_CREDENTIAL_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "UserScramCredentialRecord",
        versions: (0, 0),
        fields: &[
            field("name", Kind::Text),
            field("mechanism", Kind::Int8),
            field("salt", Kind::Bytes),
            field("storedKey", Kind::Bytes),
            field("serverKey", Kind::Bytes),
            field("iterations", Kind::Int32),
        ],
    },
};

pub(in crate::internal_records) const FEATURE_LEVEL_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "FeatureLevelRecord",
        versions: (0, 0),
        fields: &[field("name", Kind::Text), field("featureLevel", Kind::Int16)],
    },
};

const CLIENT_QUOTA_RECORD_ENTITY_DATA: Struct = Struct {
    name: "EntityData",
    versions: (0, 0),
    fields: &[
        field("entityType", Kind::Text),
        field("entityName", Kind::Text).nullable(0),
    ],
};

pub(in crate::internal_records) const CLIENT_QUOTA_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ClientQuotaRecord",
        versions: (0, 0),
        fields: &[
            field(
                "entity",
                Kind::Array(&Kind::Struct(&CLIENT_QUOTA_RECORD_ENTITY_DATA)),
            ),
            field("key", Kind::Text),
            field("value", Kind::Float64),
            field("remove", Kind::Bool),
        ],
    },
};

pub(in crate::internal_records) const PRODUCER_IDS_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ProducerIdsRecord",
        versions: (0, 0),
        fields: &[
            field("brokerId", Kind::Int32),
            field("brokerEpoch", Kind::Int64).or(-1),
            field("nextProducerId", Kind::Int64),
        ],
    },
};

pub(in crate::internal_records) const BROKER_REGISTRATION_CHANGE_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "BrokerRegistrationChangeRecord",
        versions: (0, 3),
        fields: &[
            field("brokerId", Kind::Int32),
            field("brokerEpoch", Kind::Int64),
            field("fenced", Kind::Int8).tagged(0, 0),
            field("inControlledShutdown", Kind::Int8).since(1).tagged(1, 1),
            field("logDirs", Kind::Array(&Kind::Uuid)).since(2).tagged(2, 2),
            field("cordonedLogDirs", Kind::Array(&Kind::Uuid))
                .since(3)
                .nullable(3)
                .tagged(3, 3)
                .or_null(),
        ],
    },
};

pub(in crate::internal_records) const ACCESS_CONTROL_ENTRY_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "AccessControlEntryRecord",
        versions: (0, 0),
        fields: &[
            field("id", Kind::Uuid),
            field("resourceType", Kind::Int8),
            field("resourceName", Kind::Text),
            field("patternType", Kind::Int8),
            field("principal", Kind::Text),
            field("host", Kind::Text),
            field("operation", Kind::Int8),
            field("permissionType", Kind::Int8),
        ],
    },
};

pub(in crate::internal_records) const REMOVE_ACCESS_CONTROL_ENTRY_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "RemoveAccessControlEntryRecord",
        versions: (0, 0),
        fields: &[field("id", Kind::Uuid)],
    },
};

pub(in crate::internal_records) const NO_OP_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "NoOpRecord",
        versions: (0, 0),
        fields: &[],
    },
};

pub(in crate::internal_records) const ZK_MIGRATION_STATE_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ZkMigrationStateRecord",
        versions: (0, 0),
        fields: &[field("zkMigrationState", Kind::Int8)],
    },
};

pub(in crate::internal_records) const REMOVE_USER_SCRAM_CREDENTIAL_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "RemoveUserScramCredentialRecord",
        versions: (0, 0),
        fields: &[field("name", Kind::Text), field("mechanism", Kind::Int8)],
    },
};

pub(in crate::internal_records) const BEGIN_TRANSACTION_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "BeginTransactionRecord",
        versions: (0, 0),
        fields: &[field("name", Kind::Text).nullable(0).tagged(0, 0).or_null()],
    },
};

pub(in crate::internal_records) const END_TRANSACTION_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "EndTransactionRecord",
        versions: (0, 0),
        fields: &[],
    },
};

pub(in crate::internal_records) const ABORT_TRANSACTION_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "AbortTransactionRecord",
        versions: (0, 0),
        fields: &[field("reason", Kind::Text).nullable(0).tagged(0, 0).or_null()],
    },
};

pub(in crate::internal_records) const REMOVE_DELEGATION_TOKEN_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "RemoveDelegationTokenRecord",
        versions: (0, 0),
        fields: &[field("tokenId", Kind::Text)],
    },
};

const REGISTER_CONTROLLER_RECORD_CONTROLLER_ENDPOINT: Struct = Struct {
    name: "ControllerEndpoint",
    versions: (0, 0),
    fields: &[
        field("name", Kind::Text),
        field("host", Kind::Text),
        field("port", Kind::Uint16),
        field("securityProtocol", Kind::Int16),
    ],
};

const REGISTER_CONTROLLER_RECORD_CONTROLLER_FEATURE: Struct = Struct {
    name: "ControllerFeature",
    versions: (0, 0),
    fields: &[
        field("name", Kind::Text),
        field("minSupportedVersion", Kind::Int16),
        field("maxSupportedVersion", Kind::Int16),
    ],
};

pub(in crate::internal_records) const REGISTER_CONTROLLER_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "RegisterControllerRecord",
        versions: (0, 0),
        fields: &[
            field("controllerId", Kind::Int32),
            field("incarnationId", Kind::Uuid),
            field("zkMigrationReady", Kind::Bool),
            field(
                "endPoints",
                Kind::Array(&Kind::Struct(&REGISTER_CONTROLLER_RECORD_CONTROLLER_ENDPOINT)),
            ),
            field(
                "features",
                Kind::Array(&Kind::Struct(&REGISTER_CONTROLLER_RECORD_CONTROLLER_FEATURE)),
            ),
        ],
    },
};

pub(in crate::internal_records) const CLEAR_ELR_RECORD: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ClearElrRecord",
        versions: (0, 0),
        fields: &[field("topicName", Kind::Text)],
    },
};

pub(in crate::internal_records) const RECORDS: &[(i16, &Message)] = &[
    (0, &REGISTER_BROKER_RECORD),
    (1, &UNREGISTER_BROKER_RECORD),
    (2, &TOPIC_RECORD),
    (3, &PARTITION_RECORD),
    (4, &CONFIG_RECORD),
    (5, &PARTITION_CHANGE_RECORD),
    (7, &FENCE_BROKER_RECORD),
    (8, &UNFENCE_BROKER_RECORD),
    (9, &REMOVE_TOPIC_RECORD),
    (10, &DELEGATION_TOKEN_RECORD),
    (11, &USER_SCRAM_CREDENTIAL_RECORD),
    (12, &FEATURE_LEVEL_RECORD),
    (14, &CLIENT_QUOTA_RECORD),
    (15, &PRODUCER_IDS_RECORD),
    (17, &BROKER_REGISTRATION_CHANGE_RECORD),
    (18, &ACCESS_CONTROL_ENTRY_RECORD),
    (19, &REMOVE_ACCESS_CONTROL_ENTRY_RECORD),
    (20, &NO_OP_RECORD),
    (21, &ZK_MIGRATION_STATE_RECORD),
    (22, &REMOVE_USER_SCRAM_CREDENTIAL_RECORD),
    (23, &BEGIN_TRANSACTION_RECORD),
    (24, &END_TRANSACTION_RECORD),
    (25, &ABORT_TRANSACTION_RECORD),
    (26, &REMOVE_DELEGATION_TOKEN_RECORD),
    (27, &REGISTER_CONTROLLER_RECORD),
    (28, &CLEAR_ELR_RECORD),
];
