//! Input to records to the cluster; waits for every delivery.
//!
//! Owns the steps both faces share: read, parse, send, account for each record, end in order. A slow pipe's
//! records leave one by one, a fast one's in big batches.

mod account;
mod limit;
mod partitions;
mod plain;
mod progress_file;

use std::borrow::Cow;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use account::Account;
use limit::Limit;
use partitions::Partitions;
use progress_file::ProgressFile;

use super::command::{Command, Needs};
use super::context::Context;
use super::pace::Pace;
use crate::client::engine::Engine;
use crate::client::record_sink::{HeaderView, RecordSink, RecordView, SinkOptions};
use crate::client::settings::Settings;
use crate::error::{Error, Kind, Result};
use crate::input::chunks::{Chunk, Chunks, Source};
use crate::input::splitter::{PieceEnd, Splitter};
use crate::input::{BadInput, ParsedRecord, RecordParser};
pub use crate::interrupt::exit_code as interrupted_exit_code;
use crate::interrupt::{Grace, Interrupt};
use crate::output::plural;
use crate::output::progress::Progress;
use crate::output::voice::Voice;

/// How long a wait for input lasts before reports are taken and the interrupt is looked at.
const STEP: Duration = Duration::from_millis(100);
/// How old a record may get before it leaves, when input pauses and while it flows (which fills batches by itself,
/// but not those of every partition).
const PAUSED: Duration = Duration::from_millis(5);
const FLOWING: Duration = Duration::from_millis(500);

/// How long records wait for company; where none of these is set, the pauses of the input decide.
const LINGER: &[&str] = &["linger.ms", "queue.buffering.max.ms"];

/// How long after a signal the last deliveries may take; the sink gives up sooner where nothing is delivered.
const GRACE: Grace = Grace {
    interrupt: Duration::from_secs(10),
    terminate: Duration::from_secs(10),
};

/// What the user asked for.
pub struct Action {
    pub topic: String,
    pub sources: Vec<Source>,
    pub piece_end: PieceEnd,
    pub parser: Box<dyn RecordParser>,
    /// What a record's text does not say.
    pub fixed: Fixed,
    /// Records to send at most.
    pub limit: Option<u64>,
    /// Records a second at most, above 0.
    pub rate: Option<f64>,
    /// Where pieces go that are no records; without it the first ends the run.
    pub rejects: Option<PathBuf>,
    /// Where it is kept how much of the input has arrived, and from where an earlier run is continued.
    pub resume_from: Option<PathBuf>,
    /// Wait for each record before the next is read.
    pub is_sync: bool,
    /// Commit the transaction after so many records, at least 1; without it when the input ends.
    pub commit_every: Option<u64>,
    /// Ask for each line on a terminal.
    pub prompts: bool,
    /// Bytes of a batch, unless the topic takes less.
    pub batch_bytes: usize,
    /// How long to wait for the topic to be known.
    pub topic_wait: Duration,
    /// Engine settings that flags insist on, and those that hold where nothing else speaks.
    pub overrides: Vec<(String, String)>,
    pub defaults: Vec<(String, String)>,
    /// A record that is too large for the topic, and larger than `batch_bytes`, ends the run: Java's producer would split
    /// its batch again and again, and never get to what follows.
    pub oversized_ends_run: bool,
    /// The wording of the face that asks.
    pub voice: &'static dyn Voice,
}

impl Action {
    /// Whether somebody types what is sent.
    fn reads_terminal(&self) -> bool {
        self.sources.contains(&Source::Stdin) && std::io::stdin().is_terminal()
    }
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Action")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

/// Fields that every record of a run gets unless its text says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    pub key: Option<Vec<u8>>,
    pub partition: Option<i32>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub timestamp: Option<i64>,
    /// Each piece names a file, whose contents are the value.
    pub value_is_file: bool,
}

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
    action.prompts &= files(&action.sources).is_empty();
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
        progress: Progress::of_files(&files(&action.sources), context.printer.is_quiet()),
        splitter: Splitter::new(action.piece_end.clone()),
        is_prepared: false,
        number: 0,
        settled: 0,
        hurried: Instant::now(),
        pace: action.rate.map(Pace::new),
        lingers: is_set(LINGER, &action, context.client.settings()),
        is_transactional: is_set(&["transactional.id"], &action, context.client.settings()),
        action,
        context,
        interrupt,
    };
    let outcome = run.read_and_send();
    run.finish(outcome)
}

