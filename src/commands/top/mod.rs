//! The steps of `kafkit top`: looks at the cluster on a thread of its own, keys and the screen on this one; or the same
//! figures as text, a number of times.

mod look;
mod sampler;

use std::io::{IsTerminal, stdout};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use super::command::{Command, Needs};
use super::context::Context;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::interrupt::{Grace, Interrupt};
use crate::monitor::page::Listing;
use crate::monitor::top_state::{Effect, Event, Interest, TopState};
use crate::output::Format;
use crate::output::top::report;
use crate::output::top::screen::{Input, Look, Screen, is_unicode};
use look::Lookout;

/// How long to wait for a key before signals and samples are handled.
const STEP: Duration = Duration::from_millis(100);
/// How often the screen is drawn without any event, so that ages are correct.
const REDRAW: Duration = Duration::from_secs(1);

/// What the user asked for.
#[derive(Debug)]
pub struct Action {
    /// The page that is shown first.
    pub listing: Listing,
    /// The time from one look to the next.
    pub every: Duration,
    /// Print figures this many times instead of showing a screen.
    pub count: Option<u64>,
    /// Show internal topics too.
    pub with_internal: bool,
}

impl Command for Action {
    fn needs(&self) -> Needs {
        Needs {
            lasts: true,
            ..Needs::ANSWERS
        }
    }

    fn run(self: Box<Self>, context: &mut Context) -> Result<()> {
        let interrupt = Interrupt::install_with_watchdog(Grace::OF_LOOKS)?;
        let mut state = TopState::new(&self.listing, self.every);
        state.with_internal = self.with_internal;
        // The looks need a client of their own, since they continue while keys are handled.
        let mut client = Client::new(context.client.settings().clone());
        client.wait_for_each_answer();
        client.admin()?;
        let is_table = context.printer.format() == Format::Table;
        if self.count.is_none() && is_table && has_screen() {
            let place = context
                .client
                .settings()
                .get("bootstrap.servers")
                .unwrap_or_default()
                .to_owned();
            let look = Look {
                place,
                is_coloured: context.printer.is_coloured(),
                is_unicode: is_unicode(),
            };
            return on_screen(client, state, look, &interrupt);
        }
        print(&self, client, &mut state, context, &interrupt)
    }
}

/// Whether stdout is a terminal with a screen that can be drawn on.
fn has_screen() -> bool {
    let can_draw = std::env::var_os("TERM").is_none_or(|name| name != "dumb");
    stdout().is_terminal() && can_draw
}

/// Prints the figures after each look, as often as the user asked.
fn print(
    action: &Action,
    client: Client,
    state: &mut TopState,
    context: &mut Context,
    interrupt: &Interrupt,
) -> Result<()> {
    let mut lookout = Lookout::new(client, action.every);
    let mut printed = 0;
    loop {
        let begun = Instant::now();
        let sample = lookout.look_at_all()?;
        state.handle(Event::Sample(Box::new(sample)), Instant::now());
        if lookout.looks() > 1 {
            report::print(&mut context.printer, state, &action.listing, printed == 0)?;
            printed += 1;
        }
        if printed >= action.count.unwrap_or(1) {
            break;
        }
        while begun.elapsed() < action.every {
            if interrupt.is_raised() {
                return Err(Error::interrupted());
            }
            if context.printer.has_lost_reader() {
                return Ok(());
            }
            thread::sleep(STEP.min(action.every.saturating_sub(begun.elapsed())));
        }
    }
    for complaint in &state.figures.complaints {
        context.printer.warning(complaint);
    }
    Ok(())
}

/// Shows the screen until the user leaves it.
fn on_screen(client: Client, mut state: TopState, look: Look, interrupt: &Interrupt) -> Result<()> {
    let (asks, asked) = mpsc::channel();
    let (sender, looks) = mpsc::channel();
    let lookout = Lookout::new(client, state.every());
    let mut screen = Screen::open(look)?;
    thread::Builder::new()
        .name("looks".to_owned())
        .spawn(move || sampler::run(lookout, &asked, &sender))?;
    let outcome = browse(&mut state, &mut screen, &asks, &looks, interrupt);
    drop(screen);
    outcome
}

fn browse(
    state: &mut TopState,
    screen: &mut Screen,
    asks: &Sender<Interest>,
    looks: &Receiver<Event>,
    interrupt: &Interrupt,
) -> Result<()> {
    let mut drawn: Option<Instant> = None;
    let mut events = vec![Event::Height(screen.height()?)];
    loop {
        let is_news = !events.is_empty();
        for event in events.drain(..) {
            match state.handle(event, Instant::now()) {
                Effect::Nothing => {}
                // The sampler lives as long as this function.
                Effect::Ask(interest) => drop(asks.send(interest)),
                Effect::Quit => return Ok(()),
                Effect::Interrupted => return Err(Error::interrupted()),
            }
        }
        if is_news || drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
            screen.draw(state, Instant::now())?;
            drawn = Some(Instant::now());
        }
        if interrupt.is_raised() {
            return Err(Error::interrupted());
        }
        match screen.next(STEP)? {
            Some(Input::Key(key)) => events.push(Event::Key(key)),
            Some(Input::Resized) => events.push(Event::Height(screen.height()?)),
            Some(Input::Suspend) => {
                screen.suspend()?;
                events.push(Event::Height(screen.height()?));
            }
            None => {}
        }
        match looks.try_recv() {
            Ok(event) => events.push(event),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Err(Error::failed("the looks at the cluster ended")),
        }
    }
}
