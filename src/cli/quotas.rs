//! `kafkit quotas …` to `quotas::Action`.

use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::once::{once, refuse_twice};
use super::output_args::OutputArgs;
use super::reassign::rate;
use crate::client::admin::quotas::{NameFilter, QuotaChange, QuotaEntity, QuotaFilter, QuotaKind};
use crate::commands::quotas::Action;
use crate::error::{Error, Result};

/// List, set and unset quotas of users, client ids and addresses
#[derive(Args, Debug)]
pub struct QuotasArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(ListArgs),
    Set(SetArgs),
    Unset(UnsetArgs),
}

/// Show quotas
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit quotas list
  kafkit quotas list --user alice
  kafkit quotas list --default-user -o json")]
struct ListArgs {
    #[command(flatten)]
    entity: EntityArgs,
}

/// Set quotas; the others stay as they are
#[derive(Args, Debug)]
#[command(after_help = "Quotas:
  producer_byte_rate, consumer_byte_rate   bytes a second, such as 1048576 or 10MB/s
  request_percentage                       per cent of a thread's time
  controller_mutation_rate                 partitions made or deleted a second
  connection_creation_rate                 connections a second; of addresses

Examples:
  kafkit quotas set --user alice producer_byte_rate=10MB/s consumer_byte_rate=20MB/s
  kafkit quotas set --user alice --client import request_percentage=50
  kafkit quotas set --default-client producer_byte_rate=1MB/s
  kafkit quotas set --ip 10.0.0.7 connection_creation_rate=10 --dry-run")]
struct SetArgs {
    #[command(flatten)]
    entity: EntityArgs,
    /// Quotas with their new values
    #[arg(required = true, value_name = "QUOTA=VALUE")]
    settings: Vec<String>,
    /// Let the broker check everything and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Take quotas away
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit quotas unset --user alice producer_byte_rate
  kafkit quotas unset --default-client --all")]
struct UnsetArgs {
    #[command(flatten)]
    entity: EntityArgs,
    /// Quotas to take away
    #[arg(value_name = "QUOTA", required_unless_present = "all")]
    names: Vec<String>,
    /// All that there are
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Let the broker check everything and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Whose quotas.
#[derive(Args, Debug)]
struct EntityArgs {
    /// A user
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Every user that has no quota of its own
    #[arg(long, conflicts_with = "user")]
    default_user: bool,
    /// A client id; together with a user, that user's clients of this id
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Every client id that has no quota of its own
    #[arg(long, conflicts_with = "client")]
    default_client: bool,
    /// An address that clients connect from
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["user", "default_user", "client", "default_client"])]
    ip: Option<String>,
    /// Every address that has no quota of its own
    #[arg(long, conflicts_with_all = ["user", "default_user", "client", "default_client", "ip"])]
    default_ip: bool,
}

impl IntoInvocation for QuotasArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = match self.verb {
            Verb::List(args) => Action::List(args.entity.into_filter()),
            Verb::Set(args) => Action::Change {
                entity: args.entity.into_entity()?,
                changes: settings(&args.settings)?,
                is_dry_run: args.dry_run,
            },
            Verb::Unset(args) if args.all => Action::UnsetAll {
                entity: args.entity.into_entity()?,
                is_dry_run: args.dry_run,
            },
            Verb::Unset(args) => Action::Change {
                entity: args.entity.into_entity()?,
                changes: once(args.names)
                    .into_iter()
                    .map(|name| QuotaChange { name, value: None })
                    .collect(),
                is_dry_run: args.dry_run,
            },
        };
        Invocation::asking(action, self.connection, self.output)
    }
}

impl EntityArgs {
    /// Kind and name of each part; `None` for the default entity.
    fn into_parts(self) -> Vec<(QuotaKind, Option<String>)> {
        let part = |kind, name: Option<String>, is_default: bool| {
            (is_default || name.is_some()).then_some((kind, name))
        };
        let parts = [
            part(QuotaKind::User, self.user, self.default_user),
            part(QuotaKind::ClientId, self.client, self.default_client),
            part(QuotaKind::Ip, self.ip, self.default_ip),
        ];
        parts.into_iter().flatten().collect()
    }

    fn into_filter(self) -> Vec<QuotaFilter> {
        let filter = |(kind, name): (QuotaKind, Option<String>)| QuotaFilter {
            kind,
            names: name.map_or(NameFilter::TheDefault, NameFilter::Exactly),
        };
        self.into_parts().into_iter().map(filter).collect()
    }

    fn into_entity(self) -> Result<QuotaEntity> {
        let parts = self.into_parts();
        if parts.is_empty() {
            return Err(Error::usage("it is not said whose quotas")
                .hint("give --user, --client, --ip, or --default-user, --default-client, --default-ip"));
        }
        Ok(QuotaEntity(parts))
    }
}

fn settings(words: &[String]) -> Result<Vec<QuotaChange>> {
    let changes: Vec<_> = words.iter().map(|word| setting(word)).collect::<Result<_>>()?;
    refuse_twice("quota", changes.iter().map(|change| change.name.as_str()))?;
    Ok(changes)
}

/// `producer_byte_rate=10MB/s`.
fn setting(word: &str) -> Result<QuotaChange> {
    let Some((name, text)) = word.split_once('=') else {
        return Err(Error::usage(format!("a quota is QUOTA=VALUE, not \"{word}\"")));
    };
    let number = text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
    let value = match number {
        Some(value) => value,
        None if name.ends_with("_byte_rate") => {
            let bytes = rate(text).map_err(|problem| Error::usage(format!("{name}: {problem}")))?;
            bytes as f64
        }
        None => return Err(Error::usage(format!("{name} takes a number, not \"{text}\""))),
    };
    Ok(QuotaChange {
        name: name.trim().to_owned(),
        value: Some(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_units_and_percentages_have_none() {
        let value = |word: &str| setting(word).map(|change| change.value);
        assert_eq!(value("producer_byte_rate=10MB/s").unwrap(), Some(10_000_000.0));
        assert_eq!(value("consumer_byte_rate=1024").unwrap(), Some(1024.0));
        assert_eq!(value("request_percentage=12.5").unwrap(), Some(12.5));
        for word in [
            "producer_byte_rate",
            "request_percentage=5MB",
            "request_percentage=inf",
            "x=",
        ] {
            assert!(setting(word).is_err(), "{word}");
        }
    }
}
