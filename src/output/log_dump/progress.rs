//! The bar that shows how far a long file has been read: on stderr, only on a terminal.
//!
//! Owns when there is one.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::output::progress::style;
use crate::storage::read_only::WalkProgress;

/// Shorter files are read before a bar would be seen.
const LONG_BYTES: u64 = 64 << 20;

/// A bar over one file, or none.
#[derive(Debug)]
pub struct FileProgress(Option<ProgressBar>);

impl FileProgress {
    /// `is_quiet`: a bar is not wanted, or would be mixed with lines on the same terminal.
    pub fn new(length: u64, name: &str, is_quiet: bool) -> Self {
        if is_quiet || !(LONG_BYTES..u64::MAX).contains(&length) || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(10));
        if let Some(style) = style(name.to_owned(), |_| None) {
            bar.set_style(style);
        }
        Self(Some(bar))
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

impl WalkProgress for FileProgress {
    fn at(&self, position: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(position);
        }
    }
}
