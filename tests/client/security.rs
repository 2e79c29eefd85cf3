//! TLS and SASL as the settings ask for them: who is trusted, who is refused, and what is said about it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, str};

use kafka_protocol::messages::{SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeResponse};
use kafka_protocol::protocol::{Decodable, StrBytes};
use kafkit::client::admin::AdminClient;
use kafkit::client::settings::{Origin, Settings};
use kafkit::error::{Error, Kind};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};

use crate::support::wait::wait_until;

use super::scripted_broker::{Reply, ScriptedBroker, body, cluster, with_greeting};

struct Certified {
    key: PKey<Private>,
    certificate: X509,
}

/// A certificate for `name`, signed by `issuer` or by itself; `address` is in it when given.
fn certify(name: &str, address: Option<&str>, issuer: Option<&Certified>) -> Certified {
    certify_until(name, address, issuer, 4_000_000_000)
}

/// The same with the second since 1970 at which it expires.
fn certify_until(name: &str, address: Option<&str>, issuer: Option<&Certified>, end: i64) -> Certified {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder
        .set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::from_unix(1_700_000_000).unwrap())
        .unwrap();
    builder.set_not_after(&Asn1Time::from_unix(end).unwrap()).unwrap();
    if let Some(address) = address {
        let context = builder.x509v3_context(None, None);
        let names = SubjectAlternativeName::new().ip(address).build(&context).unwrap();
        builder.append_extension(names).unwrap();
    }
    if let Some(issuer) = issuer {
        builder
            .set_issuer_name(issuer.certificate.subject_name())
            .unwrap();
        builder.sign(&issuer.key, MessageDigest::sha256()).unwrap();
    } else {
        builder
            .append_extension(BasicConstraints::new().critical().ca().build().unwrap())
            .unwrap();
        builder.set_issuer_name(&subject).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
    }
    Certified {
        key,
        certificate: builder.build(),
    }
}

/// A broker with TLS whose certificate `authority` has signed for `address`; with `clients`, only for theirs.
fn tls_broker(authority: &Certified, address: &str, clients: Option<&Certified>) -> ScriptedBroker {
    tls_broker_with(&certify("broker", Some(address), Some(authority)), clients)
}

/// A broker with TLS and this certificate; with `clients`, only for those of that authority.
fn tls_broker_with(own: &Certified, clients: Option<&Certified>) -> ScriptedBroker {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_certificate(&own.certificate).unwrap();
    acceptor.set_private_key(&own.key).unwrap();
    if let Some(clients) = clients {
        acceptor
            .cert_store_mut()
            .add_cert(clients.certificate.clone())
            .unwrap();
        acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    ScriptedBroker::tls(
        acceptor.build(),
        with_greeting(|head, _| body(&cluster(&[1]), head)),
    )
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// Connects as the properties say and asks for the cluster.
fn ask(broker: &ScriptedBroker, properties: &str) -> Result<String, Error> {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "client.properties", properties.as_bytes());
    let mut settings = Settings::default();
    settings.set("default.api.timeout.ms", "3000", Origin::Default);
    settings.read_properties_file(&file)?;
    settings.set("bootstrap.servers", broker.address(), Origin::Flag);
    let mut client = AdminClient::connect(&settings)?;
    Ok(client.cluster_id()?.unwrap_or_default().to_owned())
}

#[test]
fn a_broker_is_trusted_by_its_authority_in_every_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let authority = certify("authority", None, None);
    let pem = authority.certificate.to_pem().unwrap();
    let file = write(folder.path(), "ca.pem", &pem);
    let inline = str::from_utf8(&pem).unwrap().trim_end().replace('\n', "\\\n");
    let mut store = Pkcs12::builder();
    let authorities = openssl::stack::Stack::new().and_then(|mut stack| {
        stack.push(authority.certificate.clone())?;
        Ok(stack)
    });
    store.ca(authorities.unwrap());
    let mut spellings = vec![
        format!(
            "ssl.truststore.type=PEM\nssl.truststore.location={}",
            file.display()
        ),
        format!("ssl.truststore.type=PEM\nssl.truststore.certificates={inline}"),
        format!("ssl.ca.location={}", file.display()),
        format!("ssl.ca.location={}", folder.path().display()),
        "enable.ssl.certificate.verification=false\nssl.endpoint.identification.algorithm=".to_owned(),
    ];
    let client = certify("client", None, Some(&authority));
    store.pkey(&client.key).cert(&client.certificate);
    let file = write(
        folder.path(),
        "trust.p12",
        &store.build2("pass").unwrap().to_der().unwrap(),
    );
    spellings.push(format!(
        "ssl.truststore.location={}\nssl.truststore.password=pass",
        file.display()
    ));
    let broker = tls_broker(&authority, "127.0.0.1", None);
    for spelling in spellings {
        let answer = ask(&broker, &format!("security.protocol=SSL\n{spelling}"));
        assert_eq!(answer.unwrap(), "scripted", "{spelling}");
    }
}

