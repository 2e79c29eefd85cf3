//! `kafkit leaders elect`, on the mini broker: one node, where every leader is the preferred one, and several.

use crate::support::cluster::Cluster;
use crate::support::shell::Shell;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

#[test]
fn where_every_leader_is_the_preferred_one_nothing_changes() {
    let shell = Shell::new();
    shell
        .kafkit(&["topics", "create", "orders", "-p", "2", "-q"])
        .succeeds();
    shell
        .kafkit(&["leaders", "elect", "orders", "--dry-run"])
        .succeeds()
        .prints("")
        .complains("2 partitions: all have their preferred leader");
    shell
        .kafkit(&["leaders", "elect", "orders:1", "--unclean", "-o", "json"])
        .succeeds()
        .prints("[]\n")
        .complains("1 partition: all have a leader");
    shell
        .kafkit(&["leaders", "elect", "--all", "-q"])
        .succeeds()
        .prints("");
}

#[test]
fn which_partitions_has_to_be_said() {
    let shell = Shell::new();
    shell.kafkit(&["topics", "create", "orders", "-q"]).succeeds();
    shell.kafkit(&["leaders", "elect"]).exits(2).complains("TOPIC");
    shell
        .kafkit(&["leaders", "elect", "orders", "--all"])
        .exits(2)
        .complains("--all");
    shell
        .kafkit(&["leaders", "elect", "order"])
        .exits(5)
        .complains("did you mean \"orders\"?");
    shell
        .kafkit(&["leaders", "elect", "orders:7"])
        .exits(5)
        .complains("topic \"orders\" has no partition 7; it has 1");
}

#[test]
fn a_reason_that_many_partitions_share_is_said_once() {
    let cluster = Cluster::start_nodes(3, &[]);
    let suite = Suite::new();
    let run = |words: &[&str]| suite.run([words, &["-b", &cluster.bootstrap()]].concat());
    run(&[
        "topics",
        "create",
        "orders",
        "-q",
        "--assignment",
        "3:1,3:1,3:2,3:2,1:2",
    ])
    .succeeds();
    cluster.node("kill", 3);
    let elect = |more: &[&str]| run(&[&["leaders", "elect", "--all"], more].concat());
    wait_until("the leaders have moved", || {
        elect(&["--dry-run", "-o", "name"]).stdout().lines().count() == 4
    });
    let outcome = elect(&[]).exits(1);
    assert!(!outcome.stdout().contains("REASON"), "{}", outcome.stdout());
    assert_eq!(
        outcome.stderr,
        "kafkit: no leader elected for orders-0, orders-1, orders-2 and 1 more: broker 3 is down\n"
    );
    elect(&["--dry-run"])
        .succeeds()
        .complains("orders-0, orders-1, orders-2 and 1 more would get no other: broker 3 is down");
    let rows: serde_json::Value = serde_json::from_slice(&elect(&["-o", "json"]).stdout).unwrap();
    let reasons: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["reason"])
        .collect();
    assert_eq!(reasons, ["broker 3 is down"; 4]);
}
