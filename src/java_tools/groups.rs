//! `kafka-groups` as Apache Kafka 4.3.1 has it: the groups of all kinds, with their types and protocols.

use std::process::ExitCode;

use super::console::{admin_client, unreadable};
use super::group_tools::failure::{Failure, Result, Thrown};
use super::group_tools::settings::settings;
use super::log_line;
use super::option_parser::{Parsed, check_invalid, parse};
use super::option_table::{OptionSpec, Tool, flag, value};
use super::usage::{help_or_version, refuse};
use crate::client::admin::AdminClient;
use crate::client::admin::groups::GroupListing;
use crate::client::settings::Settings;
use crate::commands::context::Context;
use crate::java::hash_order::hash_order;
use crate::output::{OutputOptions, Printer, stderr_line};

const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        "HOST:PORT,…",
        "Brokers to ask first. Required.",
    ),
    value(
        "command-config",
        "FILE",
        "Client settings, as a Java properties file.",
    ),
    flag("list", "Prints the groups, one a line."),
    value(
        "group-type",
        "TYPE",
        "Only groups of this type: classic, consumer, share, streams.",
    ),
    value("protocol", "PROTOCOL", "Only groups of this protocol type."),
    flag(
        "consumer",
        "Only groups of consumers, and those that have offsets alone.",
    ),
    flag("share", "Only share groups."),
    flag("streams", "Only groups of Kafka Streams."),
    flag("help", "Prints this text."),
    flag(
        "version",
        "Prints the version of Apache Kafka whose behaviour is kept.",
    ),
];

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-groups",
    options: OPTIONS,
};

const ABOUT: &str = "This tool helps to list groups of all types.";
const TYPES: [&str; 4] = ["classic", "consumer", "share", "streams"];
/// The narrowest column.
const NARROW: usize = 20;

pub(super) fn run(args: &[String]) -> ExitCode {
    let parsed = match parse(OPTIONS, args) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&TOOL, &error.to_string()),
    };
    let asks_for_help = parsed.has("help") || parsed.has("version");
    if !parsed.has("bootstrap-server") && !asks_for_help {
        return refuse(&TOOL, "Missing required option(s) [bootstrap-server]");
    }
    if let Some(answer) = help_or_version(&TOOL, &parsed, ABOUT) {
        return answer;
    }
    if !parsed.has("list") {
        return refuse(&TOOL, "Command must include exactly one action: --list.");
    }
    let kind = match kind(&parsed) {
        Ok(kind) => kind,
        Err(message) => {
            stderr_line(message);
            return ExitCode::FAILURE;
        }
    };
    if let Err(message) = check(&parsed) {
        return refuse(&TOOL, &message);
    }
    if let Err(message) = check_file(&parsed) {
        stderr_line(message);
        return ExitCode::FAILURE;
    }
    let mut context = Context::new(Settings::default(), Printer::new(OutputOptions::default()));
    let outcome = list(&parsed, kind, &mut context);
    context.print_notes();
    finish(outcome, context)
}

/// The type in the options.
fn kind(parsed: &Parsed) -> Result<Option<String>, String> {
    let given = parsed.value("group-type").map_err(|error| error.to_string())?;
    let Some(given) = given else { return Ok(None) };
    let given = given.to_lowercase();
    if TYPES.contains(&given.as_str()) {
        return Ok(Some(given));
    }
    Err("--group-type must be a valid group type.".to_owned())
}

fn check(parsed: &Parsed) -> Result<(), String> {
    check_invalid(
        parsed,
        "consumer",
        &["group-type", "protocol", "share", "streams"],
    )?;
    check_invalid(
        parsed,
        "share",
        &["consumer", "group-type", "protocol", "streams"],
    )?;
    check_invalid(
        parsed,
        "streams",
        &["consumer", "group-type", "protocol", "share"],
    )
}

/// Java's message about options that it checks before it has an admin client, which has a different form.
fn check_file(parsed: &Parsed) -> Result<(), String> {
    let file = parsed
        .value("command-config")
        .map_err(|error| error.to_string())?;
    if let Some(file) = file
        && let Err(error) = std::fs::read(file)
    {
        return Err(unreadable(file, &error).to_owned());
    }
    let servers = parsed.value("bootstrap-server");
    servers.map(drop).map_err(|error| error.to_string())
}

fn filter(parsed: &Parsed, kind: Option<String>) -> Result<Filter> {
    let kinds = ["consumer", "share", "streams"];
    Ok(Filter {
        kind,
        protocol: parsed.value("protocol")?.map(str::to_owned),
        only: kinds.into_iter().find(|name| parsed.has(name)),
    })
}

/// Which groups are shown.
struct Filter {
    kind: Option<String>,
    protocol: Option<String>,
    /// `consumer`, `share` or `streams`.
    only: Option<&'static str>,
}

impl Filter {
    fn takes(&self, group: &GroupListing) -> bool {
        let is_of = |protocol: &String| group.protocol_type == *protocol;
        match (&self.kind, &self.protocol, self.only) {
            (Some(kind), protocol, _) => group.kind == *kind && protocol.as_ref().is_none_or(is_of),
            (None, Some(protocol), _) => is_of(protocol),
            (None, None, Some("consumer")) => {
                group.kind == "consumer" || ["consumer", ""].contains(&group.protocol_type.as_str())
            }
            (None, None, Some(only)) => group.kind == only,
            (None, None, None) => true,
        }
    }
}

fn list(parsed: &Parsed, kind: Option<String>, context: &mut Context) -> Result<()> {
    context.client = admin_client(settings(parsed)?);
    let filter = filter(parsed, kind)?;
    let listed = context.client.admin().and_then(AdminClient::list_groups);
    let listed = listed.map_err(|error| Thrown::listing(&error).bare())?;
    let groups = hash_order(listed, |group| &group.id);
    let rows: Vec<[String; 3]> = groups
        .into_iter()
        .filter(|group| filter.takes(group))
        .map(|group| {
            let kind = super::group_tools::type_name(&group.kind);
            [group.id, kind, group.protocol_type]
        })
        .collect();
    let lengths = rows.iter().flatten().map(|cell| cell.encode_utf16().count());
    let width = lengths.max().unwrap_or(0).max(NARROW);
    let printer = &mut context.printer;
    printer.line(format_args!(
        "{:width$} {:width$} {:width$}",
        "GROUP", "TYPE", "PROTOCOL"
    ))?;
    for [group, kind, protocol] in &rows {
        printer.line(format_args!("{group:width$} {kind:width$} {protocol:width$} "))?;
    }
    Ok(())
}

/// Java prints failures to stdout, and logs them as well.
fn finish(outcome: Result<()>, mut context: Context) -> ExitCode {
    let outcome = outcome.and_then(|()| {
        let absent = context.check_absent();
        absent.map_err(|error| Failure::executing(error.to_string()))
    });
    let told = match outcome {
        Ok(()) | Err(Failure::ClosedPipe) => return finish_printer(context, ExitCode::SUCCESS),
        Err(Failure::Usage(message) | Failure::Executing { message, .. }) => message,
    };
    // If the reader has gone, the message is lost; the exit code says it too.
    let _ = context
        .printer
        .line(format_args!("Error while executing groups command : {told}"));
    let code = finish_printer(context, ExitCode::FAILURE);
    stderr_line(log_line::line(
        "ERROR",
        &told,
        "org.apache.kafka.tools.GroupsCommand",
    ));
    code
}

fn finish_printer(context: Context, code: ExitCode) -> ExitCode {
    let _ = context.printer.finish();
    code
}