#[test]
fn a_certificate_for_another_host_is_refused_unless_that_check_is_off() {
    let folder = tempfile::tempdir().unwrap();
    let authority = certify("authority", None, None);
    let trust = write(folder.path(), "ca.pem", &authority.certificate.to_pem().unwrap());
    let broker = tls_broker(&authority, "127.0.0.9", None);
    let properties = format!("security.protocol=SSL\nssl.ca.location={}\n", trust.display());
    let refusal = ask(&broker, &properties).unwrap_err();
    assert!(
        refusal
            .to_string()
            .contains("the broker's certificate is not for \"127.0.0.1\""),
        "{refusal}"
    );
    assert_eq!(
        ask(
            &broker,
            &format!("{properties}ssl.endpoint.identification.algorithm=")
        )
        .unwrap(),
        "scripted"
    );
}

#[test]
fn a_certificate_of_strangers_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let broker = tls_broker(&certify("authority", None, None), "127.0.0.1", None);
    let other = certify("other", None, None);
    let trust = write(folder.path(), "ca.pem", &other.certificate.to_pem().unwrap());
    let refusal = ask(
        &broker,
        &format!("security.protocol=SSL\nssl.ca.location={}", trust.display()),
    )
    .unwrap_err();
    assert_eq!(refusal.kind(), Kind::Denied);
    assert!(
        refusal
            .to_string()
            .contains("the broker's certificate is signed by an authority that is not trusted"),
        "{refusal}"
    );
}

#[test]
fn a_broker_that_asks_for_a_certificate_gets_ours() {
    let folder = tempfile::tempdir().unwrap();
    let authority = certify("authority", None, None);
    let trust = write(folder.path(), "ca.pem", &authority.certificate.to_pem().unwrap());
    let alice = certify("alice", None, Some(&authority));
    let mut pem = alice
        .key
        .private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_256_cbc(), b"pass")
        .unwrap();
    pem.extend(alice.certificate.to_pem().unwrap());
    let key = write(folder.path(), "key.pem", &pem);
    let broker = tls_broker(&authority, "127.0.0.1", Some(&authority));
    let properties = format!("security.protocol=SSL\nssl.ca.location={}\n", trust.display());
    let with_key = format!(
        "{properties}ssl.keystore.type=PEM\nssl.keystore.location={}\n",
        key.display()
    );
    assert_eq!(
        ask(&broker, &format!("{with_key}ssl.key.password=pass")).unwrap(),
        "scripted"
    );
    let refusal = ask(&broker, &with_key).unwrap_err();
    assert!(
        refusal.to_string().contains("line 4: ssl.keystore.location"),
        "{refusal}"
    );
    assert!(ask(&broker, &properties).is_err());
}

