//! SCRAM with SHA-256 and SHA-512 (RFC 5802, RFC 7677), the client's side; the broker must prove itself too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::memcmp;
use openssl::pkcs5::pbkdf2_hmac;
use openssl::pkey::PKey;
use openssl::sign::Signer;

use crate::wire::secret::Secret;

/// With fewer rounds than RFC 7677 allows, an eavesdropper could guess the password cheaply.
const FEWEST_ITERATIONS: usize = 4096;

/// More rounds would only cost us time; Kafka's own limit is 16 384.
const MOST_ITERATIONS: usize = 1_000_000;

/// The hash of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScramHash {
    Sha256,
    Sha512,
}

impl ScramHash {
    pub fn mechanism(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    pub(super) fn digest(self) -> MessageDigest {
        match self {
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }
}

impl ScramHash {
    /// The stored key and the server key of a salted password, which a broker keeps (RFC 5802 §3).
    pub fn keys_of(self, salted_password: &[u8]) -> Result<(Vec<u8>, Vec<u8>), ErrorStack> {
        let digest = self.digest();
        let client_key = hmac(digest, salted_password, b"Client Key")?;
        let stored_key = hash(digest, &client_key)?.to_vec();
        Ok((stored_key, hmac(digest, salted_password, b"Server Key")?))
    }
}

/// A conversation after its first message.
#[derive(Debug)]
pub struct Scram {
    hash: ScramHash,
    password: Secret,
    nonce: String,
    /// Our first message without its header (`client-first-message-bare`), which the proof covers.
    first_bare: String,
    state: State,
}

#[derive(Debug)]
enum State {
    AwaitsChallenge,
    AwaitsProof { server_signature: Vec<u8> },
    Done,
}

impl Scram {
    pub(super) fn begin(
        hash: ScramHash,
        username: &str,
        password: &Secret,
        delegation_token: bool,
    ) -> Result<(Self, Vec<u8>), String> {
        let mut random = [0; 24];
        getrandom::fill(&mut random).map_err(|cause| format!("no random numbers: {cause}"))?;
        Ok(Self::begin_with(
            hash,
            username,
            password,
            delegation_token,
            BASE64.encode(random),
        ))
    }

    fn begin_with(
        hash: ScramHash,
        username: &str,
        password: &Secret,
        delegation_token: bool,
        nonce: String,
    ) -> (Self, Vec<u8>) {
        let name = username.replace('=', "=3D").replace(',', "=2C");
        let extension = if delegation_token { ",tokenauth=true" } else { "" };
        let first_bare = format!("n={name},r={nonce}{extension}");
        let first = format!("n,,{first_bare}").into_bytes();
        let scram = Self {
            hash,
            password: password.clone(),
            nonce,
            first_bare,
            state: State::AwaitsChallenge,
        };
        (scram, first)
    }

    pub(super) fn answer(&mut self, challenge: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let challenge =
            std::str::from_utf8(challenge).map_err(|_| "the broker's SCRAM message is not text")?;
        match std::mem::replace(&mut self.state, State::Done) {
            State::AwaitsChallenge => self.prove(challenge).map(Some),
            State::AwaitsProof { server_signature } => verify(challenge, &server_signature).map(|()| None),
            State::Done => Ok(None),
        }
    }

    /// Answers the broker's first message with the proof that we know the password.
    fn prove(&mut self, challenge: &str) -> Result<Vec<u8>, String> {
        let Challenge {
            nonce,
            salt,
            iterations,
        } = Challenge::parse(challenge)?;
        if !nonce.starts_with(&self.nonce) {
            return Err("the broker answers another SCRAM conversation than ours".to_owned());
        }
        if !(FEWEST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations) {
            return Err(format!(
                "the broker asks for {iterations} SCRAM iterations; {FEWEST_ITERATIONS} to {MOST_ITERATIONS} are taken"
            ));
        }
        // "biws" is the header "n,," in base64: no channel binding.
        let final_bare = format!("c=biws,r={nonce}");
        let signed = format!("{},{challenge},{final_bare}", self.first_bare);
        let (proof, server_signature) = self
            .signatures(&salt, iterations, signed.as_bytes())
            .map_err(|cause| format!("SCRAM cannot be computed: {cause}"))?;
        self.state = State::AwaitsProof { server_signature };
        Ok(format!("{final_bare},p={}", BASE64.encode(proof)).into_bytes())
    }

    /// The client's proof and the signature that the broker must show (RFC 5802 §3).
    fn signatures(
        &self,
        salt: &[u8],
        iterations: usize,
        signed: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), ErrorStack> {
        let digest = self.hash.digest();
        let salted_password = salted_password(self.hash, &self.password, salt, iterations)?;
        let client_key = hmac(digest, &salted_password, b"Client Key")?;
        let stored_key = hash(digest, &client_key)?;
        let client_signature = hmac(digest, &stored_key, signed)?;
        let proof = client_key
            .iter()
            .zip(&client_signature)
            .map(|(key, sign)| key ^ sign)
            .collect();
        let server_key = hmac(digest, &salted_password, b"Server Key")?;
        Ok((proof, hmac(digest, &server_key, signed)?))
    }
}

/// The `SaltedPassword` of RFC 5802 §3, from which the keys that a broker stores are computed.
pub fn salted_password(
    hash: ScramHash,
    password: &Secret,
    salt: &[u8],
    iterations: usize,
) -> Result<Vec<u8>, ErrorStack> {
    let digest = hash.digest();
    let mut salted = vec![0; digest.size()];
    pbkdf2_hmac(
        password.reveal().as_bytes(),
        salt,
        iterations,
        digest,
        &mut salted,
    )?;
    Ok(salted)
}

pub(super) fn hmac(digest: MessageDigest, key: &[u8], message: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(digest, &key)?;
    signer.update(message)?;
    signer.sign_to_vec()
}

/// The broker's first message: `r=nonce,s=salt,i=iterations`.
struct Challenge<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: usize,
}

impl<'a> Challenge<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let garbled = || "the broker's SCRAM challenge makes no sense".to_owned();
        if let Some(error) = text.strip_prefix("e=") {
            return Err(error.to_owned());
        }
        let field = |name: &str| {
            text.split(',')
                .find_map(|part| part.strip_prefix(name))
                .ok_or_else(garbled)
        };
        Ok(Self {
            nonce: field("r=")?,
            salt: BASE64.decode(field("s=")?).map_err(|_| garbled())?,
            iterations: field("i=")?.parse().map_err(|_| garbled())?,
        })
    }
}

