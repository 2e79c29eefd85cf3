//! `kafkit copy` where the copy is another one than its source, or the source changes meanwhile: other keys, other
//! partitions, smaller batches, groups that go on in the copy, topics and partitions that are added.

use std::fmt::Write as _;
use std::process::{Child, Stdio};

use crate::support::cluster::Cluster;
use crate::support::shell::Shell;
use crate::support::wait::wait_until;

fn create(shell: &Shell, topic: &str, more: &[&str]) {
    let words = [&["topics", "create", topic, "-q"], more].concat();
    shell.kafkit(&words).succeeds();
}

#[test]
fn records_get_their_keys_out_of_json_or_headers_and_their_partitions_with_them() {
    let shell = Shell::new();
    create(&shell, "orders", &["-p", "3"]);
    let names = ["ada", "Z\\u00fcrich", "", "bob"];
    let orders = (0..200).fold(String::new(), |mut lines, n| {
        let name = names[n % names.len()];
        let _ = writeln!(
            lines,
            r#"{{"partition":{},"key":"old","value":"{{\"id\":{n},\"user\":{{\"name\":\"{}\"}}}}","headers":[{{"name":"from","value":"h{}"}}]}}"#,
            n % 3,
            name.replace('\\', "\\\\"),
            n % 5
        );
        lines
    });
    shell
        .produce(&["orders", "--json", "-q", "-z", "lz4"], orders)
        .succeeds();
    // What `kafkit produce` makes of the same keys is what Java's producer does.
    create(&shell, "asked", &["-p", "7"]);
    shell
        .produce(
            &["asked", "-K", ":", "-q"],
            "ada:\nZürich:\n:\nbob:\nh0:\nh3:\n7:\n",
        )
        .succeeds();
    let asked = shell.shown("asked", "%p %k\\n");
    for (field, target, keys) in [
        (".user.name", "by-name", &["ada", "Zürich", "", "bob"][..]),
        ("headers.from", "by-header", &["h0", "h3"]),
        (".id", "by-id", &["7"]),
    ] {
        shell
            .kafkit(&[
                "copy",
                "orders",
                target,
                "--create",
                "--create-partitions",
                "7",
                "--key-from",
                field,
            ])
            .succeeds()
            .complains(&format!("created {target} (7 partitions"));
        let shown = shell.shown(target, "%p %k\\n");
        assert_eq!(shown.lines().count(), 200);
        for key in keys {
            let is_it = |line: &&str| line.split_once(' ').is_some_and(|(_, found)| found == *key);
            let wanted = asked.lines().find(is_it).expect("its partition");
            let mut found = shown.lines().filter(is_it).peekable();
            assert!(found.peek().is_some(), "{key}: {shown}");
            assert!(
                found.all(|line| line == wanted),
                "{key}: not all at {wanted}: {shown}"
            );
        }
    }
    shell
        .kafkit(&[
            "copy",
            "orders",
            "stay",
            "--create",
            "--key-from",
            ".id",
            "--partitions",
            "keep",
        ])
        .succeeds();
    let kept = shell.shown("stay", "%p %k\\n");
    assert!(kept.lines().all(|line| {
        let (partition, key) = line.split_once(' ').expect("both");
        partition.parse::<u32>().ok() == key.parse::<u32>().ok().map(|key| key % 3)
    }));
}

#[test]
fn a_record_without_what_would_be_its_key_is_named() {
    let shell = Shell::new();
    create(&shell, "mixed", &[]);
    shell
        .produce(
            &["mixed", "-q"],
            "{\"id\":1}\nno json\n{\"id\":null}\n{\"id\":2}\n",
        )
        .succeeds();
    let copy = ["copy", "mixed", "keyed", "--create", "--key-from", ".id"];
    let refused = shell.kafkit(&copy).exits(6);
    refused
        .complains("mixed-0 offset 1 is not copied: it has no .id to be its key")
        .complains("--where '.id != null' leaves such records out");
    shell
        .kafkit(&[&copy[..], &["--skip-failed"]].concat())
        .exits(1)
        .complains("mixed-0 offset 2 is not copied")
        .complains("2 records were not copied");
    assert_eq!(shell.shown("keyed", "%k "), "1 2 ");
    let chosen = [
        "copy",
        "mixed",
        "chosen",
        "--create",
        "--key-from",
        ".id",
        "--where",
        ".id != null",
    ];
    shell.kafkit(&chosen).succeeds();
    assert_eq!(shell.shown("chosen", "%k "), "1 2 ");
    shell
        .kafkit(&["copy", "mixed", "x", "--create", "--key-from", "user.id"])
        .exits(2)
        .complains("is no field");
    shell
        .kafkit(&["copy", "mixed", "x", "--create", "--key-from", ".id", "--verify"])
        .exits(2)
        .complains("without --key-from");
}

