//! Every parser of bytes from outside as a function of bytes, once for all who call it: cargo-fuzz, which has a binary
//! for each, and the driver in `tests/fuzz`, which needs no nightly compiler.
//!
//! A target panics where the program would; whoever calls it also looks at the memory that it takes. Owns what is fed
//! to which parser, and what an input looks like that gets far; no loop, and no change of inputs.

mod entropy;
mod log_files;
mod metadata;
mod records;
mod requests;
mod responses;
mod security;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

/// A parser, or a few that read the same kind of bytes.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Inputs that get far, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many runs take about as long as a thousand of a parser that opens no file.
    pub cost: u64,
    /// It writes what a user would see to stdout and stderr.
    pub prints: bool,
}

const fn target(name: &'static str, run: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>, cost: u64) -> Target {
    Target {
        name,
        run,
        seeds,
        cost,
        prints: false,
    }
}

pub const TARGETS: &[Target] = &[
    target("frames", requests::frames, requests::frame_seeds, 1),
    target("requests", requests::requests, requests::request_seeds, 20),
    target("responses", responses::responses, responses::seeds, 1),
    target("batches", records::batches, records::seeds, 4),
    target("recovery", log_files::recovery, log_files::seeds, 40),
    Target {
        prints: true,
        ..target("log_files", log_files::log_files, log_files::seeds, 100)
    },
    target(
        "checkpoints",
        log_files::checkpoints,
        log_files::checkpoint_seeds,
        1,
    ),
    target("metadata_log", metadata::metadata_log, metadata::seeds, 100),
    target(
        "internal_records",
        records::internal_records,
        records::internal_seeds,
        1,
    ),
    target("key_stores", security::key_stores, security::key_store_seeds, 4),
    target("sasl", security::sasl, security::sasl_seeds, 4),
    target("settings", text::settings, text::setting_seeds, 2),
    target("record_text", text::record_text, text::record_seeds, 2),
    target("plans", text::plans, text::plan_seeds, 1),
    target("conditions", text::conditions, text::condition_seeds, 8),
    target("templates", text::templates, text::template_seeds, 2),
    target("control", text::control, text::control_seeds, 1),
];

/// Runs the target of that name.
#[allow(dead_code, reason = "cargo-fuzz's binaries call it, the driver does not")]
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target of this name").run)(bytes);
}

/// A folder of recorded files.
fn golden(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|above| above.join("tests/golden").join(folder))
        .find(|folder| folder.is_dir())
        .expect("the recorded files")
}

/// The content of every file below a folder of recorded files, of up to 64 KB.
fn recorded(folder: &str) -> Vec<Vec<u8>> {
    const LARGEST: usize = 64 * 1024;
    let mut found = Vec::new();
    let mut folders = vec![golden(folder)];
    while let Some(next) = folders.pop() {
        let mut paths: Vec<PathBuf> = fs::read_dir(next)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).expect("a file");
                found.extend((bytes.len() <= LARGEST).then_some(bytes));
            }
        }
    }
    found
}

/// Texts as inputs.
fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
