//! What was said about groups.

use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::{
    CreateTopicsRequest, DeleteGroupsRequest, FindCoordinatorRequest, JoinGroupRequest,
};

use super::group_talk::{Talk, settled, text};

impl Talk {
    pub(super) fn all(mut self) -> String {
        let topic = CreatableTopic::default()
            .with_name(self.topic("t"))
            .with_num_partitions(3)
            .with_replication_factor(1);
        let create = CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(10_000);
        self.lines[0].send(&create).expect("a topic");
        self.coordinators();
        self.life_of_a_group_in_every_version();
        self.refusals();
        self.two_members();
        self.static_members();
        self.offsets_of_nobody();
        self.commits_that_are_refused();
        self.deleting();
        self.transcript
    }

    fn coordinators(&mut self) {
        self.chapter("find coordinator");
        for version in 0..=6 {
            let key = text("g");
            let request = if version < 4 {
                FindCoordinatorRequest::default().with_key(key)
            } else {
                FindCoordinatorRequest::default().with_coordinator_keys(vec![key, text("h")])
            };
            let port = self.lines[0].address().port;
            let answer = settled(|| {
                let answer = self.lines[0].send_as(&request, version).expect("an answer");
                let ready =
                    answer.error_code != 15 && answer.coordinators.iter().all(|found| found.error_code != 15);
                ready.then_some(answer)
            });
            let here = |found: i32| {
                if found == i32::from(port) {
                    "here"
                } else {
                    "elsewhere"
                }
            };
            if version < 4 {
                self.say(&format!(
                    "v{version}: error {} {}",
                    answer.error_code,
                    here(answer.port)
                ));
            }
            for found in answer.coordinators {
                let key = found.key.as_str();
                self.say(&format!(
                    "v{version} {key}: error {} {}",
                    found.error_code,
                    here(found.port)
                ));
            }
        }
        let request = FindCoordinatorRequest::default().with_coordinator_keys(Vec::new());
        let answer = self.lines[0].send_as(&request, 6).expect("an answer");
        self.say(&format!("no keys: {} coordinators", answer.coordinators.len()));
    }

    fn life_of_a_group_in_every_version(&mut self) {
        for version in 0..=9_i16 {
            self.chapter(&format!("the life of a group, version {version}"));
            let group = format!("life{version}");
            let mut member = self.join(
                0,
                version,
                "without an id",
                &self.join_request(&group, "", None, "x"),
            );
            if version >= 4 {
                member = self.join(
                    0,
                    version,
                    "with the id",
                    &self.join_request(&group, &member, None, "x"),
                );
            }
            self.describe(version.min(6), "before sync", &group);
            let sync = self.sync_request(&group, 1, &member, &[(&member, "mine")]);
            self.sync(0, version.min(5), "as leader", &sync);
            self.sync(
                0,
                version.min(5),
                "again",
                &self.sync_request(&group, 1, &member, &[]),
            );
            self.heartbeat(version.min(4), "in time", &group, (1, &member, None));
            self.commit(
                version.clamp(2, 9),
                "as member",
                &group,
                (1, &member),
                &[("t", 0, 5, "five"), ("t", 1, 6, "")],
            );
            self.fetch(version.clamp(1, 9), "after the commit", &group, false);
            if version >= 2 {
                self.fetch(version, "everything", &group, true);
            }
            self.describe(version.min(6), "stable", &group);
            self.list(version.min(5), "with a stable group", &[], &[]);
            self.join(
                0,
                version,
                "leader again",
                &self.join_request(&group, &member, None, "x"),
            );
            self.leave(version.min(5), "the only member", &group, &[(&member, None)]);
            self.heartbeat(version.min(4), "after leaving", &group, (2, &member, None));
            self.describe(version.min(6), "empty", &group);
            self.delete(version.min(2), &group);
        }
    }

