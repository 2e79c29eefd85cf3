//! The directories on the brokers' disks, and the replicas in them. A broker that could not be asked has one row.

use super::Printer;
use super::table::{Cell, Table, numbers, words};
use crate::client::admin::log_dirs::{LogDir, ReplicaOnDisk};
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
    for (broker, dirs) in brokers {
        match dirs {
            Some(dirs) => dirs.iter().for_each(|dir| table.row(directory(dir))),
            None => table.row(unknown(*broker)),
        }
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
    for (broker, dirs) in brokers {
        match dirs {
            Some(dirs) => dirs
                .iter()
                .flat_map(replicas_in)
                .for_each(|cells| table.row(cells)),
            None => table.row(unknown(*broker)),
        }
    }
    table.print(printer)
}

/// The row of a broker that could not be asked.
fn unknown(broker: BrokerId) -> Vec<Cell> {
    let mut cells = vec![Cell::unknown(); COLUMNS];
    if let [first, .., last] = cells.as_mut_slice() {
        *first = Cell::number(broker);
        *last = Cell::text("NO ANSWER");
    }
    cells
}

fn directory(dir: &LogDir) -> Vec<Cell> {
    vec![
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
    ]
}

fn replicas_in(dir: &LogDir) -> Vec<Vec<Cell>> {
    let mut replicas: Vec<_> = dir.replicas.iter().collect();
    replicas.sort_by(|a, b| a.partition.cmp(&b.partition));
    let row = |replica: &ReplicaOnDisk| {
        vec![
            Cell::number(dir.broker),
            Cell::text(&dir.path),
            Cell::text(&replica.partition.topic),
            Cell::number(replica.partition.partition),
            Cell::bytes(replica.size),
            Cell::number(replica.offset_lag),
            Cell::text(if replica.is_future { "moving in" } else { "" }),
        ]
    };
    replicas.into_iter().map(row).collect()
}
