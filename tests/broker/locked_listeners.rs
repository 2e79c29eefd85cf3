//! Who is let in: TLS and SASL of the broker's listeners, with kafkit's own clients.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};

use crate::support::certificates::Certified;
use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};
use crate::support::wait::wait_until;

const MODULES: &str = "org.apache.kafka.common.security";
const SERVER: [(&str, &str); 1] = [("CN", "localhost")];
const CAROL: [(&str, &str); 4] = [
    ("C", "DE"),
    ("O", "Kafkit"),
    ("OU", "ServiceUsers"),
    ("CN", "carol"),
];
/// The listeners in the order of `Locked::address`.
const LISTENERS: [&str; 4] = [
    "PLAINTEXT://127.0.0.1:0",
    "SSL://127.0.0.1:0",
    "SASL_PLAINTEXT://127.0.0.1:0",
    "SASL_SSL://127.0.0.1:0",
];
const SSL: usize = 1;
const SASL_PLAINTEXT: usize = 2;
const SASL_SSL: usize = 3;

/// A broker with every kind of listener, and what its clients need.
struct Locked {
    cluster: Cluster,
    suite: Suite,
    authority: Certified,
    server: PathBuf,
}

impl Locked {
    fn start(more: &[&str]) -> Self {
        let suite = Suite::new();
        let authority = Certified::new(&[("CN", "authority")], None);
        let server = suite.file("server.pem", Certified::new(&SERVER, Some(&authority)).pem());
        let trust = suite.file("ca.pem", authority.certificate_pem());
        let users = format!(
            "{MODULES}.plain.PlainLoginModule required user_alice=\"alice-secret\" user_bob=\"bob-secret\";"
        );
        let key_store = format!("ssl.keystore.location={}", server.display());
        let trust_store = format!("ssl.truststore.location={}", trust.display());
        let plain = format!("listener.name.sasl_plaintext.plain.sasl.jaas.config={users}");
        let over_tls = format!("listener.name.sasl_ssl.plain.sasl.jaas.config={users}");
        let settings = [
            &key_store,
            &trust_store,
            &plain,
            &over_tls,
            "listener.name.ssl.ssl.client.auth=required",
            "ssl.principal.mapping.rules=RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/,DEFAULT",
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        ];
        Self {
            cluster: Cluster::start_listening(&LISTENERS, &[&settings[..], more].concat()),
            suite,
            authority,
            server,
        }
    }

    /// A file of settings for a client with a certificate.
    fn certified(&self, client: &Certified) -> String {
        let key_store = self.suite.file("client.pem", client.pem());
        self.properties(&format!(
            "security.protocol=SSL\nssl.keystore.location={}\n",
            key_store.display()
        ))
    }

    /// The same for one with a name and a password.
    fn login(&self, protocol: &str, mechanism: &str, user: &str, password: &str) -> String {
        let module = match mechanism {
            "PLAIN" => "plain.PlainLoginModule",
            "OAUTHBEARER" => "oauthbearer.OAuthBearerLoginModule",
            _ => "scram.ScramLoginModule",
        };
        let who = if mechanism == "OAUTHBEARER" {
            format!("unsecuredLoginStringClaim_sub=\"{user}\"")
        } else {
            format!("username=\"{user}\" password=\"{password}\"")
        };
        self.properties(&format!(
            "security.protocol={protocol}\nsasl.mechanism={mechanism}\nsasl.jaas.config={MODULES}.{module} required {who};\n"
        ))
    }

    fn properties(&self, text: &str) -> String {
        let trust = self.suite.home().join("ca.pem");
        let text = format!("{text}ssl.truststore.location={}\n", trust.display());
        self.suite.file("client.properties", text).display().to_string()
    }

    fn kafkit(&self, listener: usize, file: &str, words: &[&str], input: &str) -> Outcome {
        let address = self.cluster.address(listener);
        let args = [words, &["-b", &address, "--command-config", file]].concat();
        self.suite.run_with_input(args, input)
    }

