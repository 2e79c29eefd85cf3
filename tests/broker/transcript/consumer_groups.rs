//! What was said about groups of the consumer protocol (KIP-848).

use super::consumer_group_talk::Beat;
use super::group_talk::Talk;

impl Talk {
    pub(super) fn consumer_groups(mut self) -> String {
        self.create_topic("t", 4);
        self.create_topic("u", 2);
        self.find_coordinator();
        self.wait_until_assignable("u");
        self.heartbeats_that_are_refused();
        self.life_of_a_consumer_group();
        self.epochs_that_do_not_fit();
        self.members_that_change_their_mind();
        self.assignors_of_the_server();
        self.static_consumer_members();
        self.offsets_of_consumer_members();
        self.groups_of_the_other_protocol();
        self.topics_that_come_and_go();
        self.regular_expressions();
        self.transcript
    }

    fn heartbeats_that_are_refused(&mut self) {
        self.chapter("heartbeats that are refused");
        let join = Beat::join("r", "m", &["t"]);
        self.beat(
            "no group",
            &Beat {
                group: "",
                ..join.clone()
            },
        );
        self.beat(
            "no member",
            &Beat {
                member: "",
                ..join.clone()
            },
        );
        self.beat(
            "an empty instance",
            &Beat {
                instance: Some(""),
                ..join.clone()
            },
        );
        self.beat(
            "an empty rack",
            &Beat {
                rack: Some(""),
                ..join.clone()
            },
        );
        self.beat(
            "no time-out",
            &Beat {
                rebalance_timeout_ms: None,
                ..join.clone()
            },
        );
        self.beat(
            "a time-out of 0",
            &Beat {
                group: "r0",
                rebalance_timeout_ms: Some(0),
                ..join.clone()
            },
        );
        self.subscriptions_that_are_refused(&join);
        self.epochs_that_are_refused();
        self.beat_as(
            0,
            "v0 no time-out",
            &Beat {
                rebalance_timeout_ms: None,
                ..join.clone()
            },
        );
        self.beat_as(
            0,
            "v0 no topics",
            &Beat {
                topics: None,
                ..join.clone()
            },
        );
        self.describe_consumer_group(0, "no group", "r");
        self.describe_consumer_group(1, "no group", "r");
    }

    fn subscriptions_that_are_refused(&mut self, join: &Beat<'_>) {
        self.beat(
            "owned is null",
            &Beat {
                owned: None,
                ..join.clone()
            },
        );
        self.beat("owned is not empty", &join.clone().owning(&[("t", &[0])]));
        self.beat(
            "no subscription",
            &Beat {
                topics: None,
                ..join.clone()
            },
        );
        self.beat(
            "an unknown assignor",
            &Beat {
                assignor: Some("sticky"),
                ..join.clone()
            },
        );
        self.beat(
            "an empty assignor",
            &Beat {
                assignor: Some(""),
                ..join.clone()
            },
        );
        self.beat(
            "a bad expression",
            &Beat {
                topics: None,
                regex: Some("(a"),
                ..join.clone()
            },
        );
    }

    fn epochs_that_are_refused(&mut self) {
        self.beat("epoch -3", &Beat::at("r", "m", -3));
        self.beat("epoch -2 without an instance", &Beat::at("r", "m", -2));
        self.beat("epoch -1 of no group", &Beat::at("r", "m", -1));
        self.beat("epoch -1 without a member", &Beat::at("r", "", -1));
        self.beat(
            "epoch -2 of no group",
            &Beat {
                instance: Some("i"),
                ..Beat::at("r", "m", -2)
            },
        );
        self.beat("epoch 1 of no group", &Beat::at("r", "m", 1));
        self.beat("epoch 1 without a member", &Beat::at("r", "", 1));
        self.beat_as(0, "v0 epoch 1 without a member", &Beat::at("r", "", 1));
    }

