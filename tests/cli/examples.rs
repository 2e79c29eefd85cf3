//! Do the examples in the help texts and man pages run as they stand there?
//!
//! Each page gets a mini broker of its own with what its examples speak of. `kafka1:9092` and its kin are that broker.
//! What a terminal would ask about may end with the refusal that there is no terminal: it was understood, and would be
//! done.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use clap::Command as Tree;

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite, outcome_of};

/// What the examples speak of, as a shell makes it.
const SETTING: &str = include_str!("examples.sh");

/// Profiles that examples speak of; a page gets those that it does not make itself.
const PROFILES: [&str; 3] = ["staging", "prod", "old"];

/// A plan that moves nothing.
const PLAN: &str =
    "{\"version\":1,\"partitions\":[{\"topic\":\"payments\",\"partition\":0,\"replicas\":[1]}]}";

/// Programs that examples run beside kafkit, where another machine may not have them.
const STAND_INS: &[(&str, &str)] = &[
    ("jq", "cat"),
    ("pwgen", "echo a-password"),
    ("pass", "echo a-password"),
    ("man", "cat > /dev/null"),
    ("code", "true"),
    ("vi", "true"),
    ("tail", "cat app.log"),
    ("run-tests.sh", "true"),
];

/// Examples that go on until they are told to end.
const ENDLESS: &[&str] = &[
    "kafkit broker",
    "kafkit broker --listen 127.0.0.1:0 --data-dir /tmp/k",
    "kafkit broker --config config/server.properties",
    "kafkit broker record talk.jsonl -b kafka1:9092",
    "kafkit broker replay talk.jsonl",
    "kafkit broker --nodes 3 --racks a,b,c",
    "kafkit broker --secure --listen 0.0.0.0:9092",
    "kafkit consume orders",
    "kafkit consume orders -f '%p/%o %{timestamp:%T} %k=%s\\n'",
    "kafkit consume orders --json | jq -r .key",
    "kafkit consume orders --group billing",
    "kafkit consume a --json | kafkit produce b --json",
    "kafkit consume orders --where '.id == 7 and headers.source ~ \"^web\"'",
    "kafkit consume orders -o 100..200",
    "kafkit groups watch",
    "kafkit groups watch billing audit --every 10s",
    "kafkit groups watch -o jsonl | jq -c 'select(.lag > 1000)'",
    "kafkit describe group billing --watch",
    "kafkit top",
    "kafkit top groups --every 5s",
    "kafkit top groups -n 60 -o jsonl >> lag.jsonl",
];

/// Examples that end otherwise here: their beginning, and what stderr says then.
const OTHERWISE: &[(&str, &str)] = &[
    ("kafkit acls", "no Authorizer is configured"),
    ("kafkit broker fault", "no mini broker runs"),
    ("kafkit broker node", "no mini broker runs"),
    ("kafkit configs diff broker 1 2", "broker 2 is not up"),
    ("kafkit diff", "difference"),
    ("kafkit describe broker 2", "broker 2 is not up"),
    ("kafkit describe log-dirs --broker 2", "broker 2 is not up"),
    ("kafkit describe topic -o tsv | grep UNDER-REPLICATED", ""),
    ("kafkit reassign plan --add-broker 4", "broker 4 not found"),
    ("kafkit reassign plan --drain 2", "not found"),
    ("kafkit reassign plan --replication-factor 3", "only 1 broker"),
    (
        "kafkit topics create orders --partitions 6 --replication-factor 3",
        "eplication",
    ),
    ("kafkit topics create pinned --assignment", "broker"),
];

/// One example: its page, and the line.
#[derive(Clone, Debug)]
struct Example {
    page: String,
    line: String,
}

/// Every page that has a man page, with its help text's end.
fn pages(tree: &Tree, into: &mut Vec<(String, String)>) {
    let name = tree.get_display_name().unwrap_or(tree.get_name()).to_owned();
    let text = tree.get_after_help().map(ToString::to_string).unwrap_or_default();
    into.push((name, text));
    for command in tree
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        pages(command, into);
    }
}

