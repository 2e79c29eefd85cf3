//! The transaction coordinator: transactional ids, their producers, and how far their transactions are.
//!
//! [`transaction_machine`] is the state machine of one transactional id, pure; [`coordinator`] all of them together,
//! over the records of `__transaction_state`; [`markers`] writes the ends of transactions to partitions. Owns no
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