/// Whether a flag, a setting or a default gives one of these settings a value.
fn is_set(names: &[&str], action: &Action, settings: &Settings) -> bool {
    names.iter().any(|name| {
        let is_it = |(known, _): &(String, String)| known == name;
        settings.get(name).is_some() || action.overrides.iter().chain(&action.defaults).any(is_it)
    })
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
    /// What the topic takes, as far as it is known.
    limit: Option<Limit>,
    partitions: Partitions,
    account: Account,
    progress: Option<Progress>,
    /// How much of the input has arrived, where that is kept.
    progress_file: Option<ProgressFile>,
    splitter: Splitter,
    /// The topic is known.
    is_prepared: bool,
    /// Pieces read so far.
    number: u64,
    /// How many of them were sent, rejected or passed over.
    settled: u64,
    /// How fast records are sent, where that is limited.
    pace: Option<Pace>,
    /// When what was gathered was last told to leave.
    hurried: Instant,
    /// It is not for us to tell.
    lingers: bool,
    /// The records are visible together, or not at all.
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
                    }
                    if let Some(progress) = &mut self.progress {
                        progress.advance(read, self.account.sent);
                    }
                    self.hurry_after(FLOWING);
                    self.save_progress()?;
                }
                Chunk::EndOfSource => {
                    self.send_next_piece(true)?;
                    if self.is_at_limit() {
                        return Ok(End::AtLimit);
                    }
                }
                Chunk::Idle => self.save_progress()?,
                Chunk::End => return Ok(End::OfInput),
            }
            if self.interrupt.take() {
                return Ok(End::Interrupted);
            }
        }
    }

    /// Now and then waits for everything sent, and keeps how far that is.
    fn save_progress(&mut self) -> Result<()> {
        let file = self.progress_file.as_ref();
        if self.is_transactional || !file.is_some_and(|file| file.is_due(self.settled)) {
            return Ok(());
        }
        while self.sink.in_flight() > 0 && !self.interrupt.is_raised() {
            self.sink.hurry(STEP, &mut self.account);
            self.sink.poll(Duration::ZERO, &mut self.account)?;
        }
        self.keep_progress()
    }

    /// Keeps how much of the input has arrived, if all of it has.
    fn keep_progress(&mut self) -> Result<()> {
        let has_all = self.sink.in_flight() == 0 && self.account.has_delivered_all();
        match &mut self.progress_file {
            Some(file) if has_all => file.save(self.settled),
            _ => Ok(()),
        }
    }

    fn is_at_limit(&self) -> bool {
        self.action.limit.is_some_and(|limit| self.account.sent >= limit)
    }

    /// More input. Nothing that was read waits here: what is gathered leaves before the wait.
    fn next_chunk(&mut self, chunks: &mut Chunks) -> Result<Chunk> {
        let chunk = chunks.next(Duration::ZERO)?;
        if !matches!(chunk, Chunk::Idle) {
            return Ok(chunk);
        }
        match self.sink.dispatch(&mut self.account) {
            Err(error) if error.kind() == Kind::Interrupted => return Ok(Chunk::Idle),
            outcome => outcome?,
        }
        self.hurry_after(PAUSED);
        loop {
            // While something is under way its answers are waited for, and else input.
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
            self.hurry_after(PAUSED);
        }
    }

    /// Lets what was gathered leave, unless it was told so a moment ago.
    fn hurry_after(&mut self, age: Duration) {
        if !self.lingers && self.hurried.elapsed() >= age {
            self.sink.hurry(Duration::ZERO, &mut self.account);
            self.hurried = Instant::now();
        }
    }

    /// Sends the next whole piece, or at a source's end what is left; says whether there was one.
    fn send_next_piece(&mut self, at_end: bool) -> Result<bool> {
        let is_settled = self.try_next_piece(at_end)?;
        if is_settled {
            self.settled = self.number;
        }
        Ok(is_settled)
    }

    fn try_next_piece(&mut self, at_end: bool) -> Result<bool> {
        // An earlier run has sent them. They are parsed, as the first may be a heading.
        let passed_over = self.progress_file.as_ref().map_or(0, ProgressFile::start);
        let piece = if at_end {
            self.splitter.last_piece()
        } else {
            self.splitter.next_piece()
        };
        let Some(piece) = piece else {
            return Ok(false);
        };
        self.number += 1;
        let parsed = self.action.parser.parse(piece, self.number);
        if passed_over >= self.number {
            return Ok(true);
        }
        let record = match parsed {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(true),
            Err(bad) if self.account.rejects.is_some() => {
                self.account.reject(piece, self.number, &bad)?;
                return Ok(true);
            }
            Err(bad) => return Err(bad_input(self.action.voice, self.number, &bad)),
        };
        let (topic, wait) = (&self.action.topic, self.action.topic_wait);
        if let Some(problem) = self
            .partitions
            .refuses(record.partition, &mut *self.sink, topic, wait)?
        {
            let bad = BadInput::new(problem);
            if self.account.rejects.is_none() {
                return Err(bad_input(self.action.voice, self.number, &bad));
            }
            self.account.reject(piece, self.number, &bad)?;
            return Ok(true);
        }
        if let Some((limit, problem)) = self
            .limit
            .as_ref()
            .and_then(|limit| Some((limit, limit.problem(&record)?)))
        {
            if self.account.rejects.is_some() {
                self.account.reject(piece, self.number, &BadInput::new(problem))?;
                return Ok(true);
            }
            self.account.sent += 1;
            limit::fail(&record, self.number, &problem, &mut self.account);
            if self.action.is_sync || limit.is_the_end(&record) {
                self.account.first_failure()?;
            }
            return Ok(true);
        }
        let outcome = send(
            &self.action.topic,
            &self.action.fixed,
            record,
            self.number,
            &mut *self.sink,
            &mut self.account,
        );
        match outcome {
            Err(error) if error.kind() == Kind::Interrupted => return Ok(false),
            outcome => outcome?,
        }
        self.account.sent += 1;
        self.settled = self.number;
        if self.action.is_sync {
            self.wait_for_all()?;
        }
        self.keep_pace()?;
        if self
            .action
            .commit_every
            .is_some_and(|count| self.account.sent.is_multiple_of(count))
        {
            self.commit()?;
        }
        self.prompt();
        Ok(true)
    }

    /// Waits until the next record is due; what was sent leaves meanwhile.
    fn keep_pace(&mut self) -> Result<()> {
        let Some(pace) = &self.pace else { return Ok(()) };
        while let Some(wait) = pace.wait(self.account.sent) {
            if self.interrupt.is_raised() {
                return Ok(());
            }
            let until = Instant::now() + wait.min(STEP);
            self.sink.hurry(Duration::ZERO, &mut self.account);
            self.sink.poll(Duration::ZERO, &mut self.account)?;
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }

    /// Waits for everything sent; in a synchronous run the first failure ends it.
    fn wait_for_all(&mut self) -> Result<()> {
        self.sink.dispatch(&mut self.account)?;
        while self.sink.in_flight() > 0 && !self.interrupt.is_raised() {
            self.sink.hurry(STEP, &mut self.account);
            self.sink.poll(Duration::ZERO, &mut self.account)?;
            self.tell();
        }
        self.account.first_failure()
    }

    /// Ends the transaction; the next record begins another. One that was aborted ends the run.
    fn commit(&mut self) -> Result<()> {
        self.sink.dispatch(&mut self.account)?;
        self.sink.flush(false, &mut self.account)?;
        self.account.first_failure()?;
        self.keep_progress()
    }

    fn prompt(&mut self) {
        if self.action.prompts {
            use std::io::Write as _;
            let _ = self.context.printer.out().write_all(b">");
            let _ = self.context.printer.flush();
        }
    }

    fn bad_input(&self, bad: &BadInput) -> Error {
        bad_input(self.action.voice, self.number + 1, bad)
    }

    /// Passes on what happened meanwhile. Until the topic is known, what happens is why the run will end, which its
    /// error says.
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

    /// Delivers what was taken, whatever ended the reading, and says how it went.
    fn finish(mut self, outcome: Result<End>) -> Result<()> {
        let has_hope =
            !matches!(&outcome, Err(error) if matches!(error.kind(), Kind::Unreachable | Kind::Denied));
        let was_interrupted = matches!(outcome, Ok(End::Interrupted));
        // Part of what was meant is not what a transaction is for.
        let is_partial = self.is_transactional && outcome.is_err();
        let flushed = if has_hope && !is_partial {
            self.flush(was_interrupted)
        } else {
            self.sink.abandon(&mut self.account);
            Ok(())
        };
        if let Some(progress) = self.progress.take() {
            progress.finish();
        }
        if matches!(&outcome, Err(error) if error.kind() == Kind::Unreachable) {
            // The error says it all.
            self.sink.take_notices();
        }
        self.tell();
        for line in self.account.last_lines(&self.action.topic) {
            self.context.printer.warn(line);
        }
        if let Some(line) = self.account.summary(&self.action, outcome.is_err()) {
            self.context.printer.note(line);
        }
        // A transaction that is interrupted is aborted.
        let has_ended = outcome.is_ok() && flushed.is_ok() && !was_interrupted;
        let kept = if has_ended || !self.is_transactional {
            self.keep_progress()
        } else {
            Ok(())
        };
        outcome?;
        flushed?;
        kept?;
        if was_interrupted {
            return Err(Error::interrupted());
        }
        self.account.verdict()
    }

    /// Waits for what was sent; after an interrupt not for long.
    fn flush(&mut self, was_interrupted: bool) -> Result<()> {
        self.sink.flush(was_interrupted, &mut self.account)
    }
}

