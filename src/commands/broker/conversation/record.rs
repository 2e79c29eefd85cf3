//! Responses from the cluster: requests go to its brokers, and each exchange is written to the file.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use kafka_protocol::messages::{ApiKey, ProduceRequest};

use super::exchange::{Base64, Exchange, FORMAT, Heading};
use super::relay::{ClientRequest, Peer, Stage};
use crate::error::{Error, Result};
use crate::wire::decode::decode;
use crate::wire::{Connection, ConnectionOptions, HostPort};

/// The file, and how brokers are reached.
#[derive(Debug)]
pub(super) struct Recorder {
    options: ConnectionOptions,
    notebook: Arc<Notebook>,
}

/// The file that is being written.
#[derive(Debug)]
struct Notebook {
    path: PathBuf,
    out: Mutex<(BufWriter<File>, u64)>,
}

impl Recorder {
    /// Creates a file that only its owner may read: it will hold whatever clients send.
    pub(super) fn new(path: &Path, servers: &[HostPort], options: ConnectionOptions) -> Result<Self> {
        let failed =
            |error: std::io::Error| Error::from(error).context(format!("cannot write {}", path.display()));
        if path.metadata().is_ok_and(|found| found.len() > 0) {
            let what = format!("{} is there already", path.display());
            return Err(Error::failed(what).hint("remove it, or name another file"));
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        let notebook = Notebook {
            path: path.to_owned(),
            out: Mutex::new((BufWriter::new(file), 0)),
        };
        notebook.write(&Heading {
            conversation: FORMAT,
            bootstrap_servers: servers.iter().map(ToString::to_string).collect(),
        })?;
        Ok(Self {
            options,
            notebook: Arc::new(notebook),
        })
    }

    /// A connection to a broker, with the security of the settings.
    pub(super) fn connect(&self, broker: &HostPort) -> Result<Connection> {
        Ok(Connection::open(broker, &self.options)?)
    }

    /// Writes what is buffered; returns the number of exchanges.
    pub(super) fn finish(&self) -> Result<u64> {
        let mut out = self.notebook.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.0.flush()?;
        Ok(out.1.saturating_sub(1))
    }
}

impl Notebook {
    fn write(&self, line: &impl serde::Serialize) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::from(error).context(format!("cannot write {}", self.path.display()))
        };
        let mut bytes = serde_json::to_vec(line).map_err(Error::failed)?;
        bytes.push(b'\n');
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.0.write_all(&bytes).map_err(failed)?;
        out.1 += 1;
        Ok(())
    }
}

impl Stage for Recorder {
    fn connect(&self, broker: &HostPort, connection: u64) -> Result<Box<dyn Peer>> {
        Ok(Box::new(RecordedConnection {
            upstream: Self::connect(self, broker)?,
            broker: broker.to_string(),
            connection,
            notebook: Arc::clone(&self.notebook),
        }))
    }
}

/// The connection to a broker for one client.
struct RecordedConnection {
    upstream: Connection,
    broker: String,
    connection: u64,
    notebook: Arc<Notebook>,
}

impl Peer for RecordedConnection {
    fn answer(&mut self, request: &ClientRequest<'_>) -> Result<Option<Vec<u8>>> {
        let began = Instant::now();
        let answer = self.upstream.pass_on(request.frame, !wants_no_answer(request))?;
        let response = answer.map(|answer| answer.get(size_of::<i32>()..).unwrap_or_default().to_vec());
        self.notebook.write(&Exchange {
            broker: self.broker.clone(),
            connection: self.connection,
            api: format!("{:?}", request.api),
            api_key: request.start.api_key,
            version: request.start.version,
            client_id: request.client_id.clone(),
            took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            request: Base64(without_secrets(request)),
            response: response.clone().map(Base64),
        })?;
        Ok(response)
    }
}

/// Whether a request has no response: Produce with `acks=0`.
fn wants_no_answer(request: &ClientRequest<'_>) -> bool {
    if request.api != ApiKey::Produce {
        return false;
    }
    let mut body = Bytes::copy_from_slice(request.body);
    let produce = decode::<ProduceRequest>(&mut body, request.start.version);
    produce.is_ok_and(|produce| produce.acks == 0)
}

/// The body of a request, with passwords removed.
fn without_secrets(request: &ClientRequest<'_>) -> Vec<u8> {
    match request.api {
        ApiKey::SaslAuthenticate | ApiKey::AlterUserScramCredentials => Vec::new(),
        _ => request.body.to_vec(),
    }
}
