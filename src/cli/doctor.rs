//! `kafkit doctor …` to `doctor::Checkup`, or to an audit of files.

use std::path::PathBuf;

use clap::Args;

use super::connection_args::ConnectionArgs;
use super::invocation::{IntoInvocation, Invocation, JavaNames};
use super::output_args::OutputArgs;
use crate::client::settings::{Settings, Use};
use crate::commands::doctor::Checkup;
use crate::commands::dump_log::{self, Range, View};
use crate::error::Result;

/// Find out why a cluster cannot be reached, or whether all is well
///
/// Goes step by step, a line each: name, connection, TLS and its certificate, protocol, SASL, every broker where it
/// tells clients to connect, clock, permissions, partitions. The first step that fails decides the exit code: 3
/// unreachable, 4 not let in. With a log dir: checks its files against each other, as `dump-log --verify` does.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kafkit doctor -b kafka1:9092
  kafkit doctor --profile prod -o json | jq '.[] | select(.status != \"ok\")'
  kafkit doctor /var/lib/kafka/data")]
pub struct DoctorArgs {
    /// Log dirs, folders of partitions or files to look into instead of a cluster
    #[arg(value_name = "LOGDIR", value_hint = clap::ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl IntoInvocation for DoctorArgs {
    fn into_invocation(self, _java: &JavaNames) -> Result<Invocation> {
        let output = self.output.into_options();
        if self.paths.is_empty() {
            return Ok(Invocation {
                command: Box::new(Checkup),
                settings: self.connection.into_settings(Use::Admin)?,
                output,
            });
        }
        let audit = dump_log::Action {
            paths: self.paths,
            view: View::Verify,
            range: Range {
                from: i64::MIN,
                to: i64::MAX,
                since: None,
                until: None,
            },
        };
        Ok(Invocation {
            command: Box::new(audit),
            settings: Settings::default(),
            output,
        })
    }
}
