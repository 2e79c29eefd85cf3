//! Users that authenticate with SCRAM (KIP-554): `DescribeUserScramCredentials` and `AlterUserScramCredentials` v0.
//!
//! A broker never sees the password: it gets the salted hash that it stores.
//! <https://kafka.apache.org/protocol#The_Messages_AlterUserScramCredentials>

use bytes::Bytes;
use kafka_protocol::messages::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use kafka_protocol::messages::describe_user_scram_credentials_request::UserName;
use kafka_protocol::messages::{AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest};
use kafka_protocol::protocol::StrBytes;

use super::{AdminClient, ApiError};
use crate::error::{Error, Result};
use crate::wire::Secret;
use crate::wire::error_codes::RESOURCE_NOT_FOUND;
pub use crate::wire::sasl::ScramHash;
use crate::wire::sasl::salted_password;

/// The bytes of a salt.
const SALT_LENGTH: usize = 32;

/// A user as the cluster lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScramUser {
    pub name: String,
    /// The mechanisms it can use, each with its iterations, or why they are unknown.
    pub credentials: Result<Vec<(ScramHash, i32)>, ApiError>,
}

/// A new password of a user for one mechanism.
#[derive(Clone, Debug)]
pub struct NewCredential {
    pub mechanism: ScramHash,
    /// Rounds of the hash, 4096 to 16 384 in Apache Kafka.
    pub iterations: i32,
    pub password: Secret,
}

impl AdminClient {
    /// These users, or all if `names` is empty; a user that does not exist is left out.
    pub fn scram_users(&mut self, names: &[String]) -> Result<Result<Vec<ScramUser>, ApiError>> {
        let wanted = |name: &String| UserName::default().with_name(StrBytes::from_string(name.clone()));
        let users = (!names.is_empty()).then(|| names.iter().map(wanted).collect());
        let request = DescribeUserScramCredentialsRequest::default().with_users(users);
        let answer = self.send(request)?;
        if let Err(refusal) = ApiError::check(answer.error_code, answer.error_message.as_deref()) {
            return Ok(Err(refusal));
        }
        let results = answer.results.into_iter();
        let found = results.filter(|result| result.error_code != RESOURCE_NOT_FOUND);
        Ok(Ok(found
            .map(|result| {
                let infos = result.credential_infos.iter();
                let credentials = infos.filter_map(|info| Some((hash_of(info.mechanism)?, info.iterations)));
                let checked = ApiError::check(result.error_code, result.error_message.as_deref());
                ScramUser {
                    name: result.user.to_string(),
                    credentials: checked.map(|()| credentials.collect()),
                }
            })
            .collect()))
    }

    /// Deletes and adds credentials of one user.
    pub fn alter_scram_user(
        &mut self,
        user: &str,
        deleted: &[ScramHash],
        added: &[NewCredential],
    ) -> Result<Result<(), ApiError>> {
        let name = || StrBytes::from_string(user.to_owned());
        let deletions = deleted.iter().map(|mechanism| {
            ScramCredentialDeletion::default()
                .with_name(name())
                .with_mechanism(code_of(*mechanism))
        });
        let mut upsertions = Vec::with_capacity(added.len());
        for credential in added {
            let (salt, salted) = salted(credential)?;
            upsertions.push(
                ScramCredentialUpsertion::default()
                    .with_name(name())
                    .with_mechanism(code_of(credential.mechanism))
                    .with_iterations(credential.iterations)
                    .with_salt(salt)
                    .with_salted_password(salted),
            );
        }
        let request = AlterUserScramCredentialsRequest::default()
            .with_deletions(deletions.collect())
            .with_upsertions(upsertions);
        let answer = self.send(request)?;
        let mut results = answer.results.iter();
        let refused = results.find(|result| result.error_code != 0);
        Ok(refused.map_or(Ok(()), |result| {
            ApiError::check(result.error_code, result.error_message.as_deref())
        }))
    }
}

/// A new salt, and the password hashed with it.
fn salted(credential: &NewCredential) -> Result<(Bytes, Bytes)> {
    let mut salt = [0; SALT_LENGTH];
    getrandom::fill(&mut salt).map_err(|cause| Error::failed(format!("no random numbers: {cause}")))?;
    let iterations = usize::try_from(credential.iterations).unwrap_or_default();
    let salted = salted_password(credential.mechanism, &credential.password, &salt, iterations)
        .map_err(|cause| Error::failed(format!("the password cannot be hashed: {cause}")))?;
    Ok((Bytes::copy_from_slice(&salt), Bytes::from(salted)))
}

fn code_of(mechanism: ScramHash) -> i8 {
    match mechanism {
        ScramHash::Sha256 => 1,
        ScramHash::Sha512 => 2,
    }
}

fn hash_of(code: i8) -> Option<ScramHash> {
    match code {
        1 => Some(ScramHash::Sha256),
        2 => Some(ScramHash::Sha512),
        _ => None,
    }
}
