//! Versions, and peers that say nothing, too much, or nonsense.

use std::time::{Duration, Instant};

use kafka_protocol::messages::{ApiKey, ApiVersionsResponse, MetadataRequest};
use kafkit::wire::{Connection, ConnectionOptions, HostPort, WireError};
use proptest::prelude::*;

use super::scripted_broker::{Reply, ScriptedBroker, body, cluster, usual_versions, versions, with_greeting};

fn open(broker: &ScriptedBroker) -> Result<Connection, WireError> {
    let options = ConnectionOptions {
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(5),
        max_response_bytes: 1 << 20,
        ..ConnectionOptions::default()
    };
    Connection::open(&HostPort::new("127.0.0.1", broker.port), &options)
}

#[test]
fn a_broker_older_than_our_api_versions_is_asked_again_in_version_0() {
    let broker = ScriptedBroker::plain(|head, _| match (head.api_key, head.version) {
        // Kafka before 2.4: the error, an empty list.
        (18, 0) => body(
            &versions(&[(ApiKey::Metadata, 0, 5), (ApiKey::ApiVersions, 0, 1)]),
            head,
        ),
        (18, _) => Reply::Body(vec![0, 35, 0, 0, 0, 0].into()),
        _ => body(&cluster(&[9092]), head),
    });
    let mut connection = open(&broker).unwrap();
    assert_eq!(connection.version_of::<MetadataRequest>().unwrap(), 5);
    let answer = connection.send_with(|version| {
        assert_eq!(version, 5);
        MetadataRequest::default()
    });
    assert_eq!(answer.unwrap().brokers.len(), 1);
}

#[test]
fn what_the_version_in_use_cannot_say_is_an_error_and_no_request() {
    let broker = ScriptedBroker::plain(|head, _| match head.api_key {
        18 => body(&versions(&[(ApiKey::Metadata, 0, 3)]), head),
        _ => Reply::HangUp,
    });
    let request = MetadataRequest::default().with_allow_auto_topic_creation(false);
    let refusal = open(&broker).unwrap().send(&request).unwrap_err();
    assert!(matches!(refusal, WireError::Encode(_)), "{refusal}");
    assert!(
        refusal
            .to_string()
            .starts_with("Metadata version 3 cannot say this"),
        "{refusal}"
    );
}

#[test]
fn a_silent_broker_is_waited_for_no_longer_than_allowed() {
    let broker = ScriptedBroker::plain(with_greeting(|_, _| Reply::Silence));
    let mut connection = open(&broker).unwrap();
    connection.set_request_timeout(Duration::from_millis(200));
    let began = Instant::now();
    let refusal = connection.send(&MetadataRequest::default()).unwrap_err();
    assert!(matches!(refusal, WireError::TimedOut(_)), "{refusal}");
    assert_eq!(refusal.to_string(), "no answer in 200 ms");
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_claim_of_a_gigabyte_is_refused_before_it_is_believed() {
    let broker = ScriptedBroker::plain(with_greeting(|_, _| Reply::Raw(vec![0x40, 0, 0, 0])));
    let refusal = open(&broker)
        .unwrap()
        .send(&MetadataRequest::default())
        .unwrap_err();
    assert!(matches!(refusal, WireError::Garbled(_)), "{refusal}");
}

#[test]
fn another_protocol_is_called_by_its_name() {
    for (greeting, name) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"),
        ("SSH-2.0-OpenSSH\r\n", "SSH"),
    ] {
        let broker = ScriptedBroker::plain(move |_, _| Reply::Raw(greeting.as_bytes().to_vec()));
        let refusal = open(&broker).unwrap_err().to_string();
        assert_eq!(
            refusal,
            format!("cannot reach {}: it speaks {name}, not Kafka", broker.address())
        );
    }
}

#[test]
fn an_answer_to_another_request_is_not_taken() {
    let broker = ScriptedBroker::plain(with_greeting(|_, _| Reply::Raw(vec![0, 0, 0, 5, 0, 0, 0, 99, 0])));
    let refusal = open(&broker)
        .unwrap()
        .send(&MetadataRequest::default())
        .unwrap_err();
    assert!(refusal.to_string().contains("it answers request 99"), "{refusal}");
}

#[test]
fn a_broker_that_hangs_up_gives_a_hint() {
    let broker = ScriptedBroker::plain(|_, _| Reply::HangUp);
    let refusal = kafkit::error::Error::from(open(&broker).unwrap_err()).to_string();
    assert!(
        refusal.contains("closed the connection (") && refusal.contains("security.protocol"),
        "{refusal}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_for_an_answer_is_an_error_and_nothing_worse(garbage in prop::collection::vec(any::<u8>(), 0..200), whole: bool) {
        let broker = ScriptedBroker::plain(move |head, _| {
            if head.api_key == ApiKey::ApiVersions as i16 {
                return body(&usual_versions(), head);
            }
            let mut bytes = Vec::new();
            if whole {
                bytes.extend(u32::try_from(garbage.len() + 5).unwrap().to_be_bytes());
                bytes.extend(head.correlation_id.to_be_bytes());
                bytes.push(0);
            }
            bytes.extend(&garbage);
            Reply::Raw(bytes)
        });
        let mut connection = open(&broker).unwrap();
        connection.set_request_timeout(Duration::from_millis(100));
        let _ = connection.send(&MetadataRequest::default());
    }
}

#[test]
fn an_error_in_api_versions_is_no_broker_to_talk_to() {
    let broker =
        ScriptedBroker::plain(|head, _| body(&ApiVersionsResponse::default().with_error_code(42), head));
    assert!(open(&broker).is_err());
}
