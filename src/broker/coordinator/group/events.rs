//! Events of a group, and the effects that the coordinator has to carry out: the vocabulary of the state machine.
//! Owns no behaviour.

use bytes::Bytes;
use kafka_protocol::ResponseError;

/// Stands for a request that waits for its answer. The state machine hands every ticket back exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A protocol (assignor) that a member supports, with its opaque metadata (the subscription).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    pub name: String,
    pub metadata: Bytes,
}

/// An event of a group.
#[derive(Clone, Debug)]
pub enum GroupEvent {
    Join(Ticket, JoinGroup),
    Sync(Ticket, SyncGroup),
    Heartbeat(Ticket, MemberIdentity),
    Leave(Ticket, Vec<LeavingMember>),
    /// A member committed offsets, which is a sign of life as well.
    OffsetsCommitted {
        member_id: String,
    },
    /// All members have to join again.
    Rebalance,
    /// Time has passed: deadlines may be due.
    DeadlinePassed,
}

/// A member and its generation, as in Heartbeat, SyncGroup and OffsetCommit.
#[derive(Clone, Debug, Default)]
pub struct MemberIdentity {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub generation: i32,
}

/// A JoinGroup request.
#[derive(Clone, Debug)]
pub struct JoinGroup {
    /// Empty for a member without an id.
    pub member_id: String,
    pub group_instance_id: Option<String>,
    /// The id for a member that needs one; the state machine generates none itself.
    pub fresh_member_id: String,
    pub client_id: String,
    pub client_host: String,
    /// `consumer`, `connect` …; members of one group agree on it.
    pub protocol_type: String,
    pub protocols: Vec<Protocol>,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    /// Whether the client must come back with its new id before it becomes a member (KIP-394, version 4).
    pub requires_known_member_id: bool,
    /// Whether the client knows `skip_assignment` (KIP-814, version 9).
    pub supports_skipping_assignment: bool,
}

/// A SyncGroup request. Only the leader sends assignments.
#[derive(Clone, Debug, Default)]
pub struct SyncGroup {
    pub member: MemberIdentity,
    /// Checked if the client sends it (version 5).
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    /// Member id → assignment.
    pub assignments: Vec<(String, Bytes)>,
}

/// One member of a LeaveGroup request; a static member may be named by its instance id alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeavingMember {
    pub member_id: String,
    pub group_instance_id: Option<String>,
}

/// What the coordinator has to do after an event, in this order.
#[derive(Clone, Debug)]
pub enum Effect {
    /// The group's metadata must be written before any later answer.
    Persist,
    AnswerJoin(Ticket, JoinAnswer),
    AnswerSync(Ticket, SyncAnswer),
    AnswerHeartbeat(Ticket, Option<ResponseError>),
    AnswerLeave(Ticket, Vec<(LeavingMember, Option<ResponseError>)>),
}

/// The answer to a JoinGroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinAnswer {
    pub error: Option<ResponseError>,
    /// -1 with an error.
    pub generation: i32,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub leader: String,
    /// Whether the leader must not assign: the group keeps its assignment.
    pub skip_assignment: bool,
    pub member_id: String,
    /// Only for a leader that has to assign.
    pub members: Vec<JoinedMember>,
}

/// A member in the leader's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub metadata: Bytes,
}

impl JoinAnswer {
    /// The answer with an error.
    pub fn refused(member_id: impl Into<String>, error: ResponseError) -> Self {
        Self {
            error: Some(error),
            generation: -1,
            protocol_type: None,
            protocol_name: None,
            leader: String::new(),
            skip_assignment: false,
            member_id: member_id.into(),
            members: Vec::new(),
        }
    }
}

/// The answer to a SyncGroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncAnswer {
    pub error: Option<ResponseError>,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub assignment: Bytes,
}

impl SyncAnswer {
    /// The answer with an error.
    pub fn refused(error: ResponseError) -> Self {
        Self {
            error: Some(error),
            protocol_type: None,
            protocol_name: None,
            assignment: Bytes::new(),
        }
    }
}