    /// Records there and back on the direct lane, and in a group, which librdkafka carries.
    fn carries_records(&self, listener: usize, file: &str, topic: &str) {
        self.kafkit(listener, file, &["topics", "create", topic], "")
            .succeeds();
        self.kafkit(listener, file, &["produce", topic], "a\nb\n")
            .succeeds();
        self.kafkit(listener, file, &["consume", topic, "-e"], "")
            .succeeds()
            .prints("a\nb\n");
        let in_a_group = ["consume", topic, "-e", "--group", topic];
        self.kafkit(listener, file, &in_a_group, "")
            .succeeds()
            .prints("a\nb\n");
        let in_a_transaction = ["produce", topic, "-X", "transactional.id=t"];
        self.kafkit(listener, file, &in_a_transaction, "c\n").succeeds();
    }
}

#[test]
fn records_pass_every_listener_on_both_engines() {
    let locked = Locked::start(&[]);
    let words = [
        "users",
        "create",
        "dora",
        "--mechanism",
        "scram-sha-256",
        "--mechanism",
        "scram-sha-512",
        "--password-file",
        "-",
        "-b",
        &locked.cluster.bootstrap(),
    ];
    locked.suite.run_with_input(words, "dora-secret\n").succeeds();
    let carol = locked.certified(&Certified::new(&CAROL, Some(&locked.authority)));
    locked.carries_records(SSL, &carol, "over-tls");
    for (mechanism, user, password) in [
        ("PLAIN", "alice", "alice-secret"),
        ("SCRAM-SHA-256", "dora", "dora-secret"),
        ("SCRAM-SHA-512", "dora", "dora-secret"),
        ("OAUTHBEARER", "eve", ""),
    ] {
        for (listener, protocol) in [(SASL_PLAINTEXT, "SASL_PLAINTEXT"), (SASL_SSL, "SASL_SSL")] {
            let file = locked.login(protocol, mechanism, user, password);
            locked.carries_records(listener, &file, &format!("{protocol}-{mechanism}"));
        }
    }
}

#[test]
fn whoever_cannot_prove_a_name_is_not_let_in_and_learns_why() {
    let locked = Locked::start(&[]);
    let list = ["topics", "list"];
    for (mechanism, user, password, why) in [
        (
            "PLAIN",
            "alice",
            "wrong",
            "authentication failed (PLAIN): invalid username or password (",
        ),
        (
            "PLAIN",
            "nobody",
            "alice-secret",
            "authentication failed (PLAIN): invalid username or password (",
        ),
        (
            "SCRAM-SHA-256",
            "nobody",
            "x",
            "authentication failed (SCRAM-SHA-256): invalid credentials (",
        ),
    ] {
        let file = locked.login("SASL_SSL", mechanism, user, password);
        // An admin call, the direct lane, and a group, which librdkafka carries.
        for words in [
            &list[..],
            &["consume", "t", "-e"],
            &["consume", "t", "-e", "--group", "g"],
        ] {
            let outcome = locked.kafkit(SASL_SSL, &file, words, "").exits(4).complains(why);
            assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
            assert!(
                password == "x" || !outcome.stderr.contains(password),
                "{outcome:?}"
            );
        }
    }
    let stranger = Certified::new(&CAROL, None);
    locked
        .kafkit(SSL, &locked.certified(&stranger), &list, "")
        .exits(4)
        .complains("client certificate");
    let expired = Certified::until(&CAROL, Some(&locked.authority), 1_650_000_000);
    locked
        .kafkit(SSL, &locked.certified(&expired), &list, "")
        .exits(4)
        .complains("expired");
    let nameless = locked.properties("security.protocol=SSL\n");
    locked
        .kafkit(SSL, &nameless, &list, "")
        .exits(4)
        .complains("client certificate");
    // A client that does not know of TLS or of SASL is told what to look at.
    let plaintext = locked
        .suite
        .file("plaintext.properties", "")
        .display()
        .to_string();
    let blind = locked.kafkit(
        SASL_SSL,
        &plaintext,
        &[&list[..], &["--timeout", "5s"]].concat(),
        "",
    );
    assert!(blind.code == Some(4) && blind.stderr.contains("TLS"), "{blind:?}");
    // A refusal is told when its connection has been closed, which takes a moment.
    let said = || locked.cluster.said().join("\n");
    wait_until("a refused login", || said().contains("the login was refused"));
    assert!(!said().contains("secret"), "{}", said());
}

