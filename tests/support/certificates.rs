//! Certificates for tests, made when they are needed.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};

/// An expiry time that no test reaches, in seconds since 1970.
const FAR_AWAY: i64 = 4_000_000_000;

/// A key and its certificate.
#[derive(Debug)]
pub struct Certified {
    pub key: PKey<Private>,
    pub certificate: X509,
}

impl Certified {
    /// A certificate for a subject of parts such as `("CN", "alice")`, signed by `issuer` or by itself.
    pub fn new(subject: &[(&str, &str)], issuer: Option<&Certified>) -> Self {
        Self::until(subject, issuer, FAR_AWAY)
    }

    /// The same for another host than localhost.
    pub fn for_host(host: &str, subject: &[(&str, &str)], issuer: &Certified) -> Self {
        Self::made(
            subject,
            Some(issuer),
            FAR_AWAY,
            SubjectAlternativeName::new().dns(host),
        )
    }

    /// The same with its expiry time, in seconds since 1970.
    pub fn until(subject: &[(&str, &str)], issuer: Option<&Certified>, end: i64) -> Self {
        let mut names = SubjectAlternativeName::new();
        Self::made(subject, issuer, end, names.ip("127.0.0.1").dns("localhost"))
    }

    fn made(
        subject: &[(&str, &str)],
        issuer: Option<&Certified>,
        end: i64,
        names: &SubjectAlternativeName,
    ) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
        let key = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
        let mut name = X509Name::builder().expect("a name");
        for (part, value) in subject {
            name.append_entry_by_text(part, value).expect("a part of a name");
        }
        let name = name.build();
        let mut builder = X509::builder().expect("a certificate");
        builder.set_version(2).expect("a version");
        let mut serial = BigNum::new().expect("a number");
        serial
            .rand(100, openssl::bn::MsbOption::MAYBE_ZERO, false)
            .expect("a random number");
        builder
            .set_serial_number(&serial.to_asn1_integer().expect("a number"))
            .expect("a serial number");
        builder.set_subject_name(&name).expect("a subject");
        builder.set_pubkey(&key).expect("a key");
        builder
            .set_not_before(&Asn1Time::from_unix(1_600_000_000).expect("a time"))
            .expect("a beginning");
        builder
            .set_not_after(&Asn1Time::from_unix(end).expect("a time"))
            .expect("an end");
        let context = builder.x509v3_context(None, None);
        let names = names.build(&context);
        builder
            .append_extension(names.expect("names"))
            .expect("an extension");
        if issuer.is_none() {
            let is_authority = BasicConstraints::new()
                .critical()
                .ca()
                .build()
                .expect("an extension");
            builder.append_extension(is_authority).expect("an extension");
        }
        let (signer, issuer_name) = match issuer {
            Some(issuer) => (&issuer.key, issuer.certificate.subject_name()),
            None => (&key, &*name),
        };
        builder.set_issuer_name(issuer_name).expect("an issuer");
        builder
            .sign(signer, MessageDigest::sha256())
            .expect("a signature");
        Self {
            certificate: builder.build(),
            key,
        }
    }

    /// The certificate alone.
    pub fn certificate_pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().expect("PEM")).expect("text")
    }

    /// The key and the certificate.
    pub fn pem(&self) -> String {
        let key = self.key.private_key_to_pem_pkcs8().expect("PEM");
        String::from_utf8(key).expect("text") + &self.certificate_pem()
    }
}
