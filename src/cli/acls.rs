//! `kafkit acls …` to `acls::Action`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use crate::client::admin::acls::{CLUSTER_NAME, Operation, PatternType, Permission, ResourceType};
use crate::commands::acls::{self, Action, Change, Preset, Scope};
use crate::error::Result;

/// List, add and remove ACLs: who may do what
#[derive(Args, Debug)]
pub struct AclsArgs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show ACLs
    #[command(after_help = "Examples:
  kafkit acls list
  kafkit acls list alice --topic orders
  kafkit acls list -o json > acls.json    # `acls add --from acls.json` brings them back")]
    List(ScopeArgs),
    /// Add ACLs
    ///
    /// Shows what will be added and asks; without a terminal it wants --yes. The way back is written to an undo file first.
    #[command(after_help = "Examples:
  kafkit acls add alice --producer --topic orders
  kafkit acls add alice --producer --topic orders --transactional-id copier
  kafkit acls add bob --consumer --topic orders --group billing
  kafkit acls add bob --operation describe-configs --topic team- --prefixed --dry-run
  kafkit acls add 'User:*' --deny --operation delete --topic orders")]
    Add(ChangeArgs),
    /// Remove ACLs
    ///
    /// Everything that is not said may be anything: `acls remove alice` removes all that alice has. Shows what will go and
    /// asks; without a terminal it wants --yes. The way back is written to an undo file first.
    #[command(after_help = "Examples:
  kafkit acls remove alice --dry-run
  kafkit acls remove alice --producer --topic orders
  kafkit acls remove --topic orders --yes")]
    Remove(ChangeArgs),
}

#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct ScopeArgs {
    /// Who: `User:alice`, or `alice` alone
    #[arg(value_name = "PRINCIPAL")]
    principals: Vec<String>,
    /// Topics; `*` is all
    #[arg(short, long, value_name = "TOPIC", add = super::candidates::topics())]
    topic: Vec<String>,
    /// Groups; `*` is all
    #[arg(short, long, value_name = "GROUP", add = super::candidates::groups())]
    group: Vec<String>,
    /// Transactional ids
    #[arg(long, value_name = "ID", add = super::candidates::transactional_ids())]
    transactional_id: Vec<String>,
    /// The cluster itself
    #[arg(long)]
    cluster: bool,
    /// Delegation tokens
    #[arg(long, value_name = "ID")]
    delegation_token: Vec<String>,
    /// Users, as what the ACL is about
    #[arg(long, value_name = "USER")]
    user: Vec<String>,
    /// The names are what names begin with
    #[arg(long)]
    prefixed: bool,
    /// Addresses of clients [default: all]
    #[arg(long, value_name = "ADDRESS")]
    host: Vec<String>,
    /// Operations: read, write, create, delete, alter, describe, describe-configs, alter-configs, idempotent-write, all, …
    #[arg(long, value_name = "OPERATION", value_parser = operation, value_delimiter = ',')]
    operation: Vec<Operation>,
    /// ACLs that deny
    #[arg(long)]
    deny: bool,
    /// What a producer needs: write, describe and create on topics, write and describe on transactional ids
    #[arg(long, conflicts_with = "operation")]
    producer: bool,
    /// What a consumer needs: read and describe on topics, read on groups
    #[arg(long, conflicts_with = "operation")]
    consumer: bool,
}

#[derive(Args, Debug)]
struct ChangeArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// The ACLs of a file, as `acls list -o json` prints them
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Show what would change and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the way back is written [default: acls.undo.json]
    #[arg(long, value_name = "FILE")]
    undo: Option<PathBuf>,
}

impl ScopeArgs {
    fn into_scope(self) -> Scope {
        let kinds = [
            (ResourceType::Topic, self.topic),
            (ResourceType::Group, self.group),
            (ResourceType::TransactionalId, self.transactional_id),
            (ResourceType::DelegationToken, self.delegation_token),
            (ResourceType::User, self.user),
        ];
        let named = kinds
            .into_iter()
            .flat_map(|(kind, names)| names.into_iter().map(move |name| (kind, name)));
        let cluster = self
            .cluster
            .then(|| (ResourceType::Cluster, CLUSTER_NAME.to_owned()));
        let presets = [
            self.producer.then_some(Preset::Producer),
            self.consumer.then_some(Preset::Consumer),
        ];
        Scope {
            principals: self.principals.into_iter().map(principal).collect(),
            hosts: self.host,
            operations: self.operation,
            permission: self.deny.then_some(Permission::Deny),
            resources: named.chain(cluster).collect(),
            pattern_type: self.prefixed.then_some(PatternType::Prefixed),
            presets: presets.into_iter().flatten().collect(),
        }
    }
}

impl ChangeArgs {
    fn into_change(self) -> Change {
        Change {
            scope: self.scope.into_scope(),
            from: self.from,
            is_sure: self.yes,
            is_dry_run: self.dry_run,
            undo: self.undo,
        }
    }
}

impl IntoInvocation for AclsArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let action = match self.verb {
            Verb::List(scope) => Action::List(scope.into_scope()),
            Verb::Add(args) => Action::Add(args.into_change()),
            Verb::Remove(args) => Action::Remove(args.into_change()),
        };
        Invocation::asking(action, self.connection, self.output)
    }
}

/// A name without a type is a user's.
pub(super) fn principal(text: String) -> String {
    if text.contains(':') {
        text
    } else {
        format!("User:{text}")
    }
}

fn operation(text: &str) -> Result<Operation, String> {
    acls::find(Operation::ALL, text, Operation::name).ok_or_else(|| {
        let all: Vec<String> = Operation::ALL
            .iter()
            .map(|known| known.name().to_lowercase().replace('_', "-"))
            .collect();
        format!("operations are {}", all.join(", "))
    })
}
