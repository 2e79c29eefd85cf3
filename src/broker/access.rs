//! The terms of Kafka's authorizer: principals, hosts, operations, types of resources.
//!
//! What a client may do is decided in [`super::authorizer`].
//! <https://kafka.apache.org/documentation/#security_authz>

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

/// The name of the one resource of type [`ResourceType::Cluster`].
pub const CLUSTER_NAME: &str = "kafka-cluster";

/// The identity of a client: a type and a name, written `User:ANONYMOUS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// `User` for every client.
    pub principal_type: &'static str,
    /// The name without its type, as the client has authenticated.
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
    CreateTokens = 13,
    DescribeTokens = 14,
}

/// What an operation is done to, with Kafka's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ResourceType {
    Topic = 2,
    Group = 3,
    Cluster = 4,
    TransactionalId = 5,
    DelegationToken = 6,
    User = 7,
}

impl ResourceType {
    /// The operations that can be allowed on such a resource.
    pub const fn operations(self) -> &'static [AclOperation] {
        use AclOperation::{
            Alter, AlterConfigs, ClusterAction, Create, CreateTokens, Delete, Describe, DescribeConfigs,
            DescribeTokens, IdempotentWrite, Read, Write,
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
            ResourceType::DelegationToken => &[Describe],
            ResourceType::User => &[CreateTokens, DescribeTokens],
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
    /// Every client that has not authenticated.
    pub const ANONYMOUS: Self = Self {
        principal_type: "User",
        name: Cow::Borrowed("ANONYMOUS"),
    };

    /// The user of this name.
    pub fn user(name: impl Into<String>) -> Self {
        Self {
            principal_type: "User",
            name: Cow::Owned(name.into()),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.principal_type, self.name)
    }
}

/// A client's address as ACLs spell it: Java's `InetAddress.getHostAddress`, which shortens no zeros of IPv6.
pub fn host_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let parts = address.segments().map(|part| format!("{part:x}"));
            parts.join(":")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_spelled_as_java_spells_them() {
        let spelled = |address: &str| host_address(address.parse().unwrap());
        assert_eq!(spelled("127.0.0.1"), "127.0.0.1");
        assert_eq!(spelled("::1"), "0:0:0:0:0:0:0:1");
        assert_eq!(spelled("::ffff:10.0.0.1"), "10.0.0.1");
        assert_eq!(
            spelled("2001:DB8::8:800:200c:417a"),
            "2001:db8:0:0:8:800:200c:417a"
        );
    }
}
