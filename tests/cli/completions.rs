//! Do the shells get what a word can become, whatever the cluster is doing?
//!
//! The shells themselves are asked: the tab key is pressed on a pseudo terminal, and the shell prints the words that the
//! line has then.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::support::cluster::Cluster;
use crate::support::gate::Gate;
use crate::support::prompt::{Prompt, shells};
use crate::support::suite::{Suite, outcome_of};
use crate::support::terminal::Terminal;
use crate::support::wait::wait_until;

/// What bash is offered for the word at the end of a line without quotes, as our script asks.
fn offered(suite: &Suite, line: &str) -> Vec<String> {
    let word = line.rsplit(' ').next().unwrap_or_default();
    let mut command = suite.command([word, line]);
    command.env("KAFKIT_COMPLETE", "bash");
    let outcome = outcome_of(command, b"").succeeds();
    assert_eq!(outcome.stderr, "", "{line}");
    outcome.stdout().lines().skip(1).map(str::to_owned).collect()
}

/// The same once the broker, which may be late on a busy machine, has answered.
#[track_caller]
fn offers(suite: &Suite, line: &str, wanted: &[&str]) {
    let mut found = Vec::new();
    for _ in 0..100 {
        found = offered(suite, line);
        if found == wanted {
            return;
        }
    }
    panic!("{line}: {found:?}, not {wanted:?}");
}

#[test]
fn names_of_the_cluster_wherever_they_are_wanted() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let b = format!("-b {}", cluster.bootstrap());
    let run = |words: &str| suite.run(format!("{words} {b}").split(' ')).succeeds();
    run("topics create orders orders-dlq -p 3");
    run("topics create users");
    let input = "a\nb\n";
    suite
        .run_with_input(
            format!("produce users -H trace-id=7 -H source=web {b}").split(' '),
            input,
        )
        .succeeds();
    run("consume users -e --group billing");
    run("users create alice --password-env HOME");
    for topic in [
        "consume",
        "produce",
        "topics delete",
        "topics describe",
        "describe topic",
        "offsets",
        "reassign plan",
    ] {
        offers(
            &suite,
            &format!("kafkit {topic} {b} or"),
            &["orders", "orders-dlq"],
        );
    }
    for (line, wanted) in [
        ("describe group B ", &["billing"][..]),
        ("consume users B -g bi", &["billing"]),
        ("describe broker B ", &["1"]),
        ("reassign plan B --drain ", &["1"]),
        ("consume B orders -p ", &["0", "1", "2"]),
        ("consume B orders -p 0,", &["0,1", "0,2"]),
        ("offsets B orders:1,", &["orders:1,0", "orders:1,2"]),
        ("consume B users --header ", &["source", "trace-id"]),
        ("produce B users -H s", &["source="]),
        ("users delete B ", &["alice"]),
        ("acls list B User:", &["User:alice"]),
        ("acls list B al", &["alice"]),
        ("configs set B broker ", &["1", "default"]),
        ("configs set B broker 1 log.cleaner.en", &["log.cleaner.enable="]),
        (
            "configs set B broker 1 log.cleaner.enable=",
            &["log.cleaner.enable=false", "log.cleaner.enable=true"],
        ),
        (
            "kafka-topics --bootstrap-server A --describe --topic or",
            &["orders", "orders-dlq"],
        ),
        (
            "kafka-consumer-groups --bootstrap-server A --group ",
            &["billing"],
        ),
        (
            "kafka-configs --bootstrap-server A --entity-type brokers --entity-name ",
            &["1", "default"],
        ),
        (
            "kafka-console-consumer --bootstrap-server=A --topic us",
            &["users"],
        ),
    ] {
        let line = line.replace('B', &b).replace('A', &cluster.bootstrap());
        offers(&suite, &format!("kafkit {line}"), wanted);
    }
}

#[test]
fn words_that_need_no_cluster() {
    let suite = Suite::new();
    suite.file(
        "config/kafkit/config.toml",
        "[profile.prod]\nbootstrap.servers = \"a:1\"\n[profile.test]\nbootstrap.servers = \"b:1\"\n",
    );
    for (line, wanted) in [
        (
            "topics alter t -c cleanup.policy=",
            &["cleanup.policy=compact", "cleanup.policy=delete"][..],
        ),
        (
            "topics alter t -c cleanup.policy=compact,",
            &["cleanup.policy=compact,delete"],
        ),
        ("topics create t -c compression.type=l", &["compression.type=lz4"]),
        ("consume t -o ea", &["earliest"]),
        ("consume t --isolation read_c", &["read_committed"]),
        ("consume t -X isolation.le", &["isolation.level="]),
        (
            "consume t -X security.protocol=SASL_",
            &["security.protocol=SASL_PLAINTEXT", "security.protocol=SASL_SSL"],
        ),
        ("produce t -z z", &["zstd"]),
        ("broker -X compression.type=p", &["compression.type=producer"]),
        ("broker -X auto.create", &["auto.create.topics.enable="]),
        (
            "kafka-configs --alter --add-config retention.ms=1,cleanup.p",
            &["retention.ms=1,cleanup.policy="],
        ),
        ("topics list --profile ", &["prod", "test"]),
        ("acls add alice --operation describe-c", &["describe-configs"]),
        ("quotas set --user a producer", &["producer_byte_rate="]),
        (
            "kafka-leader-election --election-type ",
            &["PREFERRED", "UNCLEAN"],
        ),
        (
            "kafka-topics --create --config cleanup.policy=c",
            &["cleanup.policy=compact"],
        ),
        (
            "kafka-topics --rep",
            &["--replication-factor", "--replica-assignment"],
        ),
        ("kafka-transactions find", &["find-hanging"]),
        ("kafka-repl", &[]),
        ("kafka-reassign", &["kafka-reassign-partitions"]),
    ] {
        let mut found = offered(&suite, &format!("kafkit {line}"));
        let mut wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{line}");
    }
}

