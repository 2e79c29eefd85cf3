//! The mismatches that kafka-dump-log has found, kept until all files have been read.
//!
//! Owns which list belongs to which file, and their order: mismatches of an index from the last offset to the first,
//! gaps of a log from the first to the last, everything of a time index in its own order.

use std::io;

use crate::java::hash_order::hash_order;
use crate::java_tools::dump_log::words::findings::Finding;
use crate::output::stderr_line;

use super::gaps::Gaps;
use super::pairs::{Pair, PairFile, Pairs};

/// Text for stderr is written in pieces of this many bytes.
const FLUSH_BYTES: usize = 64 * 1024;

/// All findings.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// By the order of [`Finding::ALL`], then by absolute path, in the order of their first entry.
    lists: [Vec<(String, Pairs)>; Finding::ALL.len()],
    file: PairFile,
    /// The error by which findings were lost.
    failed: Option<io::Error>,
}

impl Findings {
    /// Adds a pair to the list of `path`.
    pub(super) fn add(&mut self, finding: Finding, path: &str, pair: Pair) {
        let Some(lists) = self.lists.get_mut(finding as usize) else {
            return;
        };
        // The list of the file being read is the youngest, unless a file is named twice.
        let known = lists.iter().rposition(|(known, _)| known == path);
        let at = known.unwrap_or_else(|| {
            lists.push((path.to_owned(), Pairs::default()));
            lists.len() - 1
        });
        if let Some((_, list)) = lists.get_mut(at)
            && let Err(error) = list.push(pair, &mut self.file)
        {
            self.failed.get_or_insert(error);
        }
    }

    /// Adds the mismatches or gaps of a file that has been read. Those already known of it are sorted in with them.
    pub(super) fn add_sorted(&mut self, finding: Finding, path: &str, found: Gaps) {
        if found.is_empty() {
            return;
        }
        let mut all = Gaps::default();
        let lists = self.lists.get_mut(finding as usize);
        let before = lists.and_then(|lists| lists.iter_mut().find(|(known, _)| known == path));
        let kept = match before {
            None => {
                all = found;
                Ok(())
            }
            Some((_, list)) => {
                let before = std::mem::take(list);
                let kept = before.each(&self.file, |pair| all.push(sorted(finding, pair)));
                kept.and_then(|()| all.append(found))
            }
        };
        let told = all.each(|pair| self.add(finding, path, sorted(finding, pair)));
        if let Err(error) = kept.and(told) {
            self.failed.get_or_insert(error);
        }
    }

    /// Reduces the memory for a file that has been read.
    pub(super) fn settle(&mut self, path: &str) {
        let lists = self.lists.iter_mut().flatten();
        for (_, list) in lists.filter(|(known, _)| known == path) {
            if let Err(error) = list.settle(&mut self.file) {
                self.failed.get_or_insert(error);
            }
        }
    }

    /// Prints all findings, files in the order of Java's maps; an error if some were lost.
    pub(super) fn tell(self) -> io::Result<()> {
        let mut text = String::new();
        let mut line = |line: &str| {
            text.push_str(line);
            text.push('\n');
            if text.len() > FLUSH_BYTES {
                write_out(&mut text);
            }
        };
        let mut failed = self.failed;
        for (finding, lists) in Finding::ALL.into_iter().zip(self.lists) {
            for (path, list) in hash_order(lists, |(path, _)| path) {
                line(&finding.heading(&path));
                if let Err(error) = list.each(&self.file, |pair| line(&finding.line(pair))) {
                    failed.get_or_insert(error);
                }
            }
        }
        write_out(&mut text);
        failed.map_or(Ok(()), Err)
    }
}

fn write_out(text: &mut String) {
    if let Some(lines) = text.strip_suffix('\n') {
        stderr_line(lines);
    }
    text.clear();
}

/// A pair in the order of [`Gaps`], or back: those of an index go from the last offset to the first.
pub(super) fn sorted(finding: Finding, (one, other): Pair) -> Pair {
    (
        if finding == Finding::IndexMismatch {
            !one
        } else {
            one
        },
        other,
    )
}
