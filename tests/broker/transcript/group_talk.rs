//! Speaks with a broker about groups, one request at a time, and writes down what was said.

use std::fmt::Write;

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, GroupId, HeartbeatRequest, JoinGroupRequest,
    JoinGroupResponse, LeaveGroupRequest, ListGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest,
    OffsetFetchRequest, SyncGroupRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::connection::Sent;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

/// Connections to one broker, and what was said on them.
pub(super) struct Talk {
    /// Two, so that one member can wait while another speaks.
    pub(super) lines: [Connection; 2],
    pub(super) transcript: String,
    /// In front of every name, so that the names are new on a broker that others use.
    prefix: String,
    /// Member ids in the order they were given out; the transcript calls them M1, M2 …
    members: Vec<String>,
}

pub(super) fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

impl Talk {
    /// `about` keeps the names of conversations apart that are had with one broker.
    pub(super) fn with(bootstrap: &str, about: &str) -> Self {
        let address = HostPort::parse(bootstrap).expect("an address");
        let open = || Connection::open(&address, &ConnectionOptions::default()).expect("a connection");
        Self {
            lines: [open(), open()],
            transcript: String::new(),
            prefix: format!("{about}-{}-", std::process::id()),
            members: Vec::new(),
        }
    }

    pub(super) fn group(&self, name: &str) -> GroupId {
        GroupId(text(format!("{}{name}", self.prefix)))
    }

    pub(super) fn topic(&self, name: &str) -> TopicName {
        TopicName(text(format!("{}{name}", self.prefix)))
    }

    /// The transcript calls the member by its number.
    pub(super) fn know_member(&mut self, id: &str) {
        if !self.members.iter().any(|known| known == id) {
            self.members.push(id.to_owned());
        }
    }

    /// The number by which the transcript calls the member; 0 if it chose its own id.
    pub(super) fn number_of(&self, id: &str) -> usize {
        self.members
            .iter()
            .position(|known| known == id)
            .map_or(0, |index| index + 1)
    }

    pub(super) fn chapter(&mut self, title: &str) {
        writeln!(self.transcript, "# {title}").expect("text");
    }

    pub(super) fn say(&mut self, line: &str) {
        let mut line = line.replace(&self.prefix, "");
        for (index, id) in self.members.iter().enumerate() {
            line = line.replace(id.as_str(), &format!("M{}", index + 1));
        }
        writeln!(self.transcript, "{line}").expect("text");
    }

