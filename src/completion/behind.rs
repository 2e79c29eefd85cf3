//! The same question once more, behind the prompt: a process that outlives the answer, says nothing, and keeps what the
//! cluster says for the next question.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// The variable that says that no shell waits.
const BEHIND: &str = "KAFKIT_COMPLETE_BEHIND";

/// Whether this process is one behind the prompt.
pub(super) fn is_behind() -> bool {
    std::env::var_os(BEHIND).is_some()
}

/// Starts one. What does not work out is for the next question.
pub(super) fn ask_again() {
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    // A shell waits until nobody holds the end of its pipe any more; Ctrl-C is for what is in front.
    let _ = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(BEHIND, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
}
