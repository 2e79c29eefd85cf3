//! `kafkit groups …`, on the mini broker.

use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::shell::Shell;
use crate::support::suite::Outcome;
use crate::support::terminal::Terminal;
use crate::support::wait::wait_until;

/// Two partitions with ten records each, of which the group has read all of the first and four of the second.
struct Billing {
    shell: Shell,
}

impl Billing {
    fn new() -> Self {
        let billing = Self { shell: Shell::new() };
        billing
            .run(&["topics", "create", "orders", "-p", "2", "-q"])
            .succeeds();
        let address = billing.shell.cluster.bootstrap();
        for partition in ["0", "1"] {
            let words = [
                "produce",
                "orders",
                "-q",
                "-b",
                &address,
                "--partition",
                partition,
            ];
            // A record a second, from noon on.
            for record in 0..10 {
                let time = format!("2020-01-01T12:00:0{record}Z");
                let words = [&words[..], &["--timestamp", &time]].concat();
                let value = format!("{partition}-{record}\n");
                billing.shell.suite.run_with_input(words, value).succeeds();
            }
        }
        let reset = |place| {
            [
                "groups", "reset", "billing", "--to", place, "--yes", "-q", "--topic",
            ]
        };
        billing
            .run(&[&reset("latest")[..], &["orders:0"]].concat())
            .succeeds();
        billing.run(&[&reset("4")[..], &["orders:1"]].concat()).succeeds();
        for file in ["billing.undo.json", "billing.undo.2.json"] {
            std::fs::remove_file(billing.shell.suite.home().join(file)).expect("an undo file");
        }
        billing
    }

    fn run(&self, words: &[&str]) -> Outcome {
        self.shell.kafkit(words)
    }

    fn json(&self, words: &[&str]) -> Value {
        let shown = self.run(&[words, &["-o", "json"]].concat()).succeeds();
        serde_json::from_slice(&shown.stdout).expect("JSON and nothing else")
    }

    /// What the group has committed, in the order of partitions.
    fn committed(&self, group: &str) -> Vec<Value> {
        let described = self.json(&["describe", "group", group]);
        let partitions = described[0]["partitions"].as_array().cloned().unwrap_or_default();
        partitions
            .iter()
            .map(|partition| partition["committed"].clone())
            .collect()
    }

    /// Where a reset would move the group.
    fn places(&self, words: &[&str]) -> Vec<Value> {
        let moves = self.json(&[&["groups", "reset", "billing", "--dry-run", "--to"], words].concat());
        let moves = moves.as_array().cloned().unwrap_or_default();
        moves.iter().map(|moved| moved["to"].clone()).collect()
    }
}

#[test]
fn the_list_has_state_type_members_and_lag() {
    let billing = Billing::new();
    assert_eq!(
        billing.json(&["groups", "list"]),
        json!([{
            "group": "billing", "state": "empty", "type": "classic", "protocol_type": "", "members": 0, "lag": 6,
        }])
    );
    let names = billing.run(&["groups", "list", "-o", "name"]).succeeds();
    names.prints("billing\n");
    let same = billing.run(&["describe", "group"]).succeeds().stdout();
    assert_eq!(same, billing.run(&["groups", "list"]).succeeds().stdout());
}

#[test]
fn the_list_can_be_of_some_names_states_and_types() {
    let billing = Billing::new();
    billing
        .run(&[
            "groups", "reset", "audit", "--topic", "orders", "--to", "earliest", "--yes",
        ])
        .succeeds();
    for (words, listed) in [
        (&[] as &[&str], "audit\nbilling\n"),
        (&["billing"], "billing\n"),
        (&["-e", "a.*", "b"], "audit\n"),
        (&["--state", "Empty", "--type", "classic"], "audit\nbilling\n"),
        (&["--state", "stable,PreparingRebalance"], ""),
        (&["--type", "share"], ""),
    ] {
        let list = [&["groups", "list", "-o", "name"], words].concat();
        billing.run(&list).succeeds().prints(listed);
        let rows = billing.json(&[&["groups", "list"], words].concat());
        let rows = rows.as_array().expect("a list").len();
        assert_eq!(rows, listed.lines().count(), "{words:?}");
    }
    let unknown = billing.run(&["groups", "list", "biling"]);
    unknown
        .exits(5)
        .complains("group \"biling\" not found; did you mean \"billing\"?");
}

