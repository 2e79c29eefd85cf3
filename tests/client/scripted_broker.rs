//! A broker that answers as a test scripts it: one thread a connection, plain or TLS.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::metadata_response::MetadataResponseBroker;
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse, MetadataResponse, ResponseHeader};
use kafka_protocol::protocol::{Encodable, StrBytes};
use kafkit::wire::header::{RequestHead, read_request};
use openssl::ssl::SslAcceptor;

/// What a scripted broker does with a request.
pub enum Reply {
    /// A response body for the request's version.
    Body(Bytes),
    /// Bytes as they are, whatever they mean.
    Raw(Vec<u8>),
    HangUp,
    /// Nothing at all, and the connection stays.
    Silence,
}

/// A scripted broker; it ends with the test's process.
pub struct ScriptedBroker {
    pub port: u16,
    /// Connections accepted so far.
    pub connections: Arc<AtomicUsize>,
    /// Those of them that have ended.
    pub closed: Arc<AtomicUsize>,
}

type Script = dyn Fn(&RequestHead, Bytes) -> Reply + Send + Sync;

impl ScriptedBroker {
    /// A broker without TLS.
    pub fn plain(script: impl Fn(&RequestHead, Bytes) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(None, script)
    }

    /// A broker with TLS.
    pub fn tls(
        acceptor: SslAcceptor,
        script: impl Fn(&RequestHead, Bytes) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(Some(acceptor), script)
    }

    fn start(
        acceptor: Option<SslAcceptor>,
        script: impl Fn(&RequestHead, Bytes) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script: Arc<Script> = Arc::new(script);
        let connections = Arc::new(AtomicUsize::new(0));
        let closed = Arc::new(AtomicUsize::new(0));
        let (counter, ended) = (Arc::clone(&connections), Arc::clone(&closed));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let script = Arc::clone(&script);
                let acceptor = acceptor.clone();
                let ended = Arc::clone(&ended);
                thread::spawn(move || {
                    serve(socket, acceptor.as_ref(), &*script);
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            port,
            connections,
            closed,
        }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

fn serve(socket: TcpStream, acceptor: Option<&SslAcceptor>, script: &Script) {
    match acceptor {
        None => converse(socket, script),
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(socket) {
                converse(stream, script);
            }
        }
    }
}

fn converse(mut stream: impl Read + Write, script: &Script) {
    loop {
        let mut length = [0; 4];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let length = u32::from_be_bytes(length) as usize;
        // As Kafka does with a length beyond its limit, a TLS greeting for one.
        if length > 1 << 20 {
            return;
        }
        let mut frame = vec![0; length];
        if stream.read_exact(&mut frame).is_err() {
            return;
        }
        let mut frame = Bytes::from(frame);
        let head = read_request(&mut frame).unwrap();
        let written = match script(&head, frame) {
            Reply::Body(body) => stream.write_all(&framed(&head, &body)),
            Reply::Raw(bytes) => stream.write_all(&bytes),
            Reply::Silence => Ok(()),
            Reply::HangUp => return,
        };
        if written.is_err() || stream.flush().is_err() {
            return;
        }
    }
}

/// A response as it goes over the wire.
pub fn framed(head: &RequestHead, body: &[u8]) -> Vec<u8> {
    let key = ApiKey::try_from(head.api_key).unwrap();
    let mut header = BytesMut::new();
    ResponseHeader::default()
        .with_correlation_id(head.correlation_id)
        .encode(&mut header, key.response_header_version(head.version))
        .unwrap();
    let length = u32::try_from(header.len() + body.len()).unwrap();
    [&length.to_be_bytes()[..], &header, body].concat()
}

/// A response's bytes in the request's version.
pub fn body(response: &impl Encodable, head: &RequestHead) -> Reply {
    let mut bytes = BytesMut::new();
    response.encode(&mut bytes, head.version).unwrap();
    Reply::Body(bytes.freeze())
}

/// `ApiVersions` with these APIs and versions.
pub fn versions(apis: &[(ApiKey, i16, i16)]) -> ApiVersionsResponse {
    let apis = apis.iter().map(|(key, min, max)| {
        ApiVersion::default()
            .with_api_key(*key as i16)
            .with_min_version(*min)
            .with_max_version(*max)
    });
    ApiVersionsResponse::default().with_api_keys(apis.collect())
}

/// The versions most tests want.
pub fn usual_versions() -> ApiVersionsResponse {
    versions(&[
        (ApiKey::ApiVersions, 0, 3),
        (ApiKey::Metadata, 1, 12),
        (ApiKey::CreateTopics, 2, 7),
        (ApiKey::FindCoordinator, 0, 4),
        (ApiKey::DescribeGroups, 0, 5),
        (ApiKey::SaslHandshake, 0, 1),
        (ApiKey::SaslAuthenticate, 0, 2),
    ])
}

/// A cluster of brokers on these loopback ports, numbered from 1; the first is the controller.
pub fn cluster(ports: &[u16]) -> MetadataResponse {
    let brokers = ports.iter().zip(1..).map(|(port, id)| {
        MetadataResponseBroker::default()
            .with_node_id(kafka_protocol::messages::BrokerId(id))
            .with_host(StrBytes::from_static_str("127.0.0.1"))
            .with_port(i32::from(*port))
    });
    MetadataResponse::default()
        .with_cluster_id(Some(StrBytes::from_static_str("scripted")))
        .with_controller_id(kafka_protocol::messages::BrokerId(1))
        .with_brokers(brokers.collect())
}

/// Answers what every client asks first, and leaves the rest to `more`.
pub fn with_greeting(
    more: impl Fn(&RequestHead, Bytes) -> Reply + Send + Sync + 'static,
) -> impl Fn(&RequestHead, Bytes) -> Reply + Send + Sync + 'static {
    move |head, request| {
        if head.api_key == ApiKey::ApiVersions as i16 {
            body(&usual_versions(), head)
        } else {
            more(head, request)
        }
    }
}
