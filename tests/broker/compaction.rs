//! Topics with `cleanup.policy=compact` on a running broker: what a consumer finds, also after a restart.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

/// A broker that looks for something to compact all the time.
const EAGER: [&str; 2] = ["log.cleaner.backoff.ms=20", "log.retention.check.interval.ms=20"];
/// Each batch that is a little younger begins a segment.
const SMALL_SEGMENTS: [&str; 2] = ["--config", "segment.ms=1"];

/// kafkit against one broker.
struct Shell {
    suite: Suite,
    bootstrap: String,
}

impl Shell {
    fn new(cluster: &Cluster) -> Self {
        Self {
            suite: Suite::new(),
            bootstrap: cluster.bootstrap(),
        }
    }

    fn run(&self, args: &[&str], input: &str) -> String {
        let args = [args, &["-q", "-b", &self.bootstrap]].concat();
        self.suite.run_with_input(args, input).succeeds().stdout()
    }

    fn create(&self, topic: &str, configs: &[&str]) {
        self.create_due_at("0.01", topic, configs);
    }

    /// A topic whose log is compacted when so much of it is dirty.
    fn create_due_at(&self, ratio: &str, topic: &str, configs: &[&str]) {
        let ratio = format!("min.cleanable.dirty.ratio={ratio}");
        let line = ["topics", "create", topic, "--config", &ratio];
        self.run(&[&line, &SMALL_SEGMENTS[..], configs].concat(), "");
    }

    /// One record, in a segment of its own: `second` counts its time.
    fn put(&self, topic: &str, second: usize, key: &str, value: Option<&str>) {
        let value = value.map_or("null".to_owned(), |value| format!("\"{value}\""));
        let timestamp = 1_700_000_000_000 + second * 1000;
        let record = format!("{{\"key\":\"{key}\",\"value\":{value},\"timestamp\":{timestamp}}}\n");
        self.run(&["produce", topic, "--json"], &record);
    }

    fn put_all(&self, topic: &str, records: &[(&str, Option<&str>)]) {
        for (second, (key, value)) in records.iter().enumerate() {
            self.put(topic, second, key, *value);
        }
    }

    /// Offset, key and value of each record.
    fn records(&self, topic: &str) -> Vec<String> {
        let consumed = self.run(&["consume", topic, "-e", "-f", "%o %k=%s\n"], "");
        consumed.lines().map(str::to_owned).collect()
    }
}

const WRITTEN: [(&str, Option<&str>); 8] = [
    ("a", Some("1")),
    ("b", Some("1")),
    ("a", Some("2")),
    ("c", Some("1")),
    ("b", None),
    ("a", Some("3")),
    ("d", Some("1")),
    // In the segment that is appended to, which is never compacted.
    ("a", Some("4")),
];

#[test]
fn the_last_value_of_each_key_stays_and_a_tombstone_goes_in_time() {
    let mut cluster = Cluster::start_with(&EAGER);
    let shell = Shell::new(&cluster);
    shell.create(
        "t",
        &[
            "--config",
            "cleanup.policy=compact",
            "--config",
            "delete.retention.ms=0",
        ],
    );
    shell.put_all("t", &WRITTEN);
    // Each pass needs something new: the second takes the tombstone.
    let mut second = WRITTEN.len();
    wait_until("only the last values stay", || {
        shell.put("t", second, "last", Some("x"));
        second += 1;
        let records = shell.records("t");
        records.starts_with(&["3 c=1".to_owned(), "6 d=1".to_owned(), "7 a=4".to_owned()])
    });
    cluster.crash_and_restart();
    let shell = Shell::new(&cluster);
    let records = shell.records("t");
    assert_eq!(records[..3], ["3 c=1", "6 d=1", "7 a=4"]);
    // The places are kept although the records are gone.
    shell.put("t", second, "e", Some("1"));
    assert_eq!(shell.records("t").last().unwrap(), &format!("{second} e=1"));
}

