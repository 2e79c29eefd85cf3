//! The schemas of the records of `__consumer_offsets`.
//!
//! Owns no behaviour. Written by `tests/recorded/record_schemas.py` from Apache Kafka's own definitions.

use crate::internal_records::schema::{Kind, Message, NEVER, RecordType, Struct, field};

pub(in crate::internal_records) const LEGACY_OFFSET_COMMIT_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "LegacyOffsetCommitKey",
        versions: (0, 0),
        fields: &[
            field("group", Kind::Text),
            field("topic", Kind::Text),
            field("partition", Kind::Int32),
        ],
    },
};

pub(in crate::internal_records) const LEGACY_OFFSET_COMMIT_VALUE: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "LegacyOffsetCommitValue",
        versions: (0, 0),
        fields: &[
            field("offset", Kind::Int64),
            field("metadata", Kind::Text),
            field("commitTimestamp", Kind::Int64),
        ],
    },
};

pub(in crate::internal_records) const OFFSET_COMMIT_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "OffsetCommitKey",
        versions: (0, 0),
        fields: &[
            field("group", Kind::Text),
            field("topic", Kind::Text),
            field("partition", Kind::Int32),
        ],
    },
};

pub(in crate::internal_records) const OFFSET_COMMIT_VALUE: Message = Message {
    flexible: 4,
    body: Struct {
        name: "OffsetCommitValue",
        versions: (0, 4),
        fields: &[
            field("offset", Kind::Int64),
            field("leaderEpoch", Kind::Int32).since(3).or(-1),
            field("metadata", Kind::Text),
            field("commitTimestamp", Kind::Int64),
            field("expireTimestamp", Kind::Int64).since(1).until(1).or(-1),
            field("topicId", Kind::Uuid).since(4).tagged(0, 4),
        ],
    },
};

pub(in crate::internal_records) const GROUP_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "GroupMetadataKey",
        versions: (0, 0),
        fields: &[field("group", Kind::Text)],
    },
};

const GROUP_METADATA_VALUE_MEMBER_METADATA: Struct = Struct {
    name: "MemberMetadata",
    versions: (0, 4),
    fields: &[
        field("memberId", Kind::Text),
        field("groupInstanceId", Kind::Text)
            .since(3)
            .nullable(3)
            .or_null(),
        field("clientId", Kind::Text),
        field("clientHost", Kind::Text),
        field("rebalanceTimeout", Kind::Int32).since(1).or(-1),
        field("sessionTimeout", Kind::Int32),
        field("subscription", Kind::Bytes),
        field("assignment", Kind::Bytes),
    ],
};

pub(in crate::internal_records) const GROUP_METADATA_VALUE: Message = Message {
    flexible: 4,
    body: Struct {
        name: "GroupMetadataValue",
        versions: (0, 4),
        fields: &[
            field("protocolType", Kind::Text),
            field("generation", Kind::Int32),
            field("protocol", Kind::Text).nullable(0),
            field("leader", Kind::Text).nullable(0),
            field("currentStateTimestamp", Kind::Int64).since(2).or(-1),
            field(
                "members",
                Kind::Array(&Kind::Struct(&GROUP_METADATA_VALUE_MEMBER_METADATA)),
            ),
        ],
    },
};

pub(in crate::internal_records) const CONSUMER_GROUP_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ConsumerGroupMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text)],
    },
};

pub(in crate::internal_records) const CONSUMER_GROUP_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ConsumerGroupMetadataValue",
        versions: (0, 0),
        fields: &[
            field("epoch", Kind::Int32),
            field("metadataHash", Kind::Int64).tagged(0, 0),
        ],
    },
};

pub(in crate::internal_records) const CONSUMER_GROUP_PARTITION_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ConsumerGroupPartitionMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text)],
    },
};

