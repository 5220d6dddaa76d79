//! What a good file comes to.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::{SECRET, environment, folder, parse};
use crate::config::{Config, Global, Overrides, Retry, RevocationRoute};
use crate::endpoint::{RecordType, ResolverSettings, ResolverTransport, Target, TlsVersion};
use crate::route::{Credentials, PacSource, Proxy, Secret, Way};

fn sample() -> Config {
    parse(include_str!("../../../deploy/reachd.yml")).unwrap()
}

fn proxy<'c>(config: &'c Config, route: &str) -> &'c Proxy {
    let route = config.routes.iter().find(|found| found.name == route);
    match &route.unwrap().way {
        Way::Proxy(proxy) => proxy,
        Way::Direct | Way::Pac(_) => panic!("a route without a proxy of its own"),
    }
}

#[test]
fn the_smallest_file_is_all_defaults() {
    let config = parse("{}").unwrap();
    assert_eq!(config.global, Global::default());
    assert_eq!(config.default_routes, ["direct"]);
    assert_eq!(config.routes.len(), 1);
    assert_eq!((config.catalog, config.endpoints), (None, vec![]));
    assert_eq!(config.metrics.buckets.len(), 11);
}

#[test]
fn every_proxy_is_a_route_and_the_default_where_none_is_named() {
    let config = parse("proxies: {b: {url: 'http://b:1'}, a: {url: 'http://a:1/'}}").unwrap();
    let names: Vec<&str> = config
        .routes
        .iter()
        .map(|route| route.name.as_str())
        .collect();
    assert_eq!(names, ["direct", "b", "a"]);
    assert_eq!(config.default_routes, ["b", "a"]);
}

#[test]
fn revocation_has_a_route_by_name_or_the_same_ones() {
    let route = |text: &str| parse(text).unwrap().revocation.route;
    assert_eq!(route("{}"), RevocationRoute::Same);
    assert_eq!(route("revocation: {route: same}"), RevocationRoute::Same);
    let direct = route("revocation: {route: direct}");
    assert_eq!(direct.name(), Some("direct"));
}

#[test]
fn a_further_route_has_the_proxy_of_another_and_a_resolver_of_its_own() {
    let config = sample();
    assert_eq!(config.default_routes, ["direct", "corp", "corp-quad9"]);
    let route = config.routes.last().unwrap();
    assert_eq!(route.name, "corp-quad9");
    assert_eq!(route.resolver.as_ref().unwrap().name(), "quad9");
    assert_eq!(proxy(&config, "corp-quad9"), proxy(&config, "corp"));
}

#[test]
fn a_proxy_with_everything() {
    let config = sample();
    let proxy = proxy(&config, "corp");
    assert_eq!(proxy.authority.to_string(), "proxy.corp.example:3128");
    let expected = Credentials::Basic {
        username: "svc-reachd".to_owned(),
        password: Secret::new(SECRET.to_owned()),
    };
    assert_eq!(proxy.credentials, Some(expected));
    let header = ("X-Team".to_owned(), Secret::new("endpoint".to_owned()));
    assert_eq!(proxy.connect_headers, [header]);
    assert_eq!(proxy.bypass.patterns().len(), 3);
    assert_eq!(proxy.resolver.as_ref().unwrap().name(), "corp");
}

#[test]
fn the_scheme_of_a_proxy_is_its_kind() {
    let config = parse(
        "{tls: {min_version: 1.3}, proxies: {a: {url: 'HTTPS://a:1'}, b: {url: 'https://b:1', tls: \
         {server_name: c.example, min_version: 1.2}}, c: {url: 'socks5://c:1'}, d: {url: \
         'socks5h://[::1]:1/', auth: {basic: {username: svc, password: '${SECRET}'}}}}}",
    )
    .unwrap();
    let kind = |name| proxy(&config, name).kind.clone();
    assert_eq!(
        ["a", "b", "c", "d"].map(|name| kind(name).scheme()),
        ["https", "https", "socks5", "socks5h"]
    );
    assert_eq!(proxy(&config, "a").tls(), Some(&config.global.tls));
    let own = proxy(&config, "b").tls().unwrap();
    assert_eq!(own.server_name.as_deref(), Some("c.example"));
    assert_eq!(own.min_version, TlsVersion::Tls12);
    assert_eq!(proxy(&config, "c").tls(), None);
}