#[test]
fn a_broker_whose_certificate_names_another_host_is_not_trusted() {
    let locked = Locked::start(&[]);
    let elsewhere = Certified::for_host("elsewhere.example", &SERVER, &locked.authority);
    fs::write(&locked.server, elsewhere.pem()).unwrap();
    let expected = elsewhere.certificate.to_der().unwrap();
    wait_until("the other certificate is shown", || {
        shown_certificate(&locked.cluster.address(SASL_SSL), SslVersion::TLS1_3).unwrap() == expected
    });
    let file = locked.login("SASL_SSL", "PLAIN", "alice", "alice-secret");
    let unchecked = ["-X", "ssl.endpoint.identification.algorithm="];
    for (words, input) in [
        (&["topics", "create", "t"][..], ""),
        (&["produce", "t"], "a\n"),
        (&["consume", "t", "-e"], ""),
        (&["consume", "t", "-e", "--group", "g"], ""),
    ] {
        locked
            .kafkit(SASL_SSL, &file, words, input)
            .exits(4)
            .complains("the broker's certificate is not for \"127.0.0.1\"");
        locked
            .kafkit(SASL_SSL, &file, &[words, &unchecked].concat(), input)
            .succeeds();
    }
}

#[test]
fn a_doctor_finds_a_locked_listener_in_order() {
    let locked = Locked::start(&[]);
    let file = locked.login("SASL_SSL", "PLAIN", "alice", "alice-secret");
    locked.kafkit(SASL_SSL, &file, &["doctor"], "").succeeds();
    let wrong = locked.login("SASL_SSL", "PLAIN", "alice", "no");
    let outcome = locked.kafkit(SASL_SSL, &wrong, &["doctor"], "");
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
}

/// The certificate that a listener shows now.
fn shown_certificate(address: &str, newest: SslVersion) -> Result<Vec<u8>, String> {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    connector.set_min_proto_version(None).unwrap();
    connector.set_max_proto_version(Some(newest)).unwrap();
    let socket = TcpStream::connect(address).unwrap();
    let stream = connector
        .build()
        .connect("localhost", socket)
        .map_err(|error| error.to_string())?;
    Ok(stream.ssl().peer_certificate().unwrap().to_der().unwrap())
}

#[test]
fn a_new_certificate_is_shown_without_a_restart_and_a_wrong_one_never() {
    let locked = Locked::start(&[]);
    let address = locked.cluster.address(SASL_SSL);
    let first = shown_certificate(&address, SslVersion::TLS1_3).unwrap();
    let renewed = Certified::new(&SERVER, Some(&locked.authority));
    fs::write(&locked.server, renewed.pem()).unwrap();
    let expected = renewed.certificate.to_der().unwrap();
    assert_ne!(first, expected);
    wait_until("the new certificate is shown", || {
        shown_certificate(&address, SslVersion::TLS1_3).unwrap() == expected
    });
    fs::write(&locked.server, "nonsense").unwrap();
    wait_until("the broker says that the file is wrong", || {
        assert_eq!(shown_certificate(&address, SslVersion::TLS1_3).unwrap(), expected);
        locked
            .cluster
            .said()
            .iter()
            .any(|line| line.contains("stays in use"))
    });
}

#[test]
fn old_versions_of_tls_are_refused() {
    let locked = Locked::start(&["listener.name.ssl.ssl.enabled.protocols=TLSv1.3"]);
    let address = locked.cluster.address(SASL_SSL);
    assert!(shown_certificate(&address, SslVersion::TLS1_2).is_ok());
    assert!(shown_certificate(&address, SslVersion::TLS1_1).is_err());
    assert!(shown_certificate(&locked.cluster.address(SSL), SslVersion::TLS1_2).is_err());
}

/// What comes before the end of a connection on which these bytes were said; panics where it does not end.
fn answer_to(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("no end after {bytes:?}"),
        _ => answer,
    }
}

