//! Do the shells get live names?

use crate::support::cluster::Cluster;
use crate::support::suite::{Suite, outcome_of};
use crate::support::terminal::Terminal;

/// What bash is offered for the last word, with the words as our script hands them over.
fn offered(suite: &Suite, words: &[&str]) -> Vec<String> {
    let mut command = suite.command(["--"]);
    command
        .args(words)
        .env("COMPLETE", "bash")
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
        .env("_CLAP_COMPLETE_COMP_TYPE", "9")
        .env("_CLAP_COMPLETE_SPACE", "false");
    let outcome = outcome_of(command, b"").succeeds();
    outcome
        .stdout()
        .lines()
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn topics_wherever_a_topic_is_wanted() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    suite
        .run([
            "topics",
            "create",
            "orders",
            "orders-dlq",
            "users",
            "-b",
            &address,
        ])
        .succeeds();
    for before in [
        &["consume"][..],
        &["produce"],
        &["topics", "delete"],
        &["topics", "describe"],
        &["describe", "topic"],
    ] {
        let mut words = vec!["kafkit"];
        words.extend(before);
        words.extend(["-b", &address, "or"]);
        // On a busy machine the broker may be late for the shell; the names must come in the end.
        let found = (0..50).find_map(|_| Some(offered(&suite, &words)).filter(|names| !names.is_empty()));
        assert_eq!(found.unwrap_or_default(), ["orders", "orders-dlq"], "{words:?}");
    }
}

#[test]
fn a_cluster_that_does_not_answer_offers_nothing_and_says_nothing() {
    let suite = Suite::new();
    assert!(offered(&suite, &["kafkit", "consume", "-b", "127.0.0.1:1", "or"]).is_empty());
    assert!(
        offered(&suite, &["kafkit", "consume", "or"]).is_empty(),
        "no broker is started"
    );
}

/// Bash itself, with the tab key typed: behind `=` go values and no flags, and nothing is added that must be taken away.
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
