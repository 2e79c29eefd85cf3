//! What is fetched next, and from which broker: one request for each broker, with every partition that
//! is read from it.

use std::time::Instant;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::{self, FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::fetch_session::{Plan, Stated};
use super::position::{Position, State};
use super::{Asked, DirectSource, Note, fetch_answer};
use crate::client::consume_settings::ConsumeSettings;
use crate::client::direct::network::Node;
use crate::topic_partition::BrokerId;

/// The most fetched answers that wait to be shown; no more are requested.
const MOST_FETCHED: usize = 2;
/// The first versions with sessions and with racks.
const SESSIONS: i16 = 7;
const RACKS: i16 = 11;

impl DirectSource {
    pub(super) fn fetch_what_is_wanted(&mut self) {
        if self.fetched.len() >= MOST_FETCHED {
            return;
        }
        let now = Instant::now();
        let count = self.positions.len();
        let mut wanted: Vec<(BrokerId, Vec<usize>)> = Vec::new();
        for step in 0..count {
            let place = (self.first_position + step) % count;
            let Some(position) = self.positions.get_mut(place) else {
                continue;
            };
            if position.state != State::Fetching {
                continue;
            }
            let Some(broker) = position.target(now) else {
                continue;
            };
            match wanted.iter_mut().find(|(known, _)| *known == broker) {
                Some((_, places)) => places.push(place),
                None => wanted.push((broker, vec![place])),
            }
        }
        for (broker, places) in wanted {
            if !self.fetching.contains(&broker) {
                self.fetch_from(broker, &places);
            }
        }
        self.first_position = (self.first_position + 1) % count.max(1);
    }

    pub(super) fn fetch_from(&mut self, broker: BrokerId, places: &[usize]) {
        let node = Node::Broker(broker);
        let asked: Vec<Asked> = places.iter().filter_map(|place| self.asked(*place)).collect();
        let has_ids = places.iter().all(|place| {
            let position = self.positions.get(*place);
            position.is_some_and(|position| !position.topic_id.is_nil())
        });
        let limit = if has_ids {
            fetch_answer::NEWEST
        } else {
            fetch_answer::TOPIC_IDS - 1
        };
        let (settings, positions) = (&self.settings, &self.positions);
        // The client waits longer for an answer than it lets the broker wait for records.
        let timeout = settings.max_wait + settings.cluster.connection.request_timeout;
        let Some(mut link) = self.session.channel(node) else {
            self.note_stuck(places);
            return;
        };
        let wanted: Vec<(usize, Stated)> = asked
            .iter()
            .filter_map(|asked| {
                let position = positions.get(asked.place)?;
                let stated = Stated {
                    topic_id: position.topic_id,
                    offset: asked.offset,
                    leader_epoch: position.leader_epoch,
                };
                Some((asked.place, stated))
            })
            .collect();
        let plan = self.fetch_sessions.entry(broker).or_default().plan(&wanted);
        let build = |version: i16| fetch_request(settings, positions, &plan, version);
        let about = Note::Fetch {
            broker,
            asked: asked.clone(),
        };
        match link.send(build, limit, timeout, about) {
            Ok(()) => {
                self.fetching.push(broker);
                for asked in asked {
                    if let Some(position) = self.positions.get_mut(asked.place) {
                        position.ask(broker);
                    }
                }
            }
            Err(error) => self.session.close(node, error),
        }
    }
}

fn fetch_request(
    settings: &ConsumeSettings,
    positions: &[Position],
    plan: &Plan,
    version: i16,
) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    let mut last_topic = "";
    for position in plan.named.iter().filter_map(|place| positions.get(*place)) {
        let partition = FetchPartition::default()
            .with_partition(position.partition)
            .with_current_leader_epoch(if version >= 9 { position.leader_epoch } else { -1 })
            .with_fetch_offset(position.offset)
            .with_partition_max_bytes(settings.partition_max_bytes);
        if position.topic != last_topic || topics.is_empty() {
            last_topic = &position.topic;
            topics.push(if version >= fetch_answer::TOPIC_IDS {
                FetchTopic::default().with_topic_id(position.topic_id)
            } else {
                FetchTopic::default().with_topic(topic_name(position))
            });
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push(partition);
        }
    }
    let mut request = FetchRequest::default()
        .with_replica_id(messages::BrokerId(-1))
        .with_max_wait_ms(i32::try_from(settings.max_wait.as_millis()).unwrap_or(i32::MAX))
        .with_min_bytes(settings.min_bytes)
        .with_max_bytes(settings.max_bytes)
        .with_isolation_level(settings.isolation.code())
        .with_topics(topics);
    if version >= SESSIONS {
        request = request
            .with_session_id(plan.id)
            .with_session_epoch(plan.epoch)
            .with_forgotten_topics_data(forgotten(positions, &plan.forgotten, version));
    }
    if version >= RACKS {
        request.with_rack_id(StrBytes::from_string(settings.rack.clone()))
    } else {
        request
    }
}

fn forgotten(positions: &[Position], places: &[usize], version: i16) -> Vec<ForgottenTopic> {
    let forgotten = places.iter().filter_map(|place| positions.get(*place));
    forgotten
        .map(|position| {
            let topic = ForgottenTopic::default().with_partitions(vec![position.partition]);
            if version >= fetch_answer::TOPIC_IDS {
                topic.with_topic_id(position.topic_id)
            } else {
                topic.with_topic(topic_name(position))
            }
        })
        .collect()
}

fn topic_name(position: &Position) -> TopicName {
    TopicName(StrBytes::from_string(position.topic.clone()))
}
