//! Where OAUTHBEARER tokens come from: a fixed one, a file, a command, an OAuth server (client credentials), or, for
//! tests, an unsecured token made here (RFC 7515 without signature, as Kafka's default handler makes them).

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Map, Value, json};

use super::super::secrets;
use super::super::settings::Settings;
use super::token_endpoint::TokenEndpoint;
use crate::error::io_words;
use crate::error::{Error, Result};
use crate::wire::Secret;
use crate::wire::sasl::jaas::LoginModule;
use crate::wire::sasl::{Token, TokenSource};

/// How long an unsecured token is valid, in seconds, unless the login module says otherwise.
const DEFAULT_LIFETIME_S: f64 = 3600.0;

/// The longest token that is read, in bytes: brokers accept no longer requests before authentication.
const LONGEST_TOKEN: u64 = 512 * 1024;

/// Kafka's own handlers and retrievers, which this file replaces.
const KNOWN_CLASSES: [&str; 5] = [
    "OAuthBearerLoginCallbackHandler",
    "OAuthBearerUnsecuredLoginCallbackHandler",
    "DefaultJwtRetriever",
    "ClientCredentialsJwtRetriever",
    "FileJwtRetriever",
];

pub(super) fn source(settings: &Settings, module: Option<&LoginModule>) -> Result<Box<dyn TokenSource>> {
    for key in [
        "sasl.login.callback.handler.class",
        "sasl.oauthbearer.jwt.retriever.class",
    ] {
        let class = settings
            .get(key)
            .map(|class| class.trim().rsplit('.').next().unwrap_or_default());
        if class.is_some_and(|class| !class.is_empty() && !KNOWN_CLASSES.contains(&class)) {
            return Err(settings
                .complaint(key, "this class is not known here")
                .hint("a token can come from sasl.oauthbearer.token.file"));
        }
    }
    let extensions = extensions(settings, module);
    if let Some(token) = settings.get("sasl.oauthbearer.token") {
        return Ok(Box::new(Fixed {
            token: Secret::new(token.trim()),
            extensions,
        }));
    }
    if let Some(path) = settings.get("sasl.oauthbearer.token.file") {
        return Ok(Box::new(FromFile {
            path: path.into(),
            extensions,
        }));
    }
    if let Some(line) = settings.get("sasl.oauthbearer.token.command") {
        return Ok(Box::new(FromCommand {
            line: line.to_owned(),
            extensions,
        }));
    }
    match settings.get("sasl.oauthbearer.token.endpoint.url").map(str::trim) {
        Some(url) if url.starts_with("file:") => {
            let path = url.trim_start_matches("file:");
            let path = format!("/{}", path.trim_start_matches('/'));
            Ok(Box::new(FromFile {
                path: path.into(),
                extensions,
            }))
        }
        Some(url) => {
            let endpoint = TokenEndpoint::read(settings, module, url)?;
            Ok(Box::new(FromEndpoint { endpoint, extensions }))
        }
        None => unsecured(settings, module, extensions),
    }
}

