//! A consumer group's progress, partition by partition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::group_watch::Watched;
use super::table::{Cell, Column, Table, age, count, numbers, words};
use super::{Format, Printer};
use crate::client::admin::groups::{GroupDescription, GroupMember, SHARE};
use crate::error::Result;
use crate::topic_partition::{Offset, TopicPartition};

/// A group and its progress.
#[derive(Debug)]
pub struct Progress {
    pub group: GroupDescription,
    pub rows: Vec<Row>,
    /// Whether its coordinator answered; if not, only the name is known.
    pub is_known: bool,
}

impl Progress {
    /// A group whose coordinator does not answer.
    pub fn unknown(name: &str) -> Self {
        Self {
            group: GroupDescription {
                id: name.to_owned(),
                state: String::new(),
                kind: "",
                protocol_type: String::new(),
                assignor: String::new(),
                coordinator: None,
                epochs: None,
                members: Vec::new(),
            },
            rows: Vec::new(),
            is_known: false,
        }
    }
}

/// One partition that a group reads.
#[derive(Debug)]
pub struct Row {
    pub partition: TopicPartition,
    /// The committed offset; of a share group its start offset, the first one that is not yet acknowledged.
    pub committed: Option<Offset>,
    /// The lag as the coordinator reports it, of share groups: it is no difference of two offsets, because records
    /// after the start offset may be acknowledged already.
    pub stated_lag: Option<i64>,
    /// The offset of the next record to be written; `None` where the leader did not answer.
    pub end: Option<Offset>,
    /// Milliseconds since the first record that is not committed was written; zero where there is none.
    pub waits_ms: Option<i64>,
    /// The index in the group's members of the one that reads it.
    pub member: Option<usize>,
}

impl Row {
    /// Records not read yet; `None` without a commit, when it is not known where the group would begin.
    pub fn lag(&self) -> Option<i64> {
        self.stated_lag
            .or_else(|| Some((self.end? - self.committed?).max(0)))
    }
}

/// Groups with their partitions.
pub fn describe(printer: &mut Printer, groups: &[Progress]) -> Result<()> {
    match printer.format() {
        Format::Table => {
            for (place, progress) in groups.iter().enumerate() {
                if place > 0 {
                    printer.line("")?;
                }
                printer.block(&block(progress, None))?;
            }
            Ok(())
        }
        Format::Json => printer.json(&Value::Array(groups.iter().map(document).collect())),
        Format::Jsonl => groups.iter().try_for_each(|progress| {
            table(&[progress])
                .objects()
                .try_for_each(|object| printer.line(object))
        }),
        Format::Tsv => table(&groups.iter().collect::<Vec<_>>()).print(printer),
        Format::Name => groups
            .iter()
            .try_for_each(|progress| printer.line(&progress.group.id)),
    }
}

/// The lag of all partitions together; `None` where it is known of no partition of an active group.
pub(super) fn total(progress: &Progress) -> Option<i64> {
    let lags: Vec<i64> = progress.rows.iter().filter_map(Row::lag).collect();
    let is_unknown = lags.is_empty() && !progress.rows.is_empty();
    (!is_unknown).then(|| lags.iter().sum())
}

/// A group as text; with changes since earlier looks, if there were any.
pub(super) fn block(progress: &Progress, watched: Option<&Watched>) -> String {
    let group = &progress.group;
    if !progress.is_known {
        return format!("{}   unknown", group.id);
    }
    let mut facts = vec![group.state.to_lowercase(), kind(group)];
    if !group.assignor.is_empty() {
        facts.push(group.assignor.clone());
    }
    if let Some(epochs) = group.epochs {
        facts.push(format!("epoch {}", epochs.group));
        if epochs.assignment != epochs.group {
            facts.push(format!("assigned in epoch {}", epochs.assignment));
        }
    }
    facts.extend(group.coordinator.map(|id| format!("coordinator {id}")));
    let members = count(group.members.len() as i64, "member");
    let waits = progress.rows.iter().filter_map(|row| row.waits_ms).max();
    let waits = waits
        .filter(|waits| *waits > 0)
        .map_or_else(String::new, |waits| format!(", about {}", age(waits)));
    let head = format!(
        "{}   {}   {members}   lag {}{waits}{}",
        group.id,
        facts.join(", "),
        total(progress).map_or_else(|| "unknown".to_owned(), |lag| count(lag, "record")),
        watched.map_or_else(String::new, |watched| watched.trend(&group.id)),
    );
    let head = format!("{head}{}", on_the_way(group));
    if progress.rows.is_empty() {
        return head;
    }
    let own = [
        words("MEMBER", "member").hides(),
        words("LAG OVER TIME", "").hides(),
    ];
    let mut rows = Table::new(&[&PLACE[..], &own].concat());
    for row in &progress.rows {
        let mut cells = cells(progress, row).split_off(1);
        let spark = watched.map(|watched| watched.spark(&group.id, &row.partition));
        cells.push(Cell::text(spark.unwrap_or_default()));
        rows.row(cells);
    }
    format!("{head}\n\n{}", rows.aligned())
}

fn kind(group: &GroupDescription) -> String {
    if group.kind == SHARE {
        "share group".to_owned()
    } else {
        format!("{} protocol", group.kind)
    }
}

