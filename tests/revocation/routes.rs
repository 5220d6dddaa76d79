//! Lists and answers over every kind of route: both where the route is named for revocation and where it is the
//! endpoint's own. The address that the host of the lists saw is that of the proxy, or it was not the proxy.

use std::fmt::Write;

use libtest_mimic::Trial;

use super::responder::Responder;
use super::site::{Site, text};
use super::{HEAD, SOON};
use crate::kit::{Finished, Lab, command, run_to_end, wait, with_kerberos};
use crate::suite::{SharedLab, trial};

/// The routes, and a proxy without the login that it wants.
const PROXIES: &str = r#"proxies:
  tls: {url: "https://squid.lab.test:3443", tls: {ca_file: "@dir@/pki/proxy-root.pem"}}
  socks: {url: "socks5h://dante.lab.test:1080"}
  socks-login: {url: "socks5h://dante-password.lab.test:1080", auth: {basic: {username: alice, password_file: "@dir@/secrets/alice"}}}
  basic: {url: "http://squid.lab.test:3140", auth: {basic: {username: alice, password_file: "@dir@/secrets/alice"}}}
  ntlm: {url: "http://squid-ntlm.lab.test:3128", auth: {ntlm: {username: alice, domain: LAB, password_file: "@dir@/secrets/alice"}}}
  negotiate: {url: "http://squid-negotiate.lab.test:3128", auth: {negotiate: {}}}
  script: {pac: {file: "@dir@/@name@.pac"}}
  no-login: {url: "http://squid.lab.test:3140"}
"#;

/// Only what is not TLS goes over the proxy: lists do, and their endpoints do not.
const SCRIPT: &str = "function FindProxyForURL(url, host) { \
                      return url.indexOf(\"http:\") == 0 ? \"PROXY squid.lab.test:3128\" : \"DIRECT\"; }";

/// Each route with the server of the lab that fetches over it.
const ROUTES: [(&str, &str); 7] = [
    ("tls", "squid"),
    ("socks", "dante"),
    ("socks-login", "dante-password"),
    ("basic", "squid"),
    ("ntlm", "squid-ntlm"),
    ("negotiate", "squid-negotiate"),
    ("script", "squid"),
];

pub(super) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("revocation::over_every_route", lab, every_route),
        trial("revocation::over_a_proxy_without_its_login", lab, no_login),
    ]
}

fn every_route(lab: &Lab) {
    let site = Site::start(lab, "routes");
    site.list("list.crl", []);
    let answered = 0x7301..=0x7307;
    let index = site.index("routes", &answered.clone().collect::<Vec<_>>(), &[]);
    let responder = Responder::start(&site, "responder", &index, "delegate");
    let mut endpoints = String::new();
    for ((route, _), serial) in ROUTES.iter().zip(answered) {
        let mut endpoint = |kind: &str, serial: u32, says: &str, settings: &str| {
            let name = format!("{route}-{kind}");
            let url = site.issue(&name, serial, says);
            writeln!(
                endpoints,
                "  - {{name: {name}, url: \"{url}\", {settings}}}"
            )
            .unwrap();
        };
        let named = format!("routes: [direct], revocation: {{route: {route}}}");
        let same = format!("routes: [{route}], revocation: {{route: same}}");
        let list = |kind: &str| site.says_list(&format!("{route}-{kind}"), "list.crl");
        endpoint("named", serial + 0x100, &list("named"), &named);
        endpoint("same", serial + 0x200, &list("same"), &same);
        let posts = site.says_posts(&format!("{route}-answer"), responder.port);
        endpoint("answer", serial, &posts, &named);
    }
    let finished = check(lab, "revocation-routes", &endpoints);
    assert_eq!(finished.exit_code, 0, "{finished:?}");
    // The server writes down what it has answered, a moment later.
    let came =
        |host: String| wait::within(SOON, || (!site.visitors(&host).is_empty()).then_some(()));
    for (route, proxy) in ROUTES {
        let proxy = lab.address(proxy).to_string();
        let place = |kind: &str| format!("{route}-{kind}");
        for kind in ["named", "same"] {
            let asked = site.asked(&place(kind));
            let once = format!("{proxy} GET /list/{}/list.crl", place(kind));
            assert_eq!(asked, [once], "{route}");
        }
        // The responder's server takes no GET, so that the question goes in a body, after whatever login there is.
        let asked = site.asked(&place("answer"));
        let [get, post] = &asked[..] else {
            panic!("{route}: {asked:?}");
        };
        assert!(get.starts_with(&format!("{proxy} GET ")), "{asked:?}");
        assert!(post.starts_with(&format!("{proxy} POST ")), "{asked:?}");
        for kind in ["named", "same", "answer"] {
            assert!(came(place(kind)).is_some(), "nobody came to {route}-{kind}");
        }
        for kind in ["named", "answer"] {
            let visitors = site.visitors(&place(kind));
            assert!(!visitors.contains(&proxy), "{route} {kind}: {visitors:?}");
        }
        let visitors = site.visitors(&place("same"));
        let over_the_proxy = route != "script";
        assert_eq!(visitors.contains(&proxy), over_the_proxy, "{visitors:?}");
    }
}

/// The way for revocation is shut although that of the endpoint is open: one clear message, and nobody was asked.
fn no_login(lab: &Lab) {
    let site = Site::start(lab, "no-login");
    site.list("list.crl", []);
    let mut endpoints = String::new();
    for (mode, serial) in [("require", 0x7601), ("report", 0x7602)] {
        let url = site.issue(mode, serial, &site.says_list(mode, "list.crl"));
        let revocation = format!("revocation: {{mode: {mode}, route: no-login}}");
        let settings = format!("routes: [direct], {revocation}");
        writeln!(
            endpoints,
            "  - {{name: {mode}, url: \"{url}\", {settings}}}"
        )
        .unwrap();
    }
    let finished = check(lab, "revocation-no-login", &endpoints);
    assert_eq!(finished.exit_code, 2, "{finished:?}");
    let report = finished.report();
    let checks = report["checks"].as_array().expect("checks");
    for check in checks {
        let failure = &check["failure"];
        if check["endpoint"] == "report" {
            assert_eq!(check["success"], true, "{check:#}");
            continue;
        }
        assert_eq!(failure["phase"], "revocation", "{check:#}");
        assert_eq!(failure["reason"], "unreachable", "{check:#}");
        let detail = failure["detail"].as_str().unwrap_or_default();
        let why = "over the route no-login: proxy/auth_required at the proxy";
        assert!(detail.contains(why), "{detail}");
    }
    for mode in ["require", "report"] {
        assert_eq!(site.asked(mode), [""; 0]);
    }
}

fn check(lab: &Lab, name: &str, endpoints: &str) -> Finished {
    lab.write(&format!("{name}.pac"), SCRIPT);
    // All at once, each would take a busy machine longer than a proxy leaves its tunnels idle.
    let head = HEAD
        .replace("timeout: 5s", "timeout: 20s, concurrency: 3")
        .replace("mode: require", "mode: require, timeout: 8s");
    let proxies = PROXIES.replace("@name@", name);
    let config = format!("{head}{proxies}endpoints:\n{endpoints}");
    let config = lab.write(&format!("{name}.yml"), &config);
    let arguments = ["check", "--format", "json", "--config.file", text(&config)];
    let mut command = command(&arguments);
    with_kerberos(&mut command, lab);
    run_to_end(command)
}