/// The table of `tests/interop/judges/locked_doors.py`, which Apache Kafka answers alike.
#[test]
fn whoever_comes_to_the_wrong_door_is_sent_away_and_nobody_else_is() {
    let locked = Locked::start(&[]);
    // ApiVersions, version 0, of a client without a name.
    let versions = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
    let http = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let hello = [&[0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3][..], &[7; 193]].concat();
    let endless = [&[0x7f, 0xff, 0xff, 0xff][..], &[b'x'; 100]].concat();
    let negative = [0xff; 64];
    for listener in [SSL, SASL_SSL] {
        let address = locked.cluster.address(listener);
        for bytes in [&versions[..], http, &negative] {
            // An alert of TLS is no answer.
            let answer = answer_to(&address, bytes);
            assert!(answer.is_empty() || answer[0] == 0x15, "{bytes:?}: {answer:?}");
        }
    }
    for listener in [0, SASL_PLAINTEXT] {
        let address = locked.cluster.address(listener);
        for bytes in [&hello[..], http, &endless, &negative] {
            assert_eq!(answer_to(&address, bytes), b"", "{bytes:?}");
        }
    }
    let list = ["topics", "list"];
    locked
        .suite
        .run([&list[..], &["-b", &locked.cluster.bootstrap()]].concat())
        .succeeds();
    let file = locked.login("SASL_SSL", "PLAIN", "alice", "alice-secret");
    locked.kafkit(SASL_SSL, &file, &list, "").succeeds();
}

#[test]
fn a_cipher_that_the_certificate_cannot_have_is_refused() {
    let locked = Locked::start(&["listener.name.sasl_ssl.ssl.enabled.protocols=TLSv1.2"]);
    let address = locked.cluster.address(SASL_SSL);
    let shakes_hands = |ciphers: &str| {
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        connector.set_cipher_list(ciphers).unwrap();
        let socket = TcpStream::connect(&address).unwrap();
        connector.build().connect("localhost", socket).is_ok()
    };
    assert!(shakes_hands("ECDHE-ECDSA-AES128-GCM-SHA256"));
    assert!(!shakes_hands("ECDHE-RSA-AES128-GCM-SHA256"));
}

#[test]
fn half_a_handshake_is_not_waited_for_for_ever() {
    let locked = Locked::start(&["connections.max.idle.ms=500"]);
    for listener in [SSL, SASL_SSL] {
        answer_to(&locked.cluster.address(listener), &[0x16, 0x03, 0x01]);
    }
    // Nor is half a login.
    let handshake = [
        &[0, 0, 0, 17][..],
        &[0, 17, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 5],
        b"PLAIN",
    ]
    .concat();
    let answer = answer_to(&locked.cluster.address(SASL_PLAINTEXT), &handshake);
    assert_eq!(answer.get(4..10), Some(&[0, 0, 0, 1, 0, 0][..]), "{answer:?}");
}

#[test]
fn nothing_but_a_login_is_answered_before_one() {
    let locked = Locked::start(&[]);
    let address = locked.cluster.address(SASL_PLAINTEXT);
    // Metadata, version 1, of all topics; a frame that claims 16 MiB; bytes without a meaning.
    let metadata = [
        &[0, 0, 0, 18][..],
        &[0, 3, 0, 1, 0, 0, 0, 1, 0, 4],
        b"test",
        &[0xff; 4],
    ]
    .concat();
    for bytes in [metadata, vec![1, 0, 0, 0], vec![0xff; 64]] {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&bytes).unwrap();
        let mut answer = Vec::new();
        // The end of the stream, or a reset: never an answer.
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty(), "{bytes:?}: {answer:?}");
    }
    // A client that stays silent in the middle of a handshake is in nobody's way.
    let mut halves = Vec::new();
    for _ in 0..50 {
        let mut half = TcpStream::connect(locked.cluster.address(SASL_SSL)).unwrap();
        half.write_all(&[0x16, 0x03, 0x01]).unwrap();
        halves.push(half);
    }
    let file = locked.login("SASL_SSL", "PLAIN", "alice", "alice-secret");
    locked.kafkit(SASL_SSL, &file, &["topics", "list"], "").succeeds();
}

#[test]
fn a_session_that_has_ended_is_prolonged_by_the_client() {
    let locked = Locked::start(&["connections.max.reauth.ms=1500"]);
    let file = locked.login("SASL_SSL", "PLAIN", "alice", "alice-secret");
    locked
        .kafkit(SASL_SSL, &file, &["topics", "create", "long"], "")
        .succeeds();
    locked
        .kafkit(SASL_SSL, &file, &["produce", "long"], "first\n")
        .succeeds();
    // The reader waits for longer than its session lasts.
    let reader = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            locked.kafkit(
                SASL_SSL,
                &file,
                &["consume", "long", "-n", "2", "--timeout", "60s"],
                "",
            )
        });
        std::thread::sleep(Duration::from_secs(4));
        locked
            .kafkit(SASL_SSL, &file, &["produce", "long"], "second\n")
            .succeeds();
        reader.join().unwrap()
    });
    reader.succeeds().prints("first\nsecond\n");
}

