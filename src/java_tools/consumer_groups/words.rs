//! The output of `kafka-consumer-groups`, to the letter.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::client::admin::groups::{GroupDescription, GroupListing, GroupMember};
use crate::error::Result;
use crate::java_tools::group_tools::table::{MISSING, NARROW, assignment, known, widest};
use crate::java_tools::group_tools::type_name;
use crate::output::{Printer, stderr_line};
use crate::topic_partition::{Offset, TopicPartition};

/// One partition of a group, and the member that reads it.
#[derive(Debug)]
pub struct OffsetRow<'a> {
    pub partition: TopicPartition,
    pub committed: Option<Offset>,
    pub leader_epoch: Option<i32>,
    pub end: Option<Offset>,
    pub member: Option<&'a GroupMember>,
}

impl OffsetRow<'_> {
    fn lag(&self) -> Option<i64> {
        Some(self.end? - self.committed?)
    }
}

/// The names of groups, one a line; with columns where types or states are wanted.
pub fn groups(
    printer: &mut Printer,
    groups: &[&GroupListing],
    with_types: bool,
    with_states: bool,
) -> Result<()> {
    if !with_types && !with_states {
        return groups.iter().try_for_each(|group| printer.line(&group.id));
    }
    let width = widest(groups.iter().map(|group| group.id.as_str()), NARROW) + 10;
    let mut row = |name: &str, kind: &str, state: &str| {
        let mut line = format!("{name:width$}");
        for (is_wanted, word) in [(with_types, kind), (with_states, state)] {
            if is_wanted {
                let _ = write!(line, " {word:20}");
            }
        }
        printer.line(line)
    };
    row("GROUP", "TYPE", "STATE")?;
    for group in groups {
        row(&group.id, &type_name(&group.kind), state_name(&group.state))?;
    }
    Ok(())
}

/// The name of a state; one that a broker does not report is unknown.
fn state_name(state: &str) -> &str {
    if state.is_empty() { "Unknown" } else { state }
}

/// Prints on stderr what is special about a group; false where there are no rows to print.
///
/// # Errors
///
/// The message of Java's exception about a state that no group can have.
pub fn state_notice(group: &GroupDescription, rows: usize) -> Result<bool, String> {
    let name = &group.id;
    match group.state.as_str() {
        "Empty" => stderr_line(format_args!("\nConsumer group '{name}' has no active members.")),
        "PreparingRebalance" | "CompletingRebalance" | "Assigning" | "Reconciling" => {
            stderr_line(format_args!("\nWarning: Consumer group '{name}' is rebalancing."));
        }
        "Stable" => {}
        other => {
            let state = state_name(other);
            return Err(format!(
                "Expected a valid consumer group state, but found '{state}'."
            ));
        }
    }
    Ok(rows > 0)
}

