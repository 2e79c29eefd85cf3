//! A transactional id under random events: no order of producers, lost writes, lost markers, crashes and time-outs ends
//! a transaction half, or twice in different ways.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use kafkit::broker::coordinator::transaction::events::{
    AddPartitions, Effect, EndTransaction, Event, Generation, InitProducer, Markers, ProducerIdentity, Ticket,
};
use kafkit::broker::coordinator::transaction::transaction_data::Transaction;
use kafkit::broker::coordinator::transaction::transaction_machine::{TransactionLimits, TransactionMachine};
use kafkit::broker::coordinator::transaction::transaction_state::TransactionState;
use kafkit::topic_partition::TopicPartition;
use proptest::prelude::*;

const TIMEOUT_MS: i32 = 1_000;

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Move {
    Init {
        client: usize,
        says_who: bool,
    },
    Add {
        client: usize,
        partition: i32,
    },
    End {
        client: usize,
        commits: bool,
    },
    /// What is under way arrives, or fails.
    Arrive {
        succeeds: bool,
        left: i32,
    },
    Wait {
        ms: i64,
    },
    /// The coordinator dies; what was being written is on disk or not.
    Crash {
        was_written: bool,
    },
}

fn moves() -> impl Strategy<Value = Move> {
    let client = 0..3_usize;
    prop_oneof![
        3 => (client.clone(), any::<bool>()).prop_map(|(client, says_who)| Move::Init { client, says_who }),
        6 => (client.clone(), 0..3_i32).prop_map(|(client, partition)| Move::Add { client, partition }),
        6 => (client, any::<bool>()).prop_map(|(client, commits)| Move::End { client, commits }),
        16 => (prop::bool::weighted(0.85), 0..4_i32).prop_map(|(succeeds, left)| Move::Arrive { succeeds, left }),
        2 => (0..1_500_i64).prop_map(|ms| Move::Wait { ms }),
        1 => any::<bool>().prop_map(|was_written| Move::Crash { was_written }),
    ]
}

/// What the machine waits for.
#[derive(Clone, Debug)]
enum UnderWay {
    Write(Transaction),
    Markers(Markers),
}

/// What a ticket was given out for.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Init(usize),
    Add(ProducerIdentity),
    End(usize, bool),
}

/// The machine, the disk, the partitions, and the producers that share the id.
struct World {
    limits: TransactionLimits,
    machine: TransactionMachine,
    under_way: Option<UnderWay>,
    log: Vec<Transaction>,
    /// Partitions that have a marker since the last decision, with what it says.
    marked: BTreeMap<TopicPartition, bool>,
    clients: Vec<(Option<ProducerIdentity>, Generation)>,
    unanswered: BTreeMap<Ticket, Asked>,
    now_ms: i64,
    next_ticket: u64,
    next_producer_id: i64,
}

impl World {
    fn new(own_generation: Generation, epoch: i16) -> Self {
        let limits = TransactionLimits {
            expiration_ms: i64::MAX,
            own_generation,
        };
        let mut world = Self {
            limits,
            machine: TransactionMachine::new(limits, 0),
            under_way: None,
            log: Vec::new(),
            marked: BTreeMap::new(),
            clients: vec![
                (None, Generation::First),
                (None, Generation::Second),
                (None, Generation::Second),
            ],
            unanswered: BTreeMap::new(),
            now_ms: 0,
            next_ticket: 0,
            next_producer_id: 100,
        };
        if epoch > 0 {
            let mut used = Transaction::new(0);
            used.producer = ProducerIdentity { id: 7, epoch };
            used.timeout_ms = TIMEOUT_MS;
            world.log.push(used.clone());
            world.machine = TransactionMachine::restored(limits, used);
        }
        world
    }

