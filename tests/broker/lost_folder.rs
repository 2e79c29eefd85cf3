//! A partition's folder that is deleted under the broker: its records are refused, the broker says so, others go on.

use std::fs;

use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use super::full_disk::{STORAGE_ERROR, produce};
use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

fn said(cluster: &Cluster, part: &str) -> usize {
    let lines = cluster.said();
    lines.iter().filter(|line| line.contains(part)).count()
}

#[test]
fn nothing_is_acknowledged_into_a_folder_that_is_gone() {
    let suite = Suite::new();
    let mut cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let kafkit = |args: &[&str]| suite.run_with_input([args, &["-q", "-b", &bootstrap]].concat(), "a\n");
    kafkit(&["topics", "create", "t"]).succeeds();
    kafkit(&["produce", "kept"]).succeeds();
    let address = HostPort::parse(&bootstrap).unwrap();
    let mut connection = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    assert_eq!(produce(&mut connection), 0);
    fs::remove_dir_all(cluster.data_dir().join("t-0")).unwrap();
    wait_until("the broker notices", || {
        said(&cluster, "t-0 were deleted or moved away") == 1
    });
    assert_eq!(produce(&mut connection), STORAGE_ERROR);
    assert_eq!(produce(&mut connection), STORAGE_ERROR);
    kafkit(&["produce", "kept"]).succeeds();
    let complaints = said(&cluster, "deleted or moved away") + said(&cluster, "cannot store");
    assert_eq!(complaints, 1, "it is said once: {:?}", cluster.said());
    cluster.restart();
    let bootstrap = cluster.bootstrap();
    let lines = |topic: &str| {
        let consumed = suite
            .run(["consume", topic, "-e", "-q", "-b", &bootstrap])
            .succeeds();
        consumed.stdout().lines().count()
    };
    assert_eq!((lines("kept"), lines("t")), (2, 0));
}

#[test]
fn a_topic_whose_folder_is_gone_can_be_deleted() {
    let suite = Suite::new();
    let cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let kafkit = |args: &[&str]| suite.run([args, &["-q", "-b", &bootstrap]].concat());
    kafkit(&["topics", "create", "lost", "-p", "2"]).succeeds();
    fs::remove_dir_all(cluster.data_dir().join("lost-1")).unwrap();
    kafkit(&["topics", "delete", "lost", "--yes"]).succeeds();
    kafkit(&["topics", "create", "lost", "-p", "2"]).succeeds();
}
