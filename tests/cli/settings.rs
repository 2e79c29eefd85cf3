//! Is each setting honoured, refused, or named as ignored, wherever it stands?

use crate::support::cluster::Cluster;
use crate::support::suite::Suite;

const HINT: &str = "(write HOST:PORT[,HOST:PORT…], or `mini` for the mini broker)";

/// Every native command that talks to a cluster.
const COMMANDS: &[&[&str]] = &[
    &["topics", "list"],
    &["topics", "delete", "t", "--yes"],
    &["describe", "cluster"],
    &["describe", "log-dirs"],
    &["produce", "t"],
    &["consume", "t", "-e"],
    &["reassign", "list"],
];

#[test]
fn an_address_that_cannot_be_is_a_usage_error_in_every_command() {
    let suite = Suite::new();
    for (address, why) in [
        ("127.0.0.1:99999", "a port is a number from 1 to 65535"),
        ("h:abc", "a port is a number from 1 to 65535"),
        ("h:", "after the colon comes a port"),
        ("h:9092/path", "a port is a number from 1 to 65535"),
        ("h x:9092", "a host's name has letters, digits, dots and hyphens"),
        ("::1:9092", "an IPv6 address stands in brackets, as in [::1]:9092"),
        (
            "http://h:9092",
            "in front of :// only PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL can be",
        ),
    ] {
        for command in COMMANDS {
            let outcome = suite.run(command.iter().chain(&["-b", address])).exits(2);
            assert_eq!(
                outcome.stderr,
                format!("kafkit: --bootstrap-server: \"{address}\" is no broker address: {why} {HINT}\n")
            );
        }
    }
    for empty in ["", " ", ","] {
        let outcome = suite.run(["consume", "t", "-e", "-b", empty]).exits(2);
        let expected = format!("kafkit: --bootstrap-server: no broker address is given {HINT}\n");
        assert_eq!(outcome.stderr, expected, "{empty:?}");
    }
}

#[test]
fn an_address_that_cannot_be_is_named_with_its_place() {
    let suite = Suite::new();
    for variable in ["KAFKIT_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS"] {
        let mut command = suite.command(["topics", "list"]);
        command.env(variable, "a:1,b:x");
        let outcome = crate::support::suite::outcome_of(command, b"").exits(2);
        assert!(
            outcome
                .stderr
                .starts_with(&format!("kafkit: {variable}: \"b:x\" is no broker")),
            "{outcome:?}"
        );
    }
    suite.file(
        "config/kafkit/config.toml",
        "[profile.default]\nbootstrap.servers = \"a:0\"\n",
    );
    let outcome = suite.run(["topics", "list"]).exits(2);
    assert!(
        outcome
            .stderr
            .starts_with("kafkit: profile default: bootstrap.servers: \"a:0\" is no"),
        "{outcome:?}"
    );
    let file = suite.file("client.properties", "\nbootstrap.servers=a:b\n");
    let outcome = suite
        .run(["topics", "list", "--command-config", file.to_str().unwrap()])
        .exits(2);
    assert!(
        outcome
            .stderr
            .contains("client.properties line 2: bootstrap.servers: \"a:b\" is no"),
        "{outcome:?}"
    );
}

#[test]
fn a_protocol_before_an_address_is_taken_or_contradicts() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    let plain = format!("PLAINTEXT://{address}");
    suite.run(["topics", "list", "-b", &plain]).succeeds();
    suite
        .run_with_input(["produce", "t", "-b", &plain], "a\n")
        .succeeds();
    suite
        .run(["consume", "t", "-e", "-q", "-b", &plain])
        .succeeds()
        .prints("a\n");
    for command in [
        &["topics", "list"][..],
        &["consume", "t", "-e"],
        &["produce", "t"],
    ] {
        let tls = format!("SSL://{address}");
        let outcome = suite
            .run(
                command
                    .iter()
                    .chain(&["-X", "security.protocol=PLAINTEXT", "-b", &tls]),
            )
            .exits(2);
        assert_eq!(
            outcome.stderr,
            "kafkit: --bootstrap-server: SSL:// contradicts -X security.protocol=PLAINTEXT\n"
        );
        // A plain listener does not answer TLS: nothing is sent or read over a connection weaker than was asked for.
        let over_tls = ["-b", &tls, "-X", "socket.connection.setup.timeout.ms=500"];
        let outcome = suite.run_with_input(command.iter().chain(&over_tls), "a\n");
        assert_ne!(outcome.code, Some(0), "{outcome:?}");
    }
}

