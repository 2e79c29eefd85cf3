//! What librdkafka reports to a member of a group: assigned and revoked partitions, and the arrival of records.
//!
//! Each partition has its own queue, made before it is read: at the end of a partition the crate reports only its
//! number, which several topics may share.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::reports::Reports;
use super::tokens::Tokens;

/// A member of a group.
pub(super) type Member = BaseConsumer<MemberContext>;

/// What changed in a member's assignment, in order.
pub(super) enum Change {
    Given(String, i32, PartitionQueue<MemberContext>),
    Taken(String, i32),
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(topic, partition, _) => write!(f, "Given({topic}-{partition})"),
            Self::Taken(topic, partition) => write!(f, "Taken({topic}-{partition})"),
        }
    }
}

/// The state that librdkafka's callbacks write to.
#[derive(Debug)]
pub(super) struct MemberContext {
    pub(super) reports: Reports,
    pub(super) wake: Arc<Wake>,
    tokens: Tokens,
    member: OnceLock<Weak<Member>>,
    changes: Mutex<Vec<Change>>,
}

impl MemberContext {
    pub(super) fn new(tokens: Tokens) -> Self {
        Self {
            reports: Reports::default(),
            wake: Arc::default(),
            tokens,
            member: OnceLock::new(),
            changes: Mutex::default(),
        }
    }

    /// Gives the member an OAUTHBEARER token if one is due.
    pub(super) fn renew_token(&self, member: &Member) {
        self.tokens.renew(member.client(), &self.reports);
    }

    /// Must be called before the first poll; without it no partition gets a queue.
    pub(super) fn introduce(&self, member: &Arc<Member>) {
        let _ = self.member.set(Arc::downgrade(member));
    }

    /// The changes since the last call.
    pub(super) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give(&self, list: &TopicPartitionList) {
        let Some(member) = self.member.get().and_then(Weak::upgrade) else {
            return;
        };
        for element in list.elements() {
            let (topic, partition) = (element.topic().to_owned(), element.partition());
            if let Some(mut queue) = member.split_partition_queue(&topic, partition) {
                let wake = Arc::clone(&self.wake);
                queue.set_nonempty_callback(move || wake.ring());
                self.note(Change::Given(topic, partition, queue));
            }
        }
    }

    fn note(&self, change: Change) {
        self.changes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(change);
    }
}

impl ClientContext for MemberContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.reports.push_log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reports.push_error(&error, reason);
    }
}

impl ConsumerContext for MemberContext {
    fn pre_rebalance(&self, _member: &Member, rebalance: &Rebalance<'_>) {
        self.reports.count();
        match rebalance {
            Rebalance::Assign(list) => self.give(list),
            Rebalance::Revoke(list) => {
                for element in list.elements() {
                    self.note(Change::Taken(element.topic().to_owned(), element.partition()));
                }
            }
            Rebalance::Error(_) => {}
        }
    }

    fn commit_callback(&self, _result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        self.reports.count();
    }
}

/// Wakes the reading thread when a queue is no longer empty.
#[derive(Debug, Default)]
pub(super) struct Wake {
    rings: Mutex<u64>,
    rung: Condvar,
}

impl Wake {
    pub(super) fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.rung.notify_all();
    }

    /// How often it rang. To be called before the queues are read.
    pub(super) fn rings(&self) -> u64 {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has rung more than `seen` times, for `wait` at most.
    pub(super) fn wait(&self, seen: u64, wait: Duration) {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.rung.wait_timeout_while(rings, wait, |rings| *rings <= seen));
    }
}
