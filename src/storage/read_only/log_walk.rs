//! A log opened for reading: where to begin, found through its indexes, and a walk batch by batch.
//!
//! Owns where a walk begins and how it ended; the caller decides what is done with a batch.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::batch_bytes::BatchBytes;
use super::in_order::{Early, Output, Stopped, work_in_order};
use super::log_dir_file::LogDirFile;
use super::progress::WalkProgress;
use super::range::Range;
use crate::error::{Error, Result};
use crate::records::batch_header::{BatchHeader, HEADER_LEN, HEADER_UP_TO_MAGIC, MIN_LENGTH_V0};
use crate::records::error::BatchError;
use crate::storage::batch_search::Wanted;
use crate::storage::chunk::Chunk;
use crate::storage::file_name::FileKind;
use crate::storage::offset_index::OffsetIndex;
use crate::storage::segment_scan::{ScanEnd, SegmentScan};
use crate::storage::time_index::TimeIndex;

/// A log that can be walked once, batch by batch.
pub(crate) struct LogWalk {
    scan: SegmentScan,
    /// Where the walk starts in the log.
    pub(crate) start: u64,
    /// Bytes from the walk's start to the log's end when it was opened; `u64::MAX` for a pipe.
    pub(crate) length: u64,
    /// For messages: the folder and the name of the file, or `stdin`.
    pub(crate) name: String,
}

/// A batch all of whose bytes are in the log. Its checksum may be wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholeBatch<'a> {
    /// Bytes from the start of the log.
    pub(crate) position: u64,
    pub(crate) header: BatchHeader,
    pub(crate) bytes: BatchBytes<'a>,
}

impl WholeBatch<'_> {
    /// Whether the checksum in the header is that of the bytes.
    pub(crate) fn is_valid(&self) -> bool {
        self.bytes.is_valid(&self.header)
    }
}

/// How a walk ended. `position` counts bytes from the start of the log.
#[derive(Debug)]
pub(crate) enum WalkEnd {
    /// At the end of the log, or where the visitor stopped.
    Clean,
    /// Bytes that are no whole batch.
    Trailing { position: u64, bytes: u64 },
    /// Only zeros up to the end of the log: space that the broker has preallocated and not used yet.
    SetAside { position: u64, bytes: u64 },
    /// Bytes that cannot be the header of a batch.
    NoBatch { position: u64, why: BatchError },
}

/// Why a worker ends a walk before the log does.
#[derive(Debug)]
pub(crate) enum Stop {
    EndOfRange,
    NoBatch(WalkEnd),
    Failed(Error),
}

impl From<(u64, BatchError)> for Stop {
    fn from((position, why): (u64, BatchError)) -> Self {
        Self::NoBatch(WalkEnd::NoBatch { position, why })
    }
}

