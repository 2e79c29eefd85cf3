//! An unreliable network: a proxy that cuts connections after some bytes, or stops forwarding and leaves them open. All
//! choices come from one seed, which a failing test must print.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The most bytes that a connection carries before it is cut.
const MOST_BYTES: u64 = 400_000;

#[derive(Clone, Copy, Debug)]
enum Fate {
    Spared,
    CutAfter(u64),
    SilentAfter(u64),
}

/// A proxy in front of one address; it ends with the test's process.
#[derive(Debug)]
pub struct CuttingProxy {
    pub port: u16,
    pub seed: u64,
    target: Arc<Mutex<String>>,
    is_calm: Arc<AtomicBool>,
    /// How many connections were cut or fell silent.
    pub disturbed: Arc<AtomicU64>,
}

impl CuttingProxy {
    /// `KAFKIT_SEED` replays another run.
    pub fn start() -> Self {
        let given = std::env::var("KAFKIT_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(std::process::id()) << 16 | now());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            seed,
            target: Arc::default(),
            is_calm: Arc::default(),
            disturbed: Arc::default(),
        };
        let (target, is_calm) = (Arc::clone(&proxy.target), Arc::clone(&proxy.is_calm));
        let disturbed = Arc::clone(&proxy.disturbed);
        let mut random = Random(seed);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let fate = random.fate();
                let fate = if is_calm.load(Ordering::SeqCst) {
                    Fate::Spared
                } else {
                    fate
                };
                let target = target.lock().unwrap().clone();
                if let Ok(server) = TcpStream::connect(target) {
                    carry(client, server, fate, &disturbed);
                }
            }
        });
        proxy
    }

    /// Sets the address for later connections.
    pub fn lead_to(&self, address: String) {
        *self.target.lock().unwrap() = address;
    }

    /// Disturbs later connections, as at the start.
    pub fn stir_up(&self) {
        self.is_calm.store(false, Ordering::SeqCst);
    }

    /// Does not disturb later connections.
    pub fn calm_down(&self) {
        self.is_calm.store(true, Ordering::SeqCst);
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::from(now.unwrap().subsec_micros() & 0xffff)
}

/// Forwards bytes in both directions until the connection is cut or falls silent.
fn carry(client: TcpStream, server: TcpStream, fate: Fate, disturbed: &Arc<AtomicU64>) {
    let carried = Arc::new(AtomicU64::new(0));
    let directions = [
        (client.try_clone().unwrap(), server.try_clone().unwrap()),
        (server, client),
    ];
    for (from, to) in directions {
        let (carried, disturbed) = (Arc::clone(&carried), Arc::clone(disturbed));
        thread::spawn(move || carry_one_way(from, to, fate, &carried, &disturbed));
    }
}

fn carry_one_way(
    mut from: TcpStream,
    mut to: TcpStream,
    fate: Fate,
    carried: &AtomicU64,
    disturbed: &AtomicU64,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let before = carried.fetch_add(count as u64, Ordering::SeqCst);
        let (limit, is_silent) = match fate {
            Fate::Spared => (u64::MAX, false),
            Fate::CutAfter(limit) => (limit, false),
            Fate::SilentAfter(limit) => (limit, true),
        };
        // A frame may be cut anywhere.
        let part = limit.saturating_sub(before).min(count as u64) as usize;
        if to.write_all(&bytes[..part]).is_err() {
            break;
        }
        if part < count {
            disturbed.fetch_add(1, Ordering::SeqCst);
            if is_silent {
                // The connection stays open, but nothing reads or writes on it.
                std::mem::forget((from, to));
                return;
            }
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 |= 1;
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn fate(&mut self) -> Fate {
        let limit = self.next() % MOST_BYTES;
        match self.next() % 8 {
            0 => Fate::SilentAfter(limit),
            _ => Fate::CutAfter(limit),
        }
    }
}