    fn life_of_a_consumer_group(&mut self) {
        self.chapter("the life of a group");
        let (_, epoch) = self.beat("joins", &Beat::join("g", "m1", &["t"]));
        self.describe_consumer_group(1, "one member", "g");
        self.describe_consumer_group(0, "one member", "g");
        self.describe(5, "by the classic API", "g");
        self.describe(6, "by the classic API", "g");
        self.list(5, "all", &[], &[]);
        self.list(5, "of the type", &[], &["consumer"]);
        self.list(5, "of the type in capitals", &[], &["CONSUMER"]);
        self.list(5, "of the other type", &[], &["classic"]);
        self.list(5, "of an unknown type", &[], &["other"]);
        self.list(5, "by state", &["stable"], &[]);
        self.list(4, "by state", &["Empty"], &[]);
        self.list(4, "by state", &["Stable"], &[]);
        self.beat("goes on", &Beat::at("g", "m1", epoch));
        self.beat(
            "goes on, owning",
            &Beat::at("g", "m1", epoch).owning(&[("t", &[0, 1, 2, 3])]),
        );
        self.beat(
            "says everything again",
            &Beat {
                epoch,
                owned: Some(&[("t", &[0, 1, 2, 3])]),
                ..Beat::join("g", "m1", &["t"])
            },
        );
        self.beat("another joins", &Beat::join("g", "m2", &["t"]));
        self.describe_consumer_group(1, "two members, one to give back", "g");
        self.beat("the second waits", &Beat::at("g", "m2", epoch + 1).owning(&[]));
        self.beat(
            "the first is told to give back",
            &Beat::at("g", "m1", epoch).owning(&[("t", &[0, 1, 2, 3])]),
        );
        self.describe_consumer_group(1, "the first gives back", "g");
        self.beat(
            "the first has not given back",
            &Beat::at("g", "m1", epoch).owning(&[("t", &[0, 1, 2, 3])]),
        );
        self.beat("the first says nothing of it", &Beat::at("g", "m1", epoch));
        self.beat("the second still waits", &Beat::at("g", "m2", epoch + 1));
        self.beat(
            "the first has given back",
            &Beat::at("g", "m1", epoch).owning(&[("t", &[0, 1])]),
        );
        self.beat(
            "the answer was lost",
            &Beat::at("g", "m1", epoch).owning(&[("t", &[0, 1])]),
        );
        self.beat("the answer was lost, owned is null", &Beat::at("g", "m1", epoch));
        self.beat("the second gets", &Beat::at("g", "m2", epoch + 1));
        self.describe_consumer_group(1, "stable", "g");
        self.delete(2, "g");
        self.beat("the second leaves", &Beat::at("g", "m2", -1));
        self.describe_consumer_group(1, "the second has left", "g");
        self.beat(
            "the first gets everything",
            &Beat::at("g", "m1", epoch + 1).owning(&[("t", &[0, 1])]),
        );
        self.beat("a stranger leaves", &Beat::at("g", "m9", -1));
        self.beat("the first leaves", &Beat::at("g", "m1", -1));
        self.describe_consumer_group(1, "empty", "g");
        self.list(5, "empty", &[], &[]);
        self.beat("comes again", &Beat::join("g", "m3", &["t"]));
        self.beat("leaves again", &Beat::at("g", "m3", -1));
        self.delete(2, "g");
        self.delete(2, "g");
        self.describe_consumer_group(1, "deleted", "g");
    }

