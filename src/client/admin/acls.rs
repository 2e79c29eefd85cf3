//! Access control lists: `DescribeAcls`, `CreateAcls`, `DeleteAcls` (v1–3).
//!
//! <https://kafka.apache.org/protocol#The_Messages_DescribeAcls>

use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::{CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest};
use kafka_protocol::protocol::StrBytes;

use super::{AdminClient, ApiError};
use crate::error::Result;

/// Declares an enum of names with their numbers in the protocol. A number without a name is kept as
/// it is.
macro_rules! protocol_words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($variant,)*
            /// A number that this program does not know.
            Other(i8),
        }

        impl $name {
            /// All values with a name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number in the protocol.
            pub fn code(self) -> i8 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Other(code) => code,
                }
            }

            /// The constant's name, as Kafka's tools print it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(_) => "UNKNOWN",
                }
            }

            fn of(code: i8) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    code => Self::Other(code),
                }
            }
        }
    };
}

protocol_words! {
    /// What an ACL is about.
    ResourceType {
        Topic = 2 "TOPIC",
        Group = 3 "GROUP",
        Cluster = 4 "CLUSTER",
        TransactionalId = 5 "TRANSACTIONAL_ID",
        DelegationToken = 6 "DELEGATION_TOKEN",
        User = 7 "USER",
    }
}

protocol_words! {
    /// How the name of an ACL's resource is matched. `Any` and `Match` exist in filters only.
    PatternType {
        Any = 1 "ANY",
        Match = 2 "MATCH",
        Literal = 3 "LITERAL",
        Prefixed = 4 "PREFIXED",
    }
}

protocol_words! {
    /// The operation that an ACL allows or denies.
    Operation {
        All = 2 "ALL",
        Read = 3 "READ",
        Write = 4 "WRITE",
        Create = 5 "CREATE",
        Delete = 6 "DELETE",
        Alter = 7 "ALTER",
        Describe = 8 "DESCRIBE",
        ClusterAction = 9 "CLUSTER_ACTION",
        DescribeConfigs = 10 "DESCRIBE_CONFIGS",
        AlterConfigs = 11 "ALTER_CONFIGS",
        IdempotentWrite = 12 "IDEMPOTENT_WRITE",
        CreateTokens = 13 "CREATE_TOKENS",
        DescribeTokens = 14 "DESCRIBE_TOKENS",
        TwoPhaseCommit = 15 "TWO_PHASE_COMMIT",
    }
}

protocol_words! {
    /// Whether the operation is allowed. A denial takes precedence.
    Permission {
        Deny = 2 "DENY",
        Allow = 3 "ALLOW",
    }
}

/// The name of the one resource of type [`ResourceType::Cluster`].
pub const CLUSTER_NAME: &str = "kafka-cluster";

/// Any value of a filter, in the protocol's numbers.
const ANY: i8 = 1;

/// The resources that an ACL is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourcePattern {
    pub resource_type: ResourceType,
    /// `*` is every name.
    pub name: String,
    pub pattern_type: PatternType,
}

/// Who may do what, from where.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccessControlEntry {
    /// `User:alice`; `User:*` is everybody.
    pub principal: String,
    /// An address; `*` is every host.
    pub host: String,
    pub operation: Operation,
    pub permission: Permission,
}

/// One ACL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Acl {
    pub resource: ResourcePattern,
    pub entry: AccessControlEntry,
}

/// A filter of ACLs; `None` matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AclFilter {
    pub resource_type: Option<ResourceType>,
    pub name: Option<String>,
    pub pattern_type: Option<PatternType>,
    pub principal: Option<String>,
    pub host: Option<String>,
    pub operation: Option<Operation>,
    pub permission: Option<Permission>,
}

impl AclFilter {
    /// The ACLs of one resource, for any principal.
    pub fn of_resource(resource: &ResourcePattern) -> Self {
        Self {
            resource_type: Some(resource.resource_type),
            name: Some(resource.name.clone()),
            pattern_type: Some(resource.pattern_type),
            ..Self::default()
        }
    }

    /// This one alone.
    pub fn of_acl(acl: &Acl) -> Self {
        Self {
            principal: Some(acl.entry.principal.clone()),
            host: Some(acl.entry.host.clone()),
            operation: Some(acl.entry.operation),
            permission: Some(acl.entry.permission),
            ..Self::of_resource(&acl.resource)
        }
    }
}

/// The ACLs that one filter deleted.
pub type Deleted = Result<Vec<Result<Acl, ApiError>>, ApiError>;

