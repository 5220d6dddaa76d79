//! The sections `tls`: the global one, and what an endpoint or a proxy sets on top of it.

use std::net::IpAddr;

use super::client_files;
use super::files::ca_file;
use super::reader::{Fields, Value};
use super::scalars::word;
use super::target::dns_name;
use crate::endpoint::{TlsSettings, TlsVersion};

/// How TLS versions are written.
pub(super) const VERSIONS: [(&str, TlsVersion); 2] =
    [("1.2", TlsVersion::Tls12), ("1.3", TlsVersion::Tls13)];

/// What may be offered by ALPN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpn {
    /// What reachd can speak afterwards.
    Http,
    /// Anything: nothing is said after the handshake.
    Any,
    /// There is nothing to choose.
    Fixed,
}

/// The versions of HTTP that are spoken over TLS.
const HTTP: [&str; 2] = ["h2", "http/1.1"];

/// The global section.
pub(super) fn global(value: &Value<'_>) -> Option<TlsSettings> {
    value.fields(|fields| on_top_of(&TlsSettings::default(), fields))
}

/// The section of an endpoint or a proxy.
pub(super) fn of_peer(value: &Value<'_>, global: &TlsSettings, alpn: Alpn) -> Option<TlsSettings> {
    value.fields(|fields| {
        let server_name = fields.optional("server_name", server_name);
        let alpn = match alpn {
            Alpn::Fixed => None,
            kind => fields.optional("alpn", |value| {
                value.filled_list(|item| protocol(item, kind))
            }),
        };
        TlsSettings {
            server_name: server_name.or_else(|| global.server_name.clone()),
            alpn,
            client: client_files::read_fields(fields),
            ..on_top_of(global, fields)
        }
    })
}

fn protocol(value: &Value<'_>, kind: Alpn) -> Option<String> {
    let text = value.text()?;
    if kind == Alpn::Http && !HTTP.contains(&text.as_str()) {
        let all = HTTP.join(", ");
        return value.refuse(format!("{} is not one of {all}", value.shown()));
    }
    // RFC 7301 §3.1; printable, so that outcomes can show it.
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return value.refuse("a protocol is named by 1 to 255 printable ASCII characters");
    }
    Some(text)
}

/// The name in a certificate: of the DNS, or an address.
pub(super) fn server_name(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.parse::<IpAddr>().is_ok() {
        return Some(text);
    }
    match dns_name(&text) {
        Ok(name) => Some(name),
        Err(error) => value.refuse(error.to_string()),
    }
}

fn on_top_of(base: &TlsSettings, fields: &mut Fields<'_>) -> TlsSettings {
    let ca_file = fields.optional("ca_file", ca_file);
    let min_version = fields.optional("min_version", |value| word(value, &VERSIONS));
    let max_version = fields.optional("max_version", |value| word(value, &VERSIONS));
    let settings = TlsSettings {
        ca_file: ca_file.or_else(|| base.ca_file.clone()),
        min_version: min_version.unwrap_or(base.min_version),
        max_version: max_version.unwrap_or(base.max_version),
        server_name: base.server_name.clone(),
        alpn: None,
        client: None,
    };
    let is_said_here = min_version.or(max_version).is_some();
    if is_said_here && settings.max_version < settings.min_version {
        let none = "no version is left: max_version is older than min_version";
        fields.whole().refuse::<()>(none);
    }
    settings
}
