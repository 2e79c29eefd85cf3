//! Key and trust stores: PEM, PKCS12 and JKS, told apart by their first bytes, as one form in memory.

use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::Secret;
use super::jks;
use super::tls::Identity;

/// The first four bytes of the format that Java calls JCEKS.
const JCEKS_MAGIC: [u8; 4] = [0xce, 0xce, 0xce, 0xce];

/// What a store holds.
#[derive(Debug, Default)]
pub struct KeyStore {
    /// A private key with its certificates; of several, the first.
    pub identity: Option<Identity>,
    /// Certificates to trust.
    pub trusted: Vec<X509>,
}

/// Opens a store. Without `key_password` the private key has the store's password. Errors are messages for the
/// user that do not name the file.
pub fn open(
    bytes: &[u8],
    password: Option<&Secret>,
    key_password: Option<&Secret>,
) -> Result<KeyStore, String> {
    if bytes.starts_with(&jks::MAGIC) {
        return open_jks(bytes, password, key_password.or(password));
    }
    if bytes.starts_with(&JCEKS_MAGIC) {
        return Err(
            "it is a JCEKS store; make a PKCS12 store of it: keytool -importkeystore -srcstoretype JCEKS -deststoretype PKCS12 …"
                .to_owned(),
        );
    }
    if bytes.first() == Some(&0x30) {
        return open_pkcs12(bytes, password);
    }
    open_pem(&String::from_utf8_lossy(bytes), key_password.or(password))
}

/// Whether a store is taken for PEM: it begins like none of the other formats.
pub fn is_pem(bytes: &[u8]) -> bool {
    !bytes.starts_with(&jks::MAGIC) && !bytes.starts_with(&JCEKS_MAGIC) && bytes.first() != Some(&0x30)
}

fn open_jks(
    bytes: &[u8],
    password: Option<&Secret>,
    key_password: Option<&Secret>,
) -> Result<KeyStore, String> {
    let mut store = KeyStore::default();
    for entry in jks::read(bytes, password)? {
        match entry {
            jks::Entry::Trusted(certificate) => store.trusted.push(certificate),
            jks::Entry::Key { protected, chain } => {
                // Java trusts the certificates of a store's own keys as well.
                store.trusted.extend(chain.first().cloned());
                if let (None, Some(password)) = (&store.identity, key_password) {
                    let key = jks::unprotect(&protected, password)?;
                    store.identity = Some(identity(key, chain)?);
                }
            }
        }
    }
    Ok(store)
}

fn open_pkcs12(bytes: &[u8], password: Option<&Secret>) -> Result<KeyStore, String> {
    let store = Pkcs12::from_der(bytes).map_err(|_| "it is neither PEM, PKCS12 nor JKS".to_owned())?;
    let password = password.map_or("", Secret::reveal);
    let parsed = store.parse2(password).map_err(|cause| pkcs12_problem(&cause))?;
    let others: Vec<X509> = parsed.ca.into_iter().flatten().collect();
    let mut opened = KeyStore::default();
    match (parsed.pkey, parsed.cert) {
        (Some(key), Some(certificate)) => {
            opened.trusted.push(certificate.clone());
            let chain = others.iter().filter(|other| *other != &certificate).cloned();
            opened.identity = Some(identity(
                key,
                std::iter::once(certificate.clone()).chain(chain).collect(),
            )?);
        }
        (_, Some(certificate)) => opened.trusted.push(certificate),
        _ => {}
    }
    opened.trusted.extend(others);
    Ok(opened)
}

fn pkcs12_problem(cause: &openssl::error::ErrorStack) -> String {
    let reasons: Vec<&str> = cause
        .errors()
        .iter()
        .filter_map(openssl::error::Error::reason)
        .collect();
    if reasons.iter().any(|reason| reason.contains("mac verify")) {
        return "the password is wrong, or the file was tampered with".to_owned();
    }
    if reasons
        .iter()
        .any(|reason| reason.contains("unsupported") || reason.contains("unknown"))
    {
        return "its encryption is of the old kind (RC2 or 3DES); write it anew: keytool -importkeystore \
                -srckeystore OLD -destkeystore NEW -deststoretype PKCS12, with Java 17 or newer"
            .to_owned();
    }
    "it cannot be read".to_owned()
}

/// Certificates, and a private key if there is one, of PEM text: with line ends, or without as in a properties
/// file that joins lines.
pub fn open_pem(text: &str, key_password: Option<&Secret>) -> Result<KeyStore, String> {
    let mut key = None;
    let mut certificates = Vec::new();
    for block in pem_blocks(text) {
        if block.label.ends_with("PRIVATE KEY") {
            if key.is_none() {
                key = Some(private_key(&block, key_password)?);
            }
        } else if block.label.ends_with("CERTIFICATE") {
            let pem = block.text();
            let certificate = X509::from_pem(pem.as_bytes());
            certificates.push(certificate.map_err(|_| "a PEM certificate in it cannot be read".to_owned())?);
        }
    }
    match key {
        Some(key) if !certificates.is_empty() => Ok(KeyStore {
            identity: Some(identity(key, certificates.clone())?),
            trusted: certificates,
        }),
        Some(_) => Err("it holds a private key and no certificate for it".to_owned()),
        None if certificates.is_empty() => {
            Err("it holds no PEM certificate, and is no PKCS12 or JKS store".to_owned())
        }
        None => Ok(KeyStore {
            identity: None,
            trusted: certificates,
        }),
    }
}

