//! The transaction coordinator: transactional ids, their producers, and the state of their transactions.
//!
//! [`transaction_machine`] is the pure state machine of one transactional id; [`coordinator`] is all of them
//! together, over the records of `__transaction_state`; [`markers`] writes transaction markers to partitions. Owns no
//! protocol message: the handlers translate.

mod alarm;
pub mod coordinator;
pub mod events;
pub mod held_back;
pub mod markers;
pub mod stored_transaction;
pub mod transaction_data;
pub mod transaction_machine;
pub mod transaction_state;

pub use alarm::run as run_alarm;
pub use coordinator::{TransactionConfig, TransactionCoordinator};
