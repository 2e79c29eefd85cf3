//! `DescribeAcls`, `CreateAcls`, `DeleteAcls`, versions 1–3: there is no authorizer, and the answers say so.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeAcls>

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::delete_acls_response::DeleteAclsFilterResult;
use kafka_protocol::messages::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse, DescribeAclsRequest,
    DescribeAclsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::node::Node;

fn message() -> StrBytes {
    text("No Authorizer is configured on the broker")
}

pub fn describe(_: &Arc<Node>, _: &RequestContext, _: DescribeAclsRequest) -> DescribeAclsResponse {
    DescribeAclsResponse::default()
        .with_error_code(ResponseError::SecurityDisabled.code())
        .with_error_message(Some(message()))
}

pub fn create(_: &Arc<Node>, _: &RequestContext, request: CreateAclsRequest) -> CreateAclsResponse {
    let results = request.creations.iter().map(|_| {
        AclCreationResult::default()
            .with_error_code(ResponseError::SecurityDisabled.code())
            .with_error_message(Some(message()))
    });
    CreateAclsResponse::default().with_results(results.collect())
}

pub fn delete(_: &Arc<Node>, _: &RequestContext, request: DeleteAclsRequest) -> DeleteAclsResponse {
    let results = request.filters.iter().map(|_| {
        DeleteAclsFilterResult::default()
            .with_error_code(ResponseError::SecurityDisabled.code())
            .with_error_message(Some(message()))
    });
    DeleteAclsResponse::default().with_filter_results(results.collect())
}
