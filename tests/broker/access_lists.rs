//! ACLs of a broker with an authorizer: what they let through, that they stay, and what kafkit says of a refusal.

use crate::support::cluster::Cluster;
use crate::support::suite::{Outcome, Suite};

const MODULE: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required";

/// A broker whose plain listener is for administrators.
struct Guarded {
    cluster: Cluster,
    suite: Suite,
}

impl Guarded {
    fn start() -> Self {
        let users = format!(
            "listener.name.sasl_plaintext.plain.sasl.jaas.config={MODULE} user_alice=alice-secret user_bob=bob-secret;"
        );
        let settings = [
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",
            "sasl.enabled.mechanisms=PLAIN",
            &users,
        ];
        let listen = ["PLAINTEXT://127.0.0.1:0", "SASL_PLAINTEXT://127.0.0.1:0"];
        Self {
            cluster: Cluster::start_listening(&listen, &settings),
            suite: Suite::new(),
        }
    }

    fn admin(&self, words: &[&str]) -> Outcome {
        let address = self.cluster.bootstrap();
        self.suite.run([words, &["-b", &address]].concat())
    }

    fn user(&self, user: &str, words: &[&str], input: &str) -> Outcome {
        let login = format!("sasl.jaas.config={MODULE} username=\"{user}\" password=\"{user}-secret\";");
        let text = format!("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n{login}\n");
        let file = self
            .suite
            .file(&format!("{user}.properties"), text)
            .display()
            .to_string();
        let address = self.cluster.address(1);
        let args = [words, &["-b", &address, "--command-config", &file]].concat();
        self.suite.run_with_input(args, input)
    }

    /// What a client may not do fails, and it learns why.
    fn refuses(&self, user: &str, words: &[&str], error: &str) {
        let refused = self.user(user, words, "a\n");
        assert!(matches!(refused.code, Some(1 | 4)), "{refused:?}");
        refused.complains(error);
    }

    fn allow(&self, words: &[&str]) {
        self.admin(&[&["acls", "add"], words, &["--yes"]].concat())
            .succeeds();
    }
}

#[test]
fn a_client_may_do_what_its_acls_allow_and_nothing_else() {
    let guarded = Guarded::start();
    guarded.admin(&["topics", "create", "orders"]).succeeds();
    guarded.admin(&["topics", "create", "secrets"]).succeeds();
    guarded.refuses("alice", &["produce", "orders"], "TOPIC_AUTHORIZATION_FAILED");
    guarded
        .user("alice", &["topics", "list", "-o", "name"], "")
        .succeeds()
        .prints("");
    guarded.user("alice", &["topics", "create", "mine"], "").exits(4);

    guarded.allow(&["alice", "--producer", "--topic", "orders"]);
    guarded.allow(&["bob", "--consumer", "--topic", "orders", "--group", "billing"]);
    guarded.user("alice", &["produce", "orders"], "a\nb\n").succeeds();
    guarded
        .user("alice", &["topics", "list", "-o", "name"], "")
        .succeeds()
        .prints("orders\n");
    guarded.user("alice", &["consume", "orders", "-e"], "").exits(4);
    let in_its_group = ["consume", "orders", "-e", "--group", "billing"];
    guarded.user("bob", &in_its_group, "").succeeds().prints("a\nb\n");
    guarded
        .user("bob", &["consume", "orders", "-e", "--group", "other"], "")
        .exits(4);
    guarded.user("bob", &["consume", "secrets", "-e"], "").exits(4);
    // Without any topic to write to there is not even an id for the producer.
    guarded.refuses("bob", &["produce", "orders"], "CLUSTER_AUTHORIZATION_FAILED");
    guarded.user("bob", &["acls", "list"], "").exits(4);
}

#[test]
fn a_denial_wins_and_acls_outlive_the_broker() {
    let mut guarded = Guarded::start();
    guarded.admin(&["topics", "create", "orders"]).succeeds();
    guarded.allow(&["alice", "--operation", "all", "--topic", "*"]);
    guarded.allow(&[
        "alice",
        "--operation",
        "write",
        "--topic",
        "ord",
        "--prefixed",
        "--deny",
    ]);
    let before = guarded.admin(&["acls", "list", "-o", "json"]).succeeds().stdout();
    for is_restarted in [false, true] {
        if is_restarted {
            guarded.cluster.crash_and_restart();
        }
        guarded.refuses("alice", &["produce", "orders"], "TOPIC_AUTHORIZATION_FAILED");
        guarded.user("alice", &["consume", "orders", "-e"], "").succeeds();
        guarded
            .admin(&["acls", "list", "-o", "json"])
            .succeeds()
            .prints(&before);
    }
    guarded.admin(&["acls", "remove", "alice", "--yes"]).succeeds();
    guarded
        .admin(&["acls", "list", "-o", "json"])
        .succeeds()
        .prints("[]\n");
    guarded.user("alice", &["consume", "orders", "-e"], "").exits(4);
}

#[test]
fn without_an_authorizer_there_are_no_acls() {
    let cluster = Cluster::start();
    let suite = Suite::new();
    let refused = suite.run(["acls", "list", "-b", &cluster.bootstrap()]);
    assert!(
        refused.code != Some(0) && refused.stderr.contains("no Authorizer is configured"),
        "{refused:?}"
    );
}

#[test]
fn an_authorizer_that_cannot_be_run_is_refused_at_the_start() {
    let suite = Suite::new();
    suite
        .run([
            "broker",
            "--listen",
            "127.0.0.1:0",
            "-X",
            "authorizer.class.name=com.example.Mine",
        ])
        .exits(6)
        .complains("com.example.Mine cannot be run here");
}
