//! Client quotas (KIP-546): which exist, whether a change of them is valid, which of them a filter matches, and which
//! one applies to a client.
//!
//! Pure. Enforcing quotas is in `broker/quotas/`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use kafka_protocol::ResponseError;

use super::controller::Refused;

pub(in crate::broker) const USER: &str = "user";
pub(in crate::broker) const CLIENT_ID: &str = "client-id";
pub(in crate::broker) const IP: &str = "ip";

pub(in crate::broker) const PRODUCER_BYTE_RATE: &str = "producer_byte_rate";
pub(in crate::broker) const CONSUMER_BYTE_RATE: &str = "consumer_byte_rate";
pub(in crate::broker) const REQUEST_PERCENTAGE: &str = "request_percentage";
pub(in crate::broker) const CONTROLLER_MUTATION_RATE: &str = "controller_mutation_rate";
const CONNECTION_CREATION_RATE: &str = "connection_creation_rate";

/// Whose quota it is: entity types with names; `None` is the default of a type.
pub(in crate::broker) type Entity = BTreeMap<String, Option<String>>;

/// The limit of a quota. Two are equal if their bits are, as a limit may be NaN.
#[derive(Clone, Copy, Debug)]
pub(in crate::broker) struct Limit(pub(in crate::broker) f64);

impl PartialEq for Limit {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Limit {}

/// Every quota of a cluster: for each entity the limits by key.
pub(in crate::broker) type ClientQuotas = BTreeMap<Entity, BTreeMap<String, Limit>>;

/// Whether an entity may have quotas; the error is Kafka's.
pub(in crate::broker) fn check_entity(entity: &Entity) -> Result<(), Refused> {
    let refused = |message: String| Err((ResponseError::InvalidRequest, message));
    if entity.is_empty() {
        return refused("Invalid empty client quota entity".to_owned());
    }
    for (kind, name) in entity {
        if ![USER, CLIENT_ID, IP].contains(&kind.as_str()) {
            return refused(format!("Unhandled client quota entity type: {kind}"));
        }
        if name.as_ref().is_some_and(String::is_empty) {
            return refused(format!("Empty {kind} not supported"));
        }
    }
    let Some(address) = entity.get(IP) else {
        return Ok(());
    };
    if entity.len() > 1 {
        let message =
            "Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId";
        return refused(message.to_owned());
    }
    match address {
        Some(address) if address.parse::<IpAddr>().is_err() && address != "localhost" => {
            refused(format!("{address} is not a valid IP or resolvable host."))
        }
        _ => Ok(()),
    }
}

/// Whether an entity may have a quota of this key with this limit; `None` removes it. The error is Kafka's.
pub(in crate::broker) fn check_change(entity: &Entity, key: &str, limit: Option<f64>) -> Result<(), Refused> {
    let refused = |message: String| Err((ResponseError::InvalidRequest, message));
    // The type of a limit that must be a whole number, and its largest value.
    let whole = match (entity.contains_key(IP), key) {
        (true, CONNECTION_CREATION_RATE) => Some(("INT", f64::from(i32::MAX))),
        (false, PRODUCER_BYTE_RATE | CONSUMER_BYTE_RATE) => Some(("LONG", i64::MAX as f64)),
        (false, REQUEST_PERCENTAGE | CONTROLLER_MUTATION_RATE) => None,
        _ => return refused(format!("Invalid configuration key {key}")),
    };
    let Some(limit) = limit else { return Ok(()) };
    if limit <= 0.0 {
        return refused(format!("Quota {key} must be greater than 0"));
    }
    match whole {
        Some((kind, most)) if limit > most => {
            refused(format!("Proposed value for {key} is too large for a {kind}."))
        }
        Some(_) if (limit - limit.trunc()).abs() > 1e-6 => {
            refused(format!("{key} cannot be a fractional value."))
        }
        _ => Ok(()),
    }
}

/// The condition of a filter on one entity type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) enum Match {
    Name(String),
    Default,
    /// Any name, and the default.
    Any,
}

/// Selects entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::broker) struct Filter {
    components: BTreeMap<String, Match>,
    /// Whether an entity must not have other types than those of the components.
    is_strict: bool,
}

impl Filter {
    pub(in crate::broker) fn new(components: Vec<(String, Match)>, is_strict: bool) -> Result<Self, Refused> {
        let refused = |message: String| Err((ResponseError::InvalidRequest, message));
        let mut all = BTreeMap::new();
        for (kind, wanted) in components {
            if kind.is_empty() {
                return refused("Invalid empty entity type.".to_owned());
            }
            if all.contains_key(&kind) {
                return refused(format!(
                    "Entity type {kind} cannot appear more than once in the filter."
                ));
            }
            if ![USER, CLIENT_ID, IP].contains(&kind.as_str()) {
                let message = format!("Unsupported entity type {kind}");
                return Err((ResponseError::UnsupportedVersion, message));
            }
            all.insert(kind, wanted);
        }
        if all.contains_key(IP) && all.len() > 1 {
            let message = "Invalid entity filter component combination. IP filter component should not be used with \
                           user or clientId filter component.";
            return refused(message.to_owned());
        }
        Ok(Self {
            components: all,
            is_strict,
        })
    }

