//! The steps of kafka-reassign-partitions in Apache Kafka's order: what is asked, printed and refused when.

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

/// What the tool was asked for; `text` is the content of the file named.
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

/// `--execute` with its options; negative rates are no throttle.
#[derive(Debug)]
pub struct JavaExecute {
    pub text: String,
    pub additional: bool,
    pub throttle: i64,
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
    /// A refusal by a broker; told with its Java class.
    Refused(ApiError),
    /// Anything else: no connection, or nobody to print to.
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

/// Runs the tool.
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

/// What Java's client refuses before it asks anybody.
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
