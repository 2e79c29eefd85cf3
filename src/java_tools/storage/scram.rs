//! `--add-scram`: a user with a password, as the record of the metadata log (KIP-900).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::internal_records::cluster_metadata::encode_record;
use crate::internal_records::value::Value;
use crate::wire::sasl::{ScramHash, salted_password};
use crate::wire::secret::Secret;

/// The default and least number of iterations, and the greatest.
const FEWEST_ITERATIONS: i32 = 4096;
const MOST_ITERATIONS: i32 = 16_384;
/// The bytes of a random salt.
const SALT_LEN: usize = 16;

/// What the cluster stores for a user.
#[derive(Debug)]
pub(super) struct Credential {
    name: String,
    hash: ScramHash,
    salt: Vec<u8>,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
    iterations: i32,
}

impl Credential {
    /// Parses `SCRAM-SHA-256=[name=alice,password=alice-secret]`; the error is the line with which Java's tool ends.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        let word = word.trim();
        let (mechanism, fields) = word
            .split_once('=')
            .ok_or_else(|| format!("Failed to find equals sign in SCRAM argument '{word}'"))?;
        let hash = [ScramHash::Sha256, ScramHash::Sha512]
            .into_iter()
            .find(|hash| hash.mechanism() == mechanism)
            .ok_or_else(|| format!("The add-scram mechanism {mechanism} is not supported."))?;
        let fields = fields
            .strip_prefix('[')
            .ok_or("Expected configuration string to start with [")?;
        let fields = fields
            .strip_suffix(']')
            .ok_or("Expected configuration string to end with ]")?;
        Self::of(hash, Fields::parse(fields)?)
    }

    fn of(hash: ScramHash, mut fields: Fields<'_>) -> Result<Self, String> {
        let name = fields.take("name").ok_or("You must supply 'name' to add-scram")?;
        let given_salt = fields
            .take("salt")
            .map(|text| decoded("salt", text))
            .transpose()?;
        let iterations = iterations(hash, fields.take("iterations"))?;
        let password = fields.take("password");
        let salted = fields
            .take("saltedpassword")
            .map(|text| decoded("saltedpassword", text))
            .transpose()?;
        if password.is_none() && salted.is_none() {
            return Err("You must supply one of 'password' or 'saltedpassword' to add-scram".to_owned());
        }
        fields.check_empty()?;
        if password.is_none() && given_salt.is_none() {
            return Err("You must supply 'salt' with 'saltedpassword' to add-scram".to_owned());
        }
        let salt = match given_salt {
            Some(salt) => salt,
            None => random_salt()?,
        };
        let failed = |error| format!("kafka-storage: the credential cannot be computed: {error}");
        let salted = match password {
            Some(password) => {
                let password = Secret::new(password);
                let rounds = usize::try_from(iterations).unwrap_or(0);
                salted_password(hash, &password, &salt, rounds).map_err(failed)?
            }
            None => salted.unwrap_or_default(),
        };
        let (stored_key, server_key) = hash.keys_of(&salted).map_err(failed)?;
        Ok(Self {
            name: name.to_owned(),
            hash,
            salt,
            stored_key,
            server_key,
            iterations,
        })
    }

    fn mechanism_id(&self) -> i8 {
        match self.hash {
            ScramHash::Sha256 => 1,
            ScramHash::Sha512 => 2,
        }
    }

    /// The record of the metadata log.
    pub(super) fn record(&self) -> Option<Vec<u8>> {
        let fields = [
            ("name", Value::Text(self.name.as_str().into())),
            ("mechanism", Value::Number(self.mechanism_id().into())),
            ("salt", Value::Bytes(&self.salt)),
            ("storedKey", Value::Bytes(&self.stored_key)),
            ("serverKey", Value::Bytes(&self.server_key)),
            ("iterations", Value::Number(self.iterations.into())),
        ];
        encode_record("UserScramCredentialRecord", 0, fields)
    }

    /// The record as Java's tool prints it.
    pub(super) fn words(&self) -> String {
        format!(
            "ApiMessageAndVersion(UserScramCredentialRecord(name='{}', mechanism={}, salt={:?}, storedKey={:?}, \
             serverKey={:?}, iterations={}) at version 0)",
            self.name,
            self.mechanism_id(),
            java_bytes(&self.salt),
            java_bytes(&self.stored_key),
            java_bytes(&self.server_key),
            self.iterations
        )
    }
}

/// The fields of an argument, each of which is taken once.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let fields = text.split(',').map(|field| {
            let (name, value) = field
                .split_once('=')
                .ok_or_else(|| format!("No equals sign found in SCRAM component: {field}"))?;
            let value = value.trim();
            let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            Ok((name.trim(), bare.unwrap_or(value)))
        });
        fields.collect::<Result<_, String>>().map(Self)
    }

    /// The last field with this name.
    fn take(&mut self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().rfind(|(known, _)| *known == name)?.1;
        self.0.retain(|(known, _)| *known != name);
        Some(found)
    }

    fn check_empty(&self) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
        Err(format!("Unknown SCRAM configurations: {}", names.join(", ")))
    }
}

fn iterations(hash: ScramHash, text: Option<&str>) -> Result<i32, String> {
    let Some(text) = text else {
        return Ok(FEWEST_ITERATIONS);
    };
    let iterations: i32 = text
        .parse()
        .map_err(|_| format!("Failed to parse iterations count: {text}"))?;
    let mechanism = hash.mechanism().replace('-', "_");
    if iterations < FEWEST_ITERATIONS {
        return Err(format!(
            "The 'iterations' value must be >= {FEWEST_ITERATIONS} for add-scram using {mechanism}"
        ));
    }
    if iterations > MOST_ITERATIONS {
        return Err(format!(
            "The 'iterations' value must be <= {MOST_ITERATIONS} for add-scram using {mechanism}"
        ));
    }
    Ok(iterations)
}

fn decoded(what: &str, text: &str) -> Result<Vec<u8>, String> {
    BASE64
        .decode(text)
        .map_err(|_| format!("Failed to decode given {what}: {text}"))
}

fn random_salt() -> Result<Vec<u8>, String> {
    let mut salt = vec![0; SALT_LEN];
    getrandom::fill(&mut salt).map_err(|cause| format!("kafka-storage: no random numbers: {cause}"))?;
    Ok(salt)
}

/// Bytes as signed numbers, as in Java.
fn java_bytes(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|byte| byte.cast_signed()).collect()
}
