//! Completions, man pages, the tables and the pictures in docs/ are what the program makes now.
//! `make generate` writes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::picture::{Line, svg};
use crate::support::suite::{Suite, outcome_of};

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

/// Sessions that the README shows: a picture's name and title, and what is typed. Nothing in what comes may differ from run
/// to run, but for the home and the address of the mini broker.
const SESSIONS: [(&str, &str, &[&str]); 2] = [
    (
        "docs/first-minute.svg",
        "records into a topic and out of it, with nothing installed",
        &[
            "seq 5 | kafkit produce hello",
            "kafkit consume hello -q --tail 2 -f '%p/%o %s\\n'",
            "kafkit topics list -q",
            "kafkit consume helo -q",
        ],
    ),
    (
        "docs/questions.svg",
        "questions to a topic, and to those who read it",
        &[
            "printf '{\"id\":7,\"user\":\"ada\"}\\n{\"id\":8,\"user\":\"bob\"}\\n' | kafkit produce orders -q",
            "kafkit consume orders -e -q --where '.id >= 8 and .user ~ \"^b\"' -f '%o: %{value:.user}\\n'",
            "kafkit consume orders -e -q --group billing > /dev/null",
            "kafkit groups list -q",
            "kafkit configs set topic orders retention.ms=3600000 --dry-run -q",
            "kafkit topics delete 'ord.*' --regex -q < /dev/null",
        ],
    ),
];

#[test]
fn the_pictures_are_of_real_runs() {
    for (file, title, commands) in SESSIONS {
        let suite = Suite::new();
        let mut lines = Vec::new();
        for command in commands {
            lines.push(Line::Typed((*command).to_owned()));
            let outcome = outcome_of(in_bash(&suite, command), b"");
            let shown = |text: &str| -> Vec<String> {
                text.lines().map(|line| without_chance(line, &suite)).collect()
            };
            lines.extend(shown(&outcome.stdout()).into_iter().map(Line::Printed));
            lines.extend(shown(&outcome.stderr).into_iter().map(Line::Said));
        }
        outcome_of(in_bash(&suite, "kafkit broker stop -q"), b"");
        hold_against(&root().join(file), svg(title, &lines).as_bytes());
    }
}

/// A line in bash, at a home of its own.
fn in_bash(suite: &Suite, line: &str) -> Command {
    let template = suite.command([] as [&str; 0]);
    let programs = Path::new(env!("CARGO_BIN_EXE_kafkit"))
        .parent()
        .expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut bash = Command::new("bash");
    bash.args(["-c", line])
        .current_dir(suite.home())
        .env_clear()
        .envs(
            template
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env_remove("XDG_DATA_HOME")
        .env("PATH", format!("{}:{path}", programs.display()));
    bash
}

/// A line without what differs from run to run: the broker's port, and the home.
fn without_chance(line: &str, suite: &Suite) -> String {
    let line = line.replace(&suite.home().display().to_string(), "~");
    let Some((before, after)) = line.split_once("127.0.0.1:") else {
        return line;
    };
    let rest = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
    format!("{before}127.0.0.1:40119{rest}")
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
