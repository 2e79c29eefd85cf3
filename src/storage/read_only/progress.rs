//! How a walk over a log reports how far it has come.

/// Receives how far a walk has come. The threads of a walk share it.
pub trait WalkProgress: Sync {
    /// All bytes before `position` have been worked on, counted from where the walk began.
    fn at(&self, position: u64);
}

/// Ignores the progress.
#[derive(Clone, Copy, Debug)]
pub struct NoProgress;

impl WalkProgress for NoProgress {
    fn at(&self, _position: u64) {}
}