/// The examples of a text: indented lines below `Examples:` or `EXAMPLES`, up to an empty line, continued lines joined, comments left out.
fn examples(text: &str) -> Vec<String> {
    let mut lines = text
        .lines()
        .skip_while(|line| !line.trim_end().eq_ignore_ascii_case("examples:") && *line != "EXAMPLES")
        .skip(1)
        .take_while(|line| line.starts_with("  "));
    let mut examples = Vec::new();
    while let Some(line) = lines.next() {
        let mut line = line.trim().to_owned();
        while let Some(begun) = line.strip_suffix('\\') {
            line = format!("{begun}{}", lines.next().unwrap_or_default().trim());
        }
        let end = line.find("   ").unwrap_or(line.len());
        line.truncate(end);
        // Not a command, but the name of one.
        if !line.contains('…') {
            examples.push(line);
        }
    }
    examples
}

fn all_examples() -> Vec<(String, Vec<String>)> {
    let mut tree = kafkit::cli::nouns::command_tree();
    tree.build();
    let mut texts = Vec::new();
    pages(&tree, &mut texts);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/help");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("kafkit-help-{}", path.file_stem().unwrap().to_string_lossy());
        texts.push((name, fs::read_to_string(&path).unwrap()));
    }
    texts
        .into_iter()
        .map(|(name, text)| (name, examples(&text)))
        .collect()
}

#[test]
fn every_page_has_examples() {
    let without: Vec<String> = all_examples()
        .into_iter()
        .filter(|(_, examples)| examples.is_empty())
        .map(|(page, _)| page)
        .collect();
    assert!(without.is_empty(), "pages without examples: {without:?}");
}