/// The members of a KIP-848 group with their current and their target assignment, while any of them differ.
fn on_the_way(group: &GroupDescription) -> String {
    let assigned_in = group.epochs.map(|epochs| epochs.assignment);
    let has_come = |member: &GroupMember| {
        member.progress.as_ref().is_none_or(|progress| {
            Some(progress.epoch) == assigned_in && sorted(&progress.target) == sorted(&member.assignment)
        })
    };
    if group.members.iter().all(has_come) {
        return String::new();
    }
    let mut table = Table::new(&[
        words("MEMBER", "member"),
        numbers("EPOCH", "epoch"),
        words("ASSIGNED", "assigned"),
        words("TARGET", "target"),
    ]);
    for member in &group.members {
        if let Some(progress) = &member.progress {
            table.row(vec![
                Cell::text(member_name(member)),
                Cell::number(progress.epoch),
                Cell::text(by_topic_text(&member.assignment)),
                Cell::text(by_topic_text(&progress.target)),
            ]);
        }
    }
    format!("\n\n{}", table.aligned())
}

fn sorted(partitions: &[TopicPartition]) -> BTreeSet<&TopicPartition> {
    partitions.iter().collect()
}

fn by_topic(partitions: &[TopicPartition]) -> BTreeMap<&str, BTreeSet<i32>> {
    let mut topics: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    for partition in partitions {
        topics
            .entry(&partition.topic)
            .or_default()
            .insert(partition.partition);
    }
    topics
}

/// `orders:0,1,2 payments:3`
fn by_topic_text(partitions: &[TopicPartition]) -> String {
    let topics = by_topic(partitions).into_iter().map(|(topic, partitions)| {
        let numbers: Vec<String> = partitions.iter().map(ToString::to_string).collect();
        format!("{topic}:{}", numbers.join(","))
    });
    topics.collect::<Vec<_>>().join(" ")
}

fn by_topic_json(partitions: &[TopicPartition]) -> Value {
    let topics = by_topic(partitions).into_iter();
    topics
        .map(|(topic, partitions)| json!({ "topic": topic, "partitions": partitions }))
        .collect()
}

/// The columns of a group's progress in a partition.
const PLACE: [Column; 6] = [
    words("TOPIC", "topic"),
    numbers("PARTITION", "partition"),
    numbers("COMMITTED", "committed"),
    numbers("END", "end"),
    numbers("LAG", "lag"),
    numbers("LAG TIME", "lag_ms"),
];

fn table(groups: &[&Progress]) -> Table {
    let (group, member) = ([words("GROUP", "group")], [words("MEMBER", "member")]);
    let mut table = Table::new(&[&group[..], &PLACE, &member].concat());
    for progress in groups {
        if !progress.is_known {
            let mut cells = vec![Cell::text(&progress.group.id)];
            cells.resize(PLACE.len() + 2, Cell::unknown());
            table.row(cells);
        }
        for row in &progress.rows {
            table.row(cells(progress, row));
        }
    }
    table
}

fn cells(progress: &Progress, row: &Row) -> Vec<Cell> {
    let member = row.member.and_then(|place| progress.group.members.get(place));
    vec![
        Cell::text(&progress.group.id),
        Cell::text(&row.partition.topic),
        Cell::number(row.partition.partition),
        Cell::or_unknown(row.committed.map(Cell::number)),
        Cell::or_unknown(row.end.map(Cell::number)),
        Cell::or_unknown(row.lag().map(Cell::number)),
        Cell::or_unknown(
            row.waits_ms
                .map(|waits| Cell::both(age(waits), Value::from(waits))),
        ),
        match member {
            Some(member) => Cell::both(member_name(member), Value::from(member.id.as_str())),
            None => Cell::both("", Value::Null),
        },
    ]
}

/// A static member's own name, or else the client id; and its host.
fn member_name(member: &GroupMember) -> String {
    let name = member.instance_id.as_deref().unwrap_or(&member.client_id);
    format!("{name} {}", member.host)
}

fn document(progress: &Progress) -> Value {
    let group = &progress.group;
    if !progress.is_known {
        let mut document = json!({ "group": group.id });
        for name in [
            "state",
            "protocol",
            "assignor",
            "coordinator",
            "epoch",
            "assignment_epoch",
            "lag",
            "members",
            "partitions",
        ] {
            document[name] = Value::Null;
        }
        return document;
    }
    let partitions = progress.rows.iter().map(|row| {
        let member = row.member.and_then(|place| group.members.get(place));
        json!({
            "topic": row.partition.topic,
            "partition": row.partition.partition,
            "committed": row.committed,
            "end": row.end,
            "lag": row.lag(),
            "lag_ms": row.waits_ms,
            "member": member.map(|member| member.id.as_str()),
        })
    });
    let members = group.members.iter().map(|member| {
        json!({
            "id": member.id,
            "instance_id": member.instance_id,
            "client_id": member.client_id,
            "host": member.host,
            "epoch": member.progress.as_ref().map(|progress| progress.epoch),
            "assigned": by_topic_json(&member.assignment),
            "target": member.progress.as_ref().map(|progress| by_topic_json(&progress.target)),
        })
    });
    json!({
        "group": group.id,
        "state": group.state.to_lowercase(),
        "protocol": group.kind,
        "assignor": group.assignor,
        "coordinator": group.coordinator,
        "epoch": group.epochs.map(|epochs| epochs.group),
        "assignment_epoch": group.epochs.map(|epochs| epochs.assignment),
        "lag": total(progress),
        "members": members.collect::<Vec<Value>>(),
        "partitions": partitions.collect::<Vec<Value>>(),
    })
}
