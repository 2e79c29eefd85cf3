//! A proxy that forwards nothing until it is opened: a cluster that is as slow as a test wants.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// A proxy in front of one address; it ends with the test's process.
#[derive(Debug)]
pub struct Gate {
    pub address: String,
    state: Arc<(Mutex<bool>, Condvar)>,
}

impl Gate {
    pub fn before(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let gate = Self {
            address: listener.local_addr().expect("its address").to_string(),
            state: Arc::default(),
        };
        let state = Arc::clone(&gate.state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (state, target) = (Arc::clone(&state), target.clone());
                thread::spawn(move || {
                    let open = state.1.wait_while(state.0.lock().expect("a lock"), |open| !*open);
                    drop(open);
                    if let Ok(server) = TcpStream::connect(target) {
                        carry(&client, &server);
                    }
                });
            }
        });
        gate
    }

    /// Forwards everything from this moment on, including what waits.
    pub fn open(&self) {
        *self.state.0.lock().expect("a lock") = true;
        self.state.1.notify_all();
    }
}

fn carry(client: &TcpStream, server: &TcpStream) {
    let ends = |from: &TcpStream, to: &TcpStream| Some((from.try_clone().ok()?, to.try_clone().ok()?));
    if let Some((mut from, mut to)) = ends(client, server) {
        thread::spawn(move || io::copy(&mut from, &mut to));
    }
    if let Some((mut from, mut to)) = ends(server, client) {
        let _ = io::copy(&mut from, &mut to);
    }
}