#[test]
fn a_reset_knows_many_places() {
    let billing = Billing::new();
    for (words, places) in [
        (&["earliest"][..], json!([0, 0])),
        (&["latest"], json!([10, 10])),
        (&["7"], json!([7, 7])),
        (&["99999"], json!([10, 10])),
        (&["+2"], json!([10, 6])),
        (&["-5"], json!([5, 0])),
        (&["2020-01-01T12:00:08Z"], json!([8, 8])),
        (&["2030-01-01"], json!([10, 10])),
        (&["1h"], json!([10, 10])),
        (&["earliest", "--topic", "orders:1"], json!([0])),
        (&["group:billing"], json!([10, 4])),
    ] {
        assert_eq!(Value::from(billing.places(words)), places, "{words:?}");
    }
    assert_eq!(
        billing.committed("billing"),
        [json!(10), json!(4)],
        "a dry run changes nothing"
    );
}

#[test]
fn a_reset_shows_what_moves_and_the_record_it_lands_on() {
    let billing = Billing::new();
    let words = ["groups", "reset", "billing", "--to", "-3"];
    let dry = billing.run(&[&words[..], &["--dry-run"]].concat()).succeeds();
    let expected = "\
TOPIC   PARTITION  FROM  TO  MOVES  LAG  FIRST RECORD THERE
orders          0    10   7     -3    3  2020-01-01 12:00:07  0-7
orders          1     4   1     -3    9  2020-01-01 12:00:01  1-1
";
    dry.prints(expected)
        .complains("would move 2 partitions of group billing");
    billing
        .run(&words)
        .exits(2)
        .prints("")
        .complains("would move 2 partitions of group billing; without a terminal say --yes");
    assert_eq!(billing.committed("billing"), [json!(10), json!(4)]);
    let real = billing.run(&[&words[..], &["--yes"]].concat()).succeeds();
    real.prints(expected)
        .complains("undo file: billing.undo.json")
        .complains("moved 2 partitions of group billing");
    assert_eq!(billing.committed("billing"), [json!(7), json!(1)]);
}

#[test]
fn what_stays_where_it_is_does_not_count_as_moved() {
    let billing = Billing::new();
    // Partition 0 is at its end already.
    for (flag, line) in [
        ("--dry-run", "would move 1 partition of group billing"),
        ("--yes", "moved 1 partition of group billing"),
    ] {
        let words = ["groups", "reset", "billing", "--to", "latest", flag];
        billing.run(&words).succeeds().complains(line);
    }
    assert_eq!(billing.committed("billing"), [json!(10), json!(10)]);
}

#[test]
fn an_undo_file_is_of_one_cluster() {
    let billing = Billing::new();
    let reset =
        |billing: &Billing, to: &str| billing.run(&["groups", "reset", "billing", "--to", to, "--yes"]);
    reset(&billing, "earliest").succeeds();
    let undo = billing.shell.suite.home().join("billing.undo.json");
    let elsewhere = Billing::new();
    reset(&elsewhere, &format!("file:{}", undo.display()))
        .exits(6)
        .complains("has offsets of cluster ")
        .complains("a file without \"cluster\" is taken on any");
    assert_eq!(elsewhere.committed("billing"), [json!(10), json!(4)]);
    let text = std::fs::read_to_string(&undo).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("\"cluster\""))
        .collect();
    let any = elsewhere.shell.suite.file("any.json", lines.join("\n"));
    reset(&elsewhere, "earliest").succeeds();
    reset(&elsewhere, &format!("file:{}", any.display())).succeeds();
    assert_eq!(elsewhere.committed("billing"), [json!(10), json!(4)]);
}

#[test]
fn a_reset_to_where_the_group_is_asks_nothing_and_changes_nothing() {
    let billing = Billing::new();
    billing
        .run(&["groups", "reset", "billing", "--to", "group:billing"])
        .succeeds()
        .complains("group billing is there already");
    let undo = billing.shell.suite.home().join("billing.undo.json");
    assert!(!undo.exists(), "there is no way back from nothing");
}

#[test]
fn a_reset_asks_on_a_terminal() {
    let billing = Billing::new();
    let terminal = Terminal::new();
    let address = billing.shell.cluster.bootstrap();
    let reset = || {
        let line = format!("kafkit groups reset billing --to earliest -b {address}");
        let reset = terminal.start_on_a_screen(&line);
        reset.prints_at_last("Move 2 partitions of group billing? [y/N] ");
        reset
    };
    let mut refused = reset();
    refused.types("n\n");
    refused.ends();
    assert_eq!(billing.committed("billing"), [json!(10), json!(4)]);
    let mut agreed = reset();
    agreed.types("y\n");
    agreed.leave();
    assert_eq!(billing.committed("billing"), [json!(0), json!(0)]);
}

