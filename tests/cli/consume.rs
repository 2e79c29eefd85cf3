//! Does `kafkit consume` show the records that were asked for, and stop where it should?

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};
use crate::support::terminal::Terminal;

struct Shell {
    cluster: Cluster,
    suite: Suite,
}

impl Shell {
    /// A topic `t` of the numbers one to ten.
    fn with_ten() -> Self {
        let shell = Self {
            cluster: Cluster::start(),
            suite: Suite::new(),
        };
        let numbers = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";
        let bootstrap = shell.cluster.bootstrap();
        let args = ["produce", "-b", &bootstrap, "t", "--timestamp", "1700000000000"];
        shell.suite.run_with_input(args, numbers).succeeds();
        shell
    }

    fn consume(&self, args: &[&str]) -> Outcome {
        let bootstrap = self.cluster.bootstrap();
        self.suite.run(
            ["consume", "-b", &bootstrap]
                .into_iter()
                .chain(args.iter().copied()),
        )
    }
}

#[test]
fn the_whole_topic_to_its_end() {
    let shell = Shell::with_ten();
    shell
        .consume(&["t", "-e"])
        .succeeds()
        .prints("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    shell.consume(&["t", "-n", "2"]).succeeds().prints("1\n2\n");
}

#[test]
fn from_a_number_a_word_or_the_end() {
    let shell = Shell::with_ten();
    shell.consume(&["t", "-e", "--offset", "8"]).prints("9\n10\n");
    shell.consume(&["t", "-e", "--offset", "-2"]).prints("9\n10\n");
    shell
        .consume(&["t", "-e", "--offset", "latest"])
        .succeeds()
        .prints("");
    shell
        .consume(&["t", "-e", "--offset", "-99"])
        .prints("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    shell.consume(&["t", "--offset", "middle"]).exits(2);
}

#[test]
fn between_two_times() {
    let shell = Shell::with_ten();
    let bootstrap = shell.cluster.bootstrap();
    let args = ["produce", "-b", &bootstrap, "t", "--timestamp", "1700000100000"];
    shell.suite.run_with_input(args, "late\n").succeeds();
    shell
        .consume(&["t", "-e", "--since", "@1700000050"])
        .prints("late\n");
    shell
        .consume(&[
            "t",
            "--since",
            "@1600000000",
            "--until",
            "@1700000050",
            "-f",
            "%s ",
        ])
        .succeeds()
        .prints("1 2 3 4 5 6 7 8 9 10 ");
}

#[test]
fn a_topic_that_is_not_there_is_exit_5_and_a_guess() {
    let shell = Shell::with_ten();
    let bootstrap = shell.cluster.bootstrap();
    shell
        .suite
        .run(["topics", "create", "-b", &bootstrap, "orders"])
        .succeeds();
    shell.consume(&["ordes", "-e"]).exits(5).complains(&format!(
        "topic \"ordes\" not found on {bootstrap}; did you mean \"orders\"?"
    ));
    shell
        .consume(&["t", "-p", "7", "-e"])
        .exits(5)
        .complains("has no partition 7");
}

#[test]
fn an_empty_topic_ends_at_once() {
    let shell = Shell::with_ten();
    let bootstrap = shell.cluster.bootstrap();
    shell
        .suite
        .run(["topics", "create", "-b", &bootstrap, "empty", "--partitions", "3"])
        .succeeds();
    shell.consume(&["empty", "-e"]).succeeds().prints("");
}

#[test]
fn a_group_goes_on_where_it_was() {
    let shell = Shell::with_ten();
    shell
        .consume(&["t", "--group", "g", "-n", "4"])
        .succeeds()
        .prints("1\n2\n3\n4\n");
    shell
        .consume(&["t", "--group", "g", "-n", "3"])
        .succeeds()
        .prints("5\n6\n7\n");
    shell
        .consume(&["t", "--group", "g", "-e"])
        .succeeds()
        .prints("8\n9\n10\n");
    shell
        .consume(&["t", "--group", "another", "-n", "1"])
        .succeeds()
        .prints("1\n");
}

#[test]
fn a_template_with_a_mistake_is_a_usage_error() {
    Suite::new()
        .run(["consume", "-b", "127.0.0.1:1", "t", "-f", "%q"])
        .exits(2)
        .complains("unknown token %q");
}

#[test]
fn an_offset_that_is_not_there_is_told() {
    let shell = Shell::with_ten();
    let beyond = shell
        .consume(&["t", "-e", "--offset", "11"])
        .succeeds()
        .prints("");
    assert_eq!(
        beyond.stderr,
        "kafkit: offset 11 is not yet in t-0 (ends at 10): nothing to read there\n"
    );
    let end = shell
        .consume(&["t", "-e", "--offset", "10"])
        .succeeds()
        .prints("");
    assert_eq!(end.stderr, "", "the end is a place to wait at");

    let terminal = Terminal::new();
    let address = shell.cluster.bootstrap();
    let waiting = terminal.start(&format!("kafkit consume t -b {address} --offset 1000"));
    waiting.says("offset 1000 is not yet in t-0 (ends at 10): what comes next is read");
    let more = ["produce", "t", "-b", &address];
    shell.suite.run_with_input(more, "eleven\n").succeeds();
    waiting.prints("eleven\n");
}

#[test]
fn offsets_in_short() {
    let shell = Shell::with_ten();
    shell
        .consume(&["t", "-e", "-o", "-2"])
        .succeeds()
        .prints("9\n10\n");
    shell
        .consume(&["t", "-e", "-n", "1", "-o", "@2020-01-01"])
        .succeeds()
        .prints("1\n");
    shell.consume(&["t", "-o", "json"]).exits(2).complains(
        "--offset takes earliest, latest, a number, -N or @TIME, not \"json\" (records as JSON: --json)",
    );
}
