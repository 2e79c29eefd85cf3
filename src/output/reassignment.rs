//! Plans, moves and their progress as tables, JSON and one-line summaries.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::{Format, Printer, plural};
use crate::error::Result;
use crate::plain_words::few;
use crate::reassignment::active::ActiveReassignments;
use crate::reassignment::impact::{BrokerImpact, Drained, Impact};
use crate::reassignment::plan::{PartitionReplica, Plan, comma_separated};
use crate::reassignment::plan_json::write_readable;
use crate::reassignment::progress::{Copied, PartitionState};
use crate::topic_partition::{BrokerId, TopicPartition};

/// One move of a plan that is executed, undone or stopped.
#[derive(Clone, Debug)]
pub(crate) struct MoveRow {
    pub name: TopicPartition,
    pub from: Vec<BrokerId>,
    pub to: Vec<BrokerId>,
    /// Bytes to be copied.
    pub bytes: u64,
    pub state: &'static str,
}

/// One move of a replica between the log directories of its broker.
#[derive(Clone, Debug)]
pub(crate) struct LogDirRow {
    pub replica: PartitionReplica,
    /// `None`: the replica is not on the broker yet.
    pub from: Option<String>,
    pub to: String,
    pub copied: Copied,
    pub state: &'static str,
}

/// One partition of a plan that is verified.
#[derive(Clone, Debug)]
pub(crate) struct StateRow {
    pub name: TopicPartition,
    pub state: PartitionState,
    pub replicas: Vec<BrokerId>,
    pub target: Vec<BrokerId>,
    pub copied: Option<Copied>,
}

/// A row in every form.
#[derive(Debug)]
struct Row {
    cells: Vec<String>,
    json: Value,
}

/// A proposal: the plan to stdout (or it is already in the file `out`), its effect to stderr (or stdout).
pub(crate) fn proposal(
    plan: &Plan,
    impact: &Impact,
    out: Option<&Path>,
    printer: &mut Printer,
) -> Result<()> {
    printer.note(summary(impact));
    for (id, drained) in &impact.drained {
        printer.note(drained_broker(*id, drained));
    }
    if let Some(path) = out {
        printer.note(format_args!("plan: {}", path.display()));
        return broker_table(impact, printer);
    }
    if printer.format() == Format::Json {
        let mut document: Value = serde_json::from_str(&write_readable(plan)).unwrap_or_default();
        document["summary"] = impact_json(impact);
        return printer.line(document);
    }
    if !plan.partitions.is_empty() {
        printer.note_block(&aligned(BROKER_HEADINGS, &broker_rows(impact)).join("\n"));
    }
    printer.text(write_readable(plan))
}

/// About how long: `3 days`, `5 hours`, `1 minute`, `20 seconds`.
pub(crate) fn duration(seconds: u64) -> String {
    for (unit, length) in [("day", 86_400), ("hour", 3600), ("minute", 60)] {
        // Rounded; two of the next larger unit and more are shown in that one.
        if seconds >= 2 * length || (seconds >= length && unit == "minute") {
            return plural((seconds + length / 2) / length, unit);
        }
    }
    plural(seconds.max(1), "second")
}

/// `14 partitions move, 61.3 GB to copy: broker 1 +20.1 GB, …`
pub(crate) fn summary(impact: &Impact) -> String {
    if impact.partitions_copied == 0 && impact.partitions_in_place == 0 {
        return "nothing to move: the cluster is as asked for".to_owned();
    }
    let mut text = match impact.partitions_copied {
        0 => "no data moves".to_owned(),
        count => {
            let verb = if count == 1 { "moves" } else { "move" };
            format!(
                "{} {verb}, {} to copy",
                partitions(count),
                human_bytes(impact.bytes_copied)
            )
        }
    };
    let changes: Vec<String> = impact.brokers.iter().filter_map(size_change).collect();
    if !changes.is_empty() {
        let _ = write!(text, ": {}", changes.join(", "));
    }
    if impact.partitions_in_place > 0 {
        let verb = if impact.partitions_in_place == 1 {
            "changes"
        } else {
            "change"
        };
        let count = partitions(impact.partitions_in_place);
        let _ = write!(text, "; {count} {verb} without a copy");
    }
    if impact.partitions_without_source > 0 {
        let count = partitions(impact.partitions_without_source);
        let _ = write!(text, "; {count} on no broker that is up, to wait for one");
    }
    if let Some(replicas) = impact.replicas {
        let _ = write!(text, "; every partition has {}", from_to(replicas, "replica"));
        if let Some(racks) = impact.racks {
            let _ = write!(text, " on {}", from_to(racks, "rack"));
        }
    }
    text
}

