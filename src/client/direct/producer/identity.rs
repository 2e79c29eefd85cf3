//! The producer id, requested once, and the producer epoch, for idempotence (KIP-98, KIP-360).

use std::time::Instant;

use kafka_protocol::messages::InitProducerIdRequest;

use super::partition_queue::{Failure, Identity};
use super::{DirectSink, Note, failures};
use crate::client::record_sink::DeliveryListener;
use crate::error::Kind;
use crate::wire::{WireError, error_codes as codes};

/// The last epoch that a producer may raise by itself.
const LAST_EPOCH: i16 = i16::MAX - 1;

/// The state of the producer id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdentityState {
    Unknown { ask_at: Instant },
    Asked,
    Known(Identity),
}

impl DirectSink {
    pub(super) fn ask_for_identity(&mut self) {
        let IdentityState::Unknown { ask_at } = self.identity_state else {
            return;
        };
        if !self.rules.is_idempotent || ask_at > Instant::now() {
            return;
        }
        let Some(node) = self.session.any_node() else {
            return;
        };
        let timeout = self.settings.request_timeout;
        let Some(mut link) = self.session.channel(node) else {
            return;
        };
        let request = |_| {
            InitProducerIdRequest::default()
                .with_transactional_id(None)
                .with_transaction_timeout_ms(i32::MAX)
        };
        match link.send(request, i16::MAX, timeout, Note::ProducerId) {
            Ok(()) => self.identity_state = IdentityState::Asked,
            // A listener that has answered nothing yet may be about to refuse us, which is the better error.
            Err(WireError::Unsupported(_)) if self.session.answers() == 0 => {}
            Err(error) => self.session.close(node, error),
        }
    }

    pub(super) fn ask_for_identity_later(&mut self) {
        self.identity_state = IdentityState::Unknown {
            ask_at: Instant::now() + self.settings.cluster.retry.after(1),
        };
    }

    pub(super) fn refused_identity(&mut self, code: i16, listener: &mut dyn DeliveryListener) {
        match code {
            codes::REQUEST_TIMED_OUT
            | codes::NETWORK_EXCEPTION
            | codes::COORDINATOR_LOAD_IN_PROGRESS
            | codes::COORDINATOR_NOT_AVAILABLE
            | codes::NOT_COORDINATOR
            | codes::CONCURRENT_TRANSACTIONS => self.ask_for_identity_later(),
            codes::CLUSTER_AUTHORIZATION_FAILED => self.give_up(code, Kind::Denied, listener),
            _ => self.give_up(code, Kind::Failed, listener),
        }
    }

    /// Raises the epoch, since sequence numbers of `used` are missing (KIP-360).
    pub(super) fn bump(&mut self, used: Identity) {
        if self.identity_state != IdentityState::Known(used) {
            return;
        }
        if self.transactional_id.is_some() {
            // Sequence numbers are missing: the transaction cannot be committed, and its owner must abort it.
            let code = codes::OUT_OF_ORDER_SEQUENCE_NUMBER;
            let failure = Failure::Refused {
                code,
                kind: Kind::Failed,
                may_be_written: true,
            };
            self.fatal.get_or_insert((failure, failures::refused(code)));
            return;
        }
        self.identity_state = if used.epoch < LAST_EPOCH {
            IdentityState::Known(Identity {
                id: used.id,
                epoch: used.epoch + 1,
            })
        } else {
            IdentityState::Unknown {
                ask_at: Instant::now(),
            }
        };
    }

    pub(super) fn identity(&self) -> Option<Identity> {
        match self.identity_state {
            IdentityState::Known(identity) => Some(identity),
            IdentityState::Unknown { .. } | IdentityState::Asked => None,
        }
    }
}
