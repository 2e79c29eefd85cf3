//! Key and trust stores, and what is said in a SASL mechanism, on both sides.

use std::fs;

use kafkit::wire::sasl::server::{ScramFirst, ScramKeys, ScramServer, read_bearer, read_plain};
use kafkit::wire::sasl::{Credentials, ScramHash};
use kafkit::wire::{Secret, key_store};
use openssl::sha::Sha1;

use super::{golden, texts};

/// The passwords of the recorded stores and of the keys in them.
const STORE_PASSWORD: &str = "store-secret";
const KEY_PASSWORD: &str = "key-secret";
/// What the digest of a JKS store takes in beside its password and its content.
const JKS_WHITENER: &[u8] = b"Mighty Aphrodite";

pub(super) fn key_stores(bytes: &[u8]) {
    let (store, key) = (Secret::new(STORE_PASSWORD), Secret::new(KEY_PASSWORD));
    let _ = key_store::open(bytes, None, None);
    let _ = key_store::open(&sealed(bytes), Some(&store), Some(&key));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = key_store::open_pem(text, Some(&key));
    }
}

/// With the digest that a JKS store ends with: another one is refused before anything is read.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = bytes.to_vec();
    if let (true, Some((content, digest))) = (bytes.starts_with(&[0xfe, 0xed]), sealed.split_last_chunk_mut())
    {
        let mut sha1 = Sha1::new();
        for unit in STORE_PASSWORD.encode_utf16() {
            sha1.update(&unit.to_be_bytes());
        }
        sha1.update(JKS_WHITENER);
        sha1.update(content);
        *digest = sha1.finish();
    }
    sealed
}

/// The recorded stores, without those that hash a password thousands of times before they say anything.
pub(super) fn key_store_seeds() -> Vec<Vec<u8>> {
    let folder = golden("key_stores");
    [
        "key.jks",
        "trust.jks",
        "other.jceks",
        "quick.p12",
        "bare.p12",
        "certificate.pem",
        "plain-key.pem",
        "quick-key.pem",
    ]
    .map(|name| fs::read(folder.join(name)).expect("a recorded store"))
    .into()
}

pub(super) fn sasl(bytes: &[u8]) {
    let _ = read_plain(bytes);
    let _ = read_bearer(bytes);
    if let Ok(first) = ScramFirst::read(bytes) {
        let _ = first.check_identity();
    }
    let keys = || ScramKeys {
        salt: b"salt".to_vec(),
        stored_key: vec![1; 32],
        server_key: vec![2; 32],
        iterations: 4096,
    };
    if let Ok(first) = ScramFirst::read(b"n,,n=alice,r=abc") {
        let (server, _) = ScramServer::begin(ScramHash::Sha256, &first, keys(), "def");
        let _ = server.finish(bytes);
    }
    let alice = Credentials::Scram {
        hash: ScramHash::Sha256,
        username: "alice".to_owned(),
        password: Secret::new("secret"),
        delegation_token: false,
    };
    if let Ok((mut conversation, first)) = alice.begin() {
        // The broker has to repeat the client's own nonce, which no input can know.
        let first = String::from_utf8_lossy(&first).into_owned();
        let nonce = first.rsplit_once("r=").map_or("", |(_, nonce)| nonce);
        let challenge = [b"r=", nonce.as_bytes(), bytes].concat();
        if conversation.answer(&challenge).is_ok() {
            let _ = conversation.answer(bytes);
        }
    }
}

pub(super) fn sasl_seeds() -> Vec<Vec<u8>> {
    texts(&[
        "\0alice\0secret",
        "n,,n=alice,r=abc",
        "n,a=alice,n=alice,r=abc,tokenauth=true",
        "c=biws,r=abcdef,p=AAAA",
        "n,a=alice,\u{1}auth=Bearer e30.e30.\u{1}traceId=1\u{1}\u{1}",
        "xyz,s=c2FsdA==,i=4096",
        "v=AAAA",
        "e=unknown-user",
    ])
}