/// `broker 2: all 5 replicas leave, it is empty then`
fn drained_broker(id: BrokerId, drained: &Drained) -> String {
    let all = drained.leaving + drained.staying;
    let replicas = |count: usize| plural(count as u64, "replica");
    match (drained.leaving, drained.staying) {
        (0, 0) => format!("broker {id} is empty already"),
        (1, 0) => format!("broker {id} is empty then: its only replica leaves"),
        (leaving, 0) => format!("broker {id} is empty then: all its {leaving} replicas leave"),
        (leaving, staying) => {
            let verb = if staying == 1 { "stays" } else { "stay" };
            let topics: Vec<_> = drained.topics_staying.iter().cloned().collect();
            format!(
                "broker {id} is not empty then: {leaving} of its {} leave, and {staying} {verb} ({}) of topics that were \
                 not named: {}",
                replicas(all),
                human_bytes(drained.bytes_staying),
                few(&topics),
            )
        }
    }
}

/// `1 rack`, `2 to 3 racks`
fn from_to((least, most): (usize, usize), noun: &str) -> String {
    let most_of_them = plural(most as u64, noun);
    if least == most {
        most_of_them
    } else {
        format!("{least} to {most_of_them}")
    }
}

fn size_change((id, broker): (&BrokerId, &BrokerImpact)) -> Option<String> {
    let (before, after) = (broker.before.bytes, broker.after.bytes);
    match before.cmp(&after) {
        std::cmp::Ordering::Less => Some(format!("broker {id} +{}", human_bytes(after - before))),
        std::cmp::Ordering::Greater => Some(format!("broker {id} -{}", human_bytes(before - after))),
        std::cmp::Ordering::Equal => None,
    }
}

const BROKER_HEADINGS: &[&str] = &["BROKER", "RACK", "REPLICAS", "LEADERS", "SIZE", "COPIED TO IT"];

fn broker_table(impact: &Impact, printer: &mut Printer) -> Result<()> {
    let rows = broker_rows(impact);
    if printer.format() == Format::Json {
        return printer.line(impact_json(impact));
    }
    print(BROKER_HEADINGS, rows, printer)
}

fn broker_rows(impact: &Impact) -> Vec<Row> {
    let change = |before: String, after: String| {
        if before == after {
            before
        } else {
            format!("{before} → {after}")
        }
    };
    let row = |(id, broker): (&BrokerId, &BrokerImpact)| {
        let (before, after) = (broker.before, broker.after);
        let down = if broker.is_alive { "" } else { " DOWN" };
        Row {
            cells: vec![
                format!("{id}{down}"),
                broker.rack.clone().unwrap_or_else(|| "-".to_owned()),
                change(before.replicas.to_string(), after.replicas.to_string()),
                change(before.leaders.to_string(), after.leaders.to_string()),
                change(human_bytes(before.bytes), human_bytes(after.bytes)),
                human_bytes(broker.incoming),
            ],
            json: broker_json(*id, broker),
        }
    };
    impact.brokers.iter().map(row).collect()
}

fn broker_json(id: BrokerId, broker: &BrokerImpact) -> Value {
    let load = |load: crate::reassignment::impact::Load| json!({"replicas": load.replicas, "leaders": load.leaders, "bytes": load.bytes});
    json!({
        "broker": id,
        "rack": broker.rack,
        "alive": broker.is_alive,
        "before": load(broker.before),
        "after": load(broker.after),
        "bytes_copied": broker.incoming,
    })
}

fn impact_json(impact: &Impact) -> Value {
    let brokers = impact.brokers.iter().map(|(id, broker)| broker_json(*id, broker));
    let drained = impact.drained.iter().map(|(id, drained)| {
        json!({
            "broker": id,
            "replicas_leaving": drained.leaving,
            "replicas_staying": drained.staying,
            "bytes_staying": drained.bytes_staying,
            "topics_staying": drained.topics_staying,
        })
    });
    json!({
        "partitions_copied": impact.partitions_copied,
        "partitions_in_place": impact.partitions_in_place,
        "partitions_without_source": impact.partitions_without_source,
        "replicas_copied": impact.replicas_copied,
        "bytes_copied": impact.bytes_copied,
        "brokers": brokers.collect::<Vec<_>>(),
        "drained": drained.collect::<Vec<_>>(),
    })
}