const CONSUMER_GROUP_PARTITION_METADATA_VALUE_PARTITION_METADATA: Struct = Struct {
    name: "PartitionMetadata",
    versions: (0, 0),
    fields: &[
        field("partition", Kind::Int32),
        field("racks", Kind::Array(&Kind::Text)),
    ],
};

const CONSUMER_GROUP_PARTITION_METADATA_VALUE_TOPIC_METADATA: Struct = Struct {
    name: "TopicMetadata",
    versions: (0, 0),
    fields: &[
        field("topicId", Kind::Uuid),
        field("topicName", Kind::Text),
        field("numPartitions", Kind::Int32),
        field(
            "partitionMetadata",
            Kind::Array(&Kind::Struct(
                &CONSUMER_GROUP_PARTITION_METADATA_VALUE_PARTITION_METADATA,
            )),
        ),
    ],
};

pub(in crate::internal_records) const CONSUMER_GROUP_PARTITION_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ConsumerGroupPartitionMetadataValue",
        versions: (0, 0),
        fields: &[field(
            "topics",
            Kind::Array(&Kind::Struct(
                &CONSUMER_GROUP_PARTITION_METADATA_VALUE_TOPIC_METADATA,
            )),
        )],
    },
};

pub(in crate::internal_records) const CONSUMER_GROUP_MEMBER_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ConsumerGroupMemberMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text), field("memberId", Kind::Text)],
    },
};

const CONSUMER_GROUP_MEMBER_METADATA_VALUE_CLASSIC_PROTOCOL: Struct = Struct {
    name: "ClassicProtocol",
    versions: (0, 0),
    fields: &[field("name", Kind::Text), field("metadata", Kind::Bytes)],
};

const CONSUMER_GROUP_MEMBER_METADATA_VALUE_CLASSIC_MEMBER_METADATA: Struct = Struct {
    name: "ClassicMemberMetadata",
    versions: (0, 0),
    fields: &[
        field("sessionTimeoutMs", Kind::Int32),
        field(
            "supportedProtocols",
            Kind::Array(&Kind::Struct(
                &CONSUMER_GROUP_MEMBER_METADATA_VALUE_CLASSIC_PROTOCOL,
            )),
        ),
    ],
};

pub(in crate::internal_records) const CONSUMER_GROUP_MEMBER_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ConsumerGroupMemberMetadataValue",
        versions: (0, 0),
        fields: &[
            field("instanceId", Kind::Text).nullable(0),
            field("rackId", Kind::Text).nullable(0),
            field("clientId", Kind::Text),
            field("clientHost", Kind::Text),
            field("subscribedTopicNames", Kind::Array(&Kind::Text)),
            field("subscribedTopicRegex", Kind::Text).nullable(0),
            field("rebalanceTimeoutMs", Kind::Int32).or(-1),
            field("serverAssignor", Kind::Text).nullable(0),
            field(
                "classicMemberMetadata",
                Kind::Struct(&CONSUMER_GROUP_MEMBER_METADATA_VALUE_CLASSIC_MEMBER_METADATA),
            )
            .nullable(0)
            .tagged(0, 0),
        ],
    },
};

pub(in crate::internal_records) const CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ConsumerGroupTargetAssignmentMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text)],
    },
};

pub(in crate::internal_records) const CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ConsumerGroupTargetAssignmentMetadataValue",
        versions: (0, 0),
        fields: &[
            field("assignmentEpoch", Kind::Int32),
            field("assignmentTimestamp", Kind::Int64).tagged(0, 0),
        ],
    },
};

pub(in crate::internal_records) const CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ConsumerGroupTargetAssignmentMemberKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text), field("memberId", Kind::Text)],
    },
};

const CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE_TOPIC_PARTITION: Struct = Struct {
    name: "TopicPartition",
    versions: (0, 0),
    fields: &[
        field("topicId", Kind::Uuid),
        field("partitions", Kind::Array(&Kind::Int32)),
    ],
};

