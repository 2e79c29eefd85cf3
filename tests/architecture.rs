//! Checks the map of ARCHITECTURE.md: no room uses one that it must not know, no two rooms need each other, and what
//! has a home is written there only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kafkit::wire::error_codes;

/// Which rooms of `src/` a room may use beside itself. `lib.rs` may use every room, and every room those of
/// [`EVERYONES`].
const ARROWS: &[(&str, &str)] = &[
    (
        "cli",
        "client commands completion filter input interrupt monitor output reassignment topic_config",
    ),
    (
        "java_tools",
        "client commands completion input internal_records interrupt java log_audit output reassignment records storage topic_config wire",
    ),
    (
        "commands",
        "broker client filter input internal_records interrupt java log_audit monitor output reassignment records storage \
         topic_config wire",
    ),
    (
        "output",
        "client filter internal_records log_audit monitor reassignment records storage wire",
    ),
    ("completion", "broker client records storage topic_config"),
    ("filter", ""),
    ("input", ""),
    ("client", "interrupt reassignment records wire"),
    (
        "broker",
        "internal_records java reassignment records storage topic_config wire",
    ),
    ("log_audit", "internal_records records storage"),
    ("monitor", "client"),
    ("storage", "records"),
    ("records", ""),
    ("wire", ""),
    ("reassignment", ""),
    ("internal_records", ""),
    ("topic_config", ""),
    ("interrupt", ""),
    ("java", ""),
];
/// Which parts of `src/broker/` a room in it may use beside itself. `handlers/` may use all of them.
const BROKER_ARROWS: &[(&str, &str)] = &[
    ("cluster", "access config features internal_topics topic_name"),
    ("gates", "access call cluster node rights token_requests"),
    ("config", "rehearsal"),
    ("coordinator", "cluster config features internal_topics node"),
    (
        "faults",
        "apis call fetch handlers newer_versions refusal response timers",
    ),
    ("fetch", "call refusal response"),
    (
        "host",
        "authorizer cluster config coordinator faults features fetch internal_topics node notices produce quotas rehearsal security server share timers",
    ),
    (
        "node",
        "authorizer cluster config coordinator fetch internal_topics notices produce quotas server timers topic_name",
    ),
    ("produce", "config once"),
    ("quotas", "cluster config"),
    ("security", "access cluster config notices"),
    (
        "server",
        "access apis call cluster config faults node quotas refusal response security throttle_field timers",
    ),
    ("share", "cluster config coordinator fetch node timers"),
];
const EVERYONES: [&str; 5] = ["error", "lock_file", "plain_words", "spelling", "topic_partition"];

/// Rooms whose files still need each other. A pair that is resolved is removed; none is added.
const KNOWN_CIRCLES: &[&[&str]] = &[&["client/security", "client/settings"]];

/// Something that is written once: what it is, a text that identifies a copy, its home, and the files or rooms that may
/// have a copy of their own.
struct Once {
    what: &'static str,
    sign: &'static str,
    home: &'static str,
    others: &'static [&'static str],
}

const ONCE: &[Once] = &[
    Once {
        what: "which topics are Kafka's own",
        sign: "\"__consumer_offsets\" | \"__transaction_state\"",
        home: "topic_partition.rs",
        others: &["broker/"],
    },
    Once {
        what: "Java's hash of a string",
        sign: "encode_utf16().fold(",
        home: "java/hash_order.rs",
        others: &["broker/"],
    },
    Once {
        what: "the distance between two words",
        sign: "fn distance(",
        home: "spelling.rs",
        others: &[],
    },
    Once {
        what: "a writer of decimal digits",
        sign: "/= 10;",
        home: "output/digits.rs",
        others: &[],
    },
    // record_walk refills its window between two bytes, decode has Java's message about a number that is too long, and
    // wire/decode only inspects the bytes that pass.
    Once {
        what: "a reader of varints",
        sign: "& 0x7f) <<",
        home: "records/varint.rs",
        others: &[
            "wire/primitives.rs",
            "wire/decode.rs",
            "records/record_walk.rs",
            "internal_records/decode.rs",
            "client/direct/consumer/fetch_answer.rs",
            "broker/",
        ],
    },
    Once {
        what: "a lock on a file",
        sign: "rustix::fs::{FlockOperation, flock}",
        home: "lock_file.rs",
        others: &[],
    },
    Once {
        what: "a writer of varints",
        sign: ">>= 7;",
        home: "records/varint.rs",
        others: &[
            "wire/primitives.rs",
            "wire/decode.rs",
            "internal_records/encode.rs",
            "client/direct/producer/request.rs",
            "broker/",
        ],
    },
];

