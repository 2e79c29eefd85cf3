//! What an error code of Produce means for the batch that got it.
//!
//! <https://kafka.apache.org/protocol#The_Messages_Produce>

use crate::error::Kind;

/// What became of a batch that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Written,
    /// To be sent again.
    Again {
        /// It may be in the log all the same.
        is_ambiguous: bool,
        /// Somebody else may be the leader.
        refresh: bool,
    },
    /// Larger than the topic takes.
    TooLarge,
    /// The broker misses what came before it, or does not know the producer (KIP-360).
    OutOfSequence,
    /// Will never be taken.
    Refused {
        kind: Kind,
        is_ambiguous: bool,
    },
    /// Nothing of this producer will ever be taken.
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
            // The second is a duplicate of what was written before.
            0 | 46 => Self::Written,
            // NOT_LEADER_OR_FOLLOWER also comes when leadership was lost after the append.
            6 => Self::Again {
                is_ambiguous: waits_for_replicas,
                refresh: true,
            },
            // REQUEST_TIMED_OUT and NOT_ENOUGH_REPLICAS_AFTER_APPEND: the leader has it.
            7 | 20 => Self::Again {
                is_ambiguous: true,
                refresh: false,
            },
            // NETWORK_EXCEPTION.
            13 => Self::Again {
                is_ambiguous: true,
                refresh: true,
            },
            // Unknown topic or partition, no leader, no replica, no listener, fenced epoch, storage, unknown topic id.
            3 | 5 | 8 | 9 | 56 | 72 | 74 | 100 | 103 => AGAIN_ELSEWHERE,
            // CORRUPT_MESSAGE, NOT_ENOUGH_REPLICAS, CONCURRENT_TRANSACTIONS, THROTTLING_QUOTA_EXCEEDED.
            2 | 19 | 51 | 89 => AGAIN,
            10 | 18 => Self::TooLarge,
            // OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID.
            45 | 47 | 59 => Self::OutOfSequence,
            17 | 29 => Self::refused(if code == 29 { Kind::Denied } else { Kind::BadData }),
            // INVALID_TIMESTAMP, INVALID_RECORD.
            32 | 87 => Self::refused(Kind::BadData),
            43 | 44 | 76 => Self::refused(Kind::Failed),
            31 => Self::Fatal(Kind::Denied),
            21 | 35 | 42 | 48 | 49 | 90 => Self::Fatal(Kind::Failed),
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
