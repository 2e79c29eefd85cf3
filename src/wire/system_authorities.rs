//! The certificate authorities this machine trusts. The OpenSSL in our binary does not know where they are.

use std::path::{Path, PathBuf};
use std::{env, fs};

use openssl::x509::X509;

use crate::error::io_words;

/// Where systems keep their bundle: Debian, Fedora, openSUSE, older Red Hat, newer Red Hat, Alpine and macOS, FreeBSD.
const BUNDLES: [&str; 7] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The file with the authorities: `SSL_CERT_FILE` as for every OpenSSL program, or the system's bundle.
pub fn bundle() -> Option<PathBuf> {
    let named = env::var_os("SSL_CERT_FILE")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    named.or_else(|| BUNDLES.iter().map(PathBuf::from).find(|path| path.is_file()))
}

/// All certificates of a PEM file, or of the files of a folder.
///
/// # Errors
///
/// A file cannot be read, or holds no certificate.
pub fn read(path: &Path) -> Result<Vec<X509>, String> {
    let trouble = |cause: std::io::Error| io_words(&cause);
    let mut certificates = Vec::new();
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(trouble)? {
            let file = entry.map_err(trouble)?.path();
            if file.is_file() {
                let bytes = fs::read(&file).map_err(trouble)?;
                certificates.extend(X509::stack_from_pem(&bytes).unwrap_or_default());
            }
        }
    } else {
        let bytes = fs::read(path).map_err(trouble)?;
        certificates =
            X509::stack_from_pem(&bytes).map_err(|_| "it is no PEM file of certificates".to_owned())?;
    }
    if certificates.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    Ok(certificates)
}
