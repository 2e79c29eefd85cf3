//! What is tried again, where, and what is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::describe_groups_response::DescribedGroup;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{
    ApiKey, BrokerId, CreateTopicsRequest, CreateTopicsResponse, DescribeGroupsRequest,
    DescribeGroupsResponse, FindCoordinatorResponse, MetadataRequest,
};
use kafka_protocol::protocol::StrBytes;
use kafkit::client::admin::AdminClient;
use kafkit::client::settings::{Origin, Settings};
use kafkit::error::{Error, Kind};

use super::scripted_broker::{Reply, ScriptedBroker, body, cluster, with_greeting};
use crate::support::suite::Suite;

fn client(servers: &str, api_timeout_ms: &str) -> Result<AdminClient, Error> {
    let mut settings = Settings::default();
    settings.set("bootstrap.servers", servers, Origin::Flag);
    settings.set("default.api.timeout.ms", api_timeout_ms, Origin::Flag);
    AdminClient::connect(&settings)
}

/// The port a broker listens on, told to its script after it began to listen.
#[derive(Clone, Default)]
struct Port(Arc<AtomicUsize>);

impl Port {
    fn set(&self, port: u16) {
        self.0.store(usize::from(port), Ordering::SeqCst);
    }

    fn get(&self) -> u16 {
        u16::try_from(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn nobody_there_is_told_with_tries_time_and_a_hint() {
    let address = nobody();
    let refusal = client(&address, "700").unwrap_err();
    assert_eq!(refusal.kind(), Kind::Unreachable);
    let text = refusal.to_string();
    assert!(
        text.starts_with(&format!("cannot reach {address}: connection refused after ")),
        "{text}"
    );
    assert!(text.ends_with(" ms (is the broker up?)"), "{text}");
}

#[test]
fn a_java_spelling_tells_of_each_try_as_java_does() {
    let suite = Suite::new();
    let config = suite.file("client.properties", "default.api.timeout.ms=700\n");
    let (address, config) = (nobody(), config.display().to_string());
    for tool in ["kafka-topics", "kafka-acls"] {
        let words = [
            tool,
            "--bootstrap-server",
            &address,
            "--command-config",
            &config,
            "--list",
        ];
        let outcome = suite.run(words).exits(1);
        let tries = outcome.stderr().lines().filter(|line| {
            line.contains(" WARN [AdminClient clientId=adminclient-1] Connection to node -1 (")
                && line.ends_with("Node may not be available. (org.apache.kafka.clients.NetworkClient)")
        });
        assert!(tries.count() >= 2, "{tool}: {}", outcome.stderr());
    }
}

#[test]
fn an_unknown_name_is_told_at_once() {
    let began = Instant::now();
    let refusal = client("no.such.host.invalid:9092", "60000").unwrap_err();
    assert_eq!(refusal.kind(), Kind::Unreachable);
    assert!(
        refusal
            .to_string()
            .contains("the name \"no.such.host.invalid\" is unknown"),
        "{refusal}"
    );
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_second_bootstrap_broker_is_asked_when_the_first_is_gone() {
    let broker = ScriptedBroker::plain(with_greeting(|head, _| body(&cluster(&[1]), head)));
    let mut client = client(&format!("127.0.0.1:1,{}", broker.address()), "5000").unwrap();
    assert_eq!(client.cluster_id().unwrap(), Some("scripted"));
}

#[test]
fn a_question_lost_with_its_connection_is_asked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let broker = ScriptedBroker::plain(with_greeting(move |head, _| {
        if head.api_key != ApiKey::Metadata as i16 || counter.fetch_add(1, Ordering::SeqCst) == 0 {
            return Reply::HangUp;
        }
        body(&cluster(&[1]), head)
    }));
    let mut client = client(&broker.address(), "5000").unwrap();
    client.send(MetadataRequest::default()).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    // The one in between asked whether it is a listener with SASL, which would hang up like this.
    assert_eq!(broker.connections.load(Ordering::SeqCst), 3);
}

#[test]
fn a_change_that_may_have_been_made_is_not_sent_twice() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let broker = ScriptedBroker::plain(with_greeting(move |head, _| {
        if head.api_key == ApiKey::CreateTopics as i16 {
            counter.fetch_add(1, Ordering::SeqCst);
            return Reply::HangUp;
        }
        body(&cluster(&[1]), head)
    }));
    let mut client = client(&broker.address(), "5000").unwrap();
    let refusal = client.send(CreateTopicsRequest::default()).unwrap_err();
    assert_eq!(refusal.kind(), Kind::Unreachable);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn the_controller_is_looked_for_again_when_it_has_moved() {
    let port = Port::default();
    let seen = port.clone();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let broker = ScriptedBroker::plain(with_greeting(move |head, _| {
        if head.api_key != ApiKey::CreateTopics as i16 {
            return body(&cluster(&[seen.get()]), head);
        }
        let code = if counter.fetch_add(1, Ordering::SeqCst) == 0 {
            41
        } else {
            0
        };
        let topic = CreatableTopicResult::default().with_error_code(code);
        body(&CreateTopicsResponse::default().with_topics(vec![topic]), head)
    }));
    port.set(broker.port);
    let mut client = client(&broker.address(), "5000").unwrap();
    let answer = client.send_to_controller(CreateTopicsRequest::default()).unwrap();
    assert_eq!(answer.topics[0].error_code, 0);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[test]
fn a_coordinator_that_is_loading_is_waited_for() {
    let port = Port::default();
    let seen = port.clone();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let broker = ScriptedBroker::plain(with_greeting(move |head, _| {
        let turn = counter.fetch_add(1, Ordering::SeqCst);
        if head.api_key == ApiKey::FindCoordinator as i16 {
            let found = Coordinator::default()
                .with_error_code(if turn == 0 { 15 } else { 0 })
                .with_node_id(BrokerId(1))
                .with_host(StrBytes::from_static_str("127.0.0.1"))
                .with_port(i32::from(seen.get()));
            return body(
                &FindCoordinatorResponse::default().with_coordinators(vec![found]),
                head,
            );
        }
        // Turns: looking 0 and 1, asking 2 (still loading), looking 3, asking 4.
        let group = DescribedGroup::default().with_error_code(if turn == 2 { 14 } else { 0 });
        body(&DescribeGroupsResponse::default().with_groups(vec![group]), head)
    }));
    port.set(broker.port);
    let mut client = client(&broker.address(), "5000").unwrap();
    let request = DescribeGroupsRequest::default().with_groups(vec![StrBytes::from_static_str("g").into()]);
    let answer = client.send_to_coordinator("g", request).unwrap();
    assert_eq!(answer.groups[0].error_code, 0);
    assert_eq!(asked.load(Ordering::SeqCst), 5);
}

#[test]
fn a_broker_that_is_not_in_the_cluster_is_not_looked_for_long() {
    let broker = ScriptedBroker::plain(with_greeting(|head, _| body(&cluster(&[1, 2]), head)));
    let mut client = client(&broker.address(), "60000").unwrap();
    let refusal = client.send_to(9, MetadataRequest::default()).unwrap_err();
    assert_eq!(refusal.kind(), Kind::NotFound);
    assert_eq!(
        refusal.to_string(),
        "broker 9 is not up in this cluster (brokers that are up: 1, 2)"
    );
}