    pub(in crate::broker) fn finds(&self, entity: &Entity) -> bool {
        let fits = |(kind, wanted): (&String, &Match)| match (wanted, entity.get(kind)) {
            (_, None) => false,
            (Match::Any, Some(_)) => true,
            (Match::Default, Some(name)) => name.is_none(),
            (Match::Name(wanted), Some(name)) => name.as_ref() == Some(wanted),
        };
        let has_more = entity.len() > self.components.len();
        self.components.iter().all(fits) && !(self.is_strict && has_more)
    }
}

/// The quota that applies to a client: the limit, and whose traffic counts together. An empty name stands for all.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::broker) struct Held {
    pub(in crate::broker) limit: f64,
    pub(in crate::broker) user: String,
    pub(in crate::broker) client_id: String,
}

/// The quota of a key that applies to this user and client id: the most specific one.
pub(in crate::broker) fn held_by(
    quotas: &ClientQuotas,
    key: &str,
    user: &str,
    client_id: &str,
) -> Option<Held> {
    let users = [Some(Some(user)), Some(None), None];
    let client_ids = [Some(Some(client_id)), Some(None), None];
    for user_part in users {
        for client_part in client_ids {
            let parts = [(USER, user_part), (CLIENT_ID, client_part)];
            let entity: Entity = parts
                .into_iter()
                .filter_map(|(kind, part)| Some((kind.to_owned(), part?.map(str::to_owned))))
                .collect();
            let limit = quotas.get(&entity).and_then(|limits| limits.get(key));
            if let Some(Limit(limit)) = limit {
                let counted = |part: Option<_>, name: &str| part.map_or(String::new(), |_| name.to_owned());
                return Some(Held {
                    limit: *limit,
                    user: counted(user_part, user),
                    client_id: counted(client_part, client_id),
                });
            }
        }
    }
    None
}

