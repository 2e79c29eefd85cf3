//! The file of a conversation: a first line with the bootstrap servers, then a line of JSON for each exchange.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The format of the file.
pub(super) const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Heading {
    /// The version of the format.
    pub(super) conversation: u32,
    /// `HOST:PORT` of the bootstrap servers.
    pub(super) bootstrap_servers: Vec<String>,
}

/// A request and its response.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Exchange {
    /// `HOST:PORT` of the broker, as in the cluster's metadata.
    pub(super) broker: String,
    /// Numbers the connections of clients.
    pub(super) connection: u64,
    /// The name of the API, for readers.
    pub(super) api: String,
    pub(super) api_key: i16,
    pub(super) version: i16,
    pub(super) client_id: String,
    pub(super) took_ms: u64,
    /// The bytes after the header.
    pub(super) request: Base64,
    /// The bytes after the correlation id; `None` where the client wanted no response.
    pub(super) response: Option<Base64>,
}

/// Bytes, in JSON as base64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Base64(pub(super) Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| serde::de::Error::custom(crate::plain_words::of_base64(&error)))?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_line_holds_what_was_said(request: Vec<u8>, response: Option<Vec<u8>>, client_id: String, version: i16) {
            let exchange = Exchange {
                broker: "kafka1:9092".to_owned(),
                connection: 3,
                api: "Fetch".to_owned(),
                api_key: 1,
                version,
                client_id,
                took_ms: 7,
                request: Base64(request),
                response: response.map(Base64),
            };
            let line = serde_json::to_string(&exchange).unwrap();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<Exchange>(&line).unwrap(), exchange);
        }
    }
}
