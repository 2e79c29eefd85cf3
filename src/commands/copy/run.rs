//! The run of a copy: continues where an earlier one ended, transfers batches, saves the checkpoint, reports the end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Job;
use super::account::Account;
use super::growth::Growth;
use super::keeper::Keeper;
use super::plan::Pair;
use super::targets::{self, Facts};
use super::transactions::Transactions;
use super::transfer::{Target, Transfer};
use super::{groups, resume, verify};
use crate::client::admin::groups::CommittedOffset;
use crate::client::engine::Engine;
use crate::client::record_sink::SinkOptions;
use crate::commands::batch_reading::{BatchFlow, Range};
use crate::commands::two_clusters::TwoClusters;
use crate::error::{Error, Result};
use crate::output::copy::{self as output, Progress, Summary};
use crate::topic_partition::{Offset, TopicPartition};

/// How long one wait for records lasts, so that interrupts are seen.
const STEP: Duration = Duration::from_millis(50);
/// The same while answers of the target are outstanding.
const SHORT_STEP: Duration = Duration::from_millis(1);

/// Copies all ranges.
pub(super) fn run(job: &Job<'_>, mut ranges: Vec<Range>, clusters: &mut TwoClusters<'_>) -> Result<()> {
    let (action, pairs) = (job.action, job.pairs);
    let mut keeper = Keeper::open(job, clusters)?;
    let has_former = keeper.has_former();
    let mut starts = keeper.starts(&mut ranges);
    let transactions = transactions(job, &keeper, &mut ranges, clusters)?;
    let facts = targets::facts(pairs, clusters)?;
    if has_former {
        let shown = keeper.path.display();
        let line = format!("going on where {shown} says (--restart copies all again)");
        clusters.here.printer.note(line);
    } else {
        resume::tell_of_former_records(pairs, clusters)?;
    }
    if action.keeps_records() {
        resume::find_starts(job, &facts, (&mut ranges, &mut starts), clusters)?;
    }
    let transfer = transfer(job, transactions, (&ranges, &starts), &facts, clusters)?;
    let copied = verify::Copied::begin(action, pairs, &ranges, &starts);
    let froms = ranges.iter().map(|range| range.from).collect();
    let total = ranges
        .iter()
        .map(|range| range.end.unwrap_or(range.from) - range.from)
        .sum();
    if action.follows {
        for range in &mut ranges {
            range.end = None;
        }
    }
    let mut run = Run {
        job: *job,
        pairs: pairs.to_vec(),
        transfer,
        reading: job.origin.read(ranges)?,
        keeper,
        froms,
        growth: action.follows.then(|| Growth::watch(job, clusters)),
        progress: Progress::new(&name_of(pairs), total, clusters.here.printer.is_quiet()),
    };
    // Before anything is written: a run that is killed at once must still record where it began.
    run.keeper.save(&run.transfer.account)?;
    let began = Instant::now();
    let outcome = run.carry(clusters);
    run.progress.finish();
    run.keeper.save(&run.transfer.account)?;
    let summary = Summary {
        records: run.transfer.copied(),
        source: name_of(&run.pairs),
        target: target_of(&run.pairs),
        bytes: run.transfer.bytes,
        time: began.elapsed(),
    };
    output::summary(&mut clusters.here.printer, &summary);
    outcome.and_then(|()| run.transfer.account.verdict())?;
    if let Some(copied) = copied {
        copied.verify(job, &run.transfer.account.ledger, &facts, clusters)?;
    }
    groups::carry_over(&run, &facts, clusters)
}

fn name_of(pairs: &[Pair]) -> String {
    match pairs {
        [one] => one.source.name.clone(),
        more => format!("{} topics", more.len()),
    }
}

fn target_of(pairs: &[Pair]) -> Option<String> {
    match pairs {
        [one] => Some(one.target.clone()),
        _ => None,
    }
}

