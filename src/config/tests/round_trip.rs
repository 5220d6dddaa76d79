//! The effective configuration is one, means the same, and shows no secret.

use super::{SECRET, environment, folder, parse};
use crate::config::Config;

/// What the sample leaves out.
const THE_REST: &str = r#"
tls: {ca_file: corp-ca.pem}
catalog:
  features: [tenant-attach]
  overrides: {"a.b": {enabled: false, timeout: 1500ms, retry_interval: off}, "held": {hold: {for: 1s}}, "free": {hold: none, revocation: {mode: report}}, "no": {}, "in": {auth: {ntlm: {username: a, password: "${SECRET}"}}, tls: {ca_file: corp-ca.pem, server_name: b.example}, expect: {certificate_sha256: [@pin@]}}}
proxies:
  corp:
    url: http://[2001:db8::1]:3128
    auth: {basic: {username: "on", password_file: corp-password}}
    connect_headers: {X-Token: "${SECRET}"}
    bypass: ["*", "<local>", "cm*.corp.example:8443", "10.0.0.0/8", "10.1.2.3", "10.1.2.3:80", "[fd00::1]:8443", "fd00::/8"]
  tls: {url: "https://proxy.corp.example:3129"}
  own-tls: {url: "https://proxy.corp.example:3129", tls: {server_name: p.example, min_version: 1.3, ca_file: corp-ca.pem, client_certificate: client.pem, client_key: client.pem}}
  socks: {url: "socks5://[2001:db8::1]:1080", auth: {basic: {username: a, password: "${SECRET}"}}}
  script:
    pac: {url: "https://wpad.corp.example/wpad.dat?x=1", failover: true, refresh: 90s}
    tls: {min_version: 1.3}
    auth: {basic: {username: a, password: "${SECRET}"}}
    connect_headers: {X-Token: "${SECRET}"}
    bypass: ["<local>"]
    resolver: doh
  script-file: {pac: {file: corp-ca.pem}}
  digest: {url: "http://proxy.corp.example:3128", auth: {digest: {username: "a b", password: "${SECRET}"}}}
  ntlm: {url: "http://proxy.corp.example:3128", auth: {ntlm: {username: a@b, password: "${SECRET}"}}}
  ntlm-domain: {url: "http://proxy.corp.example:3128", auth: {ntlm: {domain: CORP, username: "a:b", password: "${SECRET}"}}}
  socks-names: {url: "socks5h://proxy.corp.example:1080"}
routes: [{name: far, via: direct, resolver: system}, {name: near, via: far, resolver: doh}]
resolvers:
  doh: {servers: ["[::1]:54"], transport: https, server_name: 192.0.2.1, path: /x, ca_file: corp-ca.pem}
  unused: {servers: [9.9.9.9]}
endpoints:
  - {name: a, url: "http://a.example/?x=$$$${y}", expect: {body: "^\"\\d{3}\"$", max_body: 1000, max_redirects: 3}}
  - {name: b, url: "dns:a.example.", expect: {rcode: nxdomain}, resolver: doh, interval: 90s, retry_interval: 1500ms}
  - {name: c, url: "tls://a.example:1", tls: {max_version: 1.2, alpn: [imap, dot], client_certificate: client.pem, client_key: client.pem}, expect: {}, hold: {for: 3m, interval: 1h, keep_alive: 1s}}
  - {name: e, url: "https://a.example/", revocation: {mode: require, methods: [stapled], route: same}}
  - {name: f, url: "tls://a.example:1", revocation: {route: far}, labels: {team: "on", n: "1"}}
  - {name: g, url: "https://a.example/", auth: {basic: {username: a, password: "${SECRET}"}}, expect: {certificate_sha256: [@pin@], meaning: {403: "Who? \"$$$${y}\"", 500: x}}}
  - {name: h, url: "tls://a.example:1", expect: {certificate_sha256: [@pin@]}}
  - {name: d, url: "https://a.example/", critical: false, expect: {status: [200], header: {A: "'b: #"}}}