    fn refusals(&mut self) {
        self.chapter("what is refused");
        for version in [0, 5, 9] {
            self.join(
                0,
                version,
                "empty group id",
                &JoinGroupRequest::default()
                    .with_session_timeout_ms(30_000)
                    .with_protocol_type(text("consumer"))
                    .with_protocols(self.join_request("x", "", None, "x").protocols),
            );
            for timeout in [999, 1_800_001] {
                let request = self
                    .join_request("r", "", None, "x")
                    .with_session_timeout_ms(timeout);
                self.join(0, version, &format!("session of {timeout} ms"), &request);
            }
            self.join(
                0,
                version,
                "unknown member of no group",
                &self.join_request("none", "nobody", None, "x"),
            );
            let request = self.join_request("r", "", None, "x").with_protocols(Vec::new());
            self.join(0, version, "no protocols", &request);
            let request = self.join_request("r", "", None, "x").with_protocol_type(text(""));
            self.join(0, version, "no protocol type", &request);
        }
        for version in [0, 5] {
            self.sync(
                0,
                version,
                "no group",
                &self.sync_request("none", 1, "nobody", &[]),
            );
        }
        for version in [0, 4] {
            self.heartbeat(version, "no group", "none", (1, "nobody", None));
        }
        for version in [0, 3, 5] {
            self.leave(version, "no group", "none", &[("nobody", None)]);
        }
        for version in 0..=6 {
            self.describe(version, "no group", "none");
        }
        for version in 1..=9 {
            self.fetch(version, "no group", "none", false);
        }
        self.fetch(9, "everything of no group", "none", true);
        self.delete(2, "none");
        // Kafka keeps the group that nobody could join until its next cleanup; the mini broker forgets it at once.
        let forget = DeleteGroupsRequest::default().with_groups_names(vec![self.group("r")]);
        self.lines[0].send(&forget).expect("an answer");
    }

    fn two_members(&mut self) {
        self.chapter("two members");
        let group = "two";
        let first = self.join(0, 3, "first", &self.join_request(group, "", None, "a"));
        let sync = self.sync_request(group, 1, &first, &[(&first, "all")]);
        self.sync(0, 3, "first", &sync);
        let sent = self.lines[1]
            .write(&self.join_request(group, "", None, "b"), 3)
            .expect("sent");
        self.until_state(group, "PreparingRebalance");
        self.heartbeat(3, "first, in the rebalance", group, (1, &first, None));
        self.sync(
            0,
            3,
            "first, in the rebalance",
            &self.sync_request(group, 1, &first, &[]),
        );
        self.commit(
            8,
            "first, in the rebalance",
            group,
            (1, &first),
            &[("t", 0, 1, "")],
        );
        let rejoin = self.lines[0]
            .write(&self.join_request(group, &first, None, "a"), 3)
            .expect("sent");
        let second = self.joined(1, 3, "second", sent);
        self.joined(0, 3, "first rejoins", rejoin);
        self.describe(5, "both joined", group);
        self.heartbeat(3, "first, before sync", group, (2, &first, None));
        self.commit(8, "first, before sync", group, (2, &first), &[("t", 0, 1, "")]);
        let follower = self.lines[1]
            .write(&self.sync_request(group, 2, &second, &[]), 3)
            .expect("sent");
        self.sync(
            0,
            3,
            "leader assigns to itself only",
            &self.sync_request(group, 2, &first, &[(&first, "all")]),
        );
        self.synced(1, 3, "second", follower);
        self.describe(5, "stable", group);
        self.heartbeat(3, "second", group, (2, &second, None));
        self.heartbeat(3, "second, of the past", group, (1, &second, None));
        self.heartbeat(3, "stranger", group, (2, "nobody", None));
        self.join(
            1,
            3,
            "second, unchanged",
            &self.join_request(group, &second, None, "b"),
        );
        self.strangers(group, &first, &second);
    }

    /// Of the stable group `group` in its second generation, and what it takes to empty it.
    fn strangers(&mut self, group: &str, first: &str, second: &str) {
        self.join(1, 4, "stranger", &self.join_request(group, "nobody", None, "b"));
        let other = JoinGroupRequestProtocol::default().with_name(text("other"));
        let request = self
            .join_request(group, "", None, "b")
            .with_protocols(vec![other]);
        self.join(1, 3, "another protocol", &request);
        let request = self
            .join_request(group, "", None, "b")
            .with_protocol_type(text("connect"));
        self.join(1, 3, "another type", &request);
        let mut sync = self.sync_request(group, 2, second, &[]);
        sync.protocol_name = Some(text("other"));
        self.sync(0, 5, "another protocol", &sync);
        let sync = self.sync_request(group, 1, second, &[]);
        self.sync(0, 5, "of the past", &sync);
        self.commit(9, "stranger", group, (2, "nobody"), &[("t", 0, 1, "")]);
        self.commit(9, "of the past", group, (1, first), &[("t", 0, 1, "")]);
        self.commit(
            9,
            "nobody, while there are members",
            group,
            (-1, ""),
            &[("t", 0, 1, "")],
        );
        self.delete(2, group);
        self.offset_delete("of a subscribed topic", group, &[("t", 0)]);
        self.leave(
            5,
            "stranger and both",
            group,
            &[("nobody", None), (first, None), (second, Some("wrong"))],
        );
        self.leave(2, "second", group, &[(second, None)]);
        self.describe(5, "all gone", group);
    }

