//! Java's own key store format, JKS: trusted certificates, and private keys under Sun's key protection.
//!
//! Format and protection as in `sun.security.provider.JavaKeyStore` and `KeyProtector`: both are based on SHA-1
//! over the password in UTF-16. Reads only.

use openssl::hash::{MessageDigest, hash};
use openssl::memcmp;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::Secret;

/// The first four bytes of a JKS file.
pub(super) const MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];

const SHA1_LEN: usize = 20;

/// Hashed into the digest at the end of the file, between password and contents.
const WHITENER: &[u8] = b"Mighty Aphrodite";

/// The DER of Sun's key protection algorithm, OID 1.3.6.1.4.1.42.2.17.1.1.
const SUN_PROTECTION: [u8; 12] = [
    0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01,
];

/// The entry of one alias.
pub(super) enum Entry {
    Key {
        /// The protected key, DER.
        protected: Vec<u8>,
        chain: Vec<X509>,
    },
    Trusted(X509),
}

/// Reads a JKS file; with a password its digest is checked, as in Java. Errors are messages for the user.
pub(super) fn read(bytes: &[u8], password: Option<&Secret>) -> Result<Vec<Entry>, String> {
    let truncated = || "it is cut short".to_owned();
    let (contents, digest) = bytes.split_last_chunk::<SHA1_LEN>().ok_or_else(truncated)?;
    if let Some(password) = password {
        let computed = sha1(&[&utf16(password), WHITENER, contents])?;
        if !memcmp::eq(&computed, digest) {
            return Err("the password is wrong, or the file was tampered with".to_owned());
        }
    }
    let mut input = Input(contents);
    entries(&mut input).ok_or_else(truncated)?
}

/// All entries; `None` when the bytes end too soon.
fn entries(input: &mut Input<'_>) -> Option<Result<Vec<Entry>, String>> {
    input.bytes(MAGIC.len())?;
    let version = input.number()?;
    if !matches!(version, 1 | 2) {
        return Some(Err(format!("version {version} of the JKS format is unknown")));
    }
    let count = input.number()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let tag = input.number()?;
        input.text()?; // the alias
        input.bytes(8)?; // when it was made
        let entry = match tag {
            1 => key_entry(input, version)?,
            2 => certificate(input, version)?.map(Entry::Trusted),
            other => Err(format!("entries of kind {other} are unknown")),
        };
        match entry {
            Ok(entry) => entries.push(entry),
            Err(problem) => return Some(Err(problem)),
        }
    }
    Some(Ok(entries))
}

fn key_entry(input: &mut Input<'_>, version: u32) -> Option<Result<Entry, String>> {
    let protected = input.block()?.to_vec();
    let count = input.number()?;
    let mut chain = Vec::new();
    for _ in 0..count {
        match certificate(input, version)? {
            Ok(certificate) => chain.push(certificate),
            Err(problem) => return Some(Err(problem)),
        }
    }
    Some(Ok(Entry::Key { protected, chain }))
}

fn certificate(input: &mut Input<'_>, version: u32) -> Option<Result<X509, String>> {
    if version == 2 {
        input.text()?; // "X.509"
    }
    let der = input.block()?;
    Some(X509::from_der(der).map_err(|_| "a certificate in it cannot be read".to_owned()))
}

/// Takes Sun's protection off a private key.
pub(super) fn unprotect(protected: &[u8], password: &Secret) -> Result<PKey<Private>, String> {
    let strange = || "a private key in it is protected in an unknown way".to_owned();
    let data = encrypted_data(protected).ok_or_else(strange)?;
    let (salt, rest) = data.split_first_chunk::<SHA1_LEN>().ok_or_else(strange)?;
    let (encrypted, check) = rest.split_last_chunk::<SHA1_LEN>().ok_or_else(strange)?;
    let password = utf16(password);
    let mut key = Vec::with_capacity(encrypted.len());
    let mut pad = salt.to_vec();
    for block in encrypted.chunks(SHA1_LEN) {
        pad = sha1(&[&password, &pad])?;
        key.extend(block.iter().zip(&pad).map(|(byte, pad)| byte ^ pad));
    }
    if !memcmp::eq(&sha1(&[&password, &key])?, check) {
        return Err("the password of its private key is wrong (ssl.key.password)".to_owned());
    }
    PKey::private_key_from_pkcs8(&key).map_err(|_| "its private key cannot be read".to_owned())
}

/// The octets of `SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING }`, when the OID is Sun's.
fn encrypted_data(der: &[u8]) -> Option<&[u8]> {
    let (outer, _) = der_value(der, 0x30)?;
    let (algorithm, rest) = der_value(outer, 0x30)?;
    algorithm.starts_with(&SUN_PROTECTION).then_some(())?;
    Some(der_value(rest, 0x04)?.0)
}

/// The contents of a DER value of type `tag`, and what follows it.
fn der_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [first, length, rest @ ..] = der else {
        return None;
    };
    if *first != tag {
        return None;
    }
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            if digits.len() > 4 {
                return None;
            }
            let length = digits
                .iter()
                .fold(0_u32, |length, byte| length << 8 | u32::from(*byte));
            (length as usize, rest)
        }
    };
    rest.split_at_checked(length)
}

fn utf16(password: &Secret) -> Vec<u8> {
    password
        .reveal()
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect()
}

fn sha1(parts: &[&[u8]]) -> Result<Vec<u8>, String> {
    let digest = hash(MessageDigest::sha1(), &parts.concat());
    digest
        .map(|digest| digest.to_vec())
        .map_err(|cause| format!("SHA-1 is not available: {cause}"))
}

/// Reads big-endian numbers, and blocks with their lengths in front.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        self.bytes(usize::from(u16::from_be_bytes(*length)))
    }

    fn block(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.bytes(length as usize)
    }
}
