//! The offsets of a log's batches, each held against those before and against the log's name and neighbour.
//!
//! Owns which batch is out of place: a base offset is outside the checksum, so that a batch may be sound and lie.

use std::fmt;

use crate::commands::dump_log::files::{DumpFile, segments};
use crate::records::batch_header::BatchHeader;

/// A batch that is out of place.
#[derive(Debug)]
pub(super) struct OutOfPlace {
    /// Where it stands.
    pub(super) position: u64,
    pub(super) what: String,
    /// It is the batch before the one that was asked about.
    pub(super) is_previous: bool,
    /// The last offset before it.
    pub(super) last_good: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    position: u64,
    base_offset: i64,
    last_offset: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " (batch {}-{})", self.base_offset, self.last_offset)
    }
}

/// The offsets of a log as far as it has been walked.
#[derive(Debug)]
pub(super) struct Order<'f> {
    file: &'f DumpFile,
    /// The first offset of the next segment.
    next_segment: Option<i64>,
    /// The last batch in its place.
    latest: Option<Place>,
    /// The last offset before `latest`.
    before: Option<i64>,
}

impl<'f> Order<'f> {
    pub(super) fn new(file: &'f DumpFile, next_segment: Option<i64>) -> Self {
        Self {
            file,
            next_segment,
            latest: None,
            before: None,
        }
    }

    /// The last offset of the last batch in its place.
    pub(super) fn last_offset(&self) -> Option<i64> {
        self.latest.map(|latest| latest.last_offset)
    }

    /// Which batch is out of place now that this one has come, if any.
    pub(super) fn wrong(&mut self, header: &BatchHeader, position: u64) -> Option<OutOfPlace> {
        let place = Place {
            position,
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
        };
        if let Some(what) = self.outside(place) {
            return Some(OutOfPlace {
                position,
                what: what + &place.to_string(),
                is_previous: false,
                last_good: self.last_offset(),
            });
        }
        let Some(latest) = self
            .latest
            .filter(|latest| place.base_offset <= latest.last_offset)
        else {
            self.before = self.last_offset();
            self.latest = Some(place);
            return None;
        };
        // It follows the batch before the last: then that one is out of place.
        let is_previous = self.before.is_some_and(|before| place.base_offset > before)
            && place.base_offset != latest.base_offset;
        if is_previous {
            self.latest = Some(place);
            return Some(OutOfPlace {
                position: latest.position,
                what: format!("offset {} comes behind it{latest}", place.base_offset),
                is_previous,
                last_good: self.before,
            });
        }
        Some(OutOfPlace {
            position,
            what: format!(
                "offset {} follows {}{place}",
                place.base_offset, latest.last_offset
            ),
            is_previous,
            last_good: self.last_offset(),
        })
    }

    /// What is wrong with a batch whatever is before it.
    fn outside(&self, place: Place) -> Option<String> {
        let Place {
            base_offset,
            last_offset,
            ..
        } = place;
        if last_offset < base_offset {
            return Some(format!("the last offset {last_offset} is before the first"));
        }
        if base_offset < self.file.base_offset {
            return Some(format!(
                "offset {base_offset} is before the segment's {}",
                self.file.base_offset
            ));
        }
        let next = self.next_segment.filter(|next| last_offset >= *next)?;
        // A cleaner may have put the segments together in the meantime.
        (self.file.later_segments(&segments(self.file.folder())).next == Some(next))
            .then(|| format!("offset {last_offset} is not before the next segment's {next}"))
    }
}