#[test]
fn an_undo_file_takes_a_group_back() {
    let billing = Billing::new();
    let reset = |to: &str| billing.run(&["groups", "reset", "billing", "--to", to, "--yes"]);
    reset("earliest").succeeds();
    reset("latest")
        .succeeds()
        .complains("undo file: billing.undo.2.json");
    reset("file:billing.undo.json").succeeds();
    assert_eq!(billing.committed("billing"), [json!(10), json!(4)]);
    // Nothing was committed before a new group was made: the way back is to nothing.
    billing
        .run(&["groups", "reset", "new", "--to", "group:billing", "--yes"])
        .succeeds();
    assert_eq!(billing.committed("new"), [json!(10), json!(4)]);
    let back = billing.run(&["groups", "reset", "new", "--to", "file:new.undo.json", "--yes"]);
    assert!(back.succeeds().stdout().contains("none"));
    assert_eq!(billing.committed("new"), Vec::<Value>::new());
    reset("file:new.undo.json")
        .exits(6)
        .complains("new.undo.json holds no offsets of group billing; it has new");
    billing.shell.suite.file("offsets.csv", "orders,1,3\n\n");
    reset("file:offsets.csv").succeeds();
    assert_eq!(billing.committed("billing"), [json!(10), json!(3)]);
}

#[test]
fn a_group_that_does_not_exist_is_made_only_for_named_topics() {
    let billing = Billing::new();
    billing
        .run(&["groups", "reset", "biling", "--to", "earliest", "--yes"])
        .exits(5)
        .complains("group \"biling\" not found; did you mean \"billing\"?");
    let words = [
        "groups", "reset", "new", "--to", "earliest", "--topic", "orders", "--yes",
    ];
    billing.run(&words).succeeds();
    assert_eq!(billing.committed("new"), [json!(0), json!(0)]);
    for (topic, problem) in [
        ("order", "topic \"order\" not found"),
        ("orders:5", "topic \"orders\" has no partition 5; it has 2"),
    ] {
        billing
            .run(&["groups", "reset", "new", "--to", "0", "--topic", topic, "--yes"])
            .exits(5)
            .complains(problem);
    }
    let words = [
        "groups", "reset", "other", "--topic", "orders", "--to", "+1", "--yes",
    ];
    billing
        .run(&words)
        .exits(1)
        .complains("cannot shift orders-0: the group has committed nothing there");
}

#[test]
fn committed_offsets_of_a_share_group_are_neither_reset_nor_deleted() {
    let shell = Shell::new();
    shell.produce(&["jobs", "-q"], "a\nb\n").succeeds();
    let begin = [
        "--group",
        "shared",
        "--topic",
        "jobs",
        "--reset-offsets",
        "--to-earliest",
        "--execute",
    ];
    let address = shell.cluster.bootstrap();
    let words = [
        &["kafka-share-groups", "--bootstrap-server", &address],
        &begin[..],
    ]
    .concat();
    shell.suite.run(words).succeeds();
    for (words, tool) in [
        (
            &["groups", "reset", "shared", "--to", "latest", "-y"][..],
            "--reset-offsets",
        ),
        (
            &["groups", "delete-offsets", "shared", "--topic", "jobs", "-y"],
            "--delete-offsets",
        ),
    ] {
        shell
            .kafkit(words)
            .exits(1)
            .complains("group shared is a share group, which commits no offsets")
            .complains(tool);
    }
}

#[test]
fn a_group_with_active_members_is_left_alone() {
    let billing = Billing::new();
    let terminal = Terminal::new();
    let address = billing.shell.cluster.bootstrap();
    let member = terminal.start(&format!("kafkit consume orders --group billing -q -b {address}"));
    wait_until("the member has joined", || {
        billing.json(&["groups", "list"])[0]["members"] == 1
            && billing.json(&["describe", "group", "billing"])[0]["state"] == "stable"
    });
    billing
        .run(&["groups", "reset", "billing", "--to", "earliest", "--yes"])
        .exits(1)
        .complains("cannot reset group billing: 1 member is active (kafkit on 127.0.0.1) (stop it first)");
    billing
        .run(&["groups", "delete", "billing", "--yes"])
        .exits(1)
        .complains("cannot delete group billing: 1 member is active");
    billing
        .run(&[
            "groups",
            "delete-offsets",
            "billing",
            "--topic",
            "orders:1",
            "--yes",
        ])
        .exits(1)
        .complains("cannot delete the offset of orders-1 of group billing");
    member.interrupt();
}

