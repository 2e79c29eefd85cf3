//! Starting, finding and stopping brokers: the fixture, the embedded broker, what cannot be started.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::suite::{Suite, outcome_of};

/// What a fixture's command is told, and what it ends with.
#[test]
fn the_fixture_lends_its_broker_and_ends_as_its_command_does() {
    let suite = Suite::new();
    let script = r#"test -n "$KAFKIT_BOOTSTRAP_SERVERS" && test "$KAFKA_BOOTSTRAP_SERVERS" = "$KAFKIT_BOOTSTRAP_SERVERS""#;
    for (command, code) in [
        (script, 0),
        ("exit 7", 7),
        ("kill -TERM $$", 128 + 15),
        ("kill -KILL $$", 128 + 9),
    ] {
        let outcome = suite.run(["broker", "--", "sh", "-c", command]);
        assert_eq!(outcome.code, Some(code), "{command}: {}", outcome.stderr);
    }
    let outcome = suite.run(["broker", "--", "no-such-command-anywhere"]);
    assert_eq!(outcome.code, Some(127));
}

#[test]
fn the_fixtures_directory_goes_with_it() {
    let suite = Suite::new();
    let temp = suite.home().join("tmp");
    std::fs::create_dir(&temp).unwrap();
    for end in ["true", "kill -INT $PPID; exit 3"] {
        let mut command = suite.command(["broker", "--", "sh", "-c", end]);
        command.env("TMPDIR", &temp).output().unwrap();
        assert_eq!(std::fs::read_dir(&temp).unwrap().count(), 0, "{end}");
    }
}

#[test]
fn commands_without_a_cluster_share_one_broker_even_if_they_start_together() {
    let suite = Suite::new();
    let together: Vec<_> = (0..4)
        .map(|_| suite.command(["topics", "list", "-q"]).spawn().unwrap())
        .collect();
    for mut child in together {
        assert!(child.wait().unwrap().success());
    }
    let status = suite.run(["broker", "status", "-o", "json"]);
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    let pid_of =
        |outcome: &[u8]| serde_json::from_slice::<serde_json::Value>(outcome).unwrap()["pid"].clone();
    let pid = pid_of(&status.stdout);
    let joined = suite.run(["topics", "list"]);
    assert!(
        joined.stderr.contains("(running, 127.0.0.1:"),
        "{}",
        joined.stderr
    );
    assert_eq!(pid_of(&suite.run(["broker", "status", "-o", "json"]).stdout), pid);
    assert_eq!(suite.run(["broker", "stop"]).code, Some(0));
    let gone = suite.run(["broker", "status"]);
    assert_eq!(gone.code, Some(5), "{}", gone.stderr);
}

/// A program is one client, however many connections it holds, and whoever asks is none.
#[test]
fn the_status_counts_the_clients() {
    let suite = Suite::new();
    suite.run(["topics", "create", "read", "-q"]).succeeds();
    let clients = || {
        let status = suite.run(["broker", "status", "-o", "json"]);
        serde_json::from_slice::<serde_json::Value>(&status.stdout).unwrap()["clients"].clone()
    };
    assert_eq!(clients(), 0);
    let mut readers: Vec<_> = (0..2)
        .map(|_| {
            let mut reader = suite.command(["consume", "read"]);
            reader
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let begun = Instant::now();
    while clients() != 2 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} clients", clients());
    }
    for reader in &mut readers {
        reader.kill().unwrap();
        reader.wait().unwrap();
    }
    suite.run(["broker", "stop"]).succeeds();
}

