//! The broker's side of SASL: reads and checks the client's messages of each mechanism; no socket, no users of its
//! own.
//!
//! PLAIN (RFC 4616), SCRAM (RFC 5802, RFC 7677), OAUTHBEARER (RFC 7628). Secrets are compared in constant time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use openssl::hash::hash;
use openssl::memcmp;

use super::scram::{ScramHash, hmac};
use crate::wire::secret::Secret;

/// The content of a client's PLAIN message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainLogin {
    pub username: String,
    pub password: Secret,
}

/// Why a login is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// This message is sent to the client.
    Told(String),
    /// No reason is sent to the client, since it would reveal which users exist.
    Untold,
}

/// An authorization identity other than the client's own is never accepted.
const OTHER_IDENTITY: &str =
    "Authentication failed: Client requested an authorization id that is different from username";

/// Whether two secrets are the same, in a time that depends on their lengths alone.
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && memcmp::eq(a, b)
}

/// Reads the one message of PLAIN: `[authzid] NUL username NUL password`.
pub fn read_plain(message: &[u8]) -> Result<PlainLogin, Refusal> {
    // Invalid UTF-8 matches no password.
    let text = String::from_utf8_lossy(message);
    let mut parts = text.split('\0');
    let (Some(identity), Some(username), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        let count = text.split('\0').count();
        return Err(Refusal::Told(format!(
            "Invalid SASL/PLAIN response: expected 3 tokens, got {count}"
        )));
    };
    let told = |text: &str| Err(Refusal::Told(text.to_owned()));
    if username.is_empty() {
        return told("Authentication failed: username not specified");
    }
    if password.is_empty() {
        return told("Authentication failed: password not specified");
    }
    if !identity.is_empty() && identity != username {
        return told(OTHER_IDENTITY);
    }
    Ok(PlainLogin {
        username: username.to_owned(),
        password: Secret::new(password),
    })
}

/// What a broker stores instead of a password (RFC 5802 §3).
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    pub salt: Vec<u8>,
    pub stored_key: Vec<u8>,
    pub server_key: Vec<u8>,
    pub iterations: i32,
}

/// A client's first message in SCRAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScramFirst {
    pub username: String,
    /// The user name is the id of a delegation token (KIP-48).
    pub with_token: bool,
    /// An authorization identity other than the user's own is requested.
    is_for_another: bool,
    nonce: String,
    bare: String,
}

impl ScramFirst {
    /// Refuses an authorization identity other than the user's own; to be called once the user is known.
    pub fn check_identity(&self) -> Result<(), Refusal> {
        if self.is_for_another {
            return Err(Refusal::Told(OTHER_IDENTITY.to_owned()));
        }
        Ok(())
    }

    /// Reads `n,[a=…],n=user,r=nonce[,extension]…`. Channel binding does not exist in Kafka.
    pub fn read(message: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(message).map_err(|_| Refusal::Untold)?;
        let rest = text.strip_prefix("n,").ok_or(Refusal::Untold)?;
        let (identity, bare) = rest.split_once(',').ok_or(Refusal::Untold)?;
        let mut parts = bare.split(',');
        let mut field = |name: &str| parts.next().and_then(|part| part.strip_prefix(name));
        let username = field("n=").and_then(unescaped).ok_or(Refusal::Untold)?;
        let nonce = field("r=")
            .filter(|nonce| !nonce.is_empty())
            .ok_or(Refusal::Untold)?;
        let with_token = parts.any(|part| part.eq_ignore_ascii_case("tokenauth=true"));
        let is_for_another = if identity.is_empty() {
            false
        } else {
            let identity = identity.strip_prefix("a=").and_then(unescaped);
            identity.ok_or(Refusal::Untold)? != username
        };
        Ok(Self {
            username,
            with_token,
            is_for_another,
            nonce: nonce.to_owned(),
            bare: bare.to_owned(),
        })
    }
}

/// A user name with `=2C` for a comma and `=3D` for an equal sign; any other use of `=` is none.
fn unescaped(name: &str) -> Option<String> {
    let mut parts = name.split('=');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        text.push(match code {
            "2C" => ',',
            "3D" => '=',
            _ => return None,
        });
        text.push_str(rest);
    }
    Some(text)
}

/// A SCRAM conversation after the client's first message.
pub struct ScramServer {
    hash: ScramHash,
    keys: ScramKeys,
    nonce: String,
    /// The messages so far, as the proof covers them (`AuthMessage` without its last part).
    said: String,
}

