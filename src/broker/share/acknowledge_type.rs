//! The types of acknowledgements (KIP-932, KIP-1222), and the record states that they lead to.

use crate::broker::coordinator::share::record_state::RecordState;

/// A member's answer about a record that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcknowledgeType {
    /// There is no record at this offset, because of compaction or because it is a control record.
    Gap,
    Accept,
    Release,
    Reject,
    /// The member needs more time.
    Renew,
}

impl AcknowledgeType {
    /// The type of this number; `renews`: whether the request may contain renewals (version 2 with `IsRenewAck`).
    pub fn of(number: i8, renews: bool) -> Option<Self> {
        match number {
            0 => Some(AcknowledgeType::Gap),
            1 => Some(AcknowledgeType::Accept),
            2 => Some(AcknowledgeType::Release),
            3 => Some(AcknowledgeType::Reject),
            4 if renews => Some(AcknowledgeType::Renew),
            _ => None,
        }
    }

    /// The state that it leads to; `None` if the state stays.
    pub fn state(self) -> Option<RecordState> {
        match self {
            AcknowledgeType::Accept => Some(RecordState::Acknowledged),
            AcknowledgeType::Release => Some(RecordState::Available),
            AcknowledgeType::Reject | AcknowledgeType::Gap => Some(RecordState::Archived),
            AcknowledgeType::Renew => None,
        }
    }
}
