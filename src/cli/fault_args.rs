//! The flags of fault rules, shared by `broker` and `broker fault add`.

#![allow(
    clippy::doc_markdown,
    reason = "help is read on a terminal, where backticks are noise"
)]

use clap::Args;

use crate::commands::broker::FaultFlags;

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Faults on purpose")]
pub(super) struct FaultArgs {
    /// Answer requests with an error, as API:ERROR[:WORD…]; may be repeated, as may the others
    ///
    /// API is a name such as Produce, or * for all; ERROR a name such as NOT_LEADER_OR_FOLLOWER, which stands where the
    /// answers of that API have it. Words of any rule: a number (so many requests), topic=NAME, client=ID (the client.id),
    /// node=N, skip=N (so many pass first), 10% (so many of a hundred), handled (the request is carried out, and only its
    /// answer replaced or lost).
    #[arg(long, value_name = "RULE")]
    fail: Vec<String>,

    /// Carry requests out later, as API:TIME[:WORD…]
    #[arg(long, value_name = "RULE")]
    delay: Vec<String>,

    /// Fall silent on the connection of a request, as API[:WORD…]
    #[arg(long, value_name = "RULE")]
    drop: Vec<String>,

    /// Close the connection of a request, as API[:WORD…]
    #[arg(long, value_name = "RULE")]
    close: Vec<String>,
}

impl FaultArgs {
    pub(super) fn into_flags(self) -> FaultFlags {
        FaultFlags {
            fail: self.fail,
            delay: self.delay,
            drop: self.drop,
            close: self.close,
        }
    }
}
