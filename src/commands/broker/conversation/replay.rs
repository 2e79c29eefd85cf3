//! Responses from the file: each request gets the response that was recorded for one like it.
//!
//! First a response to the very same bytes that was not used yet, then one to the same API and version, in the order in
//! which they were recorded; when all are used, the last one is repeated.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::exchange::{Exchange, FORMAT, Heading};
use super::relay::{ClientRequest, Peer, Stage};
use crate::error::{Error, Result};
use crate::plain_words;
use crate::wire::HostPort;

/// A response is delayed for as long as it took, up to this limit.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The recorded exchanges, and which of them were used.
#[derive(Debug)]
pub(super) struct Script {
    servers: Vec<HostPort>,
    lines: Arc<Mutex<Lines>>,
}

/// A broker, and the API and version of a request.
type Key = (String, i16, i16);

#[derive(Debug, Default)]
struct Lines(HashMap<Key, Vec<(Exchange, bool)>>);

impl Script {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let name = || path.display().to_string();
        let file = File::open(path).map_err(|error| Error::from(error).context(name()))?;
        let mut texts = BufReader::new(file).lines().enumerate();
        let bad = |line: usize, why: String| Error::bad_data(format!("{}:{}: {why}", name(), line + 1));
        let (_, first) = texts.next().ok_or_else(|| bad(0, "it is empty".to_owned()))?;
        let heading: Heading = serde_json::from_str(&first?).map_err(|_| {
            bad(
                0,
                "it is no conversation that `kafkit broker record` wrote".to_owned(),
            )
        })?;
        if heading.conversation != FORMAT {
            return Err(bad(0, "another version of kafkit wrote it".to_owned()));
        }
        let servers =
            HostPort::parse_list(&heading.bootstrap_servers.join(",")).map_err(|error| bad(0, error))?;
        let mut lines = Lines::default();
        for (number, text) in texts {
            let exchange =
                serde_json::from_str(&text?).map_err(|error| bad(number, plain_words::of_json(&error)))?;
            lines.add(exchange);
        }
        Ok(Self {
            servers,
            lines: Arc::new(Mutex::new(lines)),
        })
    }

    /// The recorded bootstrap servers.
    pub(super) fn servers(&self) -> &[HostPort] {
        &self.servers
    }
}

impl Lines {
    fn add(&mut self, exchange: Exchange) {
        let key = (exchange.broker.clone(), exchange.api_key, exchange.version);
        self.0.entry(key).or_default().push((exchange, false));
    }

    /// The exchange for a request, which is marked as used.
    fn take(&mut self, key: &Key, body: &[u8]) -> Option<Exchange> {
        let lines = self.0.get_mut(key)?;
        let is_same = |(line, _): &(Exchange, bool)| line.request.0 == body;
        let is_new = |(_, was_said): &(Exchange, bool)| !was_said;
        let place = lines
            .iter()
            .position(|line| is_new(line) && is_same(line))
            .or_else(|| lines.iter().position(is_new))
            .or_else(|| lines.iter().rposition(is_same))
            .or_else(|| lines.len().checked_sub(1))?;
        let (line, was_said) = lines.get_mut(place)?;
        *was_said = true;
        Some(line.clone())
    }
}

impl Stage for Script {
    fn connect(&self, broker: &HostPort, _: u64) -> Result<Box<dyn Peer>> {
        Ok(Box::new(ReplayedConnection {
            broker: broker.to_string(),
            lines: Arc::clone(&self.lines),
        }))
    }
}

struct ReplayedConnection {
    broker: String,
    lines: Arc<Mutex<Lines>>,
}

impl Peer for ReplayedConnection {
    /// A request of an API that was not recorded ends the connection.
    fn answer(&mut self, request: &ClientRequest<'_>) -> Result<Option<Vec<u8>>> {
        let key = (self.broker.clone(), request.start.api_key, request.start.version);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.take(&key, request.body);
        drop(lines);
        let line = line.ok_or_else(|| {
            crate::output::stderr_line(format_args!(
                "kafkit: nobody asked {} for {:?} v{} then; the connection is closed",
                self.broker, request.api, request.start.version
            ));
            Error::not_found("no such request was recorded")
        })?;
        thread::sleep(Duration::from_millis(line.took_ms).min(LONGEST_WAIT));
        Ok(line.response.map(|response| response.0))
    }
}

#[cfg(test)]
mod tests {
    use super::super::exchange::Base64;
    use super::*;

    fn line(request: &[u8], response: u8) -> Exchange {
        Exchange {
            broker: "b:1".to_owned(),
            connection: 0,
            api: "Fetch".to_owned(),
            api_key: 1,
            version: 12,
            client_id: String::new(),
            took_ms: 0,
            request: Base64(request.to_vec()),
            response: Some(Base64(vec![response])),
        }
    }

    #[test]
    fn the_same_request_gets_the_same_answer_and_others_their_turn() {
        let mut lines = Lines::default();
        for (request, response) in [(b"a", 1), (b"b", 2), (b"a", 3)] {
            lines.add(line(request, response));
        }
        let key = ("b:1".to_owned(), 1, 12);
        let mut ask = |request: &[u8]| lines.take(&key, request).unwrap().response.unwrap().0[0];
        assert_eq!(ask(b"b"), 2);
        assert_eq!(ask(b"a"), 1);
        assert_eq!(ask(b"other"), 3, "what is left");
        assert_eq!(ask(b"b"), 2, "again");
        assert_eq!(ask(b"other"), 3, "the last one again");
        assert!(lines.take(&("b:1".to_owned(), 1, 13), b"a").is_none());
    }
}