fn private_key(block: &PemBlock<'_>, password: Option<&Secret>) -> Result<PKey<Private>, String> {
    let password = password.map_or("", Secret::reveal);
    // With a passphrase, even an empty one, OpenSSL does not ask for one on the terminal.
    PKey::private_key_from_pem_passphrase(block.text().as_bytes(), password.as_bytes()).map_err(|_| {
        if block.label.starts_with("ENCRYPTED") || block.body.contains("ENCRYPTED") {
            "the password of its private key is wrong or missing (ssl.key.password)".to_owned()
        } else {
            "the PEM private key in it cannot be read".to_owned()
        }
    })
}

/// A key with the certificate that belongs to it in front of its chain.
fn identity(key: PKey<Private>, mut chain: Vec<X509>) -> Result<Identity, String> {
    let own = chain.iter().position(|certificate| {
        certificate
            .public_key()
            .is_ok_and(|public| key.public_eq(&public))
    });
    let certificate = match own {
        Some(place) => chain.remove(place),
        None => return Err("its private key belongs to none of its certificates".to_owned()),
    };
    Ok(Identity {
        key,
        certificate,
        chain,
    })
}

/// The text between a BEGIN line and its END line.
struct PemBlock<'a> {
    label: &'a str,
    body: &'a str,
}

impl PemBlock<'_> {
    /// The block in lines as OpenSSL wants them. One with its own headers is left as it is.
    fn text(&self) -> String {
        let Self { label, body } = self;
        if body.contains(':') {
            return format!("-----BEGIN {label}-----{body}-----END {label}-----\n");
        }
        let letters: Vec<char> = body.chars().filter(|c| !c.is_whitespace()).collect();
        let mut text = format!("-----BEGIN {label}-----\n");
        for line in letters.chunks(64) {
            text.extend(line);
            text.push('\n');
        }
        text + &format!("-----END {label}-----\n")
    }
}

fn pem_blocks(text: &str) -> Vec<PemBlock<'_>> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let Some((label, after)) = after.split_once("-----") else {
            break;
        };
        let Some((body, after)) = after.split_once("-----END ") else {
            break;
        };
        blocks.push(PemBlock { label, body });
        rest = after;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A store made by `make.sh` in the folder of golden files, which has the passwords.
    macro_rules! golden {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/golden/key_stores/", $name)).as_slice()
        };
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    fn common_name(certificate: &X509) -> String {
        let name = certificate.subject_name().entries().next().unwrap();
        name.data().to_string().unwrap().clone()
    }

    #[test]
    fn keys_out_of_every_format_java_writes() {
        for (store, password, key_password) in [
            (golden!("key.jks"), "store-secret", Some("key-secret")),
            (golden!("key.p12"), "store-secret", None),
            (golden!("key.pem"), "unused", Some("key-secret")),
            (golden!("plain-key.pem"), "unused", None),
            (golden!("quick.p12"), "store-secret", None),
            (golden!("bare.p12"), "", None),
            (golden!("quick-key.pem"), "unused", Some("key-secret")),
        ] {
            let opened = open(store, Some(&secret(password)), key_password.map(secret).as_ref()).unwrap();
            let identity = opened.identity.unwrap();
            assert_eq!(common_name(&identity.certificate), "alice");
            assert!(
                identity
                    .certificate
                    .public_key()
                    .unwrap()
                    .public_eq(&identity.key)
            );
        }
    }

    #[test]
    fn trusted_certificates_out_of_every_format() {
        let expected = X509::from_pem(golden!("certificate.pem")).unwrap();
        for store in [
            golden!("trust.jks"),
            golden!("trust.p12"),
            golden!("certificate.pem"),
            golden!("key.jks"),
        ] {
            let opened = open(store, Some(&secret("store-secret")), Some(&secret("key-secret"))).unwrap();
            assert!(opened.trusted.contains(&expected));
        }
        // As in Java, a JKS trust store opens without its password, unchecked.
        assert_eq!(
            open(golden!("trust.jks"), None, None).unwrap().trusted,
            [expected]
        );
    }

    #[test]
    fn a_wrong_password_is_called_that() {
        let wrong = secret("wrong");
        for (store, password) in [
            (golden!("key.jks"), &wrong),
            (golden!("trust.jks"), &wrong),
            (golden!("key.p12"), &wrong),
            (golden!("key.jks"), &secret("store-secret")),
        ] {
            let refusal = open(store, Some(password), Some(&wrong)).unwrap_err();
            assert!(refusal.contains("password"), "{refusal}");
            assert!(!refusal.contains("wrong\"") && !refusal.contains("store-secret"));
        }
        assert!(
            open(golden!("key.pem"), None, None)
                .unwrap_err()
                .contains("ssl.key.password")
        );
    }

    #[test]
    fn stores_of_other_kinds_say_what_to_do() {
        let password = secret("store-secret");
        assert!(
            open(golden!("other.jceks"), Some(&password), None)
                .unwrap_err()
                .contains("keytool")
        );
        let legacy = open(golden!("legacy.p12"), Some(&password), None).unwrap_err();
        assert!(legacy.contains("keytool"), "{legacy}");
        assert!(
            open(b"certainly no store", None, None)
                .unwrap_err()
                .contains("no PEM certificate")
        );
    }

    #[test]
    fn pem_without_its_line_ends_is_read_as_java_reads_it() {
        let joined = String::from_utf8_lossy(golden!("plain-key.pem")).replace('\n', " ");
        assert!(open_pem(&joined, None).unwrap().identity.is_some());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, place in 0_usize..514, value: u8) {
            let _ = open(&bytes, None, None);
            let mut store = golden!("key.jks").to_vec();
            store[place] = value;
            let _ = open(&store, None, Some(&secret("key-secret")));
        }
    }
}
