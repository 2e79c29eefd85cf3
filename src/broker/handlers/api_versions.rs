//! ApiVersions, versions 0–4: which APIs are served in which versions.
//!
//! - An unsupported version is answered in version 0 with `UNSUPPORTED_VERSION` and the range of this API (KIP-511).
//! - The client's software name and version are checked from v3 on.
//! - The features of the cluster (KIP-584) come from v3 on.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ApiVersions>

use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::image::ClusterImage;
use crate::broker::features::FEATURES;

/// `served`: the range of each API.
pub(in crate::broker) fn handle(
    image: &ClusterImage,
    context: &RequestContext,
    request: &ApiVersionsRequest,
    served: impl Iterator<Item = ApiVersion>,
) -> ApiVersionsResponse {
    if context.version >= 3
        && !(is_software_word(&request.client_software_name)
            && is_software_word(&request.client_software_version))
    {
        return ApiVersionsResponse::default().with_error_code(ResponseError::InvalidRequest.code());
    }
    let response = ApiVersionsResponse::default().with_api_keys(served.collect());
    if context.version < 3 {
        return response;
    }
    // Clients before v4 cannot read a lowest level of 0 (KAFKA-17011): such a feature is left out for them.
    let supported = FEATURES
        .iter()
        .filter(|feature| context.version >= 4 || feature.min > 0);
    let supported = supported.map(|feature| {
        SupportedFeatureKey::default()
            .with_name(text(feature.name))
            .with_min_version(feature.min)
            .with_max_version(feature.max)
    });
    let levels = FEATURES
        .iter()
        .map(|feature| (feature.name, image.feature_level(feature)));
    let finalized = levels.filter(|(_, level)| *level > 0).map(|(name, level)| {
        FinalizedFeatureKey::default()
            .with_name(text(name))
            .with_min_version_level(level)
            .with_max_version_level(level)
    });
    response
        .with_supported_features(supported.collect())
        .with_finalized_features_epoch(image.features_epoch())
        .with_finalized_features(finalized.collect())
}

/// The answer, in version 0, to an unsupported version; `own` is the range of ApiVersions itself.
pub fn unsupported_version(own: impl Iterator<Item = ApiVersion>) -> ApiVersionsResponse {
    ApiVersionsResponse::default()
        .with_error_code(ResponseError::UnsupportedVersion.code())
        .with_api_keys(own.collect())
}

/// Letters and digits, with `-` and `.` between them.
fn is_software_word(word: &str) -> bool {
    let edge = |character: Option<char>| character.is_some_and(|character| character.is_ascii_alphanumeric());
    edge(word.chars().next())
        && edge(word.chars().last())
        && word
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '-' || character == '.')
}
