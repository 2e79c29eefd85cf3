//! The sessions of a member of a share group, one with each node, as the member knows them.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;

use super::clients::error;

/// A session with one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    /// The epoch of the next request; 0 before there is a session.
    pub(super) epoch: i32,
    pub(super) connection: u64,
}

/// The sessions of one member, by node.
#[derive(Debug)]
pub(super) struct ShareSessions {
    /// The next connection, from a range of this member's own.
    next_connection: u64,
    sessions: BTreeMap<i32, Session>,
}

impl ShareSessions {
    pub(super) fn new(member: usize) -> Self {
        Self {
            next_connection: (1 << 32) * (member as u64 + 1),
            sessions: BTreeMap::new(),
        }
    }

    /// The session with a node; opens a connection if there is none.
    pub(super) fn with(&mut self, node: i32) -> Session {
        *self.sessions.entry(node).or_insert_with(|| {
            self.next_connection += 1;
            Session {
                epoch: 0,
                connection: self.next_connection,
            }
        })
    }

    /// The connection is lost: the next request uses another.
    pub(super) fn lost(&mut self, node: i32) {
        self.sessions.remove(&node);
    }

    pub(super) fn clear(&mut self) {
        self.sessions.clear();
    }

    /// Handles the error code of an answer as a whole.
    pub(super) fn answered(&mut self, node: i32, code: i16) -> Result<(), ResponseError> {
        let session = self.sessions.get_mut(&node).unwrap();
        let Some(error) = error(code) else {
            session.epoch += 1;
            return Ok(());
        };
        session.epoch = 0;
        let is_over = matches!(
            error,
            ResponseError::ShareSessionNotFound | ResponseError::InvalidShareSessionEpoch
        );
        assert!(is_over, "{error:?} is no answer to a session");
        Err(error)
    }
}
