//! The features of a cluster and their levels (KIP-584): `ApiVersions` v3–4, `UpdateFeatures` v0–2.
//!
//! <https://kafka.apache.org/protocol#The_Messages_UpdateFeatures>

use std::collections::BTreeMap;

use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::{ApiVersionsRequest, UpdateFeaturesRequest};
use kafka_protocol::protocol::StrBytes;

use super::{AdminClient, ApiError};
use crate::error::Result;
use crate::topic_partition::BrokerId;

/// Milliseconds that the controller has for a change, as in Java's client.
const TIMEOUT_MS: i32 = 60_000;

/// What the broker that was asked supports, and what is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// The lowest and the highest level of each feature.
    pub supported: BTreeMap<String, (i16, i16)>,
    /// The finalized level of each feature that has one.
    pub finalized: BTreeMap<String, i16>,
    /// The epoch of the finalized features; `None` before there was one.
    pub epoch: Option<i64>,
}

/// How far a change may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeType {
    Upgrade,
    /// A downgrade that loses nothing.
    SafeDowngrade,
    /// A downgrade that may lose metadata.
    UnsafeDowngrade,
}

/// The outcome of the changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureOutcomes {
    /// Of all together, as brokers since Kafka 4.0 report it.
    pub all: Result<(), ApiError>,
    /// Of each by itself, as older brokers report it.
    pub each: BTreeMap<String, Result<(), ApiError>>,
}

impl AdminClient {
    /// The features of a broker, or of any, and their levels.
    pub fn features(&mut self, broker: Option<BrokerId>) -> Result<Result<Features, ApiError>> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(env!("CARGO_PKG_NAME")))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let answer = match broker {
            Some(broker) => self.send_to(broker, request)?,
            None => self.send(request)?,
        };
        let supported = answer.supported_features.iter();
        let finalized = answer.finalized_features.iter();
        let features = Features {
            supported: supported
                .map(|feature| {
                    (
                        feature.name.to_string(),
                        (feature.min_version, feature.max_version),
                    )
                })
                .collect(),
            finalized: finalized
                .map(|feature| (feature.name.to_string(), feature.max_version_level))
                .collect(),
            epoch: Some(answer.finalized_features_epoch).filter(|epoch| *epoch >= 0),
        };
        Ok(ApiError::check(answer.error_code, None::<String>).map(|()| features))
    }

    /// Moves features to other levels; level 0 is off.
    pub fn update_features(
        &mut self,
        levels: &BTreeMap<String, i16>,
        how: UpgradeType,
        validate_only: bool,
    ) -> Result<FeatureOutcomes> {
        let answer = self.send_with(|version| {
            let updates = levels.iter().map(|(feature, level)| {
                let update = FeatureUpdateKey::default()
                    .with_feature(StrBytes::from_string(feature.clone()))
                    .with_max_version_level(*level);
                match version {
                    0 => update.with_allow_downgrade(how != UpgradeType::Upgrade),
                    1.. => update.with_upgrade_type(match how {
                        UpgradeType::Upgrade => 1,
                        UpgradeType::SafeDowngrade => 2,
                        UpgradeType::UnsafeDowngrade => 3,
                    }),
                    _ => update,
                }
            });
            UpdateFeaturesRequest::default()
                .with_timeout_ms(TIMEOUT_MS)
                .with_feature_updates(updates.collect())
                .with_validate_only(validate_only && version >= 1)
        })?;
        let each = answer.results.iter().map(|result| {
            let checked = ApiError::check(result.error_code, result.error_message.as_deref());
            (result.feature.to_string(), checked)
        });
        Ok(FeatureOutcomes {
            all: ApiError::check(answer.error_code, answer.error_message.as_deref()),
            each: each.collect(),
        })
    }
}
