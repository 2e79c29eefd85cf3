//! A cluster that stops answering while moves are watched: the moves go on, and the cluster is asked again for a while.

use std::time::{Duration, Instant};

use crate::commands::context::Context;
use crate::error::{Kind, Result};

/// How long a cluster that does not answer is asked again.
const SILENCE: Duration = Duration::from_secs(300);

/// Since when no broker has answered.
#[derive(Debug, Default)]
pub(super) struct Patience(Option<Instant>);

impl Patience {
    /// The result of a look at the cluster; `None` where it could not be reached, an error when that has lasted longer
    /// than `SILENCE`. The first failure and the recovery are reported.
    pub(super) fn with<T>(&mut self, look: Result<T>, context: &mut Context) -> Result<Option<T>> {
        match look {
            Ok(seen) => {
                if self.0.take().is_some() {
                    context.printer.note("the cluster answers again");
                }
                Ok(Some(seen))
            }
            Err(error) if error.kind() == Kind::Unreachable => {
                let since = *self.0.get_or_insert_with(|| {
                    context
                        .printer
                        .note(format_args!("{error}; the moves go on, asking again"));
                    Instant::now()
                });
                if since.elapsed() > SILENCE {
                    Err(error)
                } else {
                    Ok(None)
                }
            }
            Err(error) => Err(error),
        }
    }
}
