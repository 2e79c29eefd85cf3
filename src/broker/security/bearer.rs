//! Tokens of OAUTHBEARER (RFC 7519): unsecured ones, as in Kafka's default validator for tests, and ones signed with
//! a known key.
//!
//! The keys come from a file, which is read for each token so that keys can change while the broker runs, or from a
//! server.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Map, Value};

use super::jwks_endpoint::JwksEndpoint;
use super::key_file::KeyFile;
use super::listener_settings::ListenerSettings;
use super::signing_keys::SigningKey;
use crate::broker::notices::NoticeSink;
use crate::error::Result;
use crate::wire::Secret;
use crate::wire::sasl::jaas::LoginModule;

/// The setting with the source of signing keys.
pub(super) const JWKS_URL: &str = "sasl.oauthbearer.jwks.endpoint.url";

/// The rules for valid tokens.
#[derive(Debug, Default)]
pub(super) struct TokenRules {
    keys: Keys,
    principal_claim: String,
    scope_claim: String,
    required_scope: Vec<String>,
    clock_skew_ms: i64,
    audiences: Vec<String>,
    issuer: Option<String>,
}

/// The source of signing keys.
#[derive(Debug, Default)]
enum Keys {
    /// Tokens are unsigned.
    #[default]
    Nobody,
    /// The keys of a file.
    File(KeyFile),
    /// The keys of a server.
    Endpoint(JwksEndpoint),
}

impl Keys {
    /// The keys of `sasl.oauthbearer.jwks.endpoint.url`.
    fn of(
        url: &str,
        settings: &ListenerSettings<'_>,
        module: Option<&LoginModule>,
        notices: &NoticeSink,
    ) -> Result<Self> {
        if url.starts_with("http:") || url.starts_with("https:") {
            return JwksEndpoint::new(url, settings, module, notices).map(Self::Endpoint);
        }
        let path = url
            .strip_prefix("file://")
            .or_else(|| url.strip_prefix("file:"))
            .unwrap_or(url);
        let file = KeyFile::open(path, settings.place(JWKS_URL), notices);
        file.map(Self::File)
            .map_err(|problem| settings.complaint(JWKS_URL, problem))
    }

    /// Whether one of the keys has signed; `id` is the key id in the token.
    fn have_signed(&self, id: Option<&str>, is_right: impl Fn(&SigningKey) -> bool) -> bool {
        let any = |keys: &[SigningKey]| {
            let fits = |key: &SigningKey| id.is_none() || key.id.is_none() || key.id.as_deref() == id;
            keys.iter().any(|key| fits(key) && is_right(key))
        };
        match self {
            Self::Nobody => false,
            Self::File(file) => any(&file.keys()),
            Self::Endpoint(endpoint) => endpoint.with_keys(id, any),
        }
    }
}

/// The content of a valid token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) name: String,
    pub(super) expires_at_ms: i64,
}

/// Why a token is refused: the answer of RFC 7628 §3.2.2.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    InvalidToken,
    InsufficientScope(String),
}

impl NotTaken {
    /// Kafka's challenge.
    pub(super) fn json(&self) -> String {
        match self {
            Self::InvalidToken => "{\"status\":\"invalid_token\"}".to_owned(),
            Self::InsufficientScope(scope) => {
                format!("{{\"status\":\"insufficient_scope\", \"scope\":\"{scope}\"}}")
            }
        }
    }
}

