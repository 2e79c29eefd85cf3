//! `kafka-features` as Apache Kafka 4.3.1 has it: the features of a cluster and their levels.

mod levels;
mod options;

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::admin_tool::{Failure, context};
use super::argparse::{Namespace, Stop, parse};
use super::errors::java_message;
use super::feature_levels::{FEATURES, LATEST, METADATA_VERSION, metadata_name};
use super::option_table::Tool;
use crate::client::admin::ApiError;
use crate::client::admin::features::UpgradeType;
use crate::commands::context::Context;
use crate::error::Error;
use crate::output::{stderr_line, stderr_text, stdout_line};
use levels::metadata_level;
use options::OPTIONS;
pub(super) use options::PROGRAM;

/// The options.
pub const TOOL: Tool = Tool {
    name: "kafka-features",
    options: OPTIONS,
};

type Result<T> = std::result::Result<T, Failure>;

pub(super) fn run(args: &[String]) -> ExitCode {
    let given = match parse(&PROGRAM, args) {
        Ok(given) => given,
        Err(Stop::Help(text)) => return stdout_line(text.trim_end()),
        Err(Stop::Refused { message, .. }) => return refused(&message),
    };
    let needs_no_cluster = matches!(given.command, "version-mapping" | "feature-dependencies");
    if !needs_no_cluster && !given.has("bootstrap-server") && !given.has("bootstrap-controller") {
        return refused("You must specify either --bootstrap-controller or --bootstrap-server.");
    }
    match carry_out(&given) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe => ExitCode::SUCCESS,
        Err(failure) => {
            // The second line about a client that cannot be built belongs to the trace, which this tool does not print.
            stderr_line(failure.message.lines().next().unwrap_or_default());
            failure.why.iter().for_each(stderr_line);
            ExitCode::FAILURE
        }
    }
}

/// Java prints this message without a line end.
fn refused(message: &str) -> ExitCode {
    stderr_text(format_args!(
        "Command line error: {message}. Type --help for help."
    ));
    ExitCode::FAILURE
}

fn carry_out(given: &Namespace) -> Result<()> {
    match given.command {
        "version-mapping" => return version_mapping(given),
        "feature-dependencies" => return dependencies(given),
        _ => {}
    }
    let servers = given
        .value("bootstrap-server")
        .or(given.value("bootstrap-controller"));
    let mut context = context(given.value("command-config"), servers)?;
    if given.command == "describe" {
        describe(given, &mut context)?;
    } else {
        let levels = wanted_levels(given, &mut context)?;
        update(given, &levels, &mut context)?;
    }
    context.printer.flush().map_err(|error| Failure::printing(&error))
}

fn version_mapping(given: &Namespace) -> Result<()> {
    let name = given
        .value("release-version")
        .or_else(|| metadata_name(LATEST))
        .unwrap_or_default();
    let level = metadata_level(name)?;
    stdout_line(format_args!("{METADATA_VERSION}={level} ({name})"));
    for feature in FEATURES {
        stdout_line(format_args!("{}={}", feature.name, feature.level_with(level)));
    }
    Ok(())
}

fn dependencies(given: &Namespace) -> Result<()> {
    for text in given.values("feature") {
        let (name, level) = name_and_level(text)?;
        if name == METADATA_VERSION {
            let Some(version) = metadata_name(level) else {
                return Err(Failure::of(format!("Unknown metadata.version {level}")));
            };
            stdout_line(format_args!("{name}={level} ({version}) has no dependencies."));
            continue;
        }
        let Some(feature) = FEATURES.iter().find(|feature| feature.name == name) else {
            return Err(Failure::of(format!("Unknown feature: {name}")));
        };
        if !(0..=feature.highest).contains(&level) {
            return Err(Failure::of(format!(
                "No feature:{name} with feature level {level}"
            )));
        }
        if (feature.name, level) == ("eligible.leader.replicas.version", 1) {
            stdout_line(format_args!(
                "{name}={level} requires:\n    metadata.version=23 (4.0-IV1)"
            ));
        } else {
            stdout_line(format_args!("{name}={level} has no dependencies."));
        }
    }
    Ok(())
}

fn name_and_level(text: &str) -> Result<(String, i16)> {
    let problem = |why: &str| Failure::of(format!("Can't parse feature=level string {text}: {why}"));
    let (name, level) = text
        .split_once('=')
        .ok_or_else(|| problem("equals sign not found."))?;
    let (name, level) = (name.trim(), level.trim());
    let number = level
        .parse()
        .map_err(|_| problem(&format!("unable to parse {level} as a short.")))?;
    Ok((name.to_owned(), number))
}

fn describe(given: &Namespace, context: &mut Context) -> Result<()> {
    let node = given.value("node-id").and_then(|id| id.parse().ok());
    let found = context.client.admin().and_then(|admin| admin.features(node));
    let features = answered(found, "describeFeatures")?;
    let epoch = features
        .epoch
        .map_or_else(|| "-".to_owned(), |epoch| epoch.to_string());
    for (name, (min, max)) in &features.supported {
        let shown = |level: i16| match metadata_name(level) {
            _ if name != METADATA_VERSION => level.to_string(),
            Some(version) => version.to_owned(),
            None => format!("UNKNOWN [{level}]"),
        };
        let level = features.finalized.get(name).copied().unwrap_or_default();
        let (min, max, level) = (shown(*min), shown(*max), shown(level));
        let line = format_args!(
            "Feature: {name:<40}  SupportedMinVersion: {min:<15}  SupportedMaxVersion: {max:<15}  FinalizedVersionLevel: \
             {level:<15}  Epoch: {epoch}"
        );
        context
            .printer
            .line(line)
            .map_err(|error| Failure::printing(&error))?;
    }
    Ok(())
}

