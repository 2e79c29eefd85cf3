//! When nothing sent has been answered for a while: since when, and the words for it.
//!
//! Owns the clock of one producer's deliveries. What the brokers said meanwhile is asked of others.

use std::time::{Duration, Instant};

use super::ffi::Overheard;
use super::notices::Notices;

/// How long nothing may be delivered before the user hears of it.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long until the user hears of it again.
const REMINDER: Duration = Duration::from_secs(30);

/// When something was last delivered, and when the user last heard that nothing is.
#[derive(Debug)]
pub(super) struct Stall {
    since: Instant,
    told: Option<Instant>,
}

impl Stall {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            told: None,
        }
    }

    /// Notes that a record ended, or that none is under way. The line says so if the user was told of a stall.
    pub(super) fn end(&mut self) -> Option<String> {
        let waited = self.since.elapsed();
        self.since = Instant::now();
        self.told
            .take()
            .map(|_| format!("records are delivered again, after {} s", waited.as_secs()))
    }

    /// How long nothing has been delivered.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// The line for the user, when one is due: which broker, since when, what it answered.
    pub(super) fn line(
        &mut self,
        records: usize,
        servers: &str,
        notices: &Notices,
        overheard: &Overheard,
    ) -> Option<String> {
        if self.age() < PATIENCE || self.told.is_some_and(|told| told.elapsed() < REMINDER) {
            return None;
        }
        self.told = Some(Instant::now());
        let seconds = self.age().as_secs();
        let cause = cause(notices, overheard).unwrap_or_else(|| format!("no broker of {servers} answers"));
        Some(format!(
            "nothing delivered for {seconds} s, {records} records wait: {cause} (trying on; Ctrl-C gives them up)"
        ))
    }
}

/// Why records are not delivered, as far as it is known: the broker that refuses them, cannot be reached or is silent.
pub(super) fn cause(notices: &Notices, overheard: &Overheard) -> Option<String> {
    if let Some(trouble) = notices.trouble() {
        return Some(trouble.to_owned());
    }
    let (broker, age) = overheard.silent_broker()?;
    let broker = broker.split('/').next().unwrap_or_default();
    (age >= Duration::from_secs(1))
        .then(|| format!("broker {broker} has not answered for {} s", age.as_secs()))
}
