//! A member of a classic group: what it told the coordinator, what it waits for, and until when it may stay silent.
//! Owns no rule about when a member must go.

use bytes::Bytes;

use super::events::{Protocol, Ticket};

/// How long a new member may wait in its first JoinGroup. It cannot send heartbeats, having no member id yet, and a
/// client that gave up comes back as another member; without a bound such ghosts would pile up in a long rebalance.
pub(super) const NEW_MEMBER_JOIN_TIMEOUT_MS: i64 = 5 * 60 * 1000;

/// One member. Times are milliseconds on the broker's clock.
#[derive(Clone, Debug)]
pub struct Member {
    /// Given by the coordinator: `<client id or instance id>-<uuid>`.
    pub id: String,
    /// The name of a static member (KIP-345), which outlives the member id.
    pub group_instance_id: Option<String>,
    pub client_id: String,
    /// As Kafka prints it: `/127.0.0.1`.
    pub client_host: String,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    /// What the member can speak, dearest first.
    pub protocols: Vec<Protocol>,
    /// What the leader gave it last; opaque.
    pub assignment: Bytes,
    /// The JoinGroup that waits for the rebalance to complete.
    pub(super) awaiting_join: Option<Ticket>,
    /// The SyncGroup that waits for the leader's assignment.
    pub(super) awaiting_sync: Option<Ticket>,
    /// Has joined and not been answered yet: only then can it expire while it waits.
    pub(super) is_new: bool,
    /// When the member is taken for dead. None while the coordinator owes it an answer.
    pub(super) session_deadline_ms: Option<i64>,
}

impl Member {
    /// The metadata the member sent for `protocol`; empty when it sent none.
    pub fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|offered| offered.name == protocol)
            .map(|offered| offered.metadata.clone())
            .unwrap_or_default()
    }

    /// Whether the member can speak `protocol`.
    pub fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|offered| offered.name == protocol)
    }

    /// A sign of life at `now_ms`: the session starts anew.
    pub(super) fn renew_session(&mut self, now_ms: i64) {
        self.session_deadline_ms = Some(now_ms.saturating_add(i64::from(self.session_timeout_ms)));
    }

    /// Parks a JoinGroup. The one it replaces, if any, is handed back to be answered: a client that sends a second
    /// JoinGroup has given up on its first.
    pub(super) fn await_join(&mut self, now_ms: i64, ticket: Ticket) -> Option<Ticket> {
        self.session_deadline_ms = self
            .is_new
            .then(|| now_ms.saturating_add(NEW_MEMBER_JOIN_TIMEOUT_MS));
        self.awaiting_join.replace(ticket)
    }

    /// Parks a SyncGroup; hands back the one it replaces.
    pub(super) fn await_sync(&mut self, ticket: Ticket) -> Option<Ticket> {
        self.session_deadline_ms = None;
        self.awaiting_sync.replace(ticket)
    }
}
