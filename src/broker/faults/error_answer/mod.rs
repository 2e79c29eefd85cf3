//! Answers with an error code, where each response has it: for the whole, or for each topic, partition or group in
//! the request. As `getErrorResponse` in Java's request classes.
//!
//! <https://kafka.apache.org/protocol#protocol_messages>

mod admin;
mod groups;
mod partitions;

use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::Request;

use crate::broker::call::{Call, RequestContext, decode};
use crate::broker::newer_versions::AddedFields;
use crate::broker::refusal::Refusal;
use crate::broker::response::{self, Answer};

/// The answer to a request, with this error code.
pub(super) fn make(call: Call, code: i16) -> Result<Answer, Refusal> {
    let api = call.context.api;
    partitions::make(Box::new(call), code)
        .or_else(|call| groups::make(call, code))
        .or_else(|call| admin::make(call, code))
        .unwrap_or_else(|_| {
            Err(Refusal::new(format!(
                "no answer of {api:?} can carry error {code}"
            )))
        })
}

/// An answer, or the call if its API belongs to another file.
type Made = Result<Result<Answer, Refusal>, Box<Call>>;

/// Decodes the request, and encodes the response that `answer` returns.
fn build<R: Request>(
    call: Call,
    answer: impl FnOnce(&RequestContext, R) -> R::Response,
) -> Result<Answer, Refusal> {
    let (_, context, request) = decode::<R>(call)?;
    let response = answer(&context, request);
    let newer = AddedFields {
        bytes: &[],
        others: Some(0),
    };
    response::encode_newer::<R>(&context, &response, newer)
}

/// APIs whose answers have one error for the whole.
macro_rules! whole {
    ($call:expr, $code:expr, $($key:ident $request:ident $response:ident),+ $(,)?) => {
        match $call.context.api {
            $(ApiKey::$key => Ok(build::<m::$request>(*$call, |_, _| m::$response::default().with_error_code($code))),)+
            _ => Err($call),
        }
    };
}
use whole;

/// Whether an answer of this API can be replaced by an error. APIs between brokers are left out.
pub(super) fn takes_errors(api: ApiKey) -> bool {
    !matches!(
        api,
        ApiKey::WriteTxnMarkers
            | ApiKey::InitializeShareGroupState
            | ApiKey::ReadShareGroupState
            | ApiKey::WriteShareGroupState
            | ApiKey::DeleteShareGroupState
            | ApiKey::ReadShareGroupStateSummary
    )
}