impl TokenRules {
    pub(super) fn new(
        settings: &ListenerSettings<'_>,
        module: Option<&LoginModule>,
        notices: &NoticeSink,
    ) -> Result<Self> {
        let option = |name: &str| module.and_then(|module| module.option(name)).map(str::to_owned);
        let setting = |key: &str| settings.get(key).map(|value| value.trim().to_owned());
        let words = |text: String| {
            text.split([',', ' '])
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let Some(url) = setting(JWKS_URL) else {
            return Ok(Self {
                keys: Keys::Nobody,
                principal_claim: option("unsecuredValidatorPrincipalClaimName")
                    .unwrap_or_else(|| "sub".to_owned()),
                scope_claim: option("unsecuredValidatorScopeClaimName").unwrap_or_else(|| "scope".to_owned()),
                required_scope: option("unsecuredValidatorRequiredScope")
                    .map(words)
                    .unwrap_or_default(),
                clock_skew_ms: option("unsecuredValidatorAllowableClockSkewMs")
                    .and_then(|ms| ms.parse().ok())
                    .unwrap_or(0),
                ..Self::default()
            });
        };
        let skew =
            setting("sasl.oauthbearer.clock.skew.seconds").and_then(|seconds| seconds.parse::<i64>().ok());
        Ok(Self {
            keys: Keys::of(&url, settings, module, notices)?,
            principal_claim: setting("sasl.oauthbearer.sub.claim.name").unwrap_or_else(|| "sub".to_owned()),
            scope_claim: setting("sasl.oauthbearer.scope.claim.name").unwrap_or_else(|| "scope".to_owned()),
            required_scope: Vec::new(),
            clock_skew_ms: skew.unwrap_or(30).saturating_mul(1000),
            audiences: setting("sasl.oauthbearer.expected.audience")
                .map(words)
                .unwrap_or_default(),
            issuer: setting("sasl.oauthbearer.expected.issuer"),
        })
    }

    /// The login in a token. `now_ms` is milliseconds since 1970.
    pub(super) fn check(&self, token: &Secret, now_ms: i64) -> Result<Login, NotTaken> {
        let claims = self.claims(token.reveal()).ok_or(NotTaken::InvalidToken)?;
        let login = self.login(&claims, now_ms).ok_or(NotTaken::InvalidToken)?;
        let scopes = strings(claims.get(&self.scope_claim));
        if self
            .required_scope
            .iter()
            .all(|scope| scopes.contains(scope.as_str()))
        {
            Ok(login)
        } else {
            Err(NotTaken::InsufficientScope(self.required_scope.join(" ")))
        }
    }

    /// The claims of a token, if its signature is valid by the rules.
    fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| BASE64URL.decode(part.trim_end_matches('=')).ok();
        let object = |part: &str| serde_json::from_slice::<Map<String, Value>>(&decode(part)?).ok();
        let header = object(header)?;
        let algorithm = header.get("alg")?.as_str()?;
        match &self.keys {
            Keys::Nobody if algorithm == "none" && signature.is_empty() => {}
            Keys::Nobody => return None,
            keys => {
                let id = header.get("kid").and_then(Value::as_str);
                let signature = decode(signature)?;
                let is_right = |key: &SigningKey| key.has_signed(algorithm, signed.as_bytes(), &signature);
                keys.have_signed(id, is_right).then_some(())?;
            }
        }
        object(claims)
    }

    fn login(&self, claims: &Map<String, Value>, now_ms: i64) -> Option<Login> {
        let ms = |name: &str| {
            claims
                .get(name)
                .map(|value| value.as_f64().map(|seconds| (seconds * 1000.0) as i64))
        };
        let expires_at_ms = ms("exp")??;
        let not_before = match ms("nbf") {
            Some(value) => value?,
            None => i64::MIN,
        };
        let issued = match ms("iat") {
            Some(value) => value?,
            None => i64::MIN,
        };
        let is_valid = now_ms.saturating_sub(self.clock_skew_ms) < expires_at_ms
            && now_ms.saturating_add(self.clock_skew_ms) >= not_before.max(issued)
            && issued < expires_at_ms;
        let name = claims.get(&self.principal_claim)?.as_str()?;
        let audiences = strings(claims.get("aud"));
        let is_for_us = self.audiences.is_empty()
            || self
                .audiences
                .iter()
                .any(|audience| audiences.contains(audience.as_str()));
        let is_theirs =
            self.issuer.is_none() || claims.get("iss").and_then(Value::as_str) == self.issuer.as_deref();
        (is_valid && is_for_us && is_theirs && !name.is_empty()).then(|| Login {
            name: name.to_owned(),
            expires_at_ms,
        })
    }
}