/// The moves of an execution, between brokers and between the directories of one.
pub(crate) fn moves(rows: &[MoveRow], log_dirs: &[LogDirRow], printer: &mut Printer) -> Result<()> {
    let row = |row: &MoveRow| Row {
        cells: vec![
            row.name.to_string(),
            comma_separated(&row.from),
            comma_separated(&row.to),
            human_bytes(row.bytes),
            row.state.to_owned(),
        ],
        json: json!({
            "topic": row.name.topic,
            "partition": row.name.partition,
            "from": row.from,
            "to": row.to,
            "bytes": row.bytes,
            "state": row.state,
        }),
    };
    print(
        &["PARTITION", "FROM", "TO", "COPY", "STATE"],
        rows.iter()
            .map(row)
            .chain(log_dirs.iter().map(log_dir_move))
            .collect(),
        printer,
    )
}

fn log_dir_move(row: &LogDirRow) -> Row {
    Row {
        cells: vec![
            on_broker(&row.replica),
            row.from.clone().unwrap_or_else(|| "-".to_owned()),
            row.to.clone(),
            human_bytes(row.copied.total),
            row.state.to_owned(),
        ],
        json: json!({
            "topic": row.replica.topic_partition.topic,
            "partition": row.replica.topic_partition.partition,
            "broker": row.replica.broker,
            "from": row.from,
            "to": row.to,
            "bytes": row.copied.total,
            "state": row.state,
        }),
    }
}

/// `orders-3 on broker 1`
pub(crate) fn on_broker(replica: &PartitionReplica) -> String {
    format!("{} on broker {}", replica.topic_partition, replica.broker)
}

/// The state of the partitions of a plan, and of the replicas whose log directories it names.
pub(crate) fn states(rows: &[StateRow], log_dirs: &[LogDirRow], printer: &mut Printer) -> Result<()> {
    let row = |row: &StateRow| {
        let state = state_word(row);
        Row {
            cells: vec![
                row.name.to_string(),
                state.to_owned(),
                comma_separated(&row.replicas),
                comma_separated(&row.target),
                percent(row.copied),
            ],
            json: json!({
                "topic": row.name.topic,
                "partition": row.name.partition,
                "state": state,
                "replicas": row.replicas,
                "target": row.target,
                "bytes_copied": row.copied.map(|copied| copied.done),
                "bytes": row.copied.map(|copied| copied.total),
            }),
        }
    };
    let headings = &["PARTITION", "STATE", "REPLICAS", "TARGET", "COPIED"];
    let log_dirs = log_dirs.iter().map(log_dir_state);
    print(headings, rows.iter().map(row).chain(log_dirs).collect(), printer)
}

fn log_dir_state(row: &LogDirRow) -> Row {
    let is_moving = row.state == "moving";
    Row {
        cells: vec![
            on_broker(&row.replica),
            row.state.to_owned(),
            row.from.clone().unwrap_or_else(|| "-".to_owned()),
            row.to.clone(),
            percent(is_moving.then_some(row.copied)),
        ],
        json: json!({
            "topic": row.replica.topic_partition.topic,
            "partition": row.replica.topic_partition.partition,
            "broker": row.replica.broker,
            "state": row.state,
            "log_dir": row.from,
            "target": row.to,
            "bytes_copied": is_moving.then_some(row.copied.done),
            "bytes": is_moving.then_some(row.copied.total),
        }),
    }
}

fn state_word(row: &StateRow) -> &'static str {
    match &row.state {
        PartitionState::Done => "done",
        PartitionState::Moving => "moving",
        PartitionState::MovingTo(_) => "moving elsewhere",
        PartitionState::Elsewhere(replicas) if replicas.is_empty() => "not found",
        PartitionState::Elsewhere(_) => "not moved",
    }
}

/// `37 %`, or a dash where it is not known or there is nothing to copy.
fn percent(copied: Option<Copied>) -> String {
    copied.map_or_else(|| "-".to_owned(), |copied| format!("{} %", copied.percent()))
}

/// A move between the directories of a broker beside those between brokers: it adds one and removes the other.
fn log_dir_under_way(row: &LogDirRow) -> Row {
    Row {
        cells: vec![
            on_broker(&row.replica),
            row.replica.broker.to_string(),
            row.to.clone(),
            row.from.clone().unwrap_or_else(|| "-".to_owned()),
            percent(Some(row.copied)),
            human_bytes(row.copied.left()),
        ],
        json: log_dir_state(row).json,
    }
}

