//! `kafka-storage info`: the directories, the content of their properties, and the problems found.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use super::super::console::properties_file;
use super::config::{ServerConfig, value};
use crate::output::stdout_line;
use crate::storage::file_name::META_PROPERTIES;

/// The properties of a directory that matter, by name.
type Metadata = BTreeMap<&'static str, String>;

pub(super) fn run(config: &ServerConfig) -> ExitCode {
    let directories = config.directories();
    let mut found = Vec::new();
    let mut problems = Vec::new();
    let mut first: Option<Metadata> = None;
    for directory in &directories {
        let path = Path::new(directory);
        if !path.exists() {
            problems.push(format!("{directory} does not exist"));
            continue;
        }
        if !path.is_dir() {
            problems.push(format!("{directory} is not a directory"));
            continue;
        }
        found.push(directory.clone());
        match (metadata(path), &first) {
            (None, _) => problems.push(format!("{directory} is not formatted.")),
            (Some(metadata), None) => first = Some(metadata),
            (Some(metadata), Some(first)) => problems.extend(mismatch(first, &metadata)),
        }
    }
    if let Some(first) = &first {
        problems.extend(wrong_mode(config, first));
    }
    list("Found log directory:", "Found log directories:", &found);
    if let Some(first) = &first {
        let fields: Vec<String> = first
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        stdout_line(format_args!("Found metadata: {{{}}}\n", fields.join(", ")));
    }
    list("Found problem:", "Found problems:", &problems);
    if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints a heading, the lines, and an empty line; nothing without lines.
fn list(one: &str, several: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    stdout_line(if lines.len() == 1 { one } else { several });
    for line in lines {
        stdout_line(format_args!("  {line}"));
    }
    stdout_line("");
}

/// `None` where the directory is not formatted.
fn metadata(directory: &Path) -> Option<Metadata> {
    let path = directory.join(META_PROPERTIES);
    let properties = properties_file(path.to_str()?).ok()?;
    let version = value(&properties, "version").unwrap_or("0").to_owned();
    let id_name = if version == "0" { "broker.id" } else { "node.id" };
    let mut metadata = Metadata::new();
    for name in ["cluster.id", "directory.id", id_name] {
        if let Some(value) = value(&properties, name) {
            metadata.insert(name, value.to_owned());
        }
    }
    metadata.insert("version", version);
    Some(metadata)
}

fn node_id(metadata: &Metadata) -> Option<&String> {
    metadata.get("node.id").or(metadata.get("broker.id"))
}

fn mismatch(first: &Metadata, other: &Metadata) -> Option<String> {
    if first.get("cluster.id") != other.get("cluster.id") {
        Some("Mismatched cluster IDs between storage directories.".to_owned())
    } else if node_id(first) != node_id(other) {
        Some("Mismatched node IDs between storage directories.".to_owned())
    } else {
        None
    }
}

fn wrong_mode(config: &ServerConfig, first: &Metadata) -> Option<String> {
    let is_old = first.get("version").is_some_and(|version| version == "0");
    match (config.roles.is_empty(), is_old) {
        (false, true) => Some(
            "The kafka configuration file appears to be for a cluster in KRaft mode, but the directories are formatted \
             for legacy mode."
                .to_owned(),
        ),
        (true, false) => Some(
            "The kafka configuration file appears to be for a legacy cluster, but the directories are formatted for a \
             cluster in KRaft mode."
                .to_owned(),
        ),
        _ => None,
    }
}
