//! How many files the broker may hold open: three for each partition that is written to, one a client. And how large
//! they may be: a write beyond `ulimit -f` must fail like one on a full disk, and not end the broker.
//!
//! Raised to what the system allows, as Java does it. A fixture's command starts before: the usual limit is low for
//! the sake of programs that use `select`.

use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises this process's limit of open files as far as it goes, and makes a write beyond the limit of a file's size an
/// error instead of a signal that ends the process.
pub(super) fn raise() {
    // Any handler will do: the write then fails with an error.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Refused, the old limit holds, and what does not fit says so when it is opened.
    let _ = setrlimit(Resource::Nofile, raised);
}
