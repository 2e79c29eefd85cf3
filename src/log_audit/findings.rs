//! The findings about one file, and about the indexes of a log.
//!
//! Owns how many are kept: the memory of an audit does not grow with the number of problems.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::finding::{BrokerAction, Finding};
use super::problem::Problem;

/// How many findings are listed; the rest is counted, see [`Problem::NotListed`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of one log, checkpoint or snapshot.
    pub per_file: usize,
    /// Of one index of a log: a broker rebuilds it as a whole, even if more is wrong with it.
    pub per_index: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_file: 20,
            per_index: 5,
        }
    }
}

/// The findings of one file as far as they are listed.
#[derive(Debug, Default)]
struct List {
    findings: Vec<Finding>,
    not_listed: u64,
}

impl List {
    fn push(&mut self, finding: Finding, limit: usize) -> Option<usize> {
        if self.findings.len() < limit {
            self.findings.push(finding);
            return Some(self.findings.len() - 1);
        }
        self.not_listed += 1;
        None
    }

    fn all(self, path: PathBuf) -> impl Iterator<Item = Finding> {
        let rest = (self.not_listed > 0).then_some(Finding {
            path,
            position: None,
            problem: Problem::NotListed {
                count: self.not_listed,
            },
            last_good_offset: None,
            action: None,
        });
        self.findings.into_iter().chain(rest)
    }
}

/// What is wrong with one file, and if it is a log with its indexes.
#[derive(Debug)]
pub(super) struct Findings {
    path: PathBuf,
    limits: Limits,
    of_file: List,
    of_indexes: BTreeMap<PathBuf, List>,
}

impl Findings {
    /// None yet, of the file at `path`.
    pub(super) fn new(path: PathBuf, limits: Limits) -> Self {
        Self {
            path,
            limits,
            of_file: List::default(),
            of_indexes: BTreeMap::new(),
        }
    }

    /// Adds a finding of the file. Returns where it is listed, for [`Findings::set_action`]; None when it is not.
    pub(super) fn push(&mut self, finding: Finding) -> Option<usize> {
        self.of_file.push(finding, self.limits.per_file)
    }

    /// Adds a finding of an index of the file.
    pub(super) fn push_of_index(&mut self, finding: Finding) {
        let list = self.of_indexes.entry(finding.path.clone()).or_default();
        list.push(finding, self.limits.per_index);
    }

    /// Sets what a broker would do about the finding of the file that is listed at `place`.
    pub(super) fn set_action(&mut self, place: usize, action: BrokerAction) {
        if let Some(finding) = self.of_file.findings.get_mut(place) {
            finding.action = Some(action);
        }
    }

    /// The findings of the file, then those of its indexes by their paths; the last of each says how many are not listed.
    pub(super) fn into_all(self) -> Vec<Finding> {
        let of_indexes = self.of_indexes.into_iter();
        self.of_file
            .all(self.path)
            .chain(of_indexes.flat_map(|(path, list)| list.all(path)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_audit::problem::IndexProblem;

    fn finding(path: &str, offset: i64) -> Finding {
        let problem = IndexProblem::NotAscending { offset, before: 0 };
        Finding::of_file(path, problem, BrokerAction::Delete)
    }

    #[test]
    fn what_is_over_the_limits_is_counted_file_by_file() {
        let limits = Limits {
            per_file: 2,
            per_index: 1,
        };
        let mut findings = Findings::new("log".into(), limits);
        for offset in 0..5 {
            findings.push_of_index(finding("timeindex", offset));
            let place = findings.push(finding("log", offset));
            assert_eq!(place, usize::try_from(offset).ok().filter(|place| *place < 2));
        }
        findings.push_of_index(finding("index", 7));
        findings.set_action(1, BrokerAction::NotStart);
        findings.set_action(2, BrokerAction::DropEntry);
        let all = findings.into_all();
        let paths: Vec<_> = all.iter().map(|finding| finding.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["log", "log", "log", "index", "timeindex", "timeindex"]);
        let counts: Vec<u64> = all.iter().map(Finding::count).collect();
        assert_eq!(counts, [1, 1, 3, 1, 1, 4]);
        assert_eq!(all[1].action, Some(BrokerAction::NotStart));
        assert_eq!(all[2].action, None);
    }
}
