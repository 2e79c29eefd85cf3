//! `kafkit leaders elect`, on the mini broker: one node, where every leader is the preferred one.

use crate::support::shell::Shell;

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
