//! From input to records to the cluster; waits for every delivery.
//!
//! Owns the steps that both faces share: read, parse, send, account for each record, end in order. Records of a slow
//! pipe are sent one by one, those of a fast one in big batches.

mod account;
mod action;
mod ending;
mod limit;
mod partitions;
mod piece;
mod piece_names;
mod plain;
mod progress_file;

use std::time::{Duration, Instant};

use account::Account;
pub use action::{Action, Fixed};
use limit::Limit;
use partitions::Partitions;
use progress_file::ProgressFile;

use super::command::{Command, Needs};
use super::context::Context;
use super::pace::Pace;
use crate::client::engine::Engine;
use crate::client::record_sink::{RecordSink, SinkOptions};
use crate::error::{Error, Kind, Result};
use crate::input::BadInput;
use crate::input::chunks::{Chunk, Chunks};
use crate::input::splitter::Splitter;
pub use crate::interrupt::exit_code as interrupted_exit_code;
use crate::interrupt::{Grace, Interrupt};
use crate::output::plural;
use crate::output::progress::Progress;

/// How long a wait for input lasts before delivery reports and the interrupt are handled.
const STEP: Duration = Duration::from_millis(100);
/// The age at which records are sent when the input pauses, and while it flows (which fills batches by itself, but not
/// those of every partition).
const PAUSED: Duration = Duration::from_millis(5);
const FLOWING: Duration = Duration::from_millis(500);

/// The settings for the time that records wait for a batch; if none is set, pauses of the input decide.
const LINGER: &[&str] = &["linger.ms", "queue.buffering.max.ms"];

/// How long the last deliveries may take after a signal; the sink gives up sooner if nothing is delivered.
const GRACE: Grace = Grace {
    interrupt: Duration::from_secs(10),
    terminate: Duration::from_secs(10),
};

/// How the reading of the input ended.
enum End {
    OfInput,
    AtLimit,
    Interrupted,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::RECORDS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        run(*self, context)
    }
}

pub fn run(mut action: Action, context: &mut Context) -> Result<()> {
    let interrupt = Interrupt::install_with_watchdog(GRACE)?;
    for warning in context.client.settings().warnings() {
        context.printer.warn(action.voice.notice(&warning));
    }
    // The lines of a file are not typed: no prompt.
    action.prompts &= action.files().is_empty();
    let resumed = action.resume_from.as_deref();
    let progress_file = resumed
        .map(|path| ProgressFile::open(path, &action.topic, &action.sources))
        .transpose()?;
    let goes_on = progress_file.as_ref().is_some_and(|file| file.start() > 0);
    if let Some(file) = progress_file.as_ref().filter(|_| goes_on) {
        let passed = plural(file.start(), "piece");
        context
            .printer
            .note(format_args!("continuing behind {passed} of the input"));
    }
    if action.reads_terminal()
        && let Some(line) = action.voice.before_typing(action.prompts)
    {
        context.printer.note(line);
    }
    let engine = Engine::for_sending(context.client.settings(), &action.overrides);
    context.printer.detail(engine.explanation());
    let mut run = Run {
        sink: engine.open_sink(context.client.settings(), sink_options(&action, &interrupt))?,
        limit: None,
        partitions: Partitions::default(),
        account: Account::new(&action, goes_on)?,
        progress_file,
        progress: Progress::of_files(&action.files(), context.printer.is_quiet()),
        splitter: Splitter::new(action.piece_end.clone()),
        is_prepared: false,
        number: 0,
        settled: 0,
        hurried: Instant::now(),
        pace: action.rate.map(Pace::new),
        lingers: action.sets(LINGER, context.client.settings()),
        is_transactional: action.sets(&["transactional.id"], context.client.settings()),
        action,
        context,
        interrupt,
    };
    let outcome = run.read_and_send();
    run.finish(outcome)
}

fn sink_options(action: &Action, interrupt: &Interrupt) -> SinkOptions {
    SinkOptions {
        interrupt: interrupt.clone(),
        overrides: action.overrides.clone(),
        defaults: action.defaults.clone(),
    }
}

struct Run<'c> {
    sink: Box<dyn RecordSink>,
    /// The size limit of the topic, if it is known.
    limit: Option<Limit>,
    partitions: Partitions,
    account: Account,
    progress: Option<Progress>,
    /// The file with the progress through the input, if there is one.
    progress_file: Option<ProgressFile>,
    splitter: Splitter,
    /// Whether the topic is known to exist.
    is_prepared: bool,
    /// Pieces read so far.
    number: u64,
    /// How many of them were sent, rejected or skipped.
    settled: u64,
    /// The rate at which records are sent, if it is limited.
    pace: Option<Pace>,
    /// When the engine was last told to send incomplete batches.
    hurried: Instant,
    /// Whether the user set `linger.ms`, so that incomplete batches are not sent early.
    lingers: bool,
    /// Whether the records become visible together, or not at all.
    is_transactional: bool,
    action: Action,
    context: &'c mut Context,
    interrupt: Interrupt,
}

