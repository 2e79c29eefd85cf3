//! A secret that was planted in settings, files and passwords shows in nothing that is printed, and in no file of the
//! broker.

use std::fs;
use std::path::Path;

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};
use crate::support::wait::wait_until;

const PLANTED: &str = "hunter2hunter2";
const MODULES: &str = "org.apache.kafka.common.security";

fn shows(bytes: &[u8]) -> bool {
    bytes
        .windows(PLANTED.len())
        .any(|part| part == PLANTED.as_bytes())
}

/// Insists that neither stdout nor stderr shows it.
#[track_caller]
fn hides(outcome: &Outcome) {
    let is_shown = shows(&outcome.stdout) || shows(outcome.stderr.as_bytes());
    assert!(!is_shown, "{outcome:?}");
}

fn client(protocol: &str, mechanism: &str, module: &str) -> String {
    format!("security.protocol={protocol}\nsasl.mechanism={mechanism}\nsasl.jaas.config={MODULES}.{module}\n")
}

/// Client settings that are wrong in many ways, each with the secret in it.
fn wrong_clients() -> Vec<String> {
    let plain = |rest: &str| {
        client(
            "SASL_PLAINTEXT",
            "PLAIN",
            &format!("plain.PlainLoginModule required {rest}"),
        )
    };
    let login = |user: &str| format!("username=\"{user}\" password=\"{PLANTED}\";");
    let scram =
        |more: &str| format!("scram.ScramLoginModule required username=\"x\" password=\"{PLANTED}\"{more};");
    let bearer = format!("oauthbearer.OAuthBearerLoginModule required clientSecret=\"{PLANTED}\";");
    vec![
        plain(&login("alice")),
        plain(&format!("username=\"alice\" password=\"{PLANTED}\"")),
        plain(&format!("username=\"alice\" password=1{PLANTED};")),
        plain(&format!("password=\"{PLANTED}\";")),
        client(
            "SASL_PLAINTEXT",
            "GSSAPI",
            &format!("plain.PlainLoginModule required {}", login("alice")),
        ),
        client(
            "SASL_SSL",
            "PLAIN",
            &format!("plain.PlainLoginModule required {}", login("alice")),
        ),
        client("SASL_PLAINTEXT", "SCRAM-SHA-256", &scram("")),
        client("SASL_PLAINTEXT", "SCRAM-SHA-512", &scram(" tokenauth=\"true\"")),
        client("SASL_PLAINTEXT", "OAUTHBEARER", &bearer),
        client("SASL_PLAINTEXT", "OAUTHBEARER", &bearer)
            + "sasl.oauthbearer.token.endpoint.url=http://127.0.0.1:1/\n",
        format!("security.protocol=SSL\nssl.keystore.location=/nowhere\nssl.keystore.password={PLANTED}\n"),
        format!("security.protocol=SSL\nssl.keystore.key={PLANTED}\nssl.key.password={PLANTED}\n"),
    ]
}

#[test]
fn clients_keep_it_to_themselves() {
    let users = format!(
        "listener.name.sasl_plaintext.plain.sasl.jaas.config={MODULES}.plain.PlainLoginModule required user_alice=\"other\";"
    );
    let settings = [
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        &users,
    ];
    let cluster = Cluster::start_listening(&["SASL_PLAINTEXT://127.0.0.1:0"], &settings);
    let suite = Suite::new();
    let address = cluster.bootstrap();
    for text in wrong_clients() {
        let file = suite.file("client.properties", &text).display().to_string();
        let native = ["-b", &address, "--command-config", &file, "--timeout", "3s"];
        for words in [
            &["topics", "list", "-v"][..],
            &["consume", "t", "-e", "-v"],
            &["consume", "t", "-e", "-v", "--group", "g"],
            &["produce", "t", "-v", "-X", "transactional.id=x"],
            &["doctor", "-v"],
            &["config", "explain"],
        ] {
            hides(&suite.run_with_input([words, &native].concat(), "a\n"));
        }
        let java = ["--bootstrap-server", &address, "--command-config", &file];
        hides(&suite.run([&["kafka-delegation-tokens", "--describe"][..], &java].concat()));
    }
    wait_until("refused logins", || {
        cluster.said().iter().any(|line| line.contains("refused"))
    });
    assert!(!shows(cluster.said().join("\n").as_bytes()));
}