fn transfer(
    job: &Job<'_>,
    transactions: Option<Transactions>,
    (ranges, starts): (&[Range], &[Option<Offset>]),
    facts: &[Facts],
    clusters: &mut TwoClusters<'_>,
) -> Result<Transfer> {
    let (action, pairs) = (job.action, job.pairs);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let options = SinkOptions {
        interrupt: job.interrupt.clone(),
        overrides: if action.is_exactly_once {
            vec![pair("acks", "all"), pair("enable.idempotence", "true")]
        } else {
            Vec::new()
        },
        defaults: Vec::new(),
    };
    let mut sink = Engine::open_batch_sink(clusters.there().client.settings(), options)?;
    if let Some(transactions) = &transactions {
        sink.produce_as(transactions.producer());
    }
    if !action.skips_failed {
        sink.stop_partitions_at_failures();
    }
    let mut targets = Vec::with_capacity(pairs.len());
    for (pair, facts) in pairs.iter().zip(facts) {
        // Asked here, so that a missing target is an error before anything is read.
        let partitions = sink.prepare_topic(&pair.target, action.patience)?;
        targets.push(Target::new(
            &pair.target,
            partitions,
            facts.largest,
            action.is_exactly_once,
        ));
    }
    let mut transfer = Transfer {
        sink,
        account: Account::new(action.skips_failed),
        transactions,
        targets,
        target_of: Vec::new(),
        placement: action.placement,
        filter: action.filter.clone(),
        key: action.key.clone(),
        passed: Vec::new(),
        bytes: 0,
        scratch: Vec::new(),
    };
    for (range, start) in ranges.iter().zip(starts) {
        let target = pairs.iter().position(|pair| pair.source.name == range.topic);
        transfer.add(range, *start, target.unwrap_or_default());
    }
    Ok(transfer)
}

/// Begins transactions if they were asked for, and moves the ranges to the positions of the last committed one.
fn transactions(
    job: &Job<'_>,
    keeper: &Keeper,
    ranges: &mut [Range],
    clusters: &mut TwoClusters<'_>,
) -> Result<Option<Transactions>> {
    if !job.action.is_exactly_once {
        return Ok(None);
    }
    let name = keeper.name()?;
    let transactions = Transactions::begin(&name, clusters.there().client.settings())?;
    let has_former = !job.action.restarts && go_on_from(&transactions, job.pairs, ranges);
    let how = if has_former {
        "going on where it ended"
    } else {
        "beginning"
    };
    let line = format!("{how}: positions are those of group {name} in the target's cluster");
    clusters.here.printer.note(line);
    Ok(Some(transactions))
}

/// Moves the ranges to the positions of the last committed transaction; returns whether there is one.
pub(super) fn go_on_from(transactions: &Transactions, pairs: &[Pair], ranges: &mut [Range]) -> bool {
    let mut has_former = false;
    for range in ranges {
        let pair = pairs.iter().find(|pair| pair.source.name == range.topic);
        let Some(pair) = pair else { continue };
        let partition = TopicPartition::new(&pair.target, range.partition);
        let known = transactions.position(&partition);
        // A source that was deleted and created again has another id, and is copied from its beginning.
        if let Some(known) = known.filter(|known| known.metadata == pair.source.id_text()) {
            has_former = true;
            range.from = range.from.max(known.offset).min(range.end.unwrap_or(Offset::MAX));
        }
    }
    has_former
}

pub(super) struct Run<'a> {
    pub(super) job: Job<'a>,
    pub(super) pairs: Vec<Pair>,
    pub(super) transfer: Transfer,
    pub(super) reading: Box<dyn BatchFlow>,
    pub(super) keeper: Keeper,
    /// The first offset of each range.
    pub(super) froms: Vec<Offset>,
    /// What is added to the source, if it is followed.
    growth: Option<Growth>,
    pub(super) progress: Progress,
}

