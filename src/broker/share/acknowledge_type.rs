//! What a member says about a record that it got (KIP-932, KIP-1222), and which state that asks for.

use crate::broker::coordinator::share::record_state::RecordState;

/// What a member says about a record that it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcknowledgeType {
    /// There is no record at this offset, because of compaction or because it is a marker.
    Gap,
    Accept,
    Release,
    Reject,
    /// It needs more time.
    Renew,
}

impl AcknowledgeType {
    /// The type of this number; `renews`: the request may hold renewals (version 2 with `IsRenewAck`).
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

    /// The state that it asks for; None leaves the state as it is.
    pub fn state(self) -> Option<RecordState> {
        match self {
            AcknowledgeType::Accept => Some(RecordState::Acknowledged),
            AcknowledgeType::Release => Some(RecordState::Available),
            AcknowledgeType::Reject | AcknowledgeType::Gap => Some(RecordState::Archived),
            AcknowledgeType::Renew => None,
        }
    }
}
