//! Does each command do what it says?

mod broken_pipe;
mod completions;
mod configs;
mod consume;
mod consume_filters;
mod describe;
mod dump_log;
mod dump_log_memory;
mod dump_log_verify;
mod exit_codes;
mod groups;
mod handbook;
mod java_console;
mod java_topics;
mod multicall;
mod produce;
mod reassign;
mod records;
mod round_trip;
mod screen;
mod settings;
mod topics;
mod transactions;
mod tutorials;
mod usage;
mod version;
