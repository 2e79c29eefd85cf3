//! Delegation tokens as logins (KIP-48): the user name of SCRAM is the id of a token, its password the HMAC of the id.
//!
//! The HMAC is computed from the secret key of the cluster, so it need not be stored.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;

use super::scram::{ScramHash, hmac, salted_password};
use super::server::ScramKeys;
use crate::wire::secret::Secret;

/// Rounds of SCRAM's hash: the fewest that clients take. The password is random already.
const ITERATIONS: u16 = 4096;

/// The HMAC-SHA-512 of a token's id.
pub fn token_hmac(key: &Secret, id: &str) -> Result<Vec<u8>, ErrorStack> {
    hmac(MessageDigest::sha512(), key.reveal().as_bytes(), id.as_bytes())
}

/// The HMAC as a password.
pub fn token_password(hmac: &[u8]) -> Secret {
    Secret::new(BASE64.encode(hmac))
}

/// The keys that a broker checks a client's proof with.
pub fn token_keys(hash: ScramHash, key: &Secret, id: &str, salt: &[u8]) -> Result<ScramKeys, ErrorStack> {
    let password = token_password(&token_hmac(key, id)?);
    let salted = salted_password(hash, &password, salt, ITERATIONS.into())?;
    let (stored_key, server_key) = hash.keys_of(&salted)?;
    Ok(ScramKeys {
        salt: salt.to_vec(),
        stored_key,
        server_key,
        iterations: ITERATIONS.into(),
    })
}