    fn epochs_that_do_not_fit(&mut self) {
        self.chapter("epochs that do not fit");
        self.beat_as(0, "an id of the server's", &Beat::join("server", "", &["t"]));
        let (_, epoch) = self.beat("joins", &Beat::join("e", "m1", &["t"]));
        self.beat("a greater epoch", &Beat::at("e", "m1", epoch + 1));
        self.beat("a smaller epoch", &Beat::at("e", "m1", epoch - 1));
        self.beat("the previous epoch", &Beat::at("e", "m1", epoch - 1).owning(&[]));
        self.beat("an unknown member", &Beat::at("e", "m2", epoch));
        self.beat("joins again", &Beat::join("e", "m1", &["t"]));
        self.beat(
            "joins again, with other topics",
            &Beat::join("e", "m1", &["t", "u"]),
        );
        self.beat("joins once more", &Beat::join("e", "m1", &["t", "u"]));
        self.describe_consumer_group(1, "joined again", "e");
        self.beat("leaves with another's id", &Beat::at("e", "m2", -1));
        self.beat(
            "an instance that was none",
            &Beat {
                instance: Some("i"),
                ..Beat::at("e", "m1", epoch + 1)
            },
        );
    }

    fn members_that_change_their_mind(&mut self) {
        self.chapter("members that change their mind");
        let (_, epoch) = self.beat("joins without topics", &Beat::join("c", "m1", &[]));
        self.describe_consumer_group(1, "no topics", "c");
        let change = |epoch, topics| Beat {
            topics: Some(topics),
            ..Beat::at("c", "m1", epoch)
        };
        let (_, epoch) = self.beat("subscribes", &change(epoch, &["t"]));
        let (_, epoch) = self.beat("the same", &change(epoch, &["t"]));
        let (_, epoch) = self.beat("one more", &change(epoch, &["u", "t"]));
        self.beat("twice the same", &change(epoch, &["u", "t", "u"]));
        let (_, epoch) = self.beat("one less", &change(epoch, &["u"]));
        self.beat(
            "has not given back",
            &Beat::at("c", "m1", epoch).owning(&[("t", &[0, 1, 2, 3]), ("u", &[0, 1])]),
        );
        self.beat(
            "has given back",
            &Beat::at("c", "m1", epoch).owning(&[("u", &[0, 1])]),
        );
        self.beat("a topic that is not there", &change(epoch + 1, &["u", "absent"]));
        self.describe_consumer_group(1, "changed", "c");
        self.beat(
            "a rack",
            &Beat {
                rack: Some("r1"),
                ..Beat::at("c", "m1", epoch + 2)
            },
        );
        self.describe_consumer_group(1, "a rack", "c");
    }

    fn assignors_of_the_server(&mut self) {
        self.chapter("assignors");
        let range = |member| Beat {
            assignor: Some("range"),
            ..Beat::join("a", member, &["t", "u"])
        };
        let (_, epoch) = self.beat("range", &range("m1"));
        self.describe_consumer_group(1, "range", "a");
        self.beat("range again", &range("m2"));
        self.describe_consumer_group(1, "range", "a");
        self.beat(
            "the other one",
            &Beat {
                assignor: Some("uniform"),
                ..Beat::at("a", "m2", epoch + 1)
            },
        );
        self.describe_consumer_group(1, "one each", "a");
        self.beat(
            "uniform",
            &Beat {
                assignor: Some("uniform"),
                ..Beat::at("a", "m1", epoch).owning(&[])
            },
        );
        self.describe_consumer_group(1, "uniform", "a");
        self.beat("alone with u", &Beat::join("h", "m1", &["u"]));
        self.beat("with t and u", &Beat::join("h", "m2", &["t", "u"]));
        self.beat("with t", &Beat::join("h", "m3", &["t"]));
        self.describe_consumer_group(1, "different topics", "h");
    }