revocation: {mode: off, methods: [crl, ocsp], route: near, timeout: 2500ms, derived_interval: off}
discovery:
  file_sd: ["t/*.yml", {files: [a.json, "b?.yaml"], service: s, critical: false, routes: [near], interval: 90s, timeout: 1s}]
  http_sd:
    - {url: "https://sd.example/x?y=$${z}", refresh_interval: 90s, route: near, auth: {basic: {username: "a b", password: "${SECRET}"}}, tls: {ca_file: client.pem}, critical: true}
    - {name: other, url: "http://sd.example", auth: {bearer: {token_file: corp-password}}, service: s}
  m365: {instance: usgovdod, service_areas: [skype, common], required_only: false, route: far, tenant: contoso, url: "http://m.example/x?y=$${z}", critical: false, routes: [direct]}
state_dir: state
metrics: {histograms: none, buckets: [0.5, 1, 20.25], native_histograms: true}
"#;

/// What only a build with Kerberos takes.
#[cfg(all(feature = "kerberos", unix))]
const NEGOTIATE: &str = r#"
proxies:
  default: {url: "http://proxy.corp.example:3128", auth: {negotiate: {}}}
  cache: {url: "http://proxy.corp.example:3128", auth: {negotiate: {credential_cache: /run/reachd/cache}}}
  keytab: {url: "http://proxy.corp.example:3128", auth: {negotiate: {principal: svc@CORP.EXAMPLE, keytab: corp.keytab}}}
endpoints:
  - {name: a, url: "https://a.example/", auth: {negotiate: {principal: svc@CORP.EXAMPLE, keytab: corp.keytab}}}
"#;

fn there_and_back(text: &str) -> (Config, String, Config) {
    let folder = folder();
    let text = &text.replace("@pin@", &"AB:cd:".repeat(16)[..95]);
    let read = |text: &str| Config::parse("f.yml", text, folder.path(), &environment);
    let config = read(text).unwrap();
    let shown = config.effective_yaml();
    let with_secrets = shown.replace("\"<secret>\"", "${SECRET}");
    // The query of a source of targets.
    let with_secrets = with_secrets.replace("?<secret>", "?y=$${z}");
    let back = read(&with_secrets).unwrap_or_else(|problems| panic!("{problems}\n{shown}"));
    (config, shown, back)
}

#[test]
fn the_effective_configuration_means_the_same() {
    let sample = include_str!("../../../deploy/reachd.yml");
    // The one header of the sample that holds no secret is hidden all the same.
    let sample = sample.replace("X-Team: endpoint", "X-Team: '${SECRET}'");
    let sample = sample.replace("sd?team=endpoint", "sd?y=$${z}");
    for text in ["{}", &sample, THE_REST] {
        let (config, shown, back) = there_and_back(text);
        assert_eq!(config, back, "{shown}");
        assert_eq!(shown, back.effective_yaml());
    }
}

#[cfg(all(feature = "kerberos", unix))]
#[test]
fn the_effective_configuration_of_kerberos_means_the_same() {
    let (config, shown, back) = there_and_back(NEGOTIATE);
    assert_eq!(config, back, "{shown}");
    assert!(shown.contains("negotiate: {}"), "{shown}");
}

#[test]
fn no_secret_is_shown() {
    let (config, shown, _) = there_and_back(THE_REST);
    assert_eq!(shown.matches("<secret>").count(), 14, "{shown}");
    assert!(!shown.contains("x?y="), "{shown}");
    assert!(!shown.contains(SECRET));
    assert!(!format!("{config:?}{config:#?}").contains(SECRET));
}

#[test]
fn defaults_are_filled_in() {
    let shown = parse("{}").unwrap().effective_yaml();
    let expected = "global:\n  interval: 60s\n  timeout: 10s\n  retry_interval: 5s\n  concurrency: 256\n  hold_concurrency: 64\n  workers: 1\n  \
                    resolver: system\nroutes: [direct]\nrevocation:\n  mode: report\n  methods: [stapled, ocsp, crl]\n  route: same\n  timeout: 10s\n  derived_interval: 5m\ntls:\n  min_version: \"1.2\"\n  max_version: \"1.3\"\nmetrics:\n  \
                    histograms: auto\n  buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, \
                    1, 2.5, 10]\n  native_histograms: false\n";
    assert_eq!(shown, expected);
}