    fn play(&mut self, step: Move) {
        match step {
            Move::Init { client, says_who } => {
                let request = InitProducer {
                    expected: self.clients[client].0.filter(|_| says_who),
                    timeout_ms: TIMEOUT_MS,
                };
                let ticket = self.ticket(Asked::Init(client));
                self.happen(Event::Init(ticket, request));
            }
            Move::Add { client, partition } => {
                let (Some(producer), generation) = self.clients[client] else {
                    return;
                };
                let request = AddPartitions {
                    producer,
                    partitions: BTreeSet::from([TopicPartition::new("t", partition)]),
                    generation,
                };
                let ticket = self.ticket(Asked::Add(producer));
                self.happen(Event::Add(ticket, request));
            }
            Move::End { client, commits } => {
                let (Some(producer), generation) = self.clients[client] else {
                    return;
                };
                let request = EndTransaction {
                    producer,
                    commits,
                    generation,
                };
                let ticket = self.ticket(Asked::End(client, commits));
                self.happen(Event::End(ticket, request));
            }
            Move::Arrive { succeeds, left } => self.arrive(succeeds, left),
            Move::Wait { ms } => {
                self.now_ms += ms;
                self.happen(Event::DeadlinePassed);
            }
            Move::Crash { was_written } => self.crash(was_written),
        }
    }

    fn ticket(&mut self, asked: Asked) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.unanswered.insert(ticket, asked);
        ticket
    }

    fn happen(&mut self, event: Event) {
        let fresh_id = self
            .machine
            .may_need_producer_id()
            .then_some(self.next_producer_id);
        self.next_producer_id += 1;
        let effects = self.machine.handle(self.now_ms, fresh_id, event);
        self.take(effects);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Write(transaction) => self.start(UnderWay::Write(transaction)),
                Effect::SendMarkers(markers) => self.start(UnderWay::Markers(markers)),
                Effect::WriteTombstone => panic!("nothing expires here"),
                Effect::Answer(ticket, answer) => {
                    let asked = self.unanswered.remove(&ticket).expect("answered once");
                    self.answered(asked, answer);
                }
            }
        }
    }

    fn start(&mut self, under_way: UnderWay) {
        assert!(self.under_way.is_none(), "one thing at a time");
        self.under_way = Some(under_way);
    }

    fn answered(&mut self, asked: Asked, answer: Result<ProducerIdentity, ResponseError>) {
        let Ok(producer) = answer else { return };
        let stored = self.log.last().expect("a record before every answer");
        match asked {
            Asked::Init(client) => {
                assert_eq!(stored.producer, producer, "who begins is who the log knows");
                self.clients[client].0 = Some(producer);
            }
            Asked::Add(said) => assert_eq!(stored.producer, said, "a producer that was kept out adds"),
            Asked::End(client, commits) => {
                let decided = match stored.state {
                    TransactionState::PrepareCommit | TransactionState::CompleteCommit => true,
                    TransactionState::PrepareAbort | TransactionState::CompleteAbort => false,
                    other => panic!("{other} after the end"),
                };
                assert_eq!(decided, commits, "the end that was asked for");
                if self.clients[client].1 == Generation::Second {
                    self.clients[client].0 = Some(producer);
                }
            }
        }
    }

    fn arrive(&mut self, succeeds: bool, left: i32) {
        match self.under_way.take() {
            None => {}
            Some(UnderWay::Write(_)) if !succeeds => {
                self.happen_later(Event::NotWritten(ResponseError::CoordinatorNotAvailable));
            }
            Some(UnderWay::Write(transaction)) => {
                self.append(transaction);
                self.happen_later(Event::Written);
            }
            Some(UnderWay::Markers(markers)) => {
                let left: BTreeSet<TopicPartition> = markers
                    .partitions
                    .iter()
                    .filter(|partition| !succeeds && partition.partition == left)
                    .cloned()
                    .collect();
                self.mark(&markers, &left);
                self.happen_later(Event::MarkersSent { left, fenced: false });
            }
        }
    }

    /// What follows from a write needs no producer id.
    fn happen_later(&mut self, event: Event) {
        let effects = self.machine.handle(self.now_ms, None, event);
        self.take(effects);
    }

    fn mark(&mut self, markers: &Markers, left: &BTreeSet<TopicPartition>) {
        let stored = self.log.last().expect("a decision");
        assert_eq!(stored.producer, markers.producer);
        assert_eq!(stored.state == TransactionState::PrepareCommit, markers.commits);
        for partition in markers.partitions.difference(left) {
            self.marked.insert(partition.clone(), markers.commits);
        }
    }

    /// A record reaches the disk: it must be one that may follow the last.
    fn append(&mut self, next: Transaction) {
        use TransactionState::{CompleteAbort, CompleteCommit, Empty, Ongoing, PrepareAbort, PrepareCommit};
        let before = self.log.last().map_or(Empty, |last| last.state);
        let is_legal = match next.state {
            Empty => before.is_idle(),
            Ongoing => before == Ongoing || before.is_idle(),
            PrepareCommit => before == Ongoing,
            PrepareAbort => before == Ongoing || (before.is_idle() && next.generation == Generation::Second),
            CompleteCommit => before == PrepareCommit,
            CompleteAbort => before == PrepareAbort,
            other => panic!("{other} is never written"),
        };
        assert!(is_legal, "{before} → {}", next.state);
        if let Some(last) = self.log.last() {
            let (was, is) = (last.producer, next.producer);
            assert!(was.id != is.id || was.epoch <= is.epoch, "{was:?} → {is:?}");
            if matches!(next.state, CompleteCommit | CompleteAbort) {
                let unmarked = last
                    .partitions
                    .iter()
                    .find(|partition| self.marked.get(*partition) != Some(&(next.state == CompleteCommit)));
                assert_eq!(unmarked, None, "complete without a marker");
            }
            if next.state.is_prepared() && next.generation == Generation::Second {
                assert!(was.epoch < is.epoch || is.epoch == i16::MAX, "{was:?} → {is:?}");
            }
        }
        if next.state.is_prepared() {
            self.marked.clear();
        }
        self.log.push(next);
    }

    fn crash(&mut self, was_written: bool) {
        match self.under_way.take() {
            Some(UnderWay::Write(transaction)) if was_written => self.append(transaction),
            Some(UnderWay::Markers(markers)) if was_written => self.mark(&markers, &BTreeSet::new()),
            _ => {}
        }
        // Nobody is answered: the connections are gone.
        self.unanswered.clear();
        self.machine = match self.log.last() {
            None => TransactionMachine::new(self.limits, self.now_ms),
            Some(last) => {
                let mut last = last.clone();
                last.last_epoch = -1;
                TransactionMachine::restored(self.limits, last)
            }
        };
        let effects = self.machine.resume(self.now_ms);
        self.take(effects);
    }

    /// Everything succeeds from now on, and time passes: the id must come to rest.
    fn come_to_rest(&mut self) {
        for _ in 0..100 {
            if self.under_way.is_some() {
                self.arrive(true, 0);
            } else if let Some(deadline) = self.machine.next_deadline_ms() {
                self.now_ms = self.now_ms.max(deadline);
                self.happen(Event::DeadlinePassed);
            } else {
                break;
            }
        }
        assert!(
            self.unanswered.is_empty(),
            "never answered: {:?}",
            self.unanswered
        );
        if let Some(last) = self.log.last() {
            assert!(last.state.is_idle(), "{} at rest", last.state);
            let mut live = self.machine.transaction().clone();
            live.last_epoch = last.last_epoch;
            assert_eq!(live, *last, "the log tells what is so");
        }
    }
}

