//! What may be asked of a running host from outside: a line of words in, a line of JSON out, then the connection ends.
//!
//! The socket and who may connect to it are the command's; owns the words.

use std::os::unix::net::UnixListener;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use super::{Host, NodeStatus};
use crate::error::{Error, Result};

/// A longer line says nothing that is known here, in bytes.
const LONGEST_LINE: u64 = 4096;

/// Answers until the host ends.
pub(in crate::broker) async fn listen(host: Arc<Host>, socket: UnixListener) -> Result<()> {
    socket.set_nonblocking(true)?;
    let socket = tokio::net::UnixListener::from_std(socket)?;
    loop {
        // An error is one of the client's, or too many open files: the next may do better.
        let Ok((stream, _)) = socket.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let host = Arc::clone(&host);
        tokio::spawn(async move {
            let _ = serve(&host, stream).await;
        });
    }
}

async fn serve(host: &Arc<Host>, stream: UnixStream) -> std::io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut line = String::new();
    BufReader::new(input)
        .take(LONGEST_LINE)
        .read_line(&mut line)
        .await?;
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let answer = match obey(host, &words).await {
        Ok(()) => nodes(&host.list()),
        Err(error) => json!({ "error": error.message() }),
    };
    output.write_all(format!("{answer}\n").as_bytes()).await
}

async fn obey(host: &Arc<Host>, words: &[&str]) -> Result<()> {
    let (verb, id) = match words {
        ["list"] => return Ok(()),
        [verb, id] => (
            *verb,
            id.parse()
                .map_err(|_| Error::usage(format!("{id} is no node id")))?,
        ),
        _ => return Err(Error::usage("one word and a node id are expected")),
    };
    match verb {
        "start" => host.start(id),
        "stop" => host.stop(id).await,
        "kill" => host.kill(id).await,
        "pause" => host.pause(id),
        "resume" => host.resume(id),
        _ => Err(Error::usage(format!("{verb} is nothing that a node can be told"))),
    }
}

fn nodes(nodes: &[NodeStatus]) -> Value {
    let nodes = nodes.iter().map(|node| {
        json!({
            "id": node.id,
            "state": node.state.name(),
            "rack": node.rack,
            "addresses": node.addresses,
            "data_dir": node.data_dir.display().to_string(),
        })
    });
    json!({ "nodes": nodes.collect::<Vec<_>>() })
}
