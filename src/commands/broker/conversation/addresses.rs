//! The addresses of brokers in responses: those of the cluster are replaced by those of the relay.
//!
//! Pure: bytes in, bytes out. Responses that name no broker are unchanged, and so are those that cannot be decoded.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{self as m, ApiKey};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};

use crate::wire::HostPort;
use crate::wire::decode::decode;

/// Finds the relay's address for an address of the cluster.
pub(super) type Local<'a> = &'a mut dyn FnMut(HostPort) -> Option<HostPort>;

/// A response without its correlation id, with addresses replaced; `None` where nothing changes.
pub(super) fn put(api: ApiKey, version: i16, answer: &[u8], local: Local<'_>) -> Option<Vec<u8>> {
    match api {
        ApiKey::ApiVersions => changed(version, answer, narrow),
        ApiKey::Metadata => changed(version, answer, |answer: &mut m::MetadataResponse| {
            for broker in &mut answer.brokers {
                move_to(&mut broker.host, &mut broker.port, local);
            }
        }),
        ApiKey::DescribeCluster => changed(version, answer, |answer: &mut m::DescribeClusterResponse| {
            for broker in &mut answer.brokers {
                move_to(&mut broker.host, &mut broker.port, local);
            }
        }),
        ApiKey::FindCoordinator => changed(version, answer, |answer: &mut m::FindCoordinatorResponse| {
            move_to(&mut answer.host, &mut answer.port, local);
            for coordinator in &mut answer.coordinators {
                move_to(&mut coordinator.host, &mut coordinator.port, local);
            }
        }),
        ApiKey::Produce if version >= 10 => changed(version, answer, |answer: &mut m::ProduceResponse| {
            for node in &mut answer.node_endpoints {
                move_to(&mut node.host, &mut node.port, local);
            }
        }),
        ApiKey::Fetch if version >= 16 => changed(version, answer, |answer: &mut m::FetchResponse| {
            for node in &mut answer.node_endpoints {
                move_to(&mut node.host, &mut node.port, local);
            }
        }),
        ApiKey::ShareFetch => changed(version, answer, |answer: &mut m::ShareFetchResponse| {
            for node in &mut answer.node_endpoints {
                move_to(&mut node.host, &mut node.port, local);
            }
        }),
        ApiKey::ShareAcknowledge => changed(version, answer, |answer: &mut m::ShareAcknowledgeResponse| {
            for node in &mut answer.node_endpoints {
                move_to(&mut node.host, &mut node.port, local);
            }
        }),
        _ => None,
    }
}

/// The latest versions of the APIs whose responses must be decoded here.
const UNDERSTOOD: [(ApiKey, i16); 7] = [
    (ApiKey::Metadata, 13),
    (ApiKey::DescribeCluster, 2),
    (ApiKey::FindCoordinator, 6),
    (ApiKey::Produce, 13),
    (ApiKey::Fetch, 18),
    (ApiKey::ShareFetch, 1),
    (ApiKey::ShareAcknowledge, 1),
];

/// Advertises to clients no version whose responses would lead them past the relay.
fn narrow(answer: &mut m::ApiVersionsResponse) {
    for range in &mut answer.api_keys {
        let understood = UNDERSTOOD.iter().find(|(api, _)| *api as i16 == range.api_key);
        if let Some((_, largest)) = understood {
            range.max_version = range.max_version.min(*largest);
        }
    }
}

fn move_to(host: &mut StrBytes, port: &mut i32, local: &mut dyn FnMut(HostPort) -> Option<HostPort>) {
    // An empty host or an invalid port is no broker.
    let (false, Ok(number)) = (host.is_empty(), u16::try_from(*port)) else {
        return;
    };
    if let Some(address) = local(HostPort::new(host.to_string(), number)) {
        *host = StrBytes::from_string(address.host.clone());
        *port = i32::from(address.port);
    }
}

/// Decodes the body after the header, changes it, and encodes it again after the same header.
fn changed<T: Decodable + Encodable + HeaderVersion>(
    version: i16,
    answer: &[u8],
    change: impl FnOnce(&mut T),
) -> Option<Vec<u8>> {
    let mut rest = answer;
    if T::header_version(version) >= 1 {
        crate::wire::primitives::skip_tagged_fields(&mut rest)?;
    }
    let header = answer.get(..answer.len() - rest.len())?;
    let mut body = Bytes::copy_from_slice(rest);
    let mut message: T = decode(&mut body, version).ok()?;
    change(&mut message);
    let mut encoded = BytesMut::from(header);
    message.encode(&mut encoded, version).ok()?;
    Some(encoded.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::metadata_response::MetadataResponseBroker;
    use proptest::prelude::*;

    #[test]
    fn brokers_get_the_addresses_of_the_relay() {
        for version in 0..=13_i16 {
            let broker = MetadataResponseBroker::default()
                .with_host(StrBytes::from_static_str("kafka1"))
                .with_port(9092);
            let answer = m::MetadataResponse::default().with_brokers(vec![broker]);
            let mut bytes = BytesMut::new();
            if version >= 9 {
                bytes.extend_from_slice(&[0]);
            }
            answer.encode(&mut bytes, version).unwrap();
            let mut asked = Vec::new();
            let mut local = |real: HostPort| {
                asked.push(real.to_string());
                Some(HostPort::new("127.0.0.1", 40_000))
            };
            let put = put(ApiKey::Metadata, version, &bytes, &mut local).unwrap();
            let text = String::from_utf8_lossy(&put).into_owned();
            assert!(
                text.contains("127.0.0.1") && !text.contains("kafka1"),
                "{version}: {text}"
            );
            assert_eq!(asked, ["kafka1:9092"]);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(api in 0_i16..93, version in 0_i16..20, bytes: Vec<u8>) {
            if let Ok(api) = ApiKey::try_from(api) {
                put(api, version, &bytes, &mut |_| None);
            }
        }
    }
}
