//! argv in, exit code out; everything else is the library's.

use std::process::ExitCode;

fn main() -> ExitCode {
    kafkit::run(std::env::args_os().collect())
}
