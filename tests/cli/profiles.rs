//! Do profiles say where commands go, and does no secret go where its owner has not sent it?

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite, outcome_of};
use crate::support::terminal::Terminal;

const CONFIG: &str = "config/kafkit/config.toml";

fn config_of(suite: &Suite) -> String {
    fs::read_to_string(suite.home().join(CONFIG)).unwrap()
}

/// Runs kafkit with more variables.
fn run_with(suite: &Suite, variables: &[(&str, &str)], words: &[&str]) -> Outcome {
    let mut command = suite.command(words);
    command.envs(variables.iter().copied());
    outcome_of(command, b"")
}

#[test]
fn a_profile_is_created_used_shown_and_deleted() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    suite
        .run(["profile", "list"])
        .succeeds()
        .complains("there are no profiles");
    suite
        .run([
            "profile",
            "create",
            "local",
            "-b",
            &address,
            "--description",
            "mine",
            "-X",
            "client.id=me",
        ])
        .succeeds();
    let mode = fs::metadata(suite.home().join(CONFIG))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    suite
        .run(["topics", "create", "t", "--profile", "local"])
        .succeeds();
    suite.run(["profile", "use", "local"]).succeeds();
    suite
        .run(["topics", "list", "-o", "name"])
        .succeeds()
        .prints("t\n");
    run_with(
        &suite,
        &[("KAFKIT_PROFILE", "local")],
        &["topics", "list", "-o", "name"],
    )
    .succeeds()
    .prints("t\n");
    suite
        .run(["profile", "create", "local"])
        .exits(1)
        .complains("already");
    let listed: Value =
        serde_json::from_str(&suite.run(["profile", "list", "-o", "json"]).succeeds().stdout()).unwrap();
    assert_eq!(listed[0]["brokers"], address.as_str());
    assert_eq!(listed[0]["used"], true);
    let shown = suite.run(["profile", "show", "-o", "tsv"]).succeeds().stdout();
    assert_eq!(
        shown,
        format!("KEY\tVALUE\ndescription\tmine\nbootstrap.servers\t{address}\nclient.id\tme\n")
    );
    suite
        .run(["profile", "delete", "local"])
        .exits(2)
        .complains("without a terminal say --yes");
    suite.run(["profile", "delete", "local", "--yes"]).succeeds();
    assert_eq!(config_of(&suite).trim(), "");
}

#[test]
fn a_key_that_nobody_knows_is_named_with_its_line_and_the_nearest() {
    let suite = Suite::new();
    let path = suite.file(CONFIG, "# mine\n[profile.default]\nsasl.usernam = \"x\"\n");
    let outcome = suite.run(["topics", "list"]).exits(6);
    assert_eq!(
        outcome.stderr,
        format!(
            "kafkit: {}:3: \"sasl.usernam\" is no setting of a Kafka client, nor a key of a profile (did you mean sasl.username?)\n",
            path.display()
        )
    );
    suite.file(CONFIG, "[profiles.default]\n");
    suite
        .run(["topics", "list"])
        .exits(6)
        .complains("config.toml:1: \"profiles\" is no table of this file; did you mean [profile.NAME]?");
    suite.file(CONFIG, "[profile.prod]\n");
    suite
        .run(["topics", "list", "--profile", "prd"])
        .exits(2)
        .complains("did you mean prod?");
    suite
        .run(["profile", "create", "x", "-X", "ackss=1"])
        .exits(2)
        .complains("did you mean acks?");
}

#[test]
fn comments_stay_when_a_profile_is_written() {
    let suite = Suite::new();
    let before = "# at the top\n\n[profile.a] # first\nacks = 1 # why not\n";
    suite.file(CONFIG, before);
    suite
        .run(["profile", "create", "b", "-b", "h:1", "--use"])
        .succeeds();
    let text = config_of(&suite);
    for comment in ["# at the top", "[profile.a] # first", "acks = 1 # why not"] {
        assert!(text.contains(comment), "{text}");
    }
    suite.run(["profile", "delete", "b", "--yes"]).succeeds();
    assert_eq!(config_of(&suite), before);
}

