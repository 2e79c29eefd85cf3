//! The common parts of the tools for groups: failures, their connection, and the targets of a reset of offsets.

pub mod beginning;
pub mod ending;
pub mod failure;
pub mod plan_file;
pub mod resets;
pub mod settings;
pub mod table;
pub mod words;

use failure::{Failure, Result, Thrown, admin};

use super::option_parser::Parsed;
use crate::commands::context::Context;
use crate::java::split::split;
use crate::topic_partition::BrokerId;

/// The words of a list separated by commas, each of which must be known; empty if all are wanted.
pub fn wanted(parsed: &Parsed, option: &str, known: &[&str]) -> Result<Vec<String>> {
    let Some(list) = parsed.value(option)?.filter(|list| !list.is_empty()) else {
        return Ok(Vec::new());
    };
    let words: Vec<String> = split(list, ',')
        .into_iter()
        .map(|word| word.trim().to_owned())
        .collect();
    let is_known = |word: &String| known.iter().any(|known| known.eq_ignore_ascii_case(word));
    if words.iter().all(is_known) {
        return Ok(words);
    }
    let (called, noun) = if option == "type" {
        ("types", "types")
    } else {
        ("state", "states")
    };
    Err(Failure::Usage(format!(
        "Invalid {called} list '{list}'. Valid {noun} are: {}",
        known.join(", ")
    )))
}

/// The address and the id of a coordinator.
pub fn address_of(coordinator: Option<BrokerId>, context: &mut Context) -> Result<String> {
    let admin = admin(context, "describeCluster").map_err(Thrown::as_cause)?;
    let found = admin
        .brokers()?
        .iter()
        .find(|broker| Some(broker.id) == coordinator);
    Ok(match found {
        Some(broker) => format!("{}:{}  ({})", broker.host, broker.port, broker.id),
        None => format!(":-1  ({})", coordinator.unwrap_or(-1)),
    })
}

/// A group's type as the tools print it: `Classic`.
pub fn type_name(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
