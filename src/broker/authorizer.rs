//! Whether a client may do something: the decision of Apache Kafka's `StandardAuthorizer`, from the ACLs of one
//! image.
//!
//! A denial wins over any permission. Allowing Read, Write, Delete or Alter implies Describe, and AlterConfigs
//! implies DescribeConfigs; a denial implies nothing. A setting decides on resources without any ACL.
//! <https://kafka.apache.org/documentation/#security_authz>

use std::collections::BTreeSet;

use super::access::{AclOperation, Principal, ResourceType};
use super::cluster::acls::{ALL_OPERATIONS, ALLOW, Acl, Acls, DENY, LITERAL, WILDCARD};

/// Every principal.
const EVERYBODY: &str = "User:*";
/// The name that Kafka's `authorizeByResourceType` asks with first; no resource needs to have it.
const ANY_NAME: &str = "hardcode";

/// The settings of the decision.
#[derive(Clone, Debug, Default)]
pub(super) struct Authorizer {
    super_users: BTreeSet<String>,
    allows_without_acl: bool,
}

/// The client that asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) principal: &'a Principal,
    /// The address as [`super::access::host_address`] spells it.
    pub(super) host: &'a str,
}

/// What it wants to do, and with which resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action<'a> {
    pub(super) operation: AclOperation,
    pub(super) resource: ResourceType,
    pub(super) name: &'a str,
}

impl Authorizer {
    /// `super_users`: `User:a;User:b`, who may do everything. `allows_without_acl`: the decision on a resource
    /// without any ACL (`allow.everyone.if.no.acl.found`).
    pub(super) fn new(super_users: &str, allows_without_acl: bool) -> Self {
        let super_users = super_users
            .split(';')
            .map(str::trim)
            .filter(|user| !user.is_empty());
        Self {
            super_users: super_users.map(str::to_owned).collect(),
            allows_without_acl,
        }
    }

    /// The decision on one resource.
    pub(super) fn allows(&self, acls: &Acls, asker: Asker<'_>, action: Action<'_>) -> bool {
        let principal = asker.principal.to_string();
        if self.super_users.contains(&principal) {
            return true;
        }
        let (mut has_acls, mut is_allowed) = (false, false);
        for acl in acls.concerning(action.resource as i8, action.name) {
            has_acls = true;
            if is_for(acl, &principal, asker.host) && speaks_of(acl, action.operation) {
                if acl.permission == DENY {
                    return false;
                }
                is_allowed |= acl.permission == ALLOW;
            }
        }
        is_allowed || (!has_acls && self.allows_without_acl)
    }

    /// Whether there could be any resource of this type with which the client may do this.
    pub(super) fn allows_any(
        &self,
        acls: &Acls,
        asker: Asker<'_>,
        operation: AclOperation,
        resource: ResourceType,
    ) -> bool {
        let action = Action {
            operation,
            resource,
            name: ANY_NAME,
        };
        if self.allows(acls, asker, action) {
            return true;
        }
        let principal = asker.principal.to_string();
        let concerned = acls.iter().map(|(_, acl)| acl).filter(|acl| {
            acl.resource_type == resource as i8
                && is_for(acl, &principal, asker.host)
                && (acl.operation == operation as i8 || acl.operation == ALL_OPERATIONS)
        });
        let (denied, allowed): (Vec<&Acl>, Vec<&Acl>) = concerned.partition(|acl| acl.permission == DENY);
        let is_every = |acl: &&Acl| acl.pattern_type == LITERAL && acl.name == WILDCARD;
        !denied.iter().any(is_every)
            && allowed
                .iter()
                .any(|acl| is_every(acl) || !is_overruled(acl, &denied))
    }
}

/// Whether denials cover everything that an ACL allows.
fn is_overruled(allowed: &Acl, denied: &[&Acl]) -> bool {
    denied.iter().any(|denial| match denial.pattern_type {
        LITERAL => allowed.pattern_type == LITERAL && allowed.name == denial.name,
        // A denial of the empty prefix does not count, as in Kafka.
        _ => !denial.name.is_empty() && allowed.name.starts_with(&denial.name),
    })
}

fn is_for(acl: &Acl, principal: &str, host: &str) -> bool {
    (acl.principal == principal || acl.principal == EVERYBODY) && (acl.host == host || acl.host == WILDCARD)
}

