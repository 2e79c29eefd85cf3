//! Kafka's error codes with their names, Java classes and standard texts, as Apache Kafka 4.3.1 has them.
//!
//! The protocol's page is <https://kafka.apache.org/protocol#protocol_error_codes>; the classes are those of
//! `org.apache.kafka.common.errors`, which the Java tools print.

/// One error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode {
    pub code: i16,
    /// The constant's name, `UNKNOWN_TOPIC_OR_PARTITION`.
    pub name: &'static str,
    /// The simple name of its Java exception.
    pub java_class: &'static str,
    /// Whether the same request may succeed a little later (`RetriableException`).
    pub retriable: bool,
    /// The text that a client shows when the broker sends none.
    pub text: &'static str,
}

/// The error with this code; `None` for 0 (no error) and for codes unknown to Kafka 4.3.1.
pub fn find(code: i16) -> Option<&'static ErrorCode> {
    TABLE.iter().find(|row| row.code == code)
}

/// The first error whose Java exception has this simple name.
pub fn of_class(java_class: &str) -> Option<&'static ErrorCode> {
    TABLE.iter().find(|row| row.java_class == java_class)
}

/// The error of this name.
pub fn of_name(name: &str) -> Option<&'static ErrorCode> {
    TABLE.iter().find(|row| row.name == name)
}

/// The names of all errors.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.name)
}

/// Declares the codes that the code refers to, and lists them for the test that compares them with the table.
macro_rules! named {
    ($($name:ident = $code:literal,)*) => {
        $(
            #[doc = concat!("The code of `", stringify!($name), "`.")]
            pub const $name: i16 = $code;
        )*
        #[cfg(test)]
        const NAMED: &[(&str, i16)] = &[$((stringify!($name), $code)),*];
    };
}

named! {
    OFFSET_OUT_OF_RANGE = 1,
    CORRUPT_MESSAGE = 2,
    UNKNOWN_TOPIC_OR_PARTITION = 3,
    LEADER_NOT_AVAILABLE = 5,
    NOT_LEADER_OR_FOLLOWER = 6,
    REQUEST_TIMED_OUT = 7,
    BROKER_NOT_AVAILABLE = 8,
    REPLICA_NOT_AVAILABLE = 9,
    MESSAGE_TOO_LARGE = 10,
    NETWORK_EXCEPTION = 13,
    COORDINATOR_LOAD_IN_PROGRESS = 14,
    COORDINATOR_NOT_AVAILABLE = 15,
    NOT_COORDINATOR = 16,
    INVALID_TOPIC_EXCEPTION = 17,
    RECORD_LIST_TOO_LARGE = 18,
    NOT_ENOUGH_REPLICAS = 19,
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20,
    INVALID_REQUIRED_ACKS = 21,
    TOPIC_AUTHORIZATION_FAILED = 29,
    GROUP_AUTHORIZATION_FAILED = 30,
    CLUSTER_AUTHORIZATION_FAILED = 31,
    INVALID_TIMESTAMP = 32,
    UNSUPPORTED_SASL_MECHANISM = 33,
    ILLEGAL_SASL_STATE = 34,
    UNSUPPORTED_VERSION = 35,
    NOT_CONTROLLER = 41,
    INVALID_REQUEST = 42,
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43,
    POLICY_VIOLATION = 44,
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45,
    DUPLICATE_SEQUENCE_NUMBER = 46,
    INVALID_PRODUCER_EPOCH = 47,
    INVALID_TXN_STATE = 48,
    INVALID_PRODUCER_ID_MAPPING = 49,
    CONCURRENT_TRANSACTIONS = 51,
    TRANSACTION_COORDINATOR_FENCED = 52,
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53,
    KAFKA_STORAGE_ERROR = 56,
    LOG_DIR_NOT_FOUND = 57,
    SASL_AUTHENTICATION_FAILED = 58,
    UNKNOWN_PRODUCER_ID = 59,
    DELEGATION_TOKEN_NOT_FOUND = 62,
    DELEGATION_TOKEN_OWNER_MISMATCH = 63,
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64,
    DELEGATION_TOKEN_AUTHORIZATION_FAILED = 65,
    GROUP_ID_NOT_FOUND = 69,
    FETCH_SESSION_ID_NOT_FOUND = 70,
    INVALID_FETCH_SESSION_EPOCH = 71,
    LISTENER_NOT_FOUND = 72,
    FENCED_LEADER_EPOCH = 74,
    UNKNOWN_LEADER_EPOCH = 75,
    UNSUPPORTED_COMPRESSION_TYPE = 76,
    OFFSET_NOT_AVAILABLE = 78,
    ELECTION_NOT_NEEDED = 84,
    NO_REASSIGNMENT_IN_PROGRESS = 85,
    INVALID_RECORD = 87,
    THROTTLING_QUOTA_EXCEEDED = 89,
    PRODUCER_FENCED = 90,
    RESOURCE_NOT_FOUND = 91,
    UNKNOWN_TOPIC_ID = 100,
    INCONSISTENT_TOPIC_ID = 103,
    TRANSACTIONAL_ID_NOT_FOUND = 105,
}

