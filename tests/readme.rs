//! The console blocks of the README and of each page of docs/ run as written, in order, in one shell a page, and print
//! what they show.
//!
//! In what a block shows, `…` stands for any text inside a line, and a line of `…` alone for any lines. A block
//! marked `console cluster` needs three brokers: those of a mini broker, or of the cluster whose address is in
//! `KAFKIT_README_CLUSTER`, as `make interop` has it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::cluster::Cluster;
use crate::support::suite::{Suite, outcome_of};

/// One `$ command` of a block, and the lines that it shows.
#[derive(Debug)]
struct Example {
    page: String,
    line: usize,
    command: String,
    shown: Vec<String>,
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn console_blocks_run_as_written() {
    let examples = examples_of("README.md", "console");
    assert!(
        examples.len() >= 10,
        "the README shows too little: {} commands",
        examples.len()
    );
    run_as_written(&examples, "");
}

#[test]
fn console_blocks_of_docs_run_as_written() {
    let pages: Vec<Vec<Example>> = pages().iter().map(|page| examples_of(page, "console")).collect();
    let count: usize = pages.iter().map(Vec::len).sum();
    assert!(count >= 60, "docs/ shows too little: {count} commands");
    for examples in pages.iter().filter(|examples| !examples.is_empty()) {
        run_as_written(examples, "");
    }
}

#[test]
fn console_blocks_on_a_cluster_run_as_written() {
    let own = std::env::var("KAFKIT_README_CLUSTER")
        .is_err()
        .then(|| Cluster::start_nodes(3, &[]));
    let cluster = own.as_ref().map_or_else(
        || std::env::var("KAFKIT_README_CLUSTER").unwrap_or_default(),
        Cluster::bootstrap,
    );
    let mut examples = examples_of("README.md", "console cluster");
    examples.extend(
        pages()
            .iter()
            .flat_map(|page| examples_of(page, "console cluster")),
    );
    assert!(!examples.is_empty(), "nothing is shown on a cluster");
    run_as_written(&examples, &cluster);
}

/// Runs the examples at a home of their own, and insists on what they show.
fn run_as_written(examples: &[Example], cluster: &str) {
    let suite = Suite::new();
    let problems = differences(examples, &run_all(&suite, examples, cluster));
    if cluster.is_empty() {
        suite.run(["broker", "stop", "-q"]);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The pages of docs/, in the order of their names.
fn pages() -> Vec<String> {
    let entries = fs::read_dir(Path::new(ROOT).join("docs")).expect("docs/");
    let names = entries.map(|entry| entry.expect("a page").file_name().to_string_lossy().into_owned());
    let mut pages: Vec<String> = names
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "md")
        })
        .map(|name| format!("docs/{name}"))
        .collect();
    pages.sort();
    pages
}

#[test]
fn every_link_of_the_readme_and_docs_leads_somewhere() {
    let mut pages = pages();
    pages.push("README.md".to_owned());
    for page in pages {
        let path = Path::new(ROOT).join(&page);
        let text = fs::read_to_string(&path).expect("a page");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            if file.contains("://") {
                continue;
            }
            let linked = if file.is_empty() {
                path.clone()
            } else {
                path.with_file_name(file)
            };
            assert!(linked.exists(), "{page}: {target} leads nowhere");
            if !anchor.is_empty() {
                let text = fs::read_to_string(&linked).expect("a page");
                let has = text
                    .lines()
                    .any(|line| anchor_of(line).is_some_and(|known| known == anchor));
                assert!(has, "{page}: {target} has no such heading");
            }
        }
    }
}

/// The anchor of a heading, as GitHub makes it.
fn anchor_of(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = heading
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
}

