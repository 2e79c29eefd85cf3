//! Gives back memory that only the start needed: pages of the program's files that were read once.
//!
//! Flags, configs and tables are hardly ever read after the start, and the kernel maps fifteen neighbours with each
//! page. What is needed again comes back from the page cache.
#![allow(unsafe_code, reason = "the proof stands at the one block")]

use std::fs;

use rustix::mm::{Advice, madvise};

/// One mapping of this process, as `/proc/self/smaps` lists it.
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    start: usize,
    end: usize,
}

/// Unmaps every page that equals its file; without `/proc` it does nothing.
pub(super) fn give_back() {
    let Ok(smaps) = fs::read_to_string("/proc/self/smaps") else {
        return;
    };
    for mapping in unchanged(&smaps) {
        // SAFETY: the mapping is private, backed by a file, not writable, and the kernel counts no page of it that
        // differs from the file. Discarding such pages only unmaps them: the next access brings the same bytes from
        // the same file. The address range is one that the kernel has just named, and nothing unmaps program files.
        // A refusal changes nothing.
        let _ = unsafe {
            madvise(
                std::ptr::with_exposed_provenance_mut(mapping.start),
                mapping.end - mapping.start,
                Advice::LinuxDontNeed,
            )
        };
    }
}

/// The private read-only file mappings without a page of their own.
fn unchanged(smaps: &str) -> Vec<Mapping> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in smaps.lines() {
        match line.split_once(':') {
            Some(("Anonymous", amount)) if amount.trim() == "0 kB" => found.extend(candidate.take()),
            Some((name, _)) if !name.contains('-') => {}
            _ => candidate = mapping(line),
        }
    }
    found
}

/// `55d0c0a00000-55d0c0b00000 r-xp 00000000 fe:00 1234   /usr/bin/kafkit` → the mapping, if it may be given back.
fn mapping(line: &str) -> Option<Mapping> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let mapping = Mapping {
        start: usize::from_str_radix(start, 16).ok()?,
        end: usize::from_str_radix(end, 16).ok()?,
    };
    let permissions = words.next()?;
    let file = words.nth(3).is_some_and(|path| path.starts_with('/'));
    let unchangeable = matches!(permissions, "r--p" | "r-xp");
    (file && unchangeable).then_some(mapping)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
1000-3000 r-xp 00000000 fe:00 12                         /usr/bin/kafkit
Rss:                   8 kB
Anonymous:             0 kB
3000-4000 r--p 00002000 fe:00 12                         /usr/bin/kafkit
Rss:                   4 kB
Anonymous:             4 kB
4000-5000 rw-p 00003000 fe:00 12                         /usr/bin/kafkit
Anonymous:             0 kB
5000-6000 r--p 00000000 00:00 0
Anonymous:             0 kB
6000-7000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
7000-8000 r--s 00000000 fe:00 13                         /var/cache/shared
Anonymous:             0 kB
";

    #[test]
    fn only_what_equals_its_file_is_given_back() {
        let program = Mapping {
            start: 0x1000,
            end: 0x3000,
        };
        assert_eq!(unchanged(SMAPS), [program]);
    }

    #[test]
    fn the_program_goes_on_without_its_pages() {
        let table: Vec<String> = (0..100).map(|number| format!("{number:x}")).collect();
        give_back();
        let again: Vec<String> = (0..100).map(|number| format!("{number:x}")).collect();
        assert_eq!(table, again);
    }
}
