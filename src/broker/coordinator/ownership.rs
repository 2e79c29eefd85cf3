//! Which partitions of its topic a coordinator is in charge of: those that its node leads and that it has read.
//!
//! Pure. A change of leaders is told with its epoch; what an older one asks for is left undone.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kafka_protocol::ResponseError;

use super::lock;

/// How far a coordinator is with a partition that its node leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned {
    epoch: i32,
    is_loaded: bool,
}

/// The partitions of one coordinator.
#[derive(Debug)]
pub enum Ownership {
    /// There is no other node: all of them.
    Everything,
    /// Those that the node leads, and the epochs of the others, of which a later load is out of date.
    Led(Mutex<BTreeMap<i32, Result<Owned, i32>>>),
}

impl Ownership {
    /// None yet, of a cluster with several nodes.
    pub fn of_several() -> Self {
        Self::Led(Mutex::default())
    }

    pub fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// Whether requests about this partition are answered here.
    ///
    /// # Errors
    ///
    /// `NOT_COORDINATOR`, or `COORDINATOR_LOAD_IN_PROGRESS`.
    pub fn check(&self, partition: i32) -> Result<(), ResponseError> {
        let Self::Led(partitions) = self else {
            return Ok(());
        };
        match lock(partitions).get(&partition) {
            Some(Ok(Owned { is_loaded: true, .. })) => Ok(()),
            Some(Ok(_)) => Err(ResponseError::CoordinatorLoadInProgress),
            Some(Err(_)) | None => Err(ResponseError::NotCoordinator),
        }
    }

    /// The node leads the partition since `epoch`: it has to be read. False if that is known.
    pub fn elected(&self, partition: i32, epoch: i32) -> bool {
        self.change(partition, epoch, |epoch| {
            Ok(Owned {
                epoch,
                is_loaded: false,
            })
        })
    }

    /// Another node leads the partition since `epoch`, or it is gone. False if that is known.
    pub fn resigned(&self, partition: i32, epoch: i32) -> bool {
        self.change(partition, epoch, Err)
    }

    /// The partition is not on this node any more. It may come back with the epochs of another topic.
    pub fn forget(&self, partition: i32) -> bool {
        let Self::Led(partitions) = self else { return false };
        lock(partitions).remove(&partition).is_some()
    }

    fn change(&self, partition: i32, epoch: i32, into: impl FnOnce(i32) -> Result<Owned, i32>) -> bool {
        let Self::Led(partitions) = self else { return false };
        let mut partitions = lock(partitions);
        let next = into(epoch);
        let is_news = match partitions.get(&partition) {
            Some(Ok(owned)) => epoch > owned.epoch || (epoch == owned.epoch && next.is_err()),
            Some(Err(known)) => epoch > *known,
            None => true,
        };
        if is_news {
            partitions.insert(partition, next);
        }
        is_news
    }

    /// The partition was read for `epoch`. False if that does not count any more.
    pub fn loaded(&self, partition: i32, epoch: i32) -> bool {
        let Self::Led(partitions) = self else { return true };
        match lock(partitions).get_mut(&partition) {
            Some(Ok(owned)) if owned.epoch == epoch => {
                owned.is_loaded = true;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_owned_once_it_is_read_and_until_another_leads_it() {
        let ownership = Ownership::of_several();
        assert_eq!(ownership.check(0), Err(ResponseError::NotCoordinator));
        assert!(ownership.elected(0, 3));
        assert_eq!(ownership.check(0), Err(ResponseError::CoordinatorLoadInProgress));
        assert!(!ownership.loaded(0, 2));
        assert!(ownership.loaded(0, 3));
        // What is told twice is read once.
        assert!(!ownership.elected(0, 3));
        assert_eq!(ownership.check(0), Ok(()));
        assert!(ownership.resigned(0, 4));
        assert_eq!(ownership.check(0), Err(ResponseError::NotCoordinator));
        assert!(!ownership.loaded(0, 3));
        // What is told late changes nothing.
        assert!(!ownership.elected(0, 3));
        assert_eq!(ownership.check(0), Err(ResponseError::NotCoordinator));
    }

    #[test]
    fn a_single_node_owns_everything() {
        assert_eq!(Ownership::Everything.check(7), Ok(()));
        assert!(Ownership::Everything.loaded(7, 0));
    }
}
