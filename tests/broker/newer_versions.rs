//! Versions that the crate with the messages has not: bytes as Apache Kafka 4.3.1 answered them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

/// Sends a request of a flexible version, and returns the body of the answer.
fn ask(stream: &mut TcpStream, key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    request.extend(key.to_be_bytes());
    request.extend(version.to_be_bytes());
    // Correlation id 7, client id "x", no tags.
    request.extend([0, 0, 0, 7, 0, 1, b'x', 0]);
    request.extend(body);
    stream
        .write_all(&u32::try_from(request.len()).unwrap().to_be_bytes())
        .unwrap();
    stream.write_all(&request).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
    answer.split_off(5)
}

/// A ListOffsets request for partition 0 of `t`, and the body of the answer.
fn list_offsets(stream: &mut TcpStream, version: i16, timestamp: i64) -> Vec<u8> {
    let mut request = Vec::new();
    request.extend(2_i16.to_be_bytes());
    request.extend(version.to_be_bytes());
    // Correlation id 7, client id "x", no tags; replica -1, uncommitted, one topic with one partition.
    request.extend([0, 0, 0, 7, 0, 1, b'x', 0, 255, 255, 255, 255, 0, 2, 2, b't', 2]);
    request.extend([0, 0, 0, 0, 255, 255, 255, 255]);
    request.extend(timestamp.to_be_bytes());
    request.extend([0, 0, 0, 0, 0x13, 0x88, 0]);
    stream
        .write_all(&u32::try_from(request.len()).unwrap().to_be_bytes())
        .unwrap();
    stream.write_all(&request).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
    answer.split_off(5)
}

#[test]
fn list_offsets_11_has_one_more_special_time() {
    let cluster = Cluster::start();
    let create = ["topics", "create", "t", "-q", "-b", &cluster.bootstrap()];
    Suite::new().run(create).succeeds();
    let mut stream = TcpStream::connect(cluster.bootstrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut ask = |version, timestamp| {
        let answer = list_offsets(&mut stream, version, timestamp);
        let error = i16::from_be_bytes(answer[12..14].try_into().unwrap());
        let offset = i64::from_be_bytes(answer[22..30].try_into().unwrap());
        (error, offset)
    };
    assert_eq!(
        [ask(10, -6), ask(11, -6), ask(11, -7)],
        [(35, -1), (0, -1), (35, -1)]
    );
    assert_eq!([ask(11, -1), ask(11, -2), ask(11, -5)], [(0, 0), (0, 0), (0, -1)]);
}

/// What Apache Kafka 4.3.1 answers: a topic by its id, and an id that no topic has (100).
#[test]
fn commits_10_name_topics_by_their_ids() {
    let cluster = Cluster::start();
    let bootstrap = cluster.bootstrap();
    let create = ["topics", "create", "t", "-q", "-b", &bootstrap];
    Suite::new().run(create).succeeds();
    let described = Suite::new().run(["describe", "topic", "t", "-o", "json", "-b", &bootstrap]);
    let topics: serde_json::Value = serde_json::from_str(&described.succeeds().stdout()).unwrap();
    let id = topics[0]["id"].as_str().unwrap();
    let id = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, id).unwrap();
    let unknown = [9; 16];
    let mut stream = TcpStream::connect(bootstrap).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // Group g, epoch -1, no member; partition 0 of both topics at offset 5, no leader epoch, no metadata.
    let mut commit = vec![2, b'g', 255, 255, 255, 255, 1, 0, 3];
    for id in [id.as_slice(), &unknown] {
        commit.extend(id);
        commit.extend([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 255, 255, 255, 255, 1, 0, 0]);
    }
    commit.push(0);
    let answer = ask(&mut stream, 8, 10, &commit);
    // Throttle time, two topics: the unknown one first, as in Apache Kafka.
    let expected = |id: &[u8], code: u8| [id, &[2, 0, 0, 0, 0, 0, code, 0, 0]].concat();
    let both = [
        vec![0, 0, 0, 0, 3],
        expected(&unknown, 100),
        expected(&id, 0),
        vec![0],
    ]
    .concat();
    assert_eq!(answer, both);
    // The same partitions of group g, without a member.
    let mut fetch = vec![2, 2, b'g', 0, 255, 255, 255, 255, 3];
    for id in [unknown.as_slice(), &id] {
        fetch.extend(id);
        fetch.extend([2, 0, 0, 0, 0, 0]);
    }
    fetch.extend([0, 0, 0]);
    let answer = ask(&mut stream, 9, 10, &fetch);
    let committed = |id: &[u8], offset: i64, code: u8| {
        let epoch_and_text = [255, 255, 255, 255, 1, 0, code, 0, 0];
        [id, &[2, 0, 0, 0, 0], &offset.to_be_bytes(), &epoch_and_text].concat()
    };
    let topics = [committed(&id, 5, 0), committed(&unknown, -1, 100)].concat();
    let group = [&[0, 0, 0, 0, 2, 2, b'g', 3], topics.as_slice(), &[0, 0, 0, 0]].concat();
    assert_eq!(answer, group);
}

