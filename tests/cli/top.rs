//! Does `kafkit top` show a cluster at work, leave when told to, and give the terminal back?

use std::fs;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::terminal::{Program, Terminal};
use crate::support::wait::wait_until;

const SCREEN: (u16, u16) = (24, 80);

/// `kafkit top` with these words, in a shell on a pseudo terminal that says afterwards how it ended, and whether the
/// terminal is as it was.
fn top(terminal: &Terminal, words: &str) -> Program {
    let (rows, columns) = SCREEN;
    terminal.file(
        "top.sh",
        &format!(
            "stty rows {rows} cols {columns}\nbefore=$(stty -g)\n\
             sh -c 'echo $$ > pid; exec kafkit top {words}'\n\
             echo ended with $?\n[ \"$before\" = \"$(stty -g)\" ] && echo as it was\n"
        ),
    );
    terminal.start_on_a_screen("TERM=xterm-256color sh top.sh")
}

/// Waits for its end with this exit code, on a terminal that shows what it showed before.
fn has_left(program: &Program, code: u8) {
    program.screen_shows(SCREEN, "the end", |screen| {
        screen.contains(&format!("ended with {code}"))
            && screen.contains("as it was")
            && !screen.contains("RECORDS/S")
    });
}

/// Records that come as long as the test lasts, and a group that reads them.
fn load(terminal: &Terminal) -> [Program; 2] {
    terminal
        .run("kafkit topics create load -b HOST:9092 -q")
        .succeeds();
    let producer = terminal.start("sh -c \"yes | kafkit produce load -b HOST:9092 -q --rate 400/s\"");
    let consumer = terminal.start("kafkit consume load -b HOST:9092 -q -g readers");
    [producer, consumer]
}

/// Whether the row of this name has a rate in the column of this number, the name's being 0.
fn has_rate(screen: &str, name: &str, column: usize) -> bool {
    let row = screen.lines().find(|line| line.starts_with(name));
    let mut words = row.into_iter().flat_map(str::split_whitespace);
    words
        .nth(column)
        .is_some_and(|word| word.parse::<f64>().is_ok_and(|rate| rate > 20.0))
}

#[test]
fn rates_of_a_cluster_at_work_are_on_the_screen_until_q_is_pressed() {
    let terminal = Terminal::new();
    let _broker = terminal.start_broker("kafkit broker --listen HOST:9092 --data-dir data");
    let _load = load(&terminal);
    let mut top = top(&terminal, "-b HOST:9092 --every 500ms");
    top.screen_shows(SCREEN, "rates of the topic", |screen| {
        screen.contains("RECORDS/S") && has_rate(screen, "load", 2)
    });
    top.types("4");
    top.screen_shows(SCREEN, "the lag of the group", |screen| {
        screen.contains("READ/S") && has_rate(screen, "readers", 5)
    });
    top.types("\r");
    top.screen_shows(SCREEN, "the partitions of the group", |screen| {
        screen.contains("> readers") && screen.contains("COMMITTED") && screen.contains("kafkit")
    });
    top.types("?");
    top.screen_shows(SCREEN, "the help", |screen| {
        screen.contains("the row above, below")
    });
    top.types("x1");
    top.screen_shows(SCREEN, "the broker", |screen| {
        screen.contains("LEADS") && screen.contains("all in sync")
    });
    top.types("q");
    has_left(&top, 0);
}

#[test]
fn signals_and_ctrl_c_leave_the_terminal_as_it_was() {
    let terminal = Terminal::new();
    let _broker = terminal.start_broker("kafkit broker --listen HOST:9092 --data-dir data");
    for signal in [Some(Signal::TERM), None] {
        let mut top = top(&terminal, "-b HOST:9092");
        top.screen_shows(SCREEN, "a screen", |screen| screen.contains("RECORDS/S"));
        match signal {
            Some(signal) => {
                let pid = fs::read_to_string(terminal.home().join("pid")).unwrap();
                let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
                kill_process(pid, signal).unwrap();
            }
            None => top.types("\x03"),
        }
        has_left(&top, if signal.is_some() { 143 } else { 130 });
    }
}

