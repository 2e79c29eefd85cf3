//! Gates of the ACL APIs: Describe on the cluster shows ACLs, Alter on it changes them.

use kafka_protocol::ResponseError::ClusterAuthorizationFailed as Refused;
use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::delete_acls_response::DeleteAclsFilterResult;
use kafka_protocol::messages::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse, DescribeAclsRequest,
    DescribeAclsResponse,
};

use super::{Asks, Gated, Passage, passed, words};
use crate::broker::access::AclOperation;

impl Gated for DescribeAclsRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        if asks.rights().may_cluster(AclOperation::Describe) {
            return passed(self);
        }
        let response = DescribeAclsResponse::default().with_error_code(Refused.code());
        Passage::Refused(response.with_error_message(words(Refused)))
    }
}

impl Gated for CreateAclsRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        if asks.rights().may_cluster(AclOperation::Alter) {
            return passed(self);
        }
        let results = self.creations.iter().map(|_| {
            let result = AclCreationResult::default().with_error_code(Refused.code());
            result.with_error_message(words(Refused))
        });
        Passage::Refused(CreateAclsResponse::default().with_results(results.collect()))
    }
}

impl Gated for DeleteAclsRequest {
    fn pass(self, asks: &mut Asks<'_>) -> Passage<Self> {
        if asks.rights().may_cluster(AclOperation::Alter) {
            return passed(self);
        }
        let results = self.filters.iter().map(|_| {
            let result = DeleteAclsFilterResult::default().with_error_code(Refused.code());
            result.with_error_message(words(Refused))
        });
        Passage::Refused(DeleteAclsResponse::default().with_filter_results(results.collect()))
    }
}
