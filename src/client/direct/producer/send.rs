//! Builds requests: one for each broker, with the next batch of each partition that it leads, if it may be sent
//! now.

use std::time::Instant;

use kafka_protocol::messages::{MetadataRequest, ProduceRequest};

use super::request::{self, TopicBatches};
use super::verdict::Verdict;
use super::{ANSWER_MARGIN, DirectSink, Note};
use crate::client::direct::network::Node;
use crate::client::produce_settings::Acks;
use crate::client::record_sink::DeliveryListener;
use crate::error::Kind;
use crate::records::Codec;
use crate::topic_partition::BrokerId;
use crate::wire::error_codes::UNSUPPORTED_COMPRESSION_TYPE;

/// The most bytes of one request, unless its first batch is larger; as Java's `max.request.size`.
const REQUEST_BYTES: usize = 1 << 20;
/// The first version of Produce that takes zstd.
const ZSTD_SINCE: i16 = 7;

impl DirectSink {
    pub(super) fn send_what_is_ready(&mut self, now: Instant, listener: &mut dyn DeliveryListener) {
        let mut brokers: Vec<BrokerId> = self.lanes.iter().filter_map(|lane| lane.leader).collect();
        brokers.sort_unstable();
        brokers.dedup();
        for broker in brokers {
            while self.send_to(broker, now, listener) {}
        }
    }

    /// Sends one request with the next batch of each partition that a broker leads; returns whether there was any.
    pub(super) fn send_to(
        &mut self,
        broker: BrokerId,
        now: Instant,
        listener: &mut dyn DeliveryListener,
    ) -> bool {
        let node = Node::Broker(broker);
        let ready = self.ready_lanes(broker, now);
        if ready.is_empty() {
            return false;
        }
        let most = self.settings.max_in_flight;
        let limit = if self.transactional_id.is_some() {
            request::TOLD_PARTITIONS
        } else if self.topics.iter().any(|topic| topic.id.is_nil()) {
            request::TOPIC_IDS - 1
        } else {
            *request::VERSIONS.end()
        };
        let Some(link) = self.session.channel(node) else {
            return false;
        };
        let is_busy = if self.settings.acks == Acks::Nobody {
            link.has_output()
        } else {
            link.unanswered() >= most
        };
        if is_busy {
            return false;
        }
        let version = match link.versions().highest_up_to::<ProduceRequest>(limit) {
            Ok(version) if version < ZSTD_SINCE && self.settings.codec == Codec::Zstd => {
                self.give_up(UNSUPPORTED_COMPRESSION_TYPE, Kind::Failed, listener);
                return false;
            }
            Ok(version) => version,
            Err(error) => {
                self.session.close(node, error);
                return false;
            }
        };
        self.send_lanes(broker, version, &ready, now, listener)
    }

    /// The lanes whose next batch can be sent to a broker, up to a request's size.
    pub(super) fn ready_lanes(&mut self, broker: BrokerId, now: Instant) -> Vec<usize> {
        let identity = self.identity();
        let (count, linger) = (self.lanes.len(), self.settings.linger);
        let (mut ready, mut bytes) = (Vec::new(), 0);
        for step in 0..count {
            let place = (self.first_lane + step) % count;
            let Some(lane) = self
                .lanes
                .get_mut(place)
                .filter(|lane| lane.leader == Some(broker))
            else {
                continue;
            };
            if lane.queue.waiting() == 0
                && lane.is_due(now, linger)
                && (self.rules.is_idempotent || lane.queue.in_flight() == 0)
                && lane.queue.in_flight() < self.rules.most_in_flight
            {
                self.close_batch(place);
            }
            let Some(lane) = self.lanes.get(place) else {
                continue;
            };
            if !lane.queue.is_ready(now, broker, identity) {
                continue;
            }
            let next = lane.queue.next_len();
            if !ready.is_empty() && bytes + next > REQUEST_BYTES {
                self.first_lane = place;
                break;
            }
            bytes += next;
            ready.push(place);
        }
        ready
    }

    pub(super) fn send_lanes(
        &mut self,
        broker: BrokerId,
        version: i16,
        ready: &[usize],
        now: Instant,
        listener: &mut dyn DeliveryListener,
    ) -> bool {
        let identity = self.identity();
        let mut attempts = Vec::with_capacity(ready.len());
        let mut batches: Vec<TopicBatches<'_>> = Vec::new();
        for place in ready {
            let Some(lane) = self.lanes.get_mut(*place) else {
                continue;
            };
            let Some((attempt, bytes)) = lane.queue.send(now, broker, identity) else {
                continue;
            };
            let Some(topic) = self.topics.get(lane.topic) else {
                continue;
            };
            attempts.push((*place, attempt));
            let entry = (lane.partition, bytes);
            match batches.iter_mut().find(|known| known.name == topic.name) {
                Some(known) => known.batches.push(entry),
                None => batches.push(TopicBatches {
                    name: &topic.name,
                    id: topic.id,
                    batches: vec![entry],
                }),
            }
        }
        let request_timeout = self.settings.request_timeout;
        let timeout_ms = i32::try_from(request_timeout.as_millis()).unwrap_or(i32::MAX);
        let id = self.transactional_id.as_deref();
        let body = request::body(version, id, (self.settings.acks.code(), timeout_ms), &batches);
        let is_answered = self.settings.acks != Acks::Nobody;
        let timeout = is_answered.then_some(request_timeout + ANSWER_MARGIN);
        let note = Note::Batches {
            broker,
            attempts: attempts.clone(),
        };
        let Some(mut link) = self.session.channel(Node::Broker(broker)) else {
            return false;
        };
        let sent = link.send_pieces::<ProduceRequest>(version, body, timeout, note);
        if !is_answered {
            for (place, attempt) in attempts {
                let lane = self.lanes.get_mut(place);
                let effects = lane.map(|lane| match &sent {
                    Ok(()) => lane.queue.answered(now, attempt, broker, Verdict::Written, 0),
                    Err(_) => lane.queue.lost(now, attempt, false),
                });
                self.take_effects(place, effects.unwrap_or_default(), listener);
            }
        }
        match sent {
            Ok(()) => true,
            Err(error) => {
                // The request is among those without an answer, which are returned as lost.
                self.session.close(Node::Broker(broker), error);
                false
            }
        }
    }

    /// With acks=0 there are no answers. A request after the last records gets one, and a connection is served in
    /// order.
    pub(super) fn send_barriers(&mut self) {
        let mut brokers: Vec<BrokerId> = self.lanes.iter().filter_map(|lane| lane.leader).collect();
        brokers.sort_unstable();
        brokers.dedup();
        for broker in brokers {
            let timeout = self.settings.request_timeout;
            let node = Node::Broker(broker);
            if !self.session.is_open(node) {
                continue;
            }
            let Some(mut link) = self.session.channel(node) else {
                continue;
            };
            let request = |_| MetadataRequest::default().with_topics(Some(Vec::new()));
            match link.send(request, i16::MAX, timeout, Note::Barrier) {
                Ok(()) => self.barriers += 1,
                Err(error) => self.session.close(node, error),
            }
        }
    }
}
