//! `AlterUserScramCredentials`, version 0: sets and deletes SCRAM credentials of users.
//!
//! - The client sends the salted password; the broker keeps keys derived from it.
//! - Each user by itself: a user that is refused does not keep others from being changed.
//!
//! <https://kafka.apache.org/protocol#The_Messages_AlterUserScramCredentials>

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use kafka_protocol::messages::{AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller::{Refused, named_twice};
use crate::broker::cluster::records::{self, Records};
use crate::broker::cluster::scram_credentials::{ScramChange, ScramCredentials, decide};
use crate::broker::node::Node;

pub fn handle(
    node: &Arc<Node>,
    _: &RequestContext,
    request: AlterUserScramCredentialsRequest,
) -> AlterUserScramCredentialsResponse {
    let deletions = request.deletions.iter().map(|deletion| ScramChange {
        user: &deletion.name,
        mechanism: deletion.mechanism,
        upsertion: None,
    });
    let upsertions = request.upsertions.iter().map(|upsertion| ScramChange {
        user: &upsertion.name,
        mechanism: upsertion.mechanism,
        upsertion: Some((&upsertion.salt, &upsertion.salted_password, upsertion.iterations)),
    });
    let changes: Vec<ScramChange<'_>> = deletions.chain(upsertions).collect();
    let results = alter(node, &changes).into_iter().map(|(user, outcome)| {
        let result = AlterUserScramCredentialsResult::default().with_user(text(user));
        match outcome {
            Ok(()) => result.with_error_message(None),
            Err((error, message)) => result
                .with_error_code(error.code())
                .with_error_message(Some(text(message))),
        }
    });
    AlterUserScramCredentialsResponse::default().with_results(results.collect())
}

/// The outcome for each user: all of its changes are made, or none.
fn alter<'a>(node: &Node, changes: &[ScramChange<'a>]) -> BTreeMap<&'a str, Result<(), Refused>> {
    let twice: HashSet<(&str, i8)> =
        named_twice(changes.iter().map(|change| (change.user, change.mechanism)));
    let mut held = node.cluster.change();
    let image = node.cluster.image();
    let mut outcomes: BTreeMap<&str, Result<Records, Refused>> = BTreeMap::new();
    for change in changes {
        let outcome = outcomes.entry(change.user).or_insert_with(|| Ok(Records::new()));
        let Ok(made) = outcome else { continue };
        match record(image.scram_credentials(), *change) {
            // As in Kafka, "nothing to delete" is checked before "named twice".
            Err(refused) if change.upsertion.is_none() => *outcome = Err(refused),
            _ if twice.contains(&(change.user, change.mechanism)) => {
                let message = "A user credential cannot be altered twice in the same request".to_owned();
                *outcome = Err((ResponseError::DuplicateResource, message));
            }
            Ok(record) => made.extend(record),
            Err(refused) => *outcome = Err(refused),
        }
    }
    drop(image);
    let commit = |made: Records, held: &mut crate::broker::cluster::Change<'_>| {
        held.commit(&made)
            .map_err(|error| (ResponseError::KafkaStorageError, error.message()))
    };
    outcomes
        .into_iter()
        .map(|(user, outcome)| (user, outcome.and_then(|made| commit(made, &mut held))))
        .collect()
}

fn record(known: &ScramCredentials, change: ScramChange<'_>) -> Result<Records, Refused> {
    let decided = decide(known, change)?;
    Ok(records::scram_credential(
        change.user,
        change.mechanism,
        decided.as_ref(),
    ))
}
