//! One walk over a log, several threads that work on its chunks, one output in the order of the log.
//!
//! Owns the threads and the order in which they write. At any time memory holds a chunk and its text for each
//! thread, and a little text that is ready before its turn: a thread with much text waits for its turn before it
//! makes more.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::progress::WalkProgress;
use crate::storage::chunk::Chunk;
use crate::storage::segment_scan::{CHUNK_BYTES, SegmentScan};

/// Bytes of text after which a thread whose turn it is writes them.
pub(crate) const FLUSH_BYTES: usize = 512 * 1024;
/// Bytes of text that all threads together may have before they wait for their turns.
const MOST_TEXT: usize = 8 << 20;
/// How much may be ready before its turn: bytes of text, and chunks, whose results take memory too.
const MOST_READY: usize = 4 << 20;
const MOST_READY_CHUNKS: usize = 16;
/// More threads would take more memory and bring little speed: only one thread writes at a time.
const MOST_THREADS: usize = 4;

/// Why the work ended before the log did.
#[derive(Debug)]
pub(crate) enum Stopped<E> {
    /// The log could not be read.
    Input(io::Error),
    /// The output failed, or its reader has closed it.
    Output(io::Error),
    /// The work itself failed; all text before the failure has been written.
    Work(E),
}

/// Why the work on one chunk ended early.
#[derive(Debug)]
pub(crate) enum Early<E> {
    /// Another thread has stopped everything.
    Cancelled,
    Failed(E),
}

impl<E> From<E> for Early<E> {
    fn from(error: E) -> Self {
        Self::Failed(error)
    }
}

/// Where the text of one chunk goes.
pub(crate) struct Output<'t, 's, E> {
    pub(crate) text: Vec<u8>,
    turns: &'t Turns<'s, E>,
    number: u64,
}

impl<E> Output<'_, '_, E> {
    /// Whether there is enough text to write it now.
    #[inline]
    pub(crate) fn is_long(&self) -> bool {
        self.text.len() >= FLUSH_BYTES && self.is_due()
    }

    fn is_due(&self) -> bool {
        self.text.len() >= self.turns.most_text || self.turns.turn.load(Ordering::Relaxed) == self.number
    }

    /// Writes the text when there is enough of it; it may not be changed after that.
    #[inline]
    pub(crate) fn flush_if_long(&mut self) -> Result<(), Early<E>> {
        if self.is_long() { self.flush() } else { Ok(()) }
    }

    /// Waits for the turn of the chunk, which lasts until the chunk ends.
    pub(crate) fn turn(&self) -> Result<(), Early<E>> {
        self.turns.wait_for(self.number).map(drop).ok_or(Early::Cancelled)
    }

    /// Writes the text, in the turn of the chunk.
    pub(crate) fn flush(&mut self) -> Result<(), Early<E>> {
        let mut shared = self.turns.wait_for(self.number).ok_or(Early::Cancelled)?;
        self.turns
            .write(&mut shared, &self.text)
            .map_err(|()| Early::Cancelled)?;
        self.text.clear();
        // One long record may have made the buffer much larger than usual.
        self.text.shrink_to(4 * FLUSH_BYTES);
        Ok(())
    }
}

/// The result of a chunk.
#[derive(Debug)]
struct Done<T> {
    text: Vec<u8>,
    result: T,
    /// Bytes from the start of the log to the chunk.
    position: u64,
}

/// The chunks that were finished before their turn, and what merges the results in the log's order.
#[derive(Debug)]
struct Finished<T, M> {
    merge: M,
    ready: BTreeMap<u64, Done<T>>,
    /// Text in `ready`.
    bytes: usize,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
}

struct Turns<'s, E> {
    progress: &'s dyn WalkProgress,
    /// The chunk whose turn it is, readable without the lock.
    turn: AtomicU64,
    /// Bytes of text that a thread may have before it waits for its turn.
    most_text: usize,
    /// Where the walk starts in the log.
    start: u64,
    shared: Mutex<Shared<'s, E>>,
    changed: Condvar,
}

struct Shared<'s, E> {
    /// The chunk whose turn it is.
    next: u64,
    stopped: Option<Stopped<E>>,
    out: &'s mut (dyn Write + Send),
}

impl<'s, E> Turns<'s, E> {
    /// Waits for the turn of a chunk; `None` if everything has been stopped.
    fn wait_for(&self, number: u64) -> Option<MutexGuard<'_, Shared<'s, E>>> {
        let shared = locked(&self.shared);
        let early = |shared: &mut Shared<'_, E>| shared.next != number && shared.stopped.is_none();
        let shared = self
            .changed
            .wait_while(shared, early)
            .unwrap_or_else(PoisonError::into_inner);
        shared.stopped.is_none().then_some(shared)
    }

