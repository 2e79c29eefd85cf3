//! The steps of `tokens list`, `create`, `renew` and `expire`: delegation tokens, with which a program logs in as a
//! user without knowing the password.
//!
//! A token's HMAC is its password. It is shown when the token is created, and later only on request.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::command::{Command, Needs};
use super::context::Context;
use super::secret_file;
use crate::client::admin::delegation_tokens::{DelegationToken, NewToken};
use crate::client::settings::Settings;
use crate::error::{Error, Result};
use crate::output::{confirm, plural, token as output};
use crate::wire::sasl::ScramHash;

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    List {
        /// Principals, `User:alice`; all if empty.
        owners: Vec<String>,
        shows_hmac: bool,
    },
    Create(Creation),
    Renew {
        ids: Vec<String>,
        /// In milliseconds; -1 for the cluster's default.
        period_ms: i64,
    },
    Expire(Expiry),
}

/// A token to create.
#[derive(Debug)]
pub struct Creation {
    pub new: NewToken,
    pub file: Option<LoginFile>,
}

/// The file with which clients log in with the token.
#[derive(Debug)]
pub struct LoginFile {
    pub path: PathBuf,
    /// The SCRAM mechanism; `None` for that of this client, or else SHA-256.
    pub mechanism: Option<ScramHash>,
}

/// Tokens that are to expire.
#[derive(Debug)]
pub struct Expiry {
    pub ids: Vec<String>,
    /// In milliseconds; `None` is at once.
    pub period_ms: Option<i64>,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        match *self {
            Self::List { owners, shows_hmac } => {
                let owners = (!owners.is_empty()).then_some(owners.as_slice());
                let mut tokens = context.client.admin()?.delegation_tokens(owners)??;
                tokens.sort_by(|a, b| (&a.owner, a.issued_ms, &a.id).cmp(&(&b.owner, b.issued_ms, &b.id)));
                output::list(&mut context.printer, &tokens, shows_hmac)
            }
            Self::Create(creation) => create(&creation, context),
            Self::Renew { ids, period_ms } => renew(&ids, period_ms, context),
            Self::Expire(expiry) => expire(&expiry, context),
        }
    }
}

fn create(creation: &Creation, context: &mut Context) -> Result<()> {
    let created = context.client.admin()?.create_delegation_token(&creation.new)?;
    let token =
        created.map_err(|refusal| Error::from(refusal).context("cannot create a delegation token"))?;
    if let Some(file) = &creation.file {
        let text = login_file(&token, file.mechanism, context.client.settings());
        secret_file::write(&file.path, &text)?;
        context.printer.note(format_args!(
            "the login of token {} is in {}",
            token.id,
            file.path.display()
        ));
    }
    output::list(&mut context.printer, &[token], creation.file.is_none())
}

/// Settings that a client with the token takes from this one.
const SHARED: [&str; 6] = [
    "bootstrap.servers",
    "ssl.truststore.type",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.certificates",
    "ssl.endpoint.identification.algorithm",
];

/// A Java properties file that logs in with the token.
fn login_file(token: &DelegationToken, mechanism: Option<ScramHash>, settings: &Settings) -> String {
    let here = settings.get("sasl.mechanism").unwrap_or_default().trim();
    let mechanism = match mechanism {
        Some(hash) => hash.mechanism(),
        None if here == ScramHash::Sha512.mechanism() => here,
        None => ScramHash::Sha256.mechanism(),
    };
    let is_tls = settings
        .get("security.protocol")
        .is_some_and(|protocol| protocol.trim().to_ascii_uppercase().ends_with("SSL"));
    let protocol = if is_tls { "SASL_SSL" } else { "SASL_PLAINTEXT" };
    let login = format!(
        "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"{}\" password=\"{}\" tokenauth=\"true\";",
        token.id,
        token.hmac.reveal()
    );
    let shared = SHARED.iter().filter_map(|key| Some((*key, settings.get(key)?)));
    let own = [
        ("security.protocol", protocol),
        ("sasl.mechanism", mechanism),
        ("sasl.jaas.config", &login),
    ];
    let lines = shared.chain(own).map(|(key, value)| {
        let value = value.replace('\\', "\\\\").replace('\r', "").replace('\n', "\\n");
        format!("{key}={value}\n")
    });
    let lines: String = lines.collect();
    format!(
        "# Logs in as {} with delegation token {}, for kafkit and Apache Kafka's clients.\n{lines}",
        token.owner, token.id
    )
}

fn renew(ids: &[String], period_ms: i64, context: &mut Context) -> Result<()> {
    let tokens = find(ids, context)?;
    let (mut renewed, mut failures) = (Vec::new(), Vec::new());
    for mut token in tokens {
        let hmac = hmac_bytes(&token)?;
        match context.client.admin()?.renew_delegation_token(&hmac, period_ms)? {
            Ok(expires_ms) => {
                token.expires_ms = expires_ms;
                renewed.push(token);
            }
            Err(refusal) => {
                let what = format!("cannot renew token {}", token.id);
                failures.push(Error::from(refusal).context(what));
            }
        }
    }
    output::list(&mut context.printer, &renewed, false)?;
    context.outcome_of(failures)
}

fn expire(expiry: &Expiry, context: &mut Context) -> Result<()> {
    let tokens = find(&expiry.ids, context)?;
    let ids: Vec<String> = tokens.iter().map(|token| token.id.clone()).collect();
    if expiry.is_dry_run {
        return output::outcomes(&mut context.printer, "would expire", &ids, "would expire");
    }
    if expiry.period_ms.is_none() && !expiry.is_sure {
        let what = plural(tokens.len() as u64, "token");
        if !confirm::can_ask() {
            return Err(Error::usage(format!(
                "would expire {what} ({}); without a terminal say --yes",
                ids.join(", ")
            )));
        }
        let lines = output::table(&tokens, false).aligned();
        let question = format!("Expire {what} now? Whoever logs in with it is refused.");
        context.consent(&lines, &question, "nothing expired")?;
    }
    let period_ms = expiry.period_ms.unwrap_or(-1);
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    for token in tokens {
        let hmac = hmac_bytes(&token)?;
        match context
            .client
            .admin()?
            .expire_delegation_token(&hmac, period_ms)?
        {
            Ok(_) => done.push(token.id),
            Err(refusal) => {
                let what = format!("cannot expire token {}", token.id);
                failures.push(Error::from(refusal).context(what));
            }
        }
    }
    let word = if expiry.period_ms.is_none() {
        "expired"
    } else {
        "expiring"
    };
    output::outcomes(&mut context.printer, word, &done, word)?;
    context.outcome_of(failures)
}

/// The bytes of a token's HMAC.
fn hmac_bytes(token: &DelegationToken) -> Result<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(token.hmac.reveal())
        .map_err(|_| Error::bad_data(format!("the HMAC of token {} is no base64", token.id)))
}

/// The tokens with these ids, all of which must exist.
fn find(ids: &[String], context: &mut Context) -> Result<Vec<DelegationToken>> {
    let mut known = context.client.admin()?.delegation_tokens(None)??;
    if let Some(missing) = ids.iter().find(|id| known.iter().all(|token| token.id != **id)) {
        let error = Error::not_found(format!("delegation token {missing} not found"));
        return Err(error.hint("`kafkit tokens list` shows those that you may see"));
    }
    let wanted: BTreeSet<&String> = ids.iter().collect();
    known.retain(|token| wanted.contains(&token.id));
    Ok(known)
}
