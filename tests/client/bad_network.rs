//! Connections that are cut in the middle of a frame, or fall silent: no record is lost, doubled or out of order.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::sync::atomic::Ordering;

use crate::support::cluster::Cluster;
use crate::support::cutting_proxy::CuttingProxy;
use crate::support::suite::Suite;

const LINES: usize = 30_000;
/// A silent connection is given up soon, and records are not.
const PATIENCE: [&str; 4] = [
    "-X",
    "request.timeout.ms=1000",
    "-X",
    "delivery.timeout.ms=100000",
];

/// A broker whose clients are led through the proxy.
fn behind(proxy: &CuttingProxy) -> Cluster {
    let advertised = format!("advertised.listeners=PLAINTEXT://{}", proxy.address());
    let cluster = Cluster::start_with(&[&advertised]);
    proxy.lead_to(cluster.bootstrap());
    cluster
}

fn lines() -> String {
    let mut lines = String::new();
    for number in 0..LINES {
        let _ = writeln!(lines, "k{} {number} {}", number % 50, "x".repeat(90));
    }
    lines
}

/// Numbers of the lines by partition, as they are in the log.
fn stored(suite: &Suite, address: &str) -> BTreeMap<String, Vec<usize>> {
    let words = ["consume", "t", "-e", "-q", "-b", address, "-f", "%p %s\n"];
    let shown = suite.run(words).succeeds().stdout();
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for line in shown.lines() {
        let mut fields = line.split(' ');
        let partition = fields.next().unwrap().to_owned();
        found
            .entry(partition)
            .or_default()
            .push(fields.next().unwrap().parse().unwrap());
    }
    found
}

#[test]
fn every_line_arrives_once_and_in_order_over_connections_that_are_cut() {
    let proxy = CuttingProxy::start();
    let cluster = behind(&proxy);
    let suite = Suite::new();
    let seed = format!("KAFKIT_SEED={}", proxy.seed);
    let direct = cluster.bootstrap();
    proxy.calm_down();
    let create = ["topics", "create", "t", "--partitions", "3", "-b", &direct];
    suite.run(create).succeeds();
    proxy.stir_up();
    let address = proxy.address();
    let small = ["-X", "batch.size=20000"];
    let words = [
        &["produce", "t", "-K", " ", "-b", &address],
        &PATIENCE[..],
        &small[..],
    ]
    .concat();
    let outcome = suite.run_with_input(words, lines());
    assert_eq!(outcome.code, Some(0), "{seed} {outcome:?}");
    let disturbed = proxy.disturbed.load(Ordering::SeqCst);
    assert!(disturbed > 3, "{seed}: {disturbed} disturbed");
    proxy.calm_down();
    let found = stored(&suite, &direct);
    for (partition, numbers) in &found {
        assert!(
            numbers.is_sorted(),
            "{seed}: partition {partition} is out of order"
        );
    }
    let mut all: Vec<usize> = found.into_values().flatten().collect();
    all.sort_unstable();
    assert!(
        all == (0..LINES).collect::<Vec<_>>(),
        "{seed}: {} lines",
        all.len()
    );
}

#[test]
fn every_record_is_read_once_and_in_order_over_connections_that_are_cut() {
    let proxy = CuttingProxy::start();
    let cluster = behind(&proxy);
    let suite = Suite::new();
    let seed = format!("KAFKIT_SEED={}", proxy.seed);
    proxy.calm_down();
    // One batch must get through.
    let direct = cluster.bootstrap();
    let produce = ["produce", "t", "-q", "-b", &direct, "-X", "batch.size=20000"];
    suite.run_with_input(produce, lines()).succeeds();
    proxy.stir_up();
    let address = proxy.address();
    let small = ["-X", "max.partition.fetch.bytes=100000"];
    let words = [
        &["consume", "t", "-e", "-q", "--timeout", "60s", "-b", &address],
        &PATIENCE[..2],
        &small[..],
    ]
    .concat();
    let outcome = suite.run(words);
    assert_eq!(outcome.code, Some(0), "{seed} {}", outcome.stderr);
    let disturbed = proxy.disturbed.load(Ordering::SeqCst);
    assert!(disturbed > 3, "{seed}: {disturbed} disturbed");
    assert!(outcome.stdout() == lines(), "{seed}");
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_where_another_answers() {
    let silent = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let cluster = Cluster::start();
    let direct = cluster.bootstrap();
    let suite = Suite::new();
    suite.run(["topics", "create", "t", "-b", &direct]).succeeds();
    let addresses = silent
        .iter()
        .map(|listener| listener.local_addr().unwrap().to_string());
    let servers: Vec<String> = addresses.chain([direct]).collect();
    let servers = servers.join(",");
    // One of them alone would take longer than the whole command may.
    let words = [
        "-q",
        "-b",
        &servers,
        "--timeout",
        "60s",
        "-X",
        "socket.connection.setup.timeout.ms=600000",
        "-X",
        "socket.connection.setup.timeout.max.ms=600000",
    ];
    for number in 1..=3 {
        let produce = [&["produce", "t"], &words[..]].concat();
        suite.run_with_input(produce, format!("{number}\n")).succeeds();
    }
    let consume = [&["consume", "t", "-e"], &words[..]].concat();
    assert_eq!(suite.run(consume).succeeds().stdout(), "1\n2\n3\n");
}
