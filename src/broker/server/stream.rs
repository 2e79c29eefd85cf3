//! The bytes of a connection: a TCP socket, or TLS over one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use openssl::ssl::{Ssl, SslAcceptor};
use openssl::x509::X509;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

/// Where a connection's bytes come from and go to.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
}

impl Stream {
    /// The TLS handshake of the server. The error is for the broker's log.
    pub(super) async fn accept(acceptor: &SslAcceptor, stream: TcpStream) -> Result<Self, String> {
        let failed = |cause: openssl::error::ErrorStack| format!("TLS cannot be set up: {}", reasons(&cause));
        let ssl = Ssl::new(acceptor.context()).map_err(failed)?;
        let mut stream = Box::new(SslStream::new(ssl, stream).map_err(failed)?);
        match Pin::new(&mut *stream).accept().await {
            Ok(()) => Ok(Self::Tls(stream)),
            Err(error) => Err(match error.ssl_error() {
                Some(cause) => format!("the TLS handshake failed: {}", reasons(cause)),
                None => "the client left during the TLS handshake".to_owned(),
            }),
        }
    }

    /// The client's certificate, if it sent one that is trusted.
    pub(super) fn certificate(&self) -> Option<X509> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.ssl().peer_certificate(),
        }
    }

    /// Waits until bytes can be read, or for the end of the stream, without a large buffer: the first byte goes into
    /// `scratch`. Only a read shows that there is one: a socket may be reported as readable and not be, and under TLS
    /// bytes may wait inside OpenSSL.
    pub(super) async fn readable(&mut self, scratch: &mut bytes::BytesMut) -> io::Result<()> {
        let mut byte = [0];
        let read = match self {
            Self::Plain(stream) => stream.read(&mut byte).await?,
            Self::Tls(stream) => stream.read(&mut byte).await?,
        };
        scratch.extend_from_slice(byte.get(..read).unwrap_or_default());
        Ok(())
    }
}

fn reasons(stack: &openssl::error::ErrorStack) -> String {
    let reasons = stack.errors().iter().filter_map(openssl::error::Error::reason);
    reasons.collect::<Vec<_>>().join(", ")
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(context),
        }
    }
}
