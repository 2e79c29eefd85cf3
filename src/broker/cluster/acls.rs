//! Access control lists (KIP-11, KIP-290): which exist, how they are found, and whether new ones are valid.
//!
//! Plain data, changed by records of the metadata log only. The decisions from them are in `authorizer`.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use uuid::Uuid;

use super::controller::Refused;
use crate::broker::access::CLUSTER_NAME;
use crate::internal_records::value::StructValue;

/// Matches every name, every principal (after its type) or every host.
pub(in crate::broker) const WILDCARD: &str = "*";

/// Codes of Kafka's enumerations with a special meaning.
pub(in crate::broker) const ANY: i8 = 1;
pub(in crate::broker) const ALL_OPERATIONS: i8 = 2;
const MATCH: i8 = 2;
pub(in crate::broker) const LITERAL: i8 = 3;
pub(in crate::broker) const PREFIXED: i8 = 4;
pub(in crate::broker) const DENY: i8 = 2;
pub(in crate::broker) const ALLOW: i8 = 3;
const CLUSTER: i8 = 4;
/// The largest known codes: of resource types (user) and of operations (two-phase commit).
const LAST_RESOURCE_TYPE: i8 = 7;
const LAST_OPERATION: i8 = 15;

/// One access control entry with its resource pattern; the codes are the protocol's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::broker) struct Acl {
    pub(in crate::broker) resource_type: i8,
    pub(in crate::broker) name: String,
    pub(in crate::broker) pattern_type: i8,
    pub(in crate::broker) principal: String,
    pub(in crate::broker) host: String,
    pub(in crate::broker) operation: i8,
    pub(in crate::broker) permission: i8,
}

/// Selects ACLs: [`ANY`] matches every code, `None` every text.
#[derive(Clone, Debug)]
pub(in crate::broker) struct AclFilter {
    pub(in crate::broker) resource_type: i8,
    pub(in crate::broker) name: Option<String>,
    pub(in crate::broker) pattern_type: i8,
    pub(in crate::broker) principal: Option<String>,
    pub(in crate::broker) host: Option<String>,
    pub(in crate::broker) operation: i8,
    pub(in crate::broker) permission: i8,
}

/// The ACLs by resource type (code) and resource name.
type ByResource = BTreeMap<(i8, String), Vec<Arc<Acl>>>;

/// Every ACL of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::broker) struct Acls {
    by_id: BTreeMap<Uuid, Arc<Acl>>,
    literal: ByResource,
    prefixed: ByResource,
}

impl Acl {
    /// Whether this is a valid ACL. The error is Kafka's.
    pub(in crate::broker) fn check(&self) -> Result<(), Refused> {
        let problem = if self.resource_type == CLUSTER && self.name != CLUSTER_NAME {
            format!("The only valid name for the CLUSTER resource is {CLUSTER_NAME}")
        } else if self.name.is_empty() {
            "Invalid empty resource name".to_owned()
        } else if !(2..=LAST_RESOURCE_TYPE).contains(&self.resource_type) {
            format!("Invalid resourceType {}", any_or_unknown(self.resource_type))
        } else if !matches!(self.pattern_type, LITERAL | PREFIXED) {
            let word = if self.pattern_type == MATCH {
                "MATCH"
            } else {
                any_or_unknown(self.pattern_type)
            };
            format!("Invalid patternType {word}")
        } else if !(ALL_OPERATIONS..=LAST_OPERATION).contains(&self.operation) {
            format!("Invalid operation {}", any_or_unknown(self.operation))
        } else if !matches!(self.permission, DENY | ALLOW) {
            format!("Invalid permissionType {}", any_or_unknown(self.permission))
        } else if !self.principal.contains(':') {
            format!(
                "Could not parse principal from `{}` (no colon is present separating the principal type from the principal name)",
                self.principal
            )
        } else {
            return Ok(());
        };
        Err((ResponseError::InvalidRequest, problem))
    }

    pub(in crate::broker) fn from_record(value: &StructValue<'_>) -> Self {
        let code = |name: &str| i8::try_from(value.number(name)).unwrap_or(0);
        let text = |name: &str| value.text(name).unwrap_or_default().to_owned();
        Self {
            resource_type: code("resourceType"),
            name: text("resourceName"),
            pattern_type: code("patternType"),
            principal: text("principal"),
            host: text("host"),
            operation: code("operation"),
            permission: code("permissionType"),
        }
    }
}

