//! The ways out in the syntax of the file: proxies, routes and the resolvers that something uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Yaml, tls};
use crate::config::Config;
use crate::config::scalars::duration_text;
use crate::config::secrets::REDACTED;
use crate::endpoint::{ResolverSettings, ResolverTransport, TlsSettings};
use crate::route::{
    Bypass, BypassPattern, Credentials, KerberosIdentity, Pac, PacSource, Proxy, Route, Secret, Way,
};

/// The section `proxies`.
pub(super) fn proxies(config: &Config) -> Yaml {
    let global = &config.global.tls;
    let proxies = ways_of(config).filter_map(|way| {
        let written = match way {
            Way::Direct => return None,
            Way::Proxy(proxy) => proxy_with_password(proxy, global, &Yaml::text(REDACTED)),
            Way::Pac(pac) => self::pac(pac, global),
        };
        Some((way.name().to_owned(), written))
    });
    Yaml::Mapping(proxies.collect())
}

/// The proxies are the routes that are named like their proxy; the others are defined under `routes`.
fn ways_of(config: &Config) -> impl Iterator<Item = &Way> {
    let routes = config.routes.iter();
    let named_alike = routes.filter(|route| !is_defined(route));
    named_alike.map(|route| &route.way)
}

/// One proxy, with what stands in for its password.
pub(in crate::config) fn proxy_with_password(
    proxy: &Proxy,
    global: &TlsSettings,
    password: &Yaml,
) -> Yaml {
    let url = format!("{}://{}", proxy.kind.scheme(), proxy.authority);
    let common = Common {
        own_tls: proxy.tls().filter(|own| *own != global),
        credentials: proxy.credentials.as_ref(),
        connect_headers: &proxy.connect_headers,
        bypass: &proxy.bypass,
        resolver: proxy.resolver.as_ref(),
    };
    common.written(("url", Some(Yaml::text(url))), password)
}

/// One script.
pub(in crate::config) fn pac(pac: &Pac, global: &TlsSettings) -> Yaml {
    let (url, file, refresh) = match &pac.source {
        PacSource::Url { url, refresh } => (Some(Yaml::text(url.as_str())), None, Some(*refresh)),
        PacSource::File(path) => (None, Some(Yaml::text(path.to_string_lossy())), None),
    };
    let script = Yaml::mapping([
        ("url", url),
        ("file", file),
        ("failover", Some(Yaml::plain(pac.failover))),
        ("refresh", refresh.map(duration_text).map(Yaml::Plain)),
    ]);
    let common = Common {
        own_tls: Some(&pac.tls).filter(|own| *own != global),
        credentials: pac.credentials.as_ref(),
        connect_headers: &pac.connect_headers,
        bypass: &pac.bypass,
        resolver: pac.resolver.as_ref(),
    };
    common.written(("pac", Some(script)), &Yaml::text(REDACTED))
}

/// What a proxy and a script have in common.
struct Common<'a> {
    own_tls: Option<&'a TlsSettings>,
    credentials: Option<&'a Credentials>,
    connect_headers: &'a [(String, Secret)],
    bypass: &'a Bypass,
    resolver: Option<&'a ResolverSettings>,
}

impl Common<'_> {
    fn written(&self, first: (&'static str, Option<Yaml>), password: &Yaml) -> Yaml {
        let headers = self.connect_headers.iter();
        let headers = headers.map(|(name, _)| (name.clone(), Yaml::text(REDACTED)));
        // Two patterns of the environment may say the same in the syntax of the file, which takes each only once.
        let mut seen = BTreeSet::new();
        let bypass = self.bypass.patterns().iter().flat_map(bypass_texts);
        let bypass = bypass.filter(|text| seen.insert(text.clone()));
        let (resolver, credentials) = (self.resolver, self.credentials);
        Yaml::mapping([
            first,
            ("tls", self.own_tls.map(tls)),
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
}

/// The key `auth`, with what stands in for its password.
pub(super) fn auth(credentials: &Credentials, password: &Yaml) -> Yaml {
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
        // A host that ends in a number is an address, and so not below a domain; a pattern of the file would match it.
        BypassPattern::Domain { domain, .. } if ends_in_a_number(domain) => Vec::new(),
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

fn ends_in_a_number(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|byte| byte.is_ascii_digit())
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
    route.way.name()
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
        .chain(ways_of(config).filter_map(Way::proxy_resolver))
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