#[test]
fn a_cluster_that_does_not_answer_offers_nothing_and_says_nothing() {
    let suite = Suite::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        suite.home().join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    suite.file(
        "config/kafkit/config.toml",
        format!(
            "[profile.asks]\nbootstrap.servers = \"{address}\"\nsecurity.protocol = \"SASL_PLAINTEXT\"\n\
             sasl.mechanism = \"PLAIN\"\nsasl.username = \"a\"\nsasl.password = \"${{command:touch asked; echo b}}\"\n"
        ),
    );
    for line in [
        "kafkit consume -b 127.0.0.1:1 or".to_owned(),
        format!("kafkit consume -b {address} or"),
        "kafkit consume -b nonsense:x or".to_owned(),
        "kafkit consume --profile missing or".to_owned(),
        "kafkit consume --command-config missing or".to_owned(),
        "kafkit consume --command-config fifo or".to_owned(),
        "kafkit consume --profile asks or".to_owned(),
        "kafkit consume or".to_owned(),
    ] {
        assert!(offered(&suite, &line).is_empty(), "{line}");
    }
    assert!(!suite.home().join("asked").exists(), "no secret is looked up");
    assert!(!suite.home().join("data/kafkit").exists(), "no broker is started");
}

#[test]
fn names_stay_when_the_cluster_goes_and_only_their_user_can_read_them() {
    let mut cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    suite
        .run(["topics", "create", "orders", "-b", &address])
        .succeeds();
    let line = format!("kafkit consume -b {address} or");
    offers(&suite, &line, &["orders"]);
    cluster.stop();
    assert_eq!(offered(&suite, &line), ["orders"]);
    let folder = suite.home().join(".cache/kafkit/names");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in folder.read_dir().unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    // What is no file of names is as good as none.
    for entry in folder.read_dir().unwrap() {
        std::fs::write(entry.unwrap().path(), b"\xff\x00 nonsense").unwrap();
    }
    assert!(offered(&suite, &line).is_empty());
}

#[test]
fn a_slow_cluster_is_asked_behind_the_prompt() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    suite
        .run(["topics", "create", "orders", "-b", &cluster.bootstrap()])
        .succeeds();
    let gate = Gate::before(cluster.bootstrap());
    let line = format!("kafkit consume -b {} or", gate.address);
    assert!(offered(&suite, &line).is_empty());
    gate.open();
    // The question behind the prompt may have given up by then on a very busy machine; each question asks one.
    wait_until("the names are kept for another question", || {
        offered(&suite, &line) == ["orders"]
    });
}

#[test]
fn every_shell_completes_on_a_live_broker() {
    let cluster = Cluster::start();
    let b = format!("-b {}", cluster.bootstrap());
    for shell in shells() {
        let terminal = Terminal::new();
        let create = format!("kafkit topics create orders users -p 2 --if-not-exists {b}");
        terminal.run(&create).succeeds();
        for group in ["billing", "my group", "a:b $x"] {
            terminal.run(&format!("printf '1\\n' | kafkit produce users -q {b}; kafkit consume users -e --group '{group}' -q {b}"));
        }
        let mut prompt = Prompt::of(shell, &terminal);
        prompt.completes("kafkit topi", &["topics"]);
        prompt.completes(&format!("kafkit consume {b} or"), &["orders"]);
        prompt.completes(&format!("kafkit describe group {b} bil"), &["billing"]);
        prompt.completes(&format!("kafkit describe group {b} my"), &["my group"]);
        prompt.completes(&format!("kafkit describe group {b} a:b"), &["a:b $x"]);
        prompt.completes(&format!("kafkit describe broker {b} "), &["1"]);
        prompt.completes(
            &format!("kafkit topics alter orders {b} -c clean"),
            &["cleanup.policy="],
        );
        prompt.completes(
            &format!("kafkit topics alter orders {b} -c cleanup.policy=com"),
            &["cleanup.policy=compact"],
        );
        prompt.completes(
            &format!("kafkit consume orders {b} --isolation=read_c"),
            &["--isolation=read_committed"],
        );
        prompt.completes(&format!("kafkit offsets {b} orders:1,"), &["orders:1,0"]);
        prompt.completes(
            &format!(
                "kafkit kafka-topics --bootstrap-server={} --topic us",
                cluster.bootstrap()
            ),
            &["users"],
        );
        prompt.completes(
            &format!(
                "kafka-topics.sh --bootstrap-server {} --topic us",
                cluster.bootstrap()
            ),
            &["users"],
        );
        terminal.file("input lines.txt", "1\n");
        prompt.completes("kafkit produce orders inp", &["input lines.txt"]);
        prompt.completes(
            "kafkit topics list --command-config=inp",
            &["--command-config=input lines.txt"],
        );
        prompt.completes("kafkit dump-log input\\ li", &["input lines.txt"]);
    }
}

