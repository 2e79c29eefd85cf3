//! The steps of kafka-reassign-partitions in Apache Kafka's order of requests, output and errors.

mod cancel;
mod current;
mod execute;
mod generate;
mod log_dirs;
mod throttles;
mod verify;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::client::admin::ApiError;
use crate::commands::context::Context;
use crate::error::Error;
use crate::java::json_refusal;
use crate::java_tools::reassign::words;
use crate::reassignment::plan::{Plan, PlanError};
use crate::reassignment::plan_json::read_plan;
use crate::topic_partition::TopicPartition;
use crate::wire::error_codes::INVALID_TOPIC_EXCEPTION;
use crate::wire::error_codes::UNKNOWN_TOPIC_OR_PARTITION;

/// The action of the tool; `text` is the content of the file.
#[derive(Debug)]
pub enum JavaAction {
    Generate {
        text: String,
        /// `--broker-list` as it was given.
        brokers: String,
        rack_aware: bool,
    },
    Execute(JavaExecute),
    Verify {
        text: String,
        preserve_throttles: bool,
    },
    Cancel {
        text: String,
        preserve_throttles: bool,
        timeout: Duration,
    },
    List,
}

/// `--execute` with its options; a negative rate means no throttle.
#[derive(Debug)]
pub struct JavaExecute {
    pub text: String,
    pub additional: bool,
    /// Bytes a second.
    pub throttle: i64,
    /// Bytes a second.
    pub log_dir_throttle: i64,
    /// How long to wait for moves between log directories to begin.
    pub timeout: Duration,
    pub allow_factor_change: bool,
}

/// How the tool fails, always with exit 1.
#[derive(Debug)]
pub enum JavaFailure {
    /// The message alone.
    Terse(String),
    /// The message after `Error: `.
    Told(String),
    /// A refusal by a broker; printed with its Java class.
    Refused(ApiError),
    /// Anything else: no connection, or stdout is closed.
    Other(Error),
}

type JavaResult<T = ()> = Result<T, JavaFailure>;

impl From<Error> for JavaFailure {
    fn from(error: Error) -> Self {
        match error.cause::<ApiError>() {
            Some(refusal) => JavaFailure::Refused(refusal.clone()),
            None => JavaFailure::Other(error),
        }
    }
}

fn told(message: impl Into<String>) -> JavaFailure {
    JavaFailure::Told(message.into())
}

/// Runs the action.
pub fn run(action: JavaAction, context: &mut Context) -> JavaResult {
    let outcome = steps(action, context);
    context.print_notes();
    outcome
}

fn steps(action: JavaAction, context: &mut Context) -> JavaResult {
    match action {
        JavaAction::Generate {
            text,
            brokers,
            rack_aware,
        } => generate::generate(&text, &brokers, rack_aware, context),
        JavaAction::Execute(execute) => execute::execute(&execute, context),
        JavaAction::Verify {
            text,
            preserve_throttles,
        } => verify::verify(&text, preserve_throttles, context),
        JavaAction::Cancel {
            text,
            preserve_throttles,
            timeout,
        } => cancel::cancel(&text, preserve_throttles, timeout, context),
        JavaAction::List => {
            let active = context.client.admin()?.active_reassignments()?;
            Ok(context.printer.line(words::active(&active))?)
        }
    }
}

fn plan_from(text: &str) -> JavaResult<Plan> {
    read_plan(text).map_err(|error| {
        let refusal = match &error {
            PlanError::NotJson(_) => json_refusal::refusal(text),
            _ => None,
        };
        told(refusal.unwrap_or_else(|| words::plan_error(&error)))
    })
}

/// Java's client refuses these names before it sends a request.
fn check_topic_names<'a>(mut topics: impl Iterator<Item = &'a str>) -> JavaResult {
    if topics.any(str::is_empty) {
        return Err(invalid(
            "The given topic name '' cannot be represented in a request.",
        ));
    }
    Ok(())
}

fn invalid(message: impl Into<String>) -> JavaFailure {
    JavaFailure::Refused(ApiError {
        code: INVALID_TOPIC_EXCEPTION,
        message: Some(message.into()),
    })
}

fn unknown(message: String) -> JavaFailure {
    JavaFailure::Refused(ApiError {
        code: UNKNOWN_TOPIC_OR_PARTITION,
        message: Some(message),
    })
}

fn messages(refused: &BTreeMap<TopicPartition, ApiError>) -> BTreeMap<TopicPartition, String> {
    refused
        .iter()
        .map(|(name, error)| (name.clone(), error.java_message().to_owned()))
        .collect()
}
