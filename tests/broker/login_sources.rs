//! Where logins come from when no setting has them: JAAS files, and the keys and tokens of an OAuth server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::json;

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite, outcome_of};
use crate::support::wait::wait_until;

/// As the documentation of Apache Kafka and tutorials have it.
const JAAS: &str = r#"KafkaServer {
    org.apache.kafka.common.security.plain.PlainLoginModule required
    username="admin"
    password="admin-secret"
    user_admin="admin-secret"
    user_alice="alice-secret";
    org.apache.kafka.common.security.scram.ScramLoginModule required;
};

internal.KafkaServer {
    org.apache.kafka.common.security.plain.PlainLoginModule required
    user_bob="bob-secret";
};

KafkaClient {
    org.apache.kafka.common.security.plain.PlainLoginModule required
    username="${jaas.user}"
    password="alice-secret";
};
"#;
const PROPERTIES: &str = "process.roles=broker,controller
node.id=1
listeners=CLIENTS://127.0.0.1:0,INTERNAL://127.0.0.1:0,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,INTERNAL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
sasl.mechanism.inter.broker.protocol=PLAIN
inter.broker.listener.name=INTERNAL
log.dirs=kraft-logs
";
const CLIENT: &str = "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n";

fn with_opts(mut command: Command, opts: &str, input: &str) -> Outcome {
    command.env("KAFKA_OPTS", opts);
    outcome_of(command, input.as_bytes())
}

#[test]
fn a_jaas_file_has_the_logins_of_brokers_and_of_their_clients() {
    let suite = Suite::new();
    suite.file("server.properties", PROPERTIES);
    suite.file("client.properties", CLIENT);
    let jaas = suite.file("conf/kafka_jaas.conf", JAAS);
    let opts = format!(
        "-Xmx1g -Djava.security.auth.login.config={} -Djaas.user=alice",
        jaas.display()
    );
    let start = suite.command(["kafka-server-start", "-daemon", "server.properties"]);
    with_opts(start, &opts, "").succeeds();
    let running = std::fs::read(suite.home().join("kraft-logs/.kafkit-broker.json")).expect("where it runs");
    let running: serde_json::Value = serde_json::from_slice(&running).expect("JSON");
    let address = running["addresses"][0].as_str().expect("an address").to_owned();
    let at = ["--bootstrap-server", &address];
    let java = |words: &[&str], input: &str| with_opts(suite.command([words, &at].concat()), &opts, input);
    let topics = ["kafka-topics", "--command-config", "client.properties"];
    java(&[&topics[..], &["--create", "--topic", "t"]].concat(), "").succeeds();
    let produce = [
        "kafka-console-producer",
        "--topic",
        "t",
        "--command-config",
        "client.properties",
    ];
    java(&produce, "a\n").succeeds();
    let consume = [
        "kafka-console-consumer",
        "--topic",
        "t",
        "--from-beginning",
        "--max-messages",
        "1",
    ];
    let consume = [
        &consume[..],
        &["--command-config", "client.properties", "--timeout-ms", "20000"],
    ]
    .concat();
    java(&consume, "").succeeds().prints("a\n");
    let native = [
        "topics",
        "list",
        "-o",
        "name",
        "--command-config",
        "client.properties",
        "-b",
        &address,
    ];
    with_opts(suite.command(native), &opts, "")
        .succeeds()
        .prints("t\n");
    // A setting is stronger than the file, and without the file there is no login.
    let own = "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"admin\" password=\"no\";";
    let refused = suite.command([&native[..], &["-X", own]].concat());
    with_opts(refused, &opts, "").exits(4);
    suite.run(native).exits(2).complains("sasl.username");
    suite
        .run(["broker", "stop", "--data-dir", "kraft-logs"])
        .succeeds();
}

#[test]
fn a_listener_has_a_section_of_its_own_and_a_broken_file_is_named_without_its_secrets() {
    let suite = Suite::new();
    suite.file("server.properties", PROPERTIES);
    let jaas = suite.file("kafka_jaas.conf", JAAS);
    let opts = format!(
        "-Djava.security.auth.login.config=file:{} -Djaas.user=x",
        jaas.display()
    );
    let mut broker = suite
        .command([
            "broker",
            "--config",
            "server.properties",
            "--ready-file",
            "ready.json",
            "-q",
        ])
        .env("KAFKA_OPTS", &opts)
        .spawn()
        .expect("a broker");
    wait_until("the broker listens", || suite.home().join("ready.json").is_file());
    let ready = std::fs::read(suite.home().join("ready.json")).expect("its addresses");
    let ready: serde_json::Value = serde_json::from_slice(&ready).expect("JSON");
    let addresses = ready["bootstrap_servers"].as_str().expect("addresses");
    let (clients, internal) = addresses.split_once(',').expect("two addresses");
    for (address, user, code) in [
        (clients, "alice", 0),
        (clients, "bob", 4),
        (internal, "alice", 4),
        (internal, "bob", 0),
    ] {
        let (name, password) = (
            format!("sasl.username={user}"),
            format!("sasl.password={user}-secret"),
        );
        let login = [
            "-X",
            "security.protocol=SASL_PLAINTEXT",
            "-X",
            "sasl.mechanism=PLAIN",
        ];
        let login = [&login[..], &["-X", &name, "-X", &password, "-b", address]].concat();
        suite.run([&["topics", "list"][..], &login].concat()).exits(code);
    }
    broker.kill().expect("a broker to kill");
    broker.wait().expect("its end");
    for (text, complaint) in [
        (
            "KafkaServer { a.B required p=\"hunter2\" };",
            "section KafkaServer",
        ),
        ("Other { a.B required p=\"hunter2\"; };", "PLAIN has no users"),
        (
            "KafkaServer { a.B required p=\"hunter2${nope}\"; };",
            "there is no system property nope",
        ),
    ] {
        suite.file("kafka_jaas.conf", text);
        let refused = with_opts(
            suite.command(["broker", "--config", "server.properties"]),
            &opts,
            "",
        );
        let refused = refused.exits(6).complains(complaint);
        assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
    }
}