const fn row(
    code: i16,
    name: &'static str,
    java_class: &'static str,
    retriable: bool,
    text: &'static str,
) -> ErrorCode {
    ErrorCode {
        code,
        name,
        java_class,
        retriable,
        text,
    }
}

#[rustfmt::skip] // one row a line
const TABLE: &[ErrorCode] = &[
    row(-1, "UNKNOWN_SERVER_ERROR", "UnknownServerException", false, "The server experienced an unexpected error when processing the request."),
    row(1, "OFFSET_OUT_OF_RANGE", "OffsetOutOfRangeException", false, "The requested offset is not within the range of offsets maintained by the server."),
    row(2, "CORRUPT_MESSAGE", "CorruptRecordException", true, "This message has failed its CRC checksum, exceeds the valid size, has a null key for a compacted topic, or is otherwise corrupt."),
    row(3, "UNKNOWN_TOPIC_OR_PARTITION", "UnknownTopicOrPartitionException", true, "This server does not host this topic-partition."),
    row(4, "INVALID_FETCH_SIZE", "InvalidFetchSizeException", false, "The requested fetch size is invalid."),
    row(5, "LEADER_NOT_AVAILABLE", "LeaderNotAvailableException", true, "There is no leader for this topic-partition as we are in the middle of a leadership election."),
    row(6, "NOT_LEADER_OR_FOLLOWER", "NotLeaderOrFollowerException", true, "For requests intended only for the leader, this error indicates that the broker is not the current leader. For requests intended for any replica, this error indicates that the broker is not a replica of the topic partition."),
    row(7, "REQUEST_TIMED_OUT", "TimeoutException", true, "The request timed out."),
    row(8, "BROKER_NOT_AVAILABLE", "BrokerNotAvailableException", false, "The broker is not available."),
    row(9, "REPLICA_NOT_AVAILABLE", "ReplicaNotAvailableException", true, "The replica is not available for the requested topic-partition. Produce/Fetch requests and other requests intended only for the leader or follower return NOT_LEADER_OR_FOLLOWER if the broker is not a replica of the topic-partition."),
    row(10, "MESSAGE_TOO_LARGE", "RecordTooLargeException", false, "The request included a message larger than the max message size the server will accept."),
    row(11, "STALE_CONTROLLER_EPOCH", "ControllerMovedException", false, "The controller moved to another broker."),
    row(12, "OFFSET_METADATA_TOO_LARGE", "OffsetMetadataTooLarge", false, "The metadata field of the offset request was too large."),
    row(13, "NETWORK_EXCEPTION", "NetworkException", true, "The server disconnected before a response was received."),
    row(14, "COORDINATOR_LOAD_IN_PROGRESS", "CoordinatorLoadInProgressException", true, "The coordinator is loading and hence can't process requests."),
    row(15, "COORDINATOR_NOT_AVAILABLE", "CoordinatorNotAvailableException", true, "The coordinator is not available."),
    row(16, "NOT_COORDINATOR", "NotCoordinatorException", true, "This is not the correct coordinator."),
    row(17, "INVALID_TOPIC_EXCEPTION", "InvalidTopicException", false, "The request attempted to perform an operation on an invalid topic."),
    row(18, "RECORD_LIST_TOO_LARGE", "RecordBatchTooLargeException", false, "The request included message batch larger than the configured segment size on the server."),
    row(19, "NOT_ENOUGH_REPLICAS", "NotEnoughReplicasException", true, "Messages are rejected since there are fewer in-sync replicas than required."),
    row(20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "NotEnoughReplicasAfterAppendException", true, "Messages are written to the log, but to fewer in-sync replicas than required."),
    row(21, "INVALID_REQUIRED_ACKS", "InvalidRequiredAcksException", false, "Produce request specified an invalid value for required acks."),
    row(22, "ILLEGAL_GENERATION", "IllegalGenerationException", false, "Specified group generation id is not valid."),
    row(23, "INCONSISTENT_GROUP_PROTOCOL", "InconsistentGroupProtocolException", false, "The group member's supported protocols are incompatible with those of existing members or first group member tried to join with empty protocol type or empty protocol list."),
    row(24, "INVALID_GROUP_ID", "InvalidGroupIdException", false, "The group id is invalid."),
    row(25, "UNKNOWN_MEMBER_ID", "UnknownMemberIdException", false, "The coordinator is not aware of this member."),
    row(26, "INVALID_SESSION_TIMEOUT", "InvalidSessionTimeoutException", false, "The session timeout is not within the range allowed by the broker (as configured by group.min.session.timeout.ms and group.max.session.timeout.ms)."),
    row(27, "REBALANCE_IN_PROGRESS", "RebalanceInProgressException", false, "The group is rebalancing, so a rejoin is needed."),
    row(28, "INVALID_COMMIT_OFFSET_SIZE", "InvalidCommitOffsetSizeException", false, "The committing offset data size is not valid."),
    row(29, "TOPIC_AUTHORIZATION_FAILED", "TopicAuthorizationException", false, "Topic authorization failed."),
    row(30, "GROUP_AUTHORIZATION_FAILED", "GroupAuthorizationException", false, "Group authorization failed."),
    row(31, "CLUSTER_AUTHORIZATION_FAILED", "ClusterAuthorizationException", false, "Cluster authorization failed."),
    row(32, "INVALID_TIMESTAMP", "InvalidTimestampException", false, "The timestamp of the message is out of acceptable range."),
    row(33, "UNSUPPORTED_SASL_MECHANISM", "UnsupportedSaslMechanismException", false, "The broker does not support the requested SASL mechanism."),
    row(34, "ILLEGAL_SASL_STATE", "IllegalSaslStateException", false, "Request is not valid given the current SASL state."),
    row(35, "UNSUPPORTED_VERSION", "UnsupportedVersionException", false, "The version of API is not supported."),
    row(36, "TOPIC_ALREADY_EXISTS", "TopicExistsException", false, "Topic with this name already exists."),
    row(37, "INVALID_PARTITIONS", "InvalidPartitionsException", false, "Number of partitions is below 1."),
    row(38, "INVALID_REPLICATION_FACTOR", "InvalidReplicationFactorException", false, "Replication factor is below 1 or larger than the number of available brokers."),
    row(39, "INVALID_REPLICA_ASSIGNMENT", "InvalidReplicaAssignmentException", false, "Replica assignment is invalid."),
    row(40, "INVALID_CONFIG", "InvalidConfigurationException", false, "Configuration is invalid."),
    row(41, "NOT_CONTROLLER", "NotControllerException", true, "This is not the correct controller for this cluster."),
    row(42, "INVALID_REQUEST", "InvalidRequestException", false, "This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details."),
    row(43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", "UnsupportedForMessageFormatException", false, "The message format version on the broker does not support the request."),
    row(44, "POLICY_VIOLATION", "PolicyViolationException", false, "Request parameters do not satisfy the configured policy."),
    row(45, "OUT_OF_ORDER_SEQUENCE_NUMBER", "OutOfOrderSequenceException", false, "The broker received an out of order sequence number."),
    row(46, "DUPLICATE_SEQUENCE_NUMBER", "DuplicateSequenceException", false, "The broker received a duplicate sequence number."),
    row(47, "INVALID_PRODUCER_EPOCH", "InvalidProducerEpochException", false, "Producer attempted to produce with an old epoch."),
    row(48, "INVALID_TXN_STATE", "InvalidTxnStateException", false, "The producer attempted a transactional operation in an invalid state."),
    row(49, "INVALID_PRODUCER_ID_MAPPING", "InvalidPidMappingException", false, "The producer attempted to use a producer id which is not currently assigned to its transactional id."),
    row(50, "INVALID_TRANSACTION_TIMEOUT", "InvalidTxnTimeoutException", false, "The transaction timeout is larger than the maximum value allowed by the broker (as configured by transaction.max.timeout.ms)."),
    row(51, "CONCURRENT_TRANSACTIONS", "ConcurrentTransactionsException", true, "The producer attempted to update a transaction while another concurrent operation on the same transaction was ongoing."),
    row(52, "TRANSACTION_COORDINATOR_FENCED", "TransactionCoordinatorFencedException", false, "Indicates that the transaction coordinator sending a WriteTxnMarker is no longer the current coordinator for a given producer."),
    row(53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "TransactionalIdAuthorizationException", false, "Transactional Id authorization failed."),
    row(54, "SECURITY_DISABLED", "SecurityDisabledException", false, "Security features are disabled."),
    row(55, "OPERATION_NOT_ATTEMPTED", "OperationNotAttemptedException", false, "The broker did not attempt to execute this operation. This may happen for batched RPCs where some operations in the batch failed, causing the broker to respond without trying the rest."),
    row(56, "KAFKA_STORAGE_ERROR", "KafkaStorageException", true, "Disk error when trying to access log file on the disk."),
    row(57, "LOG_DIR_NOT_FOUND", "LogDirNotFoundException", false, "The user-specified log directory is not found in the broker config."),
    row(58, "SASL_AUTHENTICATION_FAILED", "SaslAuthenticationException", false, "SASL Authentication failed."),
    row(59, "UNKNOWN_PRODUCER_ID", "UnknownProducerIdException", false, "This exception is raised by the broker if it could not locate the producer metadata associated with the producerId in question. This could happen if, for instance, the producer's records were deleted because their retention time had elapsed. Once the last records of the producerId are removed, the producer's metadata is removed from the broker, and future appends by the producer will return this exception."),
    row(60, "REASSIGNMENT_IN_PROGRESS", "ReassignmentInProgressException", false, "A partition reassignment is in progress."),
    row(61, "DELEGATION_TOKEN_AUTH_DISABLED", "DelegationTokenDisabledException", false, "Delegation Token feature is not enabled."),
    row(62, "DELEGATION_TOKEN_NOT_FOUND", "DelegationTokenNotFoundException", false, "Delegation Token is not found on server."),
    row(63, "DELEGATION_TOKEN_OWNER_MISMATCH", "DelegationTokenOwnerMismatchException", false, "Specified Principal is not valid Owner/Renewer."),
    row(64, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", "UnsupportedByAuthenticationException", false, "Delegation Token requests are not allowed on PLAINTEXT/1-way SSL channels and on delegation token authenticated channels."),
    row(65, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", "DelegationTokenAuthorizationException", false, "Delegation Token authorization failed."),
    row(66, "DELEGATION_TOKEN_EXPIRED", "DelegationTokenExpiredException", false, "Delegation Token is expired."),
    row(67, "INVALID_PRINCIPAL_TYPE", "InvalidPrincipalTypeException", false, "Supplied principalType is not supported."),
    row(68, "NON_EMPTY_GROUP", "GroupNotEmptyException", false, "The group is not empty."),
    row(69, "GROUP_ID_NOT_FOUND", "GroupIdNotFoundException", false, "The group id does not exist."),
    row(70, "FETCH_SESSION_ID_NOT_FOUND", "FetchSessionIdNotFoundException", true, "The fetch session ID was not found."),
    row(71, "INVALID_FETCH_SESSION_EPOCH", "InvalidFetchSessionEpochException", true, "The fetch session epoch is invalid."),
    row(72, "LISTENER_NOT_FOUND", "ListenerNotFoundException", true, "There is no listener on the leader broker that matches the listener on which metadata request was processed."),
    row(73, "TOPIC_DELETION_DISABLED", "TopicDeletionDisabledException", false, "Topic deletion is disabled."),
    row(74, "FENCED_LEADER_EPOCH", "FencedLeaderEpochException", true, "The leader epoch in the request is older than the epoch on the broker."),
    row(75, "UNKNOWN_LEADER_EPOCH", "UnknownLeaderEpochException", true, "The leader epoch in the request is newer than the epoch on the broker."),
    row(76, "UNSUPPORTED_COMPRESSION_TYPE", "UnsupportedCompressionTypeException", false, "The requesting client does not support the compression type of given partition."),
    row(77, "STALE_BROKER_EPOCH", "StaleBrokerEpochException", false, "Broker epoch has changed."),
    row(78, "OFFSET_NOT_AVAILABLE", "OffsetNotAvailableException", true, "The leader high watermark has not caught up from a recent leader election so the offsets cannot be guaranteed to be monotonically increasing."),
    row(79, "MEMBER_ID_REQUIRED", "MemberIdRequiredException", false, "The group member needs to have a valid member id before actually entering a consumer group."),
    row(80, "PREFERRED_LEADER_NOT_AVAILABLE", "PreferredLeaderNotAvailableException", true, "The preferred leader was not available."),
    row(81, "GROUP_MAX_SIZE_REACHED", "GroupMaxSizeReachedException", false, "The group has reached its maximum size."),
    row(82, "FENCED_INSTANCE_ID", "FencedInstanceIdException", false, "The broker rejected this static consumer since another consumer with the same group.instance.id has registered with a different member.id."),
    row(83, "ELIGIBLE_LEADERS_NOT_AVAILABLE", "EligibleLeadersNotAvailableException", true, "Eligible topic partition leaders are not available."),
    row(84, "ELECTION_NOT_NEEDED", "ElectionNotNeededException", true, "Leader election not needed for topic partition."),
    row(85, "NO_REASSIGNMENT_IN_PROGRESS", "NoReassignmentInProgressException", false, "No partition reassignment is in progress."),
    row(86, "GROUP_SUBSCRIBED_TO_TOPIC", "GroupSubscribedToTopicException", false, "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it."),
    row(87, "INVALID_RECORD", "InvalidRecordException", false, "This record has failed the validation on broker and hence will be rejected."),
    row(88, "UNSTABLE_OFFSET_COMMIT", "UnstableOffsetCommitException", true, "There are unstable offsets that need to be cleared."),
    row(89, "THROTTLING_QUOTA_EXCEEDED", "ThrottlingQuotaExceededException", true, "The throttling quota has been exceeded."),
    row(90, "PRODUCER_FENCED", "ProducerFencedException", false, "There is a newer producer with the same transactionalId which fences the current one."),
    row(91, "RESOURCE_NOT_FOUND", "ResourceNotFoundException", false, "A request illegally referred to a resource that does not exist."),
    row(92, "DUPLICATE_RESOURCE", "DuplicateResourceException", false, "A request illegally referred to the same resource twice."),
    row(93, "UNACCEPTABLE_CREDENTIAL", "UnacceptableCredentialException", false, "Requested credential would not meet criteria for acceptability."),
    row(94, "INCONSISTENT_VOTER_SET", "InconsistentVoterSetException", false, "Indicates that the either the sender or recipient of a voter-only request is not one of the expected voters."),
    row(95, "INVALID_UPDATE_VERSION", "InvalidUpdateVersionException", false, "The given update version was invalid."),
    row(96, "FEATURE_UPDATE_FAILED", "FeatureUpdateFailedException", false, "Unable to update finalized features due to an unexpected server error."),
    row(97, "PRINCIPAL_DESERIALIZATION_FAILURE", "PrincipalDeserializationException", false, "Request principal deserialization failed during forwarding. This indicates an internal error on the broker cluster security setup."),
    row(98, "SNAPSHOT_NOT_FOUND", "SnapshotNotFoundException", false, "Requested snapshot was not found."),
    row(99, "POSITION_OUT_OF_RANGE", "PositionOutOfRangeException", false, "Requested position is not greater than or equal to zero, and less than the size of the snapshot."),
    row(100, "UNKNOWN_TOPIC_ID", "UnknownTopicIdException", true, "This server does not host this topic ID."),
    row(101, "DUPLICATE_BROKER_REGISTRATION", "DuplicateBrokerRegistrationException", false, "This broker ID is already in use."),
    row(102, "BROKER_ID_NOT_REGISTERED", "BrokerIdNotRegisteredException", false, "The given broker ID was not registered."),
    row(103, "INCONSISTENT_TOPIC_ID", "InconsistentTopicIdException", true, "The log's topic ID did not match the topic ID in the request."),
    row(104, "INCONSISTENT_CLUSTER_ID", "InconsistentClusterIdException", false, "The clusterId in the request does not match that found on the server."),
    row(105, "TRANSACTIONAL_ID_NOT_FOUND", "TransactionalIdNotFoundException", false, "The transactionalId could not be found."),
    row(106, "FETCH_SESSION_TOPIC_ID_ERROR", "FetchSessionTopicIdException", true, "The fetch session encountered inconsistent topic ID usage."),
    row(107, "INELIGIBLE_REPLICA", "IneligibleReplicaException", false, "The new ISR contains at least one ineligible replica."),
    row(108, "NEW_LEADER_ELECTED", "NewLeaderElectedException", false, "The AlterPartition request successfully updated the partition state but the leader has changed."),
    row(109, "OFFSET_MOVED_TO_TIERED_STORAGE", "OffsetMovedToTieredStorageException", false, "The requested offset is moved to tiered storage."),
    row(110, "FENCED_MEMBER_EPOCH", "FencedMemberEpochException", false, "The member epoch is fenced by the group coordinator. The member must abandon all its partitions and rejoin."),
    row(111, "UNRELEASED_INSTANCE_ID", "UnreleasedInstanceIdException", false, "The instance ID is still used by another member in the consumer group. That member must leave first."),
    row(112, "UNSUPPORTED_ASSIGNOR", "UnsupportedAssignorException", false, "The assignor or its version range is not supported by the consumer group."),
    row(113, "STALE_MEMBER_EPOCH", "StaleMemberEpochException", false, "The member epoch is stale. The member must retry after receiving its updated member epoch via the ConsumerGroupHeartbeat API."),
    row(114, "MISMATCHED_ENDPOINT_TYPE", "MismatchedEndpointTypeException", false, "The request was sent to an endpoint of the wrong type."),
    row(115, "UNSUPPORTED_ENDPOINT_TYPE", "UnsupportedEndpointTypeException", false, "This endpoint type is not supported yet."),
    row(116, "UNKNOWN_CONTROLLER_ID", "UnknownControllerIdException", false, "This controller ID is not known."),
    row(117, "UNKNOWN_SUBSCRIPTION_ID", "UnknownSubscriptionIdException", false, "Client sent a push telemetry request with an invalid or outdated subscription ID."),
    row(118, "TELEMETRY_TOO_LARGE", "TelemetryTooLargeException", false, "Client sent a push telemetry request larger than the maximum size the broker will accept."),
    row(119, "INVALID_REGISTRATION", "InvalidRegistrationException", false, "The controller has considered the broker registration to be invalid."),
    row(120, "TRANSACTION_ABORTABLE", "TransactionAbortableException", false, "The server encountered an error with the transaction. The client can abort the transaction to continue using this transactional ID."),
    row(121, "INVALID_RECORD_STATE", "InvalidRecordStateException", false, "The record state is invalid. The acknowledgement of delivery could not be completed."),
    row(122, "SHARE_SESSION_NOT_FOUND", "ShareSessionNotFoundException", true, "The share session was not found."),
    row(123, "INVALID_SHARE_SESSION_EPOCH", "InvalidShareSessionEpochException", true, "The share session epoch is invalid."),
    row(124, "FENCED_STATE_EPOCH", "FencedStateEpochException", false, "The share coordinator rejected the request because the share-group state epoch did not match."),
    row(125, "INVALID_VOTER_KEY", "InvalidVoterKeyException", false, "The voter key doesn't match the receiving replica's key."),
    row(126, "DUPLICATE_VOTER", "DuplicateVoterException", false, "The voter is already part of the set of voters."),
    row(127, "VOTER_NOT_FOUND", "VoterNotFoundException", false, "The voter is not part of the set of voters."),
    row(128, "INVALID_REGULAR_EXPRESSION", "InvalidRegularExpression", false, "The regular expression is not valid."),
    row(129, "REBOOTSTRAP_REQUIRED", "RebootstrapRequiredException", false, "Client metadata is stale. The client should rebootstrap to obtain new metadata."),
    row(130, "STREAMS_INVALID_TOPOLOGY", "StreamsInvalidTopologyException", false, "The supplied topology is invalid."),
    row(131, "STREAMS_INVALID_TOPOLOGY_EPOCH", "StreamsInvalidTopologyEpochException", false, "The supplied topology epoch is invalid."),
    row(132, "STREAMS_TOPOLOGY_FENCED", "StreamsTopologyFencedException", false, "The supplied topology epoch is outdated."),
    row(133, "SHARE_SESSION_LIMIT_REACHED", "ShareSessionLimitReachedException", true, "The limit of share sessions has been reached."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_table() {
        for (name, code) in NAMED {
            assert_eq!(find(*code).map(|row| row.name), Some(*name));
        }
    }

    #[test]
    fn codes_stand_once_and_in_order() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert_eq!(find(36).map(|row| row.name), Some("TOPIC_ALREADY_EXISTS"));
        assert_eq!(find(0), None);
    }
}
