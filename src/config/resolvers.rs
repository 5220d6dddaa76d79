//! The section `resolvers`: DNS servers by name.

use std::net::{IpAddr, SocketAddr};

use super::files::ca_file;
use super::names::Names;
use super::reader::{Fields, Value};
use super::scalars::{key_is_name, word};
use super::trust::server_name;
use crate::endpoint::{ResolverSettings, ResolverTransport};

const MAX_SERVERS: usize = 8;

/// The path of DNS over HTTPS where none is given (RFC 8484 §4.1 leaves it open; this one is custom).
const DEFAULT_PATH: &str = "/dns-query";

#[derive(Clone, Copy)]
enum Transport {
    Udp,
    Tcp,
    Tls,
    Https,
}

const TRANSPORTS: [(&str, Transport); 4] = [
    ("udp", Transport::Udp),
    ("tcp", Transport::Tcp),
    ("tls", Transport::Tls),
    ("https", Transport::Https),
];

/// What resolvers there are before the file names any.
pub(super) fn built_in() -> Names<ResolverSettings> {
    let mut names = Names::new("resolver");
    names.declare("system", Some(ResolverSettings::System));
    names
}

/// Reads the section.
pub(super) fn read(value: &Value<'_>, names: &mut Names<ResolverSettings>) {
    for (name, value) in value.entries().unwrap_or_default() {
        if names.has(name) {
            value.refuse::<()>("`system` is the resolver of the operating system");
        } else if key_is_name(name, &value) {
            names.declare(name, resolver(name, &value));
        }
    }
}

fn resolver(name: &str, value: &Value<'_>) -> Option<ResolverSettings> {
    value.fields(|fields| {
        let transport = match fields.get("transport") {
            Some(value) => word(&value, &TRANSPORTS),
            None => Some(Transport::Udp),
        };
        let port = transport.map_or(53, Transport::default_port);
        let servers = fields.required("servers", |value| {
            let servers = value.filled_list(|item| server(item, port))?;
            if servers.len() > MAX_SERVERS {
                return value.refuse(format!("more than {MAX_SERVERS} servers"));
            }
            Some(servers)
        });
        let ca_file = match transport {
            Some(Transport::Tls | Transport::Https) => fields.optional("ca_file", ca_file),
            _ => None,
        };
        let transport = with_server_name(transport, fields);
        Some(ResolverSettings::Servers {
            name: name.to_owned(),
            servers: servers?,
            transport: transport?,
            ca_file,
        })
    })?
}

fn with_server_name(
    transport: Option<Transport>,
    fields: &mut Fields<'_>,
) -> Option<ResolverTransport> {
    fields.known(["ca_file", "path", "server_name"]);
    match transport? {
        Transport::Udp => {
            refuse_encryption(fields);
            Some(ResolverTransport::Udp)
        }
        Transport::Tcp => {
            refuse_encryption(fields);
            Some(ResolverTransport::Tcp)
        }
        Transport::Tls => {
            fields.meaningless("path", "means something only with `transport: https`");
            Some(ResolverTransport::Tls {
                server_name: fields.required("server_name", server_name)?,
            })
        }
        Transport::Https => {
            let path = fields.optional("path", path);
            Some(ResolverTransport::Https {
                server_name: fields.required("server_name", server_name)?,
                path: path.unwrap_or_else(|| DEFAULT_PATH.to_owned()),
            })
        }
    }
}

fn refuse_encryption(fields: &mut Fields<'_>) {
    for key in ["server_name", "path", "ca_file"] {
        fields.meaningless(key, "means something only with `transport: tls` or `https`");
    }
}

fn server(value: &Value<'_>, default_port: u16) -> Option<SocketAddr> {
    let text = value.text()?;
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare
        .parse::<IpAddr>()
        .map(|address| SocketAddr::new(address, default_port))
        .or_else(|_| text.parse());
    match address {
        Ok(address) if address.port() > 0 => Some(address),
        _ => value.refuse_with(
            format!("{} is not an address", value.shown()),
            "write an IP address with or without a port, such as 10.0.0.53:53".to_owned(),
        ),
    }
}

fn path(value: &Value<'_>) -> Option<String> {
    let path = value.text()?;
    let printable = path.chars().all(|c| c.is_ascii_graphic());
    if path.starts_with('/') && printable && path.len() <= 1024 && !path.contains('#') {
        return Some(path);
    }
    value.refuse(format!("{} is not the path of a URL", value.shown()))
}

impl Transport {
    fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 53,
            Self::Tls => 853,
            Self::Https => 443,
        }
    }
}
