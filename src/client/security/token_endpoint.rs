//! An OAuth server's token endpoint: one POST with the client's id and secret (RFC 6749 §4.4), one JSON answer.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::super::settings::Settings;
use crate::error::{Error, Result};
use crate::wire::Secret;
use crate::wire::http::{self, HttpAnswer, HttpServer, Url};
use crate::wire::sasl::jaas::LoginModule;
use crate::wire::tls::Tls;

/// The longest wait, unless `sasl.login.connect.timeout.ms` or `sasl.login.read.timeout.ms` is set.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The server, and the client's id and secret.
#[derive(Debug)]
pub(super) struct TokenEndpoint {
    server: HttpServer,
    client_id: String,
    client_secret: Secret,
    scope: Option<String>,
    /// Whether id and secret are form-encoded before they are joined (RFC 6749 §2.3.1).
    encode_header: bool,
}

impl TokenEndpoint {
    pub(super) fn read(settings: &Settings, module: Option<&LoginModule>, url: &str) -> Result<Self> {
        let key = "sasl.oauthbearer.token.endpoint.url";
        let url = Url::parse(url).ok_or_else(|| settings.complaint(key, "it is no http or https address"))?;
        let option = |name: &str, keys: &[&str]| {
            let own = module.and_then(|module| module.option(name));
            own.or_else(|| keys.iter().find_map(|key| settings.get(key)))
                .map(str::to_owned)
        };
        let missing = |what: &str| Error::usage(format!("the OAuth server wants a {what}, and none is set"));
        let client_id = option(
            "clientId",
            &[
                "sasl.oauthbearer.client.credentials.client.id",
                "sasl.oauthbearer.client.id",
            ],
        );
        let client_secret = option(
            "clientSecret",
            &[
                "sasl.oauthbearer.client.credentials.client.secret",
                "sasl.oauthbearer.client.secret",
            ],
        );
        Ok(Self {
            server: HttpServer {
                tls: if url.secure { Some(tls(settings)?) } else { None },
                url,
                timeout: settings
                    .millis("sasl.login.read.timeout.ms")?
                    .unwrap_or(DEFAULT_TIMEOUT),
            },
            client_id: client_id.ok_or_else(|| missing("client id"))?,
            client_secret: Secret::new(client_secret.ok_or_else(|| missing("client secret"))?),
            scope: option("scope", &["sasl.oauthbearer.scope"]),
            encode_header: settings
                .get("sasl.oauthbearer.header.urlencode")
                .is_some_and(|value| value.trim() == "true"),
        })
    }

    /// Requests a token. The error has the server's answer without secrets.
    pub(super) fn fetch(&self) -> Result<Secret, String> {
        let place = format!("the OAuth server {}", self.server.place());
        let answer = self.server.ask(&self.request());
        let HttpAnswer { status, body } = answer.map_err(|problem| format!("{place}: {problem}"))?;
        let json: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        if status != 200 {
            let reason = text("error_description")
                .or_else(|| text("error"))
                .unwrap_or_default();
            return Err(format!("{place} answered {status} {reason}")
                .trim_end()
                .to_owned());
        }
        let token = text("access_token").or_else(|| text("id_token"));
        let token = token.filter(|token| !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic()));
        token
            .map(Secret::new)
            .ok_or_else(|| format!("{place}: the answer holds no token"))
    }

    fn request(&self) -> Secret {
        let mut body = "grant_type=client_credentials".to_owned();
        if let Some(scope) = &self.scope {
            body.push_str("&scope=");
            body.push_str(&form_encoded(scope));
        }
        let (id, secret) = if self.encode_header {
            (
                form_encoded(&self.client_id),
                form_encoded(self.client_secret.reveal()),
            )
        } else {
            (self.client_id.clone(), self.client_secret.reveal().to_owned())
        };
        let Url { host, path, .. } = &self.server.url;
        Secret::new(format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {}\r\nAccept: application/json\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            BASE64.encode(format!("{id}:{secret}")),
            body.len(),
        ))
    }
}

/// TLS to the OAuth server: librdkafka's `https.ca.location`, or the system's authorities as in Java.
fn tls(settings: &Settings) -> Result<Tls> {
    let path = settings.get("https.ca.location").filter(|path| *path != "probe");
    http::tls_trusting(path.map(Path::new)).map_err(Error::failed)
}

fn form_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                encoded.push(char::from(byte));
            }
            other => encoded.extend(format!("%{other:02X}").chars()),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::client::settings::Origin;

    /// A server that answers one request with `answer` and returns the request.
    fn serve(answer: &'static str) -> (u16, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut byte = [0; 1];
            while !asked.ends_with(b"scope=read+write") {
                socket.read_exact(&mut byte).unwrap();
                asked.push(byte[0]);
            }
            socket.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(asked).unwrap()
        });
        (port, server)
    }

    fn endpoint(port: u16) -> TokenEndpoint {
        let mut settings = Settings::default();
        settings.set("sasl.oauthbearer.client.id", "me", Origin::SetFlag);
        settings.set("sasl.oauthbearer.client.secret", "hush", Origin::SetFlag);
        settings.set("sasl.oauthbearer.scope", "read write", Origin::SetFlag);
        TokenEndpoint::read(&settings, None, &format!("http://127.0.0.1:{port}/token")).unwrap()
    }

    #[test]
    fn a_token_for_id_and_secret() {
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"access_\r\nd\r\ntoken\":\"t.0\"}\r\n0\r\n\r\n";
        let (port, server) = serve(answer);
        assert_eq!(endpoint(port).fetch().unwrap().reveal(), "t.0");
        let asked = server.join().unwrap();
        assert!(asked.starts_with("POST /token HTTP/1.1\r\n"), "{asked}");
        assert!(
            asked.contains("\r\nAuthorization: Basic bWU6aHVzaA==\r\n"),
            "{asked}"
        );
        assert!(
            asked.ends_with("\r\n\r\ngrant_type=client_credentials&scope=read+write"),
            "{asked}"
        );
    }

    #[test]
    fn a_refusal_says_why() {
        let (port, server) =
            serve("HTTP/1.1 401 No\r\nContent-Length: 26\r\n\r\n{\"error\":\"invalid_client\"}");
        let refusal = endpoint(port).fetch().unwrap_err();
        assert_eq!(
            refusal,
            format!("the OAuth server 127.0.0.1:{port} answered 401 invalid_client")
        );
        server.join().unwrap();
    }
}
