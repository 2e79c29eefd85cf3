//! Do tables and bars fit the screen, and pipes get what programs can read?

use std::fs::File;
use std::process::{Command, Stdio};

use crate::support::cluster::Cluster;
use crate::support::suite::{Suite, outcome_of};

/// What a terminal of so many columns is sent, colours left out.
fn on_a_screen(suite: &Suite, columns: u32, words: &str) -> String {
    let template = suite.command([] as [&str; 0]);
    let mut command = Command::new("script");
    let line = format!(
        "stty rows 30 cols {columns} && exec {} {words}",
        env!("CARGO_BIN_EXE_kafkit")
    );
    command
        .args(["-qec", &line, "/dev/null"])
        .current_dir(suite.home())
        .env_clear()
        .envs(
            template
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("NO_COLOR", "1")
        // Bars are not drawn on a terminal without a name.
        .env("TERM", "xterm");
    outcome_of(command, b"").succeeds().stdout().replace('\r', "")
}

/// That many lines.
fn numbers(count: u32) -> String {
    let lines: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    lines.join("\n") + "\n"
}

#[test]
fn words_of_a_table_are_never_split() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    let name = "a-topic-with-a-rather-long-name";
    suite
        .run_with_input(["produce", name, "-b", &address], "1\n2\n")
        .succeeds();
    for columns in [40, 60] {
        for command in [
            "topics list",
            "describe topic",
            "describe cluster",
            "describe log-dirs --replicas",
        ] {
            let shown = on_a_screen(&suite, columns, &format!("{command} -b {address}"));
            assert!(shown.lines().count() > 1, "{shown}");
            for line in shown.lines() {
                let words = line.split_whitespace().count();
                assert!(
                    line.chars().count() <= columns as usize || words == 1,
                    "{columns}: {line:?}"
                );
            }
        }
        let shown = on_a_screen(&suite, columns, &format!("topics list -b {address}"));
        for word in ["PARTITIONS", "REPLICAS", "OFFSETS", name] {
            assert!(shown.contains(word), "{word}: {shown}");
        }
    }
}

#[test]
fn columns_of_a_pipe_are_where_programs_look_for_them() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    let lines = numbers(1200);
    suite
        .run_with_input(["produce", "t", "-b", &address], lines)
        .succeeds();
    let shown = suite.run(["topics", "list", "-b", &address]).succeeds().stdout();
    let row: Vec<&str> = shown.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..4], ["t", "1", "1", "1200"], "{shown}");
    let shown = suite
        .run(["topics", "list", "-o", "json", "-b", &address])
        .succeeds()
        .stdout();
    assert!(shown.contains("\"offsets\": 1200"), "{shown}");
    let shown = suite
        .run(["describe", "topic", "t", "-b", &address])
        .succeeds()
        .stdout();
    let row: Vec<&str> = shown.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(row[..6], ["0", "1", "1", "1", "0", "1200"], "{shown}");
}

#[test]
fn a_disk_that_is_full_is_told_whatever_is_printed() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    suite
        .run_with_input(["produce", "t", "-b", &address], "1\n")
        .succeeds();
    let with_cluster = [
        "topics list",
        "describe topic t",
        "consume t -e",
        "describe cluster -o json",
    ];
    let alone = [
        "--help",
        "version",
        "--version",
        "topics --help",
        "completions bash",
        "man",
        "help",
    ];
    let with_cluster = with_cluster.iter().map(|words| format!("{words} -b {address}"));
    for words in with_cluster.chain(alone.map(str::to_owned)) {
        let mut command = suite.command(words.split(' '));
        let full = File::options().write(true).open("/dev/full").unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(full)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ended = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{words}: {stderr}");
        assert!(stderr.contains("the disk is full"), "{words}: {stderr}");
    }
}

#[test]
fn a_bar_is_never_wider_than_the_screen() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    let name = "a/folder/with/a/long/name/and/a/file/of/many/lines.txt";
    suite.file(name, numbers(200_000));
    let escapes = regex::Regex::new("\x1b\\[[0-9;?]*[A-Za-z]").unwrap();
    for columns in [24, 40, 60] {
        let shown = on_a_screen(&suite, columns, &format!("produce t {name} -b {address}"));
        let text = escapes.replace_all(&shown, "\n");
        let bars: Vec<&str> = text.lines().filter(|line| line.contains('%')).collect();
        assert!(!bars.is_empty(), "{shown:?}");
        for bar in bars {
            assert!(
                bar.trim_end().chars().count() <= columns as usize,
                "{columns}: {bar:?}"
            );
        }
    }
}
