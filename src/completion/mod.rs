//! What a shell offers while a command line is being typed.
//!
//! Owns the requests of shells and their answers, the candidates for each kind of value, and the cache of a cluster's
//! names. Owns no flag: the faces say which kind of value the word being typed is (`Wanted`).
//!
//! Nothing here may disturb a prompt: the answer comes within [`PATIENCE`] whatever the network does, nothing is ever
//! printed on stderr, and every failure is an answer without candidates.

mod behind;
mod cache;
mod cluster_names;
mod config_words;
mod known;
mod line;
mod offer;
mod places;
mod question;
mod scripts;
mod seen_headers;
mod shell_words;
mod target;
mod values;
mod wanted;

use std::time::Duration;

pub use line::Line;
pub use offer::{Candidate, Offer, Paths};
pub use places::{Place, place};
pub use question::Question;
pub use scripts::{Shell, script};
pub use shell_words::quoted;
pub use values::offer_of;
pub use wanted::Wanted;

/// How long a shell may wait, counted from the start of the program, if no names are kept.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long the cluster may take to answer if names are kept.
const PATIENCE_WITH_KEPT_NAMES: Duration = Duration::from_millis(30);

/// How long the cluster may take if no shell waits.
const PATIENCE_BEHIND: Duration = Duration::from_secs(10);
