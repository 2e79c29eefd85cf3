//! From the cluster to the screen: which partitions, from where to where, in which form, until when.
//!
//! Owns the steps that both faces share. Without a group the partitions are read directly and no coordinator is asked;
//! with one, offsets are committed after their records were printed.

mod from_end;
mod gathered;
mod goals;
mod others;
mod plan;
mod show;
mod wanted;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gathered::Gathered;
use goals::Goals;
use others::Others;
use show::{OUT_BYTES, Show};

use super::command::{Command, Needs};
use super::context::Context;
use crate::client::engine::Engine;
use crate::client::record_source::{OnCorrupt, Position, RecordSource, SourceOptions};
use crate::error::{Error, Kind, Result};
use crate::filter::{Expression, Sieve};
use crate::interrupt::{self, Grace, Interrupt};
use crate::java::regex::JavaRegex;
use crate::output::record::RecordFormatter;
use crate::output::voice::Voice;
use crate::output::{Printer, counted, grouped};
use crate::plain_words;
pub use wanted::{Ends, Wanted};

/// How long one wait for records lasts, so that interrupts and deadlines are seen.
const STEP: Duration = Duration::from_millis(100);
/// How often new partitions and topics are looked up.
const REFRESH: Duration = Duration::from_secs(5);
/// How long commits and leaving the group may take after a signal.
const GRACE: Grace = Grace {
    interrupt: Duration::from_secs(5),
    terminate: Duration::from_millis(800),
};

/// Which topics.
#[derive(Clone, Debug)]
pub enum Topics {
    Named(Vec<String>),
    /// Every topic whose whole name matches, except internal ones.
    Matching(JavaRegex),
}

impl Topics {
    /// These topics; one that is named twice is read once.
    pub fn named(names: Vec<String>) -> Self {
        let mut known = HashSet::new();
        let once = names.into_iter().filter(|name| known.insert(name.clone()));
        Self::Named(once.collect())
    }

    /// Topics whose whole names match one of these regular expressions.
    pub fn matching_any(patterns: &[String]) -> Result<Self> {
        let refused = |text: &str| {
            let why = fancy_regex::Regex::new(text).err();
            let why = why.map_or_else(String::new, |error| {
                format!(": {}", plain_words::of_pattern(&error))
            });
            Error::usage(format!("\"{text}\" is no regular expression{why}"))
        };
        // Each alone first, so that no valid pattern is put together of two invalid ones.
        if let Some(wrong) = patterns.iter().find(|pattern| JavaRegex::new(pattern).is_none()) {
            return Err(refused(wrong));
        }
        let any = match patterns {
            [one] => one.clone(),
            several => {
                let several: Vec<String> = several.iter().map(|pattern| format!("(?:{pattern})")).collect();
                several.join("|")
            }
        };
        JavaRegex::new(&any)
            .map(Self::Matching)
            .ok_or_else(|| refused(&any))
    }
}

/// Where reading begins in each partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    At(Position),
    /// This many records before the end.
    FromEnd(i64),
    /// This many offsets after the log start offset.
    FromBeginning(i64),
}

/// What to do about a topic that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Refuse,
    /// Wait until it exists.
    Wait,
}

/// What the user asked for.
pub struct Action {
    pub topics: Topics,
    /// Only these partitions.
    pub partitions: Option<Vec<i32>>,
    pub start: Start,
    /// Nothing at or after this time, in milliseconds since 1970; the run ends there.
    pub until: Option<i64>,
    /// End at the present ends of the partitions.
    pub exits_at_end: bool,
    /// The most records to print.
    pub limit: Option<u64>,
    pub wanted: Wanted,
    /// End after this time without a record.
    pub idle: Option<Duration>,
    pub formatter: Box<dyn RecordFormatter>,
    /// A record that cannot be printed is reported and skipped.
    pub skips_bad: bool,
    pub on_corrupt: OnCorrupt,
    pub missing: Missing,
    /// Read as a member of the consumer group in the settings.
    pub is_member: bool,
    /// How long to wait for a cluster that does not answer.
    pub patience: Duration,
    /// Engine settings that override the user's, and defaults for those that the user did not set.
    pub overrides: Vec<(String, String)>,
    pub defaults: Vec<(String, String)>,
    /// The wording of the calling face.
    pub voice: &'static dyn Voice,
}