#[test]
fn tls_and_plain_text_that_meet_are_told_apart() {
    let broker = ScriptedBroker::plain(with_greeting(|head, _| body(&cluster(&[1]), head)));
    let folder = tempfile::tempdir().unwrap();
    let authority = certify("authority", None, None);
    let trust = write(folder.path(), "ca.pem", &authority.certificate.to_pem().unwrap());
    let refusal = ask(
        &broker,
        &format!("security.protocol=SSL\nssl.ca.location={}", trust.display()),
    )
    .unwrap_err();
    assert!(
        refusal.to_string().contains("is it a listener without TLS"),
        "{refusal}"
    );

    let broker = tls_broker(&authority, "127.0.0.1", None);
    let refusal = ask(&broker, "").unwrap_err();
    assert!(refusal.to_string().contains("security.protocol"), "{refusal}");
}

/// A broker that knows one user of PLAIN.
fn plain_broker() -> ScriptedBroker {
    ScriptedBroker::plain(with_greeting(|head, mut request| match head.api_key {
        17 => {
            let offered = vec![StrBytes::from_static_str("PLAIN")];
            let asked = request.windows(5).any(|five| five == b"PLAIN");
            let code = if asked { 0 } else { 33 };
            body(
                &SaslHandshakeResponse::default()
                    .with_error_code(code)
                    .with_mechanisms(offered),
                head,
            )
        }
        36 => {
            let request = SaslAuthenticateRequest::decode(&mut request, head.version).unwrap();
            let response = SaslAuthenticateResponse::default();
            if &request.auth_bytes[..] == b"\0alice\0right" {
                return body(&response, head);
            }
            let text = StrBytes::from_static_str("Authentication failed: Invalid username or password");
            body(&response.with_error_code(58).with_error_message(Some(text)), head)
        }
        3 => body(&cluster(&[1]), head),
        _ => Reply::HangUp,
    }))
}

fn plain(password: &str) -> String {
    format!(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
         required username=\"alice\" password=\"{password}\";\n"
    )
}

#[test]
fn a_password_opens_or_the_broker_s_own_words_say_why_not() {
    let broker = plain_broker();
    assert_eq!(ask(&broker, &plain("right")).unwrap(), "scripted");
    let refusal = ask(&broker, &plain("hunter2")).unwrap_err();
    assert_eq!(refusal.kind(), Kind::Denied);
    assert!(
        refusal
            .message()
            .ends_with("authentication failed (PLAIN): invalid username or password")
    );
    assert!(!format!("{refusal} {refusal:?}").contains("hunter2"));
}

#[test]
fn a_mechanism_the_broker_has_not_names_those_it_has() {
    let properties = plain("right").replace("=PLAIN\n", "=SCRAM-SHA-256\n");
    let refusal = ask(&plain_broker(), &properties).unwrap_err();
    assert_eq!(refusal.kind(), Kind::Denied);
    assert!(
        refusal
            .message()
            .ends_with("(SCRAM-SHA-256): Client SASL mechanism 'SCRAM-SHA-256' not enabled in the server, enabled mechanisms are [PLAIN]"),
        "{refusal}"
    );
}