/// An OAuth server: it gives tokens to whoever knows its secret, and publishes the key that signs them.
struct OAuthServer {
    address: String,
    key: Mutex<(String, PKey<Private>)>,
    /// How often it was asked for its keys.
    asked: AtomicUsize,
    /// Whether it has no answer but an error to whoever asks for keys.
    is_ill: AtomicBool,
}

impl OAuthServer {
    fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = Arc::new(Self {
            address: listener.local_addr().expect("an address").to_string(),
            key: Mutex::new(("first".to_owned(), new_key())),
            asked: AtomicUsize::new(0),
            is_ill: AtomicBool::new(false),
        });
        let own = Arc::clone(&server);
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                own.answer(socket);
            }
        });
        server
    }

    fn rotate(&self, id: &str) {
        *self.key.lock().expect("the key") = (id.to_owned(), new_key());
    }

    fn answer(&self, socket: TcpStream) {
        let mut reader = BufReader::new(socket.try_clone().expect("a socket"));
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            head += &line;
        }
        let mut body = vec![0; length];
        let _ = reader.read_exact(&mut body);
        // me:hush
        let (status, answer) = if head.starts_with("GET /keys ") {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.is_ill.load(Ordering::Relaxed) {
                ("503 Service Unavailable", json!({}))
            } else {
                ("200 OK", json!({"keys": [self.jwk()]}))
            }
        } else if head.starts_with("POST /token ") && head.contains("Basic bWU6aHVzaA==") {
            (
                "200 OK",
                json!({"access_token": self.token(), "expires_in": 3600}),
            )
        } else {
            ("401 Unauthorized", json!({"error": "invalid_client"}))
        };
        let answer = answer.to_string();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", answer.len());
        let mut socket = socket;
        let _ = socket.write_all((head + &answer).as_bytes());
    }

    fn jwk(&self) -> serde_json::Value {
        let key = self.key.lock().expect("the key");
        let rsa = key.1.rsa().expect("a key of RSA");
        let number = |number: &openssl::bn::BigNumRef| BASE64URL.encode(number.to_vec());
        json!({"kty": "RSA", "use": "sig", "kid": key.0, "n": number(rsa.n()), "e": number(rsa.e())})
    }

    fn token(&self) -> String {
        let key = self.key.lock().expect("the key");
        let part = |value: serde_json::Value| BASE64URL.encode(value.to_string());
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a time")
            .as_secs();
        let claims = json!({"sub": "me", "scope": "kafka", "iss": "issuer", "aud": "kafka", "iat": now, "exp": now + 3600});
        let said = format!("{}.{}", part(json!({"alg": "RS256", "kid": key.0})), part(claims));
        let mut signer = Signer::new(MessageDigest::sha256(), &key.1).expect("a signer");
        let signature = signer.sign_oneshot_to_vec(said.as_bytes()).expect("a signature");
        format!("{said}.{}", BASE64URL.encode(signature))
    }
}

impl OAuthServer {
    /// A broker that takes this server's tokens.
    fn broker(&self, more: &[&str]) -> Cluster {
        let url = format!("sasl.oauthbearer.jwks.endpoint.url=http://{}/keys", self.address);
        let settings = [&[url.as_str(), "sasl.enabled.mechanisms=OAUTHBEARER"], more].concat();
        Cluster::start_listening(&["SASL_PLAINTEXT://127.0.0.1:0"], &settings)
    }

    /// A file with which clients log in; `secret` is what the server is shown.
    fn login(&self, suite: &Suite, secret: &str) -> String {
        let text = format!(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n\
             sasl.oauthbearer.token.endpoint.url=http://{}/token\n\
             sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
             clientId=\"me\" clientSecret=\"{secret}\" scope=\"kafka\";\n",
            self.address
        );
        suite.file("oauth.properties", text).display().to_string()
    }
}

fn new_key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key")
}