/// A marker for a partition that does not exist is refused for that partition (3), in either version.
#[test]
fn markers_2_say_in_which_version_the_transaction_is() {
    let cluster = Cluster::start();
    let create = ["topics", "create", "t", "-q", "-b", &cluster.bootstrap()];
    Suite::new().run(create).succeeds();
    let mut stream = TcpStream::connect(cluster.bootstrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // One marker of producer 99 in epoch 0, committed; topic t, partition 7; coordinator epoch 0.
    let mut marker = vec![
        2, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 1, 2, 2, b't', 2, 0, 0, 0, 7, 0, 0, 0, 0, 0,
    ];
    let older = [marker.as_slice(), &[0, 0]].concat();
    marker.extend([2, 0, 0]);
    let expected = [
        2, 0, 0, 0, 0, 0, 0, 0, 99, 2, 2, b't', 2, 0, 0, 0, 7, 0, 3, 0, 0, 0, 0,
    ];
    assert_eq!(ask(&mut stream, 27, 1, &older), expected);
    assert_eq!(ask(&mut stream, 27, 2, &marker), expected);
}

/// What Apache Kafka 4.3.1 answers while `kraft.version` is 0. The newer field is cut out before its listener is read.
#[test]
fn the_quorum_of_controllers_stays_as_it_is() {
    let cluster = Cluster::start();
    let mut stream = TcpStream::connect(cluster.bootstrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut ask = |key, version, body: &[u8]| {
        let answer = ask(&mut stream, key, version, body);
        // Throttle time, error, message, no tagged fields.
        let words = answer[7..answer.len() - 1].to_vec();
        (
            i16::from_be_bytes([answer[4], answer[5]]),
            String::from_utf8(words).unwrap(),
        )
    };
    let voter = |cluster_id: &[u8], directory: u8| {
        // Cluster id, time-out 1, voter 2, its directory.
        [cluster_id, &[0, 0, 0, 1, 0, 0, 0, 2], &[directory; 16]].concat()
    };
    let listener = [&[2, 11], b"CONTROLLER".as_slice(), &[2, b'h', 0, 9, 0]].concat();
    let fixed = "Cluster doesn't support adding voter because the kraft.version feature is 0".to_owned();
    let whole = [voter(&[0], 5), listener.clone(), vec![0]].concat();
    assert_eq!(ask(80, 0, &whole), (35, fixed.clone()));
    let whole = [voter(&[0], 5), listener.clone(), vec![1, 0]].concat();
    assert_eq!(ask(80, 1, &whole), (35, fixed));
    let (error, words) = ask(80, 0, &[voter(&[2, b'x'], 5), listener.clone(), vec![0]].concat());
    assert_eq!(error, 104);
    assert!(
        words.starts_with("The given id \"x\" doesn't match the cluster id"),
        "{words}"
    );
    let nobody = [voter(&[0], 0), listener, vec![0]].concat();
    let invalid = "Add voter request didn't include a valid voter".to_owned();
    assert_eq!(ask(80, 0, &nobody), (42, invalid));
    let nowhere = "Add voter request didn't include the endpoint (Endpoints(endpoints={})) for the default listener \
                   ListenerName(CONTROLLER)";
    let without = [voter(&[0], 5), vec![1, 0]].concat();
    assert_eq!(ask(80, 0, &without), (42, nowhere.to_owned()));
    // Cluster id, voter 1, its directory.
    let removed = [&[0, 0, 0, 0, 1], [5; 16].as_slice(), &[0]].concat();
    let fixed = "Cluster doesn't support removing voter because the kraft.version feature is 0";
    assert_eq!(ask(81, 0, &removed), (35, fixed.to_owned()));
}
