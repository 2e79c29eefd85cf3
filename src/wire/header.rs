//! Request and response headers: which of their versions goes with which version of which API.
//!
//! Flexible versions (KIP-482) add a section of tagged fields. ApiVersions is the exception: its response keeps
//! the oldest header for ever, so that a client can read the answer of a broker that is older than itself.
//!
//! <https://kafka.apache.org/protocol#protocol_messages>

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

use super::error::WireError;

/// What stands in front of every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The API, as a number: a broker must be able to answer for keys that it does not know.
    pub api_key: i16,
    pub version: i16,
    /// Comes back in the response's header.
    pub correlation_id: i32,
    pub client_id: Option<StrBytes>,
}

/// Writes the header of a request `R` in `version`.
pub fn write_request<R: Request>(
    buffer: &mut BytesMut,
    version: i16,
    correlation_id: i32,
    client_id: Option<&StrBytes>,
) -> Result<(), WireError> {
    RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(client_id.cloned())
        .encode(buffer, R::header_version(version))
        .map_err(|cause| WireError::encode(R::KEY, version, &cause))
}

/// Takes the header off a request. `None` when the bytes are too few, when the API is unknown to us, or when its
/// version is one whose header we cannot know: Kafka's broker then closes the connection.
pub fn read_request(frame: &mut Bytes) -> Option<RequestHead> {
    let (api_key, version) = peek_api(frame)?;
    let header_version = ApiKey::try_from(api_key).ok()?.request_header_version(version);
    let header = RequestHeader::decode(frame, header_version).ok()?;
    Some(RequestHead {
        api_key,
        version,
        correlation_id: header.correlation_id,
        client_id: header.client_id,
    })
}

/// API key and version of a request, its first four bytes.
pub fn peek_api(frame: &[u8]) -> Option<(i16, i16)> {
    let (key, rest) = frame.split_first_chunk::<2>()?;
    let (version, _) = rest.split_first_chunk::<2>()?;
    Some((i16::from_be_bytes(*key), i16::from_be_bytes(*version)))
}

/// Writes the header of a response to `api_key` in `version`.
pub fn write_response(
    buffer: &mut BytesMut,
    api_key: ApiKey,
    version: i16,
    correlation_id: i32,
) -> Result<(), WireError> {
    ResponseHeader::default()
        .with_correlation_id(correlation_id)
        .encode(buffer, api_key.response_header_version(version))
        .map_err(|cause| WireError::encode(api_key as i16, version, &cause))
}

/// Takes the header off a response to `R` in `version` and gives its correlation id.
pub fn read_response<R: Request>(frame: &mut Bytes, version: i16) -> Result<i32, WireError> {
    if frame.remaining() < 4 {
        return Err(WireError::garbled("a response shorter than its header"));
    }
    ResponseHeader::decode(frame, R::Response::header_version(version))
        .map(|header| header.correlation_id)
        .map_err(|cause| WireError::decode(R::KEY, version, &cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::{ApiVersionsRequest, MetadataRequest};
    use proptest::prelude::*;

    #[test]
    fn a_flexible_request_header_keeps_the_client_id_a_classic_string() {
        let mut buffer = BytesMut::new();
        let client_id = StrBytes::from_static_str("me");
        write_request::<MetadataRequest>(&mut buffer, 12, 7, Some(&client_id)).unwrap();
        assert_eq!(&buffer[..], b"\x00\x03\x00\x0c\x00\x00\x00\x07\x00\x02me\x00");
        let head = read_request(&mut buffer.freeze()).unwrap();
        assert_eq!((head.api_key, head.version, head.correlation_id), (3, 12, 7));
        assert_eq!(head.client_id.as_deref(), Some("me"));
    }

    #[test]
    fn api_versions_is_always_answered_with_the_oldest_header() {
        let mut buffer = BytesMut::new();
        write_response(&mut buffer, ApiKey::ApiVersions, 4, 9).unwrap();
        assert_eq!(&buffer[..], [0, 0, 0, 9]);
        assert_eq!(
            read_response::<ApiVersionsRequest>(&mut buffer.freeze(), 4).unwrap(),
            9
        );
        let mut buffer = BytesMut::new();
        write_response(&mut buffer, ApiKey::Metadata, 12, 9).unwrap();
        assert_eq!(&buffer[..], [0, 0, 0, 9, 0]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, version in -1_i16..20) {
            let bytes = Bytes::from(bytes);
            read_request(&mut bytes.clone());
            let _ = read_response::<MetadataRequest>(&mut bytes.clone(), version);
        }
    }
}
