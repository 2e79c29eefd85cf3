//! Writes frames to the socket; ranges of a segment go there from the page cache without passing through this
//! process.

use std::io;

use std::fs::File;
use std::os::unix::fs::FileExt;

use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;

use super::stream::Stream;
use crate::broker::response::Piece;

/// Bytes of a segment that are read at a time where they have to be encrypted.
const CHUNK: usize = 64 * 1024;

/// Sends one frame held in memory.
pub(super) async fn frame(stream: &mut Stream, frame: &[u8]) -> io::Result<()> {
    stream.write_all(frame).await?;
    stream.flush().await
}

/// Sends one frame piece by piece.
pub(super) async fn pieces(stream: &mut Stream, pieces: Vec<Piece>) -> io::Result<()> {
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => stream.write_all(&bytes).await?,
            Piece::Range {
                file,
                position,
                length,
            } => {
                let end = position + length as u64;
                match stream {
                    Stream::Plain(stream) => send_range(stream, &file, position, end).await?,
                    Stream::Tls(_) => write_range(stream, &file, position, end).await?,
                }
            }
        }
    }
    stream.flush().await
}

async fn send_range(stream: &TcpStream, file: &File, position: u64, end: u64) -> io::Result<()> {
    let mut offset = position;
    while offset < end {
        let count = usize::try_from(end - offset).unwrap_or(usize::MAX);
        let sent = stream
            .async_io(Interest::WRITABLE, || {
                Ok(rustix::fs::sendfile(stream, file, Some(&mut offset), count)?)
            })
            .await?;
        if sent == 0 {
            // The segment was truncated meanwhile: the length that was announced can no longer be kept.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Sends a range through this process, which has to encrypt it.
async fn write_range(stream: &mut Stream, file: &File, position: u64, end: u64) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut offset = position;
    while offset < end {
        let count = usize::try_from(end - offset).unwrap_or(usize::MAX).min(CHUNK);
        let bytes = chunk.get_mut(..count).unwrap_or_default();
        file.read_exact_at(bytes, offset)?;
        stream.write_all(bytes).await?;
        offset += count as u64;
    }
    Ok(())
}