impl Action {
    /// Whether the run ends at offsets that are known at its start.
    fn has_end(&self) -> bool {
        self.exits_at_end || self.until.is_some() || self.wanted.before.is_some()
    }
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Action")
            .field("topics", &self.topics)
            .finish_non_exhaustive()
    }
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// At its end or limit.
    Complete,
    Idle,
    /// By a signal; the exit code for it.
    Interrupted(u8),
    /// The reader of our output has gone.
    ClosedPipe,
    /// A record could not be printed.
    BadRecord(String),
    /// What was read could not be written.
    NotWritten(Error),
    Failed(Error),
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// How many records were read, printed or not.
    pub records: u64,
    pub end: End,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::RECORDS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        run(*self, context)
    }
}

/// A run of the native face.
pub fn run(action: Action, context: &mut Context) -> Result<()> {
    let at_least = action.wanted.at_least;
    let outcome = consume(action, context)?;
    match outcome.end {
        End::Complete | End::Idle if outcome.records < at_least => Err(too_few(outcome.records, at_least)),
        End::Complete | End::Idle => Ok(()),
        End::Interrupted(_) => Err(Error::interrupted()),
        End::ClosedPipe => Err(Error::new(Kind::ClosedPipe, "the reader has gone")),
        End::BadRecord(problem) => Err(Error::bad_data(problem)),
        End::NotWritten(error) | End::Failed(error) => Err(error),
    }
}

fn too_few(records: u64, at_least: u64) -> Error {
    let came = match records {
        0 => "none".to_owned(),
        records => grouped(records),
    };
    let wanted = counted(at_least, "record was", "records were");
    Error::failed(format!("{wanted} expected, {came} came"))
}

/// Reads and prints. An error means that nothing was read.
pub fn consume(action: Action, context: &mut Context) -> Result<Outcome> {
    let interrupt = Interrupt::install_with_watchdog(GRACE)?;
    for warning in context.client.settings().warnings() {
        context.printer.warn(action.voice.notice(&warning));
    }
    let options = SourceOptions {
        overrides: action.overrides.clone(),
        defaults: action.defaults.clone(),
        on_corrupt: action.on_corrupt,
        interrupt: interrupt.clone(),
        // A run without an end waits for records, and therefore also for brokers.
        give_up_after: action.has_end().then_some(action.patience),
    };
    let engine = Engine::for_reading(context.client.settings(), &options.overrides);
    context.printer.detail(engine.explanation());
    let source = engine.open_source(context.client.settings(), &options)?;
    let mut run = Run {
        source,
        goals: Goals::default(),
        plan: plan::Plan::default(),
        others: Others::default(),
        gathered: action.wanted.ends.map(Gathered::new),
        sieve: action.wanted.filter.as_ref().and_then(Expression::sieve),
        records: 0,
        last_record: Instant::now(),
        action,
        interrupt,
        out: Vec::with_capacity(OUT_BYTES + 64 * 1024),
        inflated: Vec::new(),
        servers: context
            .client
            .settings()
            .get("bootstrap.servers")
            .unwrap_or_default()
            .to_owned(),
    };
    let end = run.until_end(&mut context.printer);
    let end = end
        .and_then(|end| run.print_gathered(end, &mut context.printer))
        .unwrap_or_else(End::Failed);
    run.source.close();
    if matches!(&end, End::Failed(error) if error.kind() == Kind::Unreachable) {
        // The error already says it.
        run.source.take_notices();
    }
    run.tell(&mut context.printer);
    Ok(Outcome {
        records: run.records,
        end,
    })
}

struct Run {
    source: Box<dyn RecordSource>,
    goals: Goals,
    plan: plan::Plan,
    others: Others,
    /// Where only the first or last records are wanted: those of them seen so far.
    gathered: Option<Gathered>,
    sieve: Option<Sieve>,
    records: u64,
    last_record: Instant,
    action: Action,
    interrupt: Interrupt,
    servers: String,
    /// What is printed but not yet written.
    out: Vec<u8>,
    /// Buffer for decompressed batches.
    inflated: Vec<u8>,
}

