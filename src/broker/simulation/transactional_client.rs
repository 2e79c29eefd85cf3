//! A transactional producer: it begins, writes to both partitions, commits an offset with them, and commits or
//! aborts, by either of Kafka's two protocols (KIP-98, KIP-890). It is the only one with its id, so only a timeout
//! may fence it.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest, ProducerId,
    TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::clients::{
    COORDINATOR, PARTITIONS, TOPIC, error, fetch_offset, fetched_offset, group_id, produce, produced,
    topic_name,
};
use super::served::{Question, Target, read};
use crate::broker::coordinator::transaction::events::{Generation, ProducerIdentity};
use crate::broker::internal_topics::TRANSACTION_STATE;
use crate::reassignment::random::Random;
use crate::records::batch_builder::{BatchOptions, Producer};
use crate::topic_partition::Offset;

/// Longer than any schedule lasts, in ms.
const TIMEOUT_MS: i32 = 600_000;
const OFFSET_FETCH_VERSION: i16 = 7;
const INIT_VERSION: i16 = 4;
/// The partition that coordinates every transactional id.
const TRANSACTIONS: Target = Target {
    topic: TRANSACTION_STATE.name,
    index: 0,
};

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    AddPartition(i32),
    Write(i32, String),
    AddOffsets,
    CommitOffset,
    End { commits: bool },
}

/// The outcome of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its producer has not ended it.
    Open,
    /// Its producer has asked for this end and has no answer.
    Asked {
        commits: bool,
    },
    Committed,
    Aborted,
}

/// One transaction.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    /// Value by partition and offset of acknowledged records.
    pub(super) acknowledged: BTreeMap<(i32, Offset), String>,
    /// Whether an offset was committed in it: the transaction's number.
    pub(super) has_offset: bool,
    pub(super) outcome: Outcome,
}

pub(super) struct TransactionalClient {
    pub(super) id: String,
    generation: Generation,
    producer: Option<ProducerIdentity>,
    sequences: BTreeMap<i32, i32>,
    steps: VecDeque<Step>,
    /// The first is number 1.
    pub(super) transactions: Vec<Transaction>,
    looks: bool,
    /// The committed offset that was last seen.
    seen: Offset,
    /// Whether its transactions may have timed out.
    pub(super) may_be_fenced: bool,
}

impl TransactionalClient {
    pub(super) fn new(id: &str, generation: Generation) -> Self {
        Self {
            id: id.to_owned(),
            generation,
            producer: None,
            sequences: BTreeMap::new(),
            steps: VecDeque::new(),
            transactions: Vec::new(),
            looks: false,
            seen: 0,
            may_be_fenced: false,
        }
    }

    /// The number of its committed transactions.
    pub(super) fn committed(&self) -> usize {
        let committed = |transaction: &&Transaction| transaction.outcome == Outcome::Committed;
        self.transactions.iter().filter(committed).count()
    }

    fn is_second(&self) -> bool {
        self.generation == Generation::Second
    }

    fn produce_version(&self) -> i16 {
        if self.is_second() { 12 } else { 9 }
    }

    fn end_version(&self) -> i16 {
        if self.is_second() { 5 } else { 3 }
    }

    fn offset_version(&self) -> i16 {
        if self.is_second() { 5 } else { 3 }
    }

    fn transactional_id(&self) -> TransactionalId {
        TransactionalId(StrBytes::from_string(self.id.clone()))
    }

    /// The number of the transaction in a value, if it is one of this client.
    pub(super) fn transaction_of(&self, value: &str) -> Option<usize> {
        let rest = value.strip_prefix(&self.id)?.strip_prefix('/')?;
        rest.split('/').next()?.parse().ok()
    }

    pub(super) fn transaction(&self, number: usize) -> &Transaction {
        &self.transactions[number - 1]
    }

    pub(super) fn ask(&mut self, random: &mut Random, is_closing: bool) -> Option<Question> {
        self.looks = false;
        let Some(producer) = self.producer else {
            let is_needed = !is_closing
                || self
                    .transactions
                    .last()
                    .is_some_and(|last| last.outcome == Outcome::Open);
            return is_needed.then(|| self.init());
        };
        if self.steps.is_empty() {
            if is_closing {
                return None;
            }
            if random.below(4) == 0 {
                self.looks = true;
                return Some(fetch_offset(&self.id, OFFSET_FETCH_VERSION));
            }
            self.plan(random);
        }
        let step = self.steps.front().cloned()?;
        Some(self.question(&step, producer))
    }

