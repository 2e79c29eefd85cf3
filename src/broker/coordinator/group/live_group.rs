//! One group in the coordinator: its state machine, its offsets, and the requests that wait. Owns carrying out
//! effects; the lock around it is the coordinator's.

use std::collections::HashMap;

use tokio::sync::oneshot;

use kafka_protocol::ResponseError;

use super::classic_group::{ClassicGroup, GroupLimits};
use super::events::{Effect, GroupEvent, JoinAnswer, LeavingMember, SyncAnswer, Ticket};
use super::group_kind::GroupKind;
use super::offsets::{ExpiryClock, GroupOffsets};
use super::offsets_writer::OffsetsWriter;
use super::stored_records::{StoredGroup, StoredKey};

/// The outcome for each member of a LeaveGroup.
pub(super) type LeaveOutcomes = Vec<(LeavingMember, Option<ResponseError>)>;

/// Where an answer is sent.
#[derive(Debug)]
enum Waiter {
    Join(oneshot::Sender<JoinAnswer>),
    Sync(oneshot::Sender<SyncAnswer>),
    Heartbeat(oneshot::Sender<Option<ResponseError>>),
    Leave(oneshot::Sender<LeaveOutcomes>),
}

#[derive(Debug)]
pub(super) struct LiveGroup {
    pub(super) id: String,
    pub(super) kind: GroupKind,
    pub(super) offsets: GroupOffsets,
    /// Its deadline in the coordinator's `Deadlines`.
    pub(super) alarm_ms: Option<i64>,
    /// Whether any of its records is on disk: then it stays until it is deleted or its offsets expire.
    pub(super) kept: bool,
    waiters: HashMap<Ticket, Waiter>,
    last_ticket: u64,
}

impl LiveGroup {
    pub(super) fn new(id: &str, limits: GroupLimits, now_ms: i64) -> Self {
        let kind = GroupKind::Classic(Box::new(ClassicGroup::new(limits, now_ms)));
        Self::with(id, kind, GroupOffsets::default())
    }

    pub(super) fn with(id: &str, kind: GroupKind, offsets: GroupOffsets) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            offsets,
            alarm_ms: None,
            kept: false,
            waiters: HashMap::new(),
            last_ticket: 0,
        }
    }

    /// Whether nothing is lost without the group, and none of its records is on disk.
    pub(super) fn is_forgettable(&self) -> bool {
        self.kind.is_untouched() && !self.kept && self.waiters.is_empty()
    }

    /// Drops all requests that wait, without an answer.
    pub(super) fn drop_waiters(&mut self) {
        self.waiters.clear();
    }

    pub(super) fn expiry_clock(&self) -> ExpiryClock {
        match &self.kind {
            GroupKind::Classic(group) => ExpiryClock::of(
                group.state(),
                group.state_since_ms(),
                group.protocol_type().is_some(),
            ),
            // As in Apache Kafka, independent of members: offsets of subscribed topics do not expire.
            GroupKind::Consumer(_) | GroupKind::Share(_) => ExpiryClock::SinceCommit,
        }
    }

    pub(super) fn join_ticket(&mut self) -> (Ticket, oneshot::Receiver<JoinAnswer>) {
        self.ticket(Waiter::Join)
    }

    pub(super) fn sync_ticket(&mut self) -> (Ticket, oneshot::Receiver<SyncAnswer>) {
        self.ticket(Waiter::Sync)
    }

    pub(super) fn heartbeat_ticket(&mut self) -> (Ticket, oneshot::Receiver<Option<ResponseError>>) {
        self.ticket(Waiter::Heartbeat)
    }

    pub(super) fn leave_ticket(&mut self) -> (Ticket, oneshot::Receiver<LeaveOutcomes>) {
        self.ticket(Waiter::Leave)
    }

    fn ticket<A>(&mut self, waiter: fn(oneshot::Sender<A>) -> Waiter) -> (Ticket, oneshot::Receiver<A>) {
        let (sender, receiver) = oneshot::channel();
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.waiters.insert(ticket, waiter(sender));
        (ticket, receiver)
    }

    /// Handles an event in a classic group, and carries out its effects.
    pub(super) fn handle(&mut self, writer: &OffsetsWriter, now_ms: i64, event: GroupEvent) {
        let effects = self.kind.classic_mut().map(|group| group.handle(now_ms, event));
        self.carry_out(writer, now_ms, effects.unwrap_or_default());
    }

    pub(super) fn carry_out(&mut self, writer: &OffsetsWriter, now_ms: i64, effects: Vec<Effect>) {
        let mut kept = true;
        for effect in effects {
            match effect {
                Effect::Persist => kept = self.persist(writer, now_ms),
                Effect::AnswerJoin(ticket, answer) => {
                    if let Some(Waiter::Join(sender)) = self.waiters.remove(&ticket) {
                        // The client may have disconnected; then its session will time out.
                        let _ = sender.send(answer);
                    }
                }
                Effect::AnswerSync(ticket, answer) => {
                    if let Some(Waiter::Sync(sender)) = self.waiters.remove(&ticket) {
                        let answer = if kept {
                            answer
                        } else {
                            SyncAnswer::refused(ResponseError::CoordinatorNotAvailable)
                        };
                        let _ = sender.send(answer);
                    }
                }
                Effect::AnswerHeartbeat(ticket, error) => {
                    if let Some(Waiter::Heartbeat(sender)) = self.waiters.remove(&ticket) {
                        let _ = sender.send(error);
                    }
                }
                Effect::AnswerLeave(ticket, outcomes) => {
                    if let Some(Waiter::Leave(sender)) = self.waiters.remove(&ticket) {
                        let _ = sender.send(outcomes);
                    }
                }
            }
        }
    }

    fn persist(&self, writer: &OffsetsWriter, now_ms: i64) -> bool {
        let Some(group) = self.kind.classic() else {
            return true;
        };
        let key = StoredKey::Group {
            group: self.id.clone(),
        };
        let value = StoredGroup::from(group).encode();
        writer.append(&self.id, now_ms, &[(key, Some(value))]).is_ok()
    }
}
