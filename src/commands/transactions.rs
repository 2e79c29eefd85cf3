//! The steps of listing, describing and aborting transactions; hanging ones are in `hanging`.

pub mod hanging;

use super::command::{Command, Needs};
use super::context::Context;
use super::describe::{self, transactions};
use crate::error::{Error, Result};
use crate::output::{confirm, plural, transaction as output};

/// What the user asked for.
#[derive(Debug)]
pub enum Action {
    List,
    Describe(Vec<String>),
    Abort(Abortion),
    FindHanging(hanging::Search),
    AbortHanging(hanging::Abortion),
}

/// Open transactions to abort.
#[derive(Debug)]
pub struct Abortion {
    pub ids: Vec<String>,
    /// Whether the user has said yes in advance (`--yes`).
    pub is_sure: bool,
    pub is_dry_run: bool,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs::ANSWERS
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        match *self {
            Self::List => describe::run(describe::Action::Transaction(Vec::new()), context),
            Self::Describe(ids) => describe::run(describe::Action::Transaction(ids), context),
            Self::Abort(abortion) => abort(&abortion, context),
            Self::FindHanging(search) => hanging::find(&search, context),
            Self::AbortHanging(abortion) => hanging::abort(&abortion, context),
        }
    }
}

fn abort(abortion: &Abortion, context: &mut Context) -> Result<()> {
    let mut open = Vec::new();
    for id in &abortion.ids {
        let found = transactions::find(id, context)?;
        if found.state == "Ongoing" {
            open.push(found);
        } else {
            let state = &found.state;
            context
                .printer
                .note(format_args!("{id} has no open transaction: its state is {state}"));
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let what = plural(open.len() as u64, "transaction");
    if !abortion.is_dry_run && !abortion.is_sure && !confirm::can_ask() {
        let ids: Vec<&str> = open.iter().map(|open| open.id.as_str()).collect();
        return Err(Error::usage(format!(
            "would abort {what} ({}); without a terminal say --yes",
            ids.join(", ")
        )));
    }
    output::describe(&mut context.printer, &open, transactions::now_ms())?;
    if abortion.is_dry_run {
        context.printer.note(format_args!("would abort {what}"));
        return Ok(());
    }
    if !abortion.is_sure {
        context.consent("", &format!("Abort {what}?"), "nothing aborted")?;
    }
    for transaction in &open {
        let aborted = context.client.admin()?.abort_transaction(transaction)?;
        aborted.map_err(|refusal| {
            let id = &transaction.id;
            Error::from(refusal).context(format_args!("cannot abort the transaction of {id}"))
        })?;
    }
    context.printer.note(format_args!("aborted {what}"));
    Ok(())
}
