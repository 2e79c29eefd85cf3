//! The terminal: taken over for a while, drawn on, read from, and restored however the program ends.

use std::io::{self, IsTerminal, Stdout};
use std::mem::ManuallyDrop;
use std::panic;
use std::time::{Duration, Instant};

use ratatui_core::backend::Backend as _;
use ratatui_core::terminal::Terminal;
use ratatui_crossterm::CrosstermBackend;
use ratatui_crossterm::crossterm::cursor::{Hide, Show};
use ratatui_crossterm::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui_crossterm::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui_crossterm::crossterm::{execute, style::force_color_output};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::draw;
use crate::error::{Error, Result};
use crate::monitor::top_state::{Key, TopState};
use crate::output::spark::Bars;

/// The interval at which the size of the terminal is checked.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What the terminal can show, and the name of the cluster on it.
#[derive(Clone, Debug)]
pub struct Look {
    /// The bootstrap servers as the user gave them.
    pub place: String,
    pub is_coloured: bool,
    pub is_unicode: bool,
}

impl Look {
    pub(super) fn bars(&self) -> Bars {
        if self.is_unicode {
            Bars::BLOCKS
        } else {
            Bars::ASCII
        }
    }

    pub(super) fn arrow(&self, is_descending: bool) -> char {
        match (self.is_unicode, is_descending) {
            (true, true) => '▼',
            (true, false) => '▲',
            (false, true) => 'v',
            (false, false) => '^',
        }
    }

    /// The character in place of the end of a word that was cut.
    pub(super) fn cut(&self) -> char {
        if self.is_unicode { '…' } else { '~' }
    }
}

/// What came from the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Key(Key),
    /// The size of the screen has changed.
    Resized,
    /// Ctrl-Z.
    Suspend,
}

/// The terminal while it is ours.
#[derive(Debug)]
pub struct Screen {
    /// Never dropped: its destructor fails on a terminal that hung up, reports that on stderr, and panics there.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
    look: Look,
}

/// Whether the locale is UTF-8, by the rules of C programs (`LC_ALL`, `LC_CTYPE`, `LANG`).
pub fn is_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty());
    let locale = locale.unwrap_or_default().to_string_lossy().to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

impl Screen {
    /// Takes the terminal over. It is restored when this is dropped, and before a panic is printed.
    pub fn open(look: Look) -> Result<Self> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
        force_color_output(look.is_coloured);
        take_over()?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout())).map_err(no_terminal);
        let terminal = terminal.inspect_err(|_| give_back())?;
        Ok(Self {
            terminal: ManuallyDrop::new(terminal),
            look,
        })
    }

    /// How many rows fit on the screen.
    pub fn height(&self) -> Result<usize> {
        let size = self.terminal.size().map_err(no_terminal)?;
        Ok(draw::rows_of(size.height))
    }

    pub fn draw(&mut self, state: &TopState, now: Instant) -> Result<()> {
        let look = &self.look;
        let drawn = self
            .terminal
            .draw(|frame| draw::draw(state, look, now, frame.buffer_mut()));
        drawn.map(|_| ()).map_err(no_terminal)
    }

    /// The next key or change of size, if one comes within `wait`.
    ///
    /// # Errors
    ///
    /// The terminal is gone.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Input>> {
        wait_for_key(wait)?;
        if !event::poll(Duration::ZERO).map_err(no_terminal)? {
            return Ok(None);
        }
        Ok(match event::read().map_err(no_terminal)? {
            Event::Key(key) if key.kind != KeyEventKind::Release => input(key),
            Event::Resize(..) => Some(Input::Resized),
            _ => None,
        })
    }

    /// Restores the terminal, suspends the process for the shell, and takes the terminal over when it continues.
    pub fn suspend(&mut self) -> Result<()> {
        give_back();
        // The shell that started us sees a stopped job.
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)
            .map_err(|error| no_terminal(error.into()))?;
        take_over()?;
        self.terminal.backend_mut().clear().map_err(no_terminal)?;
        self.terminal.clear().map_err(no_terminal)
    }
}

/// Waits for input on the terminal, or for a signal. The library would loop without a pause on a terminal that hung up.
fn wait_for_key(wait: Duration) -> Result<()> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        std::thread::sleep(wait.min(LOOK_AGAIN));
        return Ok(());
    }
    let timeout = Timespec::try_from(wait.min(LOOK_AGAIN)).ok();
    let mut keyboard = [PollFd::new(&stdin, PollFlags::IN)];
    match poll(&mut keyboard, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(no_terminal(error.into())),
    }
    let is_gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    if keyboard
        .iter()
        .any(|keyboard| keyboard.revents().intersects(is_gone))
    {
        return Err(Error::failed("the terminal hung up"));
    }
    Ok(())
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take_over() -> Result<()> {
    enable_raw_mode().map_err(no_terminal)?;
    let taken = execute!(io::stdout(), EnterAlternateScreen, Hide);
    taken.inspect_err(|_| give_back()).map_err(no_terminal)
}

/// Restores the terminal; errors do not matter when it has gone.
fn give_back() {
    let _ = execute!(io::stdout(), Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
}

fn no_terminal(error: io::Error) -> Error {
    Error::from(error).context("cannot use the terminal")
}

/// The meaning of a key; `None` for keys without one.
fn input(key: KeyEvent) -> Option<Input> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Input::Key(Key::Interrupt)),
            KeyCode::Char('z') => Some(Input::Suspend),
            KeyCode::Char('u') => Some(Input::Key(Key::ClearLine)),
            KeyCode::Char('f') => Some(Input::Key(Key::PageDown)),
            KeyCode::Char('b') => Some(Input::Key(Key::PageUp)),
            KeyCode::Char('n') => Some(Input::Key(Key::Down)),
            KeyCode::Char('p') => Some(Input::Key(Key::Up)),
            KeyCode::Char('h') => Some(Input::Key(Key::Backspace)),
            KeyCode::Char('l') => Some(Input::Resized),
            _ => None,
        };
    }
    let key = match key.code {
        KeyCode::Char(letter) => Key::Char(letter),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        _ => return None,
    };
    Some(Input::Key(key))
}
