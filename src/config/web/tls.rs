//! `tls_server_config`: the certificate, what is asked of clients, and what is agreed on with them.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, NamedGroup};

use super::{ClientPolicy, WebTls};
use crate::config::client_files::{certificates_in, pair, private_key_in, read as read_file};
use crate::config::files::{path, unusable};
use crate::config::problem::did_you_mean;
use crate::config::reader::{Fields, Value};
use crate::config::scalars::{boolean, word};
use crate::endpoint::TlsVersion;

const POLICIES: [(&str, ClientPolicy); 6] = [
    ("NoClientCert", ClientPolicy::NoClientCert),
    ("RequestClientCert", ClientPolicy::RequestClientCert),
    ("RequireAnyClientCert", ClientPolicy::RequireAnyClientCert),
    // An old name of the exporters for the same.
    ("RequireClientCert", ClientPolicy::RequireAnyClientCert),
    (
        "VerifyClientCertIfGiven",
        ClientPolicy::VerifyClientCertIfGiven,
    ),
    (
        "RequireAndVerifyClientCert",
        ClientPolicy::RequireAndVerifyClientCert,
    ),
];

const VERSIONS: [(&str, Option<TlsVersion>); 4] = [
    ("TLS13", Some(TlsVersion::Tls13)),
    ("TLS12", Some(TlsVersion::Tls12)),
    ("TLS11", None),
    ("TLS10", None),
];