fn any_or_unknown(code: i8) -> &'static str {
    if code == ANY { "ANY" } else { "UNKNOWN" }
}

impl AclFilter {
    /// Whether all codes of the filter exist. The error is Kafka's.
    pub(in crate::broker) fn check(&self) -> Result<(), Refused> {
        let is_known = |code: i8, last: i8| (ANY..=last).contains(&code);
        let refused = |what: &str| Err((ResponseError::InvalidRequest, what.to_owned()));
        if !is_known(self.resource_type, LAST_RESOURCE_TYPE) || !is_known(self.pattern_type, PREFIXED) {
            return refused("Unknown patternFilter.");
        }
        if !is_known(self.operation, LAST_OPERATION) || !is_known(self.permission, ALLOW) {
            return refused("Unknown entryFilter.");
        }
        Ok(())
    }

    pub(in crate::broker) fn matches(&self, acl: &Acl) -> bool {
        let is_one = |wanted: i8, code: i8| wanted == ANY || wanted == code;
        let is_text =
            |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted == text);
        is_one(self.resource_type, acl.resource_type)
            && self.matches_name(acl)
            && is_text(&self.principal, &acl.principal)
            && is_text(&self.host, &acl.host)
            && is_one(self.operation, acl.operation)
            && is_one(self.permission, acl.permission)
    }

    /// Whether the ACL has the filter's resource name or, with the pattern type `MATCH`, applies to the resource of
    /// that name.
    fn matches_name(&self, acl: &Acl) -> bool {
        let is_exact = self.pattern_type == ANY || self.pattern_type == acl.pattern_type;
        if !is_exact && self.pattern_type != MATCH {
            return false;
        }
        let Some(name) = &self.name else { return true };
        match acl.pattern_type {
            _ if is_exact => *name == acl.name,
            PREFIXED => name.starts_with(&acl.name),
            _ => *name == acl.name || acl.name == WILDCARD,
        }
    }
}

impl Acls {
    /// Every ACL with its id.
    pub(in crate::broker) fn iter(&self) -> impl Iterator<Item = (&Uuid, &Acl)> {
        self.by_id.iter().map(|(id, acl)| (id, &**acl))
    }

    pub(in crate::broker) fn contains(&self, acl: &Acl) -> bool {
        let resource = (acl.resource_type, acl.name.clone());
        let same = self.map(acl.pattern_type).get(&resource);
        same.is_some_and(|same| same.iter().any(|known| **known == *acl))
    }

    pub(in crate::broker) fn add(&mut self, id: Uuid, acl: Acl) {
        self.remove(id);
        let acl = Arc::new(acl);
        let resource = (acl.resource_type, acl.name.clone());
        let same = self.map_mut(acl.pattern_type).entry(resource).or_default();
        same.push(Arc::clone(&acl));
        self.by_id.insert(id, acl);
    }

    pub(in crate::broker) fn remove(&mut self, id: Uuid) {
        let Some(acl) = self.by_id.remove(&id) else { return };
        let resource = (acl.resource_type, acl.name.clone());
        let map = self.map_mut(acl.pattern_type);
        if let Some(same) = map.get_mut(&resource) {
            same.retain(|known| !Arc::ptr_eq(known, &acl));
            if same.is_empty() {
                map.remove(&resource);
            }
        }
    }

    /// The ACLs that apply to a resource: those for its name, for every name, and for a prefix of its name.
    pub(in crate::broker) fn concerning<'a>(
        &'a self,
        resource_type: i8,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Acl> {
        let literal = |name: &str| self.literal.get(&(resource_type, name.to_owned()));
        let exact = literal(name).into_iter();
        let every = (name != WILDCARD).then(|| literal(WILDCARD)).flatten();
        let prefixed = self.with_prefix_of(resource_type, name).into_iter();
        let found = exact.chain(every).chain(prefixed);
        found.flatten().map(|acl| &**acl)
    }

