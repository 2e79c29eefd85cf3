//! Coordinators: state of clients that is kept in an internal topic and read from it after a restart.
//!
//! [`log`], [`loading`], [`ownership`] and [`deadlines`] are what every coordinator needs; [`group`] coordinates
//! groups, [`transaction`] transactional producers, [`share`] the share states of partitions. Owns no log (node) and
//! no protocol message (handlers).

pub mod deadlines;
pub mod group;
pub mod loading;
pub mod log;
pub mod ownership;
pub mod record_fields;
pub mod share;
pub mod transaction;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Ignores poisoning: a panic in one request must not block all others, and each change is complete before anything
/// can panic.
pub(in crate::broker) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