impl Run<'_> {
    fn read_and_send(&mut self) -> Result<End> {
        let mut chunks = Chunks::read(std::mem::take(&mut self.action.sources));
        self.prompt();
        loop {
            match self.next_chunk(&mut chunks)? {
                Chunk::Data(block) => {
                    if !self.is_prepared {
                        self.sink.want_max_message_bytes(&self.action.topic);
                        self.partitions.learn(&mut *self.sink, &self.action)?;
                        self.learn_topic_limit();
                        self.is_prepared = true;
                    }
                    let read = block.data().len() as u64;
                    let used = self.splitter.push_block(block);
                    chunks.recycle(used.map_err(|bad| self.bad_input(&bad))?);
                    if !self.send_plain_pieces()? {
                        return Ok(End::Interrupted);
                    }
                    while self.send_next_piece(false)? {
                        if self.is_at_limit() {
                            return Ok(End::AtLimit);
                        }
                        // At a given rate the rest of what was read would take long, or break the rate.
                        if self.pace.is_some() && self.interrupt.take() {
                            return Ok(End::Interrupted);
                        }
                    }
                    if let Some(progress) = &mut self.progress {
                        progress.advance(read, self.account.sent);
                    }
                    self.flush_early_after(FLOWING);
                    self.save_progress()?;
                }
                Chunk::EndOfSource => {
                    self.send_next_piece(true)?;
                    if self.is_at_limit() {
                        return Ok(End::AtLimit);
                    }
                }
                Chunk::Idle => self.save_progress()?,
                Chunk::End => return self.has_all_of_before().map(|()| End::OfInput),
            }
            if self.interrupt.take() {
                return Ok(End::Interrupted);
            }
        }
    }

    /// Fails if the input is shorter than the part of it that earlier runs have sent: it must be another one.
    fn has_all_of_before(&self) -> Result<()> {
        match &self.progress_file {
            Some(file) if self.number < file.start() => Err(file.too_short(self.number)),
            _ => Ok(()),
        }
    }

    fn is_at_limit(&self) -> bool {
        self.action.limit.is_some_and(|limit| self.account.sent >= limit)
    }

    /// The next input. Nothing that was read waits here: incomplete batches are sent before the wait.
    fn next_chunk(&mut self, chunks: &mut Chunks) -> Result<Chunk> {
        let chunk = chunks.next(Duration::ZERO)?;
        if !matches!(chunk, Chunk::Idle) {
            return Ok(chunk);
        }
        match self.sink.dispatch(&mut self.account) {
            Err(error) if error.kind() == Kind::Interrupted => return Ok(Chunk::Idle),
            outcome => outcome?,
        }
        self.flush_early_after(PAUSED);
        loop {
            // While records are in flight wait for their acknowledgements, else for input.
            let is_busy = self.sink.in_flight() > 0;
            let (for_answers, for_input) = if is_busy {
                (PAUSED, Duration::ZERO)
            } else {
                (Duration::ZERO, STEP)
            };
            self.sink.poll(for_answers, &mut self.account)?;
            self.tell();
            let chunk = chunks.next(for_input)?;
            if !matches!(chunk, Chunk::Idle) || self.interrupt.is_raised() {
                return Ok(chunk);
            }
            self.flush_early_after(PAUSED);
        }
    }

    /// Sends incomplete batches, unless that was done less than `age` ago.
    fn flush_early_after(&mut self, age: Duration) {
        if !self.lingers && self.hurried.elapsed() >= age {
            self.sink.flush_early(Duration::ZERO, &mut self.account);
            self.hurried = Instant::now();
        }
    }

    fn prompt(&mut self) {
        if self.action.prompts {
            use std::io::Write as _;
            let _ = self.context.printer.out().write_all(b">");
            let _ = self.context.printer.flush();
        }
    }

    fn bad_input(&self, bad: &BadInput) -> Error {
        self.account.bad_piece(self.number + 1, bad)
    }

    /// Prints notices and failures. Until the topic is known, notices are about the failure that the error at the end
    /// will report.
    fn tell(&mut self) {
        if self.is_prepared || self.action.voice.notices_before_topic() {
            for line in self.sink.take_notices() {
                self.context.printer.warn(self.action.voice.notice(&line));
            }
        }
        for line in self.account.take_lines() {
            self.context.printer.warn(line);
        }
    }
}