    /// Plans the next transaction.
    fn plan(&mut self, random: &mut Random) {
        let number = self.transactions.len() + 1;
        let mut writes = Vec::new();
        for place in 0..=random.below(3) {
            let index = i32::try_from(random.below(PARTITIONS as usize)).unwrap();
            writes.push(Step::Write(index, format!("{}/{number}/{place}", self.id)));
        }
        let has_offset = random.below(2) == 0;
        if has_offset {
            writes.push(Step::CommitOffset);
            random.shuffle(&mut writes);
        }
        let commits = random.below(3) > 0;
        for write in writes {
            match &write {
                Step::Write(index, _) if !self.is_second() => {
                    self.steps.push_back(Step::AddPartition(*index));
                }
                Step::CommitOffset if !self.is_second() => self.steps.push_back(Step::AddOffsets),
                _ => {}
            }
            self.steps.push_back(write);
        }
        self.steps.push_back(Step::End { commits });
        self.transactions.push(Transaction {
            acknowledged: BTreeMap::new(),
            has_offset,
            outcome: Outcome::Open,
        });
    }

    fn init(&self) -> Question {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(self.transactional_id()))
            .with_transaction_timeout_ms(TIMEOUT_MS)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        Question::new(&request, INIT_VERSION, TRANSACTIONS)
    }

    fn question(&mut self, step: &Step, producer: ProducerIdentity) -> Question {
        let (id, epoch) = (ProducerId(producer.id), producer.epoch);
        let mut question = match step {
            Step::AddPartition(index) => {
                let topic = AddPartitionsToTxnTopic::default()
                    .with_name(topic_name(TOPIC))
                    .with_partitions(vec![*index]);
                let request = AddPartitionsToTxnRequest::default()
                    .with_v3_and_below_transactional_id(self.transactional_id())
                    .with_v3_and_below_producer_id(id)
                    .with_v3_and_below_producer_epoch(epoch)
                    .with_v3_and_below_topics(vec![topic]);
                Question::new(&request, 3, TRANSACTIONS)
            }
            Step::AddOffsets => {
                let request = AddOffsetsToTxnRequest::default()
                    .with_transactional_id(self.transactional_id())
                    .with_producer_id(id)
                    .with_producer_epoch(epoch)
                    .with_group_id(group_id(&self.id));
                Question::new(&request, 3, TRANSACTIONS)
            }
            Step::Write(index, value) => {
                let options = BatchOptions {
                    producer: Some(Producer {
                        id: producer.id,
                        epoch,
                        base_sequence: self.sequences.get(index).copied().unwrap_or(0),
                    }),
                    transactional: true,
                    ..BatchOptions::default()
                };
                let request = produce(Some(&self.id), *index, value, options);
                let target = Target {
                    topic: TOPIC,
                    index: *index,
                };
                Question::new(&request, self.produce_version(), target)
            }
            Step::CommitOffset => self.offset_commit(producer),
            Step::End { commits } => {
                self.last().outcome = Outcome::Asked { commits: *commits };
                let request = EndTxnRequest::default()
                    .with_transactional_id(self.transactional_id())
                    .with_producer_id(id)
                    .with_producer_epoch(epoch)
                    .with_committed(*commits);
                Question::new(&request, self.end_version(), TRANSACTIONS)
            }
        };
        // With the first protocol, a late request may join the next transaction (KIP-890).
        question.may_be_late = self.is_second();
        question
    }

    fn offset_commit(&self, producer: ProducerIdentity) -> Question {
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(0)
            .with_committed_offset(i64::try_from(self.transactions.len()).unwrap());
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(topic_name(TOPIC))
            .with_partitions(vec![partition]);
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(self.transactional_id())
            .with_group_id(group_id(&self.id))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_generation_id(-1)
            .with_topics(vec![topic]);
        Question::new(&request, self.offset_version(), COORDINATOR)
    }

    fn last(&mut self) -> &mut Transaction {
        self.transactions.last_mut().unwrap()
    }

    pub(super) fn hear(&mut self, answer: Option<Bytes>) -> String {
        let Some(answer) = answer else {
            return format!("{}: no answer", self.id);
        };
        if self.looks {
            let found = fetched_offset(answer, OFFSET_FETCH_VERSION);
            if let Ok(offset) = found {
                self.check_offset(offset);
            }
            return format!("{}: committed is {found:?}", self.id);
        }
        if self.producer.is_none() {
            return self.initialized(answer);
        }
        let step = self.steps.front().cloned().unwrap();
        let outcome = self.done(&step, answer);
        let words = format!("{} {}: {step:?}: {outcome:?}", self.id, self.transactions.len());
        match outcome {
            Ok(()) => drop(self.steps.pop_front()),
            Err(error) if is_passing(error) => {}
            Err(_) if self.may_be_fenced => {
                self.producer = None;
                self.steps.clear();
            }
            Err(error) => panic!("{words}: {error:?} is no answer to the only producer of its id"),
        }
        words
    }

    fn initialized(&mut self, answer: Bytes) -> String {
        let response = read::<InitProducerIdRequest>(answer, INIT_VERSION);
        match error(response.error_code) {
            None => {
                self.producer = Some(ProducerIdentity {
                    id: response.producer_id.0,
                    epoch: response.producer_epoch,
                });
                self.sequences.clear();
                // This aborts a transaction that it had not ended.
                if let Some(last) = self.transactions.last_mut()
                    && last.outcome == Outcome::Open
                {
                    last.outcome = Outcome::Aborted;
                }
            }
            Some(error) => assert!(is_passing(error), "InitProducerId: {error:?}"),
        }
        format!(
            "{}: {:?}, {:?}",
            self.id,
            error(response.error_code),
            self.producer
        )
    }

    fn done(&mut self, step: &Step, answer: Bytes) -> Result<(), ResponseError> {
        let check = |code| error(code).map_or(Ok(()), Err);
        match step {
            Step::AddPartition(_) => {
                let response = read::<AddPartitionsToTxnRequest>(answer, 3);
                let topic = &response.results_by_topic_v3_and_below[0];
                check(topic.results_by_partition[0].partition_error_code)
            }
            Step::AddOffsets => check(read::<AddOffsetsToTxnRequest>(answer, 3).error_code),
            Step::Write(index, value) => {
                let offset = produced(answer, self.produce_version())?;
                *self.sequences.entry(*index).or_default() += 1;
                let acknowledged = &mut self.last().acknowledged;
                acknowledged.insert((*index, offset), value.clone());
                Ok(())
            }
            Step::CommitOffset => {
                let response = read::<TxnOffsetCommitRequest>(answer, self.offset_version());
                check(response.topics[0].partitions[0].error_code)
            }
            Step::End { commits } => {
                let response = read::<EndTxnRequest>(answer, self.end_version());
                check(response.error_code)?;
                if self.is_second() {
                    self.producer = Some(ProducerIdentity {
                        id: response.producer_id.0,
                        epoch: response.producer_epoch,
                    });
                    self.sequences.clear();
                }
                self.last().outcome = if *commits {
                    Outcome::Committed
                } else {
                    Outcome::Aborted
                };
                Ok(())
            }
        }
    }

    /// Checks a committed offset: not behind the last transaction that committed one, not of one that did not, and
    /// not behind what was seen.
    pub(super) fn check_offset(&mut self, offset: Offset) {
        let offset = offset.max(0);
        let certain = self
            .numbered()
            .filter(|(_, transaction)| transaction.has_offset && transaction.outcome == Outcome::Committed);
        let floor = certain.map(|(number, _)| number).last().unwrap_or(0);
        let floor = i64::try_from(floor).unwrap().max(self.seen);
        let number = usize::try_from(offset).unwrap();
        let may_be = number == 0 || {
            let transaction = self.transaction(number);
            let asked = Outcome::Asked { commits: true };
            transaction.has_offset && [Outcome::Committed, asked].contains(&transaction.outcome)
        };
        assert!(
            offset >= floor && may_be,
            "{}: offset {offset} is committed; {floor} was before",
            self.id
        );
        self.seen = offset;
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &Transaction)> {
        (1..).zip(&self.transactions)
    }
}

/// Whether a client retries after this error.
pub(super) fn is_passing(error: ResponseError) -> bool {
    matches!(
        error,
        ResponseError::NotLeaderOrFollower
            | ResponseError::NotEnoughReplicas
            | ResponseError::NotEnoughReplicasAfterAppend
            | ResponseError::RequestTimedOut
            | ResponseError::NotCoordinator
            | ResponseError::CoordinatorNotAvailable
            | ResponseError::CoordinatorLoadInProgress
            | ResponseError::ConcurrentTransactions
            | ResponseError::UnknownTopicOrPartition
            | ResponseError::UnknownLeaderEpoch
            | ResponseError::FencedLeaderEpoch
    )
}
