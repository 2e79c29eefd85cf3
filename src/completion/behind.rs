//! The same request in the background: a process that outlives the answer, prints nothing, and keeps the names of the
//! cluster for the next request.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// The variable that marks a process for which no shell waits.
const BEHIND: &str = "KAFKIT_COMPLETE_BEHIND";

/// Whether this process runs in the background.
pub(super) fn is_behind() -> bool {
    std::env::var_os(BEHIND).is_some()
}

/// Starts a background process. If that fails, the next request tries again.
pub(super) fn ask_again() {
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    // A shell waits until its pipe is closed on our side; Ctrl-C must reach the foreground alone.
    let _ = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(BEHIND, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
}