#[test]
fn settings_of_another_command_are_named() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    let noted = |words: &[&str]| suite.run(words.iter().chain(&["-b", &address])).succeeds().stderr;
    suite.run(["topics", "create", "t", "-b", &address]).succeeds();
    for (words, line) in [
        (
            &["topics", "list", "-X", "acks=1"][..],
            "kafkit: -X acks is ignored: it is for sending or reading records\n",
        ),
        (
            &["consume", "t", "-e", "-X", "linger.ms=1"],
            "kafkit: -X linger.ms is ignored: it is for sending records\n",
        ),
        (
            &["consume", "t", "-e", "-X", "session.timeout.ms=9000"],
            "kafkit: -X session.timeout.ms is ignored: it is for members of a group (--group)\n",
        ),
        (
            &["consume", "t", "-e", "-X", "max.poll.records=1"],
            "kafkit: -X max.poll.records is ignored: it has no effect here\n",
        ),
        (
            &["consume", "t", "-e", "-X", "queued.min.messages=9"],
            "kafkit: -X queued.min.messages is ignored: it is for members of a group (--group)\n",
        ),
        (&["consume", "t", "-e", "-X", "fetch.wait.max.ms=9"], ""),
        (
            &["produce", "t", "-q", "-X", "transaction.timeout.ms=9000"],
            "kafkit: -X transaction.timeout.ms is ignored: it is for transactions (transactional.id)\n",
        ),
        (
            &[
                "produce",
                "t",
                "-q",
                "-X",
                "partitioner.ignore.keys=true",
                "-X",
                "send.buffer.bytes=70000",
            ],
            "",
        ),
    ] {
        assert_eq!(noted(words), line, "{words:?}");
    }
    assert_eq!(noted(&["topics", "list", "-X", "request.timeout.ms=1000"]), "");
    for (setting, told) in [
        (
            "client.dns.lookup=resolve_canonical_bootstrap_servers_only",
            "it takes use_all_dns_ips",
        ),
        ("metadata.recovery.strategy=maybe", "it takes rebootstrap or none"),
        ("receive.buffer.bytes=-2", "it takes a number of bytes or -1"),
    ] {
        let words = ["consume", "t", "-e", "-b", &address, "-X", setting];
        suite.run(words).exits(2).complains(told);
    }
    let outcome = suite.run(["topics", "list", "-X", "group.ids=g"]).exits(2);
    assert_eq!(
        outcome.stderr,
        "kafkit: -X group.ids: no Kafka client has a setting of this name; did you mean group.id?\n"
    );
}

#[test]
fn where_a_consumer_starts_and_its_group_may_be_settings() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let address = cluster.bootstrap();
    suite
        .run_with_input(["produce", "t", "-b", &address], "1\n2\n")
        .succeeds();
    let consume = |more: &[&str]| suite.run(["consume", "t", "-e", "-q", "-b", &address].iter().chain(more));
    consume(&["-X", "auto.offset.reset=latest"]).succeeds().prints("");
    consume(&["-X", "auto.offset.reset=earliest"])
        .succeeds()
        .prints("1\n2\n");
    consume(&["-X", "auto.offset.reset=by_duration:PT1H"])
        .succeeds()
        .prints("1\n2\n");
    consume(&["-X", "auto.offset.reset=latest", "--offset", "1"])
        .succeeds()
        .prints("2\n");
    consume(&["-X", "auto.offset.reset=none"]).exits(2);
    consume(&["-X", "auto.offset.reset=soon"]).exits(2);
    consume(&["-X", "group.id=g"]).succeeds().prints("1\n2\n");
    consume(&["-X", "group.id=g"]).succeeds().prints("");
    consume(&["-X", "group.id="]).exits(2);
    // What a file says for an application is not this reader's.
    let file = suite.file("application.properties", "group.id=g\n");
    let outcome = suite
        .run([
            "consume",
            "t",
            "-e",
            "-b",
            &address,
            "--command-config",
            file.to_str().unwrap(),
        ])
        .succeeds()
        .prints("1\n2\n");
    assert!(
        outcome
            .stderr
            .ends_with("application.properties line 1: group.id is ignored: say --group NAME to read as a member of a group\n"),
        "{outcome:?}"
    );
}

