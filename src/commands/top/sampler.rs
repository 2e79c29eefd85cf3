//! Looks at the cluster, one after the other, for as long as the receiver exists.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::look::Lookout;
use crate::monitor::top_state::{Event, Interest};

/// The longest wait for a look that is not due.
const PAUSED: Duration = Duration::from_secs(3600);

/// Looks until the other end hangs up. `asked` sets the subject of the next looks.
pub(super) fn run(mut lookout: Lookout, asked: &Receiver<Interest>, samples: &Sender<Event>) {
    loop {
        let wait = if lookout.is_paused() {
            PAUSED
        } else {
            lookout.wait(Instant::now())
        };
        match asked.recv_timeout(wait) {
            Ok(interest) => {
                lookout.set_interest(interest, Instant::now());
                continue;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let event = match lookout.look() {
            Ok(sample) => Event::Sample(Box::new(sample)),
            Err(error) => Event::Failed(error.message()),
        };
        if samples.send(event).is_err() {
            return;
        }
    }
}