#[test]
fn groups_are_deleted_with_a_way_back() {
    let billing = Billing::new();
    billing
        .run(&["groups", "reset", "audit", "--to", "group:billing", "--yes", "-q"])
        .succeeds();
    billing
        .run(&["groups", "delete", ".*", "--regex"])
        .exits(2)
        .complains("would delete 2 groups (audit, billing); without a terminal say --yes");
    billing
        .run(&["groups", "delete", "a.*", "--regex", "--dry-run"])
        .succeeds()
        .complains("would delete audit");
    billing
        .run(&["groups", "delete", "audit", "nosuch", "--yes"])
        .exits(5)
        .complains("group \"nosuch\" not found");
    billing
        .run(&[
            "groups",
            "delete",
            "audit",
            "nosuch",
            "--if-exists",
            "--yes",
            "--undo",
            "way-back.json",
        ])
        .succeeds()
        .complains("undo file: way-back.json")
        .complains("deleted audit");
    let names = billing.run(&["groups", "list", "-o", "name"]).succeeds();
    names.prints("billing\n");
    billing
        .run(&["groups", "reset", "audit", "--to", "file:way-back.json", "--yes"])
        .succeeds();
    assert_eq!(billing.committed("audit"), [json!(10), json!(4)]);
    billing
        .run(&["groups", "delete", "x.*", "--regex", "--yes"])
        .exits(5)
        .complains("no group matches x.*");
}

#[test]
fn committed_offsets_are_deleted_by_partition() {
    let billing = Billing::new();
    let words = ["groups", "delete-offsets", "billing", "--topic", "orders:1"];
    billing
        .run(&words)
        .exits(2)
        .complains("would delete 1 offset of group billing; without a terminal say --yes");
    let shown = "TOPIC   PARTITION  COMMITTED\norders          1          4\n";
    let dry = billing.run(&[&words[..], &["--dry-run"]].concat()).succeeds();
    dry.prints(shown);
    assert_eq!(billing.committed("billing"), [json!(10), json!(4)]);
    let real = billing.run(&[&words[..], &["--yes"]].concat()).succeeds();
    real.prints(shown).complains("deleted 1 offset of group billing");
    assert_eq!(billing.committed("billing"), [json!(10)]);
    billing
        .run(&[&words[..], &["--yes"]].concat())
        .exits(5)
        .complains("group billing has committed nothing there");
}

#[test]
fn watched_groups_are_looked_at_again_and_again() {
    let billing = Billing::new();
    let shown = billing
        .run(&[
            "groups", "watch", "billing", "-n", "2", "--every", "10ms", "-o", "tsv",
        ])
        .succeeds()
        .stdout();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines[0],
        "GROUP\tSTATE\tMEMBERS\tLAG\tREAD_PER_SECOND\tWRITTEN_PER_SECOND\tCAUGHT_UP_IN_MS"
    );
    assert_eq!(lines[1], "billing\tempty\t0\t6\t\t\t");
    assert_eq!(lines[2], "billing\tempty\t0\t6\t0.0\t0.0\t");
    assert_eq!(lines.len(), 3, "{shown}");
    billing
        .run(&["groups", "watch", "nosuch"])
        .exits(5)
        .complains("group \"nosuch\" not found");
    let terminal = Terminal::new();
    let address = billing.shell.cluster.bootstrap();
    let watch = terminal.start(&format!("kafkit groups watch -b {address} --every 50ms -o name"));
    watch.prints("billing\nbilling\n");
    watch.interrupt();
}

#[test]
fn a_member_that_ends_says_which_partitions_others_hold() {
    let terminal = Terminal::new();
    let cluster = Cluster::start();
    let address = cluster.bootstrap();
    let run = |line: &str| terminal.run(&format!("kafkit {line} -b {address}"));
    run("topics create two -p 2 -q").succeeds();
    run("topics create one -p 1 -q").succeeds();
    let first = terminal.start(&format!("kafkit consume two -g g -v -b {address}"));
    wait_until("the first member has both partitions", || {
        run("describe group g -o tsv")
            .stdout()
            .matches("\tkafkit")
            .count()
            == 2
    });
    let line = "not read here, as other members of the group hold them: two-";
    let told = run("consume two -g g -e").succeeds().stderr;
    assert_eq!(told.matches(line).count(), 1, "{told}");
    let told = run("consume two -g g -e -q").succeeds().stderr;
    assert_eq!(told, "");
    let told = run("consume two -g alone -e").succeeds().stderr;
    assert!(!told.contains("other members"), "{told}");
    drop(first);
    let members = [(); 2].map(|()| terminal.start(&format!("kafkit consume one -g waits -b {address}")));
    let waits = "waiting: this member of the group has no partition";
    wait_until("the member without a partition says so", || {
        members.iter().any(|member| member.story().contains(waits))
    });
}
