//! Share sessions (KIP-932): the broker remembers the partitions that a member fetches, requests contain only
//! changes, and answers leave out what has not changed. A session belongs to a member of a group, and to the
//! connection that opened it.
//!
//! Owns the sessions and their limit; `partition_manager.rs` releases the records of a closed session.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kafka_protocol::ResponseError;
use uuid::Uuid;

/// The epoch of a request that opens a session.
pub const INITIAL_EPOCH: i32 = 0;
/// The epoch of a request that closes a session.
pub const FINAL_EPOCH: i32 = -1;

/// The key of a session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    pub group: String,
    pub member: String,
}

/// A partition by its topic's id.
pub type PartitionId = (Uuid, i32);

/// A partition of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPartition {
    pub id: PartitionId,
    /// Whether no answer has named it yet.
    pub is_new: bool,
}

#[derive(Debug)]
struct Session {
    /// The epoch of the next request.
    epoch: i32,
    connection: u64,
    partitions: Vec<SessionPartition>,
}

/// The changes of a session in a request.
#[derive(Clone, Debug)]
pub struct SessionRequest<'a> {
    pub key: &'a SessionKey,
    pub epoch: i32,
    pub added: &'a [PartitionId],
    pub forgotten: &'a [PartitionId],
    pub has_acknowledgements: bool,
    pub connection: u64,
}

#[derive(Debug, Default)]
struct Sessions {
    by_key: HashMap<SessionKey, Session>,
    by_connection: HashMap<u64, HashSet<SessionKey>>,
}

impl Sessions {
    fn remove(&mut self, key: &SessionKey) -> Option<Session> {
        let session = self.by_key.remove(key)?;
        if let Some(keys) = self.by_connection.get_mut(&session.connection) {
            keys.remove(key);
            if keys.is_empty() {
                self.by_connection.remove(&session.connection);
            }
        }
        Some(session)
    }
}

/// Every share session of the broker.
#[derive(Debug)]
pub struct ShareSessions {
    /// `group.share.max.share.sessions`
    limit: usize,
    sessions: Mutex<Sessions>,
}

impl ShareSessions {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            sessions: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The partitions to fetch, in the order of their turns; `None` if the request closes the session.
    pub fn fetch(
        &self,
        request: &SessionRequest<'_>,
    ) -> Result<Option<Vec<SessionPartition>>, ResponseError> {
        let mut sessions = self.lock();
        match request.epoch {
            FINAL_EPOCH if sessions.by_key.contains_key(request.key) => Ok(None),
            FINAL_EPOCH => Err(ResponseError::ShareSessionNotFound),
            INITIAL_EPOCH => {
                if request.has_acknowledgements {
                    return Err(ResponseError::InvalidRequest);
                }
                sessions.remove(request.key);
                if sessions.by_key.len() >= self.limit {
                    return Err(ResponseError::ShareSessionLimitReached);
                }
                let mut session = Session {
                    epoch: 1,
                    connection: request.connection,
                    partitions: Vec::new(),
                };
                session.change(request.added, &[]);
                let partitions = session.partitions.clone();
                sessions.by_key.insert(request.key.clone(), session);
                let keys = sessions.by_connection.entry(request.connection).or_default();
                keys.insert(request.key.clone());
                Ok(Some(partitions))
            }
            epoch => {
                let session = find(&mut sessions, request.key, epoch)?;
                session.change(request.added, request.forgotten);
                let mut partitions = session.partitions.clone();
                if !partitions.is_empty() {
                    // Each partition is the first in turn.
                    let turn = usize::try_from(epoch).unwrap_or(0) % partitions.len();
                    partitions.rotate_left(turn);
                }
                Ok(Some(partitions))
            }
        }
    }

    /// A `ShareAcknowledge` request: it advances the session as well.
    pub fn acknowledge(&self, key: &SessionKey, epoch: i32) -> Result<(), ResponseError> {
        let mut sessions = self.lock();
        match epoch {
            INITIAL_EPOCH => Err(ResponseError::InvalidShareSessionEpoch),
            FINAL_EPOCH if sessions.by_key.contains_key(key) => Ok(()),
            FINAL_EPOCH => Err(ResponseError::ShareSessionNotFound),
            epoch => find(&mut sessions, key, epoch).map(|_| ()),
        }
    }

    /// Notes the partitions that an answer has named.
    pub fn answered(&self, key: &SessionKey, named: &HashSet<PartitionId>) {
        if let Some(session) = self.lock().by_key.get_mut(key) {
            for partition in &mut session.partitions {
                partition.is_new &= !named.contains(&partition.id);
            }
        }
    }

