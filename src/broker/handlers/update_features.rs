//! `UpdateFeatures`, versions 0–2: raises and lowers the levels of features (KIP-584), all in a request or none.
//!
//! - The new levels hold for clients and coordinators at once.
//!
//! <https://kafka.apache.org/protocol#The_Messages_UpdateFeatures>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::update_features_response::UpdatableFeatureResult;
use kafka_protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::controller::Refused;
use crate::broker::cluster::image::ClusterImage;
use crate::broker::cluster::records;
use crate::broker::features::{self, METADATA_VERSION};
use crate::broker::node::Node;

/// The upgrade types; version 0 of the request has a flag for the second.
const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;
const UNSAFE_DOWNGRADE: i8 = 3;

pub fn handle(
    node: &Arc<Node>,
    context: &RequestContext,
    request: UpdateFeaturesRequest,
) -> UpdateFeaturesResponse {
    let response = UpdateFeaturesResponse::default();
    let outcome = update(node, context.version, &request);
    let results = request.feature_updates.iter().map(|update| {
        let result = UpdatableFeatureResult::default().with_feature(update.feature.clone());
        result.with_error_message(None)
    });
    match outcome {
        // From version 2 on there is one error for all.
        Ok(()) if context.version < 2 => response.with_error_message(None).with_results(results.collect()),
        Ok(()) => response.with_error_message(None),
        Err((error, message)) => response
            .with_error_code(error.code())
            .with_error_message(Some(text(message))),
    }
}

fn update(node: &Node, version: i16, request: &UpdateFeaturesRequest) -> Result<(), Refused> {
    let mut change = node.cluster.change();
    let image = node.cluster.image();
    let mut made = records::Records::new();
    for update in &request.feature_updates {
        check(node, &image, version, update).map_err(|reason| {
            let message = format!(
                "The update failed for all features since the following feature had an error: Invalid update version \
                 {} for feature {}. {reason}",
                update.max_version_level,
                update.feature.as_str()
            );
            // Kafka has another message for a metadata downgrade that would lose something.
            match update.feature.as_str() {
                name if name == METADATA_VERSION.name && reason.starts_with("Unsupported") => (
                    ResponseError::InvalidUpdateVersion,
                    format!(
                        "The update failed for all features since the following feature had an error: {reason}"
                    ),
                ),
                _ => (ResponseError::InvalidUpdateVersion, message),
            }
        })?;
        made.extend(records::feature_level(&update.feature, update.max_version_level));
    }
    drop(image);
    if request.validate_only {
        return Ok(());
    }
    change
        .commit(&made)
        .map_err(|error| (ResponseError::KafkaStorageError, error.message()))
}

/// Whether a feature may be set to this level; the error is Kafka's message.
fn check(node: &Node, image: &ClusterImage, version: i16, update: &FeatureUpdateKey) -> Result<(), String> {
    let name = update.feature.as_str();
    let wanted = update.max_version_level;
    let upgrade_type = match (version, update.allow_downgrade) {
        (0, true) => SAFE_DOWNGRADE,
        (0, false) => UPGRADE,
        _ => update.upgrade_type,
    };
    if ![UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE].contains(&upgrade_type) {
        return Err("The controller does not support the given upgrade type.".to_owned());
    }
    if wanted < 0 {
        return Err("A feature version cannot be less than 0.".to_owned());
    }
    let Some(feature) = features::find(name) else {
        return Err(match wanted {
            0 => format!("Feature {name} not found."),
            _ => format!("Local controller {} does not support this feature.", node.id),
        });
    };
    if !(feature.min..=feature.max).contains(&wanted) {
        return Err(format!(
            "Local controller {} only supports versions {}-{}",
            node.id, feature.min, feature.max
        ));
    }
    let current = image.feature_level(feature);
    if wanted < current && upgrade_type == UPGRADE {
        return Err(
            "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe \
             downgrade."
                .to_owned(),
        );
    }
    if wanted > current && upgrade_type != UPGRADE {
        return Err("Can't downgrade to a newer version.".to_owned());
    }
    if wanted < current && name == METADATA_VERSION.name {
        return Err(format!(
            "Unsupported metadata.version downgrade from {current} to {wanted}. Refusing to perform the requested \
             downgrade because it might delete metadata information."
        ));
    }
    Ok(())
}
