//! A cluster that does not answer while moves are watched: it moves on all the same, and is asked again for a while.

use std::time::{Duration, Instant};

use crate::commands::context::Context;
use crate::error::{Kind, Result};

/// How long a cluster that does not answer is asked again.
const SILENCE: Duration = Duration::from_secs(300);

/// Since when no broker answers.
#[derive(Debug, Default)]
pub(super) struct Patience(Option<Instant>);

impl Patience {
    /// What a look at the cluster brought; nothing where it could not be reached, until that has lasted too long. The
    /// first and the last of such looks are told.
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
