//! Completions, man pages and the tables in docs/ are what the program makes now.
//! `make generate` writes them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::suite::Suite;

const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "completions/kafkit.bash"),
    ("zsh", "completions/_kafkit"),
    ("fish", "completions/kafkit.fish"),
];

#[test]
fn completions_are_fresh() {
    for (shell, file) in COMPLETIONS {
        let made = Suite::new().run(["completions", shell]).succeeds();
        hold_against(&root().join(file), &made.stdout);
    }
}

#[test]
fn man_pages_are_fresh() {
    let suite = Suite::new();
    let made = suite.home().join("man");
    suite.run(["man", "man"]).succeeds();
    let mut names: Vec<String> = file_names(&made);
    for name in &names {
        let page = fs::read(made.join(name)).expect("a page just written");
        hold_against(&root().join("man").join(name), &page);
    }
    let mut kept = file_names(&root().join("man"));
    names.sort();
    kept.sort();
    assert_eq!(kept, names, "man/ has pages of commands that are no more");
}

#[test]
fn the_tables_in_docs_are_fresh() {
    let pages = [
        (
            "docs/settings.md",
            "settings",
            kafkit::client::settings::Settings::markdown(),
        ),
        ("docs/protocol.md", "apis", kafkit::broker::apis::markdown()),
        (
            "docs/java-tools.md",
            "java-flags",
            kafkit::java_tools::flag_table::markdown(),
        ),
    ];
    for (file, section, table) in pages {
        let path = root().join(file);
        let page = fs::read_to_string(&path).expect("a page of docs/");
        hold_against(&path, with_section(&page, section, &table).as_bytes());
    }
}

/// The text with what stands between two markers replaced.
fn with_section(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let (before, rest) = text
        .split_once(&begin)
        .expect("the marker of the section's begin");
    let (_, after) = rest.split_once(&end).expect("the marker of its end");
    format!("{before}{begin}\n{}\n\n{end}{after}", content.trim_end())
}

/// The file has this content; with `KAFKIT_GENERATE` set it gets it.
fn hold_against(path: &Path, content: &[u8]) {
    if std::env::var_os("KAFKIT_GENERATE").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder to write to");
        fs::write(path, content).expect("a file to write");
        return;
    }
    let kept = fs::read(path).unwrap_or_default();
    assert!(
        kept == content,
        "{} is stale: run `make generate`",
        path.display()
    );
}

fn file_names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
