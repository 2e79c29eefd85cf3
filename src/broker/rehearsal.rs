//! What a broker for tests does beside its work: faults on purpose, an older release's versions, a line a request.

use std::sync::Arc;

use kafka_protocol::messages::ApiKey;

use super::faults::table::Faults;
use super::releases::Release;

/// How the broker behaves so that clients can be tested with it. By default as any other.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// The rules in force, which may change while the broker runs.
    pub faults: Arc<Faults>,
    /// The release whose versions it serves; its own where there is none.
    pub release: Option<Release>,
    /// Whether it reports a line for each request.
    pub logs_requests: bool,
}

impl Rehearsal {
    /// The largest version of an API that is served, of those up to `largest`; `None` where the release has no such API.
    pub fn largest_version(&self, api: ApiKey, largest: i16) -> Option<i16> {
        match self.release {
            None => Some(largest),
            Some(release) => release
                .largest_version(api)
                .map(|of_release| of_release.min(largest)),
        }
    }

    /// Whether clients are told the features of the cluster.
    pub fn tells_features(&self) -> bool {
        self.release.is_none_or(Release::tells_features)
    }
}
