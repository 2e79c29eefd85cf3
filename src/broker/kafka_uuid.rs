//! Kafka's uuids: random, and written as 22 characters of URL-safe base64.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serializer, de::Error};
use uuid::Uuid;

/// A new one. None begins with a dash, so that a command line never takes it for a flag.
pub fn random() -> Uuid {
    loop {
        let mut bytes = [0; 16];
        if getrandom::fill(&mut bytes).is_err() {
            // Without the system's randomness the clock still tells topics of one broker apart.
            let now = super::timers::now_ms().to_be_bytes();
            bytes.iter_mut().zip(now).for_each(|(byte, now)| *byte = now);
        }
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        if !to_text(id).starts_with('-') {
            return id;
        }
    }
}

/// The text form.
pub fn to_text(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}

/// For serde's `with`.
pub(super) fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_text(*id))
}

/// For serde's `with`.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = URL_SAFE_NO_PAD.decode(&text).map_err(D::Error::custom)?;
    Uuid::from_slice(&bytes).map_err(D::Error::custom)
}