#[test]
fn every_example_runs_as_it_stands_there() {
    let mut left = all_examples();
    left.sort();
    let left = Mutex::new(left);
    let problems = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((page, lines)) = left.lock().unwrap().pop() else {
                        break;
                    };
                    let found = run_page(&page, &lines);
                    problems.lock().unwrap().extend(found);
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap();
    assert!(
        problems.is_empty(),
        "{} examples:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

/// What a page must find before its first example: a beginning of its name, and a line in bash.
const BEFORE: &[(&str, &str)] = &[
    (
        "kafkit-copy",
        "kafkit topics create web-orders orders-12 --partitions 8 -q",
    ),
    (
        "kafkit-diff",
        "kafkit topics create orders-copy --partitions 8 -q",
    ),
    (
        "kafkit-restore",
        "kafkit backup backups/monday -q; kafkit backup backups/shop 'shop-.*' --regex -q; kafkit topics delete orders shop-a --yes -q",
    ),
];

/// Pages whose examples only a broker answers that knows who asks: the beginning of their names.
const LOCKED: &[&str] = &["kafkit-tokens"];

/// How clients of such a broker log in.
const LOGIN: &str = "login.properties";

/// The delegation token that examples name.
const TOKEN: &str = "5hS2aXKbQ1uXbM8p1i2Wqg";

/// Runs the examples of a page in order, in one home; what went wrong.
fn run_page(page: &str, lines: &[String]) -> Vec<String> {
    let is_locked = LOCKED.iter().any(|begin| page.starts_with(begin));
    let cluster = if is_locked {
        Cluster::start_with_flags(&["--secure"], &[])
    } else {
        Cluster::start()
    };
    let suite = Suite::new();
    let address = cluster.bootstrap();
    prepare_programs(&suite);
    if is_locked {
        let login = fs::read(cluster.data_dir().join("client.properties")).unwrap();
        suite.file(LOGIN, login);
    }
    let mut setting = shell(&suite, &address, SETTING);
    setting.env("DATA", cluster.data_dir());
    let setting = outcome_of(setting, b"");
    assert_eq!(setting.code, Some(0), "the setting of {page}: {setting:?}");
    prepare_files(&suite, &address, lines);
    let other = is_about_two(lines).then(Cluster::start);
    let other = other.as_ref().map_or_else(|| address.clone(), Cluster::bootstrap);
    let archive = format!("[profile.archive]\nbootstrap.servers = \"{other}\"\n");
    let config = suite.home().join("config/kafkit/config.toml");
    let profiles = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{profiles}{archive}")).unwrap();
    for (_, line) in BEFORE.iter().filter(|(begin, _)| page.starts_with(begin)) {
        outcome_of(shell(&suite, &address, line), b"").succeeds();
    }
    let mut problems = Vec::new();
    for line in lines {
        suite.file("plan.json", PLAN);
        let example = Example {
            page: page.to_owned(),
            line: line.clone(),
        };
        let outcome = run_example(&suite, [&address, &other], &example);
        problems.extend(verdict(&example, &outcome));
    }
    if lines.iter().any(|line| line.starts_with("kafkit broker st")) {
        outcome_of(
            shell(
                &suite,
                "mini",
                "kafkit broker stop -q; kafkit broker stop -q --data-dir tmp/k",
            ),
            b"",
        );
    }
    problems
}

/// Whether a page speaks of a second cluster.
fn is_about_two(lines: &[String]) -> bool {
    let names = ["--to ", "archive", "new:9092"];
    lines.iter().any(|line| {
        names.iter().any(|name| line.contains(name))
            && !line.contains("groups reset")
            && !line.contains("records delete")
    })
}

/// Profiles, a project and the settings of a broker, as far as the examples do not make them themselves.
fn prepare_files(suite: &Suite, address: &str, lines: &[String]) {
    let mut profiles = format!(
        "default-profile = \"mine\"\n[profile.mine]\nbootstrap.servers = \"{address}\"\nsasl.password = \"x\"\n"
    );
    for name in PROFILES {
        let is_made = |line: &String| {
            line.contains(&format!("profile create {name}"))
                || line.contains("profile import") && line.ends_with(&format!(" {name}"))
        };
        if !lines.iter().any(is_made) {
            let _ = write!(profiles, "[profile.{name}]\nbootstrap.servers = \"{address}\"\n");
        }
    }
    suite.file("config/kafkit/config.toml", profiles);
    let project = format!("[profile.default]\nbootstrap.servers = \"{address}\"\n");
    suite.file("src/shop/.kafkit.toml", &project);
    if lines.iter().any(|line| line == "kafkit profile trust") {
        suite.file(".kafkit.toml", &project);
    }
    let log_dirs = suite.home().join("k");
    let properties = format!(
        "log.dirs={}\nlisteners=PLAINTEXT://127.0.0.1:0\n",
        log_dirs.display()
    );
    suite.file("config/server.properties", properties);
}

/// Runs an example, with addresses and folders of the test's own. What an example makes is taken away before, where it is
/// there already, and is there behind it for those that follow.
fn run_example(suite: &Suite, [address, other]: [&str; 2], example: &Example) -> Outcome {
    let home = suite.home().display();
    let mut line = example.line.clone();
    for name in [
        "kafka1:9092,kafka2:9092",
        "kafka1:9093",
        "kafka1:9092",
        "old:9092",
    ] {
        line = line.replace(name, address);
    }
    for name in ["kafka2:9092", "new:9092"] {
        line = line.replace(name, other);
    }
    for (folder, own) in [
        ("/tmp/k", format!("{home}/tmp/k")),
        ("/etc/kafka", home.to_string()),
        ("/opt/kafka/bin", format!("{home}/opt")),
        ("/var/lib/kafka/data", format!("{home}/orders-0")),
        ("/backups", format!("{home}/backups")),
        ("0.0.0.0:9092", "127.0.0.1:0".to_owned()),
    ] {
        line = line.replace(folder, &own);
    }
    if ["kafkit broker", "kafkit broker --nodes 3 --racks a,b,c"].contains(&line.as_str()) {
        // Port 9092 may be another's.
        line.push_str(" --listen 127.0.0.1:0");
        if line.contains("--nodes") {
            line.push_str(" --data-dir three");
        }
    }
    if line.starts_with("kafkit broker st") {
        let start =
            "kafkit topics list -q -b mini > /dev/null; kafkit topics list -q -b mini:tmp/k > /dev/null";
        line = format!("{start}; {line}");
    }
    if line.starts_with("kafkit topics create orders") {
        let after = "code=$?; kafkit topics create orders --partitions 8 --if-not-exists -q; exit $code";
        line = format!("kafkit topics delete orders --yes -q; {line}; {after}");
    }
    if example.line.contains(TOKEN) {
        // An id that begins with a dash is one to write otherwise.
        let create = "kafkit tokens create -o json | sed -n 's/.*\"token\": *\"\\([^\"]*\\)\".*/\\1/p'";
        let before =
            format!("for _ in 1 2 3 4 5; do id=$({create}); case $id in -*) ;; *) break ;; esac; done");
        line = format!("set -e; {before}; {}", line.replace(TOKEN, "\"$id\""));
    }
    if example.line.contains("kafkit users create alice") {
        let after =
            "code=$?; kafkit users create alice --password-file alice.password -q 2> /dev/null; exit $code";
        line = format!("kafkit users delete alice --if-exists --yes -q; {line}; {after}");
    }
    if ENDLESS.contains(&example.line.as_str()) {
        line = format!("timeout -s INT 3 {line}");
    }
    outcome_of(shell(suite, address, &line), b"")
}

/// What is wrong with how an example ended.
fn verdict(example: &Example, outcome: &Outcome) -> Option<String> {
    let Example { page, line } = example;
    let is_endless = ENDLESS.contains(&line.as_str());
    let otherwise = OTHERWISE.iter().find(|(begin, _)| line.starts_with(begin));
    let would_ask = outcome.stderr.contains("without a terminal say --yes")
        || outcome.stderr.contains("there is no terminal to ask on");
    let is_fine = match (outcome.code, otherwise) {
        (Some(0), None) => true,
        (Some(124 | 130), _) => is_endless,
        (Some(2), None) => would_ask,
        (Some(1..=5), Some((_, part))) => outcome.stderr.contains(part),
        _ => false,
    };
    let (code, stderr) = (outcome.code, &outcome.stderr);
    (!is_fine).then(|| format!("{page}: $ {line}\n    exit {code:?}: {stderr}"))
}

fn prepare_programs(suite: &Suite) {
    for (name, script) in STAND_INS {
        let path = suite.file(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = suite.file("run-tests.sh", "#!/bin/sh\ntrue\n");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kafkit"), suite.home().join("bin/kafkit")).unwrap();
}

/// A line in bash, in the home of the suite, on its broker.
fn shell(suite: &Suite, address: &str, line: &str) -> Command {
    let template = suite.command([] as [&str; 0]);
    let mut shell = Command::new("bash");
    let path = std::env::var("PATH").unwrap_or_default();
    shell
        .args(["-o", "pipefail", "-c", line])
        .current_dir(suite.home())
        .env_clear()
        .envs(
            template
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env("PATH", format!("{}:{path}", suite.home().join("bin").display()))
        .env("NEW_PASSWORD", "another-password")
        .env("SHELL", "/bin/bash")
        .env("KAFKIT_BOOTSTRAP_SERVERS", address);
    let login = suite.home().join(LOGIN);
    if login.is_file() {
        shell.env("KAFKIT_COMMAND_CONFIG", login);
    }
    shell
}

#[test]
fn examples_are_found_in_a_text() {
    let text = "Places:\n  x\n\nExamples:\n  a b      what it does\n  c \\\n      d\n  e …\n\nMore";
    assert_eq!(examples(text), ["a b", "c d"]);
}
