//! How long a command waits for its cluster: one deadline for all its requests, or one for each answer.
//!
//! A command that reads or changes something has one deadline from its start to its end. For a command without an end
//! (produce, consume, a watch) the limit is the time without an answer.

use std::time::{Duration, Instant};

/// The time of a native command without `--timeout`.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Until when the cluster may answer.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    limit: Duration,
    /// When the time began to run; `None` if every answer has the whole limit.
    since: Option<Instant>,
}

impl Deadline {
    /// One deadline for the whole command; the time runs from now on.
    pub fn for_command(limit: Duration) -> Self {
        Self {
            limit,
            since: Some(Instant::now()),
        }
    }

    /// The whole limit for each answer.
    pub fn for_each_answer(limit: Duration) -> Self {
        Self { limit, since: None }
    }

    /// The whole time.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// The time that is left; zero when it is over.
    pub fn left(&self) -> Duration {
        match self.since {
            Some(since) => self.limit.saturating_sub(since.elapsed()),
            None => self.limit,
        }
    }

    /// Whether the limit is that of one answer.
    pub fn is_for_each_answer(&self) -> bool {
        self.since.is_none()
    }

    /// Restarts the time: until now the user was asked something, and not the cluster.
    pub fn restart(&mut self) {
        if self.since.is_some() {
            self.since = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_command_runs_out_of_time() {
        let over = Deadline::for_command(Duration::ZERO);
        assert_eq!(over.left(), Duration::ZERO);
        let limit = Duration::from_secs(3);
        assert_eq!(Deadline::for_each_answer(limit).left(), limit);
        assert!(Deadline::for_command(limit).left() <= limit);
    }
}
