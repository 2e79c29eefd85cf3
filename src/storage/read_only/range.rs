//! Which part of a log is read: by offset and by time.

/// A range of offsets and of times; a record belongs to it when both its offset and its timestamp do.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The first offset.
    pub from: i64,
    /// The offset after the last.
    pub to: i64,
    /// The first timestamp, in milliseconds since 1970.
    pub since: Option<i64>,
    /// The timestamp after the last, in milliseconds since 1970.
    pub until: Option<i64>,
}

impl Range {
    /// Every record, even those with an offset that no record should have.
    pub const ALL: Self = Self {
        from: i64::MIN,
        to: i64::MAX,
        since: None,
        until: None,
    };

    /// Whether a record with this timestamp (milliseconds since 1970) is in the range.
    pub fn has_time(&self, timestamp: i64) -> bool {
        self.since.is_none_or(|since| timestamp >= since) && self.until.is_none_or(|until| timestamp < until)
    }

    /// Whether a record with this offset is in the range.
    pub fn has_offset(&self, offset: i64) -> bool {
        self.from <= offset && offset < self.to
    }
}
