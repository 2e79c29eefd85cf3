//! The way to a cluster that is often not there: each request is asked of one node after the other, until one answers.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::protocol::Request;
use kafkit::wire::{Connection, ConnectionOptions, HostPort};

use super::Shared;
use crate::support::suite::Suite;

/// Longer than any storm, on however busy a machine.
const ATTEMPTS: usize = 6000;
const PAUSE: Duration = Duration::from_millis(20);

/// Where the nodes listen.
#[derive(Clone, Debug)]
pub(super) struct Addresses(Vec<HostPort>);

impl Addresses {
    pub(super) fn new(port: u16, nodes: u16) -> Self {
        Self(
            (port..port + nodes)
                .map(|port| HostPort::new("127.0.0.1", port))
                .collect(),
        )
    }

    pub(super) fn bootstrap(&self) -> String {
        let addresses: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        addresses.join(",")
    }
}

/// A client's connection to whichever node answers it.
#[derive(Debug)]
pub(super) struct Link {
    addresses: Addresses,
    at: usize,
    connection: Option<Connection>,
}

impl Link {
    pub(super) fn new(shared: &Shared) -> Self {
        Self {
            addresses: shared.addresses.clone(),
            at: 0,
            connection: None,
        }
    }

    /// Asks until `read` finds in an answer what is no error that passes: an answer, or an error for good.
    pub(super) fn ask<R: Request, T>(
        &mut self,
        request: &R,
        version: i16,
        read: impl Fn(R::Response) -> Result<T, ResponseError>,
    ) -> Result<T, ResponseError> {
        let mut last = ResponseError::UnknownServerError;
        for _ in 0..ATTEMPTS {
            let answered = self
                .connect()
                .and_then(|connection| connection.send_as(request, version).ok());
            match answered.map(&read) {
                Some(Err(error)) if passes(error) => last = error,
                Some(outcome) => return outcome,
                None => {}
            }
            self.connection = None;
            self.at += 1;
            std::thread::sleep(PAUSE);
        }
        panic!("no node answers in the end; the last said {last}");
    }

    fn connect(&mut self) -> Option<&mut Connection> {
        if self.connection.is_none() {
            let address = &self.addresses.0[self.at % self.addresses.0.len()];
            let options = ConnectionOptions {
                connect_timeout: Duration::from_secs(2),
                request_timeout: Duration::from_secs(20),
                ..ConnectionOptions::default()
            };
            self.connection = Connection::open(address, &options).ok();
        }
        self.connection.as_mut()
    }
}

/// Whether the same request may do better later, or elsewhere.
fn passes(error: ResponseError) -> bool {
    use ResponseError as E;
    !matches!(
        error,
        E::OutOfOrderSequenceNumber
            | E::InvalidProducerEpoch
            | E::ProducerFenced
            | E::InvalidTxnState
            | E::InvalidProducerIdMapping
            | E::UnknownProducerId
            | E::CorruptMessage
    )
}

/// Fails with the error that a code stands for.
pub(super) fn check(code: i16) -> Result<(), ResponseError> {
    match code {
        0 => Ok(()),
        code => Err(ResponseError::try_from_code(code).unwrap_or(ResponseError::UnknownServerError)),
    }
}

/// Every committed record of a topic once the storms are over, by partition: offset and value.
pub(super) fn read(suite: &Suite, shared: &Shared, topic: &str) -> BTreeMap<i32, Vec<(i64, String)>> {
    let bootstrap = shared.addresses.bootstrap();
    let words = [
        "consume",
        topic,
        "-e",
        "-q",
        "-b",
        &bootstrap,
        "-X",
        "isolation.level=read_committed",
    ];
    let words = words.into_iter().chain(["-f", "%p %o %s\\n"]);
    let mut found: BTreeMap<i32, Vec<(i64, String)>> = BTreeMap::new();
    for line in suite.run(words).succeeds().stdout().lines() {
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().expect("three words");
        let (partition, offset) = (
            part().parse().expect("a partition"),
            part().parse().expect("an offset"),
        );
        found
            .entry(partition)
            .or_default()
            .push((offset, part().to_owned()));
    }
    found
}
