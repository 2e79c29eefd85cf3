//! Request and response headers: which of their versions goes with which version of which API.
//!
//! Flexible versions (KIP-482) add a section of tagged fields. ApiVersions is the exception: its response keeps the
//! oldest header for ever, so that a client can read the answer of an older broker.
//!
//! <https://kafka.apache.org/protocol#protocol_messages>

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

use super::error::WireError;
use super::primitives::skip_tagged_fields;

/// The part of a request header that every version has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestStart {
    /// The API, as a number: a broker must be able to answer for keys that it does not know.
    pub api_key: i16,
    pub version: i16,
    /// Comes back in the response's header.
    pub correlation_id: i32,
}

impl RequestStart {
    /// Bytes it takes.
    pub const LEN: usize = 8;

    /// Reads it from the front of a frame; `None` when there are too few bytes.
    pub fn read(frame: &[u8]) -> Option<Self> {
        let mut bytes = frame.get(..Self::LEN)?;
        Some(Self {
            api_key: bytes.get_i16(),
            version: bytes.get_i16(),
            correlation_id: bytes.get_i32(),
        })
    }

    /// Reads the rest of the header of a request to `api` from the whole frame: the client id and the position of
    /// the body. The client id is a string of the old form in flexible versions too; any negative length is null.
    /// `None` when the header is not whole. Invalid UTF-8 is replaced, as in Java.
    pub fn read_client_id(&self, api: ApiKey, frame: &[u8]) -> Option<(Option<String>, usize)> {
        let mut bytes = frame.get(Self::LEN..)?;
        let length = usize::try_from(bytes.try_get_i16().ok()?).ok();
        let (client_id, mut rest) = bytes.split_at_checked(length.unwrap_or(0))?;
        if api.request_header_version(self.version) >= 2 {
            skip_tagged_fields(&mut rest)?;
        }
        let client_id = length.map(|_| String::from_utf8_lossy(client_id).into_owned());
        Some((client_id, frame.len() - rest.len()))
    }
}

/// The header of every request.
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
    let start = RequestStart::read(frame)?;
    let (client_id, body) = start.read_client_id(ApiKey::try_from(start.api_key).ok()?, frame)?;
    frame.advance(body);
    Some(RequestHead {
        api_key: start.api_key,
        version: start.version,
        correlation_id: start.correlation_id,
        client_id: client_id.map(StrBytes::from_string),
    })
}

/// Writes the header of a response to `api_key` in `version`.
pub fn write_response(buffer: &mut BytesMut, api_key: ApiKey, version: i16, correlation_id: i32) {
    put_response(buffer, api_key.response_header_version(version), correlation_id);
}

/// The most bytes a response header takes.
pub const MAX_RESPONSE_LEN: usize = 5;

/// Writes a response header in `header_version`: 0 is the correlation id alone, 1 has tagged fields, of which none
/// is defined.
pub fn put_response(buffer: &mut BytesMut, header_version: i16, correlation_id: i32) {
    buffer.put_i32(correlation_id);
    if header_version >= 1 {
        buffer.put_u8(0);
    }
}

/// Takes the header off a response to `R` in `version` and returns its correlation id.
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
        write_response(&mut buffer, ApiKey::ApiVersions, 4, 9);
        assert_eq!(&buffer[..], [0, 0, 0, 9]);
        assert_eq!(
            read_response::<ApiVersionsRequest>(&mut buffer.freeze(), 4).unwrap(),
            9
        );
        let mut buffer = BytesMut::new();
        write_response(&mut buffer, ApiKey::Metadata, 12, 9);
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
