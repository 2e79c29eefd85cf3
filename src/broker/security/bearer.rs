//! Tokens of OAUTHBEARER (RFC 7519): unsecured ones, as Kafka's default validator takes them for tests, and ones that a
//! key of a file has signed.
//!
//! The file is PEM (public keys or certificates) or a JWKS (RFC 7517), and is read for each token: keys change while
//! the broker runs.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Verifier};
use openssl::x509::X509;
use serde_json::{Map, Value};

use super::listener_settings::ListenerSettings;
use crate::error::Result;
use crate::wire::Secret;
use crate::wire::sasl::jaas::LoginModule;

/// A file of keys is at most this large.
const KEYS_LIMIT: u64 = 1024 * 1024;

/// Which tokens are taken.
#[derive(Debug, Default)]
pub(super) struct TokenRules {
    /// The file with the keys that sign; without one tokens are not signed.
    keys: Option<String>,
    principal_claim: String,
    scope_claim: String,
    required_scope: Vec<String>,
    clock_skew_ms: i64,
    audiences: Vec<String>,
    issuer: Option<String>,
}

/// What a token says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) name: String,
    pub(super) expires_at_ms: i64,
}

/// Why a token is not taken: the answer of RFC 7628 §3.2.2.
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
    pub(super) fn new(settings: &ListenerSettings<'_>, module: Option<&LoginModule>) -> Result<Self> {
        let option = |name: &str| module.and_then(|module| module.option(name)).map(str::to_owned);
        let setting = |key: &str| settings.get(key).map(|value| value.trim().to_owned());
        let words = |text: String| {
            text.split([',', ' '])
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let key = "sasl.oauthbearer.jwks.endpoint.url";
        let Some(url) = setting(key) else {
            return Ok(Self {
                keys: None,
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
        if url.starts_with("http:") || url.starts_with("https:") {
            return Err(settings
                .complaint(key, "keys are taken from a file only")
                .hint("save what the server answers, and name it with file:///…"));
        }
        let path = url
            .strip_prefix("file://")
            .or_else(|| url.strip_prefix("file:"))
            .unwrap_or(&url);
        read_keys(path).map_err(|problem| settings.complaint(key, problem))?;
        let skew =
            setting("sasl.oauthbearer.clock.skew.seconds").and_then(|seconds| seconds.parse::<i64>().ok());
        Ok(Self {
            keys: Some(path.to_owned()),
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

    /// Who a token is for. `now_ms` is milliseconds since 1970.
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

    /// The claims of a token whose signature is as the rules want it.
    fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| BASE64URL.decode(part.trim_end_matches('=')).ok();
        let object = |part: &str| serde_json::from_slice::<Map<String, Value>>(&decode(part)?).ok();
        let header = object(header)?;
        let algorithm = header.get("alg")?.as_str()?;
        match &self.keys {
            None if algorithm == "none" && signature.is_empty() => {}
            None => return None,
            Some(path) => {
                let id = header.get("kid").and_then(Value::as_str);
                let signature = decode(signature)?;
                let keys = read_keys(path).ok()?;
                let mut fitting = keys
                    .iter()
                    .filter(|key| id.is_none() || key.id.is_none() || key.id.as_deref() == id);
                fitting.find(|key| is_signed(algorithm, &key.key, signed.as_bytes(), &signature))?;
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

/// A text, or several in a list.
fn strings(value: Option<&Value>) -> BTreeSet<&str> {
    match value {
        Some(Value::String(text)) => text.split(' ').collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

/// A key that may sign tokens.
struct SigningKey {
    id: Option<String>,
    key: PKey<Public>,
}

fn read_keys(path: &str) -> std::result::Result<Vec<SigningKey>, String> {
    let failed = |error: std::io::Error| format!("{path}: {}", crate::error::io_words(&error));
    if std::fs::metadata(path).map_err(failed)?.len() > KEYS_LIMIT {
        return Err(format!("{path}: it is larger than {KEYS_LIMIT} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let keys = if text.trim_start().starts_with('{') {
        of_jwks(&text)
    } else {
        of_pem(&text)
    };
    if keys.is_empty() {
        return Err(format!("{path}: it holds no public key in PEM or JWKS form"));
    }
    Ok(keys)
}

fn of_pem(text: &str) -> Vec<SigningKey> {
    let blocks = text.split_inclusive("-----END PUBLIC KEY-----");
    let keys = blocks.filter_map(|block| PKey::public_key_from_pem(block.as_bytes()).ok());
    let certificates = X509::stack_from_pem(text.as_bytes()).unwrap_or_default();
    let of_certificates = certificates
        .iter()
        .filter_map(|certificate| certificate.public_key().ok());
    keys.chain(of_certificates)
        .map(|key| SigningKey { id: None, key })
        .collect()
}

fn of_jwks(text: &str) -> Vec<SigningKey> {
    let set: Value = serde_json::from_str(text).unwrap_or_default();
    let keys = set.get("keys").and_then(Value::as_array);
    let keys = keys.into_iter().flatten().filter_map(|key| {
        Some(SigningKey {
            id: key.get("kid").and_then(Value::as_str).map(str::to_owned),
            key: of_jwk(key)?,
        })
    });
    keys.collect()
}

fn of_jwk(jwk: &Value) -> Option<PKey<Public>> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let number = |name: &str| {
        let bytes = BASE64URL.decode(text(name)?.trim_end_matches('=')).ok()?;
        BigNum::from_slice(&bytes).ok()
    };
    match text("kty")? {
        "RSA" => PKey::from_rsa(Rsa::from_public_components(number("n")?, number("e")?).ok()?).ok(),
        "EC" => {
            let curve = match text("crv")? {
                "P-256" => Nid::X9_62_PRIME256V1,
                "P-384" => Nid::SECP384R1,
                "P-521" => Nid::SECP521R1,
                _ => return None,
            };
            let group = EcGroup::from_curve_name(curve).ok()?;
            let key = EcKey::from_public_key_affine_coordinates(&group, &*number("x")?, &*number("y")?);
            PKey::from_ec_key(key.ok()?).ok()
        }
        _ => None,
    }
}

/// Whether a signature of RFC 7518 §3 is right.
fn is_signed(algorithm: &str, key: &PKey<Public>, signed: &[u8], signature: &[u8]) -> bool {
    let Some((family, bits)) = algorithm.split_at_checked(2) else {
        return false;
    };
    let digest = match bits {
        "256" => MessageDigest::sha256(),
        "384" => MessageDigest::sha384(),
        "512" => MessageDigest::sha512(),
        _ => return false,
    };
    let verified = match family {
        "RS" if key.rsa().is_ok() => verify(digest, key, signed, signature, false),
        "PS" if key.rsa().is_ok() => verify(digest, key, signed, signature, true),
        "ES" if key.ec_key().is_ok() => {
            der_of(signature).and_then(|der| verify(digest, key, signed, &der, false))
        }
        _ => None,
    };
    verified == Some(true)
}

fn verify(
    digest: MessageDigest,
    key: &PKey<Public>,
    signed: &[u8],
    signature: &[u8],
    pss: bool,
) -> Option<bool> {
    let mut verifier = Verifier::new(digest, key).ok()?;
    if pss {
        verifier.set_rsa_padding(Padding::PKCS1_PSS).ok()?;
        verifier.set_rsa_mgf1_md(digest).ok()?;
        verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).ok()?;
    }
    verifier.verify_oneshot(signature, signed).ok()
}

/// OpenSSL's form of an ECDSA signature, which in a token is two numbers one after the other.
fn der_of(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    let signature =
        EcdsaSig::from_private_components(BigNum::from_slice(r).ok()?, BigNum::from_slice(s).ok()?);
    signature.ok()?.to_der().ok()
}

#[cfg(test)]
mod tests {
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

    /// Signs with OpenSSL itself, and with the key of a JWKS or PEM file.
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
                keys: Some(file.display().to_string()),
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
            keys: Some(pem.display().to_string()),
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