pub(in crate::internal_records) const CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ConsumerGroupTargetAssignmentMemberValue",
        versions: (0, 0),
        fields: &[field(
            "topicPartitions",
            Kind::Array(&Kind::Struct(
                &CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE_TOPIC_PARTITION,
            )),
        )],
    },
};

pub(in crate::internal_records) const CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ConsumerGroupCurrentMemberAssignmentKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text), field("memberId", Kind::Text)],
    },
};

const CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TOPIC_PARTITIONS: Struct = Struct {
    name: "TopicPartitions",
    versions: (0, 0),
    fields: &[
        field("topicId", Kind::Uuid),
        field("partitions", Kind::Array(&Kind::Int32)),
        field("assignmentEpochs", Kind::Array(&Kind::Int32))
            .nullable(0)
            .tagged(0, 0),
    ],
};

pub(in crate::internal_records) const CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ConsumerGroupCurrentMemberAssignmentValue",
        versions: (0, 0),
        fields: &[
            field("memberEpoch", Kind::Int32),
            field("previousMemberEpoch", Kind::Int32),
            field("state", Kind::Int8),
            field(
                "assignedPartitions",
                Kind::Array(&Kind::Struct(
                    &CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TOPIC_PARTITIONS,
                )),
            ),
            field(
                "partitionsPendingRevocation",
                Kind::Array(&Kind::Struct(
                    &CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TOPIC_PARTITIONS,
                )),
            ),
        ],
    },
};

pub(in crate::internal_records) const SHARE_GROUP_MEMBER_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ShareGroupMemberMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text), field("memberId", Kind::Text)],
    },
};

pub(in crate::internal_records) const SHARE_GROUP_MEMBER_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ShareGroupMemberMetadataValue",
        versions: (0, 0),
        fields: &[
            field("rackId", Kind::Text).nullable(0),
            field("clientId", Kind::Text),
            field("clientHost", Kind::Text),
            field("subscribedTopicNames", Kind::Array(&Kind::Text)),
        ],
    },
};

pub(in crate::internal_records) const SHARE_GROUP_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ShareGroupMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text)],
    },
};

pub(in crate::internal_records) const SHARE_GROUP_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ShareGroupMetadataValue",
        versions: (0, 0),
        fields: &[field("epoch", Kind::Int32), field("metadataHash", Kind::Int64)],
    },
};

pub(in crate::internal_records) const SHARE_GROUP_TARGET_ASSIGNMENT_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ShareGroupTargetAssignmentMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text)],
    },
};

pub(in crate::internal_records) const SHARE_GROUP_TARGET_ASSIGNMENT_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ShareGroupTargetAssignmentMetadataValue",
        versions: (0, 0),
        fields: &[
            field("assignmentEpoch", Kind::Int32),
            field("assignmentTimestamp", Kind::Int64).tagged(0, 0),
        ],
    },
};

pub(in crate::internal_records) const SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ShareGroupTargetAssignmentMemberKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text), field("memberId", Kind::Text)],
    },
};

const SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE_TOPIC_PARTITION: Struct = Struct {
    name: "TopicPartition",
    versions: (0, 0),
    fields: &[
        field("topicId", Kind::Uuid),
        field("partitions", Kind::Array(&Kind::Int32)),
    ],
};

pub(in crate::internal_records) const SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ShareGroupTargetAssignmentMemberValue",
        versions: (0, 0),
        fields: &[field(
            "topicPartitions",
            Kind::Array(&Kind::Struct(
                &SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE_TOPIC_PARTITION,
            )),
        )],
    },
};

pub(in crate::internal_records) const SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ShareGroupCurrentMemberAssignmentKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text), field("memberId", Kind::Text)],
    },
};

const SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TOPIC_PARTITIONS: Struct = Struct {
    name: "TopicPartitions",
    versions: (0, 0),
    fields: &[
        field("topicId", Kind::Uuid),
        field("partitions", Kind::Array(&Kind::Int32)),
    ],
};

