//! The ways out in the syntax of the file: proxies, routes and the resolvers that something uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::{Yaml, tls};
use crate::config::Config;
use crate::config::secrets::REDACTED;
use crate::endpoint::{ResolverSettings, ResolverTransport, TlsSettings};
use crate::route::{BypassPattern, Credentials, KerberosIdentity, Proxy, Route, Way};

/// The section `proxies`.
pub(super) fn proxies(config: &Config) -> Yaml {
    let global = &config.global.tls;
    let proxies = proxies_of(config).map(|proxy| (proxy.name.clone(), self::proxy(proxy, global)));
    Yaml::Mapping(proxies.collect())
}

/// The proxies are the routes that are named like their proxy; the others are defined under `routes`.
fn proxies_of(config: &Config) -> impl Iterator<Item = &Arc<Proxy>> {
    config.routes.iter().filter_map(|route| match &route.way {
        Way::Proxy(proxy) if proxy.name == route.name => Some(proxy),
        _ => None,
    })
}

fn proxy(proxy: &Proxy, global: &TlsSettings) -> Yaml {
    proxy_with_password(proxy, global, &Yaml::text(REDACTED))
}

/// One proxy, with what stands in for its password.
pub(in crate::config) fn proxy_with_password(
    proxy: &Proxy,
    global: &TlsSettings,
    password: &Yaml,
) -> Yaml {
    let own_tls = proxy.tls().filter(|own| *own != global);
    let headers = proxy.connect_headers.iter();
    let headers = headers.map(|(name, _)| (name.clone(), Yaml::text(REDACTED)));
    // Two patterns of the environment may say the same in the syntax of the file, which takes each only once.
    let mut seen = BTreeSet::new();
    let bypass = proxy.bypass.patterns().iter().flat_map(bypass_texts);
    let bypass = bypass.filter(|text| seen.insert(text.clone()));
    let (resolver, credentials) = (proxy.resolver.as_ref(), proxy.credentials.as_ref());
    Yaml::mapping([
        (
            "url",
            Some(Yaml::text(format!(
                "{}://{}",
                proxy.kind.scheme(),
                proxy.authority
            ))),
        ),
        ("tls", own_tls.map(tls)),
        (
            "auth",
            credentials.map(|credentials| auth(credentials, password)),
        ),
        ("connect_headers", Yaml::Mapping(headers.collect()).if_any()),
        ("bypass", Yaml::texts(bypass).if_any()),
        (
            "resolver",
            resolver.map(|resolver| Yaml::text(resolver.name())),
        ),
    ])
}

fn auth(credentials: &Credentials, password: &Yaml) -> Yaml {
    let login = |username: &str, domain: Option<&String>| {
        Yaml::mapping([
            ("username", Some(Yaml::text(username))),
            ("domain", domain.map(Yaml::text)),
            ("password", Some(password.clone())),
        ])
    };
    let (kind, keys) = match credentials {
        Credentials::Basic { username, .. } => ("basic", login(username, None)),
        Credentials::Digest { username, .. } => ("digest", login(username, None)),
        Credentials::Ntlm {
            username, domain, ..
        } => ("ntlm", login(username, domain.as_ref())),
        Credentials::Negotiate(identity) => ("negotiate", tickets(identity)),
    };
    Yaml::mapping([(kind, Some(keys))])
}

fn tickets(identity: &KerberosIdentity) -> Yaml {
    let path = |path: &Path| Some(Yaml::text(path.to_string_lossy()));
    match identity {
        KerberosIdentity::DefaultCache => Yaml::mapping([]),
        KerberosIdentity::Cache(cache) => Yaml::mapping([("credential_cache", path(cache))]),
        KerberosIdentity::Keytab { principal, keytab } => Yaml::mapping([
            ("principal", Some(Yaml::text(principal))),
            ("keytab", path(keytab)),
        ]),
    }
}

/// The syntax of the file has no pattern for a domain and everything below it, so that takes two.
pub(in crate::config) fn bypass_texts(pattern: &BypassPattern) -> Vec<String> {
    let with = |port: &Option<u16>| port.map_or_else(String::new, |port| format!(":{port}"));
    match pattern {
        BypassPattern::Local => vec!["<local>".to_owned()],
        BypassPattern::All => vec!["*".to_owned()],
        BypassPattern::Wildcard { pattern, port } => vec![format!("{pattern}{}", with(port))],
        BypassPattern::Domain { domain, port } => vec![
            format!("{domain}{}", with(port)),
            format!("*.{domain}{}", with(port)),
        ],
        BypassPattern::Network {
            network,
            port: None,
        } => vec![network.to_string()],
        BypassPattern::Network {
            network,
            port: Some(port),
        } => vec![format!("[{network}]:{port}")],
    }
}

/// The section `routes`.
pub(super) fn routes(config: &Config) -> Yaml {
    let named = |name: &String| config.routes.iter().find(|route| route.name == *name);
    let written = config.default_routes.iter().map(|name| match named(name) {
        Some(route) if is_defined(route) => Yaml::mapping([
            ("name", Some(Yaml::text(name))),
            ("via", Some(Yaml::text(via(route)))),
            ("resolver", resolver_of(route)),
        ]),
        _ => Yaml::text(name),
    });
    Yaml::List(written.collect())
}

fn is_defined(route: &Route) -> bool {
    route.name != via(route)
}

fn via(route: &Route) -> &str {
    match &route.way {
        Way::Direct => "direct",
        Way::Proxy(proxy) => &proxy.name,
    }
}

fn resolver_of(route: &Route) -> Option<Yaml> {
    let resolver = route.resolver.as_ref()?;
    Some(Yaml::text(resolver.name()))
}

/// The section `resolvers`: every resolver that something uses.
pub(super) fn resolvers(config: &Config) -> Yaml {
    let routes = config.routes.iter();
    let used = routes
        .filter_map(|route| route.resolver.as_ref())
        .chain(proxies_of(config).filter_map(|proxy| proxy.resolver.as_ref()))
        .chain(
            config
                .endpoints
                .iter()
                .filter_map(|settings| settings.resolver.as_ref()),
        )
        .chain([&config.global.resolver]);
    let written: BTreeMap<&str, Yaml> = used
        .filter_map(|settings| Some((settings.name(), resolver(settings)?)))
        .collect();
    let written = written.into_iter();
    Yaml::Mapping(
        written
            .map(|(name, yaml)| (name.to_owned(), yaml))
            .collect(),
    )
}

fn resolver(settings: &ResolverSettings) -> Option<Yaml> {
    let ResolverSettings::Servers {
        servers,
        transport,
        ca_file,
        ..
    } = settings
    else {
        return None;
    };
    let (transport, server_name, path) = match transport {
        ResolverTransport::Udp => ("udp", None, None),
        ResolverTransport::Tcp => ("tcp", None, None),
        ResolverTransport::Tls { server_name } => ("tls", Some(server_name), None),
        ResolverTransport::Https { server_name, path } => ("https", Some(server_name), Some(path)),
    };
    let ca_file = ca_file.as_ref();
    Some(Yaml::mapping([
        (
            "servers",
            Some(Yaml::texts(servers.iter().map(ToString::to_string))),
        ),
        ("transport", Some(Yaml::text(transport))),
        ("server_name", server_name.map(Yaml::text)),
        ("path", path.map(Yaml::text)),
        (
            "ca_file",
            ca_file.map(|path| Yaml::text(path.to_string_lossy())),
        ),
    ]))
}
