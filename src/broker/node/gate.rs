//! The gate of a node: while it is closed because the node is paused, no request is answered and nothing is copied.

use tokio::sync::watch;

/// Open at first.
#[derive(Debug)]
pub(in crate::broker) struct Gate(watch::Sender<bool>);

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(true))
    }
}

impl Gate {
    pub(in crate::broker) fn set_open(&self, is_open: bool) {
        self.0.send_replace(is_open);
    }

    pub(in crate::broker) fn is_open(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when the gate is open.
    pub(in crate::broker) async fn open(&self) {
        if !self.is_open() {
            let _ = self.0.subscribe().wait_for(|is_open| *is_open).await;
        }
    }
}
