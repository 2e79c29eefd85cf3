//! `kafkit topics export`, `apply` and `count`, and `kafkit diff`, on the mini broker.

use crate::support::cluster::Cluster;
use crate::support::shell::Shell;
use crate::support::suite::{Outcome, Suite};

const TOPICS: &str = "\
[[topics]]
name = \"orders\"
partitions = 3
replication-factor = 1
[topics.configs]
cleanup.policy = \"compact\"
retention.ms = \"1000\"

[[topics]]
name = \"shop.b\"
partitions = 1
replication-factor = 1
";

struct Files {
    shell: Shell,
}

impl Files {
    fn new() -> Self {
        Self { shell: Shell::new() }
    }

    fn on(cluster: Cluster) -> Self {
        let suite = Suite::new();
        Self {
            shell: Shell { cluster, suite },
        }
    }

    fn run(&self, words: &[&str]) -> Outcome {
        self.shell.kafkit(words)
    }

    /// `topics apply` of a file with this text.
    fn apply(&self, text: &str, more: &[&str]) -> Outcome {
        let file = self.shell.suite.file("topics.toml", text);
        let file = file.to_string_lossy().into_owned();
        self.run(&[&["topics", "apply", "-f", &file], more].concat())
    }
}

#[test]
fn what_is_applied_is_exported_again() {
    let files = Files::new();
    let would = "\
TOPIC   WHAT   IS  SHALL BE  CHANGE
orders  topic  -   there     create
shop.b  topic  -   there     create
";
    files.apply(TOPICS, &["--dry-run"]).succeeds().prints(would);
    files.run(&["topics", "list", "-o", "name"]).succeeds().prints("");
    files.apply(TOPICS, &[]).succeeds().prints(would);
    files.run(&["topics", "export"]).succeeds().prints(TOPICS);
    files.apply(TOPICS, &[]).succeeds().complains("nothing differs");
    files.apply(TOPICS, &["-o", "json"]).succeeds().prints("[]\n");
    let json = files.run(&["topics", "export", "-o", "json"]).succeeds().stdout();
    files.apply(&json, &[]).succeeds().complains("nothing differs");
    // From one cluster to another, without a file.
    let other = Cluster::start();
    let there = files
        .shell
        .suite
        .run_with_input(["topics", "apply", "-f", "-", "-b", &other.bootstrap()], TOPICS);
    there.succeeds();
    files
        .run(&["diff", "--to", &other.bootstrap()])
        .succeeds()
        .complains("nothing differs: 2 topics");
}

#[test]
fn each_answer_to_what_is_applied_has_the_whole_time_out() {
    let names = [
        "CreateTopics",
        "CreatePartitions",
        "IncrementalAlterConfigs",
        "DeleteTopics",
    ];
    let delays = names.map(|name| format!("{name}:3s"));
    let flags: Vec<&str> = delays.iter().flat_map(|delay| ["--delay", delay]).collect();
    let files = Files::on(Cluster::start_with_flags(&flags, &[]));
    files.apply(TOPICS, &["--timeout", "20s"]).succeeds();
    // Together they take longer than the time-out, none of them alone does.
    let wanted = "[[topics]]\nname = \"orders\"\npartitions = 5\n[topics.configs]\nretention.ms = 2000\n\
                  [[topics]]\nname = \"another\"\npartitions = 1\n";
    files
        .apply(wanted, &["--prune", "--yes", "--timeout", "9s"])
        .succeeds();
    let names = files.run(&["topics", "list", "-o", "name"]);
    names.succeeds().prints("another\norders\n");
}

#[test]
fn an_answer_that_does_not_come_in_time_names_the_time_out() {
    let cluster = Cluster::start_with_flags(&["--delay", "CreateTopics:60s"], &[]);
    Files::on(cluster)
        .apply(TOPICS, &["--timeout", "5s"])
        .exits(3)
        .complains("longer than --timeout");
}