impl AdminClient {
    /// The ACLs that match a filter, in order.
    pub fn describe_acls(&mut self, filter: &AclFilter) -> Result<Result<Vec<Acl>, ApiError>> {
        let request = DescribeAclsRequest::default()
            .with_resource_type_filter(filter.resource_type.map_or(ANY, ResourceType::code))
            .with_resource_name_filter(text(filter.name.as_deref()))
            .with_pattern_type_filter(filter.pattern_type.map_or(ANY, PatternType::code))
            .with_principal_filter(text(filter.principal.as_deref()))
            .with_host_filter(text(filter.host.as_deref()))
            .with_operation(filter.operation.map_or(ANY, Operation::code))
            .with_permission_type(filter.permission.map_or(ANY, Permission::code));
        let answer = self.send(request)?;
        if let Some(refusal) = ApiError::of(answer.error_code, answer.error_message.as_deref()) {
            return Ok(Err(refusal));
        }
        let mut acls = Vec::new();
        for resource in answer.resources {
            let pattern = ResourcePattern {
                resource_type: ResourceType::of(resource.resource_type),
                name: resource.resource_name.to_string(),
                pattern_type: PatternType::of(resource.pattern_type),
            };
            acls.extend(resource.acls.into_iter().map(|entry| Acl {
                resource: pattern.clone(),
                entry: AccessControlEntry {
                    principal: entry.principal.to_string(),
                    host: entry.host.to_string(),
                    operation: Operation::of(entry.operation),
                    permission: Permission::of(entry.permission_type),
                },
            }));
        }
        acls.sort();
        Ok(Ok(acls))
    }

    /// Creates ACLs; the outcomes are in the order of `acls`. An existing ACL is no failure.
    pub fn create_acls(&mut self, acls: &[Acl]) -> Result<Vec<Result<(), ApiError>>> {
        let creations = acls.iter().map(|acl| {
            AclCreation::default()
                .with_resource_type(acl.resource.resource_type.code())
                .with_resource_name(StrBytes::from_string(acl.resource.name.clone()))
                .with_resource_pattern_type(acl.resource.pattern_type.code())
                .with_principal(StrBytes::from_string(acl.entry.principal.clone()))
                .with_host(StrBytes::from_string(acl.entry.host.clone()))
                .with_operation(acl.entry.operation.code())
                .with_permission_type(acl.entry.permission.code())
        });
        let request = CreateAclsRequest::default().with_creations(creations.collect());
        let answer = self.send_to_controller(request)?;
        let mut outcomes = answer.results.into_iter();
        // An ACL that the answer lacks was not created.
        Ok(acls
            .iter()
            .map(|_| match outcomes.next() {
                Some(result) => ApiError::check(result.error_code, result.error_message.as_deref()),
                None => ApiError::check(-1, None::<String>),
            })
            .collect())
    }

    /// Deletes the ACLs that match the filters; the outcomes are in the order of `filters`.
    pub fn delete_acls(&mut self, filters: &[AclFilter]) -> Result<Vec<Deleted>> {
        let wanted = filters.iter().map(|filter| {
            DeleteAclsFilter::default()
                .with_resource_type_filter(filter.resource_type.map_or(ANY, ResourceType::code))
                .with_resource_name_filter(text(filter.name.as_deref()))
                .with_pattern_type_filter(filter.pattern_type.map_or(ANY, PatternType::code))
                .with_principal_filter(text(filter.principal.as_deref()))
                .with_host_filter(text(filter.host.as_deref()))
                .with_operation(filter.operation.map_or(ANY, Operation::code))
                .with_permission_type(filter.permission.map_or(ANY, Permission::code))
        });
        let request = DeleteAclsRequest::default().with_filters(wanted.collect());
        let answer = self.send_to_controller(request)?;
        let deleted = answer.filter_results.into_iter().map(|result| {
            ApiError::check(result.error_code, result.error_message.as_deref())?;
            let matching = result.matching_acls.into_iter().map(|acl| {
                ApiError::check(acl.error_code, acl.error_message.as_deref())?;
                Ok(Acl {
                    resource: ResourcePattern {
                        resource_type: ResourceType::of(acl.resource_type),
                        name: acl.resource_name.to_string(),
                        pattern_type: PatternType::of(acl.pattern_type),
                    },
                    entry: AccessControlEntry {
                        principal: acl.principal.to_string(),
                        host: acl.host.to_string(),
                        operation: Operation::of(acl.operation),
                        permission: Permission::of(acl.permission_type),
                    },
                })
            });
            Ok(matching.collect())
        });
        Ok(deleted.collect())
    }
}

fn text(text: Option<&str>) -> Option<StrBytes> {
    text.map(|text| StrBytes::from_string(text.to_owned()))
}