#[test]
fn tokens_of_an_oauth_server_are_checked_with_the_keys_that_it_publishes() {
    let server = OAuthServer::start();
    let cluster = server.broker(&[
        "sasl.oauthbearer.expected.audience=kafka",
        "sasl.oauthbearer.expected.issuer=issuer",
    ]);
    assert_eq!(server.asked.load(Ordering::Relaxed), 1);
    let suite = Suite::new();
    let client = |secret: &str, words: &[&str], input: &str| {
        let file = server.login(&suite, secret);
        let more = ["-b", &cluster.bootstrap(), "--command-config", &file];
        suite.run_with_input([words, &more].concat(), input)
    };
    client("hush", &["produce", "t"], "a\n").succeeds();
    client("hush", &["consume", "t", "-e", "-q", "--group", "g"], "")
        .succeeds()
        .prints("a\n");
    let refused = client("wrong", &["topics", "list"], "");
    assert!(
        refused.code != Some(0) && refused.stderr.contains("invalid_client"),
        "{refused:?}"
    );
    assert!(!refused.stderr.contains("wrong"), "{refused:?}");
    // A key that the broker does not know yet is fetched for the next try, and asked for once.
    server.rotate("second");
    client("hush", &["topics", "list"], "").exits(4);
    wait_until("the new key is known", || {
        client("hush", &["topics", "list"], "").code == Some(0)
    });
    assert_eq!(server.asked.load(Ordering::Relaxed), 2);
}

#[test]
fn an_oauth_server_that_gives_no_keys_is_named_once_and_the_keys_from_before_stay() {
    let server = OAuthServer::start();
    let cluster = server.broker(&["sasl.oauthbearer.jwks.endpoint.refresh.ms=1000"]);
    let told = |part: &str| {
        let said = cluster.said();
        said.iter().filter(|line| line.contains(part)).count()
    };
    let before = "answered 503; the keys from before stay in use";
    server.is_ill.store(true, Ordering::Relaxed);
    wait_until("the failure is told", || told(before) == 1);
    let suite = Suite::new();
    let login = server.login(&suite, "hush");
    let bootstrap = cluster.bootstrap();
    suite
        .run(["topics", "list", "-b", &bootstrap, "--command-config", &login])
        .succeeds();
    let asked = server.asked.load(Ordering::Relaxed);
    wait_until("more failures", || {
        server.asked.load(Ordering::Relaxed) > asked + 2
    });
    assert_eq!(told(before), 1, "{:?}", cluster.said());
    server.is_ill.store(false, Ordering::Relaxed);
    wait_until("the server is well again", || told("gives keys again") == 1);
}

#[test]
fn a_broker_does_not_start_without_the_keys_of_its_oauth_server() {
    let suite = Suite::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    for (url, complaint) in [
        (format!("http://{address}/keys"), "connection refused"),
        ("http://".to_owned(), "it is no address"),
        ("file:///nowhere/keys".to_owned(), "no such file"),
    ] {
        let url = format!("sasl.oauthbearer.jwks.endpoint.url={url}");
        let words = [
            "broker",
            "--listen",
            "SASL_PLAINTEXT://127.0.0.1:0",
            "-X",
            "sasl.enabled.mechanisms=OAUTHBEARER",
        ];
        let refused = suite.run([&words[..], &["-X", &url]].concat());
        refused
            .exits(6)
            .complains("sasl.oauthbearer.jwks.endpoint.url")
            .complains(complaint);
    }
}

#[test]
fn a_file_of_keys_that_cannot_be_read_is_named_once_and_the_keys_from_before_stay() {
    let server = OAuthServer::start();
    let suite = Suite::new();
    let good = json!({"keys": [server.jwk()]}).to_string();
    let file = suite.file("keys.json", &good);
    let url = format!("sasl.oauthbearer.jwks.endpoint.url=file://{}", file.display());
    let settings = [url.as_str(), "sasl.enabled.mechanisms=OAUTHBEARER"];
    let cluster = Cluster::start_listening(&["SASL_PLAINTEXT://127.0.0.1:0"], &settings);
    let login = server.login(&suite, "hush");
    let bootstrap = cluster.bootstrap();
    let list = || suite.run(["topics", "list", "-b", &bootstrap, "--command-config", &login]);
    let told = |part: &str| {
        let said = cluster.said();
        said.iter().filter(|line| line.contains(part)).count()
    };
    list().succeeds();
    std::fs::write(&file, "{").expect("a file that is written");
    list().succeeds();
    list().succeeds();
    let before = "it holds no public key in PEM or JWKS form; the keys from before stay in use";
    wait_until("the failure is told", || told(before) == 1);
    std::fs::write(&file, &good).expect("a file that is written");
    list().succeeds();
    wait_until("the file is well again", || told("gives keys again") == 1);
    assert_eq!(told(before), 1, "{:?}", cluster.said());
    // What the file says holds from the next token on.
    server.rotate("second");
    list().exits(4);
    std::fs::write(&file, json!({"keys": [server.jwk()]}).to_string()).expect("a file that is written");
    list().succeeds();
}
