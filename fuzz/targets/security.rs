//! Key and trust stores, and what is said in a SASL mechanism, on both sides.

use kafkit::wire::sasl::server::{ScramFirst, ScramKeys, ScramServer, read_bearer, read_plain};
use kafkit::wire::sasl::{Credentials, ScramHash};
use kafkit::wire::{Secret, key_store};

use super::{recorded, texts};

pub(super) fn key_stores(bytes: &[u8]) {
    let secret = Secret::new("secret");
    let _ = key_store::open(bytes, None, None);
    let _ = key_store::open(bytes, Some(&secret), None);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = key_store::open_pem(text, Some(&secret));
    }
}

pub(super) fn key_store_seeds() -> Vec<Vec<u8>> {
    recorded("key_stores")
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
