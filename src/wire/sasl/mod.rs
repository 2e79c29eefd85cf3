//! SASL on a connection: the credentials, and the messages of each mechanism.
//!
//! A mechanism here is a conversation of byte strings; carrying them in `SaslAuthenticate` requests is the
//! connection's work. The client's side; the broker's is in [`server`].

pub mod delegation_token;
pub mod jaas;
mod scram;
pub mod server;

use std::fmt;
use std::sync::Arc;

use super::secret::Secret;
use scram::Scram;
pub use scram::{ScramHash, salted_password};

/// The client's credentials for one mechanism.
#[derive(Clone, Debug)]
pub enum Credentials {
    Plain {
        username: String,
        password: Secret,
    },
    Scram {
        hash: ScramHash,
        username: String,
        password: Secret,
        /// The user name is a delegation token's id and the password its HMAC (KIP-48).
        delegation_token: bool,
    },
    OAuthBearer(Arc<dyn TokenSource>),
}

/// Where OAUTHBEARER tokens come from; asked again when a session is prolonged.
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// A token that is valid now; the error is a message for the user without secrets.
    fn token(&self) -> Result<Token, String>;
}

/// A bearer token.
#[derive(Clone, Debug)]
pub struct Token {
    pub value: Secret,
    /// The token's subject (`sub`); `unknown` if it cannot be read.
    pub principal: String,
    /// When it expires, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// SASL extensions (KIP-342).
    pub extensions: Vec<(String, String)>,
}

impl Credentials {
    /// The mechanism's name as brokers know it.
    pub fn mechanism(&self) -> &'static str {
        match self {
            Self::Plain { .. } => "PLAIN",
            Self::Scram { hash, .. } => hash.mechanism(),
            Self::OAuthBearer(_) => "OAUTHBEARER",
        }
    }

    /// Begins a conversation: its state and the first message.
    pub fn begin(&self) -> Result<(Conversation, Vec<u8>), String> {
        match self {
            Self::Plain { username, password } => {
                if username.contains('\0') || password.reveal().contains('\0') {
                    return Err("a user name or password for PLAIN cannot hold a zero byte".to_owned());
                }
                let first = format!("\0{username}\0{}", password.reveal());
                Ok((Conversation::SaidAll, first.into_bytes()))
            }
            Self::Scram {
                hash,
                username,
                password,
                delegation_token,
            } => {
                let (scram, first) = Scram::begin(*hash, username, password, *delegation_token)?;
                Ok((Conversation::Scram(Box::new(scram)), first))
            }
            Self::OAuthBearer(source) => Ok((Conversation::Bearer, bearer_message(&source.token()?))),
        }
    }
}

/// A conversation after its first message.
#[derive(Debug)]
pub enum Conversation {
    /// No further message: only the broker's verdict follows.
    SaidAll,
    Scram(Box<Scram>),
    /// An empty answer accepts the token; another is the refusal, to be acknowledged (RFC 7628 §3.2.3).
    Bearer,
}

impl Conversation {
    /// The answer to the broker's message; `None` if the conversation ends here.
    pub fn answer(&mut self, challenge: &[u8]) -> Result<Option<Vec<u8>>, String> {
        match self {
            Self::SaidAll => Ok(None),
            Self::Scram(scram) => scram.answer(challenge),
            Self::Bearer if challenge.is_empty() => Ok(None),
            Self::Bearer => Ok(Some(vec![1])),
        }
    }
}

/// The first message of OAUTHBEARER (RFC 7628 §3.1).
fn bearer_message(token: &Token) -> Vec<u8> {
    let mut message = format!("n,,\x01auth=Bearer {}", token.value.reveal());
    for (name, value) in &token.extensions {
        message.push('\x01');
        message.push_str(name);
        message.push('=');
        message.push_str(value);
    }
    message.push_str("\x01\x01");
    message.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_says_it_all_at_once() {
        let credentials = Credentials::Plain {
            username: "alice".to_owned(),
            password: Secret::new("pass word"),
        };
        let (mut conversation, first) = credentials.begin().unwrap();
        assert_eq!(first, b"\0alice\0pass word");
        assert_eq!(conversation.answer(b""), Ok(None));
        assert!(!format!("{credentials:?}").contains("pass word"));
    }

    #[test]
    fn a_bearer_token_with_extensions() {
        let token = Token {
            value: Secret::new("abc.def."),
            principal: "alice".to_owned(),
            expires_at_ms: 0,
            extensions: vec![("traceId".to_owned(), "123".to_owned())],
        };
        assert_eq!(
            bearer_message(&token),
            b"n,,\x01auth=Bearer abc.def.\x01traceId=123\x01\x01"
        );
        assert_eq!(Conversation::Bearer.answer(b""), Ok(None));
        assert_eq!(
            Conversation::Bearer.answer(b"{\"status\":\"invalid_token\"}"),
            Ok(Some(vec![1]))
        );
    }
}
