//! Speaks with a broker about transactions, one request at a time, and writes down what was said.

use std::fmt::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, BrokerId, DescribeTransactionsRequest, EndTxnRequest,
    FetchRequest, GroupId, InitProducerIdRequest, ListOffsetsRequest, ListTransactionsRequest,
    OffsetFetchRequest, ProduceRequest, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::records::batch_builder::{BatchOptions, Producer};
use kafkit::records::{BatchBuilder, Batches};
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

/// Answers that only say that something else is still going on.
const NOT_YET: [i16; 4] = [14, 15, 16, 51];
const PATIENCE: Duration = Duration::from_secs(30);

/// A producer as it knows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Me {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

/// No producer yet.
pub(super) const NOBODY: Me = Me { id: -1, epoch: -1 };

/// A connection to one broker, and what was said on it.
pub(super) struct TransactionTalk {
    pub(super) line: Connection,
    pub(super) transcript: String,
    prefix: String,
    /// Producer ids in the order they were given out; the transcript calls them P1, P2 …
    ids: Vec<i64>,
}

pub(super) fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

/// Records of long ago would begin a segment of their own beside their markers.
fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time after 1970");
    i64::try_from(since.as_millis()).expect("a time of this age")
}

impl TransactionTalk {
    pub(super) fn with(bootstrap: &str) -> Self {
        let address = HostPort::parse(bootstrap).expect("an address");
        Self {
            line: Connection::open(&address, &ConnectionOptions::default()).expect("a connection"),
            transcript: String::new(),
            prefix: format!("txn-{}-", std::process::id()),
            ids: Vec::new(),
        }
    }

    pub(super) fn id(&self, name: &str) -> TransactionalId {
        TransactionalId(text(format!("{}{name}", self.prefix)))
    }

    pub(super) fn topic(&self, name: &str) -> TopicName {
        TopicName(text(format!("{}{name}", self.prefix)))
    }

    pub(super) fn group(&self, name: &str) -> GroupId {
        GroupId(text(format!("{}{name}", self.prefix)))
    }

    pub(super) fn chapter(&mut self, title: &str) {
        writeln!(self.transcript, "# {title}").expect("text");
    }

    pub(super) fn say(&mut self, line: &str) {
        let line = line.replace(&self.prefix, "");
        writeln!(self.transcript, "{line}").expect("text");
    }

    /// The name of a producer id.
    pub(super) fn producer(&mut self, id: i64) -> String {
        if id < 0 {
            return id.to_string();
        }
        let known = self.ids.iter().position(|known| *known == id);
        let place = known.unwrap_or_else(|| {
            self.ids.push(id);
            self.ids.len() - 1
        });
        format!("P{}", place + 1)
    }

    /// Asks until the answer is about the question.
    pub(super) fn settled<A>(&mut self, mut ask: impl FnMut(&mut Self) -> (A, i16)) -> A {
        let begun = Instant::now();
        loop {
            let (answer, code) = ask(self);
            if !NOT_YET.contains(&code) || begun.elapsed() > PATIENCE {
                return answer;
            }
            std::thread::yield_now();
        }
    }

    /// InitProducerId, asked until it is answered.
    pub(super) fn init(&mut self, version: i16, name: &str, timeout_ms: i32, me: Me) -> Me {
        self.ask_init(version, name, timeout_ms, me, true)
    }

