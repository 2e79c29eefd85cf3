//! A model test with many random histories of one partition: brokers like Apache Kafka's, before 4.5 and since,
//! connections that break before or after the broker appended, leaders that move, answers with errors. In every
//! history the log has the input in order and at most once, records reported as delivered are in it, and records
//! reported as not written are not.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::partition_queue::{Attempt, Batch, Effect, Failure, Identity, PartitionQueue, Rules};
use super::tags::Tags;
use super::verdict::Verdict;
use crate::client::backoff::Backoff;
use crate::client::batch_bytes::BatchBytes;
use crate::records::batch_builder::{BatchBuilder, BatchOptions};
use crate::records::batch_header::{BatchHeader, crc_is_valid, increment_sequence};

/// A broker's producer state for one partition: epoch, and the last five batches by first and last sequence
/// number.
type ProducerState = (i16, VecDeque<(i32, i32)>);

/// The log of the partition, shared by all its leaders.
#[derive(Default)]
struct Log {
    tags: Vec<u64>,
    producers: HashMap<i64, ProducerState>,
    /// As in Apache Kafka since 4.5: the first sequence number of a producer must be 0.
    first_must_be_zero: bool,
}

impl Log {
    /// Appends a batch; returns the error code.
    fn append(&mut self, bytes: &[u8]) -> i16 {
        assert!(crc_is_valid(bytes), "what is sent has the right checksum");
        let header = BatchHeader::parse(bytes).unwrap();
        let (first, last) = (header.base_sequence, header.last_sequence());
        if let Some((epoch, recent)) = self.producers.get(&header.producer_id) {
            if header.producer_epoch < *epoch {
                return 47;
            }
            if header.producer_epoch > *epoch && first != 0 {
                return 45;
            }
            if header.producer_epoch == *epoch {
                if recent.contains(&(first, last)) {
                    return 0;
                }
                if first != increment_sequence(recent.back().unwrap().1, 1) {
                    return 45;
                }
            }
        } else if self.first_must_be_zero && first != 0 {
            return 45;
        }
        let state = self.producers.entry(header.producer_id).or_default();
        if state.0 != header.producer_epoch {
            *state = (header.producer_epoch, VecDeque::new());
        }
        state.1.push_back((first, last));
        if state.1.len() > 5 {
            state.1.pop_front();
        }
        let stored = crate::records::Batch::parse(bytes).unwrap();
        for record in stored.records(&mut Vec::new(), 1 << 20).unwrap() {
            let value = record.unwrap().value.unwrap().try_into().unwrap();
            self.tags.push(u64::from_be_bytes(value));
        }
        0
    }
}

/// A request on a connection, and its answer once the broker has served it.
struct Sent {
    attempt: Attempt,
    broker: i32,
    bytes: BatchBytes,
    code: Option<i16>,
}

struct World {
    now: Instant,
    queue: PartitionQueue,
    log: Log,
    identity: Identity,
    leader: i32,
    connection: VecDeque<Sent>,
    next_tag: u64,
    delivered: Vec<u64>,
    not_written: Vec<u64>,
    unknown: Vec<u64>,
}

/// Batches of one history.
const BATCHES: u64 = 12;

impl World {
    fn new(first_must_be_zero: bool, retries: Option<u32>) -> Self {
        let rules = Rules {
            is_idempotent: true,
            most_in_flight: 5,
            delivery_timeout: Duration::from_secs(60),
            retries,
            retry: Backoff {
                first: Duration::from_millis(1),
                longest: Duration::from_millis(1),
            },
            stops_at_failure: false,
        };
        Self {
            now: Instant::now(),
            queue: PartitionQueue::new(rules),
            log: Log {
                first_must_be_zero,
                ..Log::default()
            },
            identity: Identity { id: 9, epoch: 0 },
            leader: 1,
            connection: VecDeque::new(),
            next_tag: 0,
            delivered: Vec::new(),
            not_written: Vec::new(),
            unknown: Vec::new(),
        }
    }

    fn push(&mut self) {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        let mut tags = Tags::default();
        let count = 1 + self.next_tag % 3;
        for _ in 0..count {
            builder.append(0, None, Some(&self.next_tag.to_be_bytes()), &[]);
            tags.push(self.next_tag);
            self.next_tag += 1;
        }
        let id = self.next_tag;
        self.queue.push(Batch::new(id, count as u32, tags, self.now, 0));
        self.queue.finish(id, builder.finish_uncompressed().into());
    }

    fn send(&mut self) {
        if let Some((attempt, bytes)) = self.queue.send(self.now, self.leader, Some(self.identity)) {
            self.connection.push_back(Sent {
                attempt,
                broker: self.leader,
                bytes,
                code: None,
            });
        }
    }

    /// The broker serves the next request; `fault` is an error that it answers with, before or after it
    /// appended.
    fn serve(&mut self, fault: Option<(i16, bool)>) {
        let leader = self.leader;
        let Some(sent) = self.connection.iter_mut().find(|sent| sent.code.is_none()) else {
            return;
        };
        sent.code = Some(match fault {
            _ if sent.broker != leader => 6,
            Some((code, true)) => match self.log.append(&sent.bytes.whole()) {
                0 => code,
                refused => refused,
            },
            Some((code, false)) => code,
            None => self.log.append(&sent.bytes.whole()),
        });
    }