#[test]
fn a_cluster_may_go_away_and_come_back() {
    let terminal = Terminal::new();
    let broker = "kafkit broker --listen HOST:9092 --data-dir data";
    let running = terminal.start_broker(broker);
    terminal
        .run_with_input("kafkit produce here -b HOST:9092 -q", "1\n")
        .succeeds();
    let mut top = top(&terminal, "-b HOST:9092 --every 500ms");
    top.screen_shows(SCREEN, "the topic", |screen| screen.contains("here"));
    running.stop();
    top.screen_shows(SCREEN, "the trouble, and the last figures", |screen| {
        screen.contains("no answer for") && screen.contains("here")
    });
    let _running = terminal.start_broker(broker);
    top.screen_shows(SCREEN, "an answer", |screen| {
        !screen.contains("no answer for") && screen.contains("here")
    });
    top.types("q");
    has_left(&top, 0);
}

#[test]
fn a_pipe_gets_what_happened_between_two_looks() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    let lines: Vec<String> = (0..1000).map(|line| line.to_string()).collect();
    let lines = lines.join("\n") + "\n";
    suite
        .run_with_input(["produce", "quiet", "-b", &address, "-q"], lines)
        .succeeds();
    let once = ["top", "--once", "--every", "500ms", "-b", &address];
    let table = suite.run(once).succeeds().stdout();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0][..3], ["TOPIC", "PARTITIONS", "RECORDS/S"], "{table}");
    assert_eq!(rows[1][..3], ["quiet", "1", "0"], "{table}");
    let json = suite
        .run(once.into_iter().chain(["-o", "json"]))
        .succeeds()
        .stdout();
    let all: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(all["topics"][0]["offsets"], 1000, "{json}");
    assert_eq!(all["topics"][0]["written_per_second"], 0.0, "{json}");
    assert_eq!(all["partitions"][0]["isr"], serde_json::json!([1]), "{json}");
    assert_eq!(all["brokers"][0]["leads"], 1, "{json}");
    let twice = [
        "top", "brokers", "-n", "2", "--every", "500ms", "-o", "jsonl", "-b", &address,
    ];
    assert_eq!(suite.run(twice).succeeds().stdout().lines().count(), 2);
    suite.run(["top", "-b", "127.0.0.1:1"]).exits(3);
    suite
        .run(["top", "--every", "10ms"])
        .exits(2)
        .complains("at least 500 ms");
}

#[test]
fn what_is_written_while_one_looks_is_a_rate() {
    let terminal = Terminal::new();
    let _broker = terminal.start_broker("kafkit broker --listen HOST:9092 --data-dir data");
    let _load = load(&terminal);
    let once = "kafkit top -b HOST:9092 --once --every 1s -o json";
    wait_until("a rate", || {
        let json = terminal.run(once).succeeds().stdout();
        let all: Value = serde_json::from_str(&json).unwrap();
        let rate = all["written_per_second"].as_f64().unwrap_or(0.0);
        let bytes = all["bytes_per_second"].as_f64().unwrap_or(0.0);
        rate > 20.0 && bytes > rate && all["groups"][0]["lag"].is_i64()
    });
}

#[test]
fn a_terminal_that_hangs_up_ends_it() {
    let terminal = Terminal::new();
    let _broker = terminal.start_broker("kafkit broker --listen HOST:9092 --data-dir data");
    let (rows, columns) = SCREEN;
    let host = terminal.host();
    let lines =
        format!("stty rows {rows} cols {columns}\ntrap '' HUP\nkafkit top -b {host}:9092\necho $? > ended\n");
    terminal.file("top.sh", &lines);
    let top = terminal.start_on_a_screen("TERM=xterm-256color sh top.sh");
    top.screen_shows(SCREEN, "a screen", |screen| screen.contains("RECORDS/S"));
    // `script`, which has the other end of the pseudo terminal, is killed.
    drop(top);
    let ended = terminal.home().join("ended");
    wait_until("it ends with its terminal", || {
        fs::read_to_string(&ended).is_ok_and(|code| code == "1\n")
    });
}

#[test]
fn a_cluster_is_asked_a_few_times_a_second_only() {
    let cluster = Cluster::start_with_flags(&["--log"], &[]);
    let create = ["topics", "create", "t", "-q", "-b", &cluster.bootstrap()];
    Suite::new().run(create).succeeds();
    let before = cluster.said().len();
    let terminal = Terminal::new();
    let began = Instant::now();
    let mut top = top(&terminal, &format!("-b {} --every 500ms", cluster.bootstrap()));
    let requests = || {
        let said = cluster.said();
        let lines = said.iter().skip(before);
        lines.filter(|line| line.contains(" answered with ")).count()
    };
    wait_until("a dozen requests", || requests() >= 12);
    let made = requests();
    let most = 10.0 + 4.0 * began.elapsed().as_secs_f64();
    assert!((made as f64) < most, "{made} requests: {:?}", cluster.said());
    top.types("q");
    has_left(&top, 0);
}
