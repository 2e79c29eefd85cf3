//! The bar that shows how far a long file has been read: on stderr, only on a terminal.
//!
//! Owns when there is one.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Files shorter than this are read before a bar could be seen.
const LONG_BYTES: u64 = 64 << 20;
const TEMPLATE: &str = "{prefix}  {wide_bar}  {percent:>3} %  {bytes_per_sec}  {eta} left";

/// So much of a file's name stands before its bar, which has to fit into a line with it.
const MOST_OF_NAME: usize = 36;

/// A bar over one file, or none.
#[derive(Debug)]
pub struct FileProgress(Option<ProgressBar>);

impl FileProgress {
    /// `is_quiet`: nobody wants it, or it would stand among lines on the same terminal.
    pub fn new(length: u64, name: &str, is_quiet: bool) -> Self {
        if is_quiet || !(LONG_BYTES..u64::MAX).contains(&length) || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸━"));
        }
        bar.set_prefix(end_of(name));
        Self(Some(bar))
    }

    /// So many bytes have been read.
    pub fn at(&self, position: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(position);
        }
    }

    /// No bar: stderr belongs to what Java's tool says.
    pub fn none() -> Self {
        Self(None)
    }

    /// A bar for a view that writes lines while it reads: none where both would go to the same terminal.
    pub fn beside_lines(length: u64, name: &str, is_quiet: bool) -> Self {
        Self::new(length, name, is_quiet || std::io::stdout().is_terminal())
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// A long name's end, which is what tells the files of a topic apart.
fn end_of(name: &str) -> String {
    match name.char_indices().rev().nth(MOST_OF_NAME - 1) {
        Some((at, _)) if at > 0 => format!("…{}", name.get(at..).unwrap_or_default()),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_leaves_room_for_its_bar() {
        let short = "orders-0/00000000000000000000.log";
        assert_eq!(end_of(short), short);
        let long = end_of(&format!("{}-12/00000000000000000042.log", "é".repeat(240)));
        assert_eq!(long.chars().count(), MOST_OF_NAME + 1);
        assert!(long.ends_with("é-12/00000000000000000042.log"), "{long}");
    }
}