/// The SASL extensions (KIP-342), from the settings of Kafka's two handlers and of librdkafka.
fn extensions(settings: &Settings, module: Option<&LoginModule>) -> Vec<(String, String)> {
    let mut extensions = Vec::new();
    for (name, value) in module.iter().flat_map(|module| &module.options) {
        let name = name
            .strip_prefix("unsecuredLoginExtension_")
            .or_else(|| name.strip_prefix("extension_"));
        extensions.extend(name.map(|name| (name.to_owned(), value.reveal().to_owned())));
    }
    let theirs = settings.get("sasl.oauthbearer.extensions").unwrap_or_default();
    let theirs = theirs.split(',').filter_map(|pair| pair.trim().split_once('='));
    extensions.extend(theirs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    extensions
}

#[derive(Debug)]
struct Fixed {
    token: Secret,
    extensions: Vec<(String, String)>,
}

impl TokenSource for Fixed {
    fn token(&self) -> Result<Token, String> {
        Ok(describe(self.token.clone(), &self.extensions))
    }
}

#[derive(Debug)]
struct FromFile {
    path: PathBuf,
    extensions: Vec<(String, String)>,
}

impl TokenSource for FromFile {
    fn token(&self) -> Result<Token, String> {
        let text = fs::read_to_string(&self.path);
        let text =
            text.map_err(|cause| format!("the token's file {}: {}", self.path.display(), io_words(&cause)))?;
        Ok(describe(Secret::new(text.trim()), &self.extensions))
    }
}

/// A command that prints a token; it runs whenever one is needed.
#[derive(Debug)]
struct FromCommand {
    line: String,
    extensions: Vec<(String, String)>,
}

impl TokenSource for FromCommand {
    fn token(&self) -> Result<Token, String> {
        let printed = secrets::printed_by(&self.line, LONGEST_TOKEN);
        let printed = printed.map_err(|error| format!("sasl.oauthbearer.token.command: {error}"))?;
        let token = printed.trim();
        if token.is_empty() || !token.chars().all(|letter| letter.is_ascii_graphic()) {
            return Err("sasl.oauthbearer.token.command: what it printed is no token".to_owned());
        }
        Ok(describe(Secret::new(token), &self.extensions))
    }
}

#[derive(Debug)]
struct FromEndpoint {
    endpoint: TokenEndpoint,
    extensions: Vec<(String, String)>,
}

impl TokenSource for FromEndpoint {
    fn token(&self) -> Result<Token, String> {
        Ok(describe(self.endpoint.fetch()?, &self.extensions))
    }
}

/// A token with the data of its claims, if it is a JWT. Nothing is verified: the broker does so.
fn describe(value: Secret, extensions: &[(String, String)]) -> Token {
    let claims = value
        .reveal()
        .split('.')
        .nth(1)
        .and_then(|part| BASE64URL.decode(part).ok());
    let claims: Value = claims
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default();
    let expires_at_s = claims
        .get("exp")
        .and_then(Value::as_f64)
        .unwrap_or_else(|| now_s() + DEFAULT_LIFETIME_S);
    Token {
        principal: claims
            .get("sub")
            .and_then(Value::as_str)
            .unwrap_or("unknown")
            .to_owned(),
        expires_at_ms: (expires_at_s * 1000.0) as i64,
        value,
        extensions: extensions.to_vec(),
    }
}

/// A token without signature that only claims an identity. Only for test brokers.
#[derive(Debug)]
struct Unsecured {
    claims: Map<String, Value>,
    lifetime_s: f64,
    extensions: Vec<(String, String)>,
}

fn unsecured(
    settings: &Settings,
    module: Option<&LoginModule>,
    extensions: Vec<(String, String)>,
) -> Result<Box<dyn TokenSource>> {
    let mut claims = Map::new();
    let mut lifetime_s = DEFAULT_LIFETIME_S;
    for (name, value) in module.iter().flat_map(|module| &module.options) {
        let value = value.reveal();
        let number = || {
            value
                .parse::<f64>()
                .map_err(|_| settings.complaint("sasl.jaas.config", format_args!("{name} takes a number")))
        };
        if let Some(claim) = name.strip_prefix("unsecuredLoginStringClaim_") {
            claims.insert(claim.to_owned(), json!(value));
        } else if let Some(claim) = name.strip_prefix("unsecuredLoginNumberClaim_") {
            claims.insert(claim.to_owned(), json!(number()?));
        } else if let Some(claim) = name.strip_prefix("unsecuredLoginListClaim_") {
            claims.insert(claim.to_owned(), json!(list(value)));
        } else if name == "unsecuredLoginLifetimeSeconds" {
            lifetime_s = number()?;
        }
    }
    if module.is_none()
        && settings
            .get("enable.sasl.oauthbearer.unsecure.jwt")
            .is_some_and(|value| value.trim() == "true")
    {
        from_librdkafka(settings, &mut claims, &mut lifetime_s)?;
    }
    let principal = module
        .and_then(|module| module.option("unsecuredLoginPrincipalClaimName"))
        .unwrap_or("sub");
    if claims
        .get(principal)
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        return Err(Error::usage("OAUTHBEARER has no token to show")
            .hint("set sasl.oauthbearer.token.endpoint.url, sasl.oauthbearer.token.file, sasl.oauthbearer.token.command, or unsecuredLoginStringClaim_sub in sasl.jaas.config"));
    }
    Ok(Box::new(Unsecured {
        claims,
        lifetime_s,
        extensions,
    }))
}

/// librdkafka's `sasl.oauthbearer.config`: `principal=admin scope=a,b lifeSeconds=600`.
fn from_librdkafka(settings: &Settings, claims: &mut Map<String, Value>, lifetime_s: &mut f64) -> Result<()> {
    let key = "sasl.oauthbearer.config";
    for pair in settings.get(key).unwrap_or_default().split_whitespace() {
        match pair.split_once('=') {
            Some(("principal", value)) => _ = claims.insert("sub".to_owned(), json!(value)),
            Some(("scope", value)) => {
                let scopes: Vec<&str> = value.split(',').collect();
                claims.insert("scope".to_owned(), json!(scopes));
            }
            Some(("lifeSeconds", value)) => {
                *lifetime_s = value
                    .parse()
                    .map_err(|_| settings.complaint(key, "lifeSeconds takes a number"))?;
            }
            _ => return Err(settings.complaint(key, "it takes principal, scope and lifeSeconds")),
        }
    }
    Ok(())
}

