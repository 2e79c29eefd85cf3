//! Bytes of files and stdin, read ahead by a thread, so that no other thread blocks in a `read`.
//!
//! Owns the thread and the bound on what it reads ahead (a few chunks).

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};

/// The bytes of one read; a pipe returns what it has.
const CHUNK: usize = 256 * 1024;
/// Space before the bytes that are read, for the incomplete piece at the end of the previous chunk.
const HEADROOM: usize = 16 * 1024;
/// How many chunks are read ahead.
const AHEAD: usize = 4;

/// Where bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    /// The name in messages.
    pub fn name(&self) -> String {
        match self {
            Source::Stdin => "standard input".to_owned(),
            Source::File(path) => path.display().to_string(),
        }
    }
}

/// Bytes with free space before them.
#[derive(Debug)]
pub struct Block {
    bytes: Vec<u8>,
    /// The start of the bytes that were read.
    start: usize,
}

impl Block {
    /// A block whose data are the bytes from `start` on; the space before them is free.
    pub fn new(bytes: Vec<u8>, start: usize) -> Self {
        Self { bytes, start }
    }

    /// The bytes that were read.
    pub fn data(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// All bytes, and the start of the data.
    pub fn into_parts(self) -> (Vec<u8>, usize) {
        (self.bytes, self.start)
    }
}

/// The next event of the input.
#[derive(Debug)]
pub enum Chunk {
    Data(Block),
    /// The end of one source; lines do not continue after it.
    EndOfSource,
    /// Nothing within the wait.
    Idle,
    /// The end of the last source.
    End,
}

type Message = io::Result<Chunk>;

/// The bytes of several sources, one after the other.
#[derive(Debug)]
pub struct Chunks {
    receiver: Receiver<(usize, Message)>,
    /// Used memory goes back to the reader: fresh memory costs more than reading into it.
    used: SyncSender<Vec<u8>>,
    sources: Vec<Source>,
}

impl Chunks {
    /// Starts to read.
    pub fn read(sources: Vec<Source>) -> Self {
        let (sender, receiver) = sync_channel(AHEAD);
        let (used, empty) = sync_channel(AHEAD + 2);
        let list = sources.clone();
        thread::spawn(move || {
            for (position, source) in list.iter().enumerate() {
                if read_source(source, position, &sender, &empty).is_err() {
                    return;
                }
            }
        });
        Self {
            receiver,
            used,
            sources,
        }
    }

    /// Returns the memory of a chunk when its bytes are not needed any longer.
    pub fn recycle(&self, memory: Vec<u8>) {
        if memory.capacity() > 0 {
            let _ = self.used.try_send(memory);
        }
    }

    /// The next chunk, waiting up to `wait`.
    pub fn next(&mut self, wait: Duration) -> Result<Chunk> {
        match self.receiver.recv_timeout(wait) {
            Ok((_, Ok(chunk))) => Ok(chunk),
            Ok((position, Err(error))) => {
                let name = self.sources.get(position).map_or_else(String::new, Source::name);
                Err(Error::from(error).context(name))
            }
            Err(RecvTimeoutError::Timeout) => Ok(Chunk::Idle),
            Err(RecvTimeoutError::Disconnected) => Ok(Chunk::End),
        }
    }
}

/// Reads one source to its end. An error means that the receiver is gone, or that reading failed.
fn read_source(
    source: &Source,
    position: usize,
    sender: &SyncSender<(usize, Message)>,
    empty: &Receiver<Vec<u8>>,
) -> Result<(), ()> {
    let outcome = match source {
        Source::Stdin => pass_on(&mut io::stdin().lock(), position, sender, empty),
        Source::File(path) => match File::open(path) {
            Ok(mut file) => pass_on(&mut file, position, sender, empty),
            Err(error) => Err(Some(error)),
        },
    };
    let last = match outcome {
        Ok(()) => return sender.send((position, Ok(Chunk::EndOfSource))).map_err(|_| ()),
        Err(None) => return Err(()),
        Err(Some(error)) => error,
    };
    let _ = sender.send((position, Err(last)));
    Err(())
}

fn pass_on(
    reader: &mut dyn Read,
    position: usize,
    sender: &SyncSender<(usize, Message)>,
    empty: &Receiver<Vec<u8>>,
) -> Result<(), Option<io::Error>> {
    loop {
        // The system zeroes fresh memory when it is touched: a short input touches only what it needs.
        let mut chunk = empty.try_recv().unwrap_or_else(|_| vec![0; HEADROOM + CHUNK]);
        chunk.resize(HEADROOM + CHUNK, 0);
        let count = match reader.read(chunk.get_mut(HEADROOM..).unwrap_or_default()) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Some(error)),
        };
        chunk.truncate(HEADROOM + count);
        sender
            .send((position, Ok(Chunk::Data(Block::new(chunk, HEADROOM)))))
            .map_err(|_| None)?;
    }
}
