//! The section `proxies`: the ways out that are not direct, by name.

use std::sync::Arc;

use super::names::Names;
use super::reader::{Fields, Value};
use super::revocation::{SAME, SAME_IS_TAKEN};
use super::scalars::key_is_name;
use super::target::{TargetError, authority};
use super::{credentials, pac, secrets, trust};
use crate::endpoint::{Authority, ResolverSettings, TlsSettings};
use crate::route::{
    Bypass, BypassPattern, Names as WhoResolves, Pac, Proxy, ProxyKind, Secret, Way,
};

const MAX_CONNECT_HEADERS: usize = 32;

const URLS: &str =
    "the URL of a proxy is http://host:port, or begins with https://, socks5:// or socks5h://";

/// Headers that the proxy's answer or the message itself depends on.
const OWN_HEADERS: [&str; 7] = [
    "connection",
    "content-length",
    "host",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// What proxies refer to.
pub(super) struct Surroundings<'a> {
    pub(super) resolvers: &'a Names<ResolverSettings>,
    pub(super) tls: &'a TlsSettings,
}

/// Reads the section.
pub(super) fn read(value: &Value<'_>, around: &Surroundings<'_>, names: &mut Names<Way>) {
    for (name, value) in value.entries().unwrap_or_default() {
        if name == "direct" {
            value.refuse::<()>("`direct` is the route without a proxy: choose another name");
        } else if name == SAME {
            value.refuse::<()>(SAME_IS_TAKEN);
        } else if key_is_name(name, &value) {
            names.declare(name, way(name, &value, around));
        }
    }
}

/// A proxy has either its own URL or a script that names it.
fn way(name: &str, value: &Value<'_>, around: &Surroundings<'_>) -> Option<Way> {
    value.fields(|fields| {
        let script = fields.get("pac");
        if let Some(script) = &script {
            let why = "a proxy has either a `url` or a `pac`, not both";
            fields.meaningless("url", why);
            return pac(name, script, fields, around).map(|pac| Way::Pac(Arc::new(pac)));
        }
        if fields.get("url").is_none() {
            fields.whole().refuse::<()>("`url` or `pac` is missing");
        }
        proxy(name, fields, around).map(|proxy| Way::Proxy(Arc::new(proxy)))
    })?
}

fn proxy(name: &str, fields: &mut Fields<'_>, around: &Surroundings<'_>) -> Option<Proxy> {
    let url_of_it = fields.optional("url", url);
    let kind = url_of_it.as_ref().map(|(kind, _)| kind);
    let tls = tls(fields, kind, around.tls);
    let known = url_of_it.as_ref();
    let known = known.map(|(kind, authority)| (kind, authority));
    let credentials = fields.optional("auth", |value| credentials::read(value, known));
    if kind.is_some_and(is_socks) {
        let why = "means something only for http:// and https:// proxies";
        fields.meaningless("connect_headers", why);
    }
    let connect_headers = fields.optional("connect_headers", connect_headers);
    let bypass = fields.optional("bypass", |value| value.list(bypass_pattern));
    let resolver = fields.optional("resolver", |value| around.resolvers.find(value).cloned());
    let (kind, authority) = url_of_it?;
    Some(Proxy {
        name: name.to_owned(),
        kind: match kind {
            ProxyKind::Https { .. } => ProxyKind::Https { tls },
            other => other,
        },
        authority,
        credentials,
        connect_headers: connect_headers.unwrap_or_default(),
        bypass: Bypass::new(bypass.unwrap_or_default()),
        resolver,
    })
}

/// What stands beside a script holds for every proxy that it names, of whatever kind.
fn pac(
    name: &str,
    script: &Value<'_>,
    fields: &mut Fields<'_>,
    around: &Surroundings<'_>,
) -> Option<Pac> {
    let script = pac::read(script);
    let tls = tls(fields, None, around.tls);
    let credentials = fields.optional("auth", |value| credentials::read(value, None));
    let connect_headers = fields.optional("connect_headers", connect_headers);
    let bypass = fields.optional("bypass", |value| value.list(bypass_pattern));
    let resolver = fields.optional("resolver", |value| around.resolvers.find(value).cloned());
    let pac::Script { source, failover } = script?;
    Some(Pac {
        name: name.to_owned(),
        source,
        failover,
        tls,
        credentials,
        connect_headers: connect_headers.unwrap_or_default(),
        bypass: Bypass::new(bypass.unwrap_or_default()),
        resolver,
    })
}

