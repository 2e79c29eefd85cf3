//! Compresses finished batches on its own threads, so that encoding and sending continue meanwhile.
//!
//! Owns the threads, which start with the first batch. Batches are returned in any order, each with its
//! ticket.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::client::direct::network::Waker;
use crate::records::batch_header::{self, HEADER_LEN};
use crate::records::{Codec, compression};

/// More threads would compress faster than brokers accept.
const MOST_THREADS: usize = 4;

/// Which batch of which partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) lane: usize,
    pub(super) batch: u64,
}

/// A batch that was compressed.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) ticket: Ticket,
    pub(super) bytes: Vec<u8>,
    /// The memory of the uncompressed batch, if it is no longer needed.
    pub(super) spare: Option<Vec<u8>>,
}

type Job = (Ticket, Codec, Vec<u8>);

/// Compresses batches.
#[derive(Debug)]
pub(super) struct Sealer {
    level: Option<i32>,
    jobs: Option<Sender<Job>>,
    sealed: Receiver<Sealed>,
    done: Sender<Sealed>,
    waker: Waker,
}

impl Sealer {
    pub(super) fn new(level: Option<i32>, waker: Waker) -> Self {
        let (done, results) = channel();
        Self {
            level,
            jobs: None,
            sealed: results,
            done,
            waker,
        }
    }

    /// Compresses a finished, uncompressed batch; [`Sealer::next`] returns it.
    pub(super) fn seal(&mut self, ticket: Ticket, codec: Codec, batch: Vec<u8>) {
        if self.jobs.is_none() {
            self.jobs = Some(self.begin());
        }
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send((ticket, codec, batch));
        }
    }

    /// A compressed batch, if one is ready.
    pub(super) fn next(&self) -> Option<Sealed> {
        self.sealed.try_recv().ok()
    }

    fn begin(&self) -> Sender<Job> {
        let (sender, receiver) = channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads.min(MOST_THREADS) {
            let (receiver, done) = (Arc::clone(&receiver), self.done.clone());
            let (level, waker) = (self.level, self.waker.clone());
            thread::spawn(move || {
                while let Some((ticket, codec, batch)) = next_job(&receiver) {
                    let (bytes, spare) = seal(codec, level, batch);
                    if done.send(Sealed { ticket, bytes, spare }).is_err() {
                        return;
                    }
                    waker.wake();
                }
            });
        }
        sender
    }
}

fn next_job(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().ok()?.recv().ok()
}

/// The compressed batch, and the memory that is no longer needed; the batch as it was if that is smaller.
fn seal(codec: Codec, level: Option<i32>, batch: Vec<u8>) -> (Vec<u8>, Option<Vec<u8>>) {
    let Some((header, records)) = batch.split_at_checked(HEADER_LEN) else {
        return (batch, None);
    };
    let mut smaller = Vec::with_capacity(HEADER_LEN + records.len() / 2);
    smaller.extend_from_slice(header);
    let outcome = compression::compress_at_level(codec, level, records, &mut smaller);
    if outcome.is_err() || smaller.len() >= batch.len() {
        return (batch, None);
    }
    batch_header::set_codec(&mut smaller, codec);
    (smaller, Some(batch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::batch_builder::{BatchBuilder, BatchOptions};
    use crate::records::batches::Batch;

    #[test]
    fn a_batch_is_compressed_where_that_makes_it_smaller() {
        let build = |value: &[u8]| {
            let mut builder = BatchBuilder::new(BatchOptions::default());
            builder.append(1, None, Some(value), &[]);
            builder.finish_uncompressed()
        };
        let long = build(&[b'a'; 5000]);
        let (sealed, spare) = seal(Codec::Lz4, None, long.clone());
        assert!(sealed.len() < long.len() && spare.is_some());
        assert!(batch_header::crc_is_valid(&sealed));
        let batch = Batch::parse(&sealed).unwrap();
        let mut scratch = Vec::new();
        let record = batch
            .records(&mut scratch, 1 << 20)
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(record.value, Some(&[b'a'; 5000][..]));
        let short = build(b"a");
        assert_eq!(seal(Codec::Lz4, None, short.clone()), (short, None));
    }
}