#[test]
fn compressed_batches_become_smaller_where_the_target_takes_no_larger_ones() {
    let shell = Shell::new();
    create(&shell, "large", &[]);
    let lines = (0..2000).fold(String::new(), |mut lines, n: u32| {
        // Text that compresses by a third or so.
        let noise = n.wrapping_mul(2_654_435_761);
        let _ = writeln!(lines, "{n} {noise:032b} {}", noise.wrapping_mul(40_503));
        lines
    });
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        shell
            .produce(&["large", "-q", "-z", codec, "-X", "batch.size=200000"], &lines)
            .succeeds();
    }
    create(&shell, "narrow", &["--config", "max.message.bytes=9000"]);
    shell
        .kafkit(&["copy", "large", "narrow", "--verify"])
        .succeeds()
        .complains("verified: 8 000 records the same on both sides");
}

#[test]
fn groups_go_on_in_the_copy_with_the_record_that_they_would_have_read_next() {
    let shell = Shell::new();
    create(&shell, "orders", &["-p", "2"]);
    let numbers = |from: u32, to: u32| {
        let lines: Vec<String> = (from..to).map(|n| n.to_string()).collect();
        lines.join("\n") + "\n"
    };
    shell
        .produce(&["orders", "-q", "-p", "0"], numbers(0, 100))
        .succeeds();
    // Markers make offsets that the copy does not have.
    for (from, to) in [(100, 130), (130, 160)] {
        shell
            .produce(
                &["orders", "-q", "-p", "1", "--transactional-id", "t"],
                numbers(from, to),
            )
            .succeeds();
    }
    let read = |group: &str, address: &str, topic: &str, count: &[&str]| {
        let line = format!("consume {topic} -g {group} -q -o earliest -b {address}");
        shell
            .suite
            .run([&words(&line)[..], count].concat())
            .succeeds()
            .stdout()
    };
    let address = shell.cluster.bootstrap();
    let first = read("billing", &address, "orders", &["-n", "117"]);
    let all = read("whole", &address, "orders", &["-e"]);
    assert_eq!(all.lines().count(), 160);
    let other = Cluster::start();
    let to = other.bootstrap();
    let copy = ["copy", "orders", "--to", &to, "--create", "--groups", ".*"];
    shell
        .kafkit(&copy)
        .succeeds()
        .complains("group billing: ")
        .complains("group whole: 2 partitions committed in the target");
    let rest = read("billing", &to, "orders", &["-e"]);
    let mut seen: Vec<u32> = first
        .lines()
        .chain(rest.lines())
        .filter_map(|line| line.parse().ok())
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        (0..160).collect::<Vec<u32>>(),
        "each record once, here or there"
    );
    assert_eq!(read("whole", &to, "orders", &["-e"]), "");
    // Who is further in the target stays there.
    shell
        .kafkit(&copy)
        .succeeds()
        .complains("0 partitions committed in the target, 2 are as far there already");
    // A group that reads records of others in the target would go on in a wrong place.
    let foreign = ["produce", "orders", "-q", "-p", "0", "-b", &to];
    shell.suite.run_with_input(foreign, "foreign\n").succeeds();
    shell
        .kafkit(&words("groups reset late --topic orders --to 3 --yes"))
        .succeeds();
    shell.produce(&["orders", "-q", "-p", "0"], "160\n").succeeds();
    shell
        .kafkit(&["copy", "orders", "--to", &to, "--groups", "late"])
        .exits(1)
        .complains("group late: 1 partition committed in the target")
        .complains("group late has no place in orders-0: the record that it reads next in orders-0, offset 3, is not where");
    shell
        .kafkit(&["copy", "orders", "--to", &to, "--groups", "nobody"])
        .succeeds()
        .complains("no group that matches");
    shell
        .kafkit(&words(&format!(
            "copy orders --to {to} --groups .* --partitions hash"
        )))
        .exits(2)
        .complains("--partitions keep");
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// A copy that goes on until it is told to end.
struct Following(Child);