/// Checks the broker's last message: without the right signature it does not know the password itself.
fn verify(last: &str, expected: &[u8]) -> Result<(), String> {
    if let Some(error) = last.strip_prefix("e=") {
        return Err(error.to_owned());
    }
    let signature = last
        .strip_prefix("v=")
        .map(|rest| rest.split(',').next().unwrap_or(rest));
    let signature = signature
        .and_then(|text| BASE64.decode(text).ok())
        .unwrap_or_default();
    if signature.len() == expected.len() && memcmp::eq(&signature, expected) {
        Ok(())
    } else {
        Err("the broker cannot prove that it knows the password".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of RFC 7677 §3.
    fn example() -> Scram {
        let nonce = "rOprNGfwEbeRWgbNEkqO".to_owned();
        let (scram, first) =
            Scram::begin_with(ScramHash::Sha256, "user", &Secret::new("pencil"), false, nonce);
        assert_eq!(first, b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        scram
    }

    const CHALLENGE: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    #[test]
    fn the_conversation_of_rfc_7677() {
        let mut scram = example();
        let answer = scram.answer(CHALLENGE.as_bytes()).unwrap().unwrap();
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let last = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(scram.answer(last), Ok(None));
    }

    #[test]
    fn a_broker_without_the_right_signature_is_refused() {
        for last in ["v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=", "", "v=!"] {
            let mut scram = example();
            scram.answer(CHALLENGE.as_bytes()).unwrap();
            assert!(scram.answer(last.as_bytes()).is_err(), "{last}");
        }
    }

    #[test]
    fn a_challenge_that_is_too_cheap_too_dear_or_not_ours_is_refused() {
        for challenge in [
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000",
            "r=somebodyelse,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "e=other-error",
        ] {
            assert!(example().answer(challenge.as_bytes()).is_err(), "{challenge}");
        }
    }

    #[test]
    fn names_keep_their_commas_and_equal_signs() {
        let (_, first) =
            Scram::begin_with(ScramHash::Sha512, "a=b,c", &Secret::new(""), true, "N".to_owned());
        assert_eq!(first, b"n,,n=a=3Db=2Cc,r=N,tokenauth=true");
    }

    proptest! {
        #[test]
        fn no_challenge_makes_it_panic(bytes: Vec<u8>, text in "[rsiv]=[a-zA-Z0-9=,+/]{0,40}") {
            let _ = example().answer(&bytes);
            let mut scram = example();
            let _ = scram.answer(text.as_bytes());
            let _ = scram.answer(&bytes);
        }
    }
}
