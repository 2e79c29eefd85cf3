//! A disk that fails while the broker runs: after a flush that failed nothing is acknowledged, and the node ends, as
//! Apache Kafka's does; what was acknowledged before is there.

use kafkit::broker::host::control::{NodeVerb, Question, Reply};
use kafkit::broker::host::{NodeState, NodeStatus};
use kafkit::storage::disk_faults::{DiskRule, Effect, Operation};
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use super::full_disk::{STORAGE_ERROR, produce};
use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

fn next_sync_fails(cluster: &Cluster, named: &str) {
    let rule = DiskRule {
        operation: Operation::Sync,
        named: named.to_owned(),
        skip: 0,
        count: Some(1),
        effect: Effect::Fail(libc::EIO),
    };
    let question = Question::FailDisk {
        below: cluster.data_dir(),
        rules: vec![rule],
    };
    assert_eq!(cluster.ask(&question), Some(Reply::Done));
}

fn count(suite: &Suite, bootstrap: &str) -> usize {
    let read = ["consume", "t", "-e", "-q", "-b", bootstrap];
    suite.run(read).succeeds().stdout().lines().count()
}

#[test]
fn a_failed_flush_ends_the_broker_and_nothing_is_acknowledged_after_it() {
    let suite = Suite::new();
    let mut cluster = Cluster::start_with_flags(&["--flush"], &[]);
    let bootstrap = cluster.bootstrap();
    suite
        .run(["topics", "create", "t", "-q", "-b", &bootstrap])
        .succeeds();
    let address = HostPort::parse(&bootstrap).unwrap();
    let mut connection = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    assert_eq!(produce(&mut connection), 0);
    let before = count(&suite, &bootstrap);
    next_sync_fails(&cluster, "t-0");
    assert_eq!(produce(&mut connection), STORAGE_ERROR);
    wait_until("the broker ends", || cluster.has_ended());
    let told = |line: &String| line.contains("cannot flush") && line.contains("t-0");
    wait_until("and says why", || cluster.said().iter().any(told));
    cluster.crash_and_restart();
    let after = count(&suite, &cluster.bootstrap());
    // What was refused may be there all the same: its client does not know.
    assert!(after >= before && before == 10, "{before} {after}");
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    let mut connection = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    assert_eq!(produce(&mut connection), 0);
}

#[test]
fn a_node_whose_disk_fails_ends_and_the_others_go_on() {
    let suite = Suite::new();
    let cluster = Cluster::start_with_flags(&["--nodes", "3", "--flush"], &[]);
    let bootstrap = cluster.bootstrap();
    let create = [
        "topics",
        "create",
        "t",
        "-q",
        "--replication-factor",
        "3",
        "-b",
        &bootstrap,
    ];
    suite.run(create).succeeds();
    let node_2 = || -> NodeStatus {
        let Some(Reply::Nodes(nodes)) = cluster.ask(&Question::Node(NodeVerb::List)) else {
            panic!("no answer");
        };
        nodes.into_iter().find(|node| node.id == 2).expect("node 2")
    };
    next_sync_fails(&cluster, &node_2().data_dir);
    let produce = ["produce", "t", "-q", "-b", &bootstrap];
    suite.run_with_input(produce, "one\ntwo\n").succeeds();
    wait_until("node 2 ends", || node_2().state == NodeState::Killed);
    suite.run_with_input(produce, "three\n").succeeds();
    let read = ["consume", "t", "-e", "-q", "-b", &bootstrap];
    suite.run(read).succeeds().prints("one\ntwo\nthree\n");
    assert!(cluster.ask(&Question::Node(NodeVerb::Start(2))).is_some());
    assert_eq!(node_2().state, NodeState::Running);
    suite.run_with_input(produce, "four\n").succeeds();
}
