//! `DescribeAcls`, `CreateAcls`, `DeleteAcls`, versions 1–3: the access control lists, if there is an authorizer.
//!
//! - Creating an ACL that exists succeeds and changes nothing.
//! - An ACL that several filters match is deleted once, and listed for each of them.
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeAcls>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::delete_acls_response::{DeleteAclsFilterResult, DeleteAclsMatchingAcl};
use kafka_protocol::messages::describe_acls_response::{AclDescription, DescribeAclsResource};
use kafka_protocol::messages::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse, DescribeAclsRequest,
    DescribeAclsResponse,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::text;
use crate::broker::call::RequestContext;
use crate::broker::cluster::acls::{Acl, AclFilter};
use crate::broker::cluster::controller::Refused;
use crate::broker::cluster::records;
use crate::broker::node::Node;
use crate::error::Error;

/// The error if there is no authorizer.
fn disabled(node: &Node) -> Result<(), Refused> {
    match &node.authorizer {
        Some(_) => Ok(()),
        None => Err((
            ResponseError::SecurityDisabled,
            "No Authorizer is configured on the broker".to_owned(),
        )),
    }
}

fn not_kept(error: &Error) -> Refused {
    (ResponseError::KafkaStorageError, error.message())
}

pub fn describe(node: &Arc<Node>, _: &RequestContext, request: DescribeAclsRequest) -> DescribeAclsResponse {
    let filter = AclFilter {
        resource_type: request.resource_type_filter,
        name: request.resource_name_filter.map(|name| name.to_string()),
        pattern_type: request.pattern_type_filter,
        principal: request.principal_filter.map(|principal| principal.to_string()),
        host: request.host_filter.map(|host| host.to_string()),
        operation: request.operation,
        permission: request.permission_type,
    };
    if let Err((error, message)) = disabled(node).and_then(|()| filter.check()) {
        return DescribeAclsResponse::default()
            .with_error_code(error.code())
            .with_error_message(Some(text(message)));
    }
    let image = node.cluster.image();
    let mut resources: BTreeMap<(i8, &str, i8), Vec<AclDescription>> = BTreeMap::new();
    for (_, acl) in image.acls().iter().filter(|(_, acl)| filter.matches(acl)) {
        let resource = (acl.resource_type, acl.name.as_str(), acl.pattern_type);
        resources.entry(resource).or_default().push(
            AclDescription::default()
                .with_principal(text(acl.principal.as_str()))
                .with_host(text(acl.host.as_str()))
                .with_operation(acl.operation)
                .with_permission_type(acl.permission),
        );
    }
    let resources = resources
        .into_iter()
        .map(|((resource_type, name, pattern_type), acls)| {
            DescribeAclsResource::default()
                .with_resource_type(resource_type)
                .with_resource_name(text(name))
                .with_pattern_type(pattern_type)
                .with_acls(acls)
        });
    DescribeAclsResponse::default().with_resources(resources.collect())
}

pub fn create(node: &Arc<Node>, _: &RequestContext, request: CreateAclsRequest) -> CreateAclsResponse {
    let results = request.creations.into_iter().map(|creation| {
        let created = disabled(node).and_then(|()| create_one(node, creation));
        let (code, message) = outcome(created);
        AclCreationResult::default()
            .with_error_code(code)
            .with_error_message(message)
    });
    CreateAclsResponse::default().with_results(results.collect())
}

fn create_one(node: &Node, creation: AclCreation) -> Result<(), Refused> {
    let acl = Acl {
        resource_type: creation.resource_type,
        name: creation.resource_name.to_string(),
        pattern_type: creation.resource_pattern_type,
        principal: creation.principal.to_string(),
        host: creation.host.to_string(),
        operation: creation.operation,
        permission: creation.permission_type,
    };
    acl.check()?;
    let mut change = node.cluster.change();
    if node.cluster.image().acls().contains(&acl) {
        return Ok(());
    }
    let id = Uuid::from_bytes(random_id()?);
    change
        .commit(&records::acl(id, &acl))
        .map_err(|error| not_kept(&error))
}

fn random_id() -> Result<[u8; 16], Refused> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("there are no random numbers: {error}");
        (ResponseError::UnknownServerError, message)
    })?;
    Ok(bytes)
}

fn outcome(outcome: Result<(), Refused>) -> (i16, Option<StrBytes>) {
    match outcome {
        Ok(()) => (0, None),
        Err((error, message)) => (error.code(), Some(text(message))),
    }
}

pub fn delete(node: &Arc<Node>, _: &RequestContext, request: DeleteAclsRequest) -> DeleteAclsResponse {
    let mut change = node.cluster.change();
    let image = node.cluster.image();
    let mut found: Vec<Result<BTreeMap<Uuid, Acl>, Refused>> = Vec::new();
    for filter in request.filters {
        let filter = filter_of(filter);
        let checked = disabled(node).and_then(|()| filter.check());
        let matching = image.acls().iter().filter(|(_, acl)| filter.matches(acl));
        found.push(checked.map(|()| matching.map(|(id, acl)| (*id, acl.clone())).collect()));
    }
    drop(image);
    let ids: BTreeSet<Uuid> = found
        .iter()
        .flatten()
        .flat_map(|found| found.keys().copied())
        .collect();
    let removed: Vec<Vec<u8>> = ids.into_iter().flat_map(records::acl_removed).collect();
    let kept = change.commit(&removed).map_err(|error| not_kept(&error));
    let results = found.into_iter().map(|found| {
        let deleted = found.and_then(|found| kept.clone().map(|()| found));
        match deleted {
            Ok(deleted) => DeleteAclsFilterResult::default()
                .with_error_message(None)
                .with_matching_acls(deleted.into_values().map(deleted_acl).collect()),
            Err((error, message)) => DeleteAclsFilterResult::default()
                .with_error_code(error.code())
                .with_error_message(Some(text(message))),
        }
    });
    DeleteAclsResponse::default().with_filter_results(results.collect())
}

fn filter_of(filter: DeleteAclsFilter) -> AclFilter {
    AclFilter {
        resource_type: filter.resource_type_filter,
        name: filter.resource_name_filter.map(|name| name.to_string()),
        pattern_type: filter.pattern_type_filter,
        principal: filter.principal_filter.map(|principal| principal.to_string()),
        host: filter.host_filter.map(|host| host.to_string()),
        operation: filter.operation,
        permission: filter.permission_type,
    }
}

fn deleted_acl(acl: Acl) -> DeleteAclsMatchingAcl {
    DeleteAclsMatchingAcl::default()
        .with_resource_type(acl.resource_type)
        .with_resource_name(text(acl.name))
        .with_pattern_type(acl.pattern_type)
        .with_principal(text(acl.principal))
        .with_host(text(acl.host))
        .with_operation(acl.operation)
        .with_permission_type(acl.permission)
}
