//! The directories on the brokers' disks, and the replicas in them. A broker that could not be asked has one row.

use super::Printer;
use super::table::{Cell, Table, numbers, words};
use crate::client::admin::log_dirs::LogDir;
use crate::error::Result;
use crate::topic_partition::BrokerId;

/// Columns of either table.
const COLUMNS: usize = 7;

/// One directory a row.
pub fn directories(printer: &mut Printer, brokers: &[(BrokerId, Option<Vec<LogDir>>)]) -> Result<()> {
    let mut table = Table::new(&[
        numbers("BROKER", "broker"),
        words("LOG DIR", "log_dir"),
        numbers("REPLICAS", "replicas"),
        numbers("SIZE", "size"),
        numbers("FREE", "usable_bytes"),
        numbers("TOTAL", "total_bytes"),
        words("STATUS", "status").hides(),
    ]);
    for dir in known(&mut table, brokers) {
        table.row(vec![
            Cell::number(dir.broker),
            Cell::text(&dir.path),
            Cell::number(dir.replicas.len() as i64),
            Cell::bytes(dir.replicas.iter().map(|replica| replica.size).sum()),
            Cell::or_unknown(dir.usable_bytes.map(Cell::bytes)),
            Cell::or_unknown(dir.total_bytes.map(Cell::bytes)),
            Cell::text(match &dir.error {
                Some(error) => format!("OFFLINE: {error}"),
                None => String::new(),
            }),
        ]);
    }
    table.print(printer)
}

/// One replica a row.
pub fn replicas(printer: &mut Printer, brokers: &[(BrokerId, Option<Vec<LogDir>>)]) -> Result<()> {
    let mut table = Table::new(&[
        numbers("BROKER", "broker"),
        words("LOG DIR", "log_dir"),
        words("TOPIC", "topic"),
        numbers("PARTITION", "partition"),
        numbers("SIZE", "size"),
        numbers("LAG", "offset_lag"),
        words("STATUS", "status").hides(),
    ]);
    for dir in known(&mut table, brokers) {
        let mut replicas: Vec<_> = dir.replicas.iter().collect();
        replicas.sort_by(|a, b| a.partition.cmp(&b.partition));
        for replica in replicas {
            table.row(vec![
                Cell::number(dir.broker),
                Cell::text(&dir.path),
                Cell::text(&replica.partition.topic),
                Cell::number(replica.partition.partition),
                Cell::bytes(replica.size),
                Cell::number(replica.offset_lag),
                Cell::text(if replica.is_future { "moving in" } else { "" }),
            ]);
        }
    }
    table.print(printer)
}

/// The directories that are known; a broker that could not be asked gets its row.
fn known<'a>(table: &mut Table, brokers: &'a [(BrokerId, Option<Vec<LogDir>>)]) -> Vec<&'a LogDir> {
    let mut known = Vec::new();
    for (broker, dirs) in brokers {
        match dirs {
            Some(dirs) => known.extend(dirs),
            None => {
                // Between the number and the status.
                let mut cells = vec![Cell::unknown(); COLUMNS];
                if let [first, .., last] = cells.as_mut_slice() {
                    *first = Cell::number(*broker);
                    *last = Cell::text("NO ANSWER");
                }
                table.row(cells);
            }
        }
    }
    known
}
