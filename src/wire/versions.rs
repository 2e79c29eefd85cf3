//! ApiVersions: the highest version of each API that both sides know.

use kafka_protocol::messages::ApiVersionsResponse;
use kafka_protocol::protocol::{Message, Request, VersionRange};

use super::error::{WireError, api_name};

/// The API versions that a broker says it serves.
#[derive(Clone, Debug, Default)]
pub struct ApiVersions {
    ranges: Vec<(i16, VersionRange)>,
}

impl ApiVersions {
    pub fn of(response: &ApiVersionsResponse) -> Self {
        let ranges = response.api_keys.iter().map(|api| {
            let range = VersionRange {
                min: api.min_version,
                max: api.max_version,
            };
            (api.api_key, range)
        });
        Self {
            ranges: ranges.collect(),
        }
    }

    /// The versions of one API that the broker serves; `None` when it does not know the API.
    pub fn range(&self, api_key: i16) -> Option<VersionRange> {
        self.ranges
            .iter()
            .find(|(key, _)| *key == api_key)
            .map(|(_, range)| *range)
    }

    /// Every API the broker serves, in the broker's order.
    pub fn iter(&self) -> impl Iterator<Item = (i16, VersionRange)> + '_ {
        self.ranges.iter().copied()
    }

    /// The highest version of `R` that both sides know.
    pub fn highest<R: Request>(&self) -> Result<i16, WireError> {
        self.highest_up_to::<R>(i16::MAX)
    }

    /// The highest version of `R` that both sides know and that is not above `limit`.
    pub fn highest_up_to<R: Request>(&self, limit: i16) -> Result<i16, WireError> {
        let ours = <R as Message>::VERSIONS;
        let Some(theirs) = self.range(R::KEY) else {
            return Err(WireError::Unsupported(format!(
                "the broker does not know {}",
                api_name(R::KEY)
            )));
        };
        let common = ours.intersect(&theirs);
        let highest = common.max.min(limit);
        if highest < common.min {
            return Err(WireError::Unsupported(format!(
                "no common version of {}: the broker serves {} to {}, kafkit speaks {} to {}",
                api_name(R::KEY),
                theirs.min,
                theirs.max,
                ours.min,
                ours.max.min(limit),
            )));
        }
        Ok(highest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::api_versions_response::ApiVersion;
    use kafka_protocol::messages::{ApiKey, CreateTopicsRequest, MetadataRequest};

    fn serves(key: ApiKey, min: i16, max: i16) -> ApiVersions {
        let api = ApiVersion::default()
            .with_api_key(key as i16)
            .with_min_version(min)
            .with_max_version(max);
        ApiVersions::of(&ApiVersionsResponse::default().with_api_keys(vec![api]))
    }

    #[test]
    fn the_highest_version_both_sides_know() {
        assert_eq!(
            serves(ApiKey::Metadata, 0, 5)
                .highest::<MetadataRequest>()
                .unwrap(),
            5
        );
        let ours = MetadataRequest::VERSIONS.max;
        assert_eq!(
            serves(ApiKey::Metadata, 0, 99)
                .highest::<MetadataRequest>()
                .unwrap(),
            ours
        );
        assert_eq!(
            serves(ApiKey::Metadata, 0, 99)
                .highest_up_to::<MetadataRequest>(7)
                .unwrap(),
            7
        );
    }

    #[test]
    fn no_common_version_says_what_each_side_has() {
        let refusal = serves(ApiKey::CreateTopics, 0, 1)
            .highest::<CreateTopicsRequest>()
            .unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "no common version of CreateTopics: the broker serves 0 to 1, kafkit speaks 2 to 7"
        );
        let refusal = serves(ApiKey::Metadata, 0, 1)
            .highest::<CreateTopicsRequest>()
            .unwrap_err();
        assert_eq!(refusal.to_string(), "the broker does not know CreateTopics");
    }
}