pub(in crate::internal_records) const SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ShareGroupCurrentMemberAssignmentValue",
        versions: (0, 0),
        fields: &[
            field("memberEpoch", Kind::Int32),
            field("previousMemberEpoch", Kind::Int32),
            field("state", Kind::Int8),
            field(
                "assignedPartitions",
                Kind::Array(&Kind::Struct(
                    &SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TOPIC_PARTITIONS,
                )),
            ),
        ],
    },
};

pub(in crate::internal_records) const SHARE_GROUP_STATE_PARTITION_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ShareGroupStatePartitionMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text)],
    },
};

const SHARE_GROUP_STATE_PARTITION_METADATA_VALUE_TOPIC_PARTITIONS_INFO: Struct = Struct {
    name: "TopicPartitionsInfo",
    versions: (0, 0),
    fields: &[
        field("topicId", Kind::Uuid),
        field("topicName", Kind::Text),
        field("partitions", Kind::Array(&Kind::Int32)),
    ],
};

const SHARE_GROUP_STATE_PARTITION_METADATA_VALUE_TOPIC_INFO: Struct = Struct {
    name: "TopicInfo",
    versions: (0, 0),
    fields: &[field("topicId", Kind::Uuid), field("topicName", Kind::Text)],
};

pub(in crate::internal_records) const SHARE_GROUP_STATE_PARTITION_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ShareGroupStatePartitionMetadataValue",
        versions: (0, 0),
        fields: &[
            field(
                "initializingTopics",
                Kind::Array(&Kind::Struct(
                    &SHARE_GROUP_STATE_PARTITION_METADATA_VALUE_TOPIC_PARTITIONS_INFO,
                )),
            ),
            field(
                "initializedTopics",
                Kind::Array(&Kind::Struct(
                    &SHARE_GROUP_STATE_PARTITION_METADATA_VALUE_TOPIC_PARTITIONS_INFO,
                )),
            ),
            field(
                "deletingTopics",
                Kind::Array(&Kind::Struct(
                    &SHARE_GROUP_STATE_PARTITION_METADATA_VALUE_TOPIC_INFO,
                )),
            ),
        ],
    },
};

pub(in crate::internal_records) const CONSUMER_GROUP_REGULAR_EXPRESSION_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "ConsumerGroupRegularExpressionKey",
        versions: (0, 0),
        fields: &[
            field("groupId", Kind::Text),
            field("regularExpression", Kind::Text),
        ],
    },
};

pub(in crate::internal_records) const CONSUMER_GROUP_REGULAR_EXPRESSION_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "ConsumerGroupRegularExpressionValue",
        versions: (0, 0),
        fields: &[
            field("topics", Kind::Array(&Kind::Text)),
            field("version", Kind::Int64),
            field("timestamp", Kind::Int64),
        ],
    },
};

pub(in crate::internal_records) const STREAMS_GROUP_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "StreamsGroupMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text)],
    },
};

const STREAMS_GROUP_METADATA_VALUE_LAST_ASSIGNMENT_CONFIG: Struct = Struct {
    name: "LastAssignmentConfig",
    versions: (0, 0),
    fields: &[field("key", Kind::Text), field("value", Kind::Text)],
};

pub(in crate::internal_records) const STREAMS_GROUP_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "StreamsGroupMetadataValue",
        versions: (0, 0),
        fields: &[
            field("epoch", Kind::Int32),
            field("metadataHash", Kind::Int64),
            field("validatedTopologyEpoch", Kind::Int32).tagged(0, 0).or(-1),
            field(
                "lastAssignmentConfigs",
                Kind::Array(&Kind::Struct(
                    &STREAMS_GROUP_METADATA_VALUE_LAST_ASSIGNMENT_CONFIG,
                )),
            )
            .nullable(0)
            .tagged(1, 0),
        ],
    },
};

pub(in crate::internal_records) const STREAMS_GROUP_MEMBER_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "StreamsGroupMemberMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text), field("memberId", Kind::Text)],
    },
};