impl Run<'_> {
    /// Copies everything; however it ends, the records that were sent are delivered if possible.
    fn carry(&mut self, clusters: &mut TwoClusters<'_>) -> Result<()> {
        let mut outcome = self.until_end(clusters);
        let was_interrupted = self.job.interrupt.take();
        let is_ended = outcome.is_ok() && !was_interrupted;
        if is_ended {
            outcome = self.transfer.send_packed();
        }
        let Transfer { sink, account, .. } = &mut self.transfer;
        if account.must_stop() {
            sink.abandon(account);
        }
        let flushed = sink.flush(was_interrupted, account);
        self.tell(clusters);
        let ended = self.end_transaction(outcome.is_ok() && flushed.is_ok());
        if was_interrupted {
            return Err(Error::interrupted());
        }
        outcome.and(flushed).and(ended)
    }

    /// Commits delivered batches together with the positions; aborts where some may not be delivered.
    fn end_transaction(&mut self, is_well: bool) -> Result<()> {
        let Transfer {
            sink,
            account,
            transactions: Some(transactions),
            ..
        } = &mut self.transfer
        else {
            return Ok(());
        };
        if !is_well || account.must_stop() || sink.in_flight() > 0 {
            return transactions.abort();
        }
        let mut positions = BTreeMap::new();
        for (place, (topic, partition)) in account.names.iter().enumerate() {
            if let Some(pair) = self.pairs.iter().find(|pair| pair.source.name == *topic) {
                let mut position = CommittedOffset::at(account.ledger.next(place));
                position.metadata = pair.source.id_text();
                positions.insert(TopicPartition::new(&pair.target, *partition), position);
            }
        }
        transactions.commit(positions, account.ledger.all_delivered())
    }

    /// Commits the open transaction, if it has lasted long enough.
    fn commit_if_due(&mut self) -> Result<()> {
        if !self
            .transfer
            .transactions
            .as_ref()
            .is_some_and(Transactions::is_due)
        {
            return Ok(());
        }
        self.transfer.send_packed()?;
        let Transfer { sink, account, .. } = &mut self.transfer;
        sink.flush(false, account)?;
        if account.must_stop() {
            return Ok(());
        }
        self.end_transaction(true)
    }

    fn until_end(&mut self, clusters: &mut TwoClusters<'_>) -> Result<()> {
        while !self.reading.is_done() {
            if self.job.interrupt.is_raised() {
                return Ok(());
            }
            let is_waiting = self.transfer.sink.in_flight() > 0;
            let wait = if is_waiting { SHORT_STEP } else { STEP };
            let has_moved = self.reading.poll(wait, &mut self.transfer)?;
            if !has_moved {
                self.transfer.send_packed()?;
            }
            let Transfer { sink, account, .. } = &mut self.transfer;
            sink.poll(Duration::ZERO, account)?;
            if account.must_stop() {
                return Ok(());
            }
            self.keeper.save_if_due(account)?;
            self.commit_if_due()?;
            self.grow(clusters)?;
            self.show_progress();
            self.tell(clusters);
        }
        Ok(())
    }

    /// Adds new partitions and topics of the source to the copy.
    fn grow(&mut self, clusters: &mut TwoClusters<'_>) -> Result<()> {
        let Some(mut growth) = self.growth.take() else {
            return Ok(());
        };
        let outcome = growth.follow(self, clusters);
        self.growth = Some(growth);
        outcome
    }

    fn show_progress(&mut self) {
        let ledger = &self.transfer.account.ledger;
        let done: Offset = (0..)
            .zip(&self.froms)
            .map(|(place, from)| ledger.next(place) - from)
            .sum();
        self.progress
            .show(done, ledger.all_delivered(), self.transfer.bytes);
    }

    fn tell(&mut self, clusters: &mut TwoClusters<'_>) {
        let mut lines = self.reading.take_notices();
        lines.extend(self.transfer.sink.take_notices());
        lines.extend(self.transfer.account.take_lines());
        for line in lines {
            self.progress.aside(|| clusters.here.printer.warning(&line));
        }
    }
}
