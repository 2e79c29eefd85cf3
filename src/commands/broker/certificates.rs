//! Throw-away certificates: an authority, and a server certificate that it has signed.

use std::net::IpAddr;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder, X509Ref};

/// How long they are valid, in days.
const DAYS: u32 = 365;

/// PEM texts.
#[derive(Debug)]
pub(super) struct Certificates {
    /// The authority's certificate, for clients.
    pub(super) authority: String,
    /// The server's private key and certificate. Secret.
    pub(super) server: String,
}

/// Makes an authority, signs one certificate for these hosts, and drops the authority's key.
pub(super) fn make(hosts: &[String]) -> Result<Certificates, ErrorStack> {
    let authority_key = key()?;
    let mut authority = certificate("kafkit throw-away authority", &authority_key)?;
    authority.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    authority.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
    let own_name = authority_name()?;
    authority.set_issuer_name(&own_name)?;
    authority.sign(&authority_key, MessageDigest::sha256())?;
    let authority = authority.build();

    let server_key = key()?;
    let mut server = certificate("kafkit", &server_key)?;
    server.set_issuer_name(authority.subject_name())?;
    server.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let mut names = SubjectAlternativeName::new();
    for host in hosts {
        if host.parse::<IpAddr>().is_ok() {
            names.ip(host);
        } else {
            names.dns(host);
        }
    }
    let names = names.build(&server.x509v3_context(Some(&authority), None))?;
    server.append_extension(names)?;
    server.sign(&authority_key, MessageDigest::sha256())?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Certificates {
        authority: text(authority.to_pem()?),
        server: text(server_key.private_key_to_pem_pkcs8()?) + &text(server.build().to_pem()?),
    })
}

/// Whether the certificates of an earlier start can be used: they name these hosts, and are valid for one more day.
pub(super) fn are_usable(server: &str, hosts: &[String]) -> bool {
    let Ok(certificate) = X509::from_pem(server.as_bytes()) else {
        return false;
    };
    let lasts = Asn1Time::days_from_now(1).is_ok_and(|tomorrow| certificate.not_after() > &*tomorrow);
    lasts && hosts.iter().all(|host| names(&certificate, host))
}

fn names(certificate: &X509Ref, host: &str) -> bool {
    let known = certificate.subject_alt_names();
    known.iter().flatten().any(|name| match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => name.ipaddress() == Some(&address.octets()),
        Ok(IpAddr::V6(address)) => name.ipaddress() == Some(&address.octets()),
        Err(_) => name.dnsname() == Some(host),
    })
}

fn key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

fn authority_name() -> Result<openssl::x509::X509Name, ErrorStack> {
    name("kafkit throw-away authority")
}

fn name(common_name: &str) -> Result<openssl::x509::X509Name, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
    Ok(name.build())
}

fn certificate(common_name: &str, key: &PKey<Private>) -> Result<X509Builder, ErrorStack> {
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let serial = serial.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    let subject = name(common_name)?;
    builder.set_subject_name(&subject)?;
    builder.set_pubkey(key)?;
    let (from, until) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(DAYS)?);
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_used_again_for_the_hosts_that_it_names() {
        let hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let made = make(&hosts).unwrap();
        assert!(are_usable(&made.server, &hosts));
        assert!(!are_usable(&made.server, &["10.0.0.1".to_owned()]));
        assert!(!are_usable("", &hosts));
        let authority = X509::from_pem(made.authority.as_bytes()).unwrap();
        let server = X509::from_pem(made.server.as_bytes()).unwrap();
        assert!(server.verify(&authority.public_key().unwrap()).unwrap());
        assert!(authority.verify(&authority.public_key().unwrap()).unwrap());
    }
}