#[test]
fn ci_runs_the_test_command_that_the_readme_gives() {
    let command = "cargo test --release --locked";
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).expect("README.md");
    let ci = fs::read_to_string(Path::new(ROOT).join(".ci/run")).expect(".ci/run");
    assert!(
        readme.lines().any(|line| line.trim() == command),
        "the README lacks `{command}`"
    );
    assert!(
        ci.lines().any(|line| line.trim() == command),
        ".ci/run lacks `{command}`"
    );
}

/// Every example of a page in the blocks whose fence says exactly `fence`.
fn examples_of(page: &str, fence: &str) -> Vec<Example> {
    let readme = fs::read_to_string(Path::new(ROOT).join(page)).expect("a page");
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for (index, line) in readme.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            inside = !inside && info == fence;
        } else if inside {
            if let Some(command) = line.strip_prefix("$ ") {
                let command = command.to_owned();
                examples.push(Example {
                    page: page.to_owned(),
                    line: index + 1,
                    command,
                    shown: Vec::new(),
                });
            } else {
                let example = examples.last_mut().expect("a block begins with a command");
                example.shown.push(line.to_owned());
            }
        }
    }
    examples
}

/// Runs all commands in one shell, stderr among stdout, and returns what each printed.
fn run_all(suite: &Suite, examples: &[Example], cluster: &str) -> Vec<String> {
    let mut script = String::new();
    for example in examples {
        // The status goes back to `$?`, so that a block can show it.
        script += &[
            "{ ",
            &example.command,
            "\n} 2>&1; s=$?; printf '\\036'; (exit $s)\n",
        ]
        .concat();
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_kafkit"))
        .parent()
        .expect("a folder");
    let mut command = Command::new("bash");
    let template = suite.command([] as [&str; 0]);
    command.env_clear().current_dir(ROOT);
    for (name, value) in template.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let home = std::env::var("HOME").unwrap_or_default();
    command
        .args(["-c", &script])
        .env("PATH", path)
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .env("CLUSTER", cluster)
        .env(
            "CARGO_HOME",
            std::env::var("CARGO_HOME").unwrap_or(format!("{home}/.cargo")),
        )
        .env(
            "RUSTUP_HOME",
            std::env::var("RUSTUP_HOME").unwrap_or(format!("{home}/.rustup")),
        );
    let outcome = outcome_of(command, b"");
    outcome
        .stdout()
        .split('\u{1e}')
        .map(|part| part.trim_matches('\n').to_owned())
        .collect()
}

fn differences(examples: &[Example], printed: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, example) in examples.iter().enumerate() {
        let got = printed
            .get(index)
            .map_or("(the shell ended before)", String::as_str);
        let lines: Vec<&str> = if got.is_empty() {
            Vec::new()
        } else {
            got.lines().collect()
        };
        if !matches(&example.shown, &lines) {
            problems.push(format!(
                "{}:{}: $ {}\n--- shown\n{}\n--- printed\n{got}",
                example.page,
                example.line,
                example.command,
                example.shown.join("\n")
            ));
        }
    }
    problems
}

/// Whether lines fit what is shown, with `…` for what may differ.
fn matches(shown: &[String], lines: &[&str]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..]))
        }
        Some((first, rest)) => match lines.split_first() {
            Some((line, others)) => line_matches(first, line) && matches(rest, others),
            None => false,
        },
    }
}

fn line_matches(shown: &str, line: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|head| line.strip_prefix(head)) else {
        return false;
    };
    let mut open = false;
    for part in parts {
        open = true;
        match rest.find(part) {
            Some(position) if !part.is_empty() => {
                open = false;
                rest = &rest[position + part.len()..];
            }
            Some(_) => {}
            None => return false,
        }
    }
    open || rest.is_empty()
}

#[test]
fn what_is_shown_matches_what_may_differ() {
    for (shown, line, fits) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a…c", "abc", true),
        ("a…c", "abd", false),
        ("a…", "abd", true),
        ("…d", "abd", true),
        ("(…, …)", "(1, 2)", true),
    ] {
        assert_eq!(line_matches(shown, line), fits, "{shown} {line}");
    }
}
