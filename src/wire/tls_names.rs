//! Java's names of TLS versions and cipher suites, in OpenSSL's terms; for client and broker.

use openssl::ssl::SslVersion;

/// Why a setting cannot be applied: its name, and the reason.
pub type Problem = (&'static str, &'static str);

/// The oldest and the newest version of TLS, from the values of `ssl.protocol` and `ssl.enabled.protocols`. Versions
/// below 1.2 are disabled in every current JVM, so they are ignored in a list that names others too.
pub fn versions(
    protocol: Option<&str>,
    enabled: Option<&str>,
) -> Result<(SslVersion, Option<SslVersion>), Problem> {
    let newest = match protocol.map_or("TLS", str::trim) {
        "TLS" | "TLSv1.3" => None,
        "TLSv1.2" => Some(SslVersion::TLS1_2),
        _ => {
            return Err((
                "ssl.protocol",
                "only TLSv1.2 and TLSv1.3 are secure enough to be used",
            ));
        }
    };
    let Some(enabled) = enabled else {
        return Ok((SslVersion::TLS1_2, newest));
    };
    let has = |name: &str| enabled.split(',').any(|part| part.trim() == name);
    match (has("TLSv1.2"), has("TLSv1.3")) {
        (true, true) => Ok((SslVersion::TLS1_2, newest)),
        (true, false) => Ok((SslVersion::TLS1_2, Some(SslVersion::TLS1_2))),
        (false, true) if newest.is_none() => Ok((SslVersion::TLS1_3, None)),
        _ => Err((
            "ssl.enabled.protocols",
            "neither TLSv1.2 nor TLSv1.3 is left to be used",
        )),
    }
}

/// `ssl.cipher.suites` in OpenSSL's names, joined with colons: those of TLS 1.2, those of TLS 1.3. An empty list is no
/// limit.
pub fn ciphers(list: &str) -> Result<(Option<String>, Option<String>), String> {
    let mut older = Vec::new();
    let mut newer = Vec::new();
    let names = list.split([',', ':']).map(str::trim);
    for name in names.filter(|name| !name.is_empty()) {
        if name.contains('\0') {
            return Err("a name of a cipher has a zero byte in it".to_owned());
        }
        let translated = openssl::ssl::cipher_name(name);
        if matches!(name.get(..8), Some("TLS_AES_" | "TLS_CHAC")) {
            newer.push(name);
        } else if name.starts_with("TLS_") || name.starts_with("SSL_") {
            if translated == "(NONE)" {
                return Err(format!("{name} is no cipher that is supported"));
            }
            older.push(translated);
        } else {
            older.push(name);
        }
    }
    let joined = |names: Vec<&str>| (!names.is_empty()).then(|| names.join(":"));
    Ok((joined(older), joined(newer)))
}
