//! What `--verify` has found wrong, as far as it is told.
//!
//! Owns how much is told of one file. What is wrong, the checks say; how it is shown, `verify` does.

use std::collections::BTreeMap;

use crate::output::plural;

/// So many problems are told of one log, checkpoint or snapshot.
const MOST_PROBLEMS: usize = 20;
/// So many of one index: a broker rebuilds it whole, whatever else is wrong in it.
const MOST_OF_INDEX: usize = 5;

/// One thing that is wrong.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) file: String,
    /// Bytes from the file's start.
    pub(super) position: Option<u64>,
    pub(super) what: String,
    pub(super) last_good_offset: Option<i64>,
    /// What a broker would do.
    pub(super) broker: Option<String>,
}

impl Problem {
    pub(super) fn new(file: String, position: Option<u64>, what: String, broker: &str) -> Self {
        Self {
            file,
            position,
            what,
            last_good_offset: None,
            broker: Some(broker.to_owned()),
        }
    }

    /// The offset up to which all is good.
    pub(super) fn behind(self, last_good_offset: Option<i64>) -> Self {
        Self {
            last_good_offset,
            ..self
        }
    }
}

/// Which problem of a log it is; none when it is not told.
pub(super) type Told = Option<usize>;

/// What is wrong with one file and with what stands beside it.
#[derive(Debug, Default)]
pub(super) struct Problems {
    of_file: Vec<Problem>,
    /// By the name of the index.
    of_indexes: BTreeMap<String, Vec<Problem>>,
    /// By the name of the file, how many are not told.
    untold: BTreeMap<String, u64>,
}

impl Problems {
    pub(super) fn push(&mut self, problem: Problem) -> Told {
        if self.of_file.len() < MOST_PROBLEMS {
            self.of_file.push(problem);
            return Some(self.of_file.len() - 1);
        }
        *self.untold.entry(problem.file).or_default() += 1;
        None
    }

    /// A problem of an index beside the file.
    pub(super) fn push_of_index(&mut self, problem: Problem) {
        let told = self.of_indexes.entry(problem.file.clone()).or_default();
        if told.len() < MOST_OF_INDEX {
            told.push(problem);
        } else {
            *self.untold.entry(problem.file).or_default() += 1;
        }
    }

    /// Says what a broker would do about a problem of the file.
    pub(super) fn say_of(&mut self, told: Told, broker: String) {
        if let Some(problem) = told.and_then(|number| self.of_file.get_mut(number)) {
            problem.broker = Some(broker);
        }
    }

    pub(super) fn count(&self) -> u64 {
        let told = self.of_file.len() + self.of_indexes.values().map(Vec::len).sum::<usize>();
        told as u64 + self.untold.values().sum::<u64>()
    }

    /// Those that are told, the file's own first, and of each file how many are not.
    pub(super) fn told(self) -> impl Iterator<Item = Problem> {
        let Self {
            of_file,
            of_indexes,
            mut untold,
        } = self;
        std::iter::once(of_file)
            .chain(of_indexes.into_values())
            .flat_map(move |mut problems| {
                let file = problems.last().map(|problem| problem.file.clone());
                let more = file.and_then(|file| untold.remove_entry(&file));
                problems.extend(more.map(|(file, count)| Problem {
                    file,
                    position: None,
                    what: format!("{} more that are not told", plural(count, "problem")),
                    last_good_offset: None,
                    broker: None,
                }));
                problems
            })
    }
}
