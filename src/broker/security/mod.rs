//! The security of a listener: TLS, SASL, and the principals of its clients.
//!
//! [`ListenerSecurity`] is made from the settings once; [`authentication`] is the state of one connection. The
//! messages of SASL mechanisms are in `wire::sasl::server`; what a client may do is decided in `authorizer`.
//! <https://kafka.apache.org/documentation/#security>

pub(super) mod authentication;
mod bearer;
mod jwks_endpoint;
mod key_file;
mod listener_settings;
mod listener_tls;
mod logins;
mod principal_mapping;
mod signing_keys;

use crate::error::Result;
use crate::wire::security_protocol::SecurityProtocol;
use listener_settings::ListenerSettings;
pub(super) use listener_tls::ListenerTls;
use logins::Logins;
use principal_mapping::PrincipalMapping;

use super::config::effective_config::BrokerValues;
use super::config::{BrokerConfig, Endpoint};
use super::notices::NoticeSink;

/// The security of one listener.
#[derive(Debug)]
pub(super) struct ListenerSecurity {
    pub(super) protocol: SecurityProtocol,
    pub(super) tls: Option<ListenerTls>,
    logins: Option<Logins>,
    mapping: PrincipalMapping,
}

impl ListenerSecurity {
    /// Reads the settings of a listener, and the files that they name. Later failures are reported to `notices`.
    ///
    /// # Errors
    ///
    /// A setting is missing or invalid, or a file cannot be read; the error names it.
    pub(super) fn new(config: &BrokerConfig, endpoint: &Endpoint, notices: &NoticeSink) -> Result<Self> {
        let protocol = config.protocol_of(endpoint)?;
        let values = BrokerValues {
            config,
            node: None,
            cluster: None,
        };
        let settings = ListenerSettings::new(values, &endpoint.name);
        Ok(Self {
            protocol,
            tls: protocol
                .uses_tls()
                .then(|| ListenerTls::new(&endpoint.name, &settings))
                .transpose()?,
            logins: protocol
                .uses_sasl()
                .then(|| Logins::new(&settings, notices))
                .transpose()?,
            mapping: PrincipalMapping::new(settings.get("ssl.principal.mapping.rules").unwrap_or_default())
                .ok_or_else(|| {
                settings.complaint("ssl.principal.mapping.rules", "it is no list of rules")
            })?,
        })
    }
}