/// Prints the partitions of a group.
pub fn offsets(printer: &mut Printer, group: &str, rows: &[OffsetRow<'_>], is_verbose: bool) -> Result<()> {
    let column =
        |text: &dyn Fn(&OffsetRow<'_>) -> usize| rows.iter().map(text).max().unwrap_or(0).max(NARROW);
    let widths = [
        group.chars().count().max(NARROW),
        column(&|row| row.partition.topic.chars().count()),
        10,
        NARROW,
        NARROW,
        NARROW,
        NARROW,
        column(&|row| member_part(row, |member| &member.id).chars().count()),
        column(&|row| member_part(row, |member| &member.host).chars().count()),
    ];
    let mut line = |cells: [&str; 10]| {
        let out = printer.out();
        writeln!(out)?;
        for (place, (cell, width)) in cells.iter().zip(widths).enumerate() {
            if place != 3 || is_verbose {
                write!(out, "{cell:width$} ")?;
            }
        }
        let [.., last] = cells;
        write!(out, "{last}")
    };
    line([
        "GROUP",
        "TOPIC",
        "PARTITION",
        "LEADER-EPOCH",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ])?;
    for row in rows {
        line([
            group,
            &row.partition.topic,
            &row.partition.partition.to_string(),
            &known(row.leader_epoch),
            &known(row.committed),
            &known(row.end),
            &known(row.lag()),
            member_part(row, |member| &member.id),
            member_part(row, |member| &member.host),
            member_part(row, |member| &member.client_id),
        ])?;
    }
    printer.line("")
}

fn member_part<'a>(row: &OffsetRow<'a>, part: impl Fn(&'a GroupMember) -> &'a String) -> &'a str {
    row.member.map_or(MISSING, |member| part(member))
}

/// The widths of the columns of a group's members.
struct MemberColumns {
    widths: [usize; 6],
    /// Of the current and of the target assignment.
    assignment_widths: [usize; 2],
    has_instances: bool,
    is_verbose: bool,
    /// Whether members use different protocols, so that a column says which.
    is_migrating: bool,
}

/// The cells of a member, or of the heading: those of every table, and those of `--verbose`.
type MemberCells<'a> = ([&'a str; 6], [&'a str; 5]);

impl MemberColumns {
    fn of(group: &GroupDescription, is_verbose: bool) -> Self {
        let members = &group.members;
        let speaks = |is_classic: bool| members.iter().any(|member| classic(member) == Some(is_classic));
        let widest_of = |part: &dyn Fn(&GroupMember) -> usize, least: usize| {
            members.iter().map(part).max().unwrap_or(0).max(least)
        };
        let units = |text: &str| text.encode_utf16().count();
        Self {
            widths: [
                widest_of(&|_| units(&group.id), NARROW),
                widest_of(&|member| units(&member.id), NARROW),
                widest_of(&|member| units(instance(member)), 17),
                widest_of(&|member| units(&member.host), NARROW),
                widest_of(&|member| units(&member.client_id), NARROW),
                NARROW,
            ],
            assignment_widths: [
                widest_of(&|member| units(&shown(&member.assignment)), 20),
                widest_of(&|member| units(&shown(target(member))), 20),
            ],
            has_instances: members.iter().any(|member| !instance(member).is_empty()),
            is_verbose,
            is_migrating: speaks(true) && speaks(false),
        }
    }

    fn line(&self, printer: &mut Printer, (cells, details): MemberCells<'_>) -> Result<()> {
        let out = printer.out();
        for (place, (cell, width)) in cells.iter().zip(self.widths).enumerate() {
            if place != 2 || self.has_instances {
                write!(out, "{cell:width$} ")?;
            }
        }
        if self.is_verbose {
            let [epoch, current, target_epoch, target, upgraded] = details;
            let [current_width, target_width] = self.assignment_widths;
            write!(
                out,
                "{epoch:15} {current:current_width$} {target_epoch:15} {target:target_width$}"
            )?;
            if self.is_migrating {
                write!(out, " {upgraded}")?;
            }
        }
        writeln!(out)?;
        Ok(())
    }
}

/// Prints the members of a group.
pub fn members(printer: &mut Printer, group: &GroupDescription, is_verbose: bool) -> Result<()> {
    let columns = MemberColumns::of(group, is_verbose);
    let heading = [
        "GROUP",
        "CONSUMER-ID",
        "GROUP-INSTANCE-ID",
        "HOST",
        "CLIENT-ID",
        "#PARTITIONS",
    ];
    let details = [
        "CURRENT-EPOCH",
        "CURRENT-ASSIGNMENT",
        "TARGET-EPOCH",
        "TARGET-ASSIGNMENT",
        "UPGRADED",
    ];
    printer.line("")?;
    columns.line(printer, (heading, details))?;
    for member in &group.members {
        let cells = [
            &group.id,
            &member.id,
            instance(member),
            &member.host,
            &member.client_id,
            &member.assignment.len().to_string(),
        ];
        let details = [
            &known(member.progress.as_ref().map(|progress| progress.epoch)),
            &shown(&member.assignment),
            &known(group.epochs.map(|epochs| epochs.assignment)),
            &shown(target(member)),
            &known(classic(member).map(|is_classic| !is_classic)),
        ];
        columns.line(printer, (cells, details.map(String::as_str)))?;
    }
    Ok(())
}

/// The target assignment of a member; empty where the group's protocol has none.
fn target(member: &GroupMember) -> &[TopicPartition] {
    member.progress.as_ref().map_or(&[], |progress| &progress.target)
}

fn shown(partitions: &[TopicPartition]) -> String {
    assignment(partitions).unwrap_or_else(|| MISSING.to_owned())
}

fn instance(member: &GroupMember) -> &str {
    member.instance_id.as_deref().unwrap_or_default()
}

fn classic(member: &GroupMember) -> Option<bool> {
    member.progress.as_ref()?.is_classic
}

/// Prints the state of a group; `coordinator` is its address and its id.
pub fn state(
    printer: &mut Printer,
    group: &GroupDescription,
    coordinator: &str,
    is_verbose: bool,
) -> Result<()> {
    let name_width = group.id.chars().count().max(NARROW);
    let coordinator_width = coordinator.chars().count().max(25);
    let mut line = |cells: [&str; 7]| {
        let [
            name,
            coordinator,
            assignor,
            state,
            epoch,
            assignment_epoch,
            members,
        ] = cells;
        let out = printer.out();
        write!(
            out,
            "\n{name:name_width$} {coordinator:coordinator_width$} {assignor:20} {state:20} "
        )?;
        if is_verbose {
            write!(out, "{epoch:15} {assignment_epoch:25} ")?;
        }
        write!(out, "{members}")
    };
    line([
        "GROUP",
        "COORDINATOR (ID)",
        "ASSIGNMENT-STRATEGY",
        "STATE",
        "GROUP-EPOCH",
        "TARGET-ASSIGNMENT-EPOCH",
        "#MEMBERS",
    ])?;
    line([
        &group.id,
        coordinator,
        if group.assignor.is_empty() {
            MISSING
        } else {
            &group.assignor
        },
        &group.state,
        &known(group.epochs.map(|epochs| epochs.group)),
        &known(group.epochs.map(|epochs| epochs.assignment)),
        &group.members.len().to_string(),
    ])?;
    printer.line("")
}

/// Prints the results for partitions whose offsets were to be deleted: topic, partition, error.
pub fn deleted_offsets(printer: &mut Printer, rows: &[(TopicPartition, Option<String>)]) -> Result<()> {
    let width = widest(rows.iter().map(|(partition, _)| partition.topic.as_str()), NARROW);
    let mut line = |topic: &str, partition: &str, status: &str| {
        write!(printer.out(), "\n{topic:width$} {partition:10} {status:15}")
    };
    line("TOPIC", "PARTITION", "STATUS")?;
    for (TopicPartition { topic, partition }, problem) in rows {
        let number = if *partition < 0 {
            MISSING.to_owned()
        } else {
            partition.to_string()
        };
        match problem {
            Some(problem) => line(topic, &number, &format!("Error: {problem}"))?,
            None => line(topic, &number, "Successful")?,
        }
    }
    printer.line("")
}
