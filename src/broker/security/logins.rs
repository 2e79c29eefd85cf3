//! The SASL settings of a listener: its mechanisms, the users of PLAIN, the rules for tokens, the lifetime of a
//! login.
//!
//! SCRAM users belong to the cluster, and are looked up in its image.

use std::collections::BTreeMap;

use super::bearer::TokenRules;
use super::listener_settings::ListenerSettings;
use crate::broker::notices::NoticeSink;
use crate::error::Result;
use crate::wire::Secret;
use crate::wire::sasl::ScramHash;
use crate::wire::sasl::jaas::{LoginModule, module_class};
use crate::wire::sasl::server::is_same;

/// A mechanism that a listener may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Scram(ScramHash),
    OAuthBearer,
}

const MECHANISMS: [Mechanism; 4] = [
    Mechanism::Plain,
    Mechanism::Scram(ScramHash::Sha256),
    Mechanism::Scram(ScramHash::Sha512),
    Mechanism::OAuthBearer,
];

impl Mechanism {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(hash) => hash.mechanism(),
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }

    /// Kafka's code for a SCRAM mechanism.
    pub(super) fn scram_code(hash: ScramHash) -> i8 {
        match hash {
            ScramHash::Sha256 => 1,
            ScramHash::Sha512 => 2,
        }
    }
}

/// The logins that a listener accepts.
#[derive(Debug)]
pub(super) struct Logins {
    enabled: Vec<Enabled>,
    plain_users: BTreeMap<String, Secret>,
    pub(super) token_rules: TokenRules,
    /// The secret key of delegation tokens, if there are any.
    pub(super) token_key: Option<Secret>,
}

#[derive(Debug)]
struct Enabled {
    mechanism: Mechanism,
    /// After this long a client must re-authenticate, in ms; 0 for never.
    max_reauth_ms: i64,
}

impl Logins {
    pub(super) fn new(settings: &ListenerSettings<'_>, notices: &NoticeSink) -> Result<Self> {
        let key = "sasl.enabled.mechanisms";
        let mut enabled = Vec::new();
        let mut plain_users = BTreeMap::new();
        let mut token_rules = TokenRules::default();
        let names = settings.get(key).unwrap_or_default().split(',').map(str::trim);
        for name in names.filter(|name| !name.is_empty()) {
            let Some(mechanism) = MECHANISMS.into_iter().find(|mechanism| mechanism.name() == name) else {
                return Err(settings
                    .complaint(key, format_args!("{name} is not supported"))
                    .hint("there are PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER"));
            };
            match mechanism {
                Mechanism::Plain => plain_users = users(settings)?,
                Mechanism::OAuthBearer => {
                    let module = module(settings, mechanism)?;
                    token_rules = TokenRules::new(settings, module.as_ref(), notices)?;
                }
                Mechanism::Scram(_) => {}
            }
            let reauth = settings.of_mechanism(name, "connections.max.reauth.ms");
            let reauth = reauth.or_else(|| settings.get("connections.max.reauth.ms"));
            let max_reauth_ms = reauth.and_then(|ms| ms.trim().parse().ok()).unwrap_or(0);
            enabled.push(Enabled {
                mechanism,
                max_reauth_ms,
            });
        }
        if enabled.is_empty() {
            return Err(settings.complaint(key, "it names no mechanism"));
        }
        Ok(Self {
            enabled,
            plain_users,
            token_rules,
            token_key: settings.token_key(),
        })
    }

    /// The mechanism of this name, if clients may choose it.
    pub(super) fn mechanism(&self, name: &str) -> Option<Mechanism> {
        self.names_and_mechanisms()
            .find(|(known, _)| *known == name)
            .map(|(_, mechanism)| mechanism)
    }

    /// The names of the enabled mechanisms.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.names_and_mechanisms().map(|(name, _)| name)
    }

    fn names_and_mechanisms(&self) -> impl Iterator<Item = (&'static str, Mechanism)> + '_ {
        self.enabled
            .iter()
            .map(|enabled| (enabled.mechanism.name(), enabled.mechanism))
    }

    pub(super) fn max_reauth_ms(&self, mechanism: Mechanism) -> i64 {
        let enabled = self.enabled.iter().find(|enabled| enabled.mechanism == mechanism);
        enabled.map_or(0, |enabled| enabled.max_reauth_ms)
    }

    /// Whether this is a user's PLAIN password. An unknown user takes as long as a wrong password.
    pub(super) fn is_plain_password(&self, username: &str, password: &Secret) -> bool {
        let known = self.plain_users.get(username);
        let expected = known.map_or(password.reveal(), Secret::reveal);
        is_same(expected.as_bytes(), password.reveal().as_bytes()) && known.is_some()
    }
}

/// The login module of a mechanism: `listener.name.<listener>.<mechanism>.sasl.jaas.config`, otherwise that of the
/// JAAS file.
fn module(settings: &ListenerSettings<'_>, mechanism: Mechanism) -> Result<Option<LoginModule>> {
    let name = mechanism.name();
    let key = format!("{}.sasl.jaas.config", name.to_ascii_lowercase());
    let Some(text) = settings.of_mechanism(name, "sasl.jaas.config") else {
        let section = settings.login_section();
        let module = section.and_then(|section| section.module(module_class(name)));
        return Ok(module.cloned());
    };
    let module = LoginModule::parse(text).map_err(|problem| settings.complaint(&key, problem))?;
    Ok(Some(module))
}

/// The users of PLAIN: `user_<name>="<password>"` of its login module.
fn users(settings: &ListenerSettings<'_>) -> Result<BTreeMap<String, Secret>> {
    let Some(module) = module(settings, Mechanism::Plain)? else {
        return Err(settings
            .complaint("plain.sasl.jaas.config", "it is missing: PLAIN has no users")
            .hint("org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"…\";"));
    };
    if module.simple_name() != "PlainLoginModule" {
        let problem = format_args!("the login module {} is not supported", module.class).to_string();
        return Err(settings.complaint("plain.sasl.jaas.config", problem));
    }
    let users = module.options.into_iter().filter_map(|(name, password)| {
        let user = name.strip_prefix("user_")?;
        Some((user.to_owned(), password))
    });
    Ok(users.collect())
}
