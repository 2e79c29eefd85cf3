//! The bar that shows how far a file has been sent: on stderr, only on a terminal, only for work that lasts.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::{grouped, size};

const TEMPLATE: &str = "{prefix}  {bar:26}  {percent:>3} %  {msg}  {speed}  {eta_precise} left";

/// A bar over the bytes of the input.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar if these are regular files and a person watches.
    pub fn of_files(files: &[PathBuf], is_quiet: bool) -> Option<Self> {
        if is_quiet || !std::io::stderr().is_terminal() {
            return None;
        }
        let first = files.first()?;
        let mut total = 0;
        for file in files {
            let metadata = std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file)?;
            total += metadata.len();
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
        let speed = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let _ = write!(text, "{}/s", size(state.per_sec() as u64));
        };
        let style = ProgressStyle::with_template(TEMPLATE)
            .ok()?
            .progress_chars("━╸─")
            .with_key("speed", speed);
        bar.set_style(style);
        bar.set_prefix(first.display().to_string());
        bar.enable_steady_tick(Duration::from_millis(200));
        Some(Self { bar })
    }

    /// So many more bytes were read; so many records were sent in all.
    pub fn advance(&mut self, bytes: u64, records: u64) {
        self.bar.inc(bytes);
        self.bar.set_message(format!("{} records", grouped(records)));
    }

    /// Takes the bar away.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}
