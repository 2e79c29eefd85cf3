//! Frames onto the socket; ranges of a segment go from the page cache without passing through this process.

use std::io;

use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;

use crate::broker::response::Piece;

/// Sends one frame held in memory.
pub(in crate::broker) async fn frame(stream: &mut TcpStream, frame: &[u8]) -> io::Result<()> {
    stream.write_all(frame).await
}

/// Sends one frame piece by piece.
pub(in crate::broker) async fn pieces(stream: &mut TcpStream, pieces: Vec<Piece>) -> io::Result<()> {
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => stream.write_all(&bytes).await?,
            Piece::Range {
                file,
                position,
                length,
            } => {
                let mut offset = position;
                let end = position + length as u64;
                while offset < end {
                    let count = usize::try_from(end - offset).unwrap_or(usize::MAX);
                    let sent = stream
                        .async_io(Interest::WRITABLE, || {
                            Ok(rustix::fs::sendfile(&*stream, &file, Some(&mut offset), count)?)
                        })
                        .await?;
                    if sent == 0 {
                        // The segment was cut under the reader: the frame's length can no longer be kept.
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
        }
    }
    Ok(())
}
