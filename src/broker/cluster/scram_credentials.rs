//! SCRAM credentials of users (KIP-554): which there are, and whether a change of them is allowed.
//!
//! A credential holds no password and nothing that a client could show in place of one: a salt, and two keys that are
//! made of the salted password (RFC 5802 §3).

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;

use super::controller::Refused;
use crate::wire::sasl::ScramHash;

/// Of each user and mechanism (Kafka's code for it) the credential.
pub(in crate::broker) type ScramCredentials = BTreeMap<(String, i8), ScramCredential>;

/// What proves that a client knows a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct ScramCredential {
    pub(in crate::broker) salt: Vec<u8>,
    pub(in crate::broker) stored_key: Vec<u8>,
    pub(in crate::broker) server_key: Vec<u8>,
    pub(in crate::broker) iterations: i32,
}

const ITERATIONS: std::ops::RangeInclusive<i32> = 4_096..=16_384;

/// The hash of a mechanism by Kafka's code for it.
pub(in crate::broker) fn hash_of(mechanism: i8) -> Option<ScramHash> {
    match mechanism {
        1 => Some(ScramHash::Sha256),
        2 => Some(ScramHash::Sha512),
        _ => None,
    }
}

/// A change of one credential as a request has it.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct ScramChange<'a> {
    pub(in crate::broker) user: &'a str,
    pub(in crate::broker) mechanism: i8,
    /// Salt, salted password and iterations; `None` deletes.
    pub(in crate::broker) upsertion: Option<(&'a [u8], &'a [u8], i32)>,
}

/// Decides on one change: the credential that the user then has, `None` if it is deleted. The error is Kafka's.
pub(in crate::broker) fn decide(
    known: &ScramCredentials,
    change: ScramChange<'_>,
) -> Result<Option<ScramCredential>, Refused> {
    let unacceptable = |message: &str| Err((ResponseError::UnacceptableCredential, message.to_owned()));
    if change.user.is_empty() {
        return unacceptable("Username must not be empty");
    }
    let Some(hash) = hash_of(change.mechanism) else {
        let message = "Unknown SCRAM mechanism".to_owned();
        return Err((ResponseError::UnsupportedSaslMechanism, message));
    };
    let Some((salt, salted_password, iterations)) = change.upsertion else {
        if known.contains_key(&(change.user.to_owned(), change.mechanism)) {
            return Ok(None);
        }
        let message = "Attempt to delete a user credential that does not exist".to_owned();
        return Err((ResponseError::ResourceNotFound, message));
    };
    if iterations < *ITERATIONS.start() {
        return unacceptable("Too few iterations");
    }
    if iterations > *ITERATIONS.end() {
        return unacceptable("Too many iterations");
    }
    let keys = hash.keys_of(salted_password);
    let (stored_key, server_key) = keys.map_err(|error| {
        let message = format!("The credential cannot be computed: {error}");
        (ResponseError::UnknownServerError, message)
    })?;
    Ok(Some(ScramCredential {
        salt: salt.to_vec(),
        stored_key,
        server_key,
        iterations,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(user: &str, mechanism: i8, upsertion: Option<i32>) -> String {
        let change = ScramChange {
            user,
            mechanism,
            upsertion: upsertion.map(|iterations| (&b"salt"[..], &b"salted"[..], iterations)),
        };
        let outcome = decide(&ScramCredentials::new(), change);
        outcome.err().map(|(_, message)| message).unwrap_or_default()
    }

    /// The words are those with which Apache Kafka 4.3.1 refused these.
    #[test]
    fn refusals_are_those_of_apache_kafka() {
        assert_eq!(refused("x", 1, Some(4095)), "Too few iterations");
        assert_eq!(refused("x", 1, Some(16385)), "Too many iterations");
        assert_eq!(refused("", 1, Some(4096)), "Username must not be empty");
        assert_eq!(refused("x", 3, Some(4096)), "Unknown SCRAM mechanism");
        assert_eq!(
            refused("x", 1, None),
            "Attempt to delete a user credential that does not exist"
        );
        assert_eq!(refused("x", 2, Some(16384)), "");
    }
}