    /// Closes a session, and returns its partitions.
    pub fn close(&self, key: &SessionKey) -> Vec<PartitionId> {
        let session = self.lock().remove(key);
        let partitions = session.map(|session| session.partitions).unwrap_or_default();
        partitions.into_iter().map(|partition| partition.id).collect()
    }

    /// The sessions that a connection has opened.
    pub fn of_connection(&self, connection: u64) -> Vec<SessionKey> {
        let sessions = self.lock();
        let keys = sessions.by_connection.get(&connection);
        keys.into_iter().flatten().cloned().collect()
    }
}

/// The session, moved to its next epoch.
fn find<'a>(
    sessions: &'a mut Sessions,
    key: &SessionKey,
    epoch: i32,
) -> Result<&'a mut Session, ResponseError> {
    let session = sessions.by_key.get_mut(key);
    let session = session.ok_or(ResponseError::ShareSessionNotFound)?;
    if session.epoch != epoch {
        return Err(ResponseError::InvalidShareSessionEpoch);
    }
    session.epoch = epoch.checked_add(1).unwrap_or(1);
    Ok(session)
}

impl Session {
    fn change(&mut self, added: &[PartitionId], forgotten: &[PartitionId]) {
        if !forgotten.is_empty() {
            let forgotten: HashSet<&PartitionId> = forgotten.iter().collect();
            self.partitions.retain(|known| !forgotten.contains(&known.id));
        }
        let known: HashSet<PartitionId> = self.partitions.iter().map(|known| known.id).collect();
        let mut seen = HashSet::new();
        let new = added
            .iter()
            .filter(|id| !known.contains(*id) && seen.insert(**id));
        let new = new.map(|id| SessionPartition {
            id: *id,
            is_new: true,
        });
        self.partitions.extend(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(member: &str) -> SessionKey {
        SessionKey {
            group: "g".to_owned(),
            member: member.to_owned(),
        }
    }

    fn ask(
        sessions: &ShareSessions,
        member: &str,
        epoch: i32,
        added: &[i32],
        forgotten: &[i32],
    ) -> Result<Option<Vec<i32>>, ResponseError> {
        let id = |partition: &i32| (Uuid::nil(), *partition);
        let request = SessionRequest {
            key: &key(member),
            epoch,
            added: &added.iter().map(id).collect::<Vec<_>>(),
            forgotten: &forgotten.iter().map(id).collect::<Vec<_>>(),
            has_acknowledgements: false,
            connection: 7,
        };
        let partitions = sessions.fetch(&request)?;
        Ok(partitions.map(|partitions| partitions.iter().map(|partition| partition.id.1).collect()))
    }

    #[test]
    fn a_session_counts_its_requests_and_remembers_its_partitions() {
        let sessions = ShareSessions::new(10);
        assert_eq!(
            ask(&sessions, "m", 1, &[], &[]),
            Err(ResponseError::ShareSessionNotFound)
        );
        assert_eq!(ask(&sessions, "m", 0, &[0, 1, 0], &[]), Ok(Some(vec![0, 1])));
        assert_eq!(
            ask(&sessions, "m", 3, &[], &[]),
            Err(ResponseError::InvalidShareSessionEpoch)
        );
        assert_eq!(ask(&sessions, "m", 1, &[2], &[0]), Ok(Some(vec![2, 1])));
        assert_eq!(sessions.acknowledge(&key("m"), 2), Ok(()));
        assert_eq!(ask(&sessions, "m", 3, &[], &[]), Ok(Some(vec![2, 1])));
        assert_eq!(ask(&sessions, "m", -1, &[], &[]), Ok(None));
        assert_eq!(sessions.close(&key("m")).len(), 2);
        assert_eq!(
            ask(&sessions, "m", -1, &[], &[]),
            Err(ResponseError::ShareSessionNotFound)
        );
    }

    #[test]
    fn there_are_only_so_many_sessions_and_a_connection_knows_its_own() {
        let sessions = ShareSessions::new(1);
        assert_eq!(ask(&sessions, "a", 0, &[0], &[]), Ok(Some(vec![0])));
        assert_eq!(ask(&sessions, "a", 0, &[1], &[]), Ok(Some(vec![1])));
        assert_eq!(
            ask(&sessions, "b", 0, &[0], &[]),
            Err(ResponseError::ShareSessionLimitReached)
        );
        assert_eq!(sessions.of_connection(7), [key("a")]);
        sessions.close(&key("a"));
        assert_eq!(sessions.of_connection(7), []);
        assert_eq!(ask(&sessions, "b", 0, &[0], &[]), Ok(Some(vec![0])));
    }
}
