//! Two limits of the process. Open files: a broker needs three for each partition that is written to, and one for each
//! client. The size of a file: a write beyond `ulimit -f` must fail like one on a full disk, and not end the broker.
//!
//! The first is raised to what the system allows, as Java does it. A fixture's command starts before: the usual limit
//! is low for programs that use `select`.

use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises this process's limit of open files as far as possible, and makes a write beyond the limit of a file's size an
/// error instead of a signal that ends the process.
pub(super) fn raise() {
    // Any handler is enough: the write then fails with an error.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // If this is refused, the old limit applies, and opening one file too many reports it.
    let _ = setrlimit(Resource::Nofile, raised);
}
