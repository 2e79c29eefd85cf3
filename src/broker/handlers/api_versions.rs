//! ApiVersions, versions 0–4: what is served.
//!
//! - An unknown version is answered in version 0 with `UNSUPPORTED_VERSION` and the one range that matters (KIP-511).
//! - The client's software name and version are checked from v3 on.
//! - No feature is published: there is neither the new group protocol nor transactions.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ApiVersions>

use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};

use crate::broker::call::RequestContext;

/// `served` is the range of each API.
pub fn handle(
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
    ApiVersionsResponse::default().with_api_keys(served.collect())
}

/// The answer, in version 0, to a version that is not served; `own` is the range of ApiVersions itself.
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
