//! Fault rules of the command line, and those of a running broker.

use std::path::Path;

use super::control_channel::{ask, not_understood};
use crate::broker::faults::rule::Rule;
use crate::broker::faults::rule_text::{self, Kind};
use crate::broker::host::control::{Question, Reply};
use crate::error::{Error, Result};
use crate::output::Printer;
use crate::output::faults::{self, ListedFault};

/// Rules as they were typed, by flag.
#[derive(Clone, Debug, Default)]
pub struct FaultFlags {
    pub fail: Vec<String>,
    pub delay: Vec<String>,
    pub drop: Vec<String>,
    pub close: Vec<String>,
}

impl FaultFlags {
    /// The rules; the first invalid one is a usage error.
    pub(super) fn rules(&self) -> Result<Vec<Rule>> {
        let flags = [
            ("--fail", Kind::Fail, &self.fail),
            ("--delay", Kind::Delay, &self.delay),
            ("--drop", Kind::Drop, &self.drop),
            ("--close", Kind::Close, &self.close),
        ];
        let mut rules = Vec::new();
        for (flag, kind, texts) in flags {
            for text in texts {
                let rule = rule_text::parse(kind, text)
                    .map_err(|why| Error::usage(format!("{flag} does not take \"{text}\": {why}")))?;
                rules.push(rule);
            }
        }
        Ok(rules)
    }
}

/// A change to the rules of a running broker.
#[derive(Debug)]
pub enum FaultChange {
    Add(FaultFlags),
    List,
    /// The rules with these ids; all if empty.
    Clear(Vec<u64>),
}

/// Changes or shows the rules of the broker on `dir`.
pub(super) fn change(change: &FaultChange, dir: &Path, printer: &mut Printer) -> Result<()> {
    match change {
        FaultChange::Add(flags) => add(flags, dir, printer),
        FaultChange::List => list(dir, printer),
        FaultChange::Clear(ids) => clear(ids, dir, printer),
    }
}

fn add(flags: &FaultFlags, dir: &Path, printer: &mut Printer) -> Result<()> {
    let rules = flags.rules()?;
    if rules.is_empty() {
        return Err(Error::usage("no rule to add").hint("give one with --fail, --delay, --drop or --close"));
    }
    match ask(dir, &Question::AddFaults(rules))? {
        Reply::Added(ids) => faults::added(printer, &ids),
        _ => Err(not_understood()),
    }
}

fn list(dir: &Path, printer: &mut Printer) -> Result<()> {
    let Reply::Faults { rules, seed } = ask(dir, &Question::ListFaults)? else {
        return Err(not_understood());
    };
    let rows: Vec<ListedFault> = rules
        .into_iter()
        .map(|listed| ListedFault {
            id: listed.id,
            rule: listed.rule.to_string(),
            matched: listed.matched,
            hit: listed.hit,
        })
        .collect();
    faults::list(printer, &rows, seed)
}

fn clear(ids: &[u64], dir: &Path, printer: &mut Printer) -> Result<()> {
    let asked: Vec<Option<u64>> = match ids {
        [] => vec![None],
        ids => ids.iter().map(|id| Some(*id)).collect(),
    };
    let mut cleared = 0;
    for id in asked {
        let Reply::Cleared(count) = ask(dir, &Question::ClearFaults(id))? else {
            return Err(not_understood());
        };
        if let (0, Some(id)) = (count, id) {
            return Err(Error::not_found(format!("there is no fault rule {id}"))
                .hint("`kafkit broker fault list` shows those there are"));
        }
        cleared += count;
    }
    faults::cleared(printer, cleared);
    Ok(())
}
