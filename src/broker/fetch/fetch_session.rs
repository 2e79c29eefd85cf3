//! Incremental fetch sessions (KIP-227): the broker remembers the partitions that a client fetches, requests contain
//! only changes, and answers leave out what has not changed.
//!
//! Owns the sessions and their limit. Sessions that were idle for two minutes make room for new ones; without room a
//! client is answered without a session and fetches in full.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::FetchRequest;
use uuid::Uuid;

/// Sessions idle for longer make room for new ones, in ms.
const EVICT_AFTER_MS: i64 = 120_000;
/// "No session" in requests and answers.
const NO_SESSION: i32 = 0;
/// The epoch of a request without a session, or that closes one.
const FINAL_EPOCH: i32 = -1;
/// The epoch of a request for a new session.
const INITIAL_EPOCH: i32 = 0;

/// One partition that a client fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct Target {
    /// The topic's name. For a topic named by id it is looked up, and kept after the topic was deleted; empty while
    /// no topic has had the id.
    pub(in crate::broker) topic: String,
    /// Nil if the request named the topic by name.
    pub(in crate::broker) id: Uuid,
    pub(in crate::broker) partition: i32,
    pub(in crate::broker) offset: i64,
    pub(in crate::broker) max_bytes: i32,
    pub(in crate::broker) leader_epoch: i32,
    /// The leader epoch of the client's last record; -1 if it was not sent.
    pub(in crate::broker) last_fetched_epoch: i32,
}

/// The identity of a partition in a session: with the topic's id, or its name if it has none.
type Key<'a> = (i32, Uuid, &'a str);

impl Target {
    fn key(&self) -> Key<'_> {
        let name = if self.id.is_nil() { self.topic.as_str() } else { "" };
        (self.partition, self.id, name)
    }

    fn is_same_partition(&self, other: &Target) -> bool {
        self.key() == other.key()
    }
}

/// The state of a partition in the last answer of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::broker) struct LastSaid {
    pub(in crate::broker) high_watermark: i64,
    pub(in crate::broker) log_start_offset: i64,
}

#[derive(Debug)]
struct Session {
    /// The epoch of the next request.
    epoch: i32,
    last_used_ms: i64,
    by_id: bool,
    /// In the order in which they are served: those that just got records are last.
    targets: Vec<(Target, Option<LastSaid>)>,
}

/// The partitions to fetch for a request, and the form of the answer.
#[derive(Debug)]
pub(in crate::broker) struct Plan {
    pub(in crate::broker) session_id: i32,
    /// Whether partitions without changes are left out.
    pub(in crate::broker) incremental: bool,
    pub(in crate::broker) targets: Vec<(Target, Option<LastSaid>)>,
}

/// Every fetch session of the broker.
#[derive(Debug)]
pub(in crate::broker) struct FetchSessions {
    slots: usize,
    sessions: Mutex<HashMap<i32, Session>>,
}

impl FetchSessions {
    pub(in crate::broker) fn new(slots: usize) -> Self {
        Self {
            slots,
            sessions: Mutex::default(),
        }
    }

    /// The partitions that a request fetches; an error is that of the whole response.
    pub(in crate::broker) fn plan(
        &self,
        request: &FetchRequest,
        version: i16,
        now_ms: i64,
        name_of: impl Fn(Uuid) -> Option<String>,
    ) -> Result<Plan, ResponseError> {
        let by_id = version >= 13;
        let mut named = targets(request);
        let is_full = matches!(request.session_epoch, INITIAL_EPOCH | FINAL_EPOCH);
        if by_id && is_full && named.iter().any(|target| target.id.is_nil()) {
            // No topic has the zero id; a full request with it fails in Kafka.
            return Err(ResponseError::UnknownServerError);
        }
        for target in &mut named {
            resolve(target, &name_of);
        }
        let full = |session_id| Plan {
            session_id,
            incremental: false,
            targets: named.iter().map(|target| (target.clone(), None)).collect(),
        };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        match request.session_epoch {
            _ if version < 7 => Ok(full(NO_SESSION)),
            FINAL_EPOCH => {
                sessions.remove(&request.session_id);
                Ok(full(NO_SESSION))
            }
            INITIAL_EPOCH => {
                sessions.remove(&request.session_id);
                if !make_room(&mut sessions, self.slots, now_ms) {
                    return Ok(full(NO_SESSION));
                }
                let id = new_id(&sessions);
                let targets = named.iter().map(|target| (target.clone(), None)).collect();
                sessions.insert(
                    id,
                    Session {
                        epoch: 1,
                        last_used_ms: now_ms,
                        by_id,
                        targets,
                    },
                );
                Ok(full(id))
            }
            epoch => {
                let session = sessions
                    .get_mut(&request.session_id)
                    .ok_or(ResponseError::FetchSessionIdNotFound)?;
                if session.by_id != by_id {
                    return Err(ResponseError::FetchSessionTopicIdError);
                }
                if session.epoch != epoch {
                    return Err(ResponseError::InvalidFetchSessionEpoch);
                }
                session.epoch = if epoch == i32::MAX { 1 } else { epoch + 1 };
                session.last_used_ms = now_ms;
                session.update(named, request);
                for (target, _) in &mut session.targets {
                    resolve(target, &name_of);
                }
                Ok(Plan {
                    session_id: request.session_id,
                    incremental: true,
                    targets: session.targets.clone(),
                })
            }
        }
    }

