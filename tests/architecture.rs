//! The arrows of ARCHITECTURE.md hold: no room uses one that it should not know.

use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms of `src/` a room may name beside itself. `error`, `plain_words`, `spelling` and `topic_partition` belong to everyone.
const ARROWS: &[(&str, &str)] = &[
    ("cli", "commands client input output reassignment topic_config"),
    (
        "java_tools",
        "client commands input internal_records java log_audit output reassignment records storage topic_config wire",
    ),
    (
        "commands",
        "broker client input internal_records interrupt java log_audit output reassignment records storage topic_config \
         wire",
    ),
    (
        "output",
        "client internal_records java log_audit records reassignment storage wire",
    ),
    ("input", "internal_records"),
    ("client", "interrupt reassignment records wire"),
    ("broker", "internal_records records storage topic_config wire"),
    ("log_audit", "internal_records records storage"),
    ("storage", "records"),
    ("records", ""),
    ("wire", ""),
    ("reassignment", ""),
    ("internal_records", ""),
    ("topic_config", ""),
    ("interrupt", ""),
    ("java", ""),
];
/// Which parts of `src/broker/` a room inside it may name beside itself. `handlers/` may name all of them.
const BROKER_ARROWS: &[(&str, &str)] = &[
    ("cluster", "config topic_name"),
    ("config", ""),
    ("coordinator", "config metadata node"),
    ("fetch", "call refusal response"),
    ("node", "config fetch"),
    ("produce", "config once"),
    ("server", "Broker access apis call refusal response"),
];
const EVERYONES: [&str; 4] = ["error", "plain_words", "spelling", "topic_partition"];

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
        let text = fs::read_to_string(&file).expect("a source file");
        let code = text
            .split("#[cfg(test)]")
            .next()
            .expect("the part before the tests");
        for used in names_after("crate::", code) {
            if used != room && !EVERYONES.contains(&used.as_str()) && !may_use(room, &used) {
                broken.push(format!("{} uses crate::{used}", inside.display()));
            }
        }
    }
    assert!(broken.is_empty(), "arrows broken:\n{}", broken.join("\n"));
}

#[test]
fn no_room_of_the_broker_uses_one_that_it_should_not_know() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/broker");
    let mut broken = Vec::new();
    for (room, allowed) in BROKER_ARROWS {
        for file in rust_files(&source.join(room)) {
            let text = fs::read_to_string(&file).expect("a source file");
            let code = text
                .split("#[cfg(test)]")
                .next()
                .expect("the part before the tests");
            for used in names_after("crate::broker::", code) {
                if used != *room && !allowed.split(' ').any(|name| name == used) {
                    broken.push(format!("{} uses crate::broker::{used}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "arrows broken:\n{}", broken.join("\n"));
}

/// The roots of the tree (`lib.rs`, `main.rs`) may name every room.
fn may_use(room: &str, used: &str) -> bool {
    let allowed = ARROWS.iter().find(|(name, _)| *name == room);
    match allowed {
        Some((_, allowed)) => allowed.split(' ').any(|name| name == used),
        None => ["lib", "main"].contains(&room),
    }
}

/// Every name that follows `path` in the code; comments do not count.
fn names_after(path: &str, text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split(path).skip(1))
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