#[test]
fn only_an_edit_that_makes_sense_is_taken() {
    let suite = Suite::new();
    suite.file(CONFIG, "[profile.a]\nacks = 1\n");
    let edit = |editor: &str| run_with(&suite, &[("EDITOR", editor)], &["profile", "edit"]);
    edit("sed -i s/acks/ackss/")
        .exits(6)
        .complains("did you mean acks? nothing changed; `kafkit profile edit` goes on with your text");
    assert_eq!(config_of(&suite), "[profile.a]\nacks = 1\n");
    edit("sed -i s/ackss.*/acks=0/")
        .succeeds()
        .complains("config.toml changed");
    assert_eq!(config_of(&suite), "[profile.a]\nacks=0\n");
    edit("true").succeeds().complains("config.toml not changed");
    edit("false").exits(1).complains("the editor `false` failed");
    assert_eq!(config_of(&suite), "[profile.a]\nacks=0\n");
}

#[test]
fn the_explanation_says_where_each_value_is_from_and_shows_no_secret() {
    let suite = Suite::new();
    suite.file(
        "kafka.properties",
        "acks=0\nsasl.jaas.config=a.PlainLoginModule required username=\"me\" password=\"hunter2\";\n",
    );
    suite.file(
        CONFIG,
        "[profile.default]\nbootstrap.servers = \"a:1\"\ncommand-config = \"../../kafka.properties\"\nacks = \"all\"\n\
         sasl.password = \"hunter2\"\nssl.key.password = \"${command:echo hunter2 >> ran}\"\nclient.id = \"${env:WHO}\"\n",
    );
    let variables = [("KAFKIT_SASL_PASSWORD", "hunter2"), ("WHO", "me")];
    let explain = |words: &[&str]| {
        let outcome = run_with(&suite, &variables, &[&["config", "explain"], words].concat());
        assert!(!outcome.stderr.contains("hunter2"), "{outcome:?}");
        outcome
    };
    let text = explain(&["-X", "acks=1"]).succeeds().stdout();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let acks: Vec<_> = rows
        .iter()
        .filter(|row| row[0] == "acks")
        .map(|row| (row[1], row[2]))
        .collect();
    assert_eq!(acks.len(), 3, "{text}");
    assert_eq!(acks[0], ("1", "-X"));
    assert_eq!(acks[1].0, "0");
    assert_eq!(acks[2], ("all", "profile"));
    assert!(
        !text.replace("${command:echo hunter2", "").contains("hunter2"),
        "{text}"
    );
    let json: Value = serde_json::from_str(
        &explain(&["client.id", "sasl.password", "-o", "json"])
            .succeeds()
            .stdout(),
    )
    .unwrap();
    assert_eq!(
        (&json[0]["value"], &json[0]["reference"]),
        (&"me".into(), &"${env:WHO}".into())
    );
    assert_eq!(
        (&json[1]["value"], &json[1]["from"]),
        (&Value::Null, &"environment KAFKIT_SASL_PASSWORD".into())
    );
    assert_eq!(json[1]["replaces"][0]["kind"], "profile");
    assert!(
        !suite.home().join("ran").exists(),
        "an explanation runs no command"
    );
    explain(&["sasl.usernam"])
        .exits(5)
        .complains("did you mean sasl.username?");
}

