//! Speaks with a broker about groups of the consumer protocol (KIP-848), and writes down what was said.

use std::collections::BTreeMap;

use kafka_protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
    CreatePartitionsRequest, CreateTopicsRequest, DeleteGroupsRequest, DeleteTopicsRequest,
    FindCoordinatorRequest, GroupId, MetadataRequest, OffsetFetchRequest,
};
use uuid::Uuid;

use super::group_talk::{Talk, settled, text};

/// What a heartbeat says; the fields that are not given are null, as in a heartbeat that changes nothing.
#[derive(Clone, Default)]
pub(super) struct Beat<'a> {
    pub(super) group: &'a str,
    pub(super) member: &'a str,
    pub(super) epoch: i32,
    pub(super) instance: Option<&'a str>,
    pub(super) rack: Option<&'a str>,
    pub(super) rebalance_timeout_ms: Option<i32>,
    pub(super) topics: Option<&'a [&'a str]>,
    pub(super) regex: Option<&'a str>,
    pub(super) assignor: Option<&'a str>,
    /// Partitions by topic.
    pub(super) owned: Option<&'a [(&'a str, &'a [i32])]>,
}

impl<'a> Beat<'a> {
    /// The heartbeat of a member that joins with a list of topics.
    pub(super) fn join(group: &'a str, member: &'a str, topics: &'a [&'a str]) -> Self {
        Self {
            group,
            member,
            topics: Some(topics),
            rebalance_timeout_ms: Some(30_000),
            owned: Some(&[]),
            ..Self::default()
        }
    }

    /// A heartbeat that changes nothing.
    pub(super) fn at(group: &'a str, member: &'a str, epoch: i32) -> Self {
        Self {
            group,
            member,
            epoch,
            ..Self::default()
        }
    }

    pub(super) fn owning(self, owned: &'a [(&'a str, &'a [i32])]) -> Self {
        Self {
            owned: Some(owned),
            ..self
        }
    }
}

impl Talk {
    fn topic_ids(&mut self) -> BTreeMap<Uuid, String> {
        let answer = self.lines[1]
            .send_as(&MetadataRequest::default().with_topics(None), 12)
            .expect("an answer");
        let named = answer
            .topics
            .into_iter()
            .filter_map(|topic| Some((topic.topic_id, topic.name?)));
        named.map(|(id, name)| (id, name.to_string())).collect()
    }

    /// The id of a topic; that of no topic if there is none.
    fn topic_id(&mut self, name: &str) -> Uuid {
        let name = self.topic(name).to_string();
        let ids = self.topic_ids();
        let found = ids.iter().find(|(_, known)| **known == name);
        found.map_or(Uuid::from_u128(77), |(id, _)| *id)
    }

    pub(super) fn create_topic(&mut self, name: &str, partitions: i32) {
        let topic = CreatableTopic::default()
            .with_name(self.topic(name))
            .with_num_partitions(partitions)
            .with_replication_factor(1);
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(10_000);
        let answer = self.lines[1].send(&request).expect("an answer");
        assert_eq!(answer.topics[0].error_code, 0, "{answer:?}");
        let wanted = self.topic(name).to_string();
        settled(|| self.topic_ids().into_values().find(|known| *known == wanted));
    }