    /// The names of the topics in a session.
    pub(in crate::broker) fn topics_of(&self, session_id: i32) -> Vec<String> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let targets = sessions.get(&session_id).map(|session| &session.targets);
        let topics = targets
            .into_iter()
            .flatten()
            .map(|(target, _)| target.topic.clone());
        topics.collect()
    }

    /// Stores the content of an answer, and moves partitions that got records to the end, so that each gets its turn.
    pub(in crate::broker) fn answered(&self, session_id: i32, said: &[(Target, LastSaid, bool)]) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = sessions.get_mut(&session_id) else {
            return;
        };
        for (target, last_said, got_records) in said {
            let place = session
                .targets
                .iter()
                .position(|(own, _)| own.is_same_partition(target));
            let Some(place) = place else { continue };
            if let Some((_, said)) = session.targets.get_mut(place) {
                *said = Some(*last_said);
            }
            if *got_records {
                let last = session.targets.remove(place);
                session.targets.push(last);
            }
        }
    }
}

impl Session {
    fn update(&mut self, named: Vec<Target>, request: &FetchRequest) {
        for target in named {
            match self
                .targets
                .iter_mut()
                .find(|(own, _)| own.is_same_partition(&target))
            {
                Some((own, _)) => {
                    // The known name is kept: the topic may have been deleted.
                    let topic = std::mem::take(&mut own.topic);
                    *own = Target { topic, ..target };
                }
                None => self.targets.push((target, None)),
            }
        }
        for topic in &request.forgotten_topics_data {
            self.targets.retain(|(own, _)| {
                let is_topic = if own.id.is_nil() {
                    topic.topic_id.is_nil() && own.topic.as_str() == topic.topic.as_str()
                } else {
                    own.id == topic.topic_id
                };
                !(is_topic && topic.partitions.contains(&own.partition))
            });
        }
    }
}

fn targets(request: &FetchRequest) -> Vec<Target> {
    let of_topic = |topic: &kafka_protocol::messages::fetch_request::FetchTopic| {
        let (name, id) = (topic.topic.to_string(), topic.topic_id);
        let targets = topic.partitions.iter().map(move |partition| Target {
            topic: name.clone(),
            id,
            partition: partition.partition,
            offset: partition.fetch_offset,
            max_bytes: partition.partition_max_bytes,
            leader_epoch: partition.current_leader_epoch,
            last_fetched_epoch: partition.last_fetched_epoch,
        });
        targets.collect::<Vec<_>>()
    };
    let mut targets: Vec<Target> = Vec::new();
    let mut places = HashMap::new();
    for target in request.topics.iter().flat_map(of_topic) {
        let (partition, id, name) = target.key();
        let place = *places
            .entry((partition, id, name.to_owned()))
            .or_insert(targets.len());
        // If a partition is named twice, the last mention counts, at the position of the first.
        match targets.get_mut(place) {
            Some(known) => *known = target,
            None => targets.push(target),
        }
    }
    targets
}

/// Looks up the name of a topic that was named by its id.
fn resolve(target: &mut Target, name_of: impl Fn(Uuid) -> Option<String>) {
    if target.topic.is_empty() && !target.id.is_nil() {
        target.topic = name_of(target.id).unwrap_or_default();
    }
}

