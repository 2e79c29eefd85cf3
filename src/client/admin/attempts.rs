//! How often and how long a call is tried, and the message after every attempt failed.

use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::wire::WireError;

/// The first pause between two tries; each later one is twice as long, up to the longest, as with
/// Kafka's `retry.backoff.ms` and `retry.backoff.max.ms`.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The tries of one call.
#[derive(Debug)]
pub(super) struct Attempts {
    began: Instant,
    limit: Duration,
    /// How long tries continue while no broker can be reached.
    patience: Duration,
    tries: u32,
    pause: Duration,
}

impl Attempts {
    pub(super) fn new(limit: Duration, patience: Duration) -> Self {
        Self {
            began: Instant::now(),
            limit,
            patience,
            tries: 1,
            pause: FIRST_PAUSE,
        }
    }

    /// The time left for the call.
    pub(super) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.began.elapsed())
    }

    /// Waits a little before another try; false when there is no time for one.
    pub(super) fn pause(&mut self) -> bool {
        self.pause_within(self.limit)
    }

    /// [`Attempts::pause`] for when no broker could be reached at all.
    pub(super) fn pause_unreached(&mut self) -> bool {
        self.pause_within(self.patience.min(self.limit))
    }

    fn pause_within(&mut self, limit: Duration) -> bool {
        if self.began.elapsed() + self.pause >= limit {
            return false;
        }
        thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.tries += 1;
        true
    }

    /// The last failure, with how often and how long it was tried.
    pub(super) fn gave_up(&self, failure: WireError) -> WireError {
        if self.tries == 1 {
            return failure;
        }
        WireError::GaveUp {
            tries: self.tries,
            after: self.began.elapsed(),
            failure: Box::new(failure),
        }
    }

    /// [`Attempts::gave_up`] for an error that may have another cause.
    pub(super) fn explain(&self, error: Error) -> Error {
        match error.downcast::<WireError>() {
            Ok(failure) if failure.is_passing() => self.gave_up(failure).into(),
            Ok(failure) => failure.into(),
            Err(error) => error,
        }
    }
}