/// The allowed connections per second from an address: its own quota, or the default; infinite without either.
pub(in crate::broker) fn connection_rate_of(quotas: &ClientQuotas, address: IpAddr) -> f64 {
    let is_meant = |name: &str| match name.parse::<IpAddr>() {
        Ok(named) => named.to_canonical() == address,
        Err(_) => name == "localhost" && address.is_loopback(),
    };
    let of = |wanted: &dyn Fn(Option<&str>) -> bool| {
        let mut found = quotas.iter().filter_map(|(entity, limits)| {
            let name = entity.get(IP)?;
            let limit = limits.get(CONNECTION_CREATION_RATE)?;
            wanted(name.as_deref()).then_some(limit.0)
        });
        found.next()
    };
    let own = of(&|name| name.is_some_and(is_meant));
    own.or_else(|| of(&|name| name.is_none()))
        .unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(parts: &[(&str, Option<&str>)]) -> Entity {
        let owned = |(kind, name): &(&str, Option<&str>)| ((*kind).to_owned(), name.map(str::to_owned));
        parts.iter().map(owned).collect()
    }

    fn words(outcome: Result<(), Refused>) -> String {
        outcome.err().map(|(_, message)| message).unwrap_or_default()
    }

    /// The messages are those of Apache Kafka 4.3.1.
    #[test]
    fn refusals_are_those_of_apache_kafka() {
        let refused = |parts: &[_]| words(check_entity(&entity(parts)));
        assert_eq!(refused(&[]), "Invalid empty client quota entity");
        assert_eq!(refused(&[(USER, Some(""))]), "Empty user not supported");
        assert_eq!(
            refused(&[("foo", Some("a"))]),
            "Unhandled client quota entity type: foo"
        );
        assert_eq!(
            refused(&[(IP, Some("127.0.0.1")), (USER, Some("a"))]),
            "Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId"
        );
        assert_eq!(
            refused(&[(IP, Some("not a host"))]),
            "not a host is not a valid IP or resolvable host."
        );
        assert_eq!(refused(&[(IP, None)]), "");
        let user = entity(&[(USER, Some("a"))]);
        let refused = |key, limit| words(check_change(&user, key, Some(limit)));
        assert_eq!(refused("nonsense", 1.0), "Invalid configuration key nonsense");
        assert_eq!(
            refused("connection_creation_rate", 1.0),
            "Invalid configuration key connection_creation_rate"
        );
        assert_eq!(
            refused(PRODUCER_BYTE_RATE, -1.0),
            "Quota producer_byte_rate must be greater than 0"
        );
        assert_eq!(
            refused(PRODUCER_BYTE_RATE, 0.5),
            "producer_byte_rate cannot be a fractional value."
        );
        assert_eq!(
            refused(PRODUCER_BYTE_RATE, 1e30),
            "Proposed value for producer_byte_rate is too large for a LONG."
        );
        assert_eq!(refused("request_percentage", 0.5), "");
        assert_eq!(refused(PRODUCER_BYTE_RATE, f64::NAN), "");
    }

    #[test]
    fn the_most_specific_quota_holds_and_says_whose_traffic_counts_together() {
        let some = |name| Some(Some(name));
        let limit = |limit| BTreeMap::from([(PRODUCER_BYTE_RATE.to_owned(), Limit(limit))]);
        let add =
            |quotas: &mut ClientQuotas, user: Option<Option<&str>>, client: Option<Option<&str>>, rate| {
                let parts = [(USER, user), (CLIENT_ID, client)];
                let parts: Vec<_> = parts
                    .iter()
                    .filter_map(|(kind, part)| Some((*kind, (*part)?)))
                    .collect();
                quotas.insert(entity(&parts), limit(rate));
            };
        let mut quotas = ClientQuotas::new();
        let held = |quotas: &ClientQuotas| {
            let held = held_by(quotas, PRODUCER_BYTE_RATE, "u", "c");
            held.map(|held| (held.limit, held.user, held.client_id))
        };
        let told = |rate, user: &str, client: &str| Some((rate, user.to_owned(), client.to_owned()));
        assert_eq!(held(&quotas), None);
        add(&mut quotas, None, Some(None), 8.0);
        assert_eq!(held(&quotas), told(8.0, "", "c"));
        add(&mut quotas, None, some("c"), 7.0);
        assert_eq!(held(&quotas), told(7.0, "", "c"));
        add(&mut quotas, Some(None), None, 6.0);
        assert_eq!(held(&quotas), told(6.0, "u", ""));
        add(&mut quotas, Some(None), some("c"), 4.0);
        assert_eq!(held(&quotas), told(4.0, "u", "c"));
        add(&mut quotas, some("u"), None, 3.0);
        assert_eq!(held(&quotas), told(3.0, "u", ""));
        add(&mut quotas, some("u"), Some(None), 2.0);
        add(&mut quotas, some("u"), some("other"), 1.0);
        assert_eq!(held(&quotas), told(2.0, "u", "c"));
    }

    #[test]
    fn an_address_has_its_own_rate_of_connections_or_the_default() {
        let local = IpAddr::from([127, 0, 0, 1]);
        let mut quotas = ClientQuotas::new();
        let rate = |quotas: &ClientQuotas| connection_rate_of(quotas, local).to_string();
        assert_eq!(rate(&quotas), "inf");
        let limit = |limit| BTreeMap::from([(CONNECTION_CREATION_RATE.to_owned(), Limit(limit))]);
        quotas.insert(entity(&[(IP, None)]), limit(7.0));
        assert_eq!(rate(&quotas), "7");
        quotas.insert(entity(&[(IP, Some("10.0.0.1"))]), limit(5.0));
        assert_eq!(rate(&quotas), "7");
        quotas.insert(entity(&[(IP, Some("localhost"))]), limit(3.0));
        assert_eq!(rate(&quotas), "3");
    }

    #[test]
    fn a_filter_finds_what_has_its_components_and_if_strict_nothing_more() {
        let pair = entity(&[(USER, Some("a")), (CLIENT_ID, None)]);
        let alone = entity(&[(USER, Some("a"))]);
        let found = |components: &[(&str, Match)], is_strict| {
            let owned = components
                .iter()
                .map(|(kind, wanted)| ((*kind).to_owned(), wanted.clone()));
            let filter = Filter::new(owned.collect(), is_strict).unwrap();
            (filter.finds(&pair), filter.finds(&alone))
        };
        let user = (USER, Match::Name("a".to_owned()));
        assert_eq!(found(&[], false), (true, true));
        assert_eq!(found(&[], true), (false, false));
        assert_eq!(found(std::slice::from_ref(&user), false), (true, true));
        assert_eq!(found(std::slice::from_ref(&user), true), (false, true));
        assert_eq!(
            found(&[user.clone(), (CLIENT_ID, Match::Default)], true),
            (true, false)
        );
        assert_eq!(found(&[(CLIENT_ID, Match::Any)], false), (true, false));
        assert_eq!(found(&[(USER, Match::Default)], false), (false, false));
    }
}