    /// Writes a finished chunk and those after it that are ready, or keeps it until its turn comes. Returns an empty
    /// buffer; `None` if everything has been stopped.
    fn finish<T>(
        &self,
        number: u64,
        done: Done<T>,
        finished: &Mutex<Finished<T, impl FnMut(T)>>,
    ) -> Option<Vec<u8>> {
        let shared = locked(&self.shared);
        if shared.stopped.is_some() {
            return None;
        }
        if shared.next != number {
            let mut finished = locked(finished);
            let has_room = finished.ready.len() < MOST_READY_CHUNKS;
            if has_room && finished.bytes + done.text.len() <= MOST_READY {
                finished.bytes += done.text.len();
                finished.ready.insert(number, done);
                return Some(finished.spare.pop().unwrap_or_default());
            }
        }
        drop(shared);
        let mut shared = self.wait_for(number)?;
        let mut finished = locked(finished);
        let mut next = Some(done);
        while let Some(Done {
            mut text,
            result,
            position,
        }) = next
        {
            self.write(&mut shared, &text).ok()?;
            (finished.merge)(result);
            self.progress.at(position - self.start);
            text.clear();
            finished.spare.push(text);
            shared.next += 1;
            next = finished.ready.remove(&shared.next);
            finished.bytes -= next.as_ref().map_or(0, |done| done.text.len());
        }
        self.turn.store(shared.next, Ordering::Relaxed);
        self.changed.notify_all();
        finished.spare.pop()
    }

    fn write(&self, shared: &mut Shared<'_, E>, text: &[u8]) -> Result<(), ()> {
        shared
            .out
            .write_all(text)
            .map_err(|error| self.stop(shared, Stopped::Output(error)))
    }

    fn stop(&self, shared: &mut Shared<'_, E>, why: Stopped<E>) {
        shared.stopped.get_or_insert(why);
        self.changed.notify_all();
    }
}

/// Works on every chunk of `scan`, `length` bytes of a log. `worker` is called once for each thread and makes its
/// worker, which turns a chunk into text and a result; the results are given to `merge` in the order of the log.
pub(crate) fn work_in_order<T, E, F>(
    scan: &mut SegmentScan,
    length: u64,
    progress: &dyn WalkProgress,
    out: &mut (dyn Write + Send),
    worker: impl Fn() -> F + Sync,
    merge: impl FnMut(T) + Send,
) -> Result<(), Stopped<E>>
where
    T: Send,
    E: Send,
    F: FnMut(&Chunk, &mut Output<'_, '_, E>) -> Result<T, Early<E>>,
{
    let turns = Turns {
        progress,
        turn: AtomicU64::new(0),
        most_text: MOST_TEXT / threads(length),
        start: scan.position(),
        shared: Mutex::new(Shared {
            next: 0,
            stopped: None,
            out,
        }),
        changed: Condvar::new(),
    };
    let finished = Mutex::new(Finished {
        merge,
        ready: BTreeMap::new(),
        bytes: 0,
        spare: Vec::new(),
    });
    let scan = Mutex::new(scan);
    let thread = || one_thread(&scan, &turns, worker(), &finished);
    match threads(length) {
        1 => thread(),
        many => std::thread::scope(|scope| {
            for _ in 1..many {
                scope.spawn(thread);
            }
            thread();
        }),
    }
    let shared = turns.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    shared.stopped.map_or(Ok(()), Err)
}

/// How many threads work on a log of `length` bytes.
fn threads(length: u64) -> usize {
    if length < 4 * CHUNK_BYTES as u64 {
        return 1;
    }
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MOST_THREADS)
}

fn one_thread<T, E, F>(
    scan: &Mutex<&mut SegmentScan>,
    turns: &Turns<'_, E>,
    mut worker: F,
    finished: &Mutex<Finished<T, impl FnMut(T)>>,
) where
    F: FnMut(&Chunk, &mut Output<'_, '_, E>) -> Result<T, Early<E>>,
{
    let mut chunk = Chunk::default();
    let mut text = Vec::new();
    loop {
        let read = locked(scan).next_chunk(&mut chunk);
        match read.and_then(|more| chunk.load().map(|()| more)) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let mut shared = locked(&turns.shared);
                return turns.stop(&mut shared, Stopped::Input(error));
            }
        }
        let mut output = Output {
            text: std::mem::take(&mut text),
            turns,
            number: chunk.number,
        };
        let outcome = worker(&chunk, &mut output);
        if let Err(error) = chunk.check() {
            let mut shared = locked(&turns.shared);
            return turns.stop(&mut shared, Stopped::Input(error));
        }
        let done = |result| Done {
            text: std::mem::take(&mut output.text),
            result,
            position: chunk.position,
        };
        text = match outcome.map(done) {
            Ok(done) => match turns.finish(chunk.number, done, finished) {
                Some(empty) => empty,
                None => return,
            },
            Err(Early::Cancelled) => return,
            Err(Early::Failed(error)) => {
                if let Some(mut shared) = turns.wait_for(chunk.number)
                    && turns.write(&mut shared, &output.text).is_ok()
                {
                    turns.stop(&mut shared, Stopped::Work(error));
                }
                return;
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
