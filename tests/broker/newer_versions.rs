//! Versions that the crate with the messages has not: bytes as Apache Kafka 4.3.1 answered them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

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
