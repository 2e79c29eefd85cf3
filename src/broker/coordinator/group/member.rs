//! A member of a classic group: its metadata, its waiting requests, and its session deadline. Owns no rule about when
//! a member is removed.

use bytes::Bytes;

use super::events::{Protocol, Ticket};

/// How long a new member may wait in its first JoinGroup. Without a member id it cannot send heartbeats, and a client
/// that gives up comes back as another member; without a limit such members would accumulate during a long rebalance.
pub(super) const NEW_MEMBER_JOIN_TIMEOUT_MS: i64 = 5 * 60 * 1000;

/// One member. Times are milliseconds on the broker's clock.
#[derive(Clone, Debug)]
pub struct Member {
    /// Assigned by the coordinator: `<client id or instance id>-<uuid>`.
    pub id: String,
    /// The name of a static member (KIP-345), which outlives the member id.
    pub group_instance_id: Option<String>,
    pub client_id: String,
    /// In Kafka's form: `/127.0.0.1`.
    pub client_host: String,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    /// The protocols that the member supports, the preferred first.
    pub protocols: Vec<Protocol>,
    /// Its last assignment by the leader; opaque.
    pub assignment: Bytes,
    /// The JoinGroup that waits for the rebalance to complete.
    pub(super) awaiting_join: Option<Ticket>,
    /// The SyncGroup that waits for the leader's assignment.
    pub(super) awaiting_sync: Option<Ticket>,
    /// Whether it has joined and was not answered yet: only such a member can expire while it waits.
    pub(super) is_new: bool,
    /// When its session times out. `None` while it waits for an answer.
    pub(super) session_deadline_ms: Option<i64>,
}

impl Member {
    /// The member's metadata for `protocol`; empty if it has none.
    pub fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|offered| offered.name == protocol)
            .map(|offered| offered.metadata.clone())
            .unwrap_or_default()
    }

    /// Whether the member supports `protocol`.
    pub fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|offered| offered.name == protocol)
    }

    /// Restarts the session at `now_ms`.
    pub(super) fn renew_session(&mut self, now_ms: i64) {
        self.session_deadline_ms = Some(now_ms.saturating_add(i64::from(self.session_timeout_ms)));
    }

    /// Stores a JoinGroup that waits. The one that it replaces is returned, to be answered: a client that sends a
    /// second JoinGroup has given up on its first.
    pub(super) fn await_join(&mut self, now_ms: i64, ticket: Ticket) -> Option<Ticket> {
        self.session_deadline_ms = self
            .is_new
            .then(|| now_ms.saturating_add(NEW_MEMBER_JOIN_TIMEOUT_MS));
        self.awaiting_join.replace(ticket)
    }

    /// Stores a SyncGroup that waits; returns the one that it replaces.
    pub(super) fn await_sync(&mut self, ticket: Ticket) -> Option<Ticket> {
        self.session_deadline_ms = None;
        self.awaiting_sync.replace(ticket)
    }
}
