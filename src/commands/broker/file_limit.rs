//! How many files the broker may hold open: three for each partition that is written to, one a client.
//!
//! Raised to what the system allows, as Java does it. A fixture's command starts before: the usual limit is low for
//! the sake of programs that use `select`.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises this process's limit as far as it goes.
pub(super) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Refused, the old limit holds, and what does not fit says so when it is opened.
    let _ = setrlimit(Resource::Nofile, raised);
}