#[test]
fn a_refused_password_is_not_tried_again() {
    let broker = plain_broker();
    let began = std::time::Instant::now();
    ask(&broker, &plain("wrong")).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(broker.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

/// A listener that turns a client away, the properties of that client, and what is to be said about it.
struct Refusing {
    broker: ScriptedBroker,
    properties: String,
    words: &'static str,
}

/// One listener of each kind that a wrong setting can meet.
fn refusing(folder: &Path) -> Vec<Refusing> {
    let mut all = refusing_tls(folder);
    all.extend(refusing_sasl());
    all
}

/// Those where TLS is what is wrong.
fn refusing_tls(folder: &Path) -> Vec<Refusing> {
    let authority = certify("authority", None, None);
    let trust = write(folder, "ca.pem", &authority.certificate.to_pem().unwrap());
    let ssl = format!("security.protocol=SSL\nssl.ca.location={}\n", trust.display());
    let other = certify("other", None, None);
    let other_trust = write(folder, "other.pem", &other.certificate.to_pem().unwrap());
    let stranger = certify("stranger", None, Some(&other));
    let mut pem = stranger.key.private_key_to_pem_pkcs8().unwrap();
    pem.extend(stranger.certificate.to_pem().unwrap());
    let key = write(folder, "stranger.pem", &pem);
    let self_signed = certify("broker", Some("127.0.0.1"), None);
    let refusing = |broker, properties: String, words| Refusing {
        broker,
        properties,
        words,
    };
    vec![
        refusing(
            tls_broker(&authority, "127.0.0.1", Some(&authority)),
            ssl.clone(),
            "the broker wants a client certificate, and none is given",
        ),
        refusing(
            tls_broker(&authority, "127.0.0.1", Some(&authority)),
            format!(
                "{ssl}ssl.keystore.type=PEM\nssl.keystore.location={}\n",
                key.display()
            ),
            "the broker does not accept our client certificate",
        ),
        refusing(
            tls_broker(&authority, "127.0.0.9", None),
            ssl.clone(),
            "the broker's certificate is not for \"127.0.0.1\"",
        ),
        refusing(
            tls_broker_with(
                &certify_until("broker", Some("127.0.0.1"), Some(&authority), 1_700_000_001),
                None,
            ),
            ssl.clone(),
            "the broker's certificate has expired",
        ),
        refusing(
            tls_broker(&authority, "127.0.0.1", None),
            format!(
                "security.protocol=SSL\nssl.ca.location={}\n",
                other_trust.display()
            ),
            "the broker's certificate is signed by an authority that is not trusted",
        ),
        refusing(
            tls_broker_with(&self_signed, None),
            ssl.clone(),
            "the broker's certificate is self-signed and not trusted",
        ),
        refusing(
            tls_broker(&authority, "127.0.0.1", None),
            String::new(),
            "the listener speaks TLS, and this connection has none",
        ),
        refusing(
            ScriptedBroker::plain(with_greeting(|head, _| body(&cluster(&[1]), head))),
            ssl,
            "it does not speak TLS",
        ),
    ]
}

/// Those where SASL is what is wrong.
fn refusing_sasl() -> Vec<Refusing> {
    let refusing = |broker, properties: String, words| Refusing {
        broker,
        properties,
        words,
    };
    vec![
        // Its first letter is small where a sentence of ours is before it.
        refusing(plain_broker(), plain("wrong"), "nvalid username or password"),
        refusing(
            plain_broker(),
            plain("right").replace("=PLAIN\n", "=SCRAM-SHA-256\n"),
            "Client SASL mechanism 'SCRAM-SHA-256' not enabled in the server",
        ),
        refusing(
            sasl_broker(),
            String::new(),
            "the listener wants SASL, and no credentials are given; it offers PLAIN",
        ),
        refusing(
            ScriptedBroker::plain(with_greeting(|head, _| match head.api_key {
                17 => body(&SaslHandshakeResponse::default().with_error_code(34), head),
                _ => body(&cluster(&[1]), head),
            })),
            plain("right"),
            "the listener has no SASL, and credentials are given",
        ),
    ]
}

/// A broker with SASL that hangs up on whoever has not said who it is.
fn sasl_broker() -> ScriptedBroker {
    ScriptedBroker::plain(with_greeting(|head, _| match head.api_key {
        17 => {
            let offered = vec![StrBytes::from_static_str("PLAIN")];
            let response = SaslHandshakeResponse::default().with_error_code(33);
            body(&response.with_mechanisms(offered), head)
        }
        _ => Reply::HangUp,
    }))
}

const NATIVE: [&[&str]; 7] = [
    &["topics", "list"],
    &["topics", "create", "t"],
    &["describe", "cluster"],
    &["describe", "group"],
    &["reassign", "list"],
    &["consume", "t", "-e"],
    &["produce", "t"],
];
const JAVA: [(&[&str], &str); 4] = [
    (&["kafka-topics", "--list"], "--command-config"),
    (&["kafka-reassign-partitions", "--list"], "--command-config"),
    (&["kafka-console-consumer", "--topic", "t"], "--command-config"),
    (&["kafka-console-producer", "--topic", "t"], "--command-config"),
];

/// Runs the binary against a refusing listener; the exit code and what it says on stderr.
fn run(refusing: &Refusing, folder: &Path, words: &[&str], file_flag: &str) -> (Option<i32>, String) {
    let file = write(folder, "client.properties", refusing.properties.as_bytes());
    let began = std::time::Instant::now();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kafkit"))
        .args(words)
        .args(["--bootstrap-server", &refusing.broker.address(), file_flag])
        .arg(&file)
        .env_clear()
        .env("HOME", folder)
        .stdin(fs::File::open(write(folder, "input", b"a record\n")).unwrap())
        .output()
        .unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{words:?}: {:?}",
        began.elapsed()
    );
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn every_command_says_at_once_what_a_connection_lacks() {
    let folder = tempfile::tempdir().unwrap();
    for refusing in refusing(folder.path()) {
        for words in NATIVE {
            let (code, told) = run(&refusing, folder.path(), words, "--command-config");
            assert_eq!(code, Some(4), "{words:?}: {told}");
            assert!(told.contains(refusing.words), "{words:?}: {told}");
            let times = told.to_lowercase().matches("authentication failed").count();
            assert!(times <= 1, "{words:?}: {told}");
            assert_eq!(told.lines().count(), 1, "{words:?}: {told}");
            assert!(
                !told.contains("SSL routines") && !told.contains("error:0"),
                "{words:?}: {told}"
            );
        }
        for (words, file_flag) in JAVA {
            let (_, told) = run(&refusing, folder.path(), words, file_flag);
            assert!(told.contains(refusing.words), "{words:?}: {told}");
            assert!(
                !told.contains("SSL routines") && !told.contains("error:0"),
                "{words:?}: {told}"
            );
        }
    }
}

/// Librdkafka's requests to authenticate are told from ours by their version: it knows none newer than 1.
#[test]
fn sasl_extensions_are_sent_in_groups_and_transactions() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let broker = ScriptedBroker::plain(with_greeting(move |head, mut request| match head.api_key {
        17 => {
            let offered = vec![StrBytes::from_static_str("OAUTHBEARER")];
            body(&SaslHandshakeResponse::default().with_mechanisms(offered), head)
        }
        36 => {
            let asked = SaslAuthenticateRequest::decode(&mut request, head.version).unwrap();
            heard
                .lock()
                .unwrap()
                .push((head.version, asked.auth_bytes.to_vec()));
            body(&SaslAuthenticateResponse::default(), head)
        }
        _ => body(&cluster(&[1]), head),
    }));
    let folder = tempfile::tempdir().unwrap();
    let properties = "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\nsasl.jaas.config=\
        org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
        unsecuredLoginStringClaim_sub=\"alice\" unsecuredLoginExtension_traceId=\"123\";\n";
    let file = write(folder.path(), "client.properties", properties.as_bytes());
    for words in [
        &["produce", "t", "-X", "transactional.id=x"][..],
        &["consume", "t", "-g", "g", "-e"],
    ] {
        said.lock().unwrap().clear();
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_kafkit"))
            .args(words)
            .args(["-b", &broker.address(), "--timeout", "60s", "--command-config"])
            .arg(&file)
            .env_clear()
            .env("HOME", folder.path())
            .stdin(fs::File::open(write(folder.path(), "input", b"a record\n")).unwrap())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        wait_until("librdkafka authenticates", || {
            said.lock().unwrap().iter().any(|(version, _)| *version < 2)
        });
        child.kill().unwrap();
        child.wait().unwrap();
        for (version, bytes) in said.lock().unwrap().iter() {
            let text = String::from_utf8_lossy(bytes);
            assert!(
                text.starts_with("n,,\u{1}auth=Bearer ey") && text.ends_with("\u{1}traceId=123\u{1}\u{1}"),
                "version {version}: {text:?}"
            );
        }
    }
}