const STREAMS_GROUP_MEMBER_METADATA_VALUE_ENDPOINT: Struct = Struct {
    name: "Endpoint",
    versions: (0, 0),
    fields: &[field("host", Kind::Text), field("port", Kind::Uint16)],
};

const STREAMS_GROUP_MEMBER_METADATA_VALUE_KEY_VALUE: Struct = Struct {
    name: "KeyValue",
    versions: (0, 0),
    fields: &[field("key", Kind::Text), field("value", Kind::Text)],
};

pub(in crate::internal_records) const STREAMS_GROUP_MEMBER_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "StreamsGroupMemberMetadataValue",
        versions: (0, 0),
        fields: &[
            field("instanceId", Kind::Text).nullable(0),
            field("rackId", Kind::Text).nullable(0),
            field("clientId", Kind::Text),
            field("clientHost", Kind::Text),
            field("rebalanceTimeoutMs", Kind::Int32).or(-1),
            field("topologyEpoch", Kind::Int32),
            field("processId", Kind::Text),
            field(
                "userEndpoint",
                Kind::Struct(&STREAMS_GROUP_MEMBER_METADATA_VALUE_ENDPOINT),
            )
            .nullable(0)
            .or_null(),
            field(
                "clientTags",
                Kind::Array(&Kind::Struct(&STREAMS_GROUP_MEMBER_METADATA_VALUE_KEY_VALUE)),
            ),
        ],
    },
};

pub(in crate::internal_records) const STREAMS_GROUP_TARGET_ASSIGNMENT_METADATA_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "StreamsGroupTargetAssignmentMetadataKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text)],
    },
};

pub(in crate::internal_records) const STREAMS_GROUP_TARGET_ASSIGNMENT_METADATA_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "StreamsGroupTargetAssignmentMetadataValue",
        versions: (0, 0),
        fields: &[
            field("assignmentEpoch", Kind::Int32),
            field("assignmentTimestamp", Kind::Int64).tagged(0, 0),
        ],
    },
};

pub(in crate::internal_records) const STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "StreamsGroupTargetAssignmentMemberKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text), field("memberId", Kind::Text)],
    },
};

const STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE_TASK_IDS: Struct = Struct {
    name: "TaskIds",
    versions: (0, 0),
    fields: &[
        field("subtopologyId", Kind::Text),
        field("partitions", Kind::Array(&Kind::Int32)),
    ],
};

pub(in crate::internal_records) const STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "StreamsGroupTargetAssignmentMemberValue",
        versions: (0, 0),
        fields: &[
            field(
                "activeTasks",
                Kind::Array(&Kind::Struct(
                    &STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE_TASK_IDS,
                )),
            ),
            field(
                "standbyTasks",
                Kind::Array(&Kind::Struct(
                    &STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE_TASK_IDS,
                )),
            ),
            field(
                "warmupTasks",
                Kind::Array(&Kind::Struct(
                    &STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE_TASK_IDS,
                )),
            ),
        ],
    },
};

pub(in crate::internal_records) const STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "StreamsGroupCurrentMemberAssignmentKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text), field("memberId", Kind::Text)],
    },
};

const STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TASK_IDS: Struct = Struct {
    name: "TaskIds",
    versions: (0, 0),
    fields: &[
        field("subtopologyId", Kind::Text),
        field("partitions", Kind::Array(&Kind::Int32)),
        field("assignmentEpochs", Kind::Array(&Kind::Int32))
            .nullable(0)
            .tagged(0, 0),
    ],
};