/// The levels that the options set.
fn wanted_levels(given: &Namespace, context: &mut Context) -> Result<BTreeMap<String, i16>> {
    let mut levels = BTreeMap::new();
    let features = given.values("feature");
    let mut put = |name: String, level: i16| match levels.insert(name.clone(), level) {
        Some(_) => Err(Failure::of(format!(
            "Feature {name} was specified more than once."
        ))),
        None => Ok(()),
    };
    if given.command == "disable" {
        for name in features {
            put(name.to_owned(), 0)?;
        }
        return Ok(levels);
    }
    let metadata = given.value("metadata");
    if let Some(release) = given.value("release-version") {
        if metadata.is_some() || !features.is_empty() {
            return Err(Failure::of(
                "Can not specify `release-version` with other feature flags.",
            ));
        }
        let level = metadata_level(release)?;
        put(METADATA_VERSION.to_owned(), level)?;
        for feature in FEATURES {
            put(feature.name.to_owned(), feature.level_with(level))?;
        }
        return Ok(levels);
    }
    if let Some(version) = metadata {
        let told = " `metadata` flag is deprecated and may be removed in a future release.";
        context
            .printer
            .line(told)
            .map_err(|error| Failure::printing(&error))?;
        // Earlier output precedes the error.
        context
            .printer
            .flush()
            .map_err(|error| Failure::printing(&error))?;
        put(METADATA_VERSION.to_owned(), metadata_level(version)?)?;
    }
    for feature in features {
        let (name, level) = name_and_level(feature)?;
        check_level(given.command, level)?;
        put(name, level)?;
    }
    Ok(levels)
}

fn check_level(command: &str, level: i16) -> Result<()> {
    if command == "upgrade" && level == 0 {
        return Err(Failure::of(
            "The upgradeType flag should be set to SAFE_DOWNGRADE or UNSAFE_DOWNGRADE when the provided \
             maxVersionLevel:0 is < 1.",
        ));
    }
    if level < 0 {
        return Err(Failure::of("Cannot specify a negative version level."));
    }
    Ok(())
}

fn update(given: &Namespace, levels: &BTreeMap<String, i16>, context: &mut Context) -> Result<()> {
    let command = given.command;
    if levels.is_empty() {
        return Err(Failure::of(format!(
            "You must specify at least one feature to {command}"
        )));
    }
    if levels.contains_key("") {
        return Err(Failure::of("Provided feature can not be empty."));
    }
    let how = match (command, given.has("unsafe")) {
        ("upgrade", _) => UpgradeType::Upgrade,
        (_, true) => UpgradeType::UnsafeDowngrade,
        (_, false) => UpgradeType::SafeDowngrade,
    };
    let is_dry_run = given.has("dry-run");
    let admin = context.client.admin();
    let outcomes = admin.and_then(|admin| admin.update_features(levels, how, is_dry_run));
    let mut failures = 0;
    for (name, level) in levels {
        let error = match &outcomes {
            Err(error) => Some(java_message(error, "updateFeatures")),
            Ok(outcomes) => {
                let own = outcomes.each.get(name).and_then(|outcome| outcome.as_ref().err());
                let refusal = outcomes.all.as_ref().err().or(own);
                refusal.map(|refusal| refusal.java_message().to_owned())
            }
        };
        let line = outcome_line(command, name, *level, error.as_deref(), is_dry_run);
        failures += usize::from(error.is_some());
        context
            .printer
            .line(line)
            .map_err(|error| Failure::printing(&error))?;
    }
    context
        .printer
        .flush()
        .map_err(|error| Failure::printing(&error))?;
    if failures > 0 {
        let all = levels.len();
        return Err(Failure::of(format!(
            "{failures} out of {all} operation(s) failed."
        )));
    }
    Ok(())
}

fn outcome_line(command: &str, name: &str, level: i16, error: Option<&str>, is_dry_run: bool) -> String {
    let is_disabled = command == "disable";
    if let Some(error) = error {
        let not = if is_dry_run { "Can not" } else { "Could not" };
        let what = if is_disabled {
            format!("disable {name}")
        } else {
            format!("{command} {name} to {level}")
        };
        return format!("{not} {what}. {error}");
    }
    let verb = if is_dry_run { "can be" } else { "was" };
    if is_disabled {
        format!("{name} {verb} disabled.")
    } else {
        format!("{name} {verb} {command}d to {level}.")
    }
}

/// The response; a refusal and a failure as Java's tool prints them.
fn answered<T>(answer: crate::error::Result<std::result::Result<T, ApiError>>, call: &str) -> Result<T> {
    let answer = answer.and_then(|answer| answer.map_err(Error::from));
    answer.map_err(|error| Failure::executing(&error, call))
}