/// Makes room for one more session, if need be in place of the one that was idle for longest. Returns whether there
/// is room.
fn make_room(sessions: &mut HashMap<i32, Session>, slots: usize, now_ms: i64) -> bool {
    if sessions.len() < slots {
        return true;
    }
    let oldest = sessions.iter().min_by_key(|(_, session)| session.last_used_ms);
    let idle = oldest.filter(|(_, session)| now_ms - session.last_used_ms > EVICT_AFTER_MS);
    let Some(id) = idle.map(|(id, _)| *id) else {
        return false;
    };
    sessions.remove(&id);
    true
}

fn new_id(sessions: &HashMap<i32, Session>) -> i32 {
    // Without random numbers from the system, ids are counted from 1.
    let random = getrandom::u32().unwrap_or_default();
    let mut id = i32::try_from(random >> 1).unwrap_or(0).max(1);
    while sessions.contains_key(&id) {
        id = id.checked_add(1).unwrap_or(1);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::TopicName;
    use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
    use kafka_protocol::protocol::StrBytes;

    fn unnamed(_: Uuid) -> Option<String> {
        None
    }

    fn name() -> TopicName {
        TopicName(StrBytes::from_static_str("t"))
    }

    fn request(session_id: i32, session_epoch: i32, partitions: &[i32]) -> FetchRequest {
        let partitions = partitions
            .iter()
            .map(|partition| FetchPartition::default().with_partition(*partition))
            .collect();
        FetchRequest::default()
            .with_session_id(session_id)
            .with_session_epoch(session_epoch)
            .with_topics(vec![
                FetchTopic::default()
                    .with_topic(name())
                    .with_partitions(partitions),
            ])
    }

    fn partitions(plan: &Plan) -> Vec<i32> {
        plan.targets.iter().map(|(target, _)| target.partition).collect()
    }

    #[test]
    fn a_session_remembers_adds_and_forgets() {
        let sessions = FetchSessions::new(10);
        let first = sessions.plan(&request(0, 0, &[0, 1]), 11, 0, unnamed).unwrap();
        assert!(first.session_id > 0 && !first.incremental);
        let second = sessions
            .plan(&request(first.session_id, 1, &[2]), 11, 0, unnamed)
            .unwrap();
        assert!(second.incremental);
        assert_eq!(partitions(&second), [0, 1, 2]);
        let mut forget = request(first.session_id, 2, &[]);
        forget.forgotten_topics_data = vec![
            ForgottenTopic::default()
                .with_topic(name())
                .with_partitions(vec![0]),
        ];
        assert_eq!(
            partitions(&sessions.plan(&forget, 11, 0, unnamed).unwrap()),
            [1, 2]
        );
    }

    #[test]
    fn what_does_not_fit_a_session_is_refused() {
        let sessions = FetchSessions::new(10);
        let id = sessions
            .plan(&request(0, 0, &[0]), 11, 0, unnamed)
            .unwrap()
            .session_id;
        let refusal = |session, epoch, version| {
            sessions
                .plan(&request(session, epoch, &[]), version, 0, unnamed)
                .unwrap_err()
        };
        assert_eq!(refusal(id, 5, 11), ResponseError::InvalidFetchSessionEpoch);
        assert_eq!(
            refusal(id.wrapping_add(1), 1, 11),
            ResponseError::FetchSessionIdNotFound
        );
        assert_eq!(refusal(id, 1, 13), ResponseError::FetchSessionTopicIdError);
    }

    #[test]
    fn without_room_there_is_no_session_until_one_has_been_idle() {
        let sessions = FetchSessions::new(1);
        assert!(
            sessions
                .plan(&request(0, 0, &[0]), 11, 0, unnamed)
                .unwrap()
                .session_id
                > 0
        );
        assert_eq!(
            sessions
                .plan(&request(0, 0, &[0]), 11, 1000, unnamed)
                .unwrap()
                .session_id,
            0
        );
        assert!(
            sessions
                .plan(&request(0, 0, &[0]), 11, 200_000, unnamed)
                .unwrap()
                .session_id
                > 0
        );
    }

    #[test]
    fn who_got_records_goes_last() {
        let sessions = FetchSessions::new(1);
        let plan = sessions.plan(&request(0, 0, &[0, 1]), 11, 0, unnamed).unwrap();
        let said = (plan.targets[0].0.clone(), LastSaid::default(), true);
        sessions.answered(plan.session_id, &[said]);
        let next = sessions
            .plan(&request(plan.session_id, 1, &[]), 11, 0, unnamed)
            .unwrap();
        assert_eq!(partitions(&next), [1, 0]);
    }
}
