//! Limits of connections: how many there may be, from one address or in all, and how fast they may come.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use kafka_protocol::messages::AlterClientQuotasRequest;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::protocol::StrBytes;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

/// ApiVersions v0, which every connection begins with.
const API_VERSIONS: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 255, 255];
/// Longer than any answer takes that comes.
const LONG: Duration = Duration::from_secs(60);
/// How long an answer that must not come is waited for.
const SHORT: Duration = Duration::from_millis(500);

fn connect(cluster: &Cluster) -> TcpStream {
    let stream = TcpStream::connect(cluster.bootstrap()).unwrap();
    stream.set_write_timeout(Some(LONG)).unwrap();
    stream
}

/// Whether a connection is answered within a time; false where it is closed or silent.
fn is_answered(stream: &mut TcpStream, within: Duration) -> bool {
    stream.set_read_timeout(Some(within)).unwrap();
    let mut length = [0; 4];
    if stream.write_all(&API_VERSIONS).is_err() || stream.read_exact(&mut length).is_err() {
        return false;
    }
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).is_ok()
}

/// Whether the broker closes a connection.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(LONG)).unwrap();
    let started = Instant::now();
    let closed = matches!(stream.read(&mut [0]), Ok(0) | Err(_));
    closed && started.elapsed() < LONG
}

fn set_broker_config(cluster: &Cluster, setting: &str) {
    let bootstrap = cluster.bootstrap();
    let words = [
        "configs", "set", "broker", "default", setting, "--yes", "-b", &bootstrap,
    ];
    Suite::new().run_with_input(words, "").succeeds();
}

#[test]
fn an_address_has_no_more_connections_than_it_may() {
    let cluster = Cluster::start_with(&["max.connections.per.ip.overrides=127.0.0.1:2"]);
    let mut first = connect(&cluster);
    let mut second = connect(&cluster);
    assert!(is_answered(&mut first, LONG) && is_answered(&mut second, LONG));
    assert!(is_closed(&mut connect(&cluster)));
    assert!(is_answered(&mut first, LONG));
    drop(second);
    wait_until("there is room again", || {
        is_answered(&mut connect(&cluster), LONG)
    });
}

#[test]
fn each_node_counts_its_own_connections() {
    let cluster = Cluster::start_nodes(2, &["max.connections.per.ip=1"]);
    let bootstrap = cluster.bootstrap();
    let mut held = Vec::new();
    for address in bootstrap.split(',') {
        let mut stream = TcpStream::connect(address).unwrap();
        assert!(is_answered(&mut stream, LONG), "{address}");
        held.push(stream);
    }
    for address in bootstrap.split(',') {
        assert!(is_closed(&mut TcpStream::connect(address).unwrap()), "{address}");
    }
}

#[test]
fn a_limit_for_every_address_may_change_while_the_broker_runs() {
    let cluster = Cluster::start();
    let mut first = connect(&cluster);
    assert!(is_answered(&mut first, LONG));
    set_broker_config(&cluster, "max.connections.per.ip=1");
    wait_until("the limit holds", || is_closed(&mut connect(&cluster)));
    assert!(is_answered(&mut first, LONG));
}

#[test]
fn a_connection_beyond_the_limit_of_the_broker_waits_until_another_ends() {
    let cluster = Cluster::start_with(&["max.connections=2"]);
    let mut first = connect(&cluster);
    let mut second = connect(&cluster);
    assert!(is_answered(&mut first, LONG) && is_answered(&mut second, LONG));
    let mut third = connect(&cluster);
    assert!(!is_answered(&mut third, SHORT));
    assert!(is_answered(&mut first, LONG));
    drop(second);
    // The first question is answered now.
    third.set_read_timeout(Some(LONG)).unwrap();
    third.read_exact(&mut [0; 4]).unwrap();
}

#[test]
fn a_listener_has_limits_of_its_own() {
    let cluster = Cluster::start_with(&["listener.name.plaintext.max.connections=1"]);
    let mut first = connect(&cluster);
    assert!(is_answered(&mut first, LONG));
    let mut second = connect(&cluster);
    assert!(!is_answered(&mut second, SHORT));
    drop(first);
    second.set_read_timeout(Some(LONG)).unwrap();
    second.read_exact(&mut [0; 4]).unwrap();
}

/// Eleven samples of a second: at one connection a second there are ten at once, one of which sets the quota.
#[test]
fn an_address_that_connects_too_fast_is_sent_away() {
    let cluster = Cluster::start();
    let entity = EntityData::default()
        .with_entity_type(StrBytes::from_static_str("ip"))
        .with_entity_name(Some(StrBytes::from_static_str("127.0.0.1")));
    let op = OpData::default()
        .with_key(StrBytes::from_static_str("connection_creation_rate"))
        .with_value(1.0);
    let entry = EntryData::default().with_entity(vec![entity]).with_ops(vec![op]);
    let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
    let address = HostPort::parse(&cluster.bootstrap()).unwrap();
    let mut admin = Connection::open(&address, &ConnectionOptions::default()).unwrap();
    assert_eq!(admin.send(&request).unwrap().entries[0].error_code, 0);
    let mut open: Vec<TcpStream> = (0..60).map(|_| connect(&cluster)).collect();
    let served = open
        .iter_mut()
        .filter_map(|stream| is_answered(stream, LONG).then_some(()));
    let served = served.count();
    assert!((1..60).contains(&served), "{served}");
    // A client that waits is served again.
    wait_until("the address may connect", || {
        is_answered(&mut connect(&cluster), LONG)
    });
}

#[test]
fn a_broker_that_is_visited_too_fast_makes_clients_wait() {
    let cluster = Cluster::start_with(&["max.connection.creation.rate=2"]);
    // Twenty at once are two a second over ten seconds; those beyond wait, each a second at most.
    let before = Instant::now();
    let mut open: Vec<TcpStream> = (0..23).map(|_| connect(&cluster)).collect();
    for stream in &mut open {
        assert!(is_answered(stream, LONG));
    }
    let waited = before.elapsed();
    assert!(waited > Duration::from_millis(500), "{waited:?}");
}
