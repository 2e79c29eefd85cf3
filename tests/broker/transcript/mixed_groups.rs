//! What was said about groups with members of both protocols: how a group comes from one protocol to the other.

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{DescribeGroupsRequest, JoinGroupRequest, SyncGroupRequest};

use super::consumer_group_talk::Beat;
use super::group_talk::{Talk, text};

/// Partitions by topic.
type Partitions<'a> = &'a [(&'a str, &'a [i32])];

/// A member of the classic protocol, as its consumer would be: what it holds goes with its subscription.
#[derive(Clone, Copy, Default)]
struct Classic<'a> {
    group: &'a str,
    member: &'a str,
    instance: Option<&'a str>,
    topics: &'a [&'a str],
    owned: Partitions<'a>,
    user_data: &'a str,
}

impl Talk {
    pub(super) fn mixed_groups(&mut self) {
        self.a_classic_group_is_joined_by_the_other_protocol();
        self.a_group_with_members_of_both();
        self.the_last_of_the_new_ones_leaves();
        self.static_members_change_their_protocol();
        self.what_a_classic_member_may_not();
    }

    fn put_topics(&self, bytes: &mut Vec<u8>, topics: &[(&str, &[i32])]) {
        bytes.extend((topics.len() as i32).to_be_bytes());
        for (topic, partitions) in topics {
            let name = self.topic(topic);
            bytes.extend((name.len() as i16).to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend((partitions.len() as i32).to_be_bytes());
            bytes.extend(partitions.iter().flat_map(|partition| partition.to_be_bytes()));
        }
    }

    /// Version 1 of the consumers' subscription.
    fn join_as(&self, classic: Classic<'_>) -> JoinGroupRequest {
        let mut bytes = vec![0, 1];
        bytes.extend((classic.topics.len() as i32).to_be_bytes());
        for topic in classic.topics {
            let name = self.topic(topic);
            bytes.extend((name.len() as i16).to_be_bytes());
            bytes.extend(name.as_bytes());
        }
        bytes.extend((classic.user_data.len() as i32).to_be_bytes());
        bytes.extend(classic.user_data.as_bytes());
        self.put_topics(&mut bytes, classic.owned);
        let protocol = JoinGroupRequestProtocol::default()
            .with_name(text("range"))
            .with_metadata(Bytes::from(bytes));
        let mut request = self.join_request(classic.group, classic.member, classic.instance, "");
        request.protocols = vec![protocol];
        request
    }

    fn sync_as(
        &self,
        classic: Classic<'_>,
        generation: i32,
        assigned: &[(&str, Partitions<'_>)],
    ) -> SyncGroupRequest {
        let mut request = self.sync_request(classic.group, generation, classic.member, &[]);
        request.group_instance_id = classic.instance.map(text);
        let assignments = assigned.iter().map(|(member, topics)| {
            let mut bytes = vec![0, 1];
            self.put_topics(&mut bytes, topics);
            bytes.extend((-1_i32).to_be_bytes());
            SyncGroupRequestAssignment::default()
                .with_member_id(text(*member))
                .with_assignment(Bytes::from(bytes))
        });
        request.assignments = assignments.collect();
        request
    }

    /// A classic group with one member that has all of `t`; its member id.
    fn classic_group(&mut self, classic: Classic<'_>) -> String {
        let request = self.join_as(classic);
        let member = self.join(0, 5, "the first asks", &request);
        let with_id = Classic {
            member: &member,
            ..classic
        };
        if classic.instance.is_none() {
            let request = self.join_as(with_id);
            self.join(0, 5, "the first", &request);
        }
        let request = self.sync_as(with_id, 1, &[(&member, &[("t", &[0, 1, 2, 3, 4, 5])])]);
        self.sync_partitions("the first", &request);
        member
    }

    fn describe_classic(&mut self, what: &str, group: &str) {
        let request = DescribeGroupsRequest::default().with_groups(vec![self.group(group)]);
        let answer = self.lines[0].send_as(&request, 6).expect("an answer");
        let group = &answer.groups[0];
        let members: Vec<_> = group
            .members
            .iter()
            .map(|member| {
                format!(
                    " [{} {}]",
                    member.member_id.as_str(),
                    assigned(&member.member_assignment)
                )
            })
            .collect();
        self.say(&format!(
            "describe v6 {what}: error {} {:?} state {} type {:?} protocol {:?}{}",
            group.error_code,
            group.error_message.as_deref(),
            group.group_state.as_str(),
            group.protocol_type.as_str(),
            group.protocol_data.as_str(),
            members.concat()
        ));
    }

    fn sync_partitions(&mut self, what: &str, request: &SyncGroupRequest) {
        let answer = self.lines[0].send_as(request, 4).expect("an answer");
        let assigned = assigned(&answer.assignment);
        self.say(&format!("sync v4 {what}: error {} {assigned}", answer.error_code));
    }

    fn a_classic_group_is_joined_by_the_other_protocol(&mut self) {
        self.chapter("a classic group is joined by the other protocol");
        let own = Classic {
            group: "bu",
            topics: &["t"],
            user_data: "mine",
            ..Classic::default()
        };
        self.classic_group(own);
        self.beat(
            "joins where members have data of their own",
            &Beat::join("bu", "m1", &["t"]),
        );
        self.describe_consumer_group(1, "upgraded", "bu");
    }

    fn a_group_with_members_of_both(&mut self) {
        self.chapter("members of both protocols");
        let old = Classic {
            group: "b",
            topics: &["t"],
            ..Classic::default()
        };
        let member = self.classic_group(old);
        let all: &[(&str, &[i32])] = &[("t", &[0, 1, 2, 3, 4, 5])];
        let old = Classic {
            member: &member,
            owned: all,
            ..old
        };
        let (_, epoch) = self.beat("joins", &Beat::join("b", "m1", &["t"]));
        self.describe_consumer_group(1, "both", "b");
        self.describe_classic("both", "b");
        self.list(5, "both", &[], &["consumer"]);
        self.heartbeat(4, "the old one is behind", "b", (1, &member, None));
        self.heartbeat(4, "a wrong generation", "b", (7, &member, None));
        let request = self.sync_as(old, 1, &[]);
        self.sync_partitions("the old one is behind", &request);
        self.commit(8, "the old one", "b", (1, &member), &[("t", 0, 1, "")]);
        self.commit(
            8,
            "the old one, a wrong generation",
            "b",
            (7, &member),
            &[("t", 0, 2, "")],
        );
        self.fetch_as(9, "the old one", "b", (1, Some(&member)));
        self.fetch_as(9, "the old one, a wrong generation", "b", (7, Some(&member)));
        let request = self.join_as(old);
        self.join(0, 5, "the old one with what it has", &request);
        self.describe_consumer_group(1, "the old one gives back", "b");
        let request = self.sync_as(old, 1, &[]);
        self.sync_partitions("the old one gives back", &request);
        self.heartbeat(4, "the old one gives back", "b", (1, &member, None));
        let less: &[(&str, &[i32])] = &[("t", &[0, 1, 2])];
        let old = Classic { owned: less, ..old };
        let request = self.join_as(old);
        self.join(0, 5, "the old one has given back", &request);
        let request = self.sync_as(old, epoch, &[]);
        self.sync_partitions("the old one has given back", &request);
        self.heartbeat(4, "the old one is there", "b", (epoch, &member, None));
        self.beat("the new one gets", &Beat::at("b", "m1", epoch).owning(&[]));
        self.describe_consumer_group(1, "stable", "b");
        let other = Classic {
            group: "b",
            topics: &["t"],
            ..Classic::default()
        };
        let request = self.join_as(other);
        let other_id = self.join(1, 5, "one more asks", &request);
        let other = Classic {
            member: &other_id,
            ..other
        };
        let request = self.join_as(other);
        self.join(1, 5, "one more", &request);
        self.describe_consumer_group(1, "three", "b");
        self.leave(5, "one leaves", "b", &[(&other_id, None)]);
        self.leave(5, "a stranger leaves", "b", &[("nobody", None)]);
        self.describe_consumer_group(1, "two again", "b");
    }

    fn the_last_of_the_new_ones_leaves(&mut self) {
        self.chapter("the last of the new ones leaves");
        let old = Classic {
            group: "d",
            topics: &["t"],
            ..Classic::default()
        };
        let member = self.classic_group(old);
        let old = Classic {
            member: &member,
            ..old
        };
        let (_, epoch) = self.beat("joins", &Beat::join("d", "m1", &["t"]));
        self.beat("leaves", &Beat::at("d", "m1", -1));
        self.describe_consumer_group(1, "classic again", "d");
        self.describe_classic("classic again", "d");
        self.heartbeat(4, "the old one", "d", (1, &member, None));
        self.heartbeat(4, "the old one at the group's epoch", "d", (epoch, &member, None));
        let request = self.join_as(old);
        self.join(0, 5, "the old one", &request);
        self.describe_classic("it has joined", "d");
        self.leave(5, "the old one", "d", &[(&member, None)]);
        self.describe_classic("everybody has left", "d");
    }

    fn static_members_change_their_protocol(&mut self) {
        self.chapter("static members change their protocol");
        let old = Classic {
            group: "si",
            topics: &["t"],
            instance: Some("i"),
            ..Classic::default()
        };
        self.classic_group(old);
        let join = Beat {
            instance: Some("i"),
            ..Beat::join("si", "m1", &["t"])
        };
        self.beat("comes back with the new protocol", &join);
        self.describe_consumer_group(1, "upgraded", "si");
        let request = self.join_as(old);
        self.join(0, 5, "comes back with the old one while it lives", &request);
        self.beat(
            "goes for a while",
            &Beat {
                instance: Some("i"),
                ..Beat::at("si", "m1", -2)
            },
        );
        self.join(0, 5, "comes back with the old one", &request);
        self.describe_consumer_group(1, "downgraded", "si");
        self.describe_classic("downgraded", "si");
    }

    fn what_a_classic_member_may_not(&mut self) {
        self.chapter("what a classic member may not");
        self.beat("joins", &Beat::join("n", "m1", &["t"]));
        let old = Classic {
            group: "n",
            topics: &["t"],
            ..Classic::default()
        };
        let mut request = self.join_as(old);
        request.protocol_type = text("connect");
        self.join(0, 3, "another type", &request);
        let mut request = self.join_as(old);
        request.protocols.clear();
        self.join(0, 3, "no protocols", &request);
        let mut request = self.join_as(old);
        request.protocols[0].metadata = Bytes::from_static(b"x");
        self.join(0, 3, "no subscription", &request);
        let request = self.join_as(Classic {
            member: "nobody",
            ..old
        });
        self.join(0, 5, "an id that it made up", &request);
        let request = self.join_as(old);
        let member = self.join(0, 3, "as it should", &request);
        let request = self.sync_as(
            Classic {
                member: &member,
                ..old
            },
            3,
            &[],
        );
        self.sync_partitions("as it should", &request);
        self.beat("goes on with the new protocol", &Beat::at("n", &member, 3));
        self.describe_consumer_group(1, "changed", "n");
    }
}

/// The partitions of an assignment in the consumers' own format.
fn assigned(bytes: &[u8]) -> String {
    let mut rest = bytes;
    let mut take = |count: usize| {
        let (taken, after) = rest.split_at(count.min(rest.len()));
        rest = after;
        taken
            .iter()
            .fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    if bytes.is_empty() {
        return "no bytes".to_owned();
    }
    let version = take(2);
    let mut partitions = Vec::new();
    for _ in 0..take(4) {
        let name = take(2);
        for _ in 0..name {
            take(1);
        }
        for _ in 0..take(4) {
            partitions.push(take(4));
        }
    }
    partitions.sort_unstable();
    format!("version {version} {partitions:?}")
}
