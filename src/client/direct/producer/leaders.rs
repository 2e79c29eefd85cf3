//! Applies cluster metadata to the lanes: new leaders, new partitions, deleted topics.

use std::time::Instant;

use uuid::Uuid;

use super::DirectSink;
use super::lane::Lane;
use super::partition_queue::Failure;
use crate::client::record_sink::DeliveryListener;
use crate::wire::error_codes::UNKNOWN_TOPIC_OR_PARTITION;

impl DirectSink {
    /// Takes over the current metadata.
    pub(super) fn learn_leaders(&mut self, listener: &mut dyn DeliveryListener) {
        for place in 0..self.topics.len() {
            let is_recreated = self.learn_topic(place);
            self.learn_partitions(place, is_recreated, listener);
            self.learn_leaders_of(place, is_recreated, listener);
            self.give_up_when_gone(place, listener);
        }
        if self
            .lanes
            .iter()
            .any(|lane| lane.leader.is_none() && lane.records() > 0)
        {
            self.session.refresh();
        }
    }

    /// Takes over the topic's id; returns whether the topic was recreated.
    fn learn_topic(&mut self, place: usize) -> bool {
        let Some(topic) = self.topics.get_mut(place) else {
            return false;
        };
        let Some(known) = self.session.cluster.topic(&topic.name) else {
            return false;
        };
        if known.code == UNKNOWN_TOPIC_OR_PARTITION {
            topic.gone_since.get_or_insert_with(Instant::now);
        } else {
            topic.gone_since = None;
        }
        let before = std::mem::replace(&mut topic.id, known.id);
        before != known.id && before != Uuid::nil()
    }

    /// Adds lanes for new partitions. Partitions that a recreated topic lacks lose their lanes and the batches in
    /// them.
    fn learn_partitions(&mut self, place: usize, is_recreated: bool, listener: &mut dyn DeliveryListener) {
        let Some(topic) = self.topics.get_mut(place) else {
            return;
        };
        let known = self.session.cluster.topic(&topic.name);
        let count = known.map_or(0, |topic| topic.partitions.len());
        while topic.lanes.len() < count {
            let partition = topic.lanes.len() as i32;
            topic.lanes.push(self.lanes.len());
            topic.turns.forget();
            self.lanes.push(Lane::new(place, partition, self.rules));
        }
        if !is_recreated {
            return;
        }
        topic.turns.forget();
        for lane in topic.lanes.split_off(count) {
            self.give_up_lane(lane, listener);
        }
    }

    fn learn_leaders_of(&mut self, place: usize, is_recreated: bool, listener: &mut dyn DeliveryListener) {
        let lanes = self.topics.get(place).map(|topic| topic.lanes.clone());
        for lane_place in lanes.unwrap_or_default() {
            let (Some(lane), Some(topic)) = (self.lanes.get_mut(lane_place), self.topics.get_mut(place))
            else {
                continue;
            };
            let Some(found) = self.session.cluster.partition(&topic.name, lane.partition) else {
                continue;
            };
            if lane.leader != found.leader {
                lane.queue.leader_changed();
                topic.turns.forget();
            }
            lane.leader = found.leader;
            if is_recreated {
                let effects = lane.queue.begin_again();
                self.take_effects(lane_place, effects, listener);
            }
        }
    }

    /// Gives up a topic that has been missing for long.
    fn give_up_when_gone(&mut self, place: usize, listener: &mut dyn DeliveryListener) {
        let Some(topic) = self.topics.get(place) else {
            return;
        };
        let Some(since) = topic.gone_since else {
            return;
        };
        let lanes = topic.lanes.clone();
        if since.elapsed() < self.settings.missing_topic_patience {
            if lanes
                .iter()
                .any(|lane| self.lanes.get(*lane).is_some_and(|lane| lane.records() > 0))
            {
                self.session.refresh();
            }
            return;
        }
        for lane in lanes {
            self.give_up_lane(lane, listener);
        }
    }

    fn give_up_lane(&mut self, place: usize, listener: &mut dyn DeliveryListener) {
        self.close_batch(place);
        let gone = Failure::Gone {
            may_be_written: false,
        };
        let effects = self
            .lanes
            .get_mut(place)
            .map(|lane| lane.queue.abandon(Some(&gone)));
        self.take_effects(place, effects.unwrap_or_default(), listener);
    }
}
