//! The mini broker's state, in one line or as JSON.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::table::{Cell, Table, numbers, words};
use super::{Format, Printer};
use crate::error::{Error, Result};

/// A broker that is running.
#[derive(Clone, Debug)]
pub struct Status {
    pub addresses: Vec<String>,
    pub pid: u32,
    pub up: Duration,
    pub nodes: usize,
    pub topics: usize,
    pub bytes: u64,
    /// `None` where the system does not report it.
    pub clients: Option<usize>,
    pub data_dir: String,
}

/// A broker that accepts connections, for programs that wait for it.
#[derive(Clone, Debug)]
pub struct Ready {
    /// `HOST:PORT,…`, as clients need it in `bootstrap.servers`.
    pub bootstrap_servers: String,
    pub pid: u32,
    pub data_dir: PathBuf,
}

impl Ready {
    fn json(&self) -> Value {
        json!({
            "bootstrap_servers": self.bootstrap_servers,
            "pid": self.pid,
            "data_dir": self.data_dir.to_string_lossy(),
        })
    }
}

/// Writes one line of JSON to a file, which is there as a whole or not at all.
pub fn write_ready(ready: &Ready, path: &Path) -> Result<()> {
    let failed =
        |error: std::io::Error| Error::from(error).context(format!("cannot write {}", path.display()));
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".tmp");
    std::fs::write(&fresh, format!("{}\n", ready.json())).map_err(failed)?;
    std::fs::rename(&fresh, path).map_err(failed)
}

/// The same line on stdout, where JSON was asked for.
pub fn print_ready(ready: &Ready, printer: &mut Printer) -> Result<()> {
    if matches!(printer.format(), Format::Json | Format::Jsonl) {
        printer.line(ready.json())?;
        printer.flush()?;
    }
    Ok(())
}

/// Prints the state of a broker.
pub fn status(printer: &mut Printer, status: &Status) -> Result<()> {
    match printer.format() {
        Format::Json | Format::Jsonl => printer.line(json!({
            "addresses": status.addresses,
            "pid": status.pid,
            "up_seconds": status.up.as_secs(),
            "nodes": status.nodes,
            "topics": status.topics,
            "bytes": status.bytes,
            "clients": status.clients,
            "data_dir": status.data_dir,
        })),
        Format::Name => printer.line(status.addresses.join(",")),
        Format::Tsv => printer.line(format_args!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            status.addresses.join(","),
            status.pid,
            status.up.as_secs(),
            status.nodes,
            status.topics,
            status.bytes,
            status.clients.map(|count| count.to_string()).unwrap_or_default(),
            status.data_dir
        )),
        Format::Table => printer.line(format_args!(
            "{}   pid {}   up {}   {}   {}   {}{}   {}",
            status.addresses.join(", "),
            status.pid,
            duration(status.up),
            counted(status.nodes, "node"),
            counted(status.topics, "topic"),
            super::size(status.bytes),
            status
                .clients
                .map(|count| format!("   {}", counted(count, "client")))
                .unwrap_or_default(),
            status.data_dir
        )),
    }
}

/// One node of a broker that is running.
#[derive(Clone, Debug)]
pub struct NodeRow {
    pub id: i32,
    pub state: String,
    pub rack: Option<String>,
    pub addresses: Vec<String>,
    pub data_dir: String,
}

/// Prints nodes, one a row.
pub fn nodes(printer: &mut Printer, nodes: &[NodeRow]) -> Result<()> {
    let mut table = Table::new(&[
        numbers("NODE", "node"),
        words("STATE", "state"),
        words("RACK", "rack").hides(),
        words("ADDRESS", "address"),
        words("LOG DIR", "log_dir"),
    ]);
    for node in nodes {
        table.row(vec![
            Cell::number(node.id),
            Cell::text(&node.state),
            node.rack
                .as_ref()
                .map_or_else(|| Cell::both("", Value::Null), Cell::text),
            Cell::text(node.addresses.join(",")),
            Cell::text(&node.data_dir),
        ]);
    }
    table.print(printer)
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A duration in one unit, which is precise enough.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_read_easily() {
        assert_eq!(duration(Duration::from_secs(7300)), "2 h");
    }
}