/// A string, or several in a list.
fn strings(value: Option<&Value>) -> BTreeSet<&str> {
    match value {
        Some(Value::String(text)) => text.split(' ').collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    use openssl::sign::Signer;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW_MS: i64 = 1_800_000_000_000;

    fn encoded(value: &Value) -> String {
        BASE64URL.encode(value.to_string())
    }

    fn unsecured(claims: &Value) -> Secret {
        Secret::new(format!(
            "{}.{}.",
            encoded(&json!({"alg": "none"})),
            encoded(claims)
        ))
    }

    fn rules() -> TokenRules {
        TokenRules {
            principal_claim: "sub".to_owned(),
            scope_claim: "scope".to_owned(),
            ..TokenRules::default()
        }
    }

    #[test]
    fn an_unsecured_token_is_taken_while_it_is_valid() {
        let valid = json!({"sub": "alice", "exp": 1_800_000_001, "iat": 1_799_999_999});
        let login = rules().check(&unsecured(&valid), NOW_MS).unwrap();
        assert_eq!(
            (login.name.as_str(), login.expires_at_ms),
            ("alice", 1_800_000_001_000)
        );
        for wrong in [
            json!({"sub": "alice", "exp": 1_800_000_000}),
            json!({"sub": "alice"}),
            json!({"sub": "", "exp": 1_800_000_001}),
            json!({"exp": 1_800_000_001}),
            json!({"sub": "alice", "exp": 1_800_000_001, "nbf": 1_800_000_001}),
            json!({"sub": "alice", "exp": "soon"}),
        ] {
            assert_eq!(
                rules().check(&unsecured(&wrong), NOW_MS),
                Err(NotTaken::InvalidToken),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_scope_that_is_wanted_must_be_there() {
        let rules = TokenRules {
            required_scope: vec!["a".to_owned(), "b".to_owned()],
            ..rules()
        };
        let token = |scope: Value| unsecured(&json!({"sub": "alice", "exp": 1_800_000_001, "scope": scope}));
        assert!(rules.check(&token(json!("b c a")), NOW_MS).is_ok());
        assert!(rules.check(&token(json!(["a", "b"])), NOW_MS).is_ok());
        let refused = rules.check(&token(json!("a")), NOW_MS).unwrap_err();
        assert_eq!(
            refused.json(),
            "{\"status\":\"insufficient_scope\", \"scope\":\"a b\"}"
        );
    }

    fn key_file(path: &std::path::Path) -> Keys {
        let silent: NoticeSink = std::sync::Arc::new(|_| {});
        Keys::File(KeyFile::open(&path.display().to_string(), String::new(), &silent).unwrap())
    }

    /// Signs with OpenSSL, for keys from a JWKS or PEM file.
    #[test]
    fn a_signed_token_is_taken_from_the_right_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let ours = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let theirs = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let rsa = ours.rsa().unwrap();
        let number = |number: &openssl::bn::BigNumRef| BASE64URL.encode(number.to_vec());
        let jwk = json!({"kty": "RSA", "kid": "k1", "n": number(rsa.n()), "e": number(rsa.e())});
        let (jwks, pem) = (folder.path().join("jwks.json"), folder.path().join("key.pem"));
        std::fs::write(&jwks, json!({"keys": [jwk]}).to_string()).unwrap();
        std::fs::write(&pem, ours.public_key_to_pem().unwrap()).unwrap();
        let token = |key: &PKey<openssl::pkey::Private>, kid: &str| {
            let header = encoded(&json!({"alg": "RS256", "kid": kid}));
            let said = format!(
                "{header}.{}",
                encoded(&json!({"sub": "alice", "exp": 1_800_000_001, "aud": "kafka"}))
            );
            let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
            let signature = signer.sign_oneshot_to_vec(said.as_bytes()).unwrap();
            Secret::new(format!("{said}.{}", BASE64URL.encode(signature)))
        };
        for file in [jwks, pem.clone()] {
            let rules = TokenRules {
                keys: key_file(&file),
                audiences: vec!["kafka".to_owned()],
                ..rules()
            };
            assert_eq!(rules.check(&token(&ours, "k1"), NOW_MS).unwrap().name, "alice");
            assert_eq!(
                rules.check(&token(&theirs, "k1"), NOW_MS),
                Err(NotTaken::InvalidToken)
            );
            let unsigned = unsecured(&json!({"sub": "alice", "exp": 1_800_000_001, "aud": "kafka"}));
            assert_eq!(rules.check(&unsigned, NOW_MS), Err(NotTaken::InvalidToken));
        }
        let others = TokenRules {
            keys: key_file(&pem),
            audiences: vec!["x".to_owned()],
            ..rules()
        };
        assert_eq!(
            others.check(&token(&ours, "k1"), NOW_MS),
            Err(NotTaken::InvalidToken)
        );
    }

    proptest! {
        #[test]
        fn no_token_makes_it_panic(text in "\\PC{0,40}", claims in "\\{\"(sub|exp|nbf)\":[0-9e\"]{0,6}\\}") {
            let _ = rules().check(&Secret::new(text), NOW_MS);
            let token = format!("{}.{}.", BASE64URL.encode("{\"alg\":\"none\"}"), BASE64URL.encode(claims));
            let _ = rules().check(&Secret::new(token), NOW_MS);
        }
    }
}