#[test]
fn resolvers_know_their_ports() {
    let of = |settings: &str| {
        let text =
            format!("{{global: {{resolver: r}}, resolvers: {{r: {{servers: {settings}}}}}}}");
        match parse(&text).unwrap().global.resolver {
            ResolverSettings::Servers {
                servers, transport, ..
            } => (servers, transport),
            ResolverSettings::System => panic!("the system's"),
        }
    };
    let servers = |texts: &[&str]| -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    let (plain, transport) = of("['10.0.0.53:5353', 9.9.9.9, '2620:fe::fe', '[::1]:54']");
    let expected = servers(&[
        "10.0.0.53:5353",
        "9.9.9.9:53",
        "[2620:fe::fe]:53",
        "[::1]:54",
    ]);
    assert_eq!((plain, transport), (expected, ResolverTransport::Udp));

    let (tls, _) = of("[9.9.9.9], transport: tls, server_name: dns.quad9.net");
    assert_eq!(tls, servers(&["9.9.9.9:853"]));

    let (https, transport) = of("[9.9.9.9], transport: https, server_name: dns.quad9.net");
    assert_eq!(https, servers(&["9.9.9.9:443"]));
    let expected = ResolverTransport::Https {
        server_name: "dns.quad9.net".to_owned(),
        path: "/dns-query".to_owned(),
    };
    assert_eq!(transport, expected);
}

#[test]
fn endpoints_of_every_kind() {
    let config = sample();
    let [site, ldaps, sql, mail] = config.endpoints.as_slice() else {
        panic!("not four endpoints")
    };
    let url = "https://cm01.corp.example/AdminService/v1.0/$metadata";
    assert_eq!(site.endpoint.target.to_string(), url);
    assert!(site.endpoint.critical && !sql.endpoint.critical);
    assert!(site.endpoint.expectation.status.names(401));
    assert_eq!(site.endpoint.expectation.max_redirects, 0);
    assert_eq!(site.endpoint.expectation.headers[0].name, "content-type");
    assert_eq!(site.tls.min_version, TlsVersion::Tls13);
    assert_eq!(ldaps.tls, config.global.tls);
    let expected = Overrides {
        routes: Some(vec!["direct".to_owned()]),
        interval: Some(Duration::from_secs(30)),
        timeout: Some(Duration::from_secs(5)),
        retry: Some(Retry::After(Duration::from_secs(2))),
        ..Overrides::default()
    };
    assert_eq!(site.overrides, expected);
    let Target::Dns(question) = &mail.endpoint.target else {
        panic!("not a question")
    };
    assert_eq!(question.record, RecordType::Mx);
}

#[test]
fn the_catalogs_values_know_their_place() {
    let catalog = sample().catalog.unwrap();
    assert_eq!(catalog.cloud.value, "public");
    assert_eq!(catalog.configmgr_version.unwrap().value, 2503);
    let at = &catalog.features[0].at;
    assert_eq!(at.field, "catalog.features[0]");
    assert_eq!(at.file, "f.yml");
    assert!(at.position.unwrap().line > 10);
    let (name, overrides) = catalog.overrides.first_key_value().unwrap();
    assert_eq!(name, "dc.services.visualstudio.com");
    assert_eq!(overrides.value.critical, Some(false));
}

#[test]
fn an_endpoints_trust_stands_on_the_global_one() {
    let folder = folder();
    let text = "{tls: {ca_file: corp-ca.pem, min_version: 1.3}, endpoints: [\
                {name: a, url: 'https://a/', tls: {server_name: b.example}}]}";
    let config = Config::parse("f.yml", text, folder.path(), &environment).unwrap();
    let tls = &config.endpoints[0].tls;
    assert_eq!(tls.ca_file, Some(folder.path().join("corp-ca.pem")));
    assert_eq!(tls.min_version, TlsVersion::Tls13);
    assert_eq!(tls.server_name.as_deref(), Some("b.example"));
    assert_eq!(config.global.tls.server_name, None);
}