    fn static_consumer_members(&mut self) {
        self.chapter("static members");
        let join = |member| Beat {
            instance: Some("i"),
            ..Beat::join("s", member, &["t"])
        };
        let (_, epoch) = self.beat("joins", &join("m1"));
        self.beat("another while it lives", &join("m2"));
        self.beat(
            "the other goes on",
            &Beat {
                instance: Some("i"),
                ..Beat::at("s", "m2", epoch)
            },
        );
        self.beat(
            "an unknown instance",
            &Beat {
                instance: Some("j"),
                ..Beat::at("s", "m1", epoch)
            },
        );
        self.beat(
            "goes on",
            &Beat {
                instance: Some("i"),
                ..Beat::at("s", "m1", epoch)
            },
        );
        self.beat("goes on without its name", &Beat::at("s", "m1", epoch));
        self.beat("joins again", &join("m1"));
        self.beat(
            "the wrong one goes for a while",
            &Beat {
                instance: Some("i"),
                ..Beat::at("s", "m2", -2)
            },
        );
        self.beat(
            "goes for a while",
            &Beat {
                instance: Some("i"),
                ..Beat::at("s", "m1", -2)
            },
        );
        self.describe_consumer_group(1, "away", "s");
        self.beat(
            "goes on though it is away",
            &Beat {
                instance: Some("i"),
                ..Beat::at("s", "m1", epoch)
            },
        );
        self.static_members_that_come_back(epoch);
    }

    fn static_members_that_come_back(&mut self, epoch: i32) {
        let join = |member| Beat {
            instance: Some("i"),
            ..Beat::join("s", member, &["t"])
        };
        self.beat("comes back as another", &join("m2"));
        self.describe_consumer_group(1, "back", "s");
        self.beat(
            "the former one",
            &Beat {
                instance: Some("i"),
                ..Beat::at("s", "m1", epoch)
            },
        );
        self.beat("the former one without its name", &Beat::at("s", "m1", epoch));
        self.beat(
            "goes for a while",
            &Beat {
                instance: Some("i"),
                ..Beat::at("s", "m2", -2)
            },
        );
        self.beat(
            "goes for a while again",
            &Beat {
                instance: Some("i"),
                ..Beat::at("s", "m2", -2)
            },
        );
        self.beat("comes back as itself", &join("m2"));
        self.beat(
            "leaves for good",
            &Beat {
                instance: Some("i"),
                ..Beat::at("s", "m2", -1)
            },
        );
        self.describe_consumer_group(1, "gone", "s");
    }

    fn offsets_of_consumer_members(&mut self) {
        self.chapter("offsets");
        let (_, epoch) = self.beat("joins", &Beat::join("o", "m1", &["t"]));
        let t = |offset| [("t", 0, offset, "")];
        self.commit(9, "its epoch", "o", (epoch, "m1"), &t(1));
        self.commit(8, "an older version", "o", (epoch, "m1"), &t(2));
        self.commit(9, "a smaller epoch", "o", (epoch - 1, "m1"), &t(3));
        self.commit(9, "a greater epoch", "o", (epoch + 1, "m1"), &t(4));
        self.commit(9, "an unknown member", "o", (epoch, "m9"), &t(5));
        self.commit(9, "nobody", "o", (-1, ""), &t(6));
        self.commit(9, "epoch -1", "o", (-1, "m1"), &t(6));
        self.commit(
            9,
            "a topic it does not have",
            "o",
            (epoch, "m1"),
            &[("u", 0, 7, "")],
        );
        self.commit(
            9,
            "a topic that is not there",
            "o",
            (epoch, "m1"),
            &[("absent", 0, 7, "")],
        );
        self.fetch_as(9, "its epoch", "o", (epoch, Some("m1")));
        self.fetch_as(9, "a smaller epoch", "o", (epoch - 1, Some("m1")));
        self.fetch_as(9, "a greater epoch", "o", (epoch + 1, Some("m1")));
        self.fetch_as(9, "an unknown member", "o", (epoch, Some("m9")));
        self.fetch_as(9, "nobody", "o", (-1, None));
        self.fetch_as(9, "no name but an epoch", "o", (epoch, None));
        self.fetch_as(9, "a name but no epoch", "o", (-1, Some("m1")));
        self.fetch_as(8, "an older version", "o", (-1, None));
        self.offset_delete("of a subscribed topic", "o", &[("t", 0)]);
        self.offset_delete("of another topic", "o", &[("u", 0)]);
        self.offsets_while_partitions_move(epoch);
    }