impl Following {
    fn begin(shell: &Shell, words: &[&str]) -> Self {
        let address = shell.cluster.bootstrap();
        let mut command = shell
            .suite
            .command([words, &["--follow", "-b", &address]].concat());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Self(command.spawn().expect("a copy"))
    }

    fn interrupt(self) -> String {
        let pid = self.0.id().to_string();
        let killed = std::process::Command::new("kill").args(["-INT", &pid]).status();
        assert!(killed.is_ok_and(|status| status.success()));
        let ended = self.0.wait_with_output().expect("its end");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(130), "{said}");
        said
    }
}

#[test]
fn partitions_and_topics_that_are_added_are_followed() {
    let shell = Shell::new();
    create(&shell, "shop-a", &["-p", "1"]);
    shell.produce(&["shop-a", "-q"], "1\n").succeeds();
    let pattern = ["copy", "(shop-.*)", "of-$1", "--regex", "--create"];
    let copy = Following::begin(&shell, &pattern);
    let holds = |topic: &str, values: &[&str]| {
        wait_until(&format!("{topic} to hold {values:?}"), || {
            let outcome = shell.kafkit(&["consume", topic, "-e", "-q", "-f", "%s "]);
            let shown = outcome.stdout();
            let mut found: Vec<&str> = shown.split_whitespace().collect();
            found.sort_unstable();
            found == values
        });
    };
    holds("of-shop-a", &["1"]);
    shell
        .kafkit(&["topics", "alter", "shop-a", "--partitions", "3", "-q"])
        .succeeds();
    shell.produce(&["shop-a", "-q", "-p", "2"], "2\n").succeeds();
    holds("of-shop-a", &["1", "2"]);
    create(&shell, "shop-b", &["-p", "2"]);
    shell.produce(&["shop-b", "-q", "-p", "1"], "3\n").succeeds();
    holds("of-shop-b", &["3"]);
    shell.produce(&["shop-a", "-q", "-p", "1"], "4\n").succeeds();
    holds("of-shop-a", &["1", "2", "4"]);
    let said = copy.interrupt();
    assert!(
        said.contains("copying 2 new partitions of shop-a to of-shop-a"),
        "{said}"
    );
    assert!(said.contains("created of-shop-b (2 partitions)"), "{said}");
    // The same command goes on with all of them, although there were fewer when it began.
    create(&shell, "shop-c", &[]);
    shell.produce(&["shop-c", "-q"], "5\n").succeeds();
    shell
        .kafkit(&pattern)
        .succeeds()
        .complains("going on where")
        .complains("1 record from 3 topics");
    holds("of-shop-a", &["1", "2", "4"]);
}

#[test]
fn a_partition_that_the_target_lacks_is_said_once_and_copied_when_it_is_there() {
    let shell = Shell::new();
    create(&shell, "a", &["-p", "1"]);
    create(&shell, "b", &["-p", "1"]);
    let copy = Following::begin(&shell, &["copy", "a", "b"]);
    shell.produce(&["a", "-q"], "1\n").succeeds();
    let shown = || shell.kafkit(&["consume", "b", "-e", "-q", "-f", "%s "]).stdout();
    wait_until("the first record", || shown() == "1 ");
    shell
        .kafkit(&["topics", "alter", "a", "--partitions", "2", "-q"])
        .succeeds();
    shell.produce(&["a", "-q", "-p", "1"], "2\n").succeeds();
    shell
        .kafkit(&["topics", "alter", "b", "--partitions", "2", "-q"])
        .succeeds();
    wait_until("the second record", || shown().len() == 4);
    copy.interrupt();
}
