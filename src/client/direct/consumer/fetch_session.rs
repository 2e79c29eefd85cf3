//! The fetch session with a broker (KIP-227), so that a request names only what has changed. Plain data, without a
//! connection.
//!
//! Owns what the broker knows of our partitions, which is updated once it has answered. For few partitions a session
//! saves nothing, and brokers keep a limited number of them.

use std::collections::HashMap;

use uuid::Uuid;

use crate::topic_partition::Offset;

/// The fewest partitions for which a session is worth a broker's memory.
const WORTH: usize = 100;
/// The epoch of a request outside any session, and of one that begins a session.
const NO_SESSION: i32 = -1;
const NEW_SESSION: i32 = 0;

/// What a request states about a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) topic_id: Uuid,
    pub(super) offset: Offset,
    pub(super) leader_epoch: i32,
}

/// The content of the next request. Partitions are named by their index in the source's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) id: i32,
    pub(super) epoch: i32,
    pub(super) named: Vec<usize>,
    pub(super) forgotten: Vec<usize>,
}

/// The session with one broker.
#[derive(Debug, Default)]
pub(super) struct FetchSession {
    /// 0 while there is none.
    id: i32,
    /// Of the next request in the session.
    epoch: i32,
    stated: HashMap<usize, Stated>,
    /// The partitions in the request in flight.
    in_flight: HashMap<usize, Stated>,
    /// The broker has no room for a session.
    is_refused: bool,
}

impl FetchSession {
    /// Plans a request after which the broker knows exactly these partitions.
    pub(super) fn plan(&mut self, wanted: &[(usize, Stated)]) -> Plan {
        let all = || wanted.iter().map(|(place, _)| *place).collect();
        if self.is_refused || (self.id == 0 && wanted.len() < WORTH) {
            return Plan {
                id: 0,
                epoch: NO_SESSION,
                named: all(),
                forgotten: Vec::new(),
            };
        }
        self.in_flight = wanted.iter().copied().collect();
        let is_other_topic = |(place, stated): &(usize, Stated)| {
            let before = self.stated.get(place);
            before.is_some_and(|before| before.topic_id != stated.topic_id)
        };
        if self.id == 0 || wanted.iter().any(is_other_topic) {
            // With the id of an existing session, the broker drops that and begins another.
            self.epoch = NEW_SESSION;
            return Plan {
                id: self.id,
                epoch: NEW_SESSION,
                named: all(),
                forgotten: Vec::new(),
            };
        }
        let changed = wanted
            .iter()
            .filter(|(place, stated)| self.stated.get(place) != Some(stated));
        let mut forgotten: Vec<usize> = self.stated.keys().copied().collect();
        forgotten.retain(|place| !self.in_flight.contains_key(place));
        forgotten.sort_unstable();
        Plan {
            id: self.id,
            epoch: self.epoch,
            named: changed.map(|(place, _)| *place).collect(),
            forgotten,
        }
    }

    /// Takes the code and the session id of an answer.
    pub(super) fn answered(&mut self, code: i16, id: i32) {
        match code {
            0 if self.in_flight.is_empty() => {}
            0 if id == 0 => {
                self.reset();
                self.is_refused = true;
            }
            0 => {
                self.stated = std::mem::take(&mut self.in_flight);
                self.id = id;
                self.epoch = self.epoch.checked_add(1).unwrap_or(1);
            }
            // After any other error the broker's session may differ from ours.
            _ => self.reset(),
        }
    }

    /// The connection is lost, and the session with it.
    pub(super) fn reset(&mut self) {
        self.id = 0;
        self.epoch = NEW_SESSION;
        self.stated.clear();
        self.in_flight.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::error_codes as codes;

    fn wanted(count: usize, offset: Offset) -> Vec<(usize, Stated)> {
        let stated = Stated {
            topic_id: Uuid::from_u128(1),
            offset,
            leader_epoch: 0,
        };
        (0..count).map(|place| (place, stated)).collect()
    }

    #[test]
    fn few_partitions_make_no_session() {
        let mut session = FetchSession::default();
        let plan = session.plan(&wanted(WORTH - 1, 0));
        assert_eq!((plan.id, plan.epoch, plan.named.len()), (0, -1, WORTH - 1));
        session.answered(0, 0);
        assert_eq!(session.plan(&wanted(WORTH, 0)).epoch, 0, "it may grow");
    }

    #[test]
    fn only_what_has_changed_is_named() {
        let mut session = FetchSession::default();
        let mut list = wanted(WORTH, 5);
        let plan = session.plan(&list);
        assert_eq!((plan.id, plan.epoch, plan.named.len()), (0, 0, WORTH));
        session.answered(0, 77);
        list[3].1.offset = 9;
        let gone = list.remove(7).0;
        let plan = session.plan(&list);
        assert_eq!((plan.id, plan.epoch), (77, 1));
        assert_eq!((plan.named, plan.forgotten), (vec![3], vec![gone]));
        session.answered(0, 77);
        let plan = session.plan(&list);
        assert_eq!((plan.epoch, plan.named.len(), plan.forgotten.len()), (2, 0, 0));
        session.answered(0, 77);
        list.truncate(2);
        assert_eq!(session.plan(&list).forgotten.len(), WORTH - 3, "it may shrink");
    }

    #[test]
    fn a_session_that_is_lost_begins_anew() {
        for lose in [
            |session: &mut FetchSession| session.answered(codes::FETCH_SESSION_ID_NOT_FOUND, 0),
            |session: &mut FetchSession| session.answered(codes::INVALID_FETCH_SESSION_EPOCH, 0),
            FetchSession::reset,
        ] {
            let mut session = FetchSession::default();
            let list = wanted(WORTH, 5);
            session.plan(&list);
            session.answered(0, 77);
            session.plan(&list);
            lose(&mut session);
            let plan = session.plan(&list);
            assert_eq!((plan.id, plan.epoch, plan.named.len()), (0, 0, WORTH));
        }
    }

    #[test]
    fn a_broker_without_room_and_a_topic_made_again() {
        let mut session = FetchSession::default();
        let mut list = wanted(WORTH, 5);
        session.plan(&list);
        session.answered(0, 0);
        assert_eq!(session.plan(&list).epoch, -1, "no room");
        let mut session = FetchSession::default();
        session.plan(&list);
        session.answered(0, 77);
        list[0].1.topic_id = Uuid::from_u128(2);
        let plan = session.plan(&list);
        assert_eq!(
            (plan.id, plan.epoch, plan.named.len()),
            (77, 0, WORTH),
            "another topic"
        );
        session.answered(0, 78);
        assert_eq!(session.plan(&list).id, 78);
        session.epoch = i32::MAX;
        session.answered(0, 78);
        assert_eq!(session.plan(&list).epoch, 1, "epochs wrap to 1");
    }
}