    fn offsets_while_partitions_move(&mut self, epoch: i32) {
        let t = |offset| [("t", 0, offset, "")];
        self.beat("another joins", &Beat::join("o", "m2", &["t"]));
        self.beat(
            "the first is to give back",
            &Beat::at("o", "m1", epoch).owning(&[("t", &[0, 1, 2, 3])]),
        );
        self.commit(9, "while it gives back", "o", (epoch, "m1"), &[("t", 3, 8, "")]);
        self.beat(
            "the first has given back",
            &Beat::at("o", "m1", epoch).owning(&[("t", &[0, 1])]),
        );
        self.commit(
            9,
            "the former epoch, what it kept",
            "o",
            (epoch, "m1"),
            &[("t", 0, 9, "")],
        );
        self.commit(
            9,
            "the former epoch, what it gave",
            "o",
            (epoch, "m1"),
            &[("t", 3, 9, "")],
        );
        self.commit(
            9,
            "the former epoch, both",
            "o",
            (epoch, "m1"),
            &[("t", 0, 9, ""), ("t", 3, 9, "")],
        );
        self.beat("the second gets", &Beat::at("o", "m2", epoch + 1));
        self.commit(
            9,
            "a smaller epoch than the partition's",
            "o",
            (epoch, "m2"),
            &[("t", 3, 9, "")],
        );
        self.fetch_as(9, "at the end", "o", (-1, None));
        self.beat("the first leaves", &Beat::at("o", "m1", -1));
        self.beat("the second leaves", &Beat::at("o", "m2", -1));
        self.commit(9, "nobody, when all have left", "o", (-1, ""), &t(10));
        self.commit(9, "a member, when all have left", "o", (epoch, "m1"), &t(11));
        self.offset_delete("when all have left", "o", &[("t", 0)]);
        self.delete(2, "o");
        self.commit(9, "a member of no group", "none", (1, "m1"), &t(12));
        self.fetch_as(9, "a member of no group", "none", (1, Some("m1")));
    }

    fn groups_of_the_other_protocol(&mut self) {
        self.chapter("the other protocol");
        let (_, epoch) = self.beat("joins", &Beat::join("x", "m1", &["t"]));
        self.heartbeat(4, "of the classic protocol", "x", (epoch, "m1", None));
        let request = self.sync_request("x", epoch, "m1", &[]);
        self.sync(0, 5, "of the classic protocol", &request);
        self.leave(5, "by the classic protocol", "x", &[("m1", None)]);
        self.describe_consumer_group(1, "left by the classic protocol", "x");
        self.commit(9, "nobody", "simple", (-1, ""), &[("t", 0, 1, "")]);
        self.describe_consumer_group(1, "a group that only commits", "simple");
        self.beat(
            "joins a group that only commits",
            &Beat::join("simple", "m1", &["t"]),
        );
        self.describe_consumer_group(1, "converted", "simple");
        self.fetch_as(9, "converted", "simple", (-1, None));
        self.beat("leaves it", &Beat::at("simple", "m1", -1));
        let member = self.join(
            0,
            3,
            "the empty group",
            &self.join_request("simple", "", None, "x"),
        );
        self.describe_consumer_group(1, "converted back", "simple");
        self.describe(6, "converted back", "simple");
        let request = self.sync_request("simple", 1, &member, &[(&member, "all")]);
        self.sync(0, 5, "converted back", &request);
        self.fetch_as(9, "converted back", "simple", (-1, None));
        self.beat("goes on in a classic group", &Beat::at("simple", "m1", 1));
        self.leave(5, "leaves it", "simple", &[(&member, None)]);
        self.beat(
            "joins the empty classic group",
            &Beat::join("simple", "m5", &["t"]),
        );
        self.describe_consumer_group(1, "converted again", "simple");
    }

