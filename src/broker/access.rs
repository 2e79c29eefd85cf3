//! Who may do what, in the terms of Kafka's authorizer: principals, operations, types of resources.
//!
//! There is no authorizer yet: every client is [`Principal::ANONYMOUS`], and may do everything.
//! <https://kafka.apache.org/documentation/#security_authz>

use std::borrow::Cow;

/// Who a client is to the broker: a type and a name, written `User:ANONYMOUS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub principal_type: &'static str,
    pub name: Cow<'static, str>,
}

/// What can be done with a resource, with Kafka's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AclOperation {
    Read = 3,
    Write = 4,
    Create = 5,
    Delete = 6,
    Alter = 7,
    Describe = 8,
    ClusterAction = 9,
    DescribeConfigs = 10,
    AlterConfigs = 11,
    IdempotentWrite = 12,
}

/// What an operation is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceType {
    Topic,
    Group,
    Cluster,
    TransactionalId,
}

/// What a field of authorized operations holds when the request did not ask for them.
const NOT_ASKED: i32 = i32::MIN;

impl ResourceType {
    /// The operations that there are on such a resource.
    pub const fn operations(self) -> &'static [AclOperation] {
        use AclOperation::{
            Alter, AlterConfigs, ClusterAction, Create, Delete, Describe, DescribeConfigs, IdempotentWrite,
            Read, Write,
        };
        match self {
            ResourceType::Topic => &[
                Read,
                Write,
                Create,
                Delete,
                Alter,
                Describe,
                DescribeConfigs,
                AlterConfigs,
            ],
            ResourceType::TransactionalId => &[Write, Describe],
            ResourceType::Group => &[Read, Delete, Describe, DescribeConfigs, AlterConfigs],
            ResourceType::Cluster => &[
                Create,
                Alter,
                Describe,
                ClusterAction,
                DescribeConfigs,
                AlterConfigs,
                IdempotentWrite,
            ],
        }
    }
}

impl Principal {
    /// Every client of a listener without authentication.
    pub const ANONYMOUS: Self = Self {
        principal_type: "User",
        name: Cow::Borrowed("ANONYMOUS"),
    };

    /// Whether it may do this with a resource of this type. Without an authorizer everyone may do everything.
    pub fn may(&self, _: AclOperation, _: ResourceType) -> bool {
        true
    }

    /// A field of authorized operations (KIP-430): a bit for each operation that the principal may do with the
    /// resource, at the operation's code.
    pub fn authorized_operations(&self, asked: bool, resource: ResourceType) -> i32 {
        if !asked {
            return NOT_ASKED;
        }
        let allowed = resource.operations().iter();
        let allowed = allowed.filter(|operation| self.may(**operation, resource));
        allowed.fold(0, |bits, operation| bits | 1 << (*operation as u8))
    }
}