#[test]
fn a_project_s_file_says_where_to_go_and_no_more() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    suite.file(
        CONFIG,
        "[profile.default]\nbootstrap.servers = \"127.0.0.1:1\"\nsasl.password = \"mine\"\n",
    );
    fs::create_dir_all(suite.home().join("repo/.git")).unwrap();
    fs::create_dir_all(suite.home().join("repo/deep")).unwrap();
    let project = |text: &str| suite.file("repo/.kafkit.toml", text);
    let in_repository = |variables: &[(&str, &str)], words: &[&str]| {
        let mut command = suite.command(words);
        command
            .current_dir(suite.home().join("repo/deep"))
            .envs(variables.iter().copied());
        outcome_of(command, b"")
    };
    let servers = format!("[profile.default]\nbootstrap.servers = \"{address}\"\n");
    project(&servers);
    in_repository(&[], &["topics", "create", "t"]).succeeds();
    // A secret of the user's goes to no address of a file that came with a repository.
    in_repository(&[("KAFKIT_SASL_PASSWORD", "mine")], &["topics", "list"])
        .exits(2)
        .complains(
            "KAFKIT_SASL_PASSWORD is not sent to an address of a project's file that you do not trust",
        );
    project(&format!(
        "{servers}client.id = \"${{command:touch ran; echo x}}\"\n"
    ));
    in_repository(&[], &["topics", "list"])
        .exits(2)
        .complains(".kafkit.toml:3: client.id takes its value from elsewhere, which a project's file may do only when you trust it");
    in_repository(&[], &["config", "explain"]).exits(2);
    in_repository(&[], &["profile", "trust"])
        .exits(2)
        .complains("without a terminal say --yes");
    assert!(!suite.home().join("repo/deep/ran").exists());
    in_repository(&[], &["profile", "trust", "--yes"]).succeeds();
    in_repository(&[], &["topics", "list", "-o", "name"])
        .succeeds()
        .prints("t\n");
    assert!(suite.home().join("repo/deep/ran").exists());
    // Another content has to be looked at again.
    project(&format!("{servers}client.id = \"${{command:echo y}}\"\n"));
    in_repository(&[], &["topics", "list"])
        .exits(2)
        .complains("kafkit profile trust");
    in_repository(&[], &["profile", "trust", "--yes"]).succeeds();
    in_repository(&[], &["profile", "trust", "--revoke"]).succeeds();
    in_repository(&[], &["topics", "list"]).exits(2);
    // Elsewhere the user's own file holds.
    suite
        .run(["profile", "list", "-o", "name"])
        .succeeds()
        .prints("default\n");
}

#[test]
fn a_value_that_stands_elsewhere_is_looked_up_when_it_is_needed() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    suite.file("address", format!("{address}\n"));
    for (reference, variables) in [
        ("${env:WHERE}".to_owned(), vec![("WHERE", address.as_str())]),
        ("${file:../../address}".to_owned(), vec![]),
        ("${file:~/address}".to_owned(), vec![]),
        (format!("${{command:echo {address}}}"), vec![]),
    ] {
        suite.file(
            CONFIG,
            format!("[profile.default]\nbootstrap.servers = \"{reference}\"\n"),
        );
        run_with(&suite, &variables, &["topics", "list"]).succeeds();
    }
    let failing = "[profile.default]\nbootstrap.servers = \"${command:touch ran; exit 3}\"\n";
    suite.file(CONFIG, failing);
    suite
        .run(["topics", "list"])
        .exits(2)
        .complains("profile default: bootstrap.servers: ${command:touch ran; exit 3}: the command failed: exit status: 3");
    fs::remove_file(suite.home().join("ran")).unwrap();
    suite.run(["topics", "list", "-b", &address]).succeeds();
    assert!(
        !suite.home().join("ran").exists(),
        "a stronger setting replaces it"
    );
    suite
        .run(["topics", "list", "-b", &address, "-X", "client.id=${prompt:Who}"])
        .exits(2)
        .complains("there is no terminal to ask on");
}

#[test]
fn a_secret_is_typed_unseen_and_ctrl_c_leaves_the_terminal_as_it_was() {
    let terminal = Terminal::new();
    let line = "kafkit profile create p -b h:1 --ask sasl.password && kafkit profile show -o tsv p";
    let mut screen = terminal.start_on_a_screen(line);
    screen.prints_until("sasl.password: ");
    screen.types("hunterX\u{7f}2\n");
    screen.prints_until("sasl.password\t[hidden]");
    let written = fs::read_to_string(terminal.home().join(CONFIG)).unwrap();
    assert!(written.contains("sasl.password = \"hunter2\""), "{written}");
    let line =
        "kafkit profile create q --ask sasl.password; echo \"exit $?\"; stty -a | grep -o \"[-]*echo \"";
    let mut screen = terminal.start_on_a_screen(line);
    screen.prints_until("sasl.password: ");
    screen.types("\u{3}");
    screen.prints_until("exit 130\r\necho ");
}