#[test]
fn no_room_uses_one_that_it_should_not_know() {
    let source = source();
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
        for used in names_after("crate::", &code_of(&file)) {
            if used != room && !EVERYONES.contains(&used.as_str()) && !may_use(room, &used) {
                broken.push(format!("{} uses crate::{used}", inside.display()));
            }
        }
    }
    assert!(broken.is_empty(), "arrows broken:\n{}", broken.join("\n"));
}

#[test]
fn no_room_of_the_broker_uses_one_that_it_should_not_know() {
    let mut broken = Vec::new();
    for (room, allowed) in BROKER_ARROWS {
        for file in rust_files(&source().join("broker").join(room)) {
            for used in names_after("crate::broker::", &code_of(&file)) {
                if used != *room && !allowed.split(' ').any(|name| name == used) {
                    broken.push(format!("{} uses crate::broker::{used}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "arrows broken:\n{}", broken.join("\n"));
}

#[test]
fn the_arrows_make_no_circle() {
    let mut left: BTreeMap<&str, BTreeSet<&str>> = ARROWS
        .iter()
        .map(|(room, used)| (*room, used.split_whitespace().collect()))
        .collect();
    while let Some(lowest) = left
        .iter()
        .find(|(_, used)| used.is_empty())
        .map(|(room, _)| *room)
    {
        left.remove(lowest);
        for used in left.values_mut() {
            used.remove(lowest);
        }
    }
    assert!(left.is_empty(), "rooms that need each other: {left:?}");
}

#[test]
fn no_files_of_different_rooms_need_each_other() {
    let modules = modules();
    let uses: BTreeMap<&str, BTreeSet<&str>> = modules
        .iter()
        .map(|(module, file)| {
            let used = modules_used(module, &code_of(file), &modules);
            (module.as_str(), used)
        })
        .collect();
    let mut broken = Vec::new();
    for module in uses.keys() {
        let needed = reachable(module, &uses);
        for other in needed.iter().filter(|other| *other > module) {
            let rooms = [room_of(module, &modules), room_of(other, &modules)];
            let is_known = |known: &&&[&str]| rooms.iter().all(|room| known.contains(&room.as_str()));
            if rooms[0] != rooms[1]
                && reachable(other, &uses).contains(module)
                && !KNOWN_CIRCLES.iter().any(|known| is_known(&known))
            {
                broken.push(format!("{module} and {other}"));
            }
        }
    }
    assert!(broken.is_empty(), "circles:\n{}", broken.join("\n"));
}

#[test]
fn what_has_a_home_is_written_there_only() {
    let source = source();
    let mut copies = Vec::new();
    for file in rust_files(&source) {
        let inside = file.strip_prefix(&source).expect("a file below src");
        let inside = inside.to_string_lossy();
        let code = code_of(&file);
        for once in ONCE {
            let mut places = once.others.iter().chain([&once.home]);
            if code.contains(once.sign) && !places.any(|place| inside.starts_with(place)) {
                copies.push(format!("{inside}: {}, which is in {}", once.what, once.home));
            }
        }
        for name in code.lines().filter_map(error_code_constant) {
            copies.push(format!("{inside}: {name}, which is in wire/error_codes.rs"));
        }
    }
    assert!(copies.is_empty(), "written twice:\n{}", copies.join("\n"));
}

/// `storage/disk.rs` is where tests make a disk fail: a file that is changed in another place would only be tested on
/// disks that work.
#[test]
fn storage_changes_files_in_one_place() {
    const CHANGES: &[&str] = &[
        "fs::rename(",
        "fs::remove_file(",
        "fs::write(",
        "File::create(",
        ".set_len(",
        ".sync_all(",
        ".sync_data(",
        ".write_all_at(",
        "fs::create_dir(",
    ];
    let source = source();
    let mut others = Vec::new();
    for file in rust_files(&source.join("storage")) {
        let code = code_of(&file);
        let inside = file.strip_prefix(&source).expect("a file below src");
        let found = CHANGES.iter().filter(|change| code.contains(**change));
        others.extend(found.map(|change| format!("{}: {change}", inside.display())));
    }
    others.retain(|found| !found.starts_with("storage/disk.rs"));
    assert!(
        others.is_empty(),
        "beside storage/disk.rs:\n{}",
        others.join("\n")
    );
}

/// The name of the error code that a line declares as a constant of its own.
fn error_code_constant(line: &str) -> Option<&str> {
    let (name, code) = line.trim().split_once("const ")?.1.split_once(": i16 = ")?;
    let code = code.strip_suffix(';')?.parse().ok()?;
    let row = error_codes::find(code)?;
    (row.name == name).then_some(name)
}

/// Every module of the library by its path, `output/log_dump/cells`, and its file; without `lib.rs` and `main.rs`.
fn modules() -> BTreeMap<String, PathBuf> {
    let source = source();
    let mut modules = BTreeMap::new();
    for file in rust_files(&source) {
        let inside = file.strip_prefix(&source).expect("a file below src");
        let inside = inside.to_string_lossy();
        let module = inside.trim_end_matches(".rs").trim_end_matches("/mod");
        if !["lib", "main"].contains(&module) {
            modules.insert(module.to_owned(), file);
        }
    }
    modules
}

/// The modules named in the code of `module` after `crate::` and `super::`; each path is on one line.
fn modules_used<'m>(module: &str, code: &str, modules: &'m BTreeMap<String, PathBuf>) -> BTreeSet<&'m str> {
    let mut used = BTreeSet::new();
    for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let words: Vec<&str> = line
            .split(|c: char| !c.is_alphanumeric() && !"_:{".contains(c))
            .collect();
        for (place, word) in words.iter().enumerate() {
            let mut parts = word.split("::").peekable();
            let mut path: Vec<&str> = match parts.peek() {
                Some(&"crate") => Vec::new(),
                Some(&"super") => module.split('/').collect(),
                _ => continue,
            };
            let mut tail = "";
            for part in parts.filter(|part| *part != "crate") {
                match part.strip_prefix('{') {
                    _ if part == "super" => drop(path.pop()),
                    Some(first) => tail = first,
                    None => path.push(part),
                }
            }
            // Names in braces may be modules too.
            let in_braces = words.iter().skip(place + 1).take_while(|_| word.contains('{'));
            let mut ends: Vec<&str> = vec![tail];
            ends.extend(in_braces.map(|word| word.split("::").next().unwrap_or_default()));
            for end in ends {
                let mut path = path.clone();
                path.extend(Some(end).filter(|end| !end.is_empty()));
                used.extend(nearest(&path, modules).filter(|found| *found != module));
            }
        }
    }
    used
}

/// The module of a path: its longest prefix that is a module.
fn nearest<'m>(path: &[&str], modules: &'m BTreeMap<String, PathBuf>) -> Option<&'m str> {
    (1..=path.len())
        .rev()
        .find_map(|length| modules.get_key_value(&path[..length].join("/")))
        .map(|(module, _)| module.as_str())
}

/// The folder of a module; a module with files below it is a folder itself.
fn room_of(module: &str, modules: &BTreeMap<String, PathBuf>) -> String {
    let below = format!("{module}/");
    if modules.keys().any(|other| other.starts_with(&below)) {
        return module.to_owned();
    }
    module.rsplit_once('/').map_or("", |(room, _)| room).to_owned()
}

/// Everything that a module needs, directly or not.
fn reachable<'m>(module: &str, uses: &BTreeMap<&'m str, BTreeSet<&'m str>>) -> BTreeSet<&'m str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = vec![module];
    while let Some(next) = open.pop() {
        for used in uses.get(next).into_iter().flatten() {
            if found.insert(*used) {
                open.push(used);
            }
        }
    }
    found
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// A file without its unit tests.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a source file");
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// Whether a room may use another; the roots of the tree may use every room.
fn may_use(room: &str, used: &str) -> bool {
    let allowed = ARROWS.iter().find(|(name, _)| *name == room);
    match allowed {
        Some((_, allowed)) => allowed.split(' ').any(|name| name == used),
        None => ["lib", "main"].contains(&room),
    }
}

/// Every name after `path` in the code; comments are ignored.
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