impl ScramServer {
    /// The state and the broker's challenge. `own_nonce` is random text without commas.
    pub fn begin(hash: ScramHash, first: &ScramFirst, keys: ScramKeys, own_nonce: &str) -> (Self, Vec<u8>) {
        let nonce = format!("{}{own_nonce}", first.nonce);
        let challenge = format!("r={nonce},s={},i={}", BASE64.encode(&keys.salt), keys.iterations);
        let said = format!("{},{challenge}", first.bare);
        let state = Self {
            hash,
            keys,
            nonce,
            said,
        };
        (state, challenge.into_bytes())
    }

    /// Checks the client's proof; returns the broker's signature, which ends the conversation.
    pub fn finish(&self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        let text = std::str::from_utf8(message).map_err(|_| Refusal::Untold)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(Refusal::Untold)?;
        let mut parts = without_proof.split(',');
        let is_unbound = parts.next().is_some_and(|part| part.starts_with("c="));
        let nonce = parts.next().and_then(|part| part.strip_prefix("r="));
        if !is_unbound || nonce.is_none_or(|nonce| !is_same(nonce.as_bytes(), self.nonce.as_bytes())) {
            return Err(Refusal::Untold);
        }
        let proof = BASE64.decode(proof).map_err(|_| Refusal::Untold)?;
        let signed = format!("{},{without_proof}", self.said);
        self.verify(&proof, signed.as_bytes()).ok_or(Refusal::Untold)
    }

    /// The answer to a correct proof (RFC 5802 §3).
    fn verify(&self, proof: &[u8], signed: &[u8]) -> Option<Vec<u8>> {
        let digest = self.hash.digest();
        let signature = hmac(digest, &self.keys.stored_key, signed).ok()?;
        let client_key: Vec<u8> = proof
            .iter()
            .zip(&signature)
            .map(|(proof, sign)| proof ^ sign)
            .collect();
        let stored_key = hash(digest, &client_key).ok()?;
        if proof.len() != signature.len() || !is_same(&stored_key, &self.keys.stored_key) {
            return None;
        }
        let own = hmac(digest, &self.keys.server_key, signed).ok()?;
        Some(format!("v={}", BASE64.encode(own)).into_bytes())
    }
}

/// Reads the one message of OAUTHBEARER: `n,[a=…],^Aauth=Bearer TOKEN^A[key=value^A…]^A`. Returns the authorization
/// identity, empty if there is none, and the token.
pub fn read_bearer(message: &[u8]) -> Result<(String, Secret), Refusal> {
    let text = std::str::from_utf8(message).map_err(|_| Refusal::Untold)?;
    let rest = text.strip_prefix("n,").ok_or(Refusal::Untold)?;
    let (identity, pairs) = rest.split_once(',').ok_or(Refusal::Untold)?;
    let pairs = pairs
        .strip_prefix('\x01')
        .and_then(|pairs| pairs.strip_suffix("\x01\x01"));
    let mut token = None;
    for pair in pairs.ok_or(Refusal::Untold)?.split('\x01') {
        let (key, value) = pair.split_once('=').ok_or(Refusal::Untold)?;
        if key == "auth" {
            let (scheme, found) = value.split_once(' ').ok_or(Refusal::Untold)?;
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(Refusal::Untold);
            }
            token = Some(Secret::new(found.trim()));
        }
    }
    let identity = identity.strip_prefix("a=").map_or(Some(String::new()), unescaped);
    Ok((identity.ok_or(Refusal::Untold)?, token.ok_or(Refusal::Untold)?))
}

impl std::fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

