//! Does each command do what it says?

mod broken_pipe;
mod consume;
mod dump_log;
mod java_console;
mod produce;
mod round_trip;
mod version;
