//! What one client may do, by the ACLs of one image of the cluster.

use super::access::{AclOperation, CLUSTER_NAME, Principal, ResourceType, host_address};
use super::authorizer::{Action, Asker, Authorizer};
use super::call::RequestContext;
use super::cluster::acls::Acls;
use super::cluster::image::ClusterImage;
use super::node::Node;

/// The value of a field of authorized operations that the request did not ask for.
const NOT_ASKED: i32 = i32::MIN;

/// The authorizer's answers for one client; without an authorizer everything is allowed.
#[derive(Debug)]
pub(super) struct Rights<'a> {
    authorizer: Option<&'a Authorizer>,
    acls: &'a Acls,
    principal: Principal,
    host: String,
}

impl<'a> Rights<'a> {
    pub(super) fn of(node: &'a Node, image: &'a ClusterImage, context: &RequestContext) -> Self {
        Self {
            authorizer: node.authorizer.as_ref(),
            acls: image.acls(),
            principal: context.principal.clone(),
            host: match &node.authorizer {
                Some(_) => host_address(context.client_host),
                None => String::new(),
            },
        }
    }

    fn asker(&self) -> Asker<'_> {
        Asker {
            principal: &self.principal,
            host: &self.host,
        }
    }

    pub(super) fn may(&self, operation: AclOperation, resource: ResourceType, name: &str) -> bool {
        let action = Action {
            operation,
            resource,
            name,
        };
        let authorizer = self.authorizer;
        authorizer.is_none_or(|authorizer| authorizer.allows(self.acls, self.asker(), action))
    }

    pub(super) fn may_cluster(&self, operation: AclOperation) -> bool {
        self.may(operation, ResourceType::Cluster, CLUSTER_NAME)
    }

    pub(super) fn may_topic(&self, operation: AclOperation, name: &str) -> bool {
        self.may(operation, ResourceType::Topic, name)
    }

    pub(super) fn may_group(&self, operation: AclOperation, name: &str) -> bool {
        self.may(operation, ResourceType::Group, name)
    }

    pub(super) fn may_transact(&self, operation: AclOperation, transactional_id: &str) -> bool {
        self.may(operation, ResourceType::TransactionalId, transactional_id)
    }

    /// Whether the client may do this with some resource of the type.
    pub(super) fn may_any(&self, operation: AclOperation, resource: ResourceType) -> bool {
        let authorizer = self.authorizer;
        authorizer
            .is_none_or(|authorizer| authorizer.allows_any(self.acls, self.asker(), operation, resource))
    }

    /// A field of authorized operations (KIP-430): for each operation that the client may do with the resource, the
    /// bit at the operation's code is set.
    pub(super) fn operations(&self, asked: bool, resource: ResourceType, name: &str) -> i32 {
        if !asked {
            return NOT_ASKED;
        }
        // Describe is needed to see the operations allowed on the cluster.
        if resource == ResourceType::Cluster && !self.may_cluster(AclOperation::Describe) {
            return 0;
        }
        let allowed = resource.operations().iter();
        let allowed = allowed.filter(|operation| self.may(**operation, resource, name));
        allowed.fold(0, |bits, operation| bits | 1 << (*operation as u8))
    }
}