impl std::fmt::Debug for ScramServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScramServer")
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Credentials, salted_password};
    use super::*;

    fn keys(password: &str) -> ScramKeys {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let salted = salted_password(ScramHash::Sha256, &Secret::new(password), &salt, 4096).unwrap();
        let (stored_key, server_key) = ScramHash::Sha256.keys_of(&salted).unwrap();
        ScramKeys {
            salt,
            stored_key,
            server_key,
            iterations: 4096,
        }
    }

    /// The example of RFC 7677 §3.
    #[test]
    fn the_conversation_of_rfc_7677() {
        let first = ScramFirst::read(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!(first.username, "user");
        let own = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let (server, challenge) = ScramServer::begin(ScramHash::Sha256, &first, keys("pencil"), own);
        let expected =
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        assert_eq!(challenge, expected.as_bytes());
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let proof = server.finish(last.as_bytes()).unwrap();
        assert_eq!(proof, b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let wrong = last.replace("p=dH", "p=dX");
        assert_eq!(server.finish(wrong.as_bytes()), Err(Refusal::Untold));
        let (other, _) = ScramServer::begin(ScramHash::Sha256, &first, keys("Pencil"), own);
        assert_eq!(other.finish(last.as_bytes()), Err(Refusal::Untold));
    }

    #[test]
    fn names_are_unescaped_and_tokens_told_apart() {
        let first = ScramFirst::read(b"n,a=a=3Db=2Cc,n=a=3Db=2Cc,r=N,tokenauth=true").unwrap();
        assert_eq!((first.username.as_str(), first.with_token), ("a=b,c", true));
        assert_eq!(first.check_identity(), Ok(()));
        let other = ScramFirst::read(b"n,a=root,n=user,r=N").unwrap();
        assert_eq!(
            other.check_identity(),
            Err(Refusal::Told(OTHER_IDENTITY.to_owned()))
        );
        for wrong in [
            "y,,n=u,r=N",
            "p=tls-unique,,n=u,r=N",
            "n,,n=u=2X,r=N",
            "n,,n=u,r=",
            "n,,m=u,n=u,r=N",
        ] {
            assert_eq!(
                ScramFirst::read(wrong.as_bytes()),
                Err(Refusal::Untold),
                "{wrong}"
            );
        }
    }

    #[test]
    fn plain_wants_a_name_and_a_password() {
        let login = read_plain(b"\0alice\0pass word").unwrap();
        assert_eq!(
            (login.username.as_str(), login.password.reveal()),
            ("alice", "pass word")
        );
        for (message, told) in [
            ("\0\0p", "Authentication failed: username not specified"),
            ("\0u\0", "Authentication failed: password not specified"),
            ("root\0u\0p", OTHER_IDENTITY),
        ] {
            assert_eq!(
                read_plain(message.as_bytes()),
                Err(Refusal::Told(told.to_owned()))
            );
        }
        for (message, count) in [(&b"u\0p"[..], 2), (b"\0u\0p\0x", 4), (b"", 1)] {
            let words = format!("Invalid SASL/PLAIN response: expected 3 tokens, got {count}");
            assert_eq!(read_plain(message), Err(Refusal::Told(words)));
        }
    }

    #[test]
    fn the_token_of_a_bearer() {
        let (identity, token) = read_bearer(b"n,,\x01auth=Bearer abc.def.\x01traceId=1\x01\x01").unwrap();
        assert_eq!((identity.as_str(), token.reveal()), ("", "abc.def."));
        assert!(read_bearer(b"n,,\x01auth=Basic abc\x01\x01").is_err());
        assert!(read_bearer(b"n,,\x01host=x\x01\x01").is_err());
    }

    proptest! {
        /// The broker accepts our client's messages with the same password, and with no other.
        #[test]
        fn the_client_and_the_broker_understand_each_other(
            name in "[a-z=,é]{1,8}", password in "[ -~é]{1,12}", other in "[ -~]{1,12}",
        ) {
            let keys = keys(&password);
            for (known, is_right) in [(&password, true), (&other, other == password)] {
                let credentials = Credentials::Scram {
                    hash: ScramHash::Sha256,
                    username: name.clone(),
                    password: Secret::new(known.as_str()),
                    delegation_token: false,
                };
                let (mut client, first) = credentials.begin().unwrap();
                let first = ScramFirst::read(&first).unwrap();
                prop_assert_eq!(&first.username, &name);
                let (server, challenge) = ScramServer::begin(ScramHash::Sha256, &first, keys.clone(), "own");
                let last = client.answer(&challenge).unwrap().unwrap();
                let proof = server.finish(&last);
                prop_assert_eq!(proof.is_ok(), is_right);
                if let Ok(proof) = proof {
                    prop_assert_eq!(client.answer(&proof), Ok(None));
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "[nrpca]?[=,]?[a-zA-Z0-9=,\x01]{0,40}") {
            let first = ScramFirst::read(b"n,,n=user,r=N").unwrap();
            let (server, _) = ScramServer::begin(ScramHash::Sha256, &first, keys("p"), "own");
            for message in [&bytes[..], text.as_bytes()] {
                let _ = read_plain(message);
                let _ = read_bearer(message);
                let _ = ScramFirst::read(message);
                prop_assert!(server.finish(message).is_err());
            }
        }
    }
}