#[test]
fn compaction_begins_and_ends_with_the_config() {
    let cluster = Cluster::start_with(&EAGER);
    let shell = Shell::new(&cluster);
    shell.create("t", &[]);
    shell.create("watch", &["--config", "cleanup.policy=compact"]);
    shell.run(&["topics", "alter", "t", "--config", "retention.ms=-1"], "");
    shell.put_all("t", &WRITTEN);
    shell.put_all("watch", &WRITTEN);
    wait_until("the other topic is compacted", || {
        shell.records("watch").len() < WRITTEN.len()
    });
    assert_eq!(shell.records("t").len(), WRITTEN.len());
    shell.run(
        &["topics", "alter", "t", "--config", "cleanup.policy=compact"],
        "",
    );
    wait_until("compacted", || {
        shell.records("t") == ["3 c=1", "4 b=", "5 a=3", "6 d=1", "7 a=4"]
    });
    shell.run(
        &[
            "topics",
            "alter",
            "t",
            "--config",
            "cleanup.policy=compact,delete",
            "--config",
            "retention.ms=1000",
        ],
        "",
    );
    wait_until("old segments go as well", || shell.records("t").len() < 2);
}

#[test]
fn an_old_record_makes_a_pass_due_and_a_young_one_is_left_alone() {
    let cluster = Cluster::start_with(&EAGER);
    let shell = Shell::new(&cluster);
    let compacted = ["--config", "cleanup.policy=compact"];
    let lag = ["--config", "max.compaction.lag.ms=1000"];
    shell.create_due_at("1", "due", &[compacted, lag].concat());
    shell.create_due_at("1", "not_due", &compacted);
    let young = [
        "--config",
        "cleanup.policy=compact",
        "--config",
        "min.compaction.lag.ms=9000000000000",
    ];
    shell.create("young", &young);
    for topic in ["not_due", "young", "due"] {
        shell.put_all(topic, &WRITTEN);
    }
    wait_until("compacted", || shell.records("due").len() == 5);
    assert_eq!(shell.records("not_due").len(), WRITTEN.len());
    assert_eq!(shell.records("young").len(), WRITTEN.len());
}

#[test]
fn committed_offsets_are_compacted_and_kept() {
    let mut cluster = Cluster::start_with(
        &[
            &EAGER[..],
            &["log.roll.ms=1", "log.cleaner.min.cleanable.ratio=0.01"],
        ]
        .concat(),
    );
    let shell = Shell::new(&cluster);
    shell.run(&["topics", "create", "t", "--config", "segment.ms=9000000"], "");
    let checkpoint = cluster.data_dir().join("cleaner-offset-checkpoint");
    let mut read = 0;
    wait_until("committed offsets are compacted", || {
        shell.run(&["produce", "t"], "a\nb\n");
        read += shell
            .run(&["consume", "t", "-e", "-g", "readers"], "")
            .lines()
            .count();
        std::fs::read_to_string(&checkpoint).is_ok_and(|text| text.contains("__consumer_offsets 0 "))
    });
    cluster.crash_and_restart();
    let shell = Shell::new(&cluster);
    shell.run(&["produce", "t"], "c\n");
    let consumed = shell.run(&["consume", "t", "-e", "-g", "readers"], "");
    assert_eq!(consumed, "c\n", "after {read} records");
}

#[test]
fn a_broker_that_is_killed_while_it_compacts_loses_nothing() {
    let mut cluster = Cluster::start_with(&EAGER);
    let topic = [
        "--config",
        "cleanup.policy=compact",
        "--config",
        "internal.segment.bytes=4000",
    ];
    Shell::new(&cluster).create("t", &topic);
    let mut last = BTreeMap::new();
    let mut written = 0;
    for round in 0..8_usize {
        let shell = Shell::new(&cluster);
        let mut records = String::new();
        for n in 0..150_usize {
            let key = format!("k{}", (round * 7 + n * n) % 40);
            let value = format!("{round} {n}");
            writeln!(records, "{{\"key\":\"{key}\",\"value\":\"{value}\"}}").unwrap();
            last.insert(key, value);
            written += 1;
        }
        shell.run(
            &[
                "produce",
                "t",
                "--json",
                "-z",
                ["none", "gzip", "lz4", "zstd"][round % 4],
            ],
            &records,
        );
        cluster.crash_and_restart();
        let consumed = Shell::new(&cluster).run(&["consume", "t", "-e", "-f", "%k=%s\n"], "");
        let found = consumed.lines().filter_map(|line| line.split_once('='));
        let found: BTreeMap<_, _> = found
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(found, last, "after round {round}");
    }
    let shell = Shell::new(&cluster);
    wait_until("compacted", || shell.records("t").len() < written / 2);
}
