//! Listeners that come and go while the broker runs, as `listeners` among its dynamic configs says.

use std::net::{TcpListener, TcpStream};

use kafka_protocol::messages::MetadataRequest;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;
use crate::support::wait::wait_until;

/// An address of this machine at which nobody listens.
fn free_address() -> String {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().to_string()
}

/// Where the brokers are, as the one at this address tells; `None` if there is none.
fn brokers(address: &str) -> Option<Vec<String>> {
    let options = ConnectionOptions::default();
    let mut connection = Connection::open(&HostPort::parse(address).unwrap(), &options).ok()?;
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    let answer = connection.send(&request).ok()?;
    let told = answer.brokers.iter();
    Some(
        told.map(|broker| format!("{}:{}", broker.host.as_str(), broker.port))
            .collect(),
    )
}

fn configs(cluster: &Cluster, verb: &str, words: &[&str]) {
    let bootstrap = cluster.bootstrap();
    let mut line = vec!["configs", verb, "broker", "1"];
    line.extend(words);
    line.extend(["--yes", "-b", &bootstrap]);
    Suite::new().run_with_input(line, "").succeeds();
}

#[test]
fn a_listener_comes_and_goes_while_the_broker_runs() {
    let mut cluster = Cluster::start();
    let web = free_address();
    let listeners = format!("listeners=PLAINTEXT://{},WEB://{web}", cluster.bootstrap());
    let protocols = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,WEB:PLAINTEXT";
    configs(&cluster, "set", &[&listeners, protocols]);
    let told = || brokers(&web);
    wait_until("the new listener serves, and is advertised", || {
        told() == Some(vec![web.clone()])
    });
    assert_eq!(brokers(&cluster.bootstrap()), Some(vec![cluster.bootstrap()]));
    cluster.restart();
    wait_until("it is there again after a restart", || {
        told() == Some(vec![web.clone()])
    });
    configs(
        &cluster,
        "unset",
        &["listeners", "listener.security.protocol.map"],
    );
    wait_until("nobody listens there any more", || {
        TcpStream::connect(&web).is_err()
    });
    assert_eq!(brokers(&cluster.bootstrap()), Some(vec![cluster.bootstrap()]));
}

#[test]
fn a_listener_that_is_not_advertised_names_no_broker() {
    let own = free_address();
    let advertised = format!("advertised.listeners=PLAINTEXT://{own}");
    let cluster = Cluster::start_listening(&[&own], &[&advertised]);
    let web = free_address();
    let listeners = format!("listeners=PLAINTEXT://{own},WEB://{web}");
    let protocols = "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,WEB:PLAINTEXT";
    configs(&cluster, "set", &[&listeners, protocols]);
    wait_until("the new listener serves", || brokers(&web) == Some(Vec::new()));
}
