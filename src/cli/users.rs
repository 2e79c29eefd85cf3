//! `kafkit users …` to `users::Action`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::once::once;
use super::output_args::OutputArgs;
use crate::client::admin::scram_users::ScramHash;
use crate::commands::users::{Action, Deletion, Password, PasswordSource};
use crate::error::Result;

/// List, create, alter and delete users that authenticate with SCRAM
#[derive(Args, Debug)]
pub struct UsersArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show users with their mechanisms
    #[command(after_help = "Examples:
  kafkit users list
  kafkit users list -o name")]
    List {
        /// Names of users; all when none is given
        #[arg(value_name = "USER", add = super::candidates::users())]
        users: Vec<String>,
    },
    /// Create a user
    ///
    /// The password is asked for on the terminal, or comes from a file, a variable or a command; never from the command
    /// line, which every user of the machine can see. The broker gets a salted hash of it.
    #[command(after_help = "Examples:
  kafkit users create alice
  kafkit users create alice --password-file alice.password
  pwgen 20 1 | kafkit users create alice --password-file -
  kafkit users create alice --password-command 'pass show kafka/alice' --mechanism scram-sha-256")]
    Create(PasswordArgs),
    /// Give a user another password
    #[command(after_help = "Examples:
  kafkit users alter alice
  kafkit users alter alice --password-env NEW_PASSWORD --iterations 8192")]
    Alter(PasswordArgs),
    Delete(DeleteArgs),
}

#[derive(Args, Debug)]
struct PasswordArgs {
    /// The user's name
    #[arg(value_name = "USER", add = super::candidates::users())]
    user: String,
    /// The mechanism that the password is for; may be repeated. When not given: those that the user has, else scram-sha-512
    #[arg(long, value_enum, value_name = "NAME")]
    mechanism: Vec<Mechanism>,
    /// Rounds of the hash
    #[arg(long, value_name = "COUNT", default_value_t = 4096, value_parser = clap::value_parser!(i32).range(4096..=16384))]
    iterations: i32,
    /// A file that holds the password; - is stdin
    #[arg(long, value_name = "FILE", group = "password")]
    password_file: Option<PathBuf>,
    /// An environment variable that holds the password
    #[arg(long, value_name = "NAME", group = "password")]
    password_env: Option<String>,
    /// A shell command that prints the password
    #[arg(long, value_name = "COMMAND", group = "password")]
    password_command: Option<String>,
    /// Show what would be done and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Delete users
///
/// Shows who will go and asks; without a terminal it wants --yes. Connections that are open stay open.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit users delete alice
  kafkit users delete alice --mechanism scram-sha-256 --yes")]
struct DeleteArgs {
    /// Names of users
    #[arg(required = true, value_name = "USER", add = super::candidates::users())]
    users: Vec<String>,
    /// Only the password for this mechanism; may be repeated
    #[arg(long, value_enum, value_name = "NAME")]
    mechanism: Vec<Mechanism>,
    /// A user that is not there is no failure
    #[arg(long)]
    if_exists: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show who would be deleted and delete nobody
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Mechanism {
    #[value(name = "scram-sha-256", alias = "SCRAM-SHA-256")]
    Sha256,
    #[value(name = "scram-sha-512", alias = "SCRAM-SHA-512")]
    Sha512,
}

impl Mechanism {
    pub(super) fn hash(self) -> ScramHash {
        match self {
            Self::Sha256 => ScramHash::Sha256,
            Self::Sha512 => ScramHash::Sha512,
        }
    }
}

impl IntoInvocation for UsersArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = match self.verb {
            Verb::List { users } => Action::List(once(users)),
            Verb::Create(args) => Action::Create(args.into_password()),
            Verb::Alter(args) => Action::Alter(args.into_password()),
            Verb::Delete(args) => Action::Delete(Deletion {
                users: once(args.users),
                mechanisms: hashes(&args.mechanism),
                if_exists: args.if_exists,
                is_sure: args.yes,
                is_dry_run: args.dry_run,
            }),
        };
        Invocation::asking(action, self.connection, self.output)
    }
}

impl PasswordArgs {
    fn into_password(self) -> Password {
        let file = self.password_file.map(PasswordSource::File);
        let variable = self.password_env.map(PasswordSource::Variable);
        let command = self.password_command.map(PasswordSource::Command);
        Password {
            user: self.user,
            mechanisms: hashes(&self.mechanism),
            iterations: self.iterations,
            source: file.or(variable).or(command).unwrap_or(PasswordSource::Prompt),
            is_dry_run: self.dry_run,
        }
    }
}

fn hashes(mechanisms: &[Mechanism]) -> Vec<ScramHash> {
    mechanisms.iter().map(|mechanism| mechanism.hash()).collect()
}
