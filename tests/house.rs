//! Rules of the code base that no lint checks: every file says what it owns, and no test file is forgotten.

use std::fs;
use std::path::Path;

use crate::architecture::rust_files;

#[test]
fn every_file_begins_by_saying_what_it_owns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let silent: Vec<_> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| rust_files(&root.join(folder)))
        .filter(|file| {
            !fs::read_to_string(file)
                .expect("a source file")
                .starts_with("//!")
        })
        .collect();
    assert!(silent.is_empty(), "these files do not begin with //!: {silent:?}");
}

/// Rooms that read bytes from a peer, a file or a pipe.
const READ_STRANGERS_BYTES: [&str; 11] = [
    "broker",
    "client",
    "commands/backup",
    "commands/broker/conversation",
    "filter",
    "input",
    "internal_records",
    "log_audit",
    "records",
    "storage",
    "wire",
];

#[test]
fn strangers_bytes_are_never_indexed() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for room in READ_STRANGERS_BYTES {
        let text = fs::read_to_string(src.join(room).join("mod.rs")).expect("a room");
        let lint = "#![cfg_attr(not(test), deny(clippy::indexing_slicing))]";
        assert!(text.contains(lint), "{room} may index what it reads");
    }
    let exempt: Vec<_> = rust_files(&src)
        .into_iter()
        .filter(|file| {
            let text = fs::read_to_string(file).expect("a source file");
            text.contains("allow(clippy::indexing_slicing")
                || text.contains("expect(clippy::indexing_slicing")
        })
        .collect();
    assert!(exempt.is_empty(), "these files are exempt: {exempt:?}");
}

#[test]
fn no_test_file_is_forgotten() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let all: String = rust_files(&tests)
        .iter()
        .map(|file| fs::read_to_string(file).expect("a test file"))
        .collect();
    for file in rust_files(&tests) {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let folder = file
            .parent()
            .and_then(Path::file_name)
            .expect("a folder")
            .to_string_lossy()
            .into_owned();
        let module = match name.as_str() {
            "main" => continue,
            "mod" => folder,
            _ => name,
        };
        assert!(
            all.contains(&format!("mod {module};")),
            "{} belongs to no test binary",
            file.display()
        );
    }
}
