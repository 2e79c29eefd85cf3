//! Takes the answers of brokers: deliveries and failures are reported, memory is freed, batches are split.

use std::time::{Duration, Instant};

use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{
    DescribeConfigsRequest, InitProducerIdRequest, ProduceRequest, ProduceResponse,
};

use super::identity::IdentityState;
use super::partition_queue::{Attempt, Batch, Effect, Failure, Identity};
use super::verdict::Verdict;
use super::{DirectSink, Note, SPARE_BUFFERS, failures, split};
use crate::client::batch_bytes::BatchBytes;
use crate::client::direct::network::{Event, Node};
use crate::client::produce_settings::Acks;
use crate::client::record_sink::DeliveryListener;
use crate::error::Kind;
use crate::topic_partition::BrokerId;
use crate::wire::{Answer, error_codes as codes};

impl DirectSink {
    pub(super) fn take_event(&mut self, event: Event<Note>, listener: &mut dyn DeliveryListener) {
        match event {
            Event::Opened(_) => {}
            Event::Answered(node, answer) => self.take_answer(node, answer, listener),
            Event::Lost { unanswered, .. } => {
                for lost in unanswered {
                    match lost.note {
                        Note::Batches { attempts, .. } => {
                            for (place, attempt) in attempts {
                                let lane = self.lanes.get_mut(place);
                                let effects =
                                    lane.map(|lane| lane.queue.lost(Instant::now(), attempt, lost.is_unsent));
                                self.take_effects(place, effects.unwrap_or_default(), listener);
                            }
                        }
                        Note::ProducerId => self.ask_for_identity_later(),
                        Note::TopicLimit => self.ask_topic_limit_again(),
                        Note::Barrier => self.barriers = self.barriers.saturating_sub(1),
                    }
                }
            }
        }
    }

    pub(super) fn take_answer(
        &mut self,
        node: Node,
        answer: Answer<Note>,
        listener: &mut dyn DeliveryListener,
    ) {
        let Answer { note, version, frame } = answer;
        match note {
            Note::Batches { broker, attempts } => match frame.decode::<ProduceRequest>(version) {
                Ok(response) => {
                    if let Ok(time @ 1..) = u64::try_from(response.throttle_time_ms) {
                        self.session.mute(node, Duration::from_millis(time));
                    }
                    self.settle(broker, attempts, &response, listener);
                }
                Err(error) => {
                    self.session.close(node, error);
                    self.settle(broker, attempts, &ProduceResponse::default(), listener);
                }
            },
            // We have got another identity meanwhile.
            Note::ProducerId if self.identity_state != IdentityState::Asked => {}
            Note::ProducerId => match frame.decode::<InitProducerIdRequest>(version) {
                Ok(response) if response.error_code == 0 => {
                    self.identity_state = IdentityState::Known(Identity {
                        id: response.producer_id.0,
                        epoch: response.producer_epoch,
                    });
                }
                Ok(response) => self.refused_identity(response.error_code, listener),
                Err(error) => {
                    self.session.close(node, error);
                    self.ask_for_identity_later();
                }
            },
            Note::TopicLimit => match frame.decode::<DescribeConfigsRequest>(version) {
                Ok(response) => self.take_topic_limit(&response),
                Err(error) => {
                    self.session.close(node, error);
                    self.end_topic_limit(None);
                }
            },
            Note::Barrier => self.barriers = self.barriers.saturating_sub(1),
        }
        self.session.recycle(node, frame);
    }

    /// Gives each batch of a request its result; one that the answer lacks is sent again.
    pub(super) fn settle(
        &mut self,
        broker: BrokerId,
        attempts: Vec<(usize, Attempt)>,
        response: &ProduceResponse,
        listener: &mut dyn DeliveryListener,
    ) {
        let now = Instant::now();
        for (place, attempt) in attempts {
            let Some(lane) = self.lanes.get(place) else {
                continue;
            };
            let Some(topic) = self.topics.get(lane.topic) else {
                continue;
            };
            let found = response
                .responses
                .iter()
                .filter(|found| {
                    *found.name == *topic.name || (!topic.id.is_nil() && found.topic_id == topic.id)
                })
                .flat_map(|found| &found.partition_responses)
                .find(|found| found.index == lane.partition);
            let (code, hint) = found.map_or((codes::NETWORK_EXCEPTION, None), |found| {
                let leader = &found.current_leader;
                (found.error_code, Some((leader.leader_id.0, leader.leader_epoch)))
            });
            if let Some((leader, epoch)) = hint
                && self
                    .session
                    .cluster
                    .apply_hint(&topic.name, lane.partition, leader, epoch)
            {
                self.seen_answers = self.seen_answers.wrapping_sub(1);
            }
            self.last_words = found.and_then(own_words);
            self.base_offset = found.map(|found| found.base_offset).filter(|offset| *offset >= 0);
            let verdict = Verdict::of(code, self.settings.acks == Acks::All);
            if verdict == Verdict::Written {
                self.session.note_success();
            }
            let effects = self
                .lanes
                .get_mut(place)
                .map(|lane| lane.queue.answered(now, attempt, broker, verdict, code));
            self.take_effects(place, effects.unwrap_or_default(), listener);
            self.last_words = None;
            self.base_offset = None;
        }
    }

