//! rpk's profiles (`rpk.yaml`), or the section `rpk` of a `redpanda.yaml`.

use super::yaml::{Node, Value};
use super::{Import, Imported, Parts, note_others};

pub(super) fn read(tree: &Node) -> Import {
    let mut import = Import {
        current: tree
            .get("current_profile")
            .and_then(Node::text)
            .map(str::to_owned),
        ..Import::default()
    };
    for profile in tree.get("profiles").map_or(&[][..], Node::items) {
        let name = profile.get("name").and_then(Node::text).unwrap_or("default");
        let imported = read_profile(&mut import, profile, name);
        import.profiles.push(imported);
    }
    if let Some(section) = tree
        .get("rpk")
        .filter(|section| section.get("kafka_api").is_some())
    {
        let imported = read_profile(&mut import, section, "default");
        import.profiles.push(imported);
    }
    import
}

fn read_profile(import: &mut Import, profile: &Node, name: &str) -> Imported {
    let known = [
        "name",
        "description",
        "kafka_api",
        "admin_api",
        "schema_registry",
        "prompt",
        "license_check",
    ];
    note_others(import, profile, &known, "");
    let mut parts = Parts::default();
    parts.set("description", profile.get("description").and_then(Node::text));
    if let Some(api) = profile.get("kafka_api") {
        parts.set_brokers(api.get("brokers"));
        note_others(import, api, &["brokers", "tls", "sasl"], "kafka_api.");
        // An empty map turns TLS on; no map, or null, does not.
        if let Some(tls) = api.get("tls").filter(|tls| matches!(tls.value, Value::Map(_))) {
            read_tls(import, tls, &mut parts);
        }
        if let Some(sasl) = api.get("sasl").filter(|sasl| !sasl.entries().is_empty()) {
            read_sasl(import, sasl, &mut parts);
        }
    }
    parts.into_profile(name)
}

fn read_tls(import: &mut Import, tls: &Node, parts: &mut Parts) {
    let known = [
        "enabled",
        "ca_file",
        "truststore_file",
        "cert_file",
        "key_file",
        "insecure_skip_verify",
    ];
    note_others(import, tls, &known, "kafka_api.tls.");
    if tls.get("enabled").is_some_and(|enabled| !enabled.is_true()) {
        return;
    }
    parts.has_tls = true;
    let text = |key: &str| tls.get(key).and_then(Node::text);
    parts.set("ssl.ca.location", text("ca_file").or(text("truststore_file")));
    parts.set("ssl.certificate.location", text("cert_file"));
    parts.set("ssl.key.location", text("key_file"));
    if tls.get("insecure_skip_verify").is_some_and(Node::is_true) {
        parts.trust_everybody();
    }
}

fn read_sasl(import: &mut Import, sasl: &Node, parts: &mut Parts) {
    note_others(
        import,
        sasl,
        &["user", "password", "mechanism", "type"],
        "kafka_api.sasl.",
    );
    parts.has_sasl = true;
    let text = |key: &str| sasl.get(key).and_then(Node::text);
    parts.set("sasl.mechanism", text("mechanism").or(text("type")));
    parts.set("sasl.username", text("user"));
    parts.set("sasl.password", text("password"));
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    const FILE: &str = "version: 6
current_profile: prod
profiles:
    - name: prod
      description: the real one
      prompt: hi-red, \"[%n]\"
      kafka_api:
        brokers: [a:9092, b:9092]
        tls:
            ca_file: /ca.pem
            insecure_skip_verify: true
        sasl:
            user: me
            password: hush
            mechanism: SCRAM-SHA-256
      admin_api:
        addresses: [a:9644]
      from_cloud: true
    - name: local
      kafka_api:
        brokers:
            - 127.0.0.1:9092
        tls: null
    - name: open
      kafka_api: {tls: {}}
";

    #[test]
    fn profiles_with_their_security() {
        let import = read(&yaml::parse(FILE).unwrap());
        assert_eq!(import.current.as_deref(), Some("prod"));
        let names: Vec<_> = import
            .profiles
            .iter()
            .filter_map(|profile| profile.name.as_deref())
            .collect();
        assert_eq!(names, ["prod", "local", "open"]);
        let entries = |place: usize| -> Vec<String> {
            let entries = import.profiles[place].entries.iter();
            entries.map(|(key, value)| format!("{key}={value}")).collect()
        };
        assert_eq!(
            entries(0),
            [
                "description=the real one",
                "bootstrap.servers=a:9092,b:9092",
                "ssl.ca.location=/ca.pem",
                "enable.ssl.certificate.verification=false",
                "ssl.endpoint.identification.algorithm=none",
                "sasl.mechanism=SCRAM-SHA-256",
                "sasl.username=me",
                "sasl.password=hush",
                "security.protocol=SASL_SSL",
            ]
        );
        assert_eq!(entries(1), ["bootstrap.servers=127.0.0.1:9092"]);
        assert_eq!(entries(2), ["security.protocol=SSL"]);
        assert_eq!(
            import.notes,
            [(18, "from_cloud has no place in a profile".to_owned())]
        );
    }
}
