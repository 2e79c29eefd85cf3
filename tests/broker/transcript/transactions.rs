//! What was said about transactions.

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use kafka_protocol::messages::{
    CreateTopicsRequest, DeleteGroupsRequest, DescribeProducersRequest, DescribeTransactionsRequest,
    FindCoordinatorRequest, InitProducerIdRequest, ListTransactionsRequest, OffsetCommitRequest, ProducerId,
    TransactionalId, WriteTxnMarkersRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::group_talk::settled;
use super::transaction_talk::{Me, NOBODY, TransactionTalk, text};

const TIMEOUT_MS: i32 = 60_000;

impl TransactionTalk {
    pub(super) fn all(mut self) -> String {
        self.topics();
        self.coordinators();
        self.initializing();
        self.adding();
        self.first_generation();
        self.second_generation();
        self.producing();
        self.readers();
        self.offsets();
        self.offsets_of_members();
        self.fencing();
        self.markers_by_hand();
        self.listing();
        self.transcript
    }

    fn topics(&mut self) {
        let topics = ["t", "u", "v", "w", "x"].map(|name| {
            CreatableTopic::default()
                .with_name(self.topic(name))
                .with_num_partitions(3)
                .with_replication_factor(1)
        });
        let create = CreateTopicsRequest::default()
            .with_topics(topics.to_vec())
            .with_timeout_ms(10_000);
        self.line.send(&create).expect("topics");
        // A topic that was just made has a leader a moment later.
        settled(|| {
            let request = DescribeProducersRequest::default().with_topics(vec![
                TopicRequest::default()
                    .with_name(self.topic("x"))
                    .with_partition_indexes(vec![2]),
            ]);
            let answer = self.line.send_as(&request, 0).expect("an answer");
            (answer.topics[0].partitions[0].error_code == 0).then_some(())
        });
    }

    fn coordinators(&mut self) {
        self.chapter("find coordinator");
        let id = self.id("a");
        for version in 1..=6 {
            let key = text(id.to_string());
            let request = FindCoordinatorRequest::default().with_key_type(1);
            let request = if version < 4 {
                request.with_key(key)
            } else {
                request.with_coordinator_keys(vec![key])
            };
            let code = self.settled(|talk| {
                let answer = talk.line.send_as(&request, version).expect("an answer");
                let found = answer.coordinators.first().map(|found| found.error_code);
                let code = found.unwrap_or(answer.error_code);
                (code, code)
            });
            self.say(&format!("v{version}: error {code}"));
        }
        let request = FindCoordinatorRequest::default().with_key(text("g"));
        self.settled(|talk| {
            let answer = talk.line.send_as(&request, 3).expect("an answer");
            ((), answer.error_code)
        });
    }

    fn initializing(&mut self) {
        self.chapter("init producer id");
        for (what, timeout_ms, me) in [
            (
                "no epoch",
                TIMEOUT_MS,
                Me {
                    id: 4_000_005,
                    epoch: -1,
                },
            ),
            ("no id", TIMEOUT_MS, Me { id: -1, epoch: 5 }),
            ("no time", 0, NOBODY),
            ("too much time", 900_001, NOBODY),
        ] {
            self.say(what);
            self.init(4, "init", timeout_ms, me);
        }
        let empty = InitProducerIdRequest::default()
            .with_transactional_id(Some(TransactionalId(text(""))))
            .with_transaction_timeout_ms(TIMEOUT_MS);
        let answer = self.line.send_as(&empty, 4).expect("an answer");
        self.say(&format!("empty id: error {}", answer.error_code));
        self.describe("init");
        let first = self.init(5, "init", TIMEOUT_MS, NOBODY);
        self.describe("init");
        let second = self.init(0, "init", TIMEOUT_MS, NOBODY);
        let third = self.init(3, "init", TIMEOUT_MS, second);
        self.say("the same again, then an older one, then one of another id");
        self.init(4, "init", TIMEOUT_MS, second);
        for version in [3, 4] {
            self.init(version, "init", TIMEOUT_MS, first);
        }
        let other = Me {
            id: third.id + 1_000_000,
            epoch: 0,
        };
        self.init(4, "init", TIMEOUT_MS, other);
        self.init(4, "init", 5_000, third);
        self.describe("init");
        self.say("a producer that says who it is to an id that nobody has");
        let known = Me {
            id: 4_000_077,
            epoch: 3,
        };
        self.init(4, "init2", TIMEOUT_MS, known);
    }

    fn adding(&mut self) {
        self.chapter("add partitions");
        let me = self.init(4, "add", TIMEOUT_MS, NOBODY);
        self.add(3, "nobody", me, &[("t", 0)]);
        for version in 0..=3 {
            let older = Me {
                epoch: me.epoch - 1,
                ..me
            };
            self.add(version, "add", older, &[("t", 0)]);
        }
        let other = Me {
            id: me.id + 1_000_000,
            ..me
        };
        self.add(3, "add", other, &[("t", 0)]);
        self.add(3, "add", me, &[("t", 0), ("missing", 0), ("t", 7)]);
        self.describe("add");
        for version in 0..=3 {
            self.add(version, "add", me, &[("t", i32::from(version.min(2)))]);
        }
        self.describe("add");
        for version in [4, 5] {
            self.ask_add(version, "add", me, &[("t", 1), ("u", 1)], true);
            self.ask_add(version, "nobody", me, &[("t", 1)], true);
        }
        self.add(5, "add", me, &[("u", 1)]);
        self.describe("add");
        for version in 0..=3 {
            let name = format!("end{version}");
            let me = self.init(4, &name, TIMEOUT_MS, NOBODY);
            self.add(3, &name, me, &[("t", 0)]);
            self.end(version, &name, me, version % 2 == 0);
            self.describe(&name);
        }
        self.end(3, "add", me, false);
        self.describe("add");
    }

    fn first_generation(&mut self) {
        self.chapter("the ends of the first generation");
        let me = self.init(4, "first", TIMEOUT_MS, NOBODY);
        let (older, other) = (
            Me {
                epoch: me.epoch - 1,
                ..me
            },
            Me {
                id: me.id + 1_000_000,
                ..me
            },
        );
        for committed in [true, false] {
            self.say("with nothing in it");
            self.end(3, "first", me, committed);
            self.end(4, "first", me, committed);
        }
        for committed in [true, false] {
            self.add(3, "first", me, &[("t", 0)]);
            for version in 0..=4 {
                self.end(version, "first", older, committed);
            }
            self.end(3, "first", other, committed);
            self.end(3, "nobody", me, committed);
            self.end(4, "first", me, committed);
            self.describe("first");
            self.say("again, and the other way");
            self.end(4, "first", me, committed);
            self.end(4, "first", me, !committed);
        }
    }

    fn second_generation(&mut self) {
        self.chapter("the ends of the second generation");
        let mut me = self.init(5, "second", TIMEOUT_MS, NOBODY);
        self.say("with nothing in it");
        self.end(5, "second", me, true);
        me = self.end(5, "second", me, false);
        self.describe("second");
        for committed in [true, false] {
            self.add(5, "second", me, &[("t", 0)]);
            self.describe("second");
            let older = Me {
                epoch: me.epoch - 1,
                ..me
            };
            self.end(5, "second", older, committed);
            self.end(
                5,
                "second",
                Me {
                    id: me.id + 1_000_000,
                    ..me
                },
                committed,
            );
            let next = self.end(5, "second", me, committed);
            self.describe("second");
            self.say("again, and the other way, as before and as now");
            self.end(5, "second", me, committed);
            self.end(5, "second", me, !committed);
            self.end(5, "second", next, true);
            me = self.end(5, "second", next, false);
            self.describe("second");
        }
        self.init(5, "second", TIMEOUT_MS, me);
        self.say("an epoch that was");
        self.init(5, "second", TIMEOUT_MS, Me { epoch: 0, ..me });
    }

    fn producing(&mut self) {
        self.chapter("produce");
        let me = self.init(4, "produce", TIMEOUT_MS, NOBODY);
        for version in [9, 10, 11] {
            self.say("a partition that was not added");
            self.produce(version, Some("produce"), me, 0, ("u", &["a"]));
        }
        self.add(3, "produce", me, &[("u", 0)]);
        self.produce(9, Some("produce"), me, 0, ("u", &["a", "b"]));
        self.produce(9, Some("produce"), me, 0, ("u", &["a", "b"]));
        self.produce(9, Some("produce"), me, 7, ("u", &["c"]));
        self.produce(9, None, me, 2, ("u", &["outside"]));
        let older = Me {
            epoch: me.epoch - 1,
            ..me
        };
        self.produce(9, Some("produce"), older, 2, ("u", &["older"]));
        self.produce(9, Some("nobody"), me, 2, ("u", &["wrong id"]));
        self.produce(12, None, NOBODY, -1, ("u", &["plain"]));
        self.end(3, "produce", me, true);
        self.describe("produce");
        self.say("after the end");
        self.produce(9, Some("produce"), me, 2, ("u", &["late"]));
        self.read("u");
        self.chapter("produce without adding");
        let me = self.init(5, "implicit", TIMEOUT_MS, NOBODY);
        self.produce(12, Some("implicit"), me, 3, ("v", &["not from zero"]));
        self.produce(12, Some("implicit"), me, 0, ("v", &["a"]));
        self.describe("implicit");
        self.produce(12, Some("nobody"), me, 0, ("t", &["a"]));
        self.produce(12, Some("implicit"), Me { epoch: 5, ..me }, 0, ("w", &["a"]));
        self.produce(
            12,
            Some("implicit"),
            Me {
                id: me.id + 1_000_000,
                ..me
            },
            0,
            ("w", &["a"]),
        );
        let next = self.end(5, "implicit", me, false);
        self.describe("implicit");
        self.say("late records of the transaction before");
        self.produce(12, Some("implicit"), me, 1, ("v", &["late"]));
        self.produce(12, Some("implicit"), next, 0, ("v", &["b", "c"]));
        self.end(5, "implicit", next, true);
        self.describe("implicit");
        self.read("v");
    }

    fn readers(&mut self) {
        self.chapter("readers of committed records");
        let [first, second] = ["r1", "r2"].map(|name| self.init(5, name, TIMEOUT_MS, NOBODY));
        self.produce(12, Some("r1"), first, 0, ("w", &["a"]));
        self.produce(12, None, NOBODY, -1, ("w", &["plain"]));
        self.produce(12, Some("r2"), second, 0, ("w", &["b"]));
        self.read("w");
        self.producers("w");
        self.end(5, "r2", second, false);
        self.describe("r2");
        self.read("w");
        self.end(5, "r1", first, true);
        self.describe("r1");
        self.read("w");
        self.producers("w");
    }

    fn producers(&mut self, topic: &str) {
        let request = DescribeProducersRequest::default().with_topics(vec![
            TopicRequest::default()
                .with_name(self.topic(topic))
                .with_partition_indexes(vec![0, 9]),
        ]);
        let answer = self.line.send_as(&request, 0).expect("an answer");
        for partition in &answer.topics[0].partitions {
            let mut producers: Vec<_> = partition.active_producers.iter().collect();
            producers.sort_by_key(|producer| producer.producer_id.0);
            let producers: Vec<_> = producers
                .into_iter()
                .map(|producer| {
                    format!(
                        "({}, {}) sequence {} coordinator {} open from {}",
                        self.producer(producer.producer_id.0),
                        producer.producer_epoch,
                        producer.last_sequence,
                        producer.coordinator_epoch,
                        producer.current_txn_start_offset
                    )
                })
                .collect();
            self.say(&format!(
                "producers of {topic}-{}: error {} {:?}, {}",
                partition.partition_index,
                partition.error_code,
                partition.error_message.as_ref().map(StrBytes::as_str),
                producers.join("; ")
            ));
        }
    }

    fn commit_plainly(&mut self, group: &str, topic: &str, offset: i64) {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(0)
            .with_committed_offset(offset)
            .with_committed_metadata(Some(text("plain")));
        let topic = OffsetCommitRequestTopic::default()
            .with_name(self.topic(topic))
            .with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(self.group(group))
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        let answer = self.line.send_as(&request, 8).expect("an answer");
        let code = answer.topics[0].partitions[0].error_code;
        self.say(&format!("plain commit of {group}: error {code}"));
    }

    fn offsets(&mut self) {
        self.chapter("offsets in transactions");
        let nobody = |group| (group, "", -1);
        let me = self.init(4, "o1", TIMEOUT_MS, NOBODY);
        for version in [3, 4] {
            self.say("a group that was not added");
            self.commit_offsets(version, "o1", me, nobody("g1"), &[("t", 0, 5)]);
        }
        self.add_offsets(3, "nobody", me, "g1");
        for version in [1, 3] {
            let older = Me {
                epoch: me.epoch - 1,
                ..me
            };
            self.add_offsets(version, "o1", older, "g1");
            self.commit_offsets(version, "o1", older, nobody("g1"), &[("t", 0, 5)]);
        }
        self.add_offsets(3, "o1", me, "g1");
        for version in 0..=3 {
            self.commit_offsets(
                version,
                "o1",
                me,
                nobody("g1"),
                &[("t", 0, 5), ("t", 9, 1), ("missing", 0, 1)],
            );
        }
        self.committed("g1", Some("t"), false);
        self.committed("g1", Some("t"), true);
        self.committed("g1", None, true);
        self.end(3, "o1", me, true);
        self.describe("o1");
        self.committed("g1", Some("t"), true);
        self.say("an abort");
        self.add_offsets(4, "o1", me, "g1");
        self.commit_offsets(4, "o1", me, nobody("g1"), &[("t", 0, 6), ("t", 1, 6)]);
        self.committed("g1", Some("t"), true);
        self.committed("g1", None, true);
        self.end(3, "o1", me, false);
        self.describe("o1");
        self.committed("g1", Some("t"), true);
        self.say("a plain commit that comes later stays");
        self.add_offsets(4, "o1", me, "g1");
        self.commit_offsets(4, "o1", me, nobody("g1"), &[("t", 0, 7)]);
        self.commit_plainly("g1", "t", 8);
        self.end(3, "o1", me, true);
        self.describe("o1");
        self.committed("g1", Some("t"), true);
        self.chapter("offsets without adding the group");
        let me = self.init(5, "o2", TIMEOUT_MS, NOBODY);
        self.commit_offsets(5, "nobody", me, nobody("g2"), &[("t", 0, 1)]);
        self.commit_offsets(5, "o2", me, nobody("g2"), &[("t", 0, 1)]);
        self.commit_offsets(5, "o2", me, nobody(""), &[("t", 0, 1)]);
        self.committed("g2", Some("t"), true);
        let next = self.end(5, "o2", me, true);
        self.describe("o2");
        self.say("late offsets of the transaction before");
        self.commit_offsets(5, "o2", me, nobody("g2"), &[("t", 0, 2)]);
        self.describe("o2");
        self.committed("g2", Some("t"), true);
        self.say("a group that is deleted meanwhile");
        self.commit_offsets(5, "o2", next, nobody("g2"), &[("t", 0, 3), ("t", 1, 3)]);
        let delete = DeleteGroupsRequest::default().with_groups_names(vec![self.group("g2")]);
        let code = self.line.send_as(&delete, 2).expect("an answer").results[0].error_code;
        self.say(&format!("delete g2: error {code}"));
        self.end(5, "o2", next, true);
        self.describe("o2");
        self.committed("g2", Some("t"), true);
    }

    fn offsets_of_members(&mut self) {
        self.chapter("offsets of members");
        let me = self.init(5, "o3", TIMEOUT_MS, NOBODY);
        self.commit_offsets(5, "o3", me, ("g3", "somebody", 1), &[("t", 0, 1)]);
        self.commit_offsets(5, "o3", me, ("g3", "", 1), &[("t", 0, 1)]);
        self.commit_offsets(5, "o3", me, ("g3", "", -1), &[("t", 0, 1)]);
        self.commit_offsets(5, "o3", me, ("g3", "somebody", 1), &[("t", 0, 1)]);
        self.commit_offsets(5, "o3", me, ("g3", "somebody", -1), &[("t", 0, 1)]);
        self.end(5, "o3", me, false);
        self.describe("o3");
    }

    fn fencing(&mut self) {
        self.chapter("a second producer of the same id");
        let first = self.init(5, "fence", TIMEOUT_MS, NOBODY);
        self.produce(12, Some("fence"), first, 0, ("x", &["a"]));
        self.ask_init(5, "fence", TIMEOUT_MS, NOBODY, false);
        self.describe("fence");
        let second = self.init(5, "fence", TIMEOUT_MS, NOBODY);
        self.read("x");
        self.produce(12, Some("fence"), first, 1, ("x", &["b"]));
        self.produce(9, Some("fence"), first, 1, ("x", &["b"]));
        self.add(1, "fence", first, &[("x", 0)]);
        self.add(3, "fence", first, &[("x", 0)]);
        self.end(1, "fence", first, true);
        self.end(3, "fence", first, true);
        self.end(5, "fence", first, true);
        self.init(5, "fence", TIMEOUT_MS, first);
        self.produce(12, Some("fence"), second, 0, ("x", &["c"]));
        self.end(5, "fence", second, true);
        self.describe("fence");
        self.read("x");
        self.say("a time-out");
        let me = self.init(5, "slow", 1_000, NOBODY);
        self.add(3, "slow", me, &[("x", 1)]);
        self.describe("slow");
        settled(|| {
            let request =
                DescribeTransactionsRequest::default().with_transactional_ids(vec![self.id("slow")]);
            let answer = self.line.send_as(&request, 0).expect("an answer");
            (answer.transaction_states[0].transaction_state.as_str() == "CompleteAbort").then_some(())
        });
        self.describe("slow");
        self.end(3, "slow", me, true);
        self.end(5, "slow", me, true);
        self.init(4, "slow", 1_000, me);
    }

    fn markers_by_hand(&mut self) {
        self.chapter("markers by hand");
        self.init(5, "hand", TIMEOUT_MS, NOBODY);
        let me = self.init(5, "hand", TIMEOUT_MS, NOBODY);
        self.produce(12, Some("hand"), me, 0, ("x", &["d"]));
        let mut write = |what: &str, epoch: i16, coordinator_epoch: i32, topic: &str| {
            let topic = WritableTxnMarkerTopic::default()
                .with_name(self.topic(topic))
                .with_partition_indexes(vec![0]);
            let marker = WritableTxnMarker::default()
                .with_producer_id(ProducerId(me.id))
                .with_producer_epoch(epoch)
                .with_coordinator_epoch(coordinator_epoch)
                .with_topics(vec![topic]);
            let request = WriteTxnMarkersRequest::default().with_markers(vec![marker]);
            let answer = self.line.send_as(&request, 1).expect("an answer");
            let code = answer.markers[0].topics[0].partitions[0].error_code;
            self.say(&format!("{what}: error {code}"));
        };
        write("topic that is missing", me.epoch, 0, "missing");
        write("older epoch", me.epoch - 1, 0, "x");
        write("in time", me.epoch, 7, "x");
        write("older coordinator", me.epoch, 6, "x");
        write("again", me.epoch, 7, "x");
        self.read("x");
        self.producers("x");
    }

    fn listing(&mut self) {
        self.chapter("list");
        let me = self.init(5, "list", TIMEOUT_MS, NOBODY);
        self.add(3, "list", me, &[("t", 2)]);
        let all = ListTransactionsRequest::default().with_duration_filter(-1);
        let v0 = ListTransactionsRequest::default();
        self.list("all", 0, &v0);
        self.list("all", 1, &all);
        let states = |names: &[&str]| {
            v0.clone()
                .with_state_filters(names.iter().map(|name| text(*name)).collect())
        };
        self.list("open", 0, &states(&["Ongoing"]));
        self.list("open, and no state", 0, &states(&["Ongoing", "ongoing", "What"]));
        self.list("no state", 0, &states(&["What"]));
        let mine = v0.clone().with_producer_id_filters(vec![ProducerId(me.id)]);
        self.list("of a producer", 0, &mine);
        self.list("long", 1, &all.clone().with_duration_filter(3_600_000));
        for pattern in [".*list", "list", "txn-[0-9]+-o.", "", "(", "a|txn.*-list"] {
            let request = all.clone().with_transactional_id_pattern(Some(text(pattern)));
            self.list(pattern, 2, &request);
        }
        self.list("null pattern", 2, &all);
        self.end(3, "list", me, false);
        self.describe("list");
        for ids in [vec![""], vec!["nobody"]] {
            let request = DescribeTransactionsRequest::default()
                .with_transactional_ids(ids.iter().map(|id| TransactionalId(text(*id))).collect());
            let answer = self.line.send_as(&request, 0).expect("an answer");
            let state = &answer.transaction_states[0];
            self.say(&format!(
                "describe {ids:?}: error {}, {:?} ({}, {}) {} {}",
                state.error_code,
                state.transaction_state.as_str(),
                state.producer_id.0,
                state.producer_epoch,
                state.transaction_start_time_ms,
                state.transaction_timeout_ms
            ));
        }
    }
}