    fn static_members(&mut self) {
        self.chapter("static members");
        let group = "static";
        let first = self.join(0, 9, "first", &self.join_request(group, "", Some("one"), "a"));
        self.sync(
            0,
            5,
            "first",
            &self.sync_request(group, 1, &first, &[(&first, "all")]),
        );
        let again = self.join(
            0,
            9,
            "comes back",
            &self.join_request(group, "", Some("one"), "a"),
        );
        self.heartbeat(4, "the former self", group, (1, &first, Some("one")));
        self.heartbeat(4, "the present self", group, (1, &again, Some("one")));
        self.heartbeat(4, "without its name", group, (1, &again, None));
        let mut sync = self.sync_request(group, 1, &first, &[]);
        sync.group_instance_id = Some(text("one"));
        self.sync(0, 5, "the former self", &sync);
        self.sync(
            0,
            5,
            "the present self",
            &self.sync_request(group, 1, &again, &[]),
        );
        let request = self.join_request(group, &first, Some("one"), "a");
        self.join(0, 9, "the former self", &request);
        let old = self.join(
            0,
            6,
            "comes back as an older client",
            &self.join_request(group, "", Some("one"), "a"),
        );
        self.heartbeat(4, "older client", group, (1, &old, Some("one")));
        let request = self.join_request(group, &old, Some("unknown"), "a");
        self.join(0, 9, "under an unknown name", &request);
        self.describe(5, "with a static member", group);
        self.leave(5, "by a wrong id", group, &[(&first, Some("one"))]);
        self.leave(5, "by unknown name", group, &[("", Some("unknown"))]);
        self.leave(5, "by name", group, &[("", Some("one"))]);
        self.describe(5, "without", group);
    }

    fn offsets_of_nobody(&mut self) {
        self.chapter("offsets of a group without members");
        for version in [2, 5, 9] {
            let group = format!("simple{version}");
            self.commit(
                version,
                "nobody",
                &group,
                (-1, ""),
                &[("t", 0, 3, "here"), ("absent", 0, 1, "")],
            );
            self.fetch(version, "of nobody", &group, false);
            self.describe(6, "simple", &group);
        }
        self.list(5, "with simple groups", &[], &[]);
        self.list(5, "empty ones", &["empty"], &[]);
        self.list(5, "stable ones", &["Stable"], &[]);
        self.list(5, "classic ones", &[], &["Classic"]);
        self.list(5, "of the consumer type", &[], &["consumer"]);
        self.offset_delete(
            "of a simple group",
            "simple2",
            &[("t", 0), ("t", 1), ("absent", 0)],
        );
        self.fetch(5, "after deleting", "simple2", false);
        self.offset_delete("of no group", "none", &[("t", 0)]);
    }

    fn commits_that_are_refused(&mut self) {
        self.chapter("commits that are refused");
        let long = "x".repeat(4097);
        let longest = "x".repeat(4096);
        self.commit(
            9,
            "metadata",
            "meta",
            (-1, ""),
            &[("t", 0, 1, &long), ("t", 1, 1, &longest)],
        );
        self.commit(8, "member of no group", "none", (1, "nobody"), &[("t", 0, 1, "")]);
        self.commit(9, "member of no group", "none", (1, "nobody"), &[("t", 0, 1, "")]);
        self.commit(9, "no such partition", "meta", (-1, ""), &[("t", 99, 1, "")]);
        self.commit(
            9,
            "generation of an empty group",
            "meta",
            (4, ""),
            &[("t", 0, 1, "")],
        );
        self.commit(9, "nobody with an id", "meta", (-1, "nobody"), &[("t", 0, 1, "")]);
    }

    fn deleting(&mut self) {
        self.chapter("deleting");
        for group in ["two", "static", "simple2", "simple5", "simple9", "meta"] {
            self.delete(1, group);
        }
        self.describe(5, "deleted", "simple5");
        self.fetch(5, "deleted", "simple5", false);
        self.list(5, "at the end", &[], &[]);
    }
}
