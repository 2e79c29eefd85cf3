//! SIGINT, SIGTERM and SIGHUP as a flag that long work looks at between steps.
//!
//! The first signal asks for an orderly end, the second for an end at once; whoever handles the first takes it, which
//! lowers the flag for the second. Where a thread of an engine may hang, a watchdog ends the process when the orderly
//! end takes too long.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{Error, Result};

/// The number of the last signal that this process received; 0 before the first.
static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// The exit code that shells show for the last signal: 128 plus its number; 130 if there was none.
pub fn exit_code() -> u8 {
    match SIGNAL.load(Ordering::Relaxed) {
        0 => 130,
        signal => u8::try_from(128 + signal).unwrap_or(130),
    }
}

/// Whether the process ignores SIGHUP, as under `nohup`; known on Linux alone.
fn outlives_its_terminal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}

/// The signals that ask a command to end.
fn signals() -> impl Iterator<Item = i32> {
    let hang_up = (!outlives_its_terminal()).then_some(SIGHUP);
    [SIGINT, SIGTERM].into_iter().chain(hang_up)
}

/// How long the process may run after a second signal.
const AFTER_SECOND: Duration = Duration::from_millis(700);
/// How long writing the last line may take, to a pipe without a reader for example.
const LAST_LINE: Duration = Duration::from_millis(50);

/// How long the orderly end of a command may take.
#[derive(Clone, Copy, Debug)]
pub struct Grace {
    /// After Ctrl-C.
    pub interrupt: Duration,
    /// After SIGTERM or SIGHUP, whose sender is often in a hurry.
    pub terminate: Duration,
}

impl Grace {
    /// For a command that samples a cluster repeatedly, and leaves nothing to clean up.
    pub const OF_LOOKS: Self = Self {
        interrupt: Duration::from_millis(800),
        terminate: Duration::from_millis(800),
    };
    /// For a command that moves many records and saves its progress. If it is ended early, the next run detects that.
    pub const OF_TRANSFERS: Self = Self {
        interrupt: Duration::from_secs(3),
        terminate: Duration::from_millis(800),
    };
}

/// The flag, shared by everything that waits.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    raised: Arc<AtomicBool>,
}

impl Interrupt {
    /// A flag that SIGINT, SIGTERM and SIGHUP raise from now on, instead of killing the process.
    pub fn install() -> Result<Self> {
        let interrupt = Self::default();
        for signal in signals() {
            interrupt.hear(signal)?;
        }
        Ok(interrupt)
    }

    /// The same, and a second signal ends the process at once.
    pub fn install_ending_at_the_second() -> Result<Self> {
        let interrupt = Self::default();
        for signal in signals() {
            // The order matters: the second signal finds the flag that the first one set.
            let raised = Arc::clone(&interrupt.raised);
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, raised)
                .map_err(|error| Error::from(error).context("watching for Ctrl-C"))?;
            interrupt.hear(signal)?;
        }
        Ok(interrupt)
    }

    fn hear(&self, signal: i32) -> Result<()> {
        let number = usize::try_from(signal).unwrap_or_default();
        signal_hook::flag::register_usize(signal, Arc::clone(&SIGNAL), number)
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&self.raised)))
            .map_err(|error| Error::from(error).context("watching for Ctrl-C"))?;
        Ok(())
    }

    /// The same, and a watchdog ends the process by force when it still runs `grace` after a signal, or a moment after
    /// a second one, whatever its threads do.
    pub fn install_with_watchdog(grace: Grace) -> Result<Self> {
        let interrupt = Self::install()?;
        let watch = || -> std::io::Result<()> {
            let (heard, writer) = UnixStream::pair()?;
            for signal in signals() {
                signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
            }
            thread::Builder::new()
                .name("watchdog".to_owned())
                .spawn(move || watch(heard, grace))?;
            Ok(())
        };
        watch().map_err(|error| Error::from(error).context("watching for Ctrl-C"))?;
        Ok(interrupt)
    }

    /// Whether a signal came since the last `take`.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// Whether a signal came; lowers the flag for the next one.
    pub fn take(&self) -> bool {
        self.raised.swap(false, Ordering::Relaxed)
    }
}

/// Waits for signals; ends the process by force when it does not end by itself.
fn watch(mut signals: UnixStream, grace: Grace) {
    let mut byte = [0];
    if signals.read_exact(&mut byte).is_err() {
        return;
    }
    let patience = match SIGNAL.load(Ordering::Relaxed) {
        signal if i32::try_from(signal) == Ok(SIGINT) => grace.interrupt,
        _ => grace.terminate,
    };
    if signals.set_read_timeout(Some(patience)).is_ok() && signals.read_exact(&mut byte).is_ok() {
        thread::sleep(AFTER_SECOND);
    }
    thread::spawn(|| {
        let _ = std::io::stderr().write_all(b"kafkit: ended by a signal before all was done\n");
    });
    thread::sleep(LAST_LINE);
    signal_hook::low_level::exit(i32::from(exit_code()));
}
