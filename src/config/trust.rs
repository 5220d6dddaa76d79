//! The sections `tls`: the global one, and what an endpoint or a proxy sets on top of it.

use std::net::IpAddr;

use super::files::ca_file;
use super::reader::{Fields, Value};
use super::scalars::word;
use super::target::dns_name;
use crate::endpoint::{TlsSettings, TlsVersion};

/// How TLS versions are written.
pub(super) const VERSIONS: [(&str, TlsVersion); 2] =
    [("1.2", TlsVersion::Tls12), ("1.3", TlsVersion::Tls13)];

/// The global section.
pub(super) fn global(value: &Value<'_>) -> Option<TlsSettings> {
    value.fields(|fields| on_top_of(&TlsSettings::default(), fields))
}

/// The section of an endpoint or a proxy.
pub(super) fn of_peer(value: &Value<'_>, global: &TlsSettings) -> Option<TlsSettings> {
    value.fields(|fields| {
        let server_name = fields.optional("server_name", server_name);
        TlsSettings {
            server_name: server_name.or_else(|| global.server_name.clone()),
            ..on_top_of(global, fields)
        }
    })
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
    TlsSettings {
        ca_file: ca_file.or_else(|| base.ca_file.clone()),
        min_version: min_version.unwrap_or(base.min_version),
        server_name: base.server_name.clone(),
    }
}