#[test]
fn names_that_mean_nothing_are_not_passed_over() {
    let suite = Suite::new();
    for (text, told) in [
        (
            "[profiles.default]\nacks = 1\n",
            "config.toml:1: \"profiles\" is no table of this file; did you mean [profile.NAME]?",
        ),
        (
            "bootstrap.servers = \"a:1\"\n",
            "config.toml:1: \"bootstrap\" is no key of this file; settings stand in a table [profile.NAME]",
        ),
        ("default-profile = \n", "config.toml:1: it makes no sense; "),
    ] {
        suite.file("config/kafkit/config.toml", text);
        let outcome = suite.run(["topics", "list"]).exits(6);
        assert!(outcome.stderr.contains(told), "{outcome:?}");
    }
    suite.file(
        "config/kafkit/config.toml",
        "[profile.default]\nbootstrap.servers = \"127.0.0.1:1\"\nsasl.pasword = \"x\"\n",
    );
    suite
        .run(["topics", "list"])
        .exits(6)
        .complains("config.toml:3: \"sasl.pasword\" is no setting of a Kafka client, nor a key of a profile (did you mean sasl.password?)");
    suite.file(
        "config/kafkit/config.toml",
        "[profile.default]\nbootstrap.servers = \"127.0.0.1:1\"\n",
    );
    let mut command = suite.command(["topics", "list"]);
    command.env("KAFKIT_BOOTSTRAP_SERVER", "127.0.0.1:2");
    let outcome = crate::support::suite::outcome_of(command, b"").exits(3);
    assert!(
        outcome.stderr.starts_with(
            "kafkit: KAFKIT_BOOTSTRAP_SERVER is no setting; did you mean KAFKIT_BOOTSTRAP_SERVERS?\n"
        ),
        "{outcome:?}"
    );
}

#[test]
fn a_reference_without_its_provider_is_an_error_with_its_line() {
    let suite = Suite::new();
    for reference in [
        "${env:PW}",
        "${file:/run/pw:key}",
        "${dir:/run:pw}",
        "${vault:a:b}",
        "${env:PW:default}",
    ] {
        let text = format!("security.protocol=SASL_PLAINTEXT\nsasl.password={reference}\n");
        let file = suite.file("client.properties", text);
        let file = file.to_str().unwrap();
        let outcome = suite
            .run(["topics", "list", "-b", "127.0.0.1:1", "--command-config", file])
            .exits(2);
        assert!(
            outcome
                .stderr
                .starts_with(&format!("kafkit: {file} line 2: sasl.password: {reference}")),
            "{outcome:?}"
        );
        let java = [
            "kafka-topics",
            "--list",
            "--bootstrap-server",
            "127.0.0.1:1",
            "--command-config",
            file,
        ];
        let outcome = suite.run(java).exits(1);
        assert!(
            outcome
                .stderr
                .contains(&format!("line 2: sasl.password: {reference}")),
            "{outcome:?}"
        );
    }
    suite.file(
        "config/kafkit/config.toml",
        "[profile.default]\nsasl.password = \"${env:PW:default}\"\n",
    );
    suite.run(["topics", "list"]).exits(2).complains(
        "profile default: sasl.password: ${env:PW:default}: a variable has neither a path nor a default",
    );
}

#[test]
fn a_password_that_protects_nothing_is_refused_as_java_does() {
    let suite = Suite::new();
    let pem = suite.file("store.pem", "-----BEGIN CERTIFICATE-----\n");
    let pem = pem.to_str().unwrap();
    for (lines, why) in [
        (
            format!("ssl.truststore.location={pem}\nssl.truststore.password=x"),
            "SSL trust store password cannot be specified for PEM format.",
        ),
        (
            "ssl.truststore.certificates=x\nssl.truststore.password=x".to_owned(),
            "SSL trust store password cannot be specified for PEM format.",
        ),
        (
            format!("ssl.keystore.location={pem}\nssl.keystore.password=x"),
            "SSL key store password cannot be specified with PEM format, only key password may be specified.",
        ),
        (
            "ssl.truststore.password=x".to_owned(),
            "SSL trust store is not specified, but trust store password is specified.",
        ),
        (
            "ssl.keystore.password=x".to_owned(),
            "SSL key store is not specified, but key store password is specified.",
        ),
    ] {
        let file = suite.file("client.properties", format!("security.protocol=SSL\n{lines}\n"));
        let file = file.to_str().unwrap();
        let outcome = suite
            .run(["topics", "list", "-b", "127.0.0.1:1", "--command-config", file])
            .exits(2);
        assert!(outcome.stderr.contains(why), "{outcome:?}");
        let java = [
            "kafka-topics",
            "--list",
            "--bootstrap-server",
            "127.0.0.1:1",
            "--command-config",
            file,
        ];
        let outcome = suite.run(java).exits(1);
        assert!(outcome.stderr.contains(why), "{outcome:?}");
    }
}
