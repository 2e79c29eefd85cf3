//! Coordinators: state of clients that is kept in an internal topic and read back from it after a restart.
//!
//! [`log`], [`loading`], [`ownership`] and [`deadlines`] are what every coordinator needs; [`group`] coordinates consumer groups,
//! [`transaction`] transactional producers, [`share`] the partitions that share groups read. Owns no log of its own (node) and no protocol message (handlers).

pub mod deadlines;
pub mod group;
pub mod loading;
pub mod log;
pub mod ownership;
pub mod record_fields;
pub mod share;
pub mod transaction;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic in another request must not make everything else unusable: each change is complete before it can panic.
pub(in crate::broker) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