#[test]
fn the_prompt_is_a_word_or_nothing() {
    let suite = Suite::new();
    suite.run(["profile", "prompt"]).succeeds().prints("");
    suite.file(CONFIG, "default-profile = \"prod\"\n[profile.prod]\nbootstrap.servers = \"a:1\"\ncolor = \"red\"\nsasl.password = \"${command:touch ran}\"\n");
    suite.run(["profile", "prompt"]).succeeds().prints("prod");
    suite
        .run(["profile", "prompt", "-f", "(%n at %b) ", "--shell", "fish"])
        .succeeds()
        .prints("\u{1b}[31m(prod at a:1) \u{1b}[0m");
    run_with(
        &suite,
        &[("KAFKIT_BOOTSTRAP_SERVERS", "b:2")],
        &["profile", "prompt"],
    )
    .succeeds()
    .prints("b:2");
    for broken in ["[", "[profile.x]\n", "default-profile = \"nobody\"\n"] {
        suite.file(CONFIG, broken);
        let outcome = suite.run(["profile", "prompt"]).succeeds().prints("");
        assert_eq!(outcome.stderr, "", "{broken}");
    }
    assert!(!suite.home().join("ran").exists());
}

#[test]
fn files_of_other_programs_become_profiles() {
    let suite = Suite::new();
    let import = |words: &[&str]| suite.run([&["profile", "import"], words].concat());
    suite.file(
        "client.properties",
        "bootstrap.servers=a\\:1\nsasl.password=hunter2\nmine.own=1\n",
    );
    suite.file("kcat.conf", "# c\nmetadata.broker.list=b:2\n");
    suite.file("rpk.yaml", "current_profile: r1\nprofiles:\n  - name: r1\n    kafka_api:\n      brokers: [c:3]\n      tls: {ca_file: ca.pem}\n  - name: r2\n    kafka_api: {brokers: [d:4]}\n");
    suite.file(
        "config.yml",
        "contexts:\n  k1:\n    brokers: [e:5]\n    sasl: {enabled: true, username: u, password: hunter2}\n",
    );
    let dry = import(&["client.properties", "prod", "--dry-run"]).succeeds();
    assert_eq!(
        dry.stdout(),
        "[profile.prod]\nbootstrap.servers = \"a:1\"\nsasl.password = \"[hidden]\"\n"
    );
    assert!(
        dry.stderr.contains("client.properties:3: mine.own is no setting"),
        "{dry:?}"
    );
    assert!(!suite.home().join(CONFIG).exists());
    import(&["client.properties", "prod"]).succeeds();
    import(&["client.properties", "prod"])
        .exits(1)
        .complains("--force replaces it");
    import(&["client.properties", "prod", "--force"]).succeeds();
    import(&["kcat.conf"]).succeeds();
    import(&["rpk.yaml"])
        .succeeds()
        .complains("`kafkit profile use r1`");
    import(&["config.yml", "k", "--only", "k1"]).succeeds();
    let listed = suite.run(["profile", "list", "-o", "json"]).succeeds().stdout();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let rows: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row["brokers"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            ("prod", "a:1"),
            ("kcat", "b:2"),
            ("r1", "c:3"),
            ("r2", "d:4"),
            ("k", "e:5")
        ]
    );
    let ca = format!("ssl.ca.location = \"{}\"", suite.home().join("ca.pem").display());
    assert!(
        config_of(&suite).contains(&ca),
        "a path is found from anywhere: {}",
        config_of(&suite)
    );
    suite.file("x", "a\n");
    import(&["x"])
        .exits(2)
        .complains("--format java, kcat, rpk or kafkactl says it");
    import(&["x", "--format", "rpk"]).exits(6);
    import(&["nothing.properties"]).exits(5);
    import(&["rpk.yaml", "--only", "r3"])
        .exits(5)
        .complains("there are r1, r2");
}