#[test]
fn a_secure_broker_takes_its_own_client_and_nobody_else() {
    let suite = Suite::new();
    let script = "set -e\n\
                  kafkit=\"$0\"\n\
                  seq 3 | \"$kafkit\" produce hello\n\
                  \"$kafkit\" consume hello -e --group g --command-config \"$KAFKA_CLIENT_PROPERTIES\"\n\
                  stat -c %a \"$KAFKA_CLIENT_PROPERTIES\"\n\
                  ! KAFKIT_COMMAND_CONFIG= \"$kafkit\" topics list --timeout 5s 2>/dev/null\n\
                  ! tr '\\0' '\\n' < /proc/self/environ | grep -q \"$(sed -n 's/.*password=\"\\(.*\\)\".*/\\1/p' \"$KAFKA_CLIENT_PROPERTIES\")\"\n";
    let kafkit = env!("CARGO_BIN_EXE_kafkit");
    let outcome = suite.run(["broker", "--secure", "--", "sh", "-c", script, kafkit]);
    outcome.succeeds().prints("1\n2\n3\n600\n");
}

#[test]
fn a_topic_that_a_user_may_not_see_is_not_said_to_be_missing() {
    let locked = Locked::start(&[
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users=User:alice",
    ]);
    let alice = locked.login("SASL_PLAINTEXT", "PLAIN", "alice", "alice-secret");
    locked
        .kafkit(SASL_PLAINTEXT, &alice, &["topics", "create", "hidden"], "")
        .succeeds();
    let bob = locked.login("SASL_PLAINTEXT", "PLAIN", "bob", "bob-secret");
    for words in [
        &["describe", "topic", "hidden"][..],
        &["offsets", "hidden"],
        &["topics", "delete", "hidden", "--yes"],
        &["consume", "hidden", "-e"],
    ] {
        locked
            .kafkit(SASL_PLAINTEXT, &bob, words, "")
            .exits(4)
            .complains("not authorized to");
    }
    for words in [
        &["describe", "group", "theirs"][..],
        &["groups", "delete", "theirs", "--yes"],
        &["groups", "reset", "theirs", "--to", "earliest", "--yes"],
    ] {
        locked
            .kafkit(SASL_PLAINTEXT, &bob, words, "")
            .exits(4)
            .complains("group theirs: group authorization failed");
    }
    let alice = locked.login("SASL_PLAINTEXT", "PLAIN", "alice", "alice-secret");
    let allows = ["acls", "add", "bob", "--operation", "read", "--topic", "hidden"];
    locked
        .kafkit(SASL_PLAINTEXT, &alice, &[&allows[..], &["--yes"]].concat(), "")
        .succeeds();
    let bob = locked.login("SASL_PLAINTEXT", "PLAIN", "bob", "bob-secret");
    let told = locked.kafkit(
        SASL_PLAINTEXT,
        &bob,
        &["consume", "hidden", "-g", "theirs", "-e"],
        "",
    );
    let told = told.exits(4).complains("not authorized for group \"theirs\"");
    assert_eq!(told.stderr().lines().count(), 1, "{told:?}");
}

#[test]
fn a_secure_broker_in_the_background_is_found_with_its_password() {
    let suite = Suite::new();
    let dir = suite.home().join("secure-data");
    let dir = dir.to_str().unwrap();
    let mut broker = suite
        .command(["broker", "--secure", "--listen", "127.0.0.1:0", "--data-dir", dir])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the broker has said where it is", || {
        fs::metadata(format!("{dir}/.kafkit-broker.json")).is_ok()
    });
    let mini = format!("mini:{dir}");
    suite.run(["topics", "create", "here", "-b", &mini]).succeeds();
    suite.run(["broker", "status", "--data-dir", dir]).succeeds();
    let mode = fs::metadata(format!("{dir}/client.properties"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // Someone has to take note of its end, as a shell would.
    let end = std::thread::spawn(move || broker.wait().unwrap());
    suite.run(["broker", "stop", "--data-dir", dir]).succeeds();
    assert!(end.join().unwrap().success());
}