/// What is moving in the cluster.
pub(crate) fn active(
    active: &ActiveReassignments,
    copied: impl Fn(&TopicPartition) -> Option<Copied>,
    log_dirs: &[LogDirRow],
    printer: &mut Printer,
) -> Result<()> {
    if active.is_empty() && log_dirs.is_empty() {
        printer.note("nothing is moving");
    }
    let list = |brokers: &[BrokerId]| match brokers {
        [] => "-".to_owned(),
        brokers => comma_separated(brokers),
    };
    let rows = active.iter().map(|(name, reassignment)| {
        let copied = copied(name);
        Row {
            cells: vec![
                name.to_string(),
                list(&reassignment.replicas),
                list(&reassignment.adding),
                list(&reassignment.removing),
                percent(copied),
                copied.map_or_else(|| "-".to_owned(), |copied| human_bytes(copied.left())),
            ],
            json: json!({
                "topic": name.topic,
                "partition": name.partition,
                "replicas": reassignment.replicas,
                "adding": reassignment.adding,
                "removing": reassignment.removing,
                "bytes_copied": copied.map(|copied| copied.done),
                "bytes": copied.map(|copied| copied.total),
            }),
        }
    });
    let rows: Vec<Row> = rows.chain(log_dirs.iter().map(log_dir_under_way)).collect();
    if rows.is_empty() && printer.format() == Format::Table {
        return Ok(());
    }
    print(
        &["PARTITION", "REPLICAS", "ADDING", "REMOVING", "COPIED", "LEFT"],
        rows,
        printer,
    )
}

fn print(headings: &[&str], rows: Vec<Row>, printer: &mut Printer) -> Result<()> {
    match printer.format() {
        Format::Table => {
            printer.block(&aligned(headings, &rows).join("\n"))?;
        }
        Format::Json => printer.line(Value::from(
            rows.into_iter().map(|row| row.json).collect::<Vec<_>>(),
        ))?,
        Format::Jsonl => {
            for row in rows {
                printer.line(row.json)?;
            }
        }
        Format::Tsv => {
            printer.line(headings.join("\t"))?;
            for row in rows {
                printer.line(row.cells.join("\t"))?;
            }
        }
        Format::Name => {
            for row in rows {
                printer.line(row.cells.first().map_or("", String::as_str))?;
            }
        }
    }
    Ok(())
}

/// Columns two blanks apart; numbers are aligned right.
fn aligned(headings: &[&str], rows: &[Row]) -> Vec<String> {
    let cells = |row: &Row, column: usize| row.cells.get(column).cloned().unwrap_or_default();
    let columns: Vec<(usize, bool)> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let texts = rows.iter().map(|row| cells(row, column));
            let width = texts
                .map(|text| text.chars().count())
                .max()
                .unwrap_or(0)
                .max(heading.chars().count());
            let is_size = matches!(
                *heading,
                "COPY" | "SIZE" | "COPIED" | "LEFT" | "COPIED TO IT" | "LEADERS"
            );
            (
                width,
                is_size || (*heading == "REPLICAS" && headings.contains(&"LEADERS")),
            )
        })
        .collect();
    let line = |texts: Vec<String>| {
        let mut line = String::new();
        for (text, (width, is_right)) in texts.iter().zip(&columns) {
            let _ = if *is_right {
                write!(line, "{text:>width$}  ")
            } else {
                write!(line, "{text:<width$}  ")
            };
        }
        line.trim_end().to_owned()
    };
    let heading = line(headings.iter().map(ToString::to_string).collect());
    let rows = rows
        .iter()
        .map(|row| line((0..headings.len()).map(|column| cells(row, column)).collect()));
    std::iter::once(heading).chain(rows).collect()
}

/// `1 partition`, `14 partitions`
pub(crate) fn partitions(count: usize) -> String {
    if count == 1 {
        "1 partition".to_owned()
    } else {
        format!("{count} partitions")
    }
}

/// `is` or `are`.
pub(crate) fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// `2 partitions`, `1 replica between log directories`, or both; never an empty text.
pub(crate) fn both(moved: usize, log_dirs: usize) -> String {
    let noun = if log_dirs == 1 { "replica" } else { "replicas" };
    let log_dirs_text = format!("{log_dirs} {noun} between log directories");
    match (moved, log_dirs) {
        (_, 0) => partitions(moved),
        (0, _) => log_dirs_text,
        _ => format!("{} and {log_dirs_text}", partitions(moved)),
    }
}

/// `105 B`, `61.3 GB`: thousands, one digit after the point.
pub(crate) fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (61_300_000_000, "61.3 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(human_bytes(bytes), text);
        }
    }
}
