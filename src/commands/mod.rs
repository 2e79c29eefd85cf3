//! What happens, step by step, for each command. Owns no flags and no layout of output.
//!
//! A command is an `Action` (what was asked for) that implements [`command::Command`]. `produce`, `consume` and
//! `broker` are run by both faces; the other Java tools have steps of their own in `java_tools`.

pub mod acls;
pub mod backup;
pub mod batch_reading;
pub mod broker;
pub mod command;
mod compare;
pub mod configs;
pub mod consume;
pub mod context;
pub mod copy;
pub mod describe;
pub mod diff;
pub mod doctor;
pub mod dump_log;
pub mod explain;
pub mod groups;
pub mod install_completions;
pub mod install_links;
pub mod leaders;
pub mod offsets;
pub mod pace;
pub mod partition_selection;
pub mod produce;
pub mod profile;
pub mod quotas;
pub mod reassign;
pub mod record_at;
pub mod records;
mod secret_file;
pub mod tokens;
pub mod top;
pub mod topic_count;
pub mod topic_files;
pub mod topic_selection;
pub mod topics;
pub mod transactions;
mod two_clusters;
mod undo_name;
mod unwell_topics;
pub mod users;
pub mod welcome;
