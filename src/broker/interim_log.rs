//! A log of one segment, until `storage::partition_log` is there: the same signatures, one file, no index.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::records::Batches;
use crate::records::batch_header::{self, BatchHeader};

#[derive(Debug)]
pub struct PartitionLog {
    file: Arc<File>,
    batches: Vec<(i64, i64, u64, u64, i64)>,
    size: u64,
    next_offset: i64,
    start_offset: i64,
}

/// What an append did.
#[derive(Clone, Copy, Debug)]
pub struct Appended {
    pub base_offset: i64,
    pub last_offset: i64,
    pub log_append_time: i64,
    pub log_start_offset: i64,
}

/// A range of one segment that starts with a whole batch.
#[derive(Debug)]
pub struct LogSlice {
    pub file: Arc<File>,
    pub position: u64,
    pub length: usize,
}

impl PartitionLog {
    pub fn open(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let path = dir.join("00000000000000000000.log");
        let file = File::options().read(true).create(true).append(true).open(&path)?;
        let bytes = std::fs::read(&path)?;
        let mut log = Self {
            file: Arc::new(file),
            batches: Vec::new(),
            size: 0,
            next_offset: 0,
            start_offset: 0,
        };
        for batch in Batches::new(&bytes).map_while(std::result::Result::ok) {
            log.push(&batch.header, batch.bytes.len() as u64);
        }
        Ok(log)
    }

    fn push(&mut self, header: &BatchHeader, size: u64) {
        self.batches.push((
            header.base_offset,
            header.last_offset(),
            self.size,
            size,
            header.max_timestamp,
        ));
        self.size += size;
        self.next_offset = header.last_offset() + 1;
    }

    pub fn append(&mut self, batch: &mut [u8], leader_epoch: i32, _now_ms: i64) -> Result<Appended> {
        batch_header::set_base_offset(batch, self.next_offset);
        batch_header::set_leader_epoch(batch, leader_epoch);
        let header =
            BatchHeader::parse(batch).map_err(|error| crate::error::Error::bad_data(format!("{error:?}")))?;
        self.file.write_all_at(batch, self.size)?;
        self.push(&header, batch.len() as u64);
        Ok(Appended {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            log_append_time: -1,
            log_start_offset: self.start_offset,
        })
    }

    pub fn read(&self, offset: i64, max_bytes: usize, at_least_one: bool) -> Option<LogSlice> {
        let first = self.batches.partition_point(|batch| batch.1 < offset);
        let (_, _, position, _, _) = *self.batches.get(first)?;
        let mut length = 0;
        for (_, _, _, size, _) in self.batches.get(first..)? {
            if length + *size as usize > max_bytes && (length > 0 || !at_least_one) {
                break;
            }
            length += *size as usize;
        }
        Some(LogSlice {
            file: Arc::clone(&self.file),
            position,
            length,
        })
    }

    pub fn log_start_offset(&self) -> i64 {
        self.start_offset
    }

    pub fn log_end_offset(&self) -> i64 {
        self.next_offset
    }

    pub fn size_in_bytes(&self) -> u64 {
        self.size
    }
}
