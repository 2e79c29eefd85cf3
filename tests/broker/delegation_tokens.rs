//! Delegation tokens (KIP-48): made, used as logins, renewed and expired, and kept from whoever has no right to them.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};
use crate::support::wait::wait_until;

const MODULE: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required";
const LISTEN: [&str; 2] = ["PLAINTEXT://127.0.0.1:0", "SASL_PLAINTEXT://127.0.0.1:0"];
const KEY: &str = "delegation.token.secret.key=the-secret-key";
const NOT_ALLOWED: &str = "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED";

/// A broker with tokens, two users who log in, and a plain listener for administrators.
struct Minted {
    cluster: Cluster,
    suite: Suite,
}

impl Minted {
    fn start(more: &[&str]) -> Self {
        let users = format!(
            "listener.name.sasl_plaintext.plain.sasl.jaas.config={MODULE} user_alice=alice-secret user_bob=bob-secret;"
        );
        let settings = [
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            &users,
        ];
        Self {
            cluster: Cluster::start_listening(&LISTEN, &[&settings[..], more].concat()),
            suite: Suite::new(),
        }
    }

    fn admin(&self, words: &[&str]) -> Outcome {
        let address = self.cluster.bootstrap();
        self.suite.run([words, &["-b", &address]].concat())
    }

    fn login(&self, user: &str) -> String {
        let login = format!("sasl.jaas.config={MODULE} username=\"{user}\" password=\"{user}-secret\";");
        let text = format!("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n{login}\n");
        let file = self.suite.file(&format!("{user}.properties"), text);
        file.display().to_string()
    }

    /// With the login of a file.
    fn with(&self, file: &str, words: &[&str], input: &str) -> Outcome {
        let address = self.cluster.address(1);
        let args = [words, &["-b", &address, "--command-config", file]].concat();
        self.suite.run_with_input(args, input)
    }

    fn user(&self, user: &str, words: &[&str]) -> Outcome {
        self.with(&self.login(user), words, "")
    }

    /// A new token of a user, as JSON.
    fn token(&self, user: &str, more: &[&str]) -> Value {
        let words = [&["tokens", "create", "-o", "json"], more].concat();
        let text = self.user(user, &words).succeeds().stdout();
        serde_json::from_str::<Value>(&text).expect("JSON")[0].take()
    }

    fn listed(&self, user: &str) -> Vec<String> {
        let text = self
            .user(user, &["tokens", "list", "-o", "name"])
            .succeeds()
            .stdout();
        text.lines().map(str::to_owned).collect()
    }
}

fn id(token: &Value) -> &str {
    token["token"].as_str().expect("an id")
}

#[test]
fn a_token_is_a_login_of_its_owner_that_outlives_the_broker() {
    let mut minted = Minted::start(&[KEY]);
    minted.admin(&["topics", "create", "orders"]).succeeds();
    for preset in ["--producer", "--consumer"] {
        let words = [
            "acls", "add", "alice", preset, "--topic", "orders", "--group", "g", "--yes",
        ];
        minted.admin(&words).succeeds();
    }
    for mechanism in ["scram-sha-256", "scram-sha-512"] {
        let file = minted.suite.home().join(format!("{mechanism}.properties"));
        let name = file.to_str().expect("a name in UTF-8");
        let create = ["tokens", "create", "--write", name, "--mechanism", mechanism];
        let created = minted.user("alice", &create).succeeds();
        assert!(!created.stdout().contains("HMAC"), "{created:?}");
        let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for is_restarted in [false, true] {
            if is_restarted {
                minted.cluster.crash_and_restart();
            }
            minted.with(name, &["produce", "orders"], "a\n").succeeds();
            minted
                .with(name, &["consume", "orders", "-e", "-q"], "")
                .succeeds();
        }
        // Who has a token gets no other, and changes none.
        for words in [&["tokens", "list"][..], &["tokens", "create"]] {
            minted.with(name, words, "").exits(4).complains(NOT_ALLOWED);
        }
        // librdkafka cannot say that it is a token.
        minted
            .with(name, &["consume", "orders", "-e", "--group", "g"], "")
            .exits(1)
            .complains("a delegation token cannot log in for consumer groups and transactions");
        let text = std::fs::read_to_string(&file).expect("a text");
        let wrong = text.replace("tokenauth=\"true\"", "tokenauth=\"false\"");
        let wrong = minted.suite.file("no-token.properties", wrong);
        minted
            .with(wrong.to_str().expect("a name"), &["topics", "list"], "")
            .exits(4)
            .complains("invalid credentials");
    }
}

#[test]
fn owners_and_renewers_decide_when_a_token_ends() {
    let minted = Minted::start(&[KEY]);
    let token = minted.token("alice", &["--renewer", "bob", "--max-lifetime", "1h"]);
    let life = token["max_ms"].as_i64().unwrap() - token["issued_ms"].as_i64().unwrap();
    assert_eq!((life, &token["owner"]), (3_600_000, &Value::from("User:alice")));
    let other = minted.token("alice", &[]);
    assert_eq!(minted.listed("bob"), [id(&token)]);
    assert_eq!(minted.listed("alice").len(), 2);
    let renewed = minted.user(
        "bob",
        &["tokens", "renew", id(&token), "--by", "2h", "-o", "json"],
    );
    let renewed: Value = serde_json::from_str(&renewed.succeeds().stdout()).expect("JSON");
    assert_eq!(
        renewed[0]["expires_ms"], token["max_ms"],
        "no renewal goes beyond the end"
    );
    minted
        .user("bob", &["tokens", "renew", id(&other)])
        .exits(5)
        .complains("not found");
    minted
        .user("alice", &["tokens", "expire", id(&token)])
        .exits(2)
        .complains("without a terminal say --yes");
    minted
        .user("alice", &["tokens", "expire", id(&token), "--dry-run"])
        .succeeds();
    let file = minted.suite.home().join("job.properties");
    let name = file.to_str().expect("a name in UTF-8");
    minted
        .user("alice", &["tokens", "create", "--write", name])
        .succeeds();
    minted.with(name, &["topics", "list"], "").succeeds();
    let all = minted.listed("alice");
    let words = [
        &["tokens", "expire", "--yes"][..],
        &all.iter().map(String::as_str).collect::<Vec<_>>(),
    ]
    .concat();
    minted.user("alice", &words).succeeds();
    assert!(minted.listed("alice").is_empty());
    minted
        .with(name, &["topics", "list"], "")
        .exits(4)
        .complains("authentication failed (SCRAM-SHA-256): invalid credentials (");
}