#[test]
fn every_shell_keeps_its_prompt_when_no_cluster_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    for shell in shells() {
        let terminal = Terminal::new();
        let mut prompt = Prompt::of(shell, &terminal);
        prompt.leaves("kafkit consume -b 127.0.0.1:1 or");
        prompt.leaves(&format!("kafkit consume -b {silent} or"));
        prompt.leaves("kafkit consume or");
    }
}

#[test]
fn every_shell_completes_the_topics_of_a_mini_broker_that_sleeps() {
    for shell in shells() {
        let terminal = Terminal::new();
        for number in 0..5000 {
            let folder = format!("data/kafkit/topic-{number:04}-0");
            terminal.folder(&folder);
        }
        terminal.folder("data/kafkit/unique-0");
        let mut prompt = Prompt::of(shell, &terminal);
        prompt.completes("kafkit consume un", &["unique"]);
        prompt.completes("kafkit consume topic-432", &["topic-432"]);
    }
}

/// bash with the tab key typed twice: behind `=` go values and no flags, and nothing is added that must be taken away.
#[test]
fn bash_completes_a_config_and_its_value() {
    let terminal = Terminal::new();
    let mut bash = terminal.start_on_a_screen("bash --noprofile --norc -i");
    bash.types("PS1=\"$ \"; source <(kafkit completions bash); echo rea\"\"dy\n");
    bash.prints_at_last("ready\r\n$ ");
    bash.types("kafkit topics alter orders -c clean\t");
    bash.prints_at_last("-c cleanup.policy=");
    bash.types("\t\t");
    bash.prints_at_last("compact  delete   \r\n$ kafkit topics alter orders -c cleanup.policy=");
    bash.types("com\t");
    bash.prints_at_last("cleanup.policy=compact ");
}

#[test]
fn scripts_are_installed_where_each_shell_looks() {
    for shell in shells() {
        let terminal = Terminal::new();
        let dry = terminal
            .run(&format!("kafkit completions install {shell} --dry-run"))
            .succeeds()
            .stdout();
        assert!(dry.starts_with("would write "), "{dry}");
        let shown = terminal
            .run(&format!("kafkit completions install {shell}"))
            .succeeds()
            .stdout();
        assert_eq!(
            shown
                .replace("wrote", "would write")
                .replace("linked", "would link"),
            dry
        );
        let script = shown
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("wrote "))
            .unwrap();
        let printed = terminal
            .run(&format!("kafkit completions {shell}"))
            .succeeds()
            .stdout();
        assert_eq!(std::fs::read_to_string(script).unwrap(), printed);
        // Again, and over a file of somebody else's.
        terminal
            .run(&format!("kafkit completions install {shell}"))
            .succeeds();
        std::fs::write(script, "# mine\n").unwrap();
        let refused = terminal.run(&format!("kafkit completions install {shell}"));
        refused
            .exits(1)
            .complains("is not of kafkit's making (--force replaces it)");
        terminal
            .run(&format!("kafkit completions install {shell} --force"))
            .succeeds();
    }
    let suite = Suite::new();
    suite
        .run(["completions", "install"])
        .exits(2)
        .complains("say bash, zsh or fish");
}

#[test]
fn fish_finds_what_was_installed_by_itself() {
    if !shells().contains(&"fish") {
        return;
    }
    let terminal = Terminal::new();
    terminal.run("kafkit completions install fish").succeeds();
    for (line, wanted) in [
        ("kafkit descr", "describe"),
        ("kafka-topics.sh --exclude", "--exclude-internal"),
    ] {
        let shown = terminal
            .run(&format!("fish -c \"complete -C '{line}'\""))
            .succeeds()
            .stdout();
        assert!(shown.starts_with(wanted), "{line}: {shown}");
    }
}

#[test]
fn zsh_finds_what_was_installed_once_the_line_is_added() {
    if !shells().contains(&"zsh") {
        return;
    }
    let terminal = Terminal::new();
    let shown = terminal.run("kafkit completions install zsh").succeeds().stdout();
    let lines: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(lines.len(), 2, "{shown}");
    terminal.file(
        ".zshrc",
        &format!(
            "{}\n",
            lines
                .join("\n")
                .replace("compinit && compinit", "compinit && compinit -u")
        ),
    );
    let mut prompt = Prompt::with_its_files("zsh -i", &terminal);
    prompt.completes("kafkit descr", &["describe"]);
    prompt.completes("kafka-topics.sh --exclude", &["--exclude-internal"]);
    // The shell need not be told again.
    let again = terminal.run("kafkit completions install zsh").succeeds().stdout();
    assert!(again.contains("zsh finds it by itself"), "{again}");
}