    pub(super) fn join_request(
        &self,
        group: &str,
        member: &str,
        instance: Option<&str>,
        metadata: &str,
    ) -> JoinGroupRequest {
        let protocol = JoinGroupRequestProtocol::default()
            .with_name(text("range"))
            .with_metadata(self.subscription(metadata));
        JoinGroupRequest::default()
            .with_group_id(self.group(group))
            .with_session_timeout_ms(30_000)
            .with_rebalance_timeout_ms(30_000)
            .with_member_id(text(member))
            .with_group_instance_id(instance.map(text))
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol])
    }

    /// A consumer's subscription to the topic `t`, with `user_data`.
    pub(super) fn subscription(&self, user_data: &str) -> Bytes {
        let topic = self.topic("t");
        let mut bytes = vec![0, 0, 0, 0, 0, 1];
        bytes.extend((topic.len() as i16).to_be_bytes());
        bytes.extend(topic.as_bytes());
        bytes.extend((user_data.len() as i32).to_be_bytes());
        bytes.extend(user_data.as_bytes());
        Bytes::from(bytes)
    }

    /// Joins on line `on` and waits; returns the member id.
    pub(super) fn join(&mut self, on: usize, version: i16, what: &str, request: &JoinGroupRequest) -> String {
        let sent = self.lines[on].write(request, version).expect("sent");
        self.joined(on, version, what, sent)
    }

    pub(super) fn joined(&mut self, on: usize, version: i16, what: &str, sent: Sent) -> String {
        let answer: JoinGroupResponse = self.lines[on].read::<JoinGroupRequest>(sent).expect("an answer");
        let id = answer.member_id.to_string();
        if !id.is_empty() && id != "nobody" && !self.members.contains(&id) {
            self.members.push(id.clone());
        }
        let mut members: Vec<_> = answer
            .members
            .iter()
            .map(|member| {
                format!(
                    "{}/{:?}",
                    member.member_id.as_str(),
                    member.group_instance_id.as_deref()
                )
            })
            .collect();
        members.sort_by_key(|name| self.members.iter().position(|id| name.starts_with(id)));
        let name = |name: &Option<StrBytes>| {
            name.as_ref()
                .map_or("null".to_owned(), |name| format!("{:?}", name.as_str()))
        };
        self.say(&format!(
            "join v{version} {what}: error {} generation {} type {} protocol {} leader {:?} member {id:?} skip {} members {}",
            answer.error_code,
            answer.generation_id,
            name(&answer.protocol_type),
            name(&answer.protocol_name),
            answer.leader.as_str(),
            answer.skip_assignment,
            members.join(" "),
        ));
        id
    }

    pub(super) fn sync_request(
        &self,
        group: &str,
        generation: i32,
        member: &str,
        assigned: &[(&str, &str)],
    ) -> SyncGroupRequest {
        let assignments = assigned.iter().map(|(member, assignment)| {
            SyncGroupRequestAssignment::default()
                .with_member_id(text(*member))
                .with_assignment(Bytes::from((*assignment).to_owned()))
        });
        SyncGroupRequest::default()
            .with_group_id(self.group(group))
            .with_generation_id(generation)
            .with_member_id(text(member))
            .with_assignments(assignments.collect())
    }

    pub(super) fn sync(&mut self, on: usize, version: i16, what: &str, request: &SyncGroupRequest) {
        let mut request = request.clone();
        if version >= 5 {
            request.protocol_type = request.protocol_type.or(Some(text("consumer")));
            request.protocol_name = request.protocol_name.or(Some(text("range")));
        }
        let sent = self.lines[on].write(&request, version).expect("sent");
        self.synced(on, version, what, sent);
    }

    pub(super) fn synced(&mut self, on: usize, version: i16, what: &str, sent: Sent) {
        let answer = self.lines[on].read::<SyncGroupRequest>(sent).expect("an answer");
        let assignment = String::from_utf8_lossy(&answer.assignment).into_owned();
        let names = (answer.protocol_type.as_deref(), answer.protocol_name.as_deref());
        self.say(&format!(
            "sync v{version} {what}: error {} {names:?} {assignment:?}",
            answer.error_code
        ));
    }

    pub(super) fn heartbeat(
        &mut self,
        version: i16,
        what: &str,
        group: &str,
        (generation, member, instance): (i32, &str, Option<&str>),
    ) {
        let request = HeartbeatRequest::default()
            .with_group_id(self.group(group))
            .with_generation_id(generation)
            .with_member_id(text(member))
            .with_group_instance_id(instance.map(text));
        let answer = self.lines[0].send_as(&request, version).expect("an answer");
        self.say(&format!(
            "heartbeat v{version} {what}: error {}",
            answer.error_code
        ));
    }

    pub(super) fn leave(&mut self, version: i16, what: &str, group: &str, members: &[(&str, Option<&str>)]) {
        let mut request = LeaveGroupRequest::default().with_group_id(self.group(group));
        if version < 3 {
            request.member_id = text(members[0].0);
        } else {
            let members = members.iter().map(|(member, instance)| {
                MemberIdentity::default()
                    .with_member_id(text(*member))
                    .with_group_instance_id(instance.map(text))
            });
            request.members = members.collect();
        }
        let answer = self.lines[0].send_as(&request, version).expect("an answer");
        let members: Vec<_> = answer
            .members
            .iter()
            .map(|member| {
                let instance = member.group_instance_id.as_deref();
                format!(
                    " {:?}/{instance:?}: {}",
                    member.member_id.as_str(),
                    member.error_code
                )
            })
            .collect();
        self.say(&format!(
            "leave v{version} {what}: error {}{}",
            answer.error_code,
            members.concat()
        ));
    }

    pub(super) fn commit(
        &mut self,
        version: i16,
        what: &str,
        group: &str,
        (generation, member): (i32, &str),
        offsets: &[(&str, i32, i64, &str)],
    ) {
        let topics = offsets.iter().map(|(topic, partition, offset, metadata)| {
            let partition = OffsetCommitRequestPartition::default()
                .with_partition_index(*partition)
                .with_committed_offset(*offset)
                .with_committed_metadata(Some(text(*metadata)));
            OffsetCommitRequestTopic::default()
                .with_name(self.topic(topic))
                .with_partitions(vec![partition])
        });
        let request = OffsetCommitRequest::default()
            .with_group_id(self.group(group))
            .with_generation_id_or_member_epoch(generation)
            .with_member_id(text(member))
            .with_topics(topics.collect());
        let answer = self.lines[0].send_as(&request, version).expect("an answer");
        let mut errors: Vec<_> = answer
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(move |partition| (topic, partition)))
            .map(|(topic, partition)| {
                format!(
                    " {}-{}: {}",
                    topic.name.as_str(),
                    partition.partition_index,
                    partition.error_code
                )
            })
            .collect();
        errors.sort();
        self.say(&format!("commit v{version} {what}:{}", errors.concat()));
    }

    /// Asks for partitions 0 and 1 of `t` and for a topic that does not exist, or for everything.
    pub(super) fn fetch(&mut self, version: i16, what: &str, group: &str, everything: bool) {
        let asked = [(self.topic("t"), vec![0, 1]), (self.topic("absent"), vec![7])];
        let mut request = OffsetFetchRequest::default();
        if version < 8 {
            let topics = asked.map(|(name, partitions)| {
                OffsetFetchRequestTopic::default()
                    .with_name(name)
                    .with_partition_indexes(partitions)
            });
            request.group_id = self.group(group);
            request.topics = (!everything).then(|| topics.to_vec());
        } else {
            let topics = asked.map(|(name, partitions)| {
                OffsetFetchRequestTopics::default()
                    .with_name(name)
                    .with_partition_indexes(partitions)
            });
            let group = OffsetFetchRequestGroup::default()
                .with_group_id(self.group(group))
                .with_member_epoch(-1)
                .with_topics((!everything).then(|| topics.to_vec()));
            request.groups = vec![group];
        }
        let answer = self.lines[0].send_as(&request, version).expect("an answer");
        let mut line = format!("fetch v{version} {what}: error {}", answer.error_code);
        for topic in &answer.topics {
            for at in &topic.partitions {
                let metadata = at.metadata.as_deref();
                write!(line, " {}-{}: ", topic.name.as_str(), at.partition_index).expect("text");
                write!(line, "{} {metadata:?} {}", at.committed_offset, at.error_code).expect("text");
            }
        }
        for group in &answer.groups {
            write!(line, " [{} {}]", group.group_id.as_str(), group.error_code).expect("text");
            for topic in &group.topics {
                for at in &topic.partitions {
                    let metadata = at.metadata.as_deref();
                    write!(line, " {}-{}: ", topic.name.as_str(), at.partition_index).expect("text");
                    write!(line, "{} {metadata:?} {}", at.committed_offset, at.error_code).expect("text");
                }
            }
        }
        self.say(&line);
    }

    pub(super) fn describe(&mut self, version: i16, what: &str, group: &str) {
        let request = DescribeGroupsRequest::default().with_groups(vec![self.group(group)]);
        let answer = self.lines[0].send_as(&request, version).expect("an answer");
        for group in answer.groups {
            let mut members: Vec<_> = group
                .members
                .iter()
                .map(|member| {
                    let assignment = String::from_utf8_lossy(&member.member_assignment).into_owned();
                    let id = member.member_id.as_str();
                    let metadata = if member.member_metadata.is_empty() {
                        "no metadata"
                    } else {
                        "metadata"
                    };
                    let instance = member.group_instance_id.as_deref();
                    let (client, host) = (member.client_id.as_str(), member.client_host.as_str());
                    let known = if client == "kafkit" { "client" } else { client };
                    format!(" [{id} {instance:?} {known} {host} {metadata} {assignment:?}]")
                })
                .collect();
            members.sort_by_key(|name| self.members.iter().position(|id| name.contains(id)));
            self.say(&format!(
                "describe v{version} {what}: error {} {:?} state {} type {:?} protocol {:?} operations {}{}",
                group.error_code,
                group.error_message.as_deref(),
                group.group_state.as_str(),
                group.protocol_type.as_str(),
                group.protocol_data.as_str(),
                group.authorized_operations,
                members.concat(),
            ));
        }
    }

    pub(super) fn list(&mut self, version: i16, what: &str, states: &[&str], types: &[&str]) {
        let request = ListGroupsRequest::default()
            .with_states_filter(states.iter().map(|state| text(*state)).collect())
            .with_types_filter(types.iter().map(|kind| text(*kind)).collect());
        let answer = self.lines[0].send_as(&request, version).expect("an answer");
        let mut groups: Vec<_> = answer
            .groups
            .iter()
            .filter(|group| group.group_id.starts_with(&self.prefix))
            .map(|group| {
                let (kind, state) = (group.group_type.as_str(), group.group_state.as_str());
                format!(
                    " {} {:?} {state} {kind}",
                    group.group_id.as_str(),
                    group.protocol_type.as_str()
                )
            })
            .collect();
        groups.sort();
        self.say(&format!(
            "list v{version} {what}: error {}{}",
            answer.error_code,
            groups.join(",")
        ));
    }

    pub(super) fn delete(&mut self, version: i16, group: &str) {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![self.group(group)]);
        let answer = self.lines[0].send_as(&request, version).expect("an answer");
        for result in answer.results {
            self.say(&format!(
                "delete v{version} {}: error {}",
                result.group_id.as_str(),
                result.error_code
            ));
        }
    }

    pub(super) fn offset_delete(&mut self, what: &str, group: &str, partitions: &[(&str, i32)]) {
        let topics = partitions.iter().map(|(topic, partition)| {
            let partition = OffsetDeleteRequestPartition::default().with_partition_index(*partition);
            OffsetDeleteRequestTopic::default()
                .with_name(self.topic(topic))
                .with_partitions(vec![partition])
        });
        let request = OffsetDeleteRequest::default()
            .with_group_id(self.group(group))
            .with_topics(topics.collect());
        let answer = self.lines[0].send_as(&request, 0).expect("an answer");
        let mut line = format!("offset delete {what}: error {}", answer.error_code);
        let mut errors: Vec<_> = answer
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(move |at| (topic.name.as_str(), at)))
            .map(|(topic, at)| format!(" {topic}-{}: {}", at.partition_index, at.error_code))
            .collect();
        errors.sort();
        line.push_str(&errors.concat());
        self.say(&line);
    }

    pub(super) fn until_state(&mut self, group: &str, state: &str) {
        let request = DescribeGroupsRequest::default().with_groups(vec![self.group(group)]);
        settled(|| {
            let answer = self.lines[0].send_as(&request, 5).expect("an answer");
            (answer.groups[0].group_state.as_str() == state).then_some(())
        });
    }
}

/// Asks again until there is an answer.
pub(super) fn settled<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = std::time::Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed().as_secs() < 30, "nothing changes");
        std::thread::yield_now();
    }
}