#[test]
fn an_address_of_a_broker_that_died_is_noticed() {
    let suite = Suite::new();
    suite.run(["topics", "list", "-q"]);
    let status = suite.run(["broker", "status", "-o", "json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    let pid = status["pid"].as_i64().unwrap() as i32;
    let process = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
    let next = suite.run(["topics", "list"]);
    assert_eq!(next.code, Some(0), "{}", next.stderr);
    assert!(next.stderr.contains("(started, "), "{}", next.stderr);
    suite.run(["broker", "stop"]);
}

#[test]
fn what_cannot_be_started_says_why_in_one_line() {
    let suite = Suite::new();
    suite.file("not-a-log-dir/notes.txt", "mine");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    for (args, code, word) in [
        (vec!["--listen", "0.0.0.0:0"], 2, "--allow-anonymous"),
        (vec!["--listen", "*:0"], 2, "--allow-anonymous"),
        (vec!["--listen", "[::]:0"], 2, "--allow-anonymous"),
        (
            vec![
                "-X",
                "listeners=PLAINTEXT://127.0.0.1:0,OTHER://*:0",
                "-X",
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,OTHER:PLAINTEXT",
            ],
            2,
            "--allow-anonymous",
        ),
        (vec!["--listen", "no-such-host.invalid:0"], 1, "cannot listen on"),
        (
            vec!["--listen", port.as_str(), "--data-dir", "d"],
            1,
            "cannot listen on",
        ),
        (
            vec!["--listen", "127.0.0.1:0", "--data-dir", "not-a-log-dir"],
            1,
            "holds 'notes.txt'",
        ),
        (vec!["--config", "missing.properties"], 5, "missing.properties"),
        (vec!["-X", "num.partitions=many"], 6, "num.partitions"),
    ] {
        let outcome = suite.run([&["broker"], args.as_slice()].concat());
        assert_eq!(outcome.code, Some(code), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(word), "{args:?}: {}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    }
}

#[test]
fn the_variables_of_a_container_open_nothing_either() {
    let suite = Suite::new();
    for listeners in ["PLAINTEXT://*:0", "PLAINTEXT://0.0.0.0:0", "PLAINTEXT://[::]:0"] {
        let mut command = suite.command(["broker", "--config-from-env", "--data-dir", "d"]);
        command.env("KAFKA_LISTENERS", listeners);
        outcome_of(command, b"").exits(2).complains("--allow-anonymous");
        assert!(!suite.home().join("d").exists(), "{listeners}");
    }
}

#[test]
fn zookeeper_scripts_succeed_without_one() {
    let suite = Suite::new();
    assert_eq!(
        suite
            .run(["zookeeper-server-start", "config/zookeeper.properties"])
            .code,
        Some(0)
    );
    assert_eq!(suite.run(["zookeeper-server-stop"]).code, Some(0));
    assert_eq!(suite.run(["kafka-server-start"]).code, Some(1));
}

#[test]
fn kafkas_own_server_properties_start_a_broker() {
    let suite = Suite::new();
    let properties = "\
process.roles=broker,controller
node.id=4
controller.quorum.voters=4@localhost:9093
listeners=PLAINTEXT://localhost:0,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
log.dirs=kraft-logs
zookeeper.connect=localhost:2181
num.partitions=3
";
    suite.file("server.properties", properties);
    let mut command = suite.command([
        "kafka-server-start",
        "-daemon",
        "server.properties",
        "--override",
        "num.partitions=2",
    ]);
    let outcome = command.output().unwrap();
    assert!(
        outcome.status.success(),
        "{}",
        String::from_utf8_lossy(&outcome.stderr)
    );
    let status = suite.run(["broker", "status", "-o", "name", "--data-dir", "kraft-logs"]);
    let address = String::from_utf8(status.stdout).unwrap();
    let created = suite.run(["topics", "create", "t", "-b", address.trim()]);
    assert_eq!(created.code, Some(0), "{}", created.stderr);
    assert!(suite.home().join("kraft-logs/t-1").is_dir());
    assert!(!suite.home().join("kraft-logs/t-2").exists());
    assert_eq!(
        suite.run(["broker", "stop", "--data-dir", "kraft-logs"]).code,
        Some(0)
    );
}
