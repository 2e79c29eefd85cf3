//! ApiVersions, versions 0–4: what is served.
//!
//! - An unknown version is answered in version 0 with `UNSUPPORTED_VERSION` and the one range that matters (KIP-511).
//! - The client's software name and version are checked from v3 on.
//! - No feature is published: there is neither the new group protocol nor transactions.
//!
//! <https://kafka.apache.org/protocol#The_Messages_ApiVersions>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse};

use crate::broker::Broker;
use crate::broker::apis::APIS;
use crate::broker::call::RequestContext;
use crate::broker::response::{self, Answer, Refusal};

pub fn handle(_: &Arc<Broker>, context: &RequestContext, request: ApiVersionsRequest) -> ApiVersionsResponse {
    if context.version >= 3
        && !(is_software_word(&request.client_software_name)
            && is_software_word(&request.client_software_version))
    {
        return ApiVersionsResponse::default().with_error_code(ResponseError::InvalidRequest.code());
    }
    let served = APIS.iter().map(|api| {
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(api.advertised_min)
            .with_max_version(api.max)
    });
    ApiVersionsResponse::default().with_api_keys(served.collect())
}

/// The answer to a version that is not served: the body is not looked at.
pub fn unsupported_version(correlation_id: i32) -> Result<Answer, Refusal> {
    let own = APIS.iter().filter(|api| api.key == ApiKey::ApiVersions);
    let range = own.map(|api| {
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(api.advertised_min)
            .with_max_version(api.max)
    });
    let response = ApiVersionsResponse::default()
        .with_error_code(ResponseError::UnsupportedVersion.code())
        .with_api_keys(range.collect());
    response::encode_as(correlation_id, 0, &response)
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