#[test]
fn tokens_of_others_want_a_right_on_the_user() {
    let minted = Minted::start(&[KEY]);
    let create = ["tokens", "create", "--owner", "alice"];
    let denied = "DELEGATION_TOKEN_AUTHORIZATION_FAILED";
    minted.user("bob", &create).exits(4).complains(denied);
    let of_alice = |operation: &str| {
        minted
            .admin(&[
                "acls",
                "add",
                "bob",
                "--operation",
                operation,
                "--user",
                "User:alice",
                "--yes",
            ])
            .succeeds();
    };
    of_alice("create-tokens");
    let token = minted.token("bob", &["--owner", "alice"]);
    assert_eq!(
        (&token["owner"], &token["requester"]),
        (&"User:alice".into(), &"User:bob".into())
    );
    assert_eq!(
        minted.listed("bob"),
        [id(&token)],
        "who asked for a token sees it"
    );
    minted
        .user("bob", &["tokens", "renew", id(&token)])
        .exits(4)
        .complains("DELEGATION_TOKEN_OWNER_MISMATCH");
    let own = minted.token("alice", &[]);
    of_alice("describe-tokens");
    assert_eq!(minted.listed("bob").len(), 2);
    minted.admin(&["acls", "remove", "bob", "--yes"]).succeeds();
    minted
        .admin(&[
            "acls",
            "add",
            "bob",
            "--operation",
            "describe",
            "--delegation-token",
            id(&own),
            "--yes",
        ])
        .succeeds();
    assert_eq!(
        minted.listed("bob").len(),
        2,
        "one asked for, one that an ACL shows"
    );
}

#[test]
fn without_a_login_or_a_key_there_are_no_tokens() {
    let minted = Minted::start(&[KEY]);
    minted.admin(&["tokens", "list"]).exits(4).complains(NOT_ALLOWED);
    minted
        .admin(&["tokens", "create"])
        .exits(4)
        .complains(NOT_ALLOWED);
    let keyless = Minted::start(&[]);
    for words in [&["tokens", "list"][..], &["tokens", "create"]] {
        keyless
            .user("alice", words)
            .exits(1)
            .complains("DELEGATION_TOKEN_AUTH_DISABLED");
    }
}

#[test]
fn a_token_whose_time_is_over_is_removed() {
    let minted = Minted::start(&[KEY, "delegation.token.expiry.check.interval.ms=50"]);
    let token = minted.token("alice", &[]);
    minted
        .user("alice", &["tokens", "expire", id(&token), "--after", "1ms"])
        .succeeds();
    wait_until("the token is gone", || minted.listed("alice").is_empty());
}

#[test]
fn the_tool_of_apache_kafka_is_understood() {
    let minted = Minted::start(&[KEY]);
    let (login, address) = (minted.login("alice"), minted.cluster.address(1));
    let tool = |words: &[&str]| {
        let start = [
            "kafka-delegation-tokens",
            "--bootstrap-server",
            &address,
            "--command-config",
            &login,
        ];
        minted.suite.run([&start[..], words].concat())
    };
    let created = tool(&[
        "--create",
        "--max-life-time-period",
        "-1",
        "--renewer-principal",
        "User:bob",
    ]);
    let text = created.succeeds().stdout();
    let first = "Calling create token operation with renewers :[User:bob] , max-life-time-period :-1\n\
                 Created delegation token with tokenId : ";
    assert!(text.starts_with(first), "{text}");
    let row = text.lines().last().expect("a row");
    let hmac = row.split_whitespace().nth(1).expect("an HMAC");
    // Without an owner Apache Kafka's tool asks for the tokens of no one.
    let described = tool(&["--describe", "--owner-principal", "User:alice"]);
    assert!(
        described
            .succeeds()
            .stdout()
            .contains("Total number of tokens : 1\n")
    );
    let described = tool(&["--describe"]);
    assert!(
        described
            .succeeds()
            .stdout()
            .contains("Total number of tokens : 0\n")
    );
    let renewed = tool(&["--renew", "--hmac", hmac, "--renew-time-period", "-1"]).succeeds();
    assert!(
        renewed
            .stdout()
            .contains("Completed renew operation. New expiry date : 2")
    );
    let expired = tool(&["--expire", "--hmac", hmac, "--expiry-time-period", "-1"]).succeeds();
    assert!(
        expired
            .stdout()
            .contains("Completed expire operation. New expiry date : 2")
    );
    tool(&["--expire", "--hmac", hmac, "--expiry-time-period", "-1"])
        .exits(1)
        .complains("org.apache.kafka.common.errors.DelegationTokenNotFoundException: Delegation Token is not found on server.");
}
