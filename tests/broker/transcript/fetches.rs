//! What was said to fetches that name a partition twice, and in sessions whose topic is deleted and made again.

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse, TopicName};
use uuid::Uuid;

use super::conversation::{Conversation, text};

impl Conversation {
    fn fetch_topics(&self, id: Uuid, topics: &[(&str, &[(i32, i64)])]) -> FetchRequest {
        let topics = topics.iter().map(|(name, partitions)| {
            let partitions = partitions.iter().map(|(index, offset)| {
                FetchPartition::default()
                    .with_partition(*index)
                    .with_fetch_offset(*offset)
                    .with_partition_max_bytes(1000)
            });
            FetchTopic::default()
                .with_topic(self.name(name))
                .with_topic_id(id)
                .with_partitions(partitions.collect())
        });
        FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(0)
            .with_min_bytes(0)
            .with_max_bytes(10_000)
            .with_session_epoch(-1)
            .with_topics(topics.collect())
    }

    fn say_fetched(&mut self, what: &str, version: i16, request: &FetchRequest) -> FetchResponse {
        let answer = self.connection.send_as(request, version).unwrap();
        let said = answer.responses.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| {
                format!(
                    " {}: error {} bytes {:?} start {} end {} aborted {:?}",
                    partition.partition_index,
                    partition.error_code,
                    partition.records.as_ref().map(Bytes::len),
                    partition.log_start_offset,
                    partition.high_watermark,
                    partition.aborted_transactions.as_ref().map(Vec::len),
                )
            });
            let id = if topic.topic_id.is_nil() { "" } else { " ID" };
            format!(
                " [{}{id}{}]",
                topic.topic.as_str(),
                partitions.collect::<String>()
            )
        });
        let session = if answer.session_id == 0 {
            ""
        } else {
            " in a session"
        };
        let said = said.collect::<String>();
        self.line(&format!(
            "fetch v{version} {what}: error {}{session}{said}",
            answer.error_code
        ));
        answer
    }

    pub(super) fn fetched_twice(&mut self) {
        let id = self.topic_id("t");
        for (what, topics) in [
            ("the same twice", &[("t", &[(0, 1), (0, 1)][..])][..]),
            ("two offsets", &[("t", &[(0, 0), (0, 1)])]),
            ("in two topics", &[("t", &[(0, 1)]), ("t", &[(0, 0)])]),
            ("no partition twice", &[("t", &[(7, 0), (7, 0)])]),
            ("a negative partition", &[("t", &[(-1, 0)])]),
            ("no partitions", &[("t", &[])]),
            ("no topics", &[]),
        ] {
            let mut request = self.fetch_topics(id, topics);
            for version in [4, 12, 13] {
                request.session_epoch = -1;
                self.say_fetched(what, version, &request);
                if version >= 12 {
                    request.session_epoch = 0;
                    self.say_fetched(&format!("{what}, session"), version, &request);
                }
            }
        }
        for id in [Uuid::nil(), Uuid::from_bytes([9; 16])] {
            let mut request = self.fetch_topics(id, &[("t", &[(0, 0), (1, 0)])]);
            self.say_fetched("an unknown id", 13, &request);
            request.session_epoch = 0;
            let opened = self.say_fetched("an unknown id, session", 13, &request);
            request.topics.clear();
            (request.session_id, request.session_epoch) = (opened.session_id, 1);
            if opened.session_id != 0 {
                self.say_fetched("an unknown id, next", 13, &request);
            }
        }
        for (what, name) in [
            ("nowhere", "nowhere"),
            ("a bad name", "a b"),
            ("an empty name", ""),
        ] {
            let mut request = self.fetch_topics(Uuid::nil(), &[(name, &[(0, 0)])]);
            if name.is_empty() {
                request.topics[0].topic = TopicName(text(""));
            }
            self.say_fetched(what, 12, &request);
        }
    }

    fn session(
        &mut self,
        what: &str,
        version: i16,
        session: (i32, i32),
        request: &FetchRequest,
    ) -> FetchResponse {
        let request = request
            .clone()
            .with_session_id(session.0)
            .with_session_epoch(session.1);
        self.say_fetched(what, version, &request)
    }

    fn forget(&self, name: &str, id: Uuid, partitions: &[i32]) -> ForgottenTopic {
        ForgottenTopic::default()
            .with_topic(self.name(name))
            .with_topic_id(id)
            .with_partitions(partitions.to_vec())
    }

    pub(super) fn sessions_by_id(&mut self) {
        for version in [13, 17] {
            let old = self.make("gone");
            let kept = self.topic_id("t");
            let mut open = self.fetch_topics(old, &[("gone", &[(0, 0), (1, 0)])]);
            open.topics
                .extend(self.fetch_topics(kept, &[("t", &[(1, 0)])]).topics);
            let idle = self.fetch_topics(old, &[]);
            let id = self.session("opens", version, (0, 0), &open).session_id;
            self.session("nothing new", version, (id, 1), &idle);
            self.remove("gone");
            self.session("deleted", version, (id, 2), &idle);
            self.session("deleted, again", version, (id, 3), &idle);
            let more = self.fetch_topics(old, &[("gone", &[(1, 0), (2, 0)])]);
            self.session("deleted, named again and one added", version, (id, 4), &more);
            let new = self.make("gone");
            self.session("made again", version, (id, 5), &idle);
            self.session("made again, again", version, (id, 6), &idle);
            let added = self.fetch_topics(new, &[("gone", &[(0, 0)])]);
            self.session("the new one is added", version, (id, 7), &added);
            let mut forget = idle.clone();
            forget.forgotten_topics_data = vec![self.forget("gone", old, &[0])];
            self.session("one is forgotten", version, (id, 8), &forget);
            forget.forgotten_topics_data =
                vec![self.forget("gone", old, &[1, 2]), self.forget("gone", kept, &[5])];
            self.session("the old ones are forgotten", version, (id, 9), &forget);
            let unknown = self.fetch_topics(Uuid::from_bytes([9; 16]), &[("x", &[(0, 0)])]);
            self.session("an unknown id is added", version, (id, 10), &unknown);
            self.session("an unknown id, again", version, (id, 11), &idle);
            let zero = self.fetch_topics(Uuid::nil(), &[("x", &[(0, 0)])]);
            self.session("the zero id is added", version, (id, 12), &zero);
            self.session("the zero id, again", version, (id, 13), &idle);
            self.session("out of turn", version, (id, 13), &idle);
            self.session("no session", version, (id.wrapping_add(1), 14), &idle);
            self.session("of another version", 12, (id, 14), &idle);
            self.session("after another version", version, (id, 14), &idle);
            let full = self.fetch_topics(old, &[("gone", &[(0, 0)])]);
            self.session("the old id without a session", version, (0, -1), &full);
            self.session("a session of the old id", version, (0, 0), &full);
            self.session("ends", version, (id, -1), &full);
            self.session("ended", version, (id, 15), &idle);
            self.remove("gone");
        }
    }

    pub(super) fn sessions_by_name(&mut self) {
        let none = Uuid::nil();
        for version in [7, 12] {
            self.make("gone");
            let open = self.fetch_topics(none, &[("gone", &[(0, 0), (1, 0)]), ("t", &[(1, 0)])]);
            let idle = self.fetch_topics(none, &[]);
            let id = self.session("opens", version, (0, 0), &open).session_id;
            self.session("nothing new", version, (id, 1), &idle);
            self.remove("gone");
            self.session("deleted", version, (id, 2), &idle);
            self.session("deleted, again", version, (id, 3), &idle);
            let more = self.fetch_topics(none, &[("gone", &[(1, 0), (2, 0)])]);
            self.session("deleted, named again and one added", version, (id, 4), &more);
            self.make("gone");
            self.session("made again", version, (id, 5), &idle);
            self.session("made again, again", version, (id, 6), &idle);
            let mut forget = idle.clone();
            forget.forgotten_topics_data =
                vec![self.forget("gone", none, &[0, 9]), self.forget("x", none, &[0])];
            self.session("one is forgotten", version, (id, 7), &forget);
            let mut both = self.fetch_topics(none, &[("gone", &[(1, 0)])]);
            both.forgotten_topics_data = vec![self.forget("gone", none, &[1])];
            self.session("one is named and forgotten", version, (id, 8), &both);
            self.session("out of turn", version, (id, 8), &idle);
            self.session("of another version", 13, (id, 9), &idle);
            self.session("after another version", version, (id, 9), &idle);
            self.session("ends", version, (id, -1), &idle);
            self.remove("gone");
        }
    }
}
