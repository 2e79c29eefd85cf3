//! kafkactl's contexts.

use super::yaml::Node;
use super::{Import, Imported, Parts, note_others};

/// Keys that have no counterpart here and can be ignored.
const OF_NO_CONSEQUENCE: [&str; 7] = [
    "brokers",
    "tls",
    "sasl",
    "clientID",
    "requestTimeout",
    "kafkaVersion",
    "producer",
];

pub(super) fn read(tree: &Node) -> Import {
    let mut import = Import {
        current: tree
            .get("current-context")
            .and_then(Node::text)
            .map(str::to_owned),
        ..Import::default()
    };
    for (name, context) in tree.get("contexts").map_or(&[][..], Node::entries) {
        let imported = read_context(&mut import, context, name);
        import.profiles.push(imported);
    }
    import
}

fn read_context(import: &mut Import, context: &Node, name: &str) -> Imported {
    note_others(import, context, &OF_NO_CONSEQUENCE, "");
    let mut parts = Parts::default();
    parts.set_brokers(context.get("brokers"));
    parts.set("client.id", context.get("clientID").and_then(Node::text));
    if let Some(timeout) = context.get("requestTimeout") {
        match timeout.text().map(millis) {
            Some(Some(millis)) => parts.set("request.timeout.ms", Some(&millis.to_string())),
            Some(None) => import
                .notes
                .push((timeout.line, "requestTimeout is no time".to_owned())),
            None => {}
        }
    }
    if let Some(producer) = context.get("producer") {
        read_producer(import, producer, &mut parts);
    }
    let is_on = |section: &&Node| section.get("enabled").is_some_and(Node::is_true);
    if let Some(tls) = context.get("tls").filter(is_on) {
        parts.has_tls = true;
        let text = |key: &str| tls.get(key).and_then(Node::text);
        parts.set("ssl.ca.location", text("ca"));
        parts.set("ssl.certificate.location", text("cert"));
        parts.set("ssl.key.location", text("certKey"));
        if tls.get("insecure").is_some_and(Node::is_true) {
            parts.trust_everybody();
        }
    }
    if let Some(sasl) = context.get("sasl").filter(is_on) {
        read_sasl(import, sasl, &mut parts);
    }
    parts.into_profile(name)
}

fn read_sasl(import: &mut Import, sasl: &Node, parts: &mut Parts) {
    note_others(
        import,
        sasl,
        &["enabled", "username", "password", "mechanism", "version"],
        "sasl.",
    );
    parts.has_sasl = true;
    let text = |key: &str| sasl.get(key).and_then(Node::text);
    parts.set(
        "sasl.mechanism",
        Some(match text("mechanism").unwrap_or("plaintext") {
            "plaintext" => "PLAIN",
            "scram-sha256" => "SCRAM-SHA-256",
            "scram-sha512" => "SCRAM-SHA-512",
            "oauth" => "OAUTHBEARER",
            other => other,
        }),
    );
    parts.set("sasl.username", text("username"));
    parts.set("sasl.password", text("password"));
}

fn read_producer(import: &mut Import, producer: &Node, parts: &mut Parts) {
    note_others(
        import,
        producer,
        &["requiredAcks", "maxMessageBytes"],
        "producer.",
    );
    let text = |key: &str| producer.get(key).and_then(Node::text);
    parts.set(
        "acks",
        text("requiredAcks").map(|acks| match acks {
            "WaitForAll" => "all",
            "WaitForLocal" => "1",
            "NoResponse" => "0",
            other => other,
        }),
    );
    parts.set("max.request.size", text("maxMessageBytes"));
}

/// A time as Go writes it: `10s`, `1m30s`, `250ms`.
fn millis(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let after = rest.get(digits..)?;
        let unit = after
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(after.len());
        let factor = match after.get(..unit)? {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = after.get(unit..)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    const FILE: &str = "contexts:
  default:
    brokers:
      - localhost:9092
  remote:
    brokers: [a:9092, b:9092]
    clientID: mine
    requestTimeout: 1m30s
    tls: {enabled: true, ca: ca.pem, cert: c.pem, certKey: k.pem}
    sasl:
      enabled: true
      username: admin
      password: hush
      mechanism: scram-sha512
    kubernetes:
      enabled: true
current-context: remote
";

    #[test]
    fn contexts_become_profiles() {
        let import = read(&yaml::parse(FILE).unwrap());
        assert_eq!(import.current.as_deref(), Some("remote"));
        let remote = import.profiles[1].entries.iter();
        let remote: Vec<String> = remote.map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            remote,
            [
                "bootstrap.servers=a:9092,b:9092",
                "client.id=mine",
                "request.timeout.ms=90000",
                "ssl.ca.location=ca.pem",
                "ssl.certificate.location=c.pem",
                "ssl.key.location=k.pem",
                "sasl.mechanism=SCRAM-SHA-512",
                "sasl.username=admin",
                "sasl.password=hush",
                "security.protocol=SASL_SSL",
            ]
        );
        assert_eq!(
            import.notes,
            [(16, "kubernetes has no place in a profile".to_owned())]
        );
    }

    #[test]
    fn times_as_go_writes_them() {
        for (text, expected) in [
            ("10s", Some(10_000)),
            ("250ms", Some(250)),
            ("1h0m1s", Some(3_601_000)),
            ("5", None),
            ("x", None),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }
}