    /// The prefixed ACLs whose name is a prefix of `name`. Walks down from `name`; at a name that is no prefix, the
    /// walk continues from what the two have in common.
    fn with_prefix_of(&self, resource_type: i8, name: &str) -> Vec<&Vec<Arc<Acl>>> {
        let mut found = Vec::new();
        let first = Bound::Included((resource_type, String::new()));
        let mut last = Bound::Included((resource_type, name.to_owned()));
        while let Some(((_, prefix), acls)) = self.prefixed.range((first.clone(), last)).next_back() {
            let common = common_beginning(name, prefix);
            if common == prefix {
                found.push(acls);
                if prefix.is_empty() {
                    break;
                }
                last = Bound::Excluded((resource_type, prefix.clone()));
            } else {
                last = Bound::Included((resource_type, common.to_owned()));
            }
        }
        found
    }

    fn map(&self, pattern_type: i8) -> &ByResource {
        if pattern_type == PREFIXED {
            &self.prefixed
        } else {
            &self.literal
        }
    }

    fn map_mut(&mut self, pattern_type: i8) -> &mut ByResource {
        if pattern_type == PREFIXED {
            &mut self.prefixed
        } else {
            &mut self.literal
        }
    }
}

/// The longest common prefix.
fn common_beginning<'a>(text: &'a str, other: &str) -> &'a str {
    let differs = text.char_indices().zip(other.chars()).find(|((_, a), b)| a != b);
    let end = differs.map_or(text.len().min(other.len()), |((at, _), _)| at);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn acl(name: &str, pattern_type: i8) -> Acl {
        Acl {
            resource_type: 2,
            name: name.to_owned(),
            pattern_type,
            principal: "User:alice".to_owned(),
            host: "*".to_owned(),
            operation: 3,
            permission: ALLOW,
        }
    }

    fn filter(name: Option<&str>, pattern_type: i8) -> AclFilter {
        AclFilter {
            resource_type: ANY,
            name: name.map(str::to_owned),
            pattern_type,
            principal: None,
            host: None,
            operation: ANY,
            permission: ANY,
        }
    }

    #[test]
    fn a_filter_that_matches_finds_what_concerns_a_name() {
        let matches = |filter: &AclFilter, acl: &Acl| filter.matches(acl);
        let concerning = filter(Some("orders"), MATCH);
        assert!(matches(&concerning, &acl("orders", LITERAL)));
        assert!(matches(&concerning, &acl("*", LITERAL)));
        assert!(matches(&concerning, &acl("ord", PREFIXED)));
        assert!(!matches(&concerning, &acl("orders2", PREFIXED)));
        assert!(matches(&filter(Some("ord"), ANY), &acl("ord", PREFIXED)));
        assert!(!matches(&filter(Some("orders"), ANY), &acl("*", LITERAL)));
        assert!(!matches(&filter(None, LITERAL), &acl("ord", PREFIXED)));
        assert!(matches(&filter(None, MATCH), &acl("ord", PREFIXED)));
    }

    #[test]
    fn an_acl_that_cannot_be_is_refused_in_the_words_of_kafka() {
        let words = |acl: Acl| acl.check().err().map(|(_, message)| message);
        assert_eq!(words(acl("a", LITERAL)), None);
        assert_eq!(
            words(acl("", LITERAL)).as_deref(),
            Some("Invalid empty resource name")
        );
        let other_cluster = Acl {
            resource_type: CLUSTER,
            ..acl("a", LITERAL)
        };
        assert!(words(other_cluster).unwrap().contains("kafka-cluster"));
        assert_eq!(
            words(acl("a", MATCH)).as_deref(),
            Some("Invalid patternType MATCH")
        );
    }

    proptest! {
        /// The walk over prefixes finds the same as a scan of every ACL, whatever was added and removed before.
        #[test]
        fn what_concerns_a_name_is_found(
            changes in proptest::collection::vec(("[ab*é]{0,4}", 3_i8..=4, 0_u8..20, any::<bool>()), 0..40),
            name in "[ab*é]{1,5}",
        ) {
            let mut acls = Acls::default();
            for (name, pattern_type, id, is_added) in changes {
                let id = Uuid::from_u128(id.into());
                if is_added {
                    acls.add(id, acl(&name, pattern_type));
                } else {
                    acls.remove(id);
                }
            }
            let mut expected: Vec<&Acl> = acls.iter().map(|(_, acl)| acl).filter(|acl| {
                match acl.pattern_type {
                    PREFIXED => name.starts_with(&acl.name),
                    _ => acl.name == name || acl.name == WILDCARD,
                }
            }).collect();
            let mut found: Vec<&Acl> = acls.concerning(2, &name).collect();
            expected.sort();
            found.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