    fn topics_that_come_and_go(&mut self) {
        self.chapter("topics that come and go");
        let (_, epoch) = self.beat("joins", &Beat::join("w", "m1", &["later", "grows"]));
        self.create_topic("grows", 1);
        self.beat_until_epoch("a topic has come", &Beat::at("w", "m1", epoch), epoch + 1);
        self.grow_topic("grows", 3);
        self.beat_until_epoch("it has grown", &Beat::at("w", "m1", epoch + 1), epoch + 2);
        self.delete_topic("grows");
        let gives_back = Beat::at("w", "m1", epoch + 2).owning(&[]);
        self.beat_until_epoch("it has gone", &gives_back, epoch + 3);
        self.describe_consumer_group(1, "it has gone", "w");
    }

    fn regular_expressions(&mut self) {
        self.chapter("regular expressions");
        self.create_topic("re1", 2);
        let by_regex = |member, regex| Beat {
            topics: None,
            regex: Some(regex),
            ..Beat::join("re", member, &[])
        };
        let (_, epoch) = self.beat("joins", &by_regex("m1", "PREFIXre.*"));
        self.beat_until_epoch("it is resolved", &Beat::at("re", "m1", epoch), epoch + 1);
        self.describe_consumer_group(1, "by expression", "re");
        self.beat("another with the same", &by_regex("m2", "PREFIXre.*"));
        self.describe_consumer_group(1, "two by expression", "re");
        self.beat("it leaves", &Beat::at("re", "m2", -1));
        let (_, epoch) = self.beat(
            "names as well",
            &Beat {
                topics: Some(&["t"]),
                ..Beat::at("re", "m1", epoch + 1)
            },
        );
        self.describe_consumer_group(1, "by both", "re");
        self.offset_delete("of a topic that the expression matches", "re", &[("re1", 0)]);
        let (_, epoch) = self.beat(
            "no expression",
            &Beat {
                regex: Some(""),
                ..Beat::at("re", "m1", epoch)
            },
        );
        self.describe_consumer_group(1, "by names", "re");
        self.offset_delete("of the topic it no longer has", "re", &[("re1", 0)]);
        let (_, epoch) = self.beat(
            "has given back",
            &Beat::at("re", "m1", epoch).owning(&[("t", &[0, 1, 2, 3])]),
        );
        let (_, epoch) = self.beat(
            "another expression",
            &Beat {
                regex: Some("PREFIXr.*1"),
                ..Beat::at("re", "m1", epoch)
            },
        );
        self.beat_until_epoch("it is resolved", &Beat::at("re", "m1", epoch), epoch + 1);
        self.describe_consumer_group(1, "another expression", "re");
        let (_, epoch) = self.beat(
            "nothing matches",
            &Beat {
                topics: None,
                regex: Some("nothing-has-this-name"),
                ..Beat::join("re2", "m1", &[])
            },
        );
        self.beat("nothing matched", &Beat::at("re2", "m1", epoch));
        self.expressions_good_and_bad();
    }

    fn expressions_good_and_bad(&mut self) {
        for bad in [
            "*", "[a", "a{2,1}", "(?<n", "\\1", "(?=a)", "a**", "x{1001}", "[z-a]", "\\", ")",
        ] {
            self.beat(
                &format!("bad {bad:?}"),
                &Beat {
                    group: "bad",
                    topics: None,
                    regex: Some(bad),
                    ..Beat::join("bad", "m1", &[])
                },
            );
        }
        for good in [
            "\\Qa.b\\E",
            "[[a]",
            "[a&&b]",
            "(?i)a",
            "(?P<n>a)",
            "\\pN",
            "\\z",
            "a{,2}",
            "",
            "]",
            "{",
            "\\x{41}",
            "\\012",
            "[[:alpha:]]",
            "\\C",
            "(?s).",
            "a|*",
            "\\a\\f\\v",
            "\\_",
            "é",
        ] {
            self.beat(
                &format!("good {good:?}"),
                &Beat {
                    topics: None,
                    regex: Some(good),
                    ..Beat::join(&format!("good{}", good.len()), "m1", &[])
                },
            );
        }
    }
}