/// What Go counts as secure. Those without a value are of CBC mode, which rustls does not have.
const CIPHER_SUITES: [(&str, Option<CipherSuite>); 13] = [
    (
        "TLS_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS13_AES_128_GCM_SHA256),
    ),
    (
        "TLS_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS13_AES_256_GCM_SHA384),
    ),
    (
        "TLS_CHACHA20_POLY1305_SHA256",
        Some(CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        Some(CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        Some(CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", None),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", None),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", None),
    ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", None),
];

const CURVES: [(&str, Option<NamedGroup>); 4] = [
    ("CurveP256", Some(NamedGroup::secp256r1)),
    ("CurveP384", Some(NamedGroup::secp384r1)),
    ("CurveP521", None),
    ("X25519", Some(NamedGroup::X25519)),
];

pub(super) fn read(value: &Value<'_>) -> Option<WebTls> {
    value.fields(|fields| {
        let pair = certificate_and_key(fields);
        let clients = Clients::read(fields);
        let (min_version, max_version) = versions(fields);
        let cipher_suites = fields.optional("cipher_suites", |value| {
            let suites = value.filled_list(cipher_suite)?;
            if max_version == TlsVersion::Tls12
                && !suites.is_empty()
                && !suites.iter().copied().any(is_of_tls12)
            {
                return value
                    .refuse("none of them is of TLS 1.2, the newest version that is spoken");
            }
            Some(suites)
        });
        let prefer_own_order = fields.optional("prefer_server_cipher_suites", boolean);
        let curves = fields.optional("curve_preferences", |value| value.filled_list(curve));
        let Clients {
            policy,
            authorities,
            names,
        } = clients;
        Some(WebTls {
            pair: Arc::new(pair?),
            client_policy: policy,
            client_authorities: authorities,
            client_names: names,
            min_version,
            max_version,
            cipher_suites: cipher_suites.unwrap_or_default(),
            prefer_own_order: prefer_own_order.unwrap_or(true),
            curves: curves.unwrap_or_default(),
        })
    })?
}

fn certificate_and_key(fields: &mut Fields<'_>) -> Option<CertifiedKey> {
    let certificates = inline_or_file(fields, "cert", "cert_file", certificates_in);
    let key = inline_or_file(fields, "key", "key_file", private_key_in);
    for (found, inline, file) in [
        (certificates.is_some(), "cert", "cert_file"),
        (key.is_some(), "key", "key_file"),
    ] {
        if !found {
            let message = format!("one of `{inline}` and `{file}` is missing");
            fields.whole().refuse::<()>(message);
        }
    }
    let ((_, certificates), (key_value, key)) = (certificates?, key?);
    match pair(certificates?, key?) {
        Ok(pair) => Some(pair),
        Err(rustls::Error::InconsistentKeys(_)) => {
            key_value.refuse("the key is not that of the certificate")
        }
        Err(error) => key_value.refuse(format!("certificate and key cannot be used: {error}")),
    }
}

/// What is asked of clients, as far as it is written well.
struct Clients {
    policy: ClientPolicy,
    authorities: Vec<CertificateDer<'static>>,
    names: Vec<String>,
}

impl Clients {
    fn read(fields: &mut Fields<'_>) -> Self {
        let policy = fields.get("client_auth_type");
        // A policy that cannot be read is told once, and not a second time as one that is missing.
        let is_readable = policy.as_ref().map(|value| word(value, &POLICIES));
        let is_broken = is_readable == Some(None);
        let policy = is_readable.flatten().unwrap_or(ClientPolicy::NoClientCert);
        let authorities =
            inline_or_file(fields, "client_ca", "client_ca_file", |content, place| {
                let certificates = certificates_in(content, place)?;
                match unusable(certificates.clone()) {
                    None => Ok(certificates),
                    Some(error) => Err(format!(
                        "{place} holds a certificate that cannot be used: {error}"
                    )),
                }
            });
        let names = fields.get("client_allowed_sans");
        if !is_broken {
            match &authorities {
                Some((value, _)) if policy == ClientPolicy::NoClientCert => {
                    value.refuse_with::<()>(
                        "authorities for clients that nobody asks for a certificate",
                        "set client_auth_type, such as RequireAndVerifyClientCert".to_owned(),
                    );
                }
                None if policy.verifies() => {
                    fields.whole().refuse::<()>(
                        "one of `client_ca` and `client_ca_file` is missing: whom would certificates of clients be verified by?",
                    );
                }
                _ => {}
            }
            if let Some(names) = names.as_ref().filter(|_| !policy.is_mandatory()) {
                names.refuse_with::<()>(
                    "names of clients that may come without a certificate",
                    "set client_auth_type to RequireAndVerifyClientCert or RequireAnyClientCert"
                        .to_owned(),
                );
            }
        }
        Self {
            policy,
            authorities: authorities.and_then(|(_, read)| read).unwrap_or_default(),
            names: names
                .and_then(|value| value.filled_list(Value::text))
                .unwrap_or_default(),
        }
    }
}

/// The value of one of two keys, of which only one may be there, and what it holds.
fn inline_or_file<'a, T>(
    fields: &mut Fields<'a>,
    inline: &'static str,
    file: &'static str,
    read: impl FnOnce(&[u8], &str) -> Result<T, String>,
) -> Option<(Value<'a>, Option<T>)> {
    let (text, named) = (fields.get(inline), fields.get(file));
    if let (Some(_), Some(named)) = (&text, &named) {
        named.refuse::<()>(format!("`{inline}` stands beside it: one of the two"));
    }
    if let Some(value) = text {
        let read = value
            .written()
            .and_then(|text| or_refused(&value, read(text.as_bytes(), "the text")));
        return Some((value, read));
    }
    let value = named?;
    let content = path(&value).and_then(|path| {
        let place = path.display().to_string();
        Some((or_refused(&value, read_file(&path))?, place))
    });
    let read = content.and_then(|(content, place)| or_refused(&value, read(&content, &place)));
    Some((value, read))
}

fn or_refused<T>(value: &Value<'_>, result: Result<T, String>) -> Option<T> {
    result.map_or_else(|why| value.refuse(why), Some)
}

fn versions(fields: &mut Fields<'_>) -> (TlsVersion, TlsVersion) {
    let min = fields.optional("min_version", version);
    let min = min.unwrap_or(TlsVersion::Tls12);
    let max = fields.optional("max_version", |value| {
        let max = version(value)?;
        if max < min {
            return value.refuse("it is older than `min_version`");
        }
        Some(max)
    });
    (min, max.unwrap_or(TlsVersion::Tls13))
}

fn version(value: &Value<'_>) -> Option<TlsVersion> {
    word(value, &VERSIONS)?.or_else(|| {
        value.refuse(
            "reachd does not speak this version, which is insecure (RFC 8996): TLS12 is the oldest",
        )
    })
}

fn cipher_suite(value: &Value<'_>) -> Option<CipherSuite> {
    let text = value.written()?;
    let known = CIPHER_SUITES.iter().find(|(name, _)| *name == text);
    match known {
        Some((_, Some(suite))) => Some(*suite),
        Some((_, None)) => {
            value.refuse("reachd does not have this cipher suite: its CBC mode is open to attacks")
        }
        None => value.refuse_with(
            format!(
                "{} is none of the cipher suites that Go counts as secure",
                value.shown()
            ),
            did_you_mean(text, CIPHER_SUITES.iter().map(|(name, _)| *name)),
        ),
    }
}

fn is_of_tls12(suite: CipherSuite) -> bool {
    !matches!(
        suite,
        CipherSuite::TLS13_AES_128_GCM_SHA256
            | CipherSuite::TLS13_AES_256_GCM_SHA384
            | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
    )
}

fn curve(value: &Value<'_>) -> Option<NamedGroup> {
    word(value, &CURVES)?.or_else(|| value.refuse("reachd does not have this curve"))
}
