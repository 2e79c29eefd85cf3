//! Partitions without records before their end: checks whether their leaders answer; a silence that lasts too long ends
//! the reading.

use std::time::{Duration, Instant};

use super::consumer::{Consumer, Queue};
use crate::client::record_source::Position;
use crate::error::{Error, Result};
use crate::wire::error::in_seconds;

/// How long a partition may be silent before its end until its leader is checked.
const SILENCE: Duration = Duration::from_secs(1);

/// Partitions without records although their end was not reached.
#[derive(Debug)]
pub(super) struct Silence {
    /// A silence that lasts longer ends the reading.
    limit: Option<Duration>,
    /// Since when a leader of one of them does not answer.
    since: Option<Instant>,
    asked_at: Instant,
    told: Vec<String>,
}

impl Silence {
    /// `limit`: a silence that lasts longer ends the reading.
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            since: None,
            asked_at: Instant::now(),
            told: Vec::new(),
        }
    }

    /// Takes partitions whose leaders have not answered, each with the reason. Returns a line for each that was not
    /// reported yet.
    ///
    /// # Errors
    ///
    /// The silence has lasted for too long.
    fn goes_on(&mut self, unanswered: Vec<(String, i32, String)>) -> Result<Vec<String>> {
        let since = *self.since.get_or_insert(Instant::now());
        let mut lines = Vec::new();
        for (topic, partition, trouble) in unanswered {
            let name = format!("{topic}-{partition}");
            if let Some(limit) = self.limit.filter(|limit| since.elapsed() >= *limit) {
                let limit = in_seconds(limit);
                return Err(Error::unreachable(format!(
                    "{name}: not readable for {limit}: {trouble}"
                )));
            }
            if !self.told.contains(&name) {
                let wait = self.limit.map_or_else(
                    || "waiting for it".to_owned(),
                    |limit| format!("waiting up to {}", in_seconds(limit)),
                );
                lines.push(format!("{name}: {trouble}; {wait}"));
                self.told.push(name);
            }
        }
        Ok(lines)
    }
}

impl Consumer {
    /// Checks the leaders of silent partitions, and reports those that do not answer.
    pub(super) fn watch_for_silence(&mut self) -> Result<()> {
        let is_silent = |queue: &&Queue| !queue.is_at_end && queue.heard_at.elapsed() >= SILENCE;
        let silent = self.queues.iter().filter(is_silent);
        let silent: Vec<(String, i32)> = silent
            .map(|queue| (queue.topic.clone(), queue.partition))
            .collect();
        if silent.is_empty() {
            self.silence.since = None;
            self.silence.told.clear();
            return Ok(());
        }
        if self.silence.asked_at.elapsed() < SILENCE {
            return Ok(());
        }
        let questions: Vec<(&str, i32, Position)> = silent
            .iter()
            .map(|(topic, partition)| (topic.as_str(), *partition, Position::End))
            .collect();
        let unanswered = self.questions.unanswered_of(&questions, SILENCE / 2);
        self.silence.asked_at = Instant::now();
        if unanswered.is_empty() {
            self.silence.since = None;
            return Ok(());
        }
        for line in self.silence.goes_on(unanswered)? {
            self.notices.say(line);
        }
        Ok(())
    }
}