/// Whom to trust towards the proxy: the global settings, with its own on top.
fn tls(fields: &mut Fields<'_>, kind: Option<&ProxyKind>, global: &TlsSettings) -> TlsSettings {
    if let Some(ProxyKind::Http | ProxyKind::Socks5 { .. }) = kind {
        fields.meaningless("tls", "means something only for https:// proxies");
        return global.clone();
    }
    let own = fields.optional("tls", |value| {
        trust::of_peer(value, global, trust::Alpn::Fixed)
    });
    own.unwrap_or_else(|| global.clone())
}

/// Never shows the URL: whoever writes a password into it shall not find it in a log.
fn url(value: &Value<'_>) -> Option<(ProxyKind, Authority)> {
    let text = value.text()?;
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let Some(kind) = kind_of(scheme) else {
        return match scheme.to_ascii_lowercase().as_str() {
            scheme @ ("socks4" | "socks4a") => {
                value.not_supported(&format!("a proxy of the kind {scheme}://"))
            }
            _ => value.refuse(URLS),
        };
    };
    match authority(rest.strip_suffix('/').unwrap_or(rest)) {
        Ok(authority) => Some((kind, authority)),
        Err(error @ TargetError::Credentials) => value.refuse_with(
            error.to_string(),
            "use auth: {basic: {username, password_file}}".to_owned(),
        ),
        Err(error) => {
            let form = format!("the URL of a proxy is {}://host:port", kind.scheme());
            value.refuse_with(error.to_string(), form)
        }
    }
}

/// The kind of proxy that a scheme names.
pub(super) fn kind_of(scheme: &str) -> Option<ProxyKind> {
    let names = match scheme.to_ascii_lowercase().as_str() {
        "http" => return Some(ProxyKind::Http),
        "https" => {
            let tls = TlsSettings::default();
            return Some(ProxyKind::Https { tls });
        }
        "socks5" => WhoResolves::ResolvedHere,
        "socks5h" => WhoResolves::ResolvedByProxy,
        _ => return None,
    };
    Some(ProxyKind::Socks5 { names })
}

fn is_socks(kind: &ProxyKind) -> bool {
    matches!(kind, ProxyKind::Socks5 { .. })
}

fn connect_headers(value: &Value<'_>) -> Option<Vec<(String, Secret)>> {
    let entries = value.entries()?;
    if entries.len() > MAX_CONNECT_HEADERS {
        return value.refuse(format!("more than {MAX_CONNECT_HEADERS} headers"));
    }
    let header = |(name, value): (&str, Value<'_>)| {
        let secret = is_connect_header(name, &value).then(|| secrets::text(&value))??;
        let printable = |c: char| !c.is_control() || c == '\t';
        if !secret.expose().chars().all(printable) {
            return value.refuse("the value of a header holds no control characters");
        }
        Some((name.to_owned(), secret))
    };
    Some(entries.into_iter().filter_map(header).collect())
}

fn is_connect_header(name: &str, value: &Value<'_>) -> bool {
    if !is_header_name(name) {
        value.refuse::<()>("the key is not the name of a header (RFC 9110)");
        return false;
    }
    let lower = name.to_ascii_lowercase();
    if lower == "proxy-authorization" {
        value.refuse_with::<()>(
            "credentials are not a header",
            "use auth: {basic: {username, password_file}}".to_owned(),
        );
        return false;
    }
    if OWN_HEADERS.contains(&lower.as_str()) {
        value.refuse::<()>("reachd writes this header itself");
        return false;
    }
    true
}

/// A `token` of RFC 9110 §5.6.2.
pub(super) fn is_header_name(name: &str) -> bool {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    (1..=128).contains(&name.len()) && name.chars().all(in_token)
}

fn bypass_pattern(value: &Value<'_>) -> Option<BypassPattern> {
    match BypassPattern::winhttp(&value.text()?) {
        Ok(pattern) => Some(pattern),
        Err(error) => value.refuse(error.to_string()),
    }
}