    fn receive(&mut self) {
        if self.connection.front().is_none_or(|sent| sent.code.is_none()) {
            return;
        }
        let sent = self.connection.pop_front().unwrap();
        let code = sent.code.unwrap();
        let verdict = Verdict::of(code, true);
        let effects = self
            .queue
            .answered(self.now, sent.attempt, sent.broker, verdict, code);
        self.take(effects);
    }

    /// The connection breaks; the broker has appended `taken` of the unanswered batches.
    fn cut(&mut self, taken: usize) {
        for _ in 0..taken {
            self.serve(None);
        }
        for sent in std::mem::take(&mut self.connection) {
            let effects = self.queue.lost(self.now, sent.attempt, false);
            self.take(effects);
        }
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Delivered(batch) => self.delivered.extend(batch.tags.iter()),
                Effect::Failed(batch, failure) => {
                    let list = match failure {
                        Failure::Refused {
                            may_be_written: false,
                            ..
                        }
                        | Failure::TimedOut {
                            may_be_written: false,
                        }
                        | Failure::Gone {
                            may_be_written: false,
                        }
                        | Failure::Abandoned {
                            may_be_written: false,
                        } => &mut self.not_written,
                        _ => &mut self.unknown,
                    };
                    list.extend(batch.tags.iter());
                }
                Effect::Bump(used) if used == self.identity => self.identity.epoch += 1,
                Effect::Bump(_) | Effect::Refresh => {}
                Effect::Split(_) | Effect::Fatal { .. } => unreachable!("no broker of ours does that"),
            }
        }
    }

    /// One step of a history, by a number.
    fn step(&mut self, choice: u8) {
        match choice % 16 {
            0..=2 => {
                if self.next_tag < BATCHES * 2 {
                    self.push();
                }
            }
            3..=6 => self.send(),
            7..=8 => self.serve(None),
            9 => self.serve(Some((19, false))),
            10 => self.serve(Some((7, true))),
            11 => self.serve(Some((3, false))),
            12..=13 => self.receive(),
            14 => self.cut(usize::from(choice / 16) % 4),
            _ => {
                self.leader = 3 - self.leader;
                self.queue.leader_changed();
            }
        }
        self.now += Duration::from_millis(2);
        let effects = self.queue.expire(self.now);
        self.take(effects);
    }

    /// Runs without further faults until everything is done.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            if self.queue.is_empty() {
                return;
            }
            self.now += Duration::from_millis(2);
            self.send();
            self.serve(None);
            self.receive();
        }
        panic!("it never ends");
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let log = &self.log.tags;
        prop_assert!(log.is_sorted_by(|a, b| a < b), "out of order or twice: {log:?}");
        for tag in &self.delivered {
            prop_assert!(log.contains(tag), "lost {tag}: {log:?}");
        }
        for tag in &self.not_written {
            prop_assert!(!log.contains(tag), "written after all: {tag}");
        }
        let all = self.delivered.len() + self.not_written.len() + self.unknown.len();
        prop_assert_eq!(all as u64, self.next_tag, "each record is reported once");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn order_and_exactly_once_hold_through_any_history(
        history in prop::collection::vec(any::<u8>(), 0..150),
        first_must_be_zero: bool,
    ) {
        let mut world = World::new(first_must_be_zero, None);
        for choice in history {
            world.step(choice);
        }
        world.settle();
        world.check()?;
        prop_assert_eq!(world.delivered.len() as u64, world.next_tag, "time was not the limit");
    }

    #[test]
    fn what_is_given_up_is_reported_as_what_it_is(
        history in prop::collection::vec(any::<u8>(), 0..150),
        retries in 0_u32..3,
    ) {
        let mut world = World::new(true, Some(retries));
        for choice in history {
            world.step(choice);
        }
        world.settle();
        world.check()?;
    }
}

/// A history that failed once: the first batch is refused because of too few in-sync replicas, and more follow
/// it.
#[test]
fn a_refused_batch_keeps_its_place_before_those_behind_it() {
    let mut world = World::new(false, None);
    for choice in [208, 147, 137, 208, 16, 16] {
        world.step(choice);
    }
    world.settle();
    world.check().unwrap();
    assert_eq!(world.delivered.len() as u64, world.next_tag);
}

#[test]
fn sequence_numbers_go_on_at_zero() {
    let mut world = World::new(false, None);
    world.queue.begin_at(i32::MAX - 3, world.identity);
    for _ in 0..8 {
        world.push();
        world.send();
        world.serve(None);
        world.receive();
    }
    assert!(world.queue.is_empty());
    assert_eq!(world.delivered.len() as u64, world.next_tag);
    assert_eq!(world.log.tags, (0..world.next_tag).collect::<Vec<_>>());
}
