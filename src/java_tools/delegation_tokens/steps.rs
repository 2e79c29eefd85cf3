//! The steps of `kafka-delegation-tokens`, in the order of Apache Kafka's own tool.

use super::super::admin_tool::{Failure, principals};
use super::super::option_parser::Parsed;
use super::words;
use crate::client::admin::ApiError;
use crate::client::admin::delegation_tokens::NewToken;
use crate::commands::context::Context;
use crate::error::{Error, Result as OurResult};
use crate::java::base64::{Alphabet, decode};

pub(super) fn run(parsed: &Parsed, context: &mut Context) -> Result<(), Failure> {
    if parsed.has("create") {
        create(parsed, context)
    } else if parsed.has("renew") {
        renew(parsed, context)
    } else if parsed.has("expire") {
        expire(parsed, context)
    } else {
        describe(parsed, context)
    }
}

fn create(parsed: &Parsed, context: &mut Context) -> Result<(), Failure> {
    let renewers = principals(parsed, "renewer-principal")?;
    let max_lifetime_ms = number(parsed, "max-life-time-period")?;
    say(
        context,
        format!(
            "Calling create token operation with renewers :{} , max-life-time-period :{max_lifetime_ms}\n",
            words::list(&renewers)
        ),
    )?;
    let new = NewToken {
        owner: principals(parsed, "owner-principal")?.into_iter().next(),
        renewers,
        max_lifetime_ms,
    };
    let created = context
        .client
        .admin()
        .and_then(|admin| admin.create_delegation_token(&new));
    let token = answered(created, "createDelegationToken")?;
    say(
        context,
        format!("Created delegation token with tokenId : {}\n", token.id),
    )?;
    say(context, words::table(&[token]))
}

fn renew(parsed: &Parsed, context: &mut Context) -> Result<(), Failure> {
    let hmac = parsed.value("hmac")?;
    let period_ms = number(parsed, "renew-time-period")?;
    let shown = hmac.unwrap_or("null");
    say(
        context,
        format!("Calling renew token operation with hmac :{shown} , renew-time-period :{period_ms}\n"),
    )?;
    let hmac = bytes_of(hmac)?;
    let renewed = context
        .client
        .admin()
        .and_then(|admin| admin.renew_delegation_token(&hmac, period_ms));
    let expires_ms = answered(renewed, "renewDelegationToken")?;
    let date = words::minute(expires_ms);
    say(
        context,
        format!("Completed renew operation. New expiry date : {date}"),
    )
}

fn expire(parsed: &Parsed, context: &mut Context) -> Result<(), Failure> {
    let hmac = parsed.value("hmac")?;
    let period_ms = number(parsed, "expiry-time-period")?;
    let shown = hmac.unwrap_or("null");
    say(
        context,
        format!("Calling expire token operation with hmac :{shown} , expire-time-period :{period_ms}\n"),
    )?;
    let hmac = bytes_of(hmac)?;
    let expired = context
        .client
        .admin()
        .and_then(|admin| admin.expire_delegation_token(&hmac, period_ms));
    let expires_ms = answered(expired, "expireDelegationToken")?;
    let date = words::minute(expires_ms);
    say(
        context,
        format!("Completed expire operation. New expiry date : {date}"),
    )
}

fn describe(parsed: &Parsed, context: &mut Context) -> Result<(), Failure> {
    let owners = principals(parsed, "owner-principal")?;
    let calling = if owners.is_empty() {
        "Calling describe token operation for current user.\n".to_owned()
    } else {
        let owners = words::list(&owners);
        format!("Calling describe token operation for owners: {owners}\n")
    };
    say(context, calling)?;
    // Without an owner, Apache Kafka's tool sends an empty list, and so gets no token.
    let found = context
        .client
        .admin()
        .and_then(|admin| admin.delegation_tokens(Some(&owners)));
    let tokens = answered(found, "describeDelegationToken")?;
    say(context, format!("Total number of tokens : {}", tokens.len()))?;
    say(context, words::table(&tokens))
}

/// A required number, or Java's exception about a missing one.
fn number(parsed: &Parsed, option: &str) -> Result<i64, Failure> {
    parsed.long(option)?.ok_or_else(|| {
        Failure::of(
            "Cannot invoke \"java.lang.Long.longValue()\" because the return value of \
             \"joptsimple.OptionSet.valueOf(joptsimple.OptionSpec)\" is null",
        )
    })
}

fn bytes_of(hmac: Option<&str>) -> Result<Vec<u8>, Failure> {
    let missing = "Cannot invoke \"String.getBytes(java.nio.charset.Charset)\" because \"src\" is null";
    let hmac = hmac.ok_or_else(|| Failure::of(missing))?;
    decode(Alphabet::Basic, hmac).map_err(Failure::of)
}

fn say(context: &mut Context, text: String) -> Result<(), Failure> {
    let said = context.printer.text(text);
    said.map_err(|error| Failure::printing(&error))
}

fn answered<T>(outcome: OurResult<Result<T, ApiError>>, call: &str) -> Result<T, Failure> {
    let answer = outcome.and_then(|answer| answer.map_err(Error::from));
    answer.map_err(|error| Failure::executing(&error, call))
}
