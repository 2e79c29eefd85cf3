//! Which partitions of its topic a coordinator is in charge of: those that its node leads and that it has loaded.
//!
//! Pure. A change of leader comes with its epoch; an event of an older epoch is ignored.

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
    /// All of them: there is no other node.
    Everything,
    /// `Ok` for the partitions that the node leads, `Err` with the last leader epoch for others: an older election is
    /// ignored.
    Led(Mutex<BTreeMap<i32, Result<Owned, i32>>>),
}

impl Ownership {
    /// None yet, in a cluster of several nodes.
    pub fn of_several() -> Self {
        Self::Led(Mutex::default())
    }

    pub fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// Whether this node answers requests about the partition.
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

    /// The node leads the partition since `epoch`, and has to load it. Returns false if that is known already.
    pub fn elected(&self, partition: i32, epoch: i32) -> bool {
        self.change(partition, epoch, |epoch| {
            Ok(Owned {
                epoch,
                is_loaded: false,
            })
        })
    }

    /// Another node leads the partition since `epoch`. Returns false if that is known already.
    pub fn resigned(&self, partition: i32, epoch: i32) -> bool {
        self.change(partition, epoch, Err)
    }

    /// The partition is not on this node any more. It may return with the epochs of another topic.
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

    /// The partition was loaded for `epoch`. Returns false if a later event has made that obsolete.
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
        // A repeated event does nothing.
        assert!(!ownership.elected(0, 3));
        assert_eq!(ownership.check(0), Ok(()));
        assert!(ownership.resigned(0, 4));
        assert_eq!(ownership.check(0), Err(ResponseError::NotCoordinator));
        assert!(!ownership.loaded(0, 3));
        // A late event does nothing.
        assert!(!ownership.elected(0, 3));
        assert_eq!(ownership.check(0), Err(ResponseError::NotCoordinator));
    }

    #[test]
    fn a_single_node_owns_everything() {
        assert_eq!(Ownership::Everything.check(7), Ok(()));
        assert!(Ownership::Everything.loaded(7, 0));
    }
}
