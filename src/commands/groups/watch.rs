//! Many groups, watched: how far behind they are, how fast they read, when the lag is gone.

use std::thread;
use std::time::{Duration, Instant};

use super::inactive;
use crate::commands::context::Context;
use crate::error::{Error, Result};
use crate::interrupt::{Grace, Interrupt};
use crate::output::group_rates::Rates;

/// How long one wait between two looks lasts, so that an interrupt is seen.
const STEP: Duration = Duration::from_millis(50);

/// What to watch.
#[derive(Debug)]
pub struct Watch {
    /// These groups; all if empty.
    pub groups: Vec<String>,
    /// The interval between two looks.
    pub every: Duration,
    /// How many looks; `None` for no end.
    pub count: Option<u64>,
}

pub(super) fn run(watch: &Watch, context: &mut Context) -> Result<()> {
    let interrupt = Interrupt::install_with_watchdog(Grace::OF_LOOKS)?;
    let mut rates = Rates::default();
    let mut looks = 0;
    loop {
        let begun = Instant::now();
        let groups = context.client.admin()?.group_overview(&watch.groups)?;
        let is_there = |name: &&String| groups.iter().any(|group| group.listing.id == **name);
        if looks == 0
            && let Some(missing) = watch.groups.iter().find(|name| !is_there(name))
        {
            return Err(inactive::not_found(missing, context));
        }
        rates.show(&mut context.printer, &groups, begun)?;
        looks += 1;
        if watch.count.is_some_and(|count| looks >= count) {
            return Ok(());
        }
        while begun.elapsed() < watch.every {
            if interrupt.is_raised() {
                return Err(Error::interrupted());
            }
            if context.printer.has_lost_reader() {
                return Ok(());
            }
            thread::sleep(STEP.min(watch.every.saturating_sub(begun.elapsed())));
        }
    }
}
