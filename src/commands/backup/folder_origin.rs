//! The partitions of a backup, read in the same way as those of a cluster.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use super::manifest::folder_of;
use crate::commands::batch_reading::{BatchFlow, BatchOrigin, BatchVisitor, Range, Slice};
use crate::error::{Error, Result};
use crate::records::batch_header::crc_is_valid;
use crate::storage::read_only::segments_reader::SegmentsReader;
use crate::topic_partition::Offset;

/// How many bytes of a partition are read before the next one gets its turn.
const TURN_BYTES: usize = 1 << 20;

/// A backup's folder.
#[derive(Debug)]
pub(super) struct FolderOrigin {
    pub(super) folder: PathBuf,
}

impl BatchOrigin for FolderOrigin {
    fn read(&self, ranges: Vec<Range>) -> Result<Box<dyn BatchFlow>> {
        let mut flow = FolderFlow {
            folder: self.folder.clone(),
            next_place: 0,
            open: VecDeque::new(),
        };
        flow.add(ranges)?;
        Ok(Box::new(flow))
    }
}

struct Open {
    place: usize,
    range: Range,
    end: Offset,
    reader: SegmentsReader,
}

/// Partitions that are read in turns.
struct FolderFlow {
    folder: PathBuf,
    next_place: usize,
    open: VecDeque<Open>,
}

impl BatchFlow for FolderFlow {
    fn poll(&mut self, _wait: Duration, visitor: &mut dyn BatchVisitor) -> Result<bool> {
        let Some(mut open) = self.open.pop_front() else {
            return Ok(false);
        };
        let (range, place, end) = (&open.range, open.place, open.end);
        let mut is_over = false;
        let has_more = open.reader.read_some(TURN_BYTES, |batch| {
            let header = &batch.header;
            if header.base_offset >= end {
                is_over = true;
                return Ok(());
            }
            if !crc_is_valid(batch.bytes) {
                let (first, last) = (header.base_offset, header.last_offset());
                return Err(Error::bad_data(format!(
                    "{}-{} offset {first}: the batch of offsets {first} to {last} does not have its checksum",
                    range.topic, range.partition
                )));
            }
            let slice = Slice {
                topic: &range.topic,
                partition: range.partition,
                batch,
                is_unchecked: false,
                memory: None,
                from: range.from,
                end,
            };
            visitor.batch(place, &slice)
        })?;
        if has_more && !is_over {
            self.open.push_back(open);
        } else {
            visitor.passed(place, end)?;
        }
        Ok(true)
    }

    fn add(&mut self, ranges: Vec<Range>) -> Result<()> {
        for range in ranges {
            let place = self.next_place;
            self.next_place += 1;
            let end = range.end.unwrap_or(Offset::MAX);
            if range.from < end {
                let folder = folder_of(&self.folder, &range.topic, range.partition);
                self.open.push_back(Open {
                    place,
                    reader: SegmentsReader::new(&folder, range.from),
                    range,
                    end,
                });
            }
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    fn take_notices(&mut self) -> Vec<String> {
        Vec::new()
    }
}
