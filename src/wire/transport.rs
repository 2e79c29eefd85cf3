//! The stream under a connection: a socket as it is, or TLS over one.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use openssl::ssl::SslStream;

use super::error::WireError;
use super::tls::Tls;

/// A plain or encrypted stream.
#[derive(Debug)]
pub(super) enum Transport {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
}

impl Transport {
    /// Puts TLS over `socket` where asked for; `limit` is for each step of the handshake.
    pub(super) fn over(
        socket: TcpStream,
        host: &str,
        tls: Option<&Tls>,
        limit: Duration,
    ) -> Result<Self, WireError> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(limit))?;
        socket.set_write_timeout(Some(limit))?;
        match tls {
            None => Ok(Self::Plain(socket)),
            Some(tls) => Ok(Self::Tls(Box::new(tls.connect(host, socket)?))),
        }
    }

    /// The socket underneath, for its time limits.
    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref(),
        }
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write_vectored(slices),
            // One TLS record for each slice: callers join small slices.
            Self::Tls(stream) => match slices.iter().find(|slice| !slice.is_empty()) {
                Some(slice) => stream.write(slice),
                None => Ok(0),
            },
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
