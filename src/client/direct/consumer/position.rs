//! How far one partition is read: a state machine without socket or clock.
//!
//! Owns the rules about what is requested next, and from which broker:
//! - The position moves by the fetched batches, each to the end that its header states: compacted gaps, markers and
//!   aborted records count.
//! - An answer counts only if it was requested at the current position.
//! - Under a new leader epoch the position is first validated against the new leader's log (KIP-320).

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::topic_partition::{BrokerId, Offset};

/// How long a preferred replica is read from before the leader is asked again (KIP-392).
const REPLICA_LEASE: Duration = Duration::from_secs(300);

/// What must happen before a partition can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// An offset: the answer to this question of ListOffsets (-2 the first, -1 the end).
    Unresolved(i64),
    /// The confirmation of the new leader that its log has the position.
    Unvalidated,
    /// Nothing.
    Fetching,
    /// Fetched data must be shown first: it ends in an error.
    Halted,
}

/// How far a partition is read.
#[derive(Clone, Debug)]
pub(super) struct Position {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) topic_id: Uuid,
    /// The next offset to fetch.
    pub(super) offset: Offset,
    /// The next offset to show.
    pub(super) shown: Offset,
    /// Records from this offset on are not wanted.
    end: Option<Offset>,
    /// The leader epoch of the last batch; -1 before there was one.
    pub(super) epoch: i32,
    pub(super) leader: Option<BrokerId>,
    pub(super) leader_epoch: i32,
    pub(super) state: State,
    /// The partition is no longer read.
    pub(super) is_closed: bool,
    /// A request for it is in flight.
    pub(super) is_asked: bool,
    /// The broker of the last request.
    pub(super) asked: Option<BrokerId>,
    /// Changes whenever the position moves in another way than by reading.
    pub(super) generation: u32,
    replica: Option<(BrokerId, Instant)>,
    retry_at: Option<Instant>,
    failures: u32,
    /// Since when requests have failed.
    pub(super) stuck_since: Option<Instant>,
    pub(super) is_reported: bool,
}

impl Position {
    /// A negative offset is a question of ListOffsets: -2 is the log start offset, -1 the end. Nothing is fetched
    /// from `end` on.
    pub(super) fn new(topic: &str, partition: i32, offset: Offset, end: Option<Offset>) -> Self {
        Self {
            topic: topic.to_owned(),
            partition,
            topic_id: Uuid::nil(),
            offset,
            shown: offset,
            end,
            epoch: -1,
            leader: None,
            leader_epoch: -1,
            state: if offset < 0 {
                State::Unresolved(offset)
            } else {
                State::Fetching
            },
            is_closed: false,
            is_asked: false,
            asked: None,
            generation: 0,
            replica: None,
            retry_at: None,
            failures: 0,
            stuck_since: None,
            is_reported: false,
        }
    }

    /// Takes over the cluster's metadata; returns whether the topic was recreated.
    pub(super) fn learn(&mut self, topic_id: Uuid, leader: Option<BrokerId>, leader_epoch: i32) -> bool {
        let is_recreated = !self.topic_id.is_nil() && self.topic_id != topic_id;
        self.topic_id = topic_id;
        if self.leader != leader {
            self.retry_at = None;
            self.replica = None;
            // The former leader may never answer. If it does, the answer still counts if it fits the position.
            self.is_asked = false;
        }
        let is_new_epoch = leader_epoch > self.leader_epoch && self.leader_epoch >= 0;
        if is_new_epoch && self.epoch >= 0 && self.state == State::Fetching && !is_recreated {
            self.state = State::Unvalidated;
        }
        (self.leader, self.leader_epoch) = (leader, leader_epoch);
        is_recreated
    }

    /// Whether all that is wanted was shown.
    pub(super) fn is_shown_to_end(&self) -> bool {
        self.end.is_some_and(|end| self.shown >= end)
    }

    /// Whether all that is wanted was fetched.
    pub(super) fn is_fetched_to_end(&self) -> bool {
        self.end.is_some_and(|end| self.offset >= end)
    }

    /// Continues at another offset; a negative one is a question of ListOffsets. Fetched data that was not shown is
    /// dropped.
    pub(super) fn seek(&mut self, offset: Offset) {
        self.offset = offset;
        self.shown = offset;
        // The end belonged to the former log; the new one is read without an end.
        self.end = None;
        self.epoch = -1;
        self.generation += 1;
        self.replica = None;
        self.state = if offset < 0 {
            State::Unresolved(offset)
        } else {
            State::Fetching
        };
    }

    /// Notes that a request was sent.
    pub(super) fn ask(&mut self, broker: BrokerId) {
        self.is_asked = true;
        self.asked = Some(broker);
    }

