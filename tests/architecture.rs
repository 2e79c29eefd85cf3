//! The arrows of ARCHITECTURE.md hold: no room uses one that it should not know.

use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms of `src/` a room may name. `error` and `topic_partition` belong to everyone.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "cli",
            "commands",
            "client",
            "output",
            "input",
            "reassignment",
            "storage",
            "records",
            "internal_records",
            "broker",
            "topic_config",
        ],
    ),
    (
        "commands",
        &[
            "commands",
            "output",
            "input",
            "reassignment",
            "client",
            "storage",
            "records",
            "internal_records",
            "broker",
            "cli",
            "topic_config",
            "wire",
        ],
    ),
    (
        "output",
        &[
            "output",
            "client",
            "storage",
            "records",
            "internal_records",
            "reassignment",
            "broker",
            "topic_config",
        ],
    ),
    ("input", &["input", "records", "client", "internal_records"]),
    ("reassignment", &["reassignment"]),
    (
        "client",
        &["client", "wire", "records", "topic_config", "reassignment"],
    ),
    ("wire", &["wire"]),
    ("records", &["records"]),
    ("internal_records", &["internal_records", "records"]),
    ("storage", &["storage", "records"]),
    (
        "broker",
        &[
            "broker",
            "wire",
            "storage",
            "records",
            "internal_records",
            "topic_config",
            "client",
        ],
    ),
    ("topic_config", &["topic_config"]),
];

#[test]
fn no_room_uses_one_that_it_should_not_know() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for file in rust_files(&source) {
        let inside = file.strip_prefix(&source).expect("a file below src");
        let room = inside
            .components()
            .next()
            .expect("a room")
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        let room = room.trim_end_matches(".rs");
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            continue;
        };
        for used in rooms_used(&fs::read_to_string(&file).expect("a source file")) {
            let known = ARROWS.iter().any(|(name, _)| *name == used);
            if known && !allowed.contains(&used.as_str()) {
                broken.push(format!("{} uses crate::{used}", inside.display()));
            }
        }
    }
    assert!(broken.is_empty(), "arrows broken:\n{}", broken.join("\n"));
}

/// Every room that a file names after `crate::`.
fn rooms_used(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .collect()
}

/// The Rust files below a folder.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            files.push(path);
        }
    }
    files
}
