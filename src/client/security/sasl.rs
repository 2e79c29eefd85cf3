//! The `sasl.*` settings, Java's and librdkafka's, as credentials.

use std::sync::Arc;

use super::super::login_file;
use super::super::settings::Settings;
use super::oauth;
use crate::error::{Error, Result};
use crate::wire::Secret;
use crate::wire::sasl::jaas::{LoginModule, module_class};
use crate::wire::sasl::{Credentials, ScramHash};

/// Settings that replace Kafka's Java classes by others.
const REPLACEMENTS: [&str; 2] = ["sasl.client.callback.handler.class", "sasl.login.class"];

/// The section of a JAAS file for clients.
const CLIENT_SECTION: &str = "KafkaClient";

const SUPPORTED: [&str; 4] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

pub(super) fn read(settings: &Settings) -> Result<Credentials> {
    for key in REPLACEMENTS {
        if settings.get(key).is_some_and(|value| !value.trim().is_empty()) {
            return Err(settings.complaint(key, "Java classes cannot be run here"));
        }
    }
    let mechanism = settings.get("sasl.mechanism").unwrap_or("GSSAPI").trim();
    if !SUPPORTED.contains(&mechanism) {
        let problem = match settings.get("sasl.mechanism") {
            None => "it is missing, and its default GSSAPI (Kerberos) is not supported".to_owned(),
            Some(_) => format!("{mechanism} is not supported"),
        };
        return Err(settings
            .complaint("sasl.mechanism", problem)
            .hint("there are PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER"));
    }
    let module = login_module(settings, mechanism)?;
    match mechanism {
        "PLAIN" => {
            let (username, password) = user(settings, module.as_ref())?;
            Ok(Credentials::Plain { username, password })
        }
        "SCRAM-SHA-256" => scram(settings, module.as_ref(), ScramHash::Sha256),
        "SCRAM-SHA-512" => scram(settings, module.as_ref(), ScramHash::Sha512),
        _ => Ok(Credentials::OAuthBearer(Arc::from(oauth::source(
            settings,
            module.as_ref(),
        )?))),
    }
}

fn scram(settings: &Settings, module: Option<&LoginModule>, hash: ScramHash) -> Result<Credentials> {
    let (username, password) = user(settings, module)?;
    let token = module.and_then(|module| module.option("tokenauth"));
    Ok(Credentials::Scram {
        hash,
        username,
        password,
        delegation_token: token.is_some_and(|value| value.eq_ignore_ascii_case("true")),
    })
}

/// The login module of `sasl.jaas.config`, unless user name and password have a stronger origin; if none of them is
/// set, that of the JAAS file.
fn login_module(settings: &Settings, mechanism: &str) -> Result<Option<LoginModule>> {
    let key = "sasl.jaas.config";
    let module = match settings.strongest(&[key, "sasl.username", "sasl.password"]) {
        Some(strongest) if strongest == key => {
            let text = settings.get(key).unwrap_or_default();
            LoginModule::parse(text).map_err(|problem| settings.complaint(key, problem))?
        }
        Some(_) => return Ok(None),
        None => match module_of_file(mechanism)? {
            Some(module) => module,
            None => return Ok(None),
        },
    };
    let known = ["PlainLoginModule", "ScramLoginModule", "OAuthBearerLoginModule"];
    let ours = module.class.contains("kafka.common.security.") && known.contains(&module.simple_name());
    if ours {
        return Ok(Some(module));
    }
    Err(settings
        .complaint(
            key,
            format_args!("the login module {} is not supported", module.class),
        )
        .hint("there are Kafka's PlainLoginModule, ScramLoginModule and OAuthBearerLoginModule"))
}

/// The login module of the JAAS file, if there is one.
fn module_of_file(mechanism: &str) -> Result<Option<LoginModule>> {
    let Some(file) = login_file::read()? else {
        return Ok(None);
    };
    let module = file.section(&[CLIENT_SECTION]);
    let module = module.and_then(|section| section.module(module_class(mechanism)));
    let missing = || {
        Error::bad_data(format!(
            "the JAAS file has no section {CLIENT_SECTION} with a login"
        ))
    };
    module.cloned().map(Some).ok_or_else(missing)
}

/// User name and password, from the login module or librdkafka's settings.
fn user(settings: &Settings, module: Option<&LoginModule>) -> Result<(String, Secret)> {
    let Some(module) = module else {
        return user_of_settings(settings);
    };
    if module.simple_name() == "OAuthBearerLoginModule" {
        return Err(settings.complaint(
            "sasl.jaas.config",
            "OAuthBearerLoginModule goes with sasl.mechanism=OAUTHBEARER only",
        ));
    }
    let option = |name: &str| {
        let missing =
            || settings.complaint("sasl.jaas.config", format_args!("the login module has no {name}"));
        module.option(name).ok_or_else(missing)
    };
    Ok((option("username")?.to_owned(), Secret::new(option("password")?)))
}

/// User name and password from librdkafka's settings. A missing user name may be taken from a weaker login module, so
/// that a flag can replace the password alone; a password never is.
fn user_of_settings(settings: &Settings) -> Result<(String, Secret)> {
    let missing =
        |key: &str| settings.complaint(key, "it is missing; without it nobody can be authenticated");
    let password = settings.get("sasl.password").map(Secret::new);
    let module = settings.get("sasl.jaas.config").map(LoginModule::parse);
    let module = module
        .and_then(std::result::Result::ok)
        .filter(|_| password.is_some());
    let username = settings.get("sasl.username").map(ToOwned::to_owned);
    let username = username.or_else(|| module?.option("username").map(ToOwned::to_owned));
    let username = username.ok_or_else(|| {
        missing("sasl.username").hint("set sasl.username and sasl.password, or sasl.jaas.config")
    })?;
    Ok((username, password.ok_or_else(|| missing("sasl.password"))?))
}
