//! SCRAM credentials of users (KIP-554): which exist, and whether a change of them is allowed.
//!
//! A credential holds neither the password nor anything that could be used in its place: a salt, and two keys derived
//! from the salted password (RFC 5802 §3).

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;

use super::controller::Refused;
use crate::wire::sasl::ScramHash;

/// The credentials by user and mechanism (Kafka's code).
pub(in crate::broker) type ScramCredentials = BTreeMap<(String, i8), ScramCredential>;

/// What a client's proof is checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct ScramCredential {
    pub(in crate::broker) salt: Vec<u8>,
    pub(in crate::broker) stored_key: Vec<u8>,
    pub(in crate::broker) server_key: Vec<u8>,
    pub(in crate::broker) iterations: i32,
}

const ITERATIONS: std::ops::RangeInclusive<i32> = 4_096..=16_384;

/// The hash function of a mechanism, by Kafka's code.
pub(in crate::broker) fn hash_of(mechanism: i8) -> Option<ScramHash> {
    match mechanism {
        1 => Some(ScramHash::Sha256),
        2 => Some(ScramHash::Sha512),
        _ => None,
    }
}

/// A change of one credential in a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct ScramChange<'a> {
    pub(in crate::broker) user: &'a str,
    pub(in crate::broker) mechanism: i8,
    /// Salt, salted password and iterations; `None` for a deletion.
    pub(in crate::broker) upsertion: Option<(&'a [u8], &'a [u8], i32)>,
}

/// Decides on one change: the user's credential afterwards, `None` if it is deleted. The error is Kafka's.
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

    /// The messages are those of Apache Kafka 4.3.1.
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
