//! The states of a record in a share group (KIP-932), and ranges of offsets with the same state, as they are stored.
//! Owns no transition: those are in `broker/share/`.

/// The state of a record; the numbers are those of the protocol and of `__share_group_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum RecordState {
    /// It can be delivered.
    Available = 0,
    /// It was delivered to a member, which has not acknowledged it yet. This state is never stored.
    Acquired = 1,
    /// A member has accepted it.
    Acknowledged = 2,
    /// It is not delivered again: it was rejected, delivered too often, or does not exist.
    Archived = 4,
}

impl RecordState {
    /// The state of this number.
    pub fn of(number: i8) -> Option<Self> {
        match number {
            0 => Some(RecordState::Available),
            1 => Some(RecordState::Acquired),
            2 => Some(RecordState::Acknowledged),
            4 => Some(RecordState::Archived),
            _ => None,
        }
    }

    /// Kafka's number of the state.
    pub fn number(self) -> i8 {
        self as i8
    }

    /// Whether the record is processed: no later event changes the state.
    pub fn is_terminal(self) -> bool {
        matches!(self, RecordState::Acknowledged | RecordState::Archived)
    }
}

/// A range of offsets whose records have the same state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateBatch {
    pub first: i64,
    /// The last offset, inclusive.
    pub last: i64,
    pub state: RecordState,
    pub delivery_count: i16,
}

impl StateBatch {
    /// Number of offsets.
    pub fn count(&self) -> i64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }

    /// Whether `other` begins right after this range, with the same state.
    pub fn continues_with(&self, other: &StateBatch) -> bool {
        self.last.checked_add(1) == Some(other.first)
            && self.state == other.state
            && self.delivery_count == other.delivery_count
    }
}

/// Appends a range to the others; adjacent ranges with the same state are merged.
pub fn push_merged(batches: &mut Vec<StateBatch>, next: StateBatch) {
    match batches.last_mut() {
        Some(last) if last.continues_with(&next) => last.last = next.last,
        _ => batches.push(next),
    }
}