/// Whether an ACL decides on an operation.
fn speaks_of(acl: &Acl, operation: AclOperation) -> bool {
    use AclOperation::{Alter, AlterConfigs, Delete, Describe, DescribeConfigs, Read, Write};
    let is = |other: AclOperation| acl.operation == other as i8;
    if acl.operation == ALL_OPERATIONS || is(operation) {
        return true;
    }
    acl.permission == ALLOW
        && match operation {
            Describe => is(Read) || is(Write) || is(Delete) || is(Alter),
            DescribeConfigs => is(AlterConfigs),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const OPERATIONS: [AclOperation; 10] = [
        AclOperation::Read,
        AclOperation::Write,
        AclOperation::Create,
        AclOperation::Delete,
        AclOperation::Alter,
        AclOperation::Describe,
        AclOperation::ClusterAction,
        AclOperation::DescribeConfigs,
        AclOperation::AlterConfigs,
        AclOperation::IdempotentWrite,
    ];

    fn any_acl() -> impl Strategy<Value = Acl> {
        let principals = prop_oneof![Just("User:a"), Just("User:b"), Just("User:*")];
        let hosts = prop_oneof![Just("10.0.0.1"), Just("*")];
        let fields = (
            2_i8..=3,
            "[xy*]{0,3}",
            3_i8..=4,
            principals,
            hosts,
            2_i8..=12,
            2_i8..=3,
        );
        fields.prop_map(
            |(resource_type, name, pattern_type, principal, host, operation, permission)| Acl {
                resource_type,
                name,
                pattern_type,
                principal: principal.to_owned(),
                host: host.to_owned(),
                operation,
                permission,
            },
        )
    }

    fn acls(list: &[Acl]) -> Acls {
        let mut acls = Acls::default();
        for (place, acl) in list.iter().enumerate() {
            acls.add(Uuid::from_u128(place as u128), acl.clone());
        }
        acls
    }

    /// The documentation of Kafka read as a sentence over all ACLs, without any order or index.
    fn model(list: &[Acl], asker: Asker<'_>, action: Action<'_>, otherwise: bool) -> bool {
        let (operation, principal) = (action.operation as i8, asker.principal.to_string());
        let concerns = |acl: &Acl| {
            let is_named = match acl.pattern_type {
                4 => action.name.starts_with(&acl.name),
                _ => acl.name == action.name || acl.name == "*",
            };
            acl.resource_type == action.resource as i8 && is_named
        };
        let is_for = |acl: &Acl| {
            ["User:*", principal.as_str()].contains(&acl.principal.as_str())
                && ["*", asker.host].contains(&acl.host.as_str())
        };
        let implying: &[i8] = match operation {
            8 => &[2, 8, 3, 4, 6, 7],
            10 => &[2, 10, 11],
            _ => &[],
        };
        let speaks = |acl: &Acl| [2, operation].contains(&acl.operation);
        let mut of_resource = list.iter().filter(|acl| concerns(acl)).peekable();
        let is_open = of_resource.peek().is_none() && otherwise;
        let of_client: Vec<&Acl> = of_resource.filter(|acl| is_for(acl)).collect();
        let denied = of_client.iter().any(|acl| acl.permission == 2 && speaks(acl));
        let allows = |acl: &&Acl| acl.permission == 3 && (speaks(acl) || implying.contains(&acl.operation));
        !denied && (of_client.iter().any(allows) || is_open)
    }

    proptest! {
        #[test]
        fn the_decision_is_that_of_the_documentation(
            list in proptest::collection::vec(any_acl(), 0..12),
            user in "[abc]",
            is_near in any::<bool>(),
            operation in 0_usize..10,
            resource in any::<bool>(),
            name in "[xyz]{1,3}",
            otherwise in any::<bool>(),
        ) {
            let principal = Principal::user(user);
            let host = if is_near { "10.0.0.1" } else { "10.0.0.2" };
            let operation = OPERATIONS[operation];
            let resource = if resource { ResourceType::Topic } else { ResourceType::Group };
            let asker = Asker { principal: &principal, host };
            let action = Action { operation, resource, name: &name };
            let expected = model(&list, asker, action, otherwise);
            let acls = acls(&list);
            prop_assert_eq!(Authorizer::new("", otherwise).allows(&acls, asker, action), expected);
            let all = Authorizer::new("User:x; User:a;User:b;User:c", otherwise);
            prop_assert!(all.allows(&acls, asker, action) && all.allows_any(&acls, asker, operation, resource));
            // `allows` on one resource implies `allows_any` on its type.
            let is_implied = matches!(operation, AclOperation::Describe | AclOperation::DescribeConfigs);
            let authorizer = Authorizer::new("", false);
            if expected && !otherwise && !is_implied {
                prop_assert!(authorizer.allows_any(&acls, asker, operation, resource));
            }
        }
    }
}