#[test]
fn a_broker_keeps_it_to_itself() {
    let suite = Suite::new();
    let users = format!("{MODULES}.plain.PlainLoginModule required user_alice=\"{PLANTED}\"");
    let properties = format!(
        "listeners=PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:0\nsasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256\n\
         listener.name.sasl_plaintext.plain.sasl.jaas.config={users};\nssl.key.password={PLANTED}\n\
         delegation.token.secret.key={PLANTED}\nlog.dirs=data\n"
    );
    suite.file("server.properties", &properties);
    suite.file("password", PLANTED);
    let said = || {
        fs::File::options()
            .create(true)
            .append(true)
            .open(suite.home().join("said"))
            .expect("a file")
    };
    let mut broker = suite
        .command("broker --config server.properties --log --ready-file ready.json".split(' '))
        .stdout(said())
        .stderr(said())
        .spawn()
        .expect("a broker");
    wait_until("the broker listens", || suite.home().join("ready.json").is_file());
    let ready = fs::read(suite.home().join("ready.json")).expect("its address");
    let ready: serde_json::Value = serde_json::from_slice(&ready).expect("JSON");
    let addresses = ready["bootstrap_servers"].as_str().expect("addresses");
    let (plain, locked) = addresses.split_once(',').expect("two addresses");
    let login = "-X security.protocol=SASL_PLAINTEXT -X sasl.mechanism=PLAIN -X sasl.username=alice \
                 -X sasl.password=${file:password}";
    for words in [
        "users create bob --mechanism scram-sha-256 --password-file password",
        "configs get broker 1 --all",
        "describe broker",
    ] {
        hides(&suite.run(format!("{words} -b {plain}").split(' ')).succeeds());
    }
    let describe = "kafka-configs --describe --all --entity-type brokers --entity-name 1 --bootstrap-server";
    let described = suite.run(format!("{describe} {plain}").split(' ')).succeeds();
    hides(&described);
    assert!(
        described
            .stdout()
            .contains("delegation.token.secret.key=null sensitive=true"),
        "{described:?}"
    );
    for words in ["produce t", "tokens create", "tokens list"] {
        let words = format!("{words} -b {locked} {login}");
        hides(&suite.run_with_input(words.split_whitespace(), "a\n").succeeds());
    }
    for what in ["cmdline", "environ"] {
        let bytes = fs::read(format!("/proc/{}/{what}", broker.id())).expect("what the system knows");
        assert!(!bytes.is_empty() && !shows(&bytes), "{what}");
    }
    broker.kill().expect("a broker to kill");
    broker.wait().expect("its end");
    assert!(!shows(&fs::read(suite.home().join("said")).expect("its words")));
    no_file_shows_it(&suite);
    wrong_settings_are_told_without_it(&suite, &properties);
}

fn no_file_shows_it(suite: &Suite) {
    let mut files = Vec::new();
    all_files(&suite.home().join("data"), &mut files);
    assert!(!files.is_empty());
    for file in files {
        assert!(!shows(&fs::read(&file).unwrap_or_default()), "{}", file.display());
    }
}

fn wrong_settings_are_told_without_it(suite: &Suite, properties: &str) {
    for (right, wrong) in [
        (";\nssl", "\nssl"),
        ("user_alice=", "user_alice "),
        ("plain.PlainLoginModule", "plain.Other"),
    ] {
        suite.file("server.properties", properties.replacen(right, wrong, 1));
        let refused = suite.run(["broker", "--config", "server.properties"]);
        hides(&refused);
        assert_ne!(refused.code, Some(0), "{refused:?}");
    }
}

fn all_files(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all_files(&path, files);
        } else {
            files.push(path);
        }
    }
}
