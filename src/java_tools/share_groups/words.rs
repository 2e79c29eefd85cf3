//! The output of `kafka-share-groups`, to the letter.

use std::collections::BTreeMap;
use std::io::Write;

use crate::client::admin::groups::GroupListing;
use crate::client::admin::share_groups::{ShareGroupDescription, SharePlaces};
use crate::error::Result;
use crate::java_tools::group_tools::table::{NARROW, assignment, known, widest};
use crate::java_tools::group_tools::words::error;
use crate::output::{Printer, stderr_line};

/// The names of groups, one a line; with their states where they are wanted.
pub fn groups(printer: &mut Printer, groups: &[&GroupListing], with_states: bool) -> Result<()> {
    if !with_states {
        return groups.iter().try_for_each(|group| printer.line(&group.id));
    }
    let width = widest(groups.iter().map(|group| group.id.as_str()), NARROW);
    printer.line(format_args!("{:width$} STATE", "GROUP"))?;
    for group in groups {
        let state = if group.state.is_empty() {
            "Unknown"
        } else {
            &group.state
        };
        printer.line(format_args!("{:width$} {state}", group.id))?;
    }
    Ok(())
}

/// Prints on stderr that a group has no members.
pub fn state_notice(printer: &mut Printer, group: &ShareGroupDescription) -> Result<()> {
    printer.flush()?;
    let name = &group.id;
    match group.state.as_str() {
        "Dead" => error(printer, format_args!("Share group '{name}' does not exist."))?,
        "Empty" => stderr_line(format_args!("\nShare group '{name}' has no active members.")),
        _ => {}
    }
    Ok(())
}

/// Prints the offsets of a group.
pub fn offsets(printer: &mut Printer, group: &str, places: &SharePlaces, is_verbose: bool) -> Result<()> {
    if places.is_empty() {
        return printer.line(format_args!("\nShare group '{group}' has no offset information."));
    }
    let group_width = group.encode_utf16().count().max(NARROW);
    let topic_width = widest(places.keys().map(|name| name.topic.as_str()), NARROW);
    let mut line = |cells: [&str; 6]| {
        let [name, topic, partition, epoch, start, lag] = cells;
        let out = printer.out();
        write!(out, "\n{name:group_width$} {topic:topic_width$} {partition:10} ")?;
        if is_verbose {
            write!(out, "{epoch:13} ")?;
        }
        write!(out, "{start:13} {lag}")
    };
    line([
        "GROUP",
        "TOPIC",
        "PARTITION",
        "LEADER-EPOCH",
        "START-OFFSET",
        "LAG",
    ])?;
    for (partition, place) in places {
        let place = place.as_ref();
        line([
            group,
            &partition.topic,
            &partition.partition.to_string(),
            &known(place.and_then(|place| place.leader_epoch)),
            &known(place.map(|place| place.start)),
            &known(place.and_then(|place| place.lag)),
        ])?;
    }
    printer.line("")
}

/// Prints the members of a group.
pub fn members(printer: &mut Printer, group: &ShareGroupDescription, is_verbose: bool) -> Result<()> {
    let mut members: Vec<_> = group.members.iter().collect();
    members.sort_by(|a, b| a.id.cmp(&b.id));
    let widths = [
        group.id.encode_utf16().count().max(NARROW),
        widest(members.iter().map(|member| member.id.as_str()), NARROW),
        widest(members.iter().map(|member| member.host.as_str()), NARROW),
        widest(members.iter().map(|member| member.client_id.as_str()), NARROW),
        12,
    ];
    let mut line = |cells: [&str; 5], epoch: &str, assignment: &str| {
        let out = printer.out();
        writeln!(out)?;
        for (cell, width) in cells.iter().zip(widths) {
            write!(out, "{cell:width$} ")?;
        }
        if is_verbose {
            write!(out, "{epoch:13} ")?;
        }
        write!(out, "{assignment}")
    };
    line(
        ["GROUP", "CONSUMER-ID", "HOST", "CLIENT-ID", "#PARTITIONS"],
        "MEMBER-EPOCH",
        "ASSIGNMENT",
    )?;
    for member in members {
        let count = member.assignment.len().to_string();
        line(
            [&group.id, &member.id, &member.host, &member.client_id, &count],
            &member.epoch.to_string(),
            &assignment(&member.assignment).unwrap_or_default(),
        )?;
    }
    printer.line("")
}

/// Prints the state of a group; `coordinator` is its address and its id.
pub fn state(
    printer: &mut Printer,
    group: &ShareGroupDescription,
    coordinator: &str,
    is_verbose: bool,
) -> Result<()> {
    let group_width = group.id.encode_utf16().count().max(NARROW);
    let coordinator_width = coordinator.encode_utf16().count().max(25);
    let mut line = |cells: [&str; 6]| {
        let [name, coordinator, state, epoch, assignment_epoch, members] = cells;
        let out = printer.out();
        write!(
            out,
            "\n{name:group_width$} {coordinator:coordinator_width$} {state:15} "
        )?;
        if is_verbose {
            write!(out, "{epoch:12} {assignment_epoch:17} ")?;
        }
        write!(out, "{members}")
    };
    line([
        "GROUP",
        "COORDINATOR (ID)",
        "STATE",
        "GROUP-EPOCH",
        "ASSIGNMENT-EPOCH",
        "#MEMBERS",
    ])?;
    line([
        &group.id,
        coordinator,
        &group.state,
        &group.epoch.to_string(),
        &group.assignment_epoch.to_string(),
        &group.members.len().to_string(),
    ])?;
    printer.line("")
}

/// Prints the results for topics whose offsets were to be deleted.
pub fn deleted_offsets(printer: &mut Printer, rows: &BTreeMap<String, Option<String>>) -> Result<()> {
    if !rows.is_empty() {
        let width = widest(rows.keys().map(String::as_str), NARROW);
        let mut line = |topic: &str, status: &str| write!(printer.out(), "\n{topic:width$} {status}");
        line("TOPIC", "STATUS")?;
        for (topic, problem) in rows {
            match problem {
                Some(problem) => line(topic, &format!("Error: {problem}"))?,
                None => line(topic, "Successful")?,
            }
        }
    }
    printer.line("")
}
