//! What an error code of Produce means for its batch.
//!
//! <https://kafka.apache.org/protocol#The_Messages_Produce>

use crate::error::Kind;
use crate::wire::error_codes as codes;

/// The result for a batch that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Written,
    /// To be sent again.
    Again {
        /// It may be in the log nevertheless.
        is_ambiguous: bool,
        /// The leader may have changed.
        refresh: bool,
    },
    /// Larger than the topic accepts.
    TooLarge,
    /// The broker lacks the batches before it, or does not know the producer (KIP-360).
    OutOfSequence,
    /// It will never be accepted.
    Refused {
        kind: Kind,
        is_ambiguous: bool,
    },
    /// No batch of this producer will ever be accepted.
    Fatal(Kind),
}

const AGAIN: Verdict = Verdict::Again {
    is_ambiguous: false,
    refresh: false,
};
const AGAIN_ELSEWHERE: Verdict = Verdict::Again {
    is_ambiguous: false,
    refresh: true,
};

impl Verdict {
    /// The verdict for an error code; `waits_for_replicas` is acks=all.
    pub(super) fn of(code: i16, waits_for_replicas: bool) -> Self {
        match code {
            // The second means a duplicate of an appended batch.
            0 | codes::DUPLICATE_SEQUENCE_NUMBER => Self::Written,
            // It is also sent if leadership was lost after the append.
            codes::NOT_LEADER_OR_FOLLOWER => Self::Again {
                is_ambiguous: waits_for_replicas,
                refresh: true,
            },
            // The leader has appended it.
            codes::REQUEST_TIMED_OUT | codes::NOT_ENOUGH_REPLICAS_AFTER_APPEND => Self::Again {
                is_ambiguous: true,
                refresh: false,
            },
            codes::NETWORK_EXCEPTION => Self::Again {
                is_ambiguous: true,
                refresh: true,
            },
            codes::UNKNOWN_TOPIC_OR_PARTITION
            | codes::LEADER_NOT_AVAILABLE
            | codes::BROKER_NOT_AVAILABLE
            | codes::REPLICA_NOT_AVAILABLE
            | codes::KAFKA_STORAGE_ERROR
            | codes::LISTENER_NOT_FOUND
            | codes::FENCED_LEADER_EPOCH
            | codes::UNKNOWN_TOPIC_ID
            | codes::INCONSISTENT_TOPIC_ID => AGAIN_ELSEWHERE,
            codes::CORRUPT_MESSAGE
            | codes::NOT_ENOUGH_REPLICAS
            | codes::CONCURRENT_TRANSACTIONS
            | codes::THROTTLING_QUOTA_EXCEEDED => AGAIN,
            codes::MESSAGE_TOO_LARGE | codes::RECORD_LIST_TOO_LARGE => Self::TooLarge,
            codes::OUT_OF_ORDER_SEQUENCE_NUMBER
            | codes::INVALID_PRODUCER_EPOCH
            | codes::UNKNOWN_PRODUCER_ID => Self::OutOfSequence,
            codes::TOPIC_AUTHORIZATION_FAILED => Self::refused(Kind::Denied),
            codes::INVALID_TOPIC_EXCEPTION | codes::INVALID_TIMESTAMP | codes::INVALID_RECORD => {
                Self::refused(Kind::BadData)
            }
            codes::UNSUPPORTED_FOR_MESSAGE_FORMAT
            | codes::POLICY_VIOLATION
            | codes::UNSUPPORTED_COMPRESSION_TYPE => Self::refused(Kind::Failed),
            codes::CLUSTER_AUTHORIZATION_FAILED => Self::Fatal(Kind::Denied),
            codes::INVALID_REQUIRED_ACKS
            | codes::UNSUPPORTED_VERSION
            | codes::INVALID_REQUEST
            | codes::INVALID_TXN_STATE
            | codes::INVALID_PRODUCER_ID_MAPPING
            | codes::PRODUCER_FENCED => Self::Fatal(Kind::Failed),
            _ => Self::Refused {
                kind: Kind::Failed,
                is_ambiguous: true,
            },
        }
    }

    fn refused(kind: Kind) -> Self {
        Self::Refused {
            kind,
            is_ambiguous: false,
        }
    }
}