#[test]
fn paths_count_from_the_files_folder() {
    let folder = folder();
    let path = folder.path().join("reachd.yml");
    let text = "proxies: {corp: {url: 'http://a:1', auth: {basic: {username: svc, password_file: \
                corp-password}}}}";
    fs::write(&path, text).unwrap();
    let config = Config::load(&path, &environment).unwrap();
    let Some(Credentials::Basic { password, .. }) = &proxy(&config, "corp").credentials else {
        panic!("no credentials")
    };
    assert_eq!(password.expose(), SECRET, "without the end of its line");
}

#[test]
fn files_that_cannot_be_read_are_problems() {
    let folder = folder();
    let refused = |content: Option<&[u8]>| {
        let path = folder.path().join("reachd.yml");
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let problems = Config::load(&path, &environment).unwrap_err().to_string();
        problems.replace(&format!("{}", path.display()), "F")
    };
    let missing = refused(None);
    assert!(missing.starts_with("F: cannot read F: "), "{missing}");
    let large = vec![b'#'; (1 << 20) + 1];
    assert_eq!(refused(Some(&large)), "F: F is larger than 1024 KiB");
    assert_eq!(refused(Some(b"a: \xff")), "F: F is not UTF-8 text");
}

#[test]
fn the_embedded_default_goes_over_the_environments_proxy() {
    let (config, notices) = Config::embedded_default(&|_| None).unwrap();
    assert_eq!(config.default_routes, ["direct"]);
    assert_eq!(config.catalog.unwrap().features[0].value, "tenant-attach");
    assert!(notices.is_empty());

    let set = |name: &str| match name {
        "HTTPS_PROXY" => Some("http://svc:hunter2@proxy.example:3128".to_owned()),
        "NO_PROXY" => Some("corp.example".to_owned()),
        _ => None,
    };
    let (config, _) = Config::embedded_default(&set).unwrap();
    assert_eq!(config.default_routes, ["environment"]);
    let proxy = proxy(&config, "environment");
    assert_eq!(proxy.authority.to_string(), "proxy.example:3128");
    assert!(!format!("{config:?}").contains(SECRET));
    let shown = config.effective_yaml();
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(
        shown.contains("bypass: [corp.example, \"*.corp.example\"]"),
        "{shown}"
    );

    let unusable = |name: &str| (name == "https_proxy").then(|| "socks4://a:1".to_owned());
    assert!(Config::embedded_default(&unusable).is_err());
}

#[test]
fn variables_are_filled_in_everywhere() {
    let text = "endpoints: [{name: '${HOST}', url: 'https://${HOST}/$metadata?a=$$1'}]";
    let endpoint = &parse(text).unwrap().endpoints[0].endpoint;
    assert_eq!(endpoint.name, "cm01.example");
    assert_eq!(
        endpoint.target.to_string(),
        "https://cm01.example/$metadata?a=$1"
    );
}

#[test]
fn moving_a_line_changes_nothing() {
    let text = "catalog: {features: [tenant-attach]}";
    let moved = format!("\n\n# moved\n{text}");
    let elsewhere = Config::parse("g.yml", &moved, Path::new(""), &environment).unwrap();
    assert_eq!(parse(text).unwrap(), elsewhere);
}

#[test]
fn a_script_in_place_of_a_proxy() {
    let config = parse(
        "{tls: {min_version: 1.3}, proxies: {a: {pac: {url: 'https://wpad.example/wpad.dat'}, bypass: ['*.x']}}}",
    )
    .unwrap();
    assert_eq!(config.default_routes, ["a"]);
    let Way::Pac(pac) = &config.routes[1].way else {
        panic!("no script");
    };
    let source = PacSource::Url {
        url: "https://wpad.example/wpad.dat".parse().unwrap(),
        refresh: Duration::from_secs(600),
    };
    assert_eq!((&pac.source, pac.failover), (&source, false));
    assert_eq!(pac.tls.min_version, TlsVersion::Tls13);
    assert_eq!(pac.bypass.patterns().len(), 1);

    let folder = folder();
    let text = "{proxies: {a: {pac: {file: corp-ca.pem, failover: true}}}}";
    let config = Config::parse("f.yml", text, folder.path(), &environment).unwrap();
    let Way::Pac(pac) = &config.routes[1].way else {
        panic!("no script");
    };
    let file = PacSource::File(folder.path().join("corp-ca.pem"));
    assert_eq!((&pac.source, pac.failover), (&file, true));
}