    /// Waits for the coordinator: the first to ask for it makes its topic.
    pub(super) fn find_coordinator(&mut self) {
        let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("g")]);
        settled(|| {
            let answer = self.lines[0].send_as(&request, 6).expect("an answer");
            (answer.coordinators[0].error_code == 0).then_some(())
        });
    }

    /// Waits until the coordinator knows the topic: it learns of it after the broker that is asked.
    pub(super) fn wait_until_assignable(&mut self, topic: &str) {
        let (topics, mut member) = ([topic], 0);
        settled(|| {
            member += 1;
            let id = format!("w{member}");
            let answer = self.send_beat(1, &Beat::join("warm", &id, &topics));
            self.send_beat(1, &Beat::at("warm", &id, -1));
            answer
                .assignment
                .filter(|assignment| !assignment.topic_partitions.is_empty())
        });
        self.delete_unheard("warm");
    }

    fn delete_unheard(&mut self, group: &str) {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![self.group(group)]);
        let answer = self.lines[0].send_as(&request, 2).expect("an answer");
        assert_eq!(answer.results[0].error_code, 0);
    }

    pub(super) fn grow_topic(&mut self, name: &str, count: i32) {
        let topic = CreatePartitionsTopic::default()
            .with_name(self.topic(name))
            .with_count(count)
            .with_assignments(None);
        let request = CreatePartitionsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(10_000);
        let answer = self.lines[1].send(&request).expect("an answer");
        assert_eq!(answer.results[0].error_code, 0, "{answer:?}");
    }

    pub(super) fn delete_topic(&mut self, name: &str) {
        let request = DeleteTopicsRequest::default()
            .with_topic_names(vec![self.topic(name)])
            .with_timeout_ms(10_000);
        let answer = self.lines[1].send_as(&request, 5).expect("an answer");
        assert_eq!(answer.responses[0].error_code, 0, "{answer:?}");
    }

    fn send_beat(&mut self, version: i16, beat: &Beat<'_>) -> ConsumerGroupHeartbeatResponse {
        let owned = beat.owned.map(|owned| {
            let owned = owned.iter().map(|(topic, partitions)| {
                TopicPartitions::default()
                    .with_topic_id(self.topic_id(topic))
                    .with_partitions(partitions.to_vec())
            });
            owned.collect()
        });
        let topics = beat
            .topics
            .map(|topics| topics.iter().map(|topic| self.topic(topic)).collect());
        let mut request = ConsumerGroupHeartbeatRequest::default()
            .with_group_id(self.group(beat.group))
            .with_member_id(text(beat.member))
            .with_member_epoch(beat.epoch)
            .with_instance_id(beat.instance.map(text))
            .with_rack_id(beat.rack.map(text))
            .with_rebalance_timeout_ms(beat.rebalance_timeout_ms.unwrap_or(-1))
            .with_subscribed_topic_names(topics)
            .with_server_assignor(beat.assignor.map(text))
            .with_topic_partitions(owned);
        if version >= 1 {
            let regex = beat.regex.map(|regex| regex.replace("PREFIX", &self.topic("")));
            request.subscribed_topic_regex = regex.map(text);
        }
        if beat.group.is_empty() {
            request.group_id = GroupId::default();
        }
        settled(|| {
            let answer = self.lines[0].send_as(&request, version).expect("an answer");
            // The coordinator of a new cluster is not there at once.
            (![14, 15, 16].contains(&answer.error_code)).then_some(answer)
        })
    }

    fn said_of(&mut self, answer: &ConsumerGroupHeartbeatResponse) -> String {
        if answer.error_code != 0 {
            return format!(
                "error {} {:?}",
                answer.error_code,
                answer.error_message.as_deref()
            );
        }
        let assignment = match &answer.assignment {
            None => "unchanged".to_owned(),
            Some(assignment) => {
                let topics = assignment.topic_partitions.iter();
                let pairs: Vec<_> = topics
                    .map(|topic| (topic.topic_id, topic.partitions.clone()))
                    .collect();
                let ids = self.topic_ids();
                let named = pairs.into_iter().map(|(id, partitions)| {
                    (
                        ids.get(&id).cloned().unwrap_or_else(|| "unknown".to_owned()),
                        partitions,
                    )
                });
                partitions_text(named)
            }
        };
        format!("epoch {} assignment {assignment}", answer.member_epoch)
    }

    /// Sends a heartbeat; gives back the member id and epoch that were answered.
    pub(super) fn beat(&mut self, what: &str, beat: &Beat<'_>) -> (String, i32) {
        self.beat_as(1, what, beat)
    }

    pub(super) fn beat_as(&mut self, version: i16, what: &str, beat: &Beat<'_>) -> (String, i32) {
        let answer = self.send_beat(version, beat);
        let said = self.said_of(&answer);
        let id = answer.member_id.map(|id| id.to_string()).unwrap_or_default();
        if beat.member.is_empty() && !id.is_empty() {
            self.know_member(&id);
        }
        self.say(&format!("beat v{version} {what}: member {id:?} {said}"));
        (id, answer.member_epoch)
    }

    /// Sends the heartbeat until the epoch is one that is `expected`; writes the last answer down.
    pub(super) fn beat_until_epoch(&mut self, what: &str, beat: &Beat<'_>, expected: i32) {
        let mut beat = beat.clone();
        let answer = settled(|| {
            let answer = self.send_beat(1, &beat);
            if answer.error_code == 0 && answer.member_epoch > 0 {
                beat.epoch = answer.member_epoch;
            }
            (answer.error_code != 0 || answer.member_epoch >= expected).then_some(answer)
        });
        let said = self.said_of(&answer);
        self.say(&format!("beat {what}: {said}"));
    }

    pub(super) fn describe_consumer_group(&mut self, version: i16, what: &str, group: &str) {
        let request = ConsumerGroupDescribeRequest::default().with_group_ids(vec![self.group(group)]);
        let answer = self.lines[0].send_as(&request, version).expect("an answer");
        for group in answer.groups {
            self.say(&format!(
                "describe v{version} {what}: error {} {:?} state {:?} epoch {} assignment {} assignor {:?} operations {}",
                group.error_code,
                group.error_message.as_deref(),
                group.group_state.as_str(),
                group.group_epoch,
                group.assignment_epoch,
                group.assignor_name.as_str(),
                group.authorized_operations,
            ));
            let mut members = group.members;
            // Those whose ids the server made up come last, in the order in which they came.
            members.sort_by_key(|member| {
                let id = member.member_id.to_string();
                (self.number_of(&id), id)
            });
            for member in members {
                let named =
                    |assignment: &kafka_protocol::messages::consumer_group_describe_response::Assignment| {
                        let topics = assignment.topic_partitions.iter();
                        partitions_text(
                            topics.map(|topic| (topic.topic_name.to_string(), topic.partitions.clone())),
                        )
                    };
                let mut topics: Vec<_> = member
                    .subscribed_topic_names
                    .iter()
                    .map(|name| name.as_str())
                    .collect();
                topics.sort_unstable();
                let client = member.client_id.as_str();
                self.say(&format!(
                    "  {} instance {:?} rack {:?} epoch {} client {:?} host {} topics {topics:?} regex {:?} assigned {} target {} type {}",
                    member.member_id.as_str(),
                    member.instance_id.as_deref(),
                    member.rack_id.as_deref(),
                    member.member_epoch,
                    if client == "kafkit" { "client" } else { client },
                    member.client_host.as_str(),
                    member.subscribed_topic_regex.as_deref(),
                    named(&member.assignment),
                    named(&member.target_assignment),
                    member.member_type,
                ));
            }
        }
    }

    /// Asks for partitions 0 and 1 of `t` as a member.
    pub(super) fn fetch_as(
        &mut self,
        version: i16,
        what: &str,
        group: &str,
        (epoch, member): (i32, Option<&str>),
    ) {
        let topic = OffsetFetchRequestTopics::default()
            .with_name(self.topic("t"))
            .with_partition_indexes(vec![0, 1]);
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(self.group(group))
            .with_member_id(member.map(text))
            .with_member_epoch(epoch)
            .with_topics(Some(vec![topic]));
        let request = OffsetFetchRequest::default().with_groups(vec![group]);
        let answer = self.lines[0].send_as(&request, version).expect("an answer");
        let group = &answer.groups[0];
        let offsets: Vec<_> = group
            .topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .map(|at| {
                format!(
                    " {}: {} {}",
                    at.partition_index, at.committed_offset, at.error_code
                )
            })
            .collect();
        self.say(&format!(
            "fetch v{version} {what}: error {}{}",
            group.error_code,
            offsets.concat()
        ));
    }
}

/// `t[0, 1] u[2]`, by name.
fn partitions_text(topics: impl Iterator<Item = (String, Vec<i32>)>) -> String {
    let mut topics: Vec<_> = topics
        .map(|(name, mut partitions)| {
            partitions.sort_unstable();
            format!("{name}{partitions:?}")
        })
        .collect();
    topics.sort();
    if topics.is_empty() {
        "nothing".to_owned()
    } else {
        topics.join(" ")
    }
}
