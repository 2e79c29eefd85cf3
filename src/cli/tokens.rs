//! `kafkit tokens …` to `tokens::Action`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::acls::principal;
use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::once::once;
use super::output_args::OutputArgs;
use super::times::parse_duration;
use super::users::Mechanism;
use crate::client::admin::delegation_tokens::NewToken;
use crate::commands::tokens::{Action, Creation, Expiry, LoginFile};
use crate::error::Result;

/// The period that means the cluster's default, in milliseconds.
const AS_LONG_AS_POSSIBLE: i64 = -1;

/// List, create, renew and expire delegation tokens
#[derive(Args, Debug)]
pub struct TokensArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show delegation tokens: your own, and those that you may see
    #[command(after_help = "Examples:
  kafkit tokens list
  kafkit tokens list alice --show-hmac -o json")]
    List {
        /// Whose: those that `User:alice`, or `alice` alone, owns, asked for or may renew; all when none is given
        #[arg(value_name = "PRINCIPAL")]
        owners: Vec<String>,
        /// Show with what each logs in
        #[arg(long)]
        show_hmac: bool,
    },
    Create(CreateArgs),
    /// Let tokens live longer
    #[command(after_help = "Examples:
  kafkit tokens renew 5hS2aXKbQ1uXbM8p1i2Wqg
  kafkit tokens renew 5hS2aXKbQ1uXbM8p1i2Wqg --by 12h")]
    Renew {
        /// Ids of tokens
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// How long from now [default: as long as the cluster allows]
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        by: Option<Duration>,
    },
    Expire(ExpireArgs),
}

/// Create a token, with which a program logs in as its owner
///
/// The token's id is the user name and its HMAC the password of SCRAM, with tokenauth=true. Tokens need a login that is
/// no token itself, and a cluster with delegation.token.secret.key.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit tokens create --write job.properties
  kafkit tokens create --owner alice --renewer scheduler --max-lifetime 12h -o json")]
struct CreateArgs {
    /// For whom [default: you]
    #[arg(long, value_name = "PRINCIPAL")]
    owner: Option<String>,
    /// Who may renew and expire it beside its owner; may be repeated
    #[arg(long, value_name = "PRINCIPAL")]
    renewer: Vec<String>,
    /// How long it can be renewed [default: as long as the cluster allows]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    max_lifetime: Option<Duration>,
    /// Write a client.properties that logs in with the token, for your eyes alone, instead of printing the HMAC
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// The mechanism in that file [default: that of your own login, or else scram-sha-256]
    #[arg(long, value_enum, value_name = "NAME", requires = "write")]
    mechanism: Option<Mechanism>,
}

/// Let tokens expire, at once or soon
///
/// Shows which and asks where they go at once; without a terminal it wants --yes.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit tokens expire 5hS2aXKbQ1uXbM8p1i2Wqg --yes
  kafkit tokens expire 5hS2aXKbQ1uXbM8p1i2Wqg --after 10m")]
struct ExpireArgs {
    /// Ids of tokens
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// How long from now [default: at once]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    after: Option<Duration>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show which would expire and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl IntoInvocation for TokensArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = match self.verb {
            Verb::List { owners, show_hmac } => Action::List {
                owners: owners.into_iter().map(principal).collect(),
                shows_hmac: show_hmac,
            },
            Verb::Create(args) => Action::Create(args.into_creation()),
            Verb::Renew { ids, by } => Action::Renew {
                ids: once(ids),
                period_ms: by.map_or(AS_LONG_AS_POSSIBLE, millis),
            },
            Verb::Expire(args) => Action::Expire(Expiry {
                ids: once(args.ids),
                period_ms: args.after.map(millis),
                is_sure: args.yes,
                is_dry_run: args.dry_run,
            }),
        };
        Invocation::asking(action, self.connection, self.output)
    }
}

impl CreateArgs {
    fn into_creation(self) -> Creation {
        let mechanism = self.mechanism.map(Mechanism::hash);
        Creation {
            new: NewToken {
                owner: self.owner.map(principal),
                renewers: self.renewer.into_iter().map(principal).collect(),
                max_lifetime_ms: self.max_lifetime.map_or(AS_LONG_AS_POSSIBLE, millis),
            },
            file: self.write.map(|path| LoginFile { path, mechanism }),
        }
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