#[test]
fn drift_is_shown_and_what_the_file_does_not_name_stays() {
    let files = Files::new();
    files.apply(TOPICS, &[]).succeeds();
    files.run(&["topics", "create", "stray", "-q"]).succeeds();
    let wanted = "[[topics]]\nname = \"orders\"\npartitions = 5\nreplication-factor = 3\n[topics.configs]\nretention.ms = 2000\n\
                  [[topics]]\nname = \"shop.b\"\n";
    let drift = "\
TOPIC   WHAT                IS       SHALL BE  CHANGE
orders  partitions          3        5         set
orders  replication factor  1        3         kafkit reassign plan moves replicas
orders  retention.ms        1000     2000      set
orders  cleanup.policy      compact  -         leave (not in the file)
";
    files
        .apply(wanted, &["--dry-run"])
        .succeeds()
        .prints(drift)
        .complains("1 topic is not in the file (--prune deletes such topics)");
    files.apply(wanted, &[]).succeeds().prints(drift);
    let left = "\
TOPIC   WHAT                IS       SHALL BE  CHANGE
orders  replication factor  1        3         kafkit reassign plan moves replicas
orders  cleanup.policy      compact  -         unset
stray   topic               there    -         delete
";
    files
        .apply(wanted, &["--prune", "--prune-configs"])
        .exits(2)
        .prints(left)
        .complains("would delete 1 topic (stray); without a terminal say --yes");
    files
        .apply(wanted, &["--prune", "--prune-configs", "--yes"])
        .succeeds();
    files
        .run(&["topics", "list", "-o", "name"])
        .succeeds()
        .prints("orders\nshop.b\n");
    let fewer = "[[topics]]\nname = \"orders\"\npartitions = 2\n[topics.configs]\nretention.ms = 2000\n[[topics]]\nname = \"shop.b\"\n";
    let never = files.apply(fewer, &[]).succeeds().stdout();
    assert!(never.contains("partitions are never taken away"), "{never}");
    files
        .apply(
            "[[topics]]\nname = \"x\"\n[topics.configs]\nretention.mss = 1\n",
            &[],
        )
        .exits(6)
        .complains("did you mean retention.ms?");
}

#[test]
fn records_are_counted_and_offsets_are_where_that_is_asked_for() {
    let files = Files::new();
    files.run(&["topics", "create", "a", "-p", "2", "-q"]).succeeds();
    let lines: Vec<String> = (0..500)
        .map(|n| format!("{{\"partition\":{},\"value\":\"{n}\"}}\n", n % 2))
        .collect();
    files
        .shell
        .produce(&["a", "--json", "-q"], lines.concat())
        .succeeds();
    files
        .run(&["records", "delete", "a:0", "--to", "100", "--yes", "-q"])
        .succeeds();
    let count = |words: &[&str]| files.run(&[&["topics", "count", "a"], words].concat());
    count(&[]).succeeds().prints("TOPIC  RECORDS\na          400\n");
    count(&["--by-offsets"])
        .succeeds()
        .prints("TOPIC  OFFSETS\na          400\n");
    let by_partition = "TOPIC  PARTITION  RECORDS\na              0      150\na              1      250\n";
    count(&["--by-partition"]).succeeds().prints(by_partition);
    count(&["--where", "value ~ \"^49.$\"", "-o", "tsv"])
        .succeeds()
        .prints("TOPIC\tRECORDS\na\t10\n");
    count(&["--offset", "240..", "-o", "tsv"])
        .succeeds()
        .prints("TOPIC\tRECORDS\na\t20\n");
    count(&["--by-offsets", "--key", "x"])
        .exits(2)
        .complains("reads no records");
}

#[test]
fn a_difference_is_exit_1_and_says_where_it_is() {
    let files = Files::new();
    for topic in ["a", "b"] {
        files
            .run(&["topics", "create", topic, "-p", "2", "-q"])
            .succeeds();
    }
    let lines = |values: [&str; 4]| -> String {
        let line = |(n, value): (usize, &&str)| {
            format!(
                "{{\"partition\":{},\"value\":\"{value}\",\"timestamp\":1577880000000}}\n",
                n % 2
            )
        };
        values.iter().enumerate().map(line).collect()
    };
    files
        .shell
        .produce(&["a", "--json", "-q"], lines(["1", "2", "3", "4"]))
        .succeeds();
    files
        .shell
        .produce(&["b", "--json", "-q"], lines(["1", "2", "3", "4"]))
        .succeeds();
    files
        .run(&["diff", "a", "b", "--records"])
        .succeeds()
        .complains("nothing differs: 1 topic, 4 records");
    files
        .shell
        .produce(&["a", "--json", "-q"], lines(["5", "6", "7", "8"]))
        .succeeds();
    files
        .shell
        .produce(&["b", "--json", "-q"], lines(["5", "6", "x", "8"]))
        .succeeds();
    files
        .run(&["configs", "set", "topic", "b", "retention.ms=5", "--yes", "-q"])
        .succeeds();
    files
        .run(&["topics", "alter", "b", "--partitions", "3", "-q"])
        .succeeds();
    let differ = "\
TOPIC  WHAT                     LEFT      RIGHT
a      partitions               2         3
a      retention.ms             -         5
a      record 4 of partition 0  offset 3  offset 3
";
    files
        .run(&["diff", "a", "b", "--records"])
        .exits(1)
        .prints(differ)
        .complains("3 differences");
    files
        .run(&["diff", "a", "b", "--ignore-configs", "-p", "1", "--records"])
        .exits(1);
    files
        .run(&["diff", "a"])
        .exits(2)
        .complains("nothing to compare with");
    files
        .run(&["diff", "a", "c"])
        .exits(5)
        .complains("topic \"c\" not found");
}
