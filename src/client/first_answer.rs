//! A connection to the first of several brokers that answers: one that is down, frozen or behind a firewall does not
//! delay the others.

use std::collections::VecDeque;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::wire::{Connection, ConnectionOptions, HostPort, WireError};

/// How long to wait for a broker before the next one is tried too.
const HEAD_START: Duration = Duration::from_millis(250);

/// Tries the brokers one after the other, the next as soon as one has failed or has not answered for [`HEAD_START`],
/// and takes the first that answers. A frozen broker accepts connections, but does not answer.
///
/// # Errors
///
/// None has answered within `options.connect_timeout`. Of several failures a permanent one is preferred to one that
/// may pass.
pub(super) fn open_first(
    addresses: &[HostPort],
    options: &ConnectionOptions,
) -> Result<Connection, WireError> {
    if let [only] = addresses {
        return Connection::open(only, options);
    }
    let end = Instant::now() + options.connect_timeout;
    let mut waiting: VecDeque<&HostPort> = addresses.iter().collect();
    let (sender, answers) = mpsc::channel();
    let mut under_way = 0;
    let mut failure: Option<WireError> = None;
    loop {
        if let Some(address) = waiting.pop_front() {
            let (sender, address, options) = (sender.clone(), address.clone(), options.clone());
            thread::spawn(move || {
                // The receiver is gone once another broker has answered.
                let _ = sender.send(Connection::open(&address, &options));
            });
            under_way += 1;
        }
        if under_way == 0 {
            break;
        }
        let left = end.saturating_duration_since(Instant::now());
        let wait = if waiting.is_empty() {
            left
        } else {
            left.min(HEAD_START)
        };
        match answers.recv_timeout(wait) {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => {
                under_way -= 1;
                if failure.as_ref().is_none_or(WireError::is_passing) {
                    failure = Some(error);
                }
            }
            Err(RecvTimeoutError::Timeout) if !left.saturating_sub(wait).is_zero() => {}
            Err(_) => {
                let lasting = failure.filter(|failure| !failure.is_passing());
                failure = lasting.or(Some(
                    WireError::TimedOut(options.connect_timeout).at(any_of(addresses)),
                ));
                break;
            }
        }
    }
    Err(match failure.unwrap_or(WireError::Closed) {
        WireError::At { failure, .. } if failure.is_passing() => failure.at(any_of(addresses)),
        other => other,
    })
}

/// The brokers as a phrase: `a:9092, b:9092 or c:9092`.
pub(super) fn any_of(addresses: &[HostPort]) -> String {
    let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.join(""),
    }
}
