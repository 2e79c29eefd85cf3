//! What the broker cannot do yet it says at once: to the client so that it ends, to whoever runs the broker in a line.

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

fn said(cluster: &Cluster, part: &str) -> usize {
    let lines = cluster.said();
    lines.iter().filter(|line| line.contains(part)).count()
}

#[test]
fn a_topic_that_wants_compaction_is_named_once() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let kafkit = |args: &[&str]| suite.run([args, &["-q", "-b", &bootstrap]].concat()).succeeds();
    kafkit(&["topics", "create", "a", "--config", "cleanup.policy=compact"]);
    kafkit(&["topics", "create", "b"]);
    kafkit(&[
        "topics",
        "alter",
        "b",
        "--config",
        "cleanup.policy=compact,delete",
    ]);
    kafkit(&["topics", "alter", "b", "--config", "retention.ms=12345"]);
    kafkit(&["topics", "create", "c", "--config", "cleanup.policy=delete"]);
    kafkit(&["topics", "create", "d", "--config", "retention.ms=12345"]);
    wait_until("both are named", || said(&cluster, "does not compact yet") == 2);
    for (topic, times) in [("a", 1), ("b", 1), ("c", 0), ("d", 0)] {
        assert_eq!(said(&cluster, &format!("topic {topic} has")), times, "{topic}");
    }
}