    /// The same, with the first answer whatever it is.
    pub(super) fn ask_init(&mut self, version: i16, name: &str, timeout_ms: i32, me: Me, wait: bool) -> Me {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(self.id(name)))
            .with_transaction_timeout_ms(timeout_ms)
            .with_producer_id(ProducerId(me.id))
            .with_producer_epoch(me.epoch);
        let answer = self.settled(|talk| {
            let answer = talk.line.send_as(&request, version).expect("an answer");
            let code = if wait || answer.error_code != 51 {
                answer.error_code
            } else {
                0
            };
            (answer, code)
        });
        let (from, to) = (self.producer(me.id), self.producer(answer.producer_id.0));
        self.say(&format!(
            "init v{version} {name} ({from}, {}): error {}, ({to}, {})",
            me.epoch, answer.error_code, answer.producer_epoch
        ));
        Me {
            id: answer.producer_id.0,
            epoch: answer.producer_epoch,
        }
    }

    pub(super) fn add(&mut self, version: i16, name: &str, me: Me, partitions: &[(&str, i32)]) {
        self.ask_add(version, name, me, partitions, false);
    }

    pub(super) fn ask_add(
        &mut self,
        version: i16,
        name: &str,
        me: Me,
        partitions: &[(&str, i32)],
        verify_only: bool,
    ) {
        let topics: Vec<_> = partitions
            .iter()
            .map(|(topic, partition)| {
                AddPartitionsToTxnTopic::default()
                    .with_name(self.topic(topic))
                    .with_partitions(vec![*partition])
            })
            .collect();
        let request = AddPartitionsToTxnRequest::default();
        let request = if version < 4 {
            request
                .with_v3_and_below_transactional_id(self.id(name))
                .with_v3_and_below_producer_id(ProducerId(me.id))
                .with_v3_and_below_producer_epoch(me.epoch)
                .with_v3_and_below_topics(topics)
        } else {
            let transaction = AddPartitionsToTxnTransaction::default()
                .with_transactional_id(self.id(name))
                .with_producer_id(ProducerId(me.id))
                .with_producer_epoch(me.epoch)
                .with_verify_only(verify_only)
                .with_topics(topics);
            request.with_transactions(vec![transaction])
        };
        let codes = self.settled(|talk| {
            let answer = talk.line.send_as(&request, version).expect("an answer");
            let topics = answer.results_by_topic_v3_and_below.into_iter().chain(
                answer
                    .results_by_transaction
                    .into_iter()
                    .flat_map(|transaction| transaction.topic_results),
            );
            let mut codes: Vec<(String, i32, i16)> = topics
                .flat_map(|topic| {
                    let name = topic.name.to_string();
                    topic.results_by_partition.into_iter().map(move |result| {
                        (name.clone(), result.partition_index, result.partition_error_code)
                    })
                })
                .collect();
            codes.sort();
            let first = codes.first().map_or(0, |(_, _, code)| *code);
            (codes, first)
        });
        let codes: Vec<_> = codes
            .iter()
            .map(|(topic, partition, code)| format!("{topic}-{partition}: {code}"))
            .collect();
        let what = if verify_only { "verify" } else { "add" };
        let from = self.producer(me.id);
        self.say(&format!(
            "{what} v{version} {name} ({from}, {}): {}",
            me.epoch,
            codes.join(", ")
        ));
    }

    /// Records in a transaction, or beside one.
    pub(super) fn produce(
        &mut self,
        version: i16,
        name: Option<&str>,
        me: Me,
        sequence: i32,
        (topic, values): (&str, &[&str]),
    ) {
        let mut builder = BatchBuilder::new(BatchOptions {
            producer: (me != NOBODY).then_some(Producer {
                id: me.id,
                epoch: me.epoch,
                base_sequence: sequence,
            }),
            transactional: name.is_some(),
            ..BatchOptions::default()
        });
        for value in values {
            builder.append(now_ms(), None, Some(value.as_bytes()), &[]);
        }
        let records = builder.finish().expect("a batch");
        let partition = PartitionProduceData::default().with_records(Some(Bytes::from(records)));
        let data = TopicProduceData::default()
            .with_name(self.topic(topic))
            .with_partition_data(vec![partition]);
        let request = ProduceRequest::default()
            .with_transactional_id(name.map(|name| self.id(name)))
            .with_acks(-1)
            .with_timeout_ms(10_000)
            .with_topic_data(vec![data]);
        let answer = self.settled(|talk| {
            let answer = talk.line.send_as(&request, version).expect("an answer");
            let code = answer.responses[0].partition_responses[0].error_code;
            (answer, code)
        });
        let answer = &answer.responses[0].partition_responses[0];
        let from = self.producer(me.id);
        let message = answer
            .error_message
            .as_ref()
            .map_or(String::new(), |message| format!(" {:?}", message.as_str()));
        self.say(&format!(
            "produce v{version} {} ({from}, {}) sequence {sequence}: error {}{message}, offset {}, log start {}",
            name.unwrap_or("-"),
            me.epoch,
            answer.error_code,
            answer.base_offset,
            answer.log_start_offset
        ));
    }

    /// Ends a transaction; with `settle` asked until it is answered. Who the producer is from then on.
    pub(super) fn end(&mut self, version: i16, name: &str, me: Me, committed: bool) -> Me {
        let request = EndTxnRequest::default()
            .with_transactional_id(self.id(name))
            .with_producer_id(ProducerId(me.id))
            .with_producer_epoch(me.epoch)
            .with_committed(committed);
        let answer = self.settled(|talk| {
            let answer = talk.line.send_as(&request, version).expect("an answer");
            let code = answer.error_code;
            (answer, code)
        });
        let what = if committed { "commit" } else { "abort" };
        let (from, to) = (self.producer(me.id), self.producer(answer.producer_id.0));
        self.say(&format!(
            "{what} v{version} {name} ({from}, {}): error {}, ({to}, {})",
            me.epoch, answer.error_code, answer.producer_epoch
        ));
        Me {
            id: answer.producer_id.0,
            epoch: answer.producer_epoch,
        }
    }

    pub(super) fn add_offsets(&mut self, version: i16, name: &str, me: Me, group: &str) {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(self.id(name))
            .with_producer_id(ProducerId(me.id))
            .with_producer_epoch(me.epoch)
            .with_group_id(self.group(group));
        let code = self.settled(|talk| {
            let answer = talk.line.send_as(&request, version).expect("an answer");
            (answer.error_code, answer.error_code)
        });
        let from = self.producer(me.id);
        self.say(&format!(
            "add offsets v{version} {name} ({from}, {}) {group}: error {code}",
            me.epoch
        ));
    }

    /// Commits offsets of the first partitions of topics in a transaction, for a member of a generation.
    pub(super) fn commit_offsets(
        &mut self,
        version: i16,
        name: &str,
        me: Me,
        (group, member, generation): (&str, &str, i32),
        offsets: &[(&str, i32, i64)],
    ) {
        let topics = offsets.iter().map(|(topic, partition, offset)| {
            let partition = TxnOffsetCommitRequestPartition::default()
                .with_partition_index(*partition)
                .with_committed_offset(*offset)
                .with_committed_metadata(Some(text("m")));
            TxnOffsetCommitRequestTopic::default()
                .with_name(self.topic(topic))
                .with_partitions(vec![partition])
        });
        let mut request = TxnOffsetCommitRequest::default()
            .with_transactional_id(self.id(name))
            .with_producer_id(ProducerId(me.id))
            .with_producer_epoch(me.epoch)
            .with_group_id(self.group(group))
            .with_topics(topics.collect());
        if version >= 3 {
            request = request
                .with_generation_id(generation)
                .with_member_id(text(member));
        }
        let codes = self.settled(|talk| {
            let answer = talk.line.send_as(&request, version).expect("an answer");
            let codes: Vec<(String, i32, i16)> = answer
                .topics
                .iter()
                .flat_map(|topic| {
                    let partitions = topic.partitions.iter();
                    partitions.map(|partition| {
                        (
                            topic.name.to_string(),
                            partition.partition_index,
                            partition.error_code,
                        )
                    })
                })
                .collect();
            let last = codes.last().map_or(0, |(_, _, code)| *code);
            (codes, last)
        });
        let codes: Vec<_> = codes
            .iter()
            .map(|(topic, partition, code)| format!("{topic}-{partition}: {code}"))
            .collect();
        let from = self.producer(me.id);
        self.say(&format!(
            "commit offsets v{version} {name} ({from}, {}) {group} {member:?} {generation}: {}",
            me.epoch,
            codes.join(", ")
        ));
    }

    /// What a group has committed for a topic.
    pub(super) fn committed(&mut self, group: &str, topic: Option<&str>, require_stable: bool) {
        let topics = topic.map(|topic| {
            vec![
                OffsetFetchRequestTopics::default()
                    .with_name(self.topic(topic))
                    .with_partition_indexes(vec![0, 1]),
            ]
        });
        let asked = OffsetFetchRequestGroup::default()
            .with_group_id(self.group(group))
            .with_topics(topics);
        let request = OffsetFetchRequest::default()
            .with_groups(vec![asked])
            .with_require_stable(require_stable);
        let answer = self.line.send_as(&request, 8).expect("an answer");
        let offsets: Vec<_> = answer.groups[0]
            .topics
            .iter()
            .flat_map(|topic| {
                topic.partitions.iter().map(|partition| {
                    format!(
                        "{}-{}: {} {:?} error {}",
                        topic.name.as_str(),
                        partition.partition_index,
                        partition.committed_offset,
                        partition.metadata.as_ref().map_or("null", |text| text.as_str()),
                        partition.error_code
                    )
                })
            })
            .collect();
        let what = if require_stable {
            "stable offsets"
        } else {
            "offsets"
        };
        self.say(&format!("{what} of {group}: {}", offsets.join(", ")));
    }

    /// What a reader of committed records sees of a partition, and what every reader sees.
    pub(super) fn read(&mut self, topic: &str) {
        for isolation_level in [0, 1] {
            let partition = FetchPartition::default()
                .with_partition_max_bytes(1 << 20)
                .with_current_leader_epoch(-1);
            let fetch_topic = FetchTopic::default()
                .with_topic(self.topic(topic))
                .with_partitions(vec![partition]);
            let request = FetchRequest::default()
                .with_replica_id(BrokerId(-1))
                .with_max_bytes(1 << 20)
                .with_isolation_level(isolation_level)
                .with_session_epoch(-1)
                .with_topics(vec![fetch_topic]);
            let answer = self.line.send_as(&request, 12).expect("an answer");
            let answer = &answer.responses[0].partitions[0];
            let mut aborted: Vec<(i64, i64)> = answer
                .aborted_transactions
                .iter()
                .flatten()
                .map(|aborted| (aborted.first_offset, aborted.producer_id.0))
                .collect();
            aborted.sort_unstable();
            let aborted: Vec<_> = aborted
                .into_iter()
                .map(|(first, id)| format!("{} from {first}", self.producer(id)))
                .collect();
            let records = answer.records.clone().unwrap_or_default();
            let batches: Vec<_> = Batches::new(&records)
                .map_while(Result::ok)
                .map(|batch| {
                    let header = batch.header;
                    let kind = match (header.is_control(), header.is_transactional()) {
                        (true, _) => "marker",
                        (false, true) => "transactional",
                        (false, false) => "plain",
                    };
                    format!(
                        "{}..{} {kind} ({}, {}) {}",
                        header.base_offset,
                        header.last_offset(),
                        self.producer(header.producer_id),
                        header.producer_epoch,
                        header.base_sequence
                    )
                })
                .collect();
            let is_null = answer.aborted_transactions.is_none();
            self.say(&format!(
                "read {topic} isolation {isolation_level}: end {}, stable {}, aborted {}, {}",
                answer.high_watermark,
                answer.last_stable_offset,
                if is_null {
                    "null".to_owned()
                } else {
                    format!("[{}]", aborted.join(", "))
                },
                batches.join("; ")
            ));
            let wanted = ListOffsetsPartition::default().with_timestamp(-1);
            let list = ListOffsetsTopic::default()
                .with_name(self.topic(topic))
                .with_partitions(vec![wanted]);
            let request = ListOffsetsRequest::default()
                .with_replica_id(BrokerId(-1))
                .with_isolation_level(isolation_level)
                .with_topics(vec![list]);
            let answer = self.line.send_as(&request, 7).expect("an answer");
            let offset = answer.topics[0].partitions[0].offset;
            self.say(&format!("end of {topic} isolation {isolation_level}: {offset}"));
        }
    }

    pub(super) fn describe(&mut self, name: &str) {
        let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![self.id(name)]);
        let answer = self.settled(|talk| {
            let answer = talk.line.send_as(&request, 0).expect("an answer");
            let state = &answer.transaction_states[0];
            // What is prepared is complete a moment later.
            let code = if state.transaction_state.starts_with("Prepare") {
                51
            } else {
                state.error_code
            };
            (answer, code)
        });
        let state = &answer.transaction_states[0];
        let mut topics: Vec<_> = state
            .topics
            .iter()
            .map(|topic| {
                let mut partitions = topic.partitions.clone();
                partitions.sort_unstable();
                format!("{}{partitions:?}", topic.topic.as_str())
            })
            .collect();
        topics.sort();
        let producer = if state.error_code == 0 {
            self.producer(state.producer_id.0)
        } else {
            state.producer_id.0.to_string()
        };
        let begun = if state.transaction_start_time_ms > 0 {
            "begun"
        } else {
            "not begun"
        };
        self.say(&format!(
            "describe {name}: error {}, {:?}, ({producer}, {}), time-out {}, {begun}, {}",
            state.error_code,
            state.transaction_state.as_str(),
            state.producer_epoch,
            state.transaction_timeout_ms,
            topics.join(", ")
        ));
    }

    /// Lists transactions of this conversation.
    pub(super) fn list(&mut self, what: &str, version: i16, request: &ListTransactionsRequest) {
        let answer = self.line.send_as(request, version).expect("an answer");
        let mut ids: Vec<_> = answer
            .transaction_states
            .iter()
            .filter(|state| state.transactional_id.starts_with(&self.prefix))
            .map(|state| {
                format!(
                    "{} {}",
                    state.transactional_id.as_str(),
                    state.transaction_state.as_str()
                )
            })
            .collect();
        ids.sort();
        let unknown: Vec<_> = answer
            .unknown_state_filters
            .iter()
            .map(StrBytes::as_str)
            .collect();
        self.say(&format!(
            "list v{version} {what}: error {}, {}; unknown states {unknown:?}",
            answer.error_code,
            ids.join(", ")
        ));
    }
}
