//! A log opened for the native views: where to begin, found through its indexes, and a walk batch by batch.
//!
//! Owns that; what is done with a batch belongs to the views.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Range;
use super::batch_bytes::BatchBytes;
use super::files::DumpFile;
use super::in_order::{Early, Output, Stopped, work_in_order};
use crate::error::{Error, Result};
use crate::output::log_dump::progress::FileProgress;
use crate::records::batch_header::{BatchHeader, HEADER_LEN, HEADER_UP_TO_MAGIC, MIN_LENGTH_V0};
use crate::records::error::BatchError;
use crate::storage::batch_search::Wanted;
use crate::storage::chunk::Chunk;
use crate::storage::file_name::FileKind;
use crate::storage::offset_index::OffsetIndex;
use crate::storage::segment_scan::{ScanEnd, SegmentScan};
use crate::storage::time_index::TimeIndex;

/// A log that can be walked once.
pub(super) struct Segment {
    scan: SegmentScan,
    /// Where the walk starts in the log.
    pub(super) start: u64,
    /// Bytes from the walk's start to the log's end; `u64::MAX` for a pipe.
    pub(super) length: u64,
    pub(super) name: String,
}

/// A batch that lies whole in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct WholeBatch<'a> {
    pub(super) position: u64,
    pub(super) header: BatchHeader,
    pub(super) bytes: BatchBytes<'a>,
}

impl WholeBatch<'_> {
    pub(super) fn is_valid(&self) -> bool {
        self.bytes.is_valid(&self.header)
    }
}

/// How a walk ended.
#[derive(Debug)]
pub(super) enum WalkEnd {
    /// At the end of the log, or where the visitor wanted to stop.
    Clean,
    /// Bytes that are no whole batch.
    Trailing { position: u64, bytes: u64 },
    /// Nothing but zeros: room that the broker has set aside and not used yet.
    SetAside { position: u64, bytes: u64 },
    /// Bytes that are no batch at all.
    NoBatch { position: u64, why: BatchError },
}

/// Why a worker ends a walk before the log does.
#[derive(Debug)]
pub(super) enum Stop {
    EndOfRange,
    NoBatch(WalkEnd),
    Failed(Error),
}

impl From<(u64, BatchError)> for Stop {
    fn from((position, why): (u64, BatchError)) -> Self {
        Self::NoBatch(WalkEnd::NoBatch { position, why })
    }
}

impl Segment {
    /// Opens a log where `range` begins.
    pub(super) fn open(file: &DumpFile, range: Range) -> Result<Self> {
        if file.path.as_os_str() == "-" {
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

    /// The batches are left where they are, see [`SegmentScan::in_place`].
    pub(super) fn in_place(mut self) -> Self {
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

    /// Visits every batch, and shows on `progress` how far it is; a visitor that breaks ends the walk.
    pub(super) fn each(
        &mut self,
        progress: &FileProgress,
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

    /// Whether what has been read cannot be read again.
    pub(super) fn is_pipe(&self) -> bool {
        self.length == u64::MAX
    }

    /// Moves the walk to the next whole batch from `from` on; None when there is none, and for a pipe.
    pub(super) fn go_on_behind(&mut self, from: u64, wanted: Wanted) -> Result<Option<u64>> {
        let found = self.scan.go_on_behind(from, wanted);
        found.map_err(|error| Error::from(error).context(&self.name))
    }

    /// Works on every chunk on several threads, and writes the text they make in the log's order; `worker` makes a
    /// thread's own worker, whose results `merge` takes in that order too. A worker that stops ends the walk.
    pub(super) fn each_in_order<T, F>(
        &mut self,
        progress: &FileProgress,
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

    /// Looks at every batch on several threads: `looker` makes a thread's own way to look at a batch, which notes what it
    /// has seen; `take` gets these notes in the log's order. Looking that breaks ends the walk.
    pub(super) fn look_in_order<T, F>(
        &mut self,
        progress: &FileProgress,
        looker: impl Fn() -> F + Sync,
        mut take: impl FnMut(T) + Send,
    ) -> Result<WalkEnd>
    where
        T: Default + Send,
        F: FnMut(&WholeBatch<'_>, &mut T) -> ControlFlow<()>,
    {
        let is_over = AtomicBool::new(false);
        let worker = || {
            let mut look = looker();
            let is_over = &is_over;
            move |chunk: &Chunk, _: &mut Output<'_, '_, Stop>| {
                if is_over.load(Ordering::Relaxed) {
                    return Err(Stop::EndOfRange.into());
                }
                let (mut notes, mut end) = (T::default(), None);
                for batch in whole_batches(chunk) {
                    match batch {
                        Ok(batch) if look(&batch, &mut notes).is_continue() => {}
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
        // What a broker is writing begins as a batch does.
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

/// The batches of a chunk, up to the first that is none.
pub(super) fn whole_batches(
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

/// Where to begin to read, by the indexes; 0 when there are none or they cannot be read.
fn start(file: &DumpFile, range: Range) -> u64 {
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