pub(in crate::internal_records) const STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "StreamsGroupCurrentMemberAssignmentValue",
        versions: (0, 0),
        fields: &[
            field("memberEpoch", Kind::Int32),
            field("previousMemberEpoch", Kind::Int32),
            field("state", Kind::Int8),
            field(
                "activeTasks",
                Kind::Array(&Kind::Struct(
                    &STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TASK_IDS,
                )),
            ),
            field(
                "standbyTasks",
                Kind::Array(&Kind::Struct(
                    &STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TASK_IDS,
                )),
            ),
            field(
                "warmupTasks",
                Kind::Array(&Kind::Struct(
                    &STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TASK_IDS,
                )),
            ),
            field(
                "activeTasksPendingRevocation",
                Kind::Array(&Kind::Struct(
                    &STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TASK_IDS,
                )),
            ),
            field(
                "standbyTasksPendingRevocation",
                Kind::Array(&Kind::Struct(
                    &STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TASK_IDS,
                )),
            ),
            field(
                "warmupTasksPendingRevocation",
                Kind::Array(&Kind::Struct(
                    &STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE_TASK_IDS,
                )),
            ),
        ],
    },
};

pub(in crate::internal_records) const STREAMS_GROUP_TOPOLOGY_KEY: Message = Message {
    flexible: NEVER,
    body: Struct {
        name: "StreamsGroupTopologyKey",
        versions: (0, 0),
        fields: &[field("groupId", Kind::Text)],
    },
};

const STREAMS_GROUP_TOPOLOGY_VALUE_TOPIC_CONFIG: Struct = Struct {
    name: "TopicConfig",
    versions: (0, 0),
    fields: &[field("key", Kind::Text), field("value", Kind::Text)],
};

const STREAMS_GROUP_TOPOLOGY_VALUE_TOPIC_INFO: Struct = Struct {
    name: "TopicInfo",
    versions: (0, 0),
    fields: &[
        field("name", Kind::Text),
        field("partitions", Kind::Int32),
        field("replicationFactor", Kind::Int16),
        field(
            "topicConfigs",
            Kind::Array(&Kind::Struct(&STREAMS_GROUP_TOPOLOGY_VALUE_TOPIC_CONFIG)),
        ),
    ],
};

const STREAMS_GROUP_TOPOLOGY_VALUE_COPARTITION_GROUP: Struct = Struct {
    name: "CopartitionGroup",
    versions: (0, 0),
    fields: &[
        field("sourceTopics", Kind::Array(&Kind::Int16)),
        field("sourceTopicRegex", Kind::Array(&Kind::Int16)),
        field("repartitionSourceTopics", Kind::Array(&Kind::Int16)),
    ],
};

const STREAMS_GROUP_TOPOLOGY_VALUE_SUBTOPOLOGY: Struct = Struct {
    name: "Subtopology",
    versions: (0, 0),
    fields: &[
        field("subtopologyId", Kind::Text),
        field("sourceTopics", Kind::Array(&Kind::Text)),
        field("sourceTopicRegex", Kind::Array(&Kind::Text)),
        field(
            "stateChangelogTopics",
            Kind::Array(&Kind::Struct(&STREAMS_GROUP_TOPOLOGY_VALUE_TOPIC_INFO)),
        ),
        field("repartitionSinkTopics", Kind::Array(&Kind::Text)),
        field(
            "repartitionSourceTopics",
            Kind::Array(&Kind::Struct(&STREAMS_GROUP_TOPOLOGY_VALUE_TOPIC_INFO)),
        ),
        field(
            "copartitionGroups",
            Kind::Array(&Kind::Struct(&STREAMS_GROUP_TOPOLOGY_VALUE_COPARTITION_GROUP)),
        ),
    ],
};

pub(in crate::internal_records) const STREAMS_GROUP_TOPOLOGY_VALUE: Message = Message {
    flexible: 0,
    body: Struct {
        name: "StreamsGroupTopologyValue",
        versions: (0, 0),
        fields: &[
            field("epoch", Kind::Int32),
            field(
                "subtopologies",
                Kind::Array(&Kind::Struct(&STREAMS_GROUP_TOPOLOGY_VALUE_SUBTOPOLOGY)),
            ),
        ],
    },
};