/// The error for piece `number` of the input, which is not a record.
fn bad_input(voice: &dyn Voice, number: u64, bad: &BadInput) -> Error {
    let error = Error::bad_data(voice.bad_input(number, &bad.message));
    match bad.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn send(
    topic: &str,
    fixed: &Fixed,
    record: ParsedRecord<'_>,
    number: u64,
    sink: &mut dyn RecordSink,
    account: &mut Account,
) -> Result<()> {
    let value = if fixed.value_is_file {
        Some(Cow::Owned(contents(&record)?))
    } else {
        record.value
    };
    let fixed_headers = fixed.headers.iter().map(|(name, value)| HeaderView {
        name,
        value: value.as_deref(),
    });
    let headers: Vec<HeaderView<'_>> = if record.headers.is_empty() && fixed.headers.is_empty() {
        Vec::new()
    } else {
        let own = record.headers.iter().map(|(name, value)| HeaderView {
            name,
            value: value.as_deref(),
        });
        own.chain(fixed_headers).collect()
    };
    sink.send(
        &RecordView {
            topic: record.topic.as_deref().unwrap_or(topic),
            partition: record.partition.or(fixed.partition),
            key: record.key.as_deref().or(fixed.key.as_deref()),
            value: value.as_deref(),
            headers: &headers,
            timestamp: record.timestamp.or(fixed.timestamp),
        },
        number,
        account,
    )
}

/// The contents of the file that a record's text names.
fn contents(record: &ParsedRecord<'_>) -> Result<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt as _;
    let name = record.value.as_deref().unwrap_or_default();
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(name));
    std::fs::read(path).map_err(|error| Error::from(error).context(path.display()))
}

/// The files of the input, or none if there is more than files.
fn files(sources: &[Source]) -> Vec<PathBuf> {
    let files: Option<Vec<PathBuf>> = sources
        .iter()
        .map(|source| match source {
            Source::Stdin => None,
            Source::File(path) => Some(path.clone()),
        })
        .collect();
    files.unwrap_or_default()
}
