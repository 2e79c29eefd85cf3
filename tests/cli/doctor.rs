//! Does `kafkit doctor` name the step that fails?

use std::net::TcpListener;

use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::shell::Shell;
use crate::support::suite::Suite;

/// A port that nobody listens on.
fn dead_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The status, step and place of every finding.
fn findings(json: &str) -> Vec<[String; 3]> {
    let found: Vec<Value> = serde_json::from_str(json).unwrap();
    let field = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let fields = |finding: &Value| ["status", "step", "place"].map(|name| field(finding, name));
    found.iter().map(fields).collect()
}

#[test]
fn a_healthy_cluster_passes_every_step() {
    let shell = Shell::new();
    shell.produce(&["t"], "1\n").succeeds();
    let told = shell
        .kafkit(&["doctor"])
        .succeeds()
        .complains("all is well")
        .stdout();
    let steps: Vec<&str> = told
        .lines()
        .map(|line| line.split_whitespace().nth(1).unwrap())
        .collect();
    let expected = [
        "connect",
        "protocol",
        "brokers",
        "broker",
        "clock",
        "permissions",
        "partitions",
    ];
    assert_eq!(steps, expected, "{told}");
    assert!(told.lines().all(|line| line.starts_with("ok ")), "{told}");
    assert!(told.contains("1 partition, every replica in sync"), "{told}");
    let address = shell.cluster.bootstrap();
    let json = shell.kafkit(&["doctor", "-o", "json"]).succeeds().stdout();
    let first = ["ok".to_owned(), "connect".to_owned(), address];
    assert_eq!(findings(&json)[0], first);
}

#[test]
fn a_refused_connection_and_an_unknown_name_are_unreachable() {
    let address = format!("127.0.0.1:{}", dead_port());
    let suite = Suite::new();
    suite
        .run(["doctor", "-b", &address])
        .exits(3)
        .prints(&format!(
            "FAILED  connect      {address}: connection refused (is the broker up?)\n"
        ))
        .complains("1 of 1 step failed");
    let told = suite
        .run(["doctor", "-b", "no-such-host.invalid"])
        .exits(3)
        .stdout();
    assert!(
        told.starts_with("FAILED  name ") && told.contains("\"no-such-host.invalid\" is unknown"),
        "{told}"
    );
}

/// The bootstrap address answers, and sends clients to where nobody is.
#[test]
fn a_broker_that_gives_clients_a_wrong_address_is_named() {
    let elsewhere = format!("PLAINTEXT://127.0.0.1:{}", dead_port());
    let cluster = Cluster::start_with(&[&format!("advertised.listeners={elsewhere}")]);
    let address = cluster.bootstrap();
    let outcome = Suite::new().run(["doctor", "-b", &address]).exits(3);
    let told = outcome.stdout();
    let broker = told
        .lines()
        .find(|line| line.starts_with("FAILED  broker "))
        .unwrap();
    assert!(
        broker.contains("connection refused") && broker.contains("advertised.listeners"),
        "{told}"
    );
}

#[test]
fn a_listener_that_speaks_no_tls_is_a_step_of_its_own() {
    let shell = Shell::new();
    let told = shell
        .kafkit(&["doctor", "-X", "security.protocol=SSL"])
        .exits(4)
        .stdout();
    let failed = told.lines().find(|line| line.starts_with("FAILED")).unwrap();
    assert!(
        failed.starts_with("FAILED  tls ") && failed.contains("does not speak TLS"),
        "{told}"
    );
    let sasl = [
        "doctor",
        "-X",
        "security.protocol=SASL_PLAINTEXT",
        "-X",
        "sasl.mechanism=PLAIN",
        "-X",
        "sasl.username=a",
        "-X",
        "sasl.password=b",
    ];
    let told = shell.kafkit(&sasl).exits(4).stdout();
    let failed = told.lines().find(|line| line.starts_with("FAILED")).unwrap();
    assert!(failed.starts_with("FAILED  sasl "), "{told}");
}

#[test]
fn the_files_of_a_log_dir_are_looked_at_as_in_dump_log() {
    let mut shell = Shell::new();
    shell.produce(&["t"], "1\n2\n").succeeds();
    shell.cluster.stop();
    let folder = shell.cluster.data_dir().join("t-0");
    let folder = folder.to_str().unwrap();
    let audited = shell.suite.run(["dump-log", "--verify", folder]).succeeds();
    shell
        .suite
        .run(["doctor", folder])
        .succeeds()
        .prints(&audited.stdout());
}

#[test]
fn an_unreachable_cluster_points_at_the_doctor() {
    let address = format!("127.0.0.1:{}", dead_port());
    Suite::new()
        .run(["topics", "list", "-b", &address, "--timeout", "1s"])
        .exits(3)
        .complains(&format!(
            "(is the broker up? `kafkit doctor -b {address}` looks closer)"
        ));
}

#[test]
fn a_broker_that_is_not_up_is_named_with_its_replicas() {
    let cluster = Cluster::start_nodes(2, &[]);
    let suite = Suite::new();
    let b = cluster.bootstrap();
    let create = [
        "topics",
        "create",
        "t",
        "-p",
        "3",
        "--replication-factor",
        "2",
        "-q",
        "-b",
        &b,
    ];
    suite.run(create).succeeds();
    cluster.node("stop", 2);
    let found = suite.run(["doctor", "-b", &b, "-o", "tsv"]).stdout();
    assert!(
        found.contains("look\tbroker\t2\tbroker 2 is not up, and has 3 replicas"),
        "{found}"
    );
    assert!(found.contains("3 of 3 partitions UNDER-REPLICATED"), "{found}");
}