impl LogWalk {
    /// Opens a log where `range` begins.
    pub(crate) fn open(file: &LogDirFile, range: Range) -> Result<Self> {
        if file.is_stdin() {
            return Ok(Self::of_pipe(Box::new(io::stdin()), "stdin".to_owned()));
        }
        let name = file.short_name();
        let failed = |error: io::Error| Error::from(error).context(file.path.display());
        let log = File::open(&file.path).map_err(failed)?;
        let metadata = log.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Ok(Self::of_pipe(Box::new(log), name));
        }
        let end = metadata.len();
        let start = start(file, range).min(end);
        Ok(Self {
            scan: SegmentScan::of_file(log, start, end),
            start,
            length: end - start,
            name,
        })
    }

    /// The batches are not read into memory, see [`SegmentScan::in_place`].
    pub(crate) fn in_place(mut self) -> Self {
        self.scan = self.scan.in_place();
        self
    }

    fn of_pipe(pipe: Box<dyn Read + Send>, name: String) -> Self {
        Self {
            scan: SegmentScan::of_pipe(pipe),
            start: 0,
            length: u64::MAX,
            name,
        }
    }

    /// Visits every batch on this thread; a visitor that breaks ends the walk.
    pub(crate) fn each(
        &mut self,
        progress: &dyn WalkProgress,
        mut visit: impl FnMut(WholeBatch<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<WalkEnd> {
        let mut chunk = Chunk::default();
        loop {
            let more = self
                .scan
                .read_chunk(&mut chunk)
                .map_err(|error| Error::from(error).context(&self.name))?;
            if !more {
                return self.end();
            }
            progress.at(chunk.position - self.start);
            for batch in whole_batches(&chunk) {
                match batch {
                    Ok(batch) => {
                        if visit(batch)?.is_break() {
                            return Ok(WalkEnd::Clean);
                        }
                    }
                    Err((position, why)) => return Ok(WalkEnd::NoBatch { position, why }),
                }
            }
        }
    }

    /// Whether the input is a pipe, whose bytes cannot be read again.
    pub(crate) fn is_pipe(&self) -> bool {
        self.length == u64::MAX
    }

    /// Moves the walk to the next whole batch at the byte `from` or after it; `None` if there is none, and for a pipe.
    pub(crate) fn resume_from(&mut self, from: u64, wanted: Wanted) -> Result<Option<u64>> {
        let found = self.scan.resume_from(from, wanted);
        found.map_err(|error| Error::from(error).context(&self.name))
    }

    /// Works on the chunks of the log on several threads. `worker` is called once for each thread and makes its worker;
    /// the text of the workers is written to `out`, and their results are given to `merge`, in the order of the log. A
    /// worker that returns [`Stop`] ends the walk.
    pub(crate) fn each_in_order<T, F>(
        &mut self,
        progress: &dyn WalkProgress,
        out: &mut (dyn Write + Send),
        worker: impl Fn() -> F + Sync,
        merge: impl FnMut(T) + Send,
    ) -> Result<WalkEnd>
    where
        T: Send,
        F: FnMut(&Chunk, &mut Output<'_, '_, Stop>) -> Result<T, Early<Stop>>,
    {
        match work_in_order(&mut self.scan, self.length, progress, out, worker, merge) {
            Ok(()) => self.end(),
            Err(Stopped::Work(Stop::EndOfRange)) => Ok(WalkEnd::Clean),
            Err(Stopped::Work(Stop::NoBatch(end))) => Ok(end),
            Err(Stopped::Work(Stop::Failed(error))) => Err(error.context(&self.name)),
            Err(Stopped::Input(error)) => Err(Error::from(error).context(&self.name)),
            Err(Stopped::Output(error)) => Err(error.into()),
        }
    }

    /// Reads every batch on several threads. `reader` is called once for each thread and makes a function that reads a
    /// batch and adds to the notes of its chunk; `take` gets the notes of chunk after chunk, in the order of the log. A
    /// function that breaks ends the walk.
    pub(crate) fn read_in_order<T, F>(
        &mut self,
        progress: &dyn WalkProgress,
        reader: impl Fn() -> F + Sync,
        mut take: impl FnMut(T) + Send,
    ) -> Result<WalkEnd>
    where
        T: Default + Send,
        F: FnMut(&WholeBatch<'_>, &mut T) -> ControlFlow<()>,
    {
        let is_over = AtomicBool::new(false);
        let worker = || {
            let mut read = reader();
            let is_over = &is_over;
            move |chunk: &Chunk, _: &mut Output<'_, '_, Stop>| {
                if is_over.load(Ordering::Relaxed) {
                    return Err(Stop::EndOfRange.into());
                }
                let (mut notes, mut end) = (T::default(), None);
                for batch in whole_batches(chunk) {
                    match batch {
                        Ok(batch) if read(&batch, &mut notes).is_continue() => {}
                        Ok(_) => end = Some(WalkEnd::Clean),
                        Err((position, why)) => end = Some(WalkEnd::NoBatch { position, why }),
                    }
                    if end.is_some() {
                        break;
                    }
                }
                Ok((notes, end))
            }
        };
        let mut early = None;
        let merge = |(notes, end)| {
            if early.is_none() {
                take(notes);
                early = end;
                is_over.store(early.is_some(), Ordering::Relaxed);
            }
        };
        let end = self.each_in_order(progress, &mut io::sink(), worker, merge)?;
        Ok(early.unwrap_or(end))
    }

    /// How the walk ended, when all chunks have been taken.
    fn end(&mut self) -> Result<WalkEnd> {
        let position = self.scan.position();
        if let Some(ScanEnd::TooSmall { length: 0 }) = self.scan.end() {
            let zeros = self.scan.trailing_zeros();
            let zeros = zeros.map_err(|error| Error::from(error).context(&self.name))?;
            if let Some(bytes) = zeros {
                return Ok(WalkEnd::SetAside { position, bytes });
            }
        }
        // The first bytes of a batch that a broker is writing are those of a batch; these are not.
        let magic = self
            .scan
            .rest()
            .get(HEADER_UP_TO_MAGIC - 1)
            .map(|byte| *byte as i8);
        if let (Some(ScanEnd::End { trailing: 1.. }), Some(magic @ (..0 | 3..))) = (self.scan.end(), magic) {
            return Ok(WalkEnd::NoBatch {
                position,
                why: BatchError::UnknownMagic(magic),
            });
        }
        Ok(match self.scan.end() {
            Some(ScanEnd::End { trailing }) if trailing > 0 => WalkEnd::Trailing {
                position,
                bytes: trailing,
            },
            Some(ScanEnd::TooSmall { length }) => WalkEnd::NoBatch {
                position,
                why: BatchError::TooSmall {
                    length,
                    minimum: MIN_LENGTH_V0,
                },
            },
            _ => WalkEnd::Clean,
        })
    }
}

/// The batches of a chunk, up to the first header that is none: its position and what is wrong with it.
pub(crate) fn whole_batches(
    chunk: &Chunk,
) -> impl Iterator<Item = Result<WholeBatch<'_>, (u64, BatchError)>> {
    let mut at = 0;
    let mut failed = false;
    std::iter::from_fn(move || {
        if let Some(large) = &chunk.large {
            if std::mem::replace(&mut failed, true) {
                return None;
            }
            let header = BatchHeader::parse(&chunk.bytes);
            return Some(
                header
                    .map_err(|why| (chunk.position, why))
                    .map(|header| WholeBatch {
                        position: chunk.position,
                        header,
                        bytes: BatchBytes::Stored(large),
                    }),
            );
        }
        if at >= chunk.len || failed {
            return None;
        }
        let position = chunk.position + at as u64;
        let header = match BatchHeader::parse(chunk.head(at, &mut [0; HEADER_LEN])) {
            Ok(header) => header,
            Err(why) => {
                failed = true;
                return Some(Err((position, why)));
            }
        };
        let bytes = BatchBytes::from(chunk.batch(at, header.size_in_bytes()));
        at += header.size_in_bytes();
        Some(Ok(WholeBatch {
            position,
            header,
            bytes,
        }))
    })
}

/// The byte where to begin to read, found through the indexes; 0 when there are none or they cannot be read.
fn start(file: &LogDirFile, range: Range) -> u64 {
    let offsets = || OffsetIndex::open(&file.sibling(FileKind::OffsetIndex)?, file.base_offset).ok();
    let position_of = |offset: i64| {
        let floor = offsets()?.floor(offset).ok()??;
        Some(u64::from(floor.position))
    };
    let by_offset = (range.from > file.base_offset)
        .then(|| position_of(range.from))
        .flatten();
    let by_time = range.since.and_then(|since| {
        let index = TimeIndex::open(&file.sibling(FileKind::TimeIndex)?, file.base_offset).ok()?;
        // Everything up to this entry is older than it.
        let floor = index.floor(since.checked_sub(1)?).ok()??;
        position_of(floor.offset)
    });
    by_offset.max(by_time).unwrap_or(0)
}