proptest! {
    #[test]
    fn a_transaction_ends_whole_and_one_way(
        own_second in any::<bool>(),
        epoch in prop_oneof![Just(0_i16), Just(i16::MAX - 3)],
        moves in proptest::collection::vec(moves(), 1..150),
    ) {
        let own = if own_second { Generation::Second } else { Generation::First };
        let mut world = World::new(own, epoch);
        for step in moves {
            world.play(step);
        }
        world.come_to_rest();
    }
}

proptest! {
    #[test]
    fn a_record_comes_back_as_it_was_written(
        id in any::<i64>(),
        epoch in any::<i16>(),
        state in 0..6_usize,
        partitions in proptest::collection::btree_set(("[a-c]", 0..3_i32), 0..5),
        version in 0..2_i16,
    ) {
        let mut transaction = Transaction::new(5);
        transaction.producer = ProducerIdentity { id, epoch };
        transaction.state = TransactionState::ALL[state];
        transaction.started_ms = 3;
        if transaction.state != TransactionState::Empty {
            transaction.partitions =
                partitions.into_iter().map(|(topic, index)| TopicPartition::new(topic, index)).collect();
        }
        if version == 1 {
            transaction.previous_producer_id = id;
            transaction.generation = Generation::Second;
        }
        prop_assert_eq!(Transaction::decode(&transaction.encode(version)), Some(transaction));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Transaction::decode(&bytes);
    }
}