    /// The broker to send a request to, if one is needed now.
    pub(super) fn target(&mut self, now: Instant) -> Option<BrokerId> {
        if self.is_closed || self.is_asked || self.retry_at.is_some_and(|at| at > now) {
            return None;
        }
        if self.replica.is_some_and(|(_, until)| until <= now) {
            self.replica = None;
        }
        match self.state {
            State::Fetching if self.is_fetched_to_end() => None,
            State::Fetching => self.replica.map(|(id, _)| id).or(self.leader),
            State::Unresolved(_) | State::Unvalidated => self.leader,
            State::Halted => None,
        }
    }

    /// Batches were fetched: the next offset is `offset`, and the last batch has the leader epoch `epoch`.
    pub(super) fn advance(&mut self, offset: Offset, epoch: i32) {
        self.offset = offset;
        self.epoch = self.epoch.max(epoch);
    }

    /// A request succeeded.
    pub(super) fn answered_well(&mut self) {
        self.failures = 0;
        self.retry_at = None;
        self.stuck_since = None;
        self.is_reported = false;
    }

    /// A request failed: the number of failures in a row decides how long to wait.
    pub(super) fn failed(&mut self, now: Instant, wait: impl FnOnce(u32) -> Duration) {
        self.failures += 1;
        self.replica = None;
        self.retry_at = Some(now + wait(self.failures));
        self.stuck_since.get_or_insert(now);
    }

    /// Failures in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Reads from a preferred replica for a while.
    pub(super) fn prefer(&mut self, replica: BrokerId, now: Instant) {
        self.replica = Some((replica, now + REPLICA_LEASE));
    }

    /// Returns to the leader if `broker` is read from as a follower; returns whether it was.
    pub(super) fn leave_follower(&mut self, broker: BrokerId) -> bool {
        let is_follower = self.replica.is_some_and(|(id, _)| id == broker) && self.leader != Some(broker);
        if is_follower {
            self.replica = None;
        }
        is_follower
    }

    /// When to try again.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at.filter(|_| !self.is_closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_leader_epoch_is_validated_before_more_is_fetched() {
        let now = Instant::now();
        let mut position = Position::new("t", 0, 5, None);
        position.learn(Uuid::from_u128(1), Some(1), 3);
        assert_eq!(position.target(now), Some(1));
        position.advance(8, 3);
        position.learn(Uuid::from_u128(1), Some(2), 4);
        assert_eq!(
            (position.state, position.target(now)),
            (State::Unvalidated, Some(2))
        );
        assert!(
            position.learn(Uuid::from_u128(2), Some(2), 0),
            "another topic of that name"
        );
    }

    #[test]
    fn a_closer_replica_is_read_from_until_it_fails() {
        let now = Instant::now();
        let mut position = Position::new("t", 0, 5, None);
        position.learn(Uuid::nil(), Some(1), 0);
        position.prefer(2, now);
        assert_eq!(position.target(now), Some(2));
        assert!(!position.leave_follower(1));
        assert!(position.leave_follower(2));
        assert_eq!(position.target(now), Some(1));
        position.prefer(2, now);
        assert_eq!(position.target(now + REPLICA_LEASE), Some(1), "the lease is over");
    }

    #[test]
    fn a_new_leader_is_asked_although_the_former_one_has_not_answered() {
        let now = Instant::now();
        let mut position = Position::new("t", 0, 5, None);
        position.learn(Uuid::nil(), Some(1), 0);
        position.ask(1);
        assert_eq!(position.target(now), None);
        position.learn(Uuid::nil(), Some(2), 1);
        assert_eq!(position.target(now), Some(2));
    }

    #[test]
    fn nothing_is_fetched_from_the_end_on_until_the_position_jumps() {
        let now = Instant::now();
        let mut position = Position::new("t", 0, 5, Some(8));
        position.learn(Uuid::nil(), Some(1), 0);
        position.advance(7, 0);
        assert_eq!(position.target(now), Some(1));
        position.advance(9, 0);
        assert_eq!(position.target(now), None, "the last batch went beyond the end");
        assert!(position.is_fetched_to_end() && !position.is_shown_to_end());
        position.shown = 9;
        assert!(position.is_shown_to_end());
        position.seek(20);
        assert_eq!(
            position.target(now),
            Some(1),
            "behind the end, nothing else would tell of it"
        );
    }

    #[test]
    fn a_failure_waits_unless_the_leader_changes() {
        let now = Instant::now();
        let mut position = Position::new("t", 0, -2, None);
        position.learn(Uuid::nil(), Some(1), 0);
        position.failed(now, |_| Duration::from_secs(1));
        assert_eq!(position.target(now), None);
        position.learn(Uuid::nil(), Some(2), 1);
        assert_eq!(position.target(now), Some(2));
        position.seek(7);
        assert_eq!((position.state, position.offset), (State::Fetching, 7));
    }
}