    pub(super) fn take_effects(
        &mut self,
        place: usize,
        effects: Vec<Effect>,
        listener: &mut dyn DeliveryListener,
    ) {
        for effect in effects {
            match effect {
                Effect::Delivered(batch) => {
                    self.memory = self.memory.saturating_sub(batch.memory);
                    self.outstanding = self.outstanding.saturating_sub(batch.records as usize);
                    self.tell_places(place, &batch, listener);
                    listener.delivered(u64::from(batch.records));
                    self.keep_spare(batch.bytes.and_then(BatchBytes::into_spare));
                    if let Some(lane) = self.lanes.get_mut(place) {
                        lane.stuck_since = None;
                        lane.is_reported = false;
                    }
                }
                Effect::Failed(batch, failure) => {
                    self.memory = self.memory.saturating_sub(batch.memory);
                    self.outstanding = self.outstanding.saturating_sub(batch.records as usize);
                    let (kind, reason) = self.reason(place, &failure);
                    let partition = self.lanes.get(place).map(|lane| lane.partition);
                    failures::report(&batch, partition, kind, &reason, listener);
                }
                Effect::Split(batch) => {
                    let parts = split::halves(&batch, &mut self.next_batch);
                    if let Some(lane) = self.lanes.get_mut(place) {
                        lane.queue.put_back(parts);
                    }
                }
                Effect::Refresh => self.session.refresh(),
                Effect::Bump(identity) => self.bump(identity),
                Effect::Fatal { code, kind } => self.give_up(code, kind, listener),
            }
        }
    }

    /// Reports the offsets of a batch's records to a listener that wants them.
    fn tell_places(&self, place: usize, batch: &Batch, listener: &mut dyn DeliveryListener) {
        if listener.wants_runs() {
            let mut offset = self.base_offset;
            for run in batch.tags.runs() {
                let count = run.end - run.start;
                listener.delivered_run(run.start, count, offset);
                offset = offset.map(|offset| offset.saturating_add_unsigned(count));
            }
        }
        if let (true, Some(lane)) = (listener.wants_places(), self.lanes.get(place)) {
            for (number, tag) in (0..).zip(batch.tags.iter()) {
                let offset = self.base_offset.map(|base| base.saturating_add(number));
                listener.placed(tag, lane.partition, offset);
            }
        }
    }

    pub(super) fn keep_spare(&mut self, buffer: Option<Vec<u8>>) {
        if let Some(buffer) = buffer
            && self.spare.len() < SPARE_BUFFERS
        {
            self.spare.push(buffer);
        }
    }

    /// No batch of this producer will ever be accepted.
    pub(super) fn give_up(&mut self, code: i16, kind: Kind, listener: &mut dyn DeliveryListener) {
        let failure = Failure::Refused {
            code,
            kind,
            may_be_written: false,
        };
        self.fatal = Some((failure.clone(), failures::refused(code)));
        self.give_up_all(Some(&failure), listener);
    }

    pub(super) fn give_up_all(&mut self, failure: Option<&Failure>, listener: &mut dyn DeliveryListener) {
        for place in 0..self.lanes.len() {
            self.close_batch(place);
            let effects = self.lanes.get_mut(place).map(|lane| lane.queue.abandon(failure));
            self.take_effects(place, effects.unwrap_or_default(), listener);
        }
    }
}

/// The broker's own error message (KIP-467): of the first record that it names, or of the batch.
fn own_words(answer: &PartitionProduceResponse) -> Option<String> {
    let records = answer.record_errors.iter();
    let mut of_records = records.filter_map(|error| error.batch_index_error_message.as_ref());
    let words = of_records.next().or(answer.error_message.as_ref());
    words.map(ToString::to_string).filter(|words| !words.is_empty())
}
