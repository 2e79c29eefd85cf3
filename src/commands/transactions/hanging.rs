//! Hanging transactions: open in a partition, and unknown to the coordinator that should end them. They hold back the
//! last stable offset for ever. Found as in KIP-664, shown, confirmed, and aborted by a marker in the partition.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::context::Context;
use super::super::describe::transactions::now_ms;
use super::super::partition_selection::{self, PartitionsOfTopic};
use crate::client::admin::AdminClient;
use crate::client::admin::producers::OpenTransaction;
use crate::client::admin::volumes::leaders;
use crate::error::{Error, Result};
use crate::output::producers::{self as output, HangingTransaction};
use crate::output::{confirm, plural};
use crate::topic_partition::{BrokerId, TopicPartition};

/// Where to look for hanging transactions.
#[derive(Debug)]
pub struct Search {
    /// All topics if empty.
    pub topics: Vec<PartitionsOfTopic>,
    /// Transactions with a more recent write are left out.
    pub longer_than: Duration,
}

/// Hanging transactions to abort.
#[derive(Debug)]
pub struct Abortion {
    pub search: Search,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
}

/// A hanging transaction with its partition's leader.
type Found = (HangingTransaction, BrokerId);

/// Shows the hanging transactions.
pub(super) fn find(search: &Search, context: &mut Context) -> Result<()> {
    let found = hanging(search, context)?;
    show(&found, context)?;
    if found.is_empty() {
        context.printer.note("no hanging transactions");
    }
    Ok(())
}

/// Aborts the hanging transactions of some partitions.
pub(super) fn abort(abortion: &Abortion, context: &mut Context) -> Result<()> {
    let found = hanging(&abortion.search, context)?;
    if found.is_empty() {
        context.printer.note("no hanging transactions");
        return Ok(());
    }
    let what = plural(found.len() as u64, "hanging transaction");
    if !abortion.is_dry_run && !abortion.is_sure && !confirm::can_ask() {
        return Err(
            Error::usage(format!("would abort {what}; without a terminal say --yes"))
                .hint("--dry-run shows which"),
        );
    }
    show(&found, context)?;
    if abortion.is_dry_run {
        context.printer.note(format_args!("would abort {what}"));
        return Ok(());
    }
    if !abortion.is_sure {
        context.consent("", &format!("Abort {what}?"), "nothing aborted")?;
    }
    let mut failures = Vec::new();
    let mut aborted = 0;
    for (transaction, leader) in &found {
        let marker = marker(transaction)?;
        match context.client.admin()?.write_abort_marker(&marker, *leader)? {
            Ok(()) => aborted += 1,
            Err(refusal) => {
                let place = &transaction.partition;
                let what = format!("cannot abort the transaction in {place}");
                failures.push(Error::from(refusal).context(what));
            }
        }
    }
    let what = plural(aborted, "hanging transaction");
    context.printer.note(format_args!("aborted {what}"));
    context.outcome_of(failures)
}

fn show(found: &[Found], context: &mut Context) -> Result<()> {
    let transactions: Vec<HangingTransaction> =
        found.iter().map(|(transaction, _)| transaction.clone()).collect();
    output::hanging(&mut context.printer, &transactions, now_ms())
}

fn marker(transaction: &HangingTransaction) -> Result<OpenTransaction> {
    let producer = &transaction.producer;
    let producer_epoch = i16::try_from(producer.producer_epoch)
        .map_err(|_| Error::failed(format!("producer epoch {} is too large", producer.producer_epoch)))?;
    Ok(OpenTransaction {
        partition: transaction.partition.clone(),
        producer_id: producer.producer_id,
        producer_epoch,
        // Without any marker in the partition there is no coordinator epoch, and none is lower than 0.
        coordinator_epoch: producer.coordinator_epoch.unwrap_or(0),
    })
}

fn hanging(search: &Search, context: &mut Context) -> Result<Vec<Found>> {
    let topics = context.client.admin()?.all_topics()?;
    let mut led = leaders(&topics);
    if !search.topics.is_empty() {
        let wanted = partition_selection::find(&search.topics, &topics, context)?;
        led.retain(|(partition, _)| wanted.contains(partition));
    }
    let admin = context.client.admin()?;
    let open = open_transactions(search, &led, admin)?;
    if open.is_empty() {
        return Ok(Vec::new());
    }
    keep_hanging(open, admin)
}

/// The transactions that have been open for longer than the option says, by partition.
fn open_transactions(
    search: &Search,
    led: &[(TopicPartition, BrokerId)],
    admin: &mut AdminClient,
) -> Result<Vec<Found>> {
    let mut answers = admin.describe_producers(led)?;
    let youngest = i64::try_from(search.longer_than.as_millis()).unwrap_or(i64::MAX);
    let newest_ms = now_ms().saturating_sub(youngest);
    let mut open = Vec::new();
    for (partition, leader) in led {
        let Some(answer) = answers.remove(partition) else {
            continue;
        };
        let states = answer.map_err(|refusal| {
            Error::from(refusal).context(format_args!("cannot ask for the producers of {partition}"))
        })?;
        let old = states
            .into_iter()
            .filter(|state| state.transaction_start.is_some() && state.last_timestamp < newest_ms);
        open.extend(old.map(|producer| {
            let transaction = HangingTransaction {
                partition: partition.clone(),
                producer,
                transactional_id: None,
            };
            (transaction, *leader)
        }));
    }
    Ok(open)
}

/// Removes those whose coordinator has the partition in an open transaction, which it will end.
fn keep_hanging(open: Vec<Found>, admin: &mut AdminClient) -> Result<Vec<Found>> {
    let listed = admin.list_transactions()?.into_iter();
    let ids: BTreeMap<i64, String> = listed
        .map(|transaction| (transaction.producer_id, transaction.id))
        .collect();
    let mut known: BTreeMap<String, Vec<TopicPartition>> = BTreeMap::new();
    let mut hanging = Vec::new();
    for (mut transaction, leader) in open {
        if let Some(id) = ids.get(&transaction.producer.producer_id) {
            if !known.contains_key(id) {
                let described = admin.describe_transaction(id)?;
                let partitions = match described {
                    Ok(described) => described.partitions,
                    Err(refusal) if refusal.name() == "TRANSACTIONAL_ID_NOT_FOUND" => Vec::new(),
                    Err(refusal) => {
                        let what = format!("cannot describe transactional id {id}");
                        return Err(Error::from(refusal).context(what));
                    }
                };
                known.insert(id.clone(), partitions);
            }
            if known
                .get(id)
                .is_some_and(|partitions| partitions.contains(&transaction.partition))
            {
                continue;
            }
            transaction.transactional_id = Some(id.clone());
        }
        hanging.push((transaction, leader));
    }
    Ok(hanging)
}