pub(in crate::internal_records) const RECORDS: &[RecordType] = &[
    RecordType {
        id: 0,
        key: &LEGACY_OFFSET_COMMIT_KEY,
        value: Some(&LEGACY_OFFSET_COMMIT_VALUE),
    },
    RecordType {
        id: 1,
        key: &OFFSET_COMMIT_KEY,
        value: Some(&OFFSET_COMMIT_VALUE),
    },
    RecordType {
        id: 2,
        key: &GROUP_METADATA_KEY,
        value: Some(&GROUP_METADATA_VALUE),
    },
    RecordType {
        id: 3,
        key: &CONSUMER_GROUP_METADATA_KEY,
        value: Some(&CONSUMER_GROUP_METADATA_VALUE),
    },
    RecordType {
        id: 4,
        key: &CONSUMER_GROUP_PARTITION_METADATA_KEY,
        value: Some(&CONSUMER_GROUP_PARTITION_METADATA_VALUE),
    },
    RecordType {
        id: 5,
        key: &CONSUMER_GROUP_MEMBER_METADATA_KEY,
        value: Some(&CONSUMER_GROUP_MEMBER_METADATA_VALUE),
    },
    RecordType {
        id: 6,
        key: &CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA_KEY,
        value: Some(&CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA_VALUE),
    },
    RecordType {
        id: 7,
        key: &CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_KEY,
        value: Some(&CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE),
    },
    RecordType {
        id: 8,
        key: &CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_KEY,
        value: Some(&CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE),
    },
    RecordType {
        id: 10,
        key: &SHARE_GROUP_MEMBER_METADATA_KEY,
        value: Some(&SHARE_GROUP_MEMBER_METADATA_VALUE),
    },
    RecordType {
        id: 11,
        key: &SHARE_GROUP_METADATA_KEY,
        value: Some(&SHARE_GROUP_METADATA_VALUE),
    },
    RecordType {
        id: 12,
        key: &SHARE_GROUP_TARGET_ASSIGNMENT_METADATA_KEY,
        value: Some(&SHARE_GROUP_TARGET_ASSIGNMENT_METADATA_VALUE),
    },
    RecordType {
        id: 13,
        key: &SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER_KEY,
        value: Some(&SHARE_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE),
    },
    RecordType {
        id: 14,
        key: &SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT_KEY,
        value: Some(&SHARE_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE),
    },
    RecordType {
        id: 15,
        key: &SHARE_GROUP_STATE_PARTITION_METADATA_KEY,
        value: Some(&SHARE_GROUP_STATE_PARTITION_METADATA_VALUE),
    },
    RecordType {
        id: 16,
        key: &CONSUMER_GROUP_REGULAR_EXPRESSION_KEY,
        value: Some(&CONSUMER_GROUP_REGULAR_EXPRESSION_VALUE),
    },
    RecordType {
        id: 17,
        key: &STREAMS_GROUP_METADATA_KEY,
        value: Some(&STREAMS_GROUP_METADATA_VALUE),
    },
    RecordType {
        id: 19,
        key: &STREAMS_GROUP_MEMBER_METADATA_KEY,
        value: Some(&STREAMS_GROUP_MEMBER_METADATA_VALUE),
    },
    RecordType {
        id: 20,
        key: &STREAMS_GROUP_TARGET_ASSIGNMENT_METADATA_KEY,
        value: Some(&STREAMS_GROUP_TARGET_ASSIGNMENT_METADATA_VALUE),
    },
    RecordType {
        id: 21,
        key: &STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER_KEY,
        value: Some(&STREAMS_GROUP_TARGET_ASSIGNMENT_MEMBER_VALUE),
    },
    RecordType {
        id: 22,
        key: &STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_KEY,
        value: Some(&STREAMS_GROUP_CURRENT_MEMBER_ASSIGNMENT_VALUE),
    },
    RecordType {
        id: 23,
        key: &STREAMS_GROUP_TOPOLOGY_KEY,
        value: Some(&STREAMS_GROUP_TOPOLOGY_VALUE),
    },
];
