//! What is fetched next, and from whom: one request a broker, for every partition that is read from it.

use std::time::{Duration, Instant};

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{self, FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::position::{Position, State};
use super::{Asked, DirectSource, Note, fetch_answer};
use crate::client::consume_settings::ConsumeSettings;
use crate::client::direct::network::Node;
use crate::topic_partition::BrokerId;

/// Fetched answers that wait to be shown; more are not asked for.
const MOST_FETCHED: usize = 2;
/// The client waits longer for an answer than it lets the broker wait for records.
const ANSWER_MARGIN: Duration = Duration::from_secs(30);

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
        let timeout = settings.max_wait + ANSWER_MARGIN;
        let build = |version: i16| fetch_request(settings, positions, &asked, version);
        let Some(mut link) = self.session.channel(node) else {
            self.note_stuck(places);
            return;
        };
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
    asked: &[Asked],
    version: i16,
) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    let mut last_topic = "";
    for asked in asked {
        let Some(position) = positions.get(asked.place) else {
            continue;
        };
        let partition = FetchPartition::default()
            .with_partition(position.partition)
            .with_current_leader_epoch(if version >= 9 { position.leader_epoch } else { -1 })
            .with_fetch_offset(asked.offset)
            .with_partition_max_bytes(settings.partition_max_bytes);
        if position.topic != last_topic || topics.is_empty() {
            last_topic = &position.topic;
            topics.push(if version >= fetch_answer::TOPIC_IDS {
                FetchTopic::default().with_topic_id(position.topic_id)
            } else {
                FetchTopic::default().with_topic(TopicName(StrBytes::from_string(position.topic.clone())))
            });
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push(partition);
        }
    }
    let request = FetchRequest::default()
        .with_replica_id(messages::BrokerId(-1))
        .with_max_wait_ms(i32::try_from(settings.max_wait.as_millis()).unwrap_or(i32::MAX))
        .with_min_bytes(settings.min_bytes)
        .with_max_bytes(settings.max_bytes)
        .with_isolation_level(settings.isolation.code())
        // Without a session (KIP-227).
        .with_session_epoch(-1)
        .with_topics(topics);
    if version >= 11 {
        request.with_rack_id(StrBytes::from_string(settings.rack.clone()))
    } else {
        request
    }
}
