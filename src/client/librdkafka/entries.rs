//! Client settings with librdkafka's names and values, with TLS and SASL as on our own connections.

use crate::client::security::Security;
use crate::client::setting_keys::{self, Meaning, Reach};
use crate::client::settings::{Setting, Settings};
use crate::error::Result;

/// The kind of librdkafka client that the settings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Producer,
    Consumer,
}

/// The settings for librdkafka: TLS and SASL, then the rest in the order of the keys.
pub(super) fn of(settings: &Settings, role: Role) -> Result<Vec<(String, String)>> {
    let mut entries = Security::of(settings)?.librdkafka_entries()?;
    for setting in settings.in_force() {
        if let Some(entry) = entry(settings, setting, role)? {
            entries.push(entry);
        }
    }
    Ok(entries)
}

fn entry(settings: &Settings, setting: &Setting, role: Role) -> Result<Option<(String, String)>> {
    let key = setting.key.as_str();
    let name = match setting_keys::java(key) {
        // The producer's request time-out is its own; a consumer's is that of the socket.
        Some(Meaning::As("request.timeout.ms")) if role == Role::Consumer => "socket.timeout.ms",
        Some(Meaning::As(name)) => name,
        Some(_) => return Ok(None),
        None if key.starts_with("ssl.")
            || key.starts_with("sasl.")
            || key == "enable.ssl.certificate.verification" =>
        {
            return Ok(None);
        }
        None => key,
    };
    // A compression level applies only to the codec in its name.
    if let Some(codec) = key
        .strip_prefix("compression.")
        .and_then(|rest| rest.strip_suffix(".level"))
        && settings
            .get("compression.type")
            .is_none_or(|chosen| !chosen.trim().eq_ignore_ascii_case(codec))
    {
        return Ok(None);
    }
    let theirs = match setting_keys::librdkafka(name) {
        Some(Reach::Both) => true,
        Some(Reach::Producer) => role == Role::Producer,
        Some(Reach::Consumer) => role == Role::Consumer,
        None => false,
    };
    if !theirs {
        return Ok(None);
    }
    let value = setting_keys::for_librdkafka(key, &setting.value);
    let value = value.map_err(|problem| settings.complaint(key, problem))?;
    Ok(Some((name.to_owned(), value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::settings::Origin;
    use crate::client::settings::tests::of_file;
    use crate::wire::sasl::Credentials;

    fn found(settings: &Settings, role: Role, key: &str) -> Option<String> {
        let entries = of(settings, role).unwrap();
        entries
            .into_iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    #[test]
    fn java_s_settings_in_librdkafka_s_names() {
        let settings = of_file(
            "fetch.max.wait.ms=7\nbuffer.memory=2048\nrequest.timeout.ms=9\nkey.serializer=x\n\
             compression.type=gzip\ncompression.gzip.level=9\ncompression.zstd.level=3\nmax.poll.records=1",
        );
        for (role, key, expected) in [
            (Role::Consumer, "fetch.wait.max.ms", Some("7")),
            (Role::Producer, "fetch.wait.max.ms", None),
            (Role::Producer, "queue.buffering.max.kbytes", Some("2")),
            (Role::Producer, "request.timeout.ms", Some("9")),
            (Role::Consumer, "socket.timeout.ms", Some("9")),
            (Role::Producer, "compression.level", Some("9")),
            (Role::Producer, "key.serializer", None),
            (Role::Producer, "security.protocol", Some("plaintext")),
        ] {
            assert_eq!(found(&settings, role, key).as_deref(), expected, "{role:?} {key}");
        }
        assert!(settings.warnings().is_empty());
    }

    #[test]
    fn a_jaas_line_becomes_credentials_on_both_engines() {
        let settings = of_file(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required username=\"alice\" password=\"a\\\\\"b\";",
        );
        assert_eq!(
            found(&settings, Role::Producer, "sasl.password").as_deref(),
            Some("a\"b")
        );
        let options = settings.connection_options().unwrap();
        assert!(
            matches!(options.credentials, Some(Credentials::Scram { username, .. }) if username == "alice")
        );
    }

    #[test]
    fn a_stronger_password_replaces_the_file_s_login_module() {
        let mut settings = of_file(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"old\";",
        );
        settings.set("sasl.username", "bob", Origin::SetFlag);
        settings.set(
            "sasl.password",
            "new",
            Origin::Environment("KAFKIT_SASL_PASSWORD".into()),
        );
        assert_eq!(
            found(&settings, Role::Consumer, "sasl.username").as_deref(),
            Some("bob")
        );
        assert_eq!(
            found(&settings, Role::Consumer, "sasl.password").as_deref(),
            Some("new")
        );
    }

    #[test]
    fn a_stronger_password_alone_is_that_of_the_login_module_s_user() {
        let mut settings = of_file(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"old\";",
        );
        settings.set("sasl.password", "new", Origin::SetFlag);
        let credentials = settings.connection_options().unwrap().credentials;
        assert!(
            matches!(&credentials, Some(Credentials::Plain { username, .. }) if username == "alice"),
            "{credentials:?}"
        );
        assert_eq!(
            found(&settings, Role::Consumer, "sasl.password").as_deref(),
            Some("new")
        );
        let mut settings = of_file(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" password=\"old\";",
        );
        settings.set("sasl.username", "bob", Origin::SetFlag);
        assert!(
            settings.connection_options().is_err(),
            "alice's password is not bob's"
        );
    }

    #[test]
    fn a_connection_is_never_weaker_than_asked_for() {
        for (line, told) in [
            ("ssl.protocol=SSLv3", "line 2: ssl.protocol: only TLSv1.2"),
            (
                "ssl.enabled.protocols=TLSv1.1,TLSv1",
                "ssl.enabled.protocols: neither",
            ),
            (
                "ssl.engine.factory.class=a.B",
                "ssl.engine.factory.class: it is not supported",
            ),
            (
                "ssl.cipher.suites=TLS_NO_SUCH_CIPHER",
                "TLS_NO_SUCH_CIPHER is no cipher",
            ),
            (
                "ssl.endpoint.identification.algorithm=ldaps",
                "\"https\" or empty",
            ),
            ("ssl.truststore.type=BCFKS", "stores can be JKS, PKCS12 or PEM"),
            ("ssl.crl.location=/tmp/crl", "it is not supported"),
            ("ssl.truststore.location=/nowhere/at/all.jks", "no such file"),
        ] {
            let settings = of_file(&format!("security.protocol=SSL\n{line}"));
            let refusal = settings.connection_options().unwrap_err().to_string();
            assert!(refusal.contains(told), "{refusal}");
            assert!(of(&settings, Role::Producer).is_err());
        }
        for (mechanism, jaas, told) in [
            ("GSSAPI", "", "GSSAPI is not supported"),
            (
                "PLAIN",
                "a.kafka.common.security.Evil required;",
                "login module a.kafka.common.security.Evil is not supported",
            ),
            ("PLAIN", "x required", "a semicolon must stand at the end"),
            (
                "PLAIN",
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"a\";",
                "no password",
            ),
        ] {
            let settings = of_file(&format!(
                "security.protocol=SASL_SSL\nsasl.mechanism={mechanism}\nsasl.jaas.config={jaas}"
            ));
            let refusal = settings.connection_options().unwrap_err().to_string();
            assert!(refusal.contains(told), "{refusal}");
        }
    }
}
