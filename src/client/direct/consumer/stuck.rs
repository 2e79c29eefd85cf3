//! Partitions that cannot be read now: detected soon, reported in one line each with the reason, and given up if the
//! options say so.

use std::time::{Duration, Instant};

use super::DirectSource;
use super::position::State;
use crate::client::direct::network::Node;
use crate::client::direct::words;
use crate::error::Error;
use crate::plain_words;
use crate::wire::WireError;
use crate::wire::error::in_seconds;

/// How long a partition may make no progress before that is reported.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long a broker may be silent beyond `fetch.max.wait.ms`.
const SILENCE: Duration = Duration::from_secs(1);

/// The shortest silence after which another connection is tried before the request times out.
const SECOND_TRY: Duration = Duration::from_secs(2);

impl DirectSource {
    pub(super) fn note_stuck(&mut self, places: &[usize]) {
        let now = Instant::now();
        for place in places {
            if let Some(position) = self.positions.get_mut(*place) {
                position.stuck_since.get_or_insert(now);
            }
        }
    }

    /// Reports which partitions cannot be read and why; one that cannot be read for too long ends the reading.
    pub(super) fn watch_for_stuck_partitions(&mut self) {
        let now = Instant::now();
        let mut news: Vec<(String, Vec<String>)> = Vec::new();
        let mut is_any_stuck = false;
        for place in 0..self.positions.len() {
            let Some(since) = self.stuck_since(place, now) else {
                continue;
            };
            let age = now.saturating_duration_since(since);
            if age < PATIENCE {
                continue;
            }
            is_any_stuck = true;
            if let Some(limit) = self.give_up_after.filter(|limit| age >= *limit) {
                let error = format!(
                    "{}: not readable for {}: {}",
                    self.name(place),
                    in_seconds(limit),
                    self.trouble(place)
                );
                self.failure.get_or_insert(Error::unreachable(error));
                return;
            }
            let (name, trouble) = (self.name(place), self.trouble(place));
            let Some(position) = self.positions.get_mut(place) else {
                continue;
            };
            if std::mem::replace(&mut position.is_reported, true) {
                continue;
            }
            match news.iter_mut().find(|(known, _)| *known == trouble) {
                Some((_, names)) => names.push(name),
                None => news.push((trouble, vec![name])),
            }
        }
        if is_any_stuck {
            // Another broker may have become the leader while the former one does not answer.
            self.session.refresh();
        }
        let wait = match self.give_up_after {
            Some(limit) => format!("waiting up to {}", in_seconds(limit)),
            None => "waiting for it".to_owned(),
        };
        for (trouble, names) in news {
            self.notices
                .push(format!("{}: {trouble}; {wait}", plain_words::few(&names)));
        }
    }

    /// Since when a partition makes no progress; `None` if it does.
    fn stuck_since(&mut self, place: usize, now: Instant) -> Option<Instant> {
        let patience = self.settings.max_wait + SILENCE;
        let position = self.positions.get_mut(place)?;
        if position.is_closed || position.state == State::Halted || position.is_fetched_to_end() {
            return None;
        }
        if let Some(broker) = position.asked.filter(|_| position.is_asked)
            && let Some(since) = self.session.silent_since(Node::Broker(broker))
            && now.saturating_duration_since(since) >= patience
        {
            position.stuck_since.get_or_insert(since);
            let silence = now.saturating_duration_since(since);
            // Perhaps only this connection is dead, and there is time left for another.
            if self
                .give_up_after
                .is_some_and(|limit| (SECOND_TRY.max(limit / 2)..limit).contains(&silence))
            {
                let error = WireError::TimedOut(silence);
                self.session.close(Node::Broker(broker), error);
                return self.positions.get(place)?.stuck_since;
            }
        }
        if position.leader.is_none() || matches!(position.state, State::Unresolved(_)) {
            position.stuck_since.get_or_insert(now);
        }
        position.stuck_since
    }

    pub(super) fn trouble(&self, place: usize) -> String {
        let Some(position) = self.positions.get(place) else {
            return String::new();
        };
        self.trouble_of(&position.topic, position.partition)
    }

    /// Why a partition cannot be read now, as far as known.
    pub(crate) fn trouble_of(&self, topic: &str, partition: i32) -> String {
        words::trouble(&self.session, topic, partition)
    }

    /// The error of a question that no leader has answered.
    pub(super) fn unanswered(&self, topic: &str, partition: i32, after: Duration) -> Error {
        let trouble = self.trouble_of(topic, partition);
        Error::unreachable(format!(
            "{topic}-{partition}: no offset in {}: {trouble}",
            in_seconds(after)
        ))
    }
}
