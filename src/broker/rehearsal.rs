//! What a broker for tests does beside its work: injected faults, the versions of an older release, a line per
//! request.

use std::sync::Arc;

use kafka_protocol::messages::ApiKey;

use super::faults::table::Faults;
use super::releases::Release;

/// How the broker behaves so that clients can be tested with it. The default is a broker like any other.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// The rules in force, which may change while the broker runs.
    pub faults: Arc<Faults>,
    /// The release whose versions it serves; `None` for its own.
    pub release: Option<Release>,
    /// Whether it reports a line for each request.
    pub logs_requests: bool,
}

impl Rehearsal {
    /// The largest served version of an API, at most `largest`; `None` if the release has no such API.
    pub fn largest_version(&self, api: ApiKey, largest: i16) -> Option<i16> {
        match self.release {
            None => Some(largest),
            Some(release) => release
                .largest_version(api)
                .map(|of_release| of_release.min(largest)),
        }
    }

    /// Whether ApiVersions lists the features of the cluster.
    pub fn tells_features(&self) -> bool {
        self.release.is_none_or(Release::tells_features)
    }
}