impl Run {
    fn until_end(&mut self, printer: &mut Printer) -> Result<End> {
        if self.action.limit == Some(0) {
            return Ok(End::Complete);
        }
        let mut next_refresh = Instant::now();
        loop {
            if Instant::now() >= next_refresh {
                let is_settled = self.refresh()?;
                next_refresh = Instant::now() + if is_settled { REFRESH } else { STEP };
            }
            if self.is_done() {
                self.tell_what_others_hold(printer);
                return Ok(End::Complete);
            }
            if let Some(end) = self.read_some(printer)? {
                return Ok(end);
            }
            self.tell(printer);
            self.tell_of_no_partition(printer);
            if self.interrupt.is_raised() {
                return Ok(End::Interrupted(interrupt::exit_code()));
            }
            if self
                .action
                .idle
                .is_some_and(|idle| self.last_record.elapsed() >= idle)
            {
                return Ok(End::Idle);
            }
        }
    }

    /// Prints the records that were held back until all partitions were read.
    fn print_gathered(&mut self, end: End, printer: &mut Printer) -> Result<End> {
        let (Some(gathered), End::Complete) = (&mut self.gathered, &end) else {
            return Ok(end);
        };
        self.records = gathered.len();
        for printed in gathered.take() {
            printer.bytes(&printed)?;
        }
        match printer.flush() {
            Ok(()) => Ok(end),
            Err(error) if error.kind() == Kind::ClosedPipe => Ok(End::ClosedPipe),
            Err(error) => Ok(End::NotWritten(error)),
        }
    }

    /// Reads and prints available records; a group may commit their offsets once they are written.
    fn read_some(&mut self, printer: &mut Printer) -> Result<Option<End>> {
        let wait = match self.action.idle {
            Some(idle) => STEP.min(idle.saturating_sub(self.last_record.elapsed())),
            None => STEP,
        };
        let mut show = Show {
            goals: &mut self.goals,
            formatter: &mut *self.action.formatter,
            limit: self.action.limit,
            wanted: &self.action.wanted,
            sieve: self.sieve.as_ref(),
            gathered: &mut self.gathered,
            skips_bad: self.action.skips_bad,
            voice: self.action.voice,
            records: &mut self.records,
            out: &mut self.out,
            inflated: &mut self.inflated,
            problem: None,
            printer,
        };
        let before = *show.records;
        let flow = self.source.poll(wait, &mut show);
        let (problem, written) = (show.problem.take(), show.write_out(true));
        if self.records > before {
            self.last_record = Instant::now();
        } else if printer.has_lost_reader() {
            return Ok(Some(End::ClosedPipe));
        }
        match written {
            Err(error) if error.kind() == Kind::ClosedPipe => return Ok(Some(End::ClosedPipe)),
            Err(error) => return Ok(Some(End::NotWritten(error))),
            Ok(()) => {}
        }
        self.source.acknowledge();
        if let Some(problem) = problem {
            return Ok(Some(End::BadRecord(problem)));
        }
        match flow {
            Err(error) if error.kind() == Kind::ClosedPipe => Ok(Some(End::ClosedPipe)),
            Err(error) => Err(error),
            Ok(ControlFlow::Break(())) => Ok(Some(End::Complete)),
            Ok(ControlFlow::Continue(())) => {
                let done = self.goals.take_reached();
                if !self.action.is_member {
                    self.source.unassign(&done)?;
                }
                Ok(None)
            }
        }
    }

    /// Whether every partition was read up to its end.
    fn is_done(&mut self) -> bool {
        if !self.action.has_end() || !self.plan.is_complete {
            return false;
        }
        if self.action.is_member {
            let mine = self.source.assignment();
            return !mine.is_empty() && self.goals.are_reached(&mine);
        }
        self.goals.are_all_reached()
    }

    fn tell(&mut self, printer: &mut Printer) {
        // Until a cluster has answered, notices are about the failure that the error at the end will report.
        if self.plan.awaits_answer() && self.action.missing == Missing::Refuse {
            return;
        }
        for line in self.source.take_notices() {
            printer.warn(self.action.voice.notice(&line));
        }
    }
}
