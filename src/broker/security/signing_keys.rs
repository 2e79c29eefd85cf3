//! Public keys that sign tokens, in PEM (keys or certificates) or as a JWKS (RFC 7517), and the verification of
//! signatures (RFC 7518).

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
use serde_json::Value;

/// The largest file of keys, in bytes.
const KEYS_LIMIT: u64 = 1024 * 1024;

/// A key that may sign tokens.
pub(super) struct SigningKey {
    pub(super) id: Option<String>,
    key: PKey<Public>,
}

impl SigningKey {
    /// Whether this is a valid signature by RFC 7518 §3.
    pub(super) fn has_signed(&self, algorithm: &str, signed: &[u8], signature: &[u8]) -> bool {
        is_signed(algorithm, &self.key, signed, signature)
    }
}

/// The keys of a file.
pub(super) fn read_keys(path: &str) -> Result<Vec<SigningKey>, String> {
    let failed = |error: std::io::Error| format!("{path}: {}", crate::error::io_words(&error));
    if std::fs::metadata(path).map_err(failed)?.len() > KEYS_LIMIT {
        return Err(format!("{path}: it is larger than {KEYS_LIMIT} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    keys_of(&text).ok_or_else(|| format!("{path}: it holds no public key in PEM or JWKS form"))
}

/// The keys in a text in PEM or JWKS form; `None` if it has none.
pub(super) fn keys_of(text: &str) -> Option<Vec<SigningKey>> {
    let keys = if text.trim_start().starts_with('{') {
        of_jwks(text)
    } else {
        of_pem(text)
    };
    (!keys.is_empty()).then_some(keys)
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

/// The DER form of an ECDSA signature, which in a token is two numbers one after the other.
fn der_of(signature: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    let signature =
        EcdsaSig::from_private_components(BigNum::from_slice(r).ok()?, BigNum::from_slice(s).ok()?);
    signature.ok()?.to_der().ok()
}