/// Java's list claims: the first character is the separator, `,a,b` or `|a|b`; without one it is a single value.
fn list(value: &str) -> Vec<&str> {
    match value.chars().next() {
        Some(separator) if !separator.is_ascii_alphanumeric() => {
            value.trim_start_matches(separator).split(separator).collect()
        }
        _ => vec![value],
    }
}

impl TokenSource for Unsecured {
    fn token(&self) -> Result<Token, String> {
        let now = now_s();
        let mut claims = self.claims.clone();
        claims.entry("iat").or_insert_with(|| json!(now));
        claims
            .entry("exp")
            .or_insert_with(|| json!(now + self.lifetime_s));
        let part = |json: &str| BASE64URL.encode(json);
        let token = format!(
            "{}.{}.",
            part("{\"alg\":\"none\"}"),
            part(&Value::Object(claims).to_string())
        );
        Ok(describe(Secret::new(token), &self.extensions))
    }
}

/// Seconds since 1970, in whole milliseconds and rounded down as in Java: a broker refuses a token issued in the next
/// millisecond.
fn now_s() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_millis() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::settings::Origin;

    fn source_of(entries: &[(&str, &str)]) -> Result<Box<dyn TokenSource>> {
        let mut settings = Settings::default();
        for (key, value) in entries {
            settings.set(*key, *value, Origin::SetFlag);
        }
        let module = settings
            .get("sasl.jaas.config")
            .map(|text| LoginModule::parse(text).unwrap());
        source(&settings, module.as_ref())
    }

    const MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";

    #[test]
    fn an_unsecured_token_says_who_we_are() {
        let jaas = format!(
            "{MODULE} unsecuredLoginStringClaim_sub=\"alice\" unsecuredLoginLifetimeSeconds=\"60\" \
             unsecuredLoginListClaim_scope=\",a,b\" unsecuredLoginExtension_traceId=\"7\";"
        );
        let token = source_of(&[("sasl.jaas.config", &jaas)])
            .unwrap()
            .token()
            .unwrap();
        assert_eq!(token.principal, "alice");
        assert_eq!(token.extensions, [("traceId".to_owned(), "7".to_owned())]);
        let parts: Vec<&str> = token.value.reveal().split('.').collect();
        assert_eq!(BASE64URL.decode(parts[0]).unwrap(), b"{\"alg\":\"none\"}");
        let claims: Value = serde_json::from_slice(&BASE64URL.decode(parts[1]).unwrap()).unwrap();
        assert_eq!(claims["scope"], json!(["a", "b"]));
        assert_eq!((parts.len(), parts[2]), (3, ""));
        assert!((token.expires_at_ms as f64 / 1000.0 - now_s() - 60.0).abs() < 5.0);
    }

    #[test]
    fn a_token_from_a_file_is_read_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let url = format!("file://{}", path.display());
        let source = source_of(&[("sasl.oauthbearer.token.endpoint.url", &url)]).unwrap();
        assert!(source.token().unwrap_err().contains("token"));
        for token in ["one", "two"] {
            fs::write(&path, format!("{token}\n")).unwrap();
            assert_eq!(source.token().unwrap().value.reveal(), token);
        }
    }

    #[test]
    fn a_command_is_asked_for_each_token() {
        let folder = tempfile::tempdir().unwrap();
        let line = format!(
            "cd {}; echo x >> n; echo t.$(wc -l < n | tr -d ' ')",
            folder.path().display()
        );
        let source = source_of(&[("sasl.oauthbearer.token.command", &line)]).unwrap();
        for token in ["t.1", "t.2"] {
            assert_eq!(source.token().unwrap().value.reveal(), token);
        }
        for bad in ["exit 3", "echo", "echo a b"] {
            let source = source_of(&[("sasl.oauthbearer.token.command", bad)]).unwrap();
            let problem = source.token().unwrap_err();
            assert!(
                problem.starts_with("sasl.oauthbearer.token.command: "),
                "{problem}"
            );
        }
    }

    #[test]
    fn nobody_s_token_is_an_error_at_once() {
        assert!(source_of(&[]).unwrap_err().to_string().contains("token"));
        let msk = [(
            "sasl.login.callback.handler.class",
            "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
        )];
        assert!(source_of(&msk).is_err());
    }
}
