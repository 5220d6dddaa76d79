//! The section `proxies`: the ways out that are not direct, by name.

use std::sync::Arc;

use super::names::Names;
use super::reader::{Fields, Value};
use super::scalars::key_is_name;
use super::secrets;
use super::target::{TargetError, authority};
use crate::endpoint::{Authority, ResolverSettings};
use crate::route::{Bypass, BypassPattern, Credentials, Proxy, Secret};

const MAX_CONNECT_HEADERS: usize = 32;

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

/// Reads the section.
pub(super) fn read(
    value: &Value<'_>,
    resolvers: &Names<ResolverSettings>,
    names: &mut Names<Arc<Proxy>>,
) {
    for (name, value) in value.entries().unwrap_or_default() {
        if name == "direct" {
            value.refuse::<()>("`direct` is the route without a proxy: choose another name");
        } else if key_is_name(name, &value) {
            names.declare(name, proxy(name, &value, resolvers).map(Arc::new));
        }
    }
}

fn proxy(name: &str, value: &Value<'_>, resolvers: &Names<ResolverSettings>) -> Option<Proxy> {
    value.fields(|fields| {
        fields.not_supported("tls");
        let authority = if fields.not_supported("pac") {
            fields.optional("url", url)
        } else {
            fields.required("url", url)
        };
        let credentials = fields.optional("auth", |value| value.fields(credentials)?);
        let connect_headers = fields.optional("connect_headers", connect_headers);
        let bypass = fields.optional("bypass", |value| value.list(bypass_pattern));
        let resolver = fields.optional("resolver", |value| resolvers.find(value).cloned());
        Some(Proxy {
            name: name.to_owned(),
            authority: authority?,
            credentials,
            connect_headers: connect_headers.unwrap_or_default(),
            bypass: Bypass::new(bypass.unwrap_or_default()),
            resolver,
        })
    })?
}

/// Never shows the URL: whoever writes a password into it shall not find it in a log.
fn url(value: &Value<'_>) -> Option<Authority> {
    let text = value.text()?;
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    match scheme.to_ascii_lowercase().as_str() {
        "http" => {}
        scheme @ ("https" | "socks5" | "socks5h" | "socks4" | "socks4a") => {
            return value.not_supported(&format!("a proxy of the kind {scheme}://"));
        }
        _ => return value.refuse("the URL of a proxy is http://host:port"),
    }
    match authority(rest.strip_suffix('/').unwrap_or(rest)) {
        Ok(authority) => Some(authority),
        Err(error @ TargetError::Credentials) => value.refuse_with(
            error.to_string(),
            "use auth: {basic: {username, password_file}}".to_owned(),
        ),
        Err(error) => value.refuse_with(
            error.to_string(),
            "the URL of a proxy is http://host:port".to_owned(),
        ),
    }
}

fn credentials(fields: &mut Fields<'_>) -> Option<Credentials> {
    let mut kinds = ["digest", "ntlm", "negotiate"].into_iter();
    if kinds.any(|kind| fields.not_supported(kind)) {
        fields.known(["basic"]);
        return None;
    }
    fields.required("basic", |value| {
        value.fields(|fields| {
            let username = fields.required("username", username);
            let password = secrets::password(fields);
            Some(Credentials::Basic {
                username: username?,
                password: password?,
            })
        })?
    })
}

fn username(value: &Value<'_>) -> Option<String> {
    let username = value.text()?;
    if username.is_empty() || username.contains(':') || username.contains(char::is_control) {
        return value.refuse("a user name is not empty and holds no colon (RFC 7617)");
    }
    Some(username)
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
