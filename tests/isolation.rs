//! Machines that the lab's network cannot show: without a network, without a route, with settings of their own.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::kit::{Finished, Lab, run_to_end};
use crate::suite::{SharedLab, trial};

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("isolation::default_without_network", lab, no_network),
        trial("isolation::all_features", lab, all_features),
        trial(
            "isolation::default_with_proxy_variable",
            lab,
            proxy_variable,
        ),
        trial("isolation::no_route", lab, no_route),
        trial("isolation::unreachable", lab, unreachable),
        trial("isolation::router_without_route", lab, router_without_route),
        trial("isolation::system_resolver", lab, system_resolver),
        trial("isolation::system_search_list", lab, system_search_list),
        trial("isolation::no_name_server", lab, no_name_server),
        trial("isolation::system_trust_store", lab, system_trust_store),
    ]
}

/// A fresh machine without internet: the embedded default names every endpoint as failing in `dns`.
fn no_network(_: &Lab) {
    let finished = in_namespace("--net", "exec \"$REACHD\" check --format json", &[]);
    assert_eq!(finished.exit_code, 2, "{finished:?}");
    let failures = failures(&finished);
    assert!(failures.len() > 5, "the whole catalog: {failures:?}");
    for failure in failures {
        assert!(failure.starts_with("dns/endpoint/"), "{failure}");
    }
}

/// Everything that the public cloud asks for is planned, probed and reported at once, over a proxy that is not there
/// and, for the site's own service, directly.
fn all_features(lab: &Lab) {
    let config = lab.write(
        "all-features.yml",
        "proxies: {corp: {url: \"http://127.0.0.1:9\"}}\n\
         catalog:\n\
         \x20 features: [all]\n\
         \x20 variables: {sms_provider: cm01.corp.example, cmg: falls, region: westus}\n",
    );
    let script = format!(
        "ip link set lo up && exec \"$REACHD\" check --format json --config.file {}",
        config.display()
    );
    let finished = in_namespace("--net", &script, &[]);
    assert_eq!(finished.exit_code, 2, "{finished:?}");
    let failures = failures(&finished);
    assert!(failures.len() > 200, "{}", failures.len());
    let (by_proxy, direct): (Vec<_>, Vec<_>) = failures
        .iter()
        .partition(|failure| *failure == "connect/proxy/refused");
    assert!(by_proxy.len() > 200, "{direct:?}");
    assert_eq!(direct.len(), 2, "the administration service: {direct:?}");
    let report = finished.report();
    let not_probed = report["not_probed"].as_array().expect("what is not probed");
    assert!(
        not_probed
            .iter()
            .any(|missing| missing["endpoint"] == "time.windows.com:123")
    );
}

/// The embedded default goes over the proxy that the environment names, of whatever kind.
fn proxy_variable(_: &Lab) {
    let script = "ip link set lo up && exec \"$REACHD\" check --format json";
    for scheme in ["http", "https", "socks5", "socks5h"] {
        let dead = format!("{scheme}://127.0.0.1:9");
        let environment = [("HTTPS_PROXY", dead.as_str()), ("HTTP_PROXY", &dead)];
        let finished = in_namespace("--net", script, &environment);
        assert_eq!(finished.exit_code, 2, "{scheme}: {finished:?}");
        let failures = failures(&finished);
        assert!(failures.len() > 5, "the whole catalog: {failures:?}");
        for failure in failures {
            assert_eq!(failure, "connect/proxy/refused", "{scheme}");
        }
    }
}

fn no_route(lab: &Lab) {
    let failures = failures(&probe_nobody(lab, "no-route", "true"));
    assert_eq!(failures, ["connect/endpoint/no_route"]);
}

fn unreachable(lab: &Lab) {
    let route = "ip link set lo up && ip route add unreachable 192.0.2.0/24";
    let failures = failures(&probe_nobody(lab, "unreachable", route));
    assert_eq!(failures, ["connect/endpoint/unreachable"]);
}

/// This machine has a route, but the first router has none: no fault of this machine's.
fn router_without_route(lab: &Lab) {
    // Names of network namespaces are files in /run, which is the machine's: here it is one of the test's own.
    let router = "mount -t tmpfs none /run && ip link set lo up && ip netns add router \
        && ip link add out type veth peer name in netns router \
        && ip addr add 198.18.0.1/30 dev out && ip link set out up \
        && ip -n router addr add 198.18.0.2/30 dev in && ip -n router link set in up \
        && ip netns exec router sysctl -qw net.ipv4.ip_forward=1 \
        && ip route add default via 198.18.0.2";
    let failures = failures(&probe_nobody(lab, "router-without-route", router));
    assert_eq!(failures, ["connect/endpoint/unreachable"]);
}

/// `resolver: system` asks whom the system asks, and looks into its hosts file.
fn system_resolver(lab: &Lab) {
    let resolver = lab.write("system-resolv.conf", "nameserver @knot@\n");
    let hosts = lab.write("system-hosts", "@nginx@ only-in-hosts.lab.test\n");
    let config = lab.write(
        "system-resolver.yml",
        "global: {resolver: system}\n\
         endpoints:\n\
         \x20 - {name: by-dns, url: \"http://web.lab.test/\"}\n\
         \x20 - {name: by-hosts, url: \"http://only-in-hosts.lab.test/\"}\n\
         \x20 - {name: by-nobody, url: \"http://does-not-exist.lab.test/\", critical: false}\n",
    );
    let script = format!(
        "mount --bind {} /etc/resolv.conf && mount --bind {} /etc/hosts && \
         exec \"$REACHD\" check --format json --config.file {}",
        resolver.display(),
        hosts.display(),
        config.display()
    );
    let finished = in_namespace("--mount", &script, &[]);
    assert_eq!(
        failures(&finished),
        ["dns/endpoint/nxdomain"],
        "{finished:?}"
    );
    assert_eq!(finished.exit_code, 1, "{finished:?}");
}

/// Names are completed with the system's search domains, beyond a domain that has only another record for them.
fn system_search_list(lab: &Lab) {
    let settings = "search below.lab.test lab.test\noptions ndots:2\nnameserver @knot@\n";
    let resolver = lab.write("search-resolv.conf", settings);
    let config = lab.write(
        "system-search.yml",
        "endpoints:\n\
         \x20 - {name: one-label, url: \"http://web/\"}\n\
         \x20 - {name: one-dot, url: \"http://empty.below/\"}\n\
         \x20 - {name: by-nobody, url: \"http://does-not-exist/\", critical: false}\n",
    );
    let script = format!(
        "mount --bind {} /etc/resolv.conf && exec \"$REACHD\" check --format json --config.file {}",
        resolver.display(),
        config.display()
    );
    let finished = in_namespace("--mount", &script, &[]);
    assert_eq!(
        failures(&finished),
        ["dns/endpoint/nxdomain"],
        "{finished:?}"
    );
    let report = finished.report();
    let found = report["checks"].as_array().expect("checks").iter();
    let names: Vec<&Value> = found
        .map(|check| &check["observed"]["dns"][0]["name"])
        .collect();
    let expected = ["does-not-exist", "empty.below", "web"].map(|name| format!("{name}.lab.test"));
    assert_eq!(names, expected.each_ref());
}

/// Without a name server reachd starts all the same, and only what needs one fails.
fn no_name_server(lab: &Lab) {
    let resolver = lab.write("no-server-resolv.conf", "search corp.example\n");
    let config = lab.write(
        "no-name-server.yml",
        "endpoints:\n\
         \x20 - {name: by-address, url: \"tcp://@nginx@:80\"}\n\
         \x20 - {name: by-name, url: \"tcp://web.lab.test:80\"}\n",
    );
    let script = format!(
        "mount --bind {} /etc/resolv.conf && exec \"$REACHD\" check --format json --config.file {}",
        resolver.display(),
        config.display()
    );
    let finished = in_namespace("--mount", &script, &[]);
    assert_eq!(
        failures(&finished),
        ["dns/endpoint/network_error"],
        "{finished:?}"
    );
}

/// Where no file of authorities is configured, the operating system's are trusted.
fn system_trust_store(lab: &Lab) {
    let config = lab.write(
        "system-trust.yml",
        "global: {resolver: lab}\n\
         resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}\n\
         endpoints:\n\
         \x20 - {name: web, url: \"https://web.lab.test/\"}\n",
    );
    let command = "exec \"$REACHD\" check --format json --config.file";
    let script = format!("{command} {}", config.display());
    let finished = in_namespace("--mount", &script, &[]);
    assert_eq!(failures(&finished), ["tls/endpoint/unknown_issuer"]);
    let root = lab.path("pki/root.pem");
    let store = [("SSL_CERT_FILE", root.to_str().expect("a path in UTF-8"))];
    let finished = in_namespace("--mount", &script, &store);
    assert_eq!(finished.exit_code, 0, "{finished:?}");
}

/// Probes an address that is nobody's (RFC 5737), in a machine without a network on which `prepare` was run.
fn probe_nobody(lab: &Lab, name: &str, prepare: &str) -> Finished {
    let config = lab.write(
        &format!("{name}.yml"),
        "endpoints:\n  - {name: nobody, url: \"tcp://192.0.2.1:443\"}\n",
    );
    let command = "exec \"$REACHD\" check --format json --config.file";
    let script = format!("{prepare} && {command} {}", config.display());
    // Mounts of its own, too: network namespaces made by name are mounts.
    let finished = in_namespace("-nm", &script, &[]);
    assert_eq!(finished.exit_code, 2, "{finished:?}");
    finished
}

/// Runs a shell script in a namespace of its own (`--net` is a machine without a network), in which `$REACHD` is
/// the program and nothing else is set.
pub(crate) fn in_namespace(
    namespace: &str,
    script: &str,
    environment: &[(&str, &str)],
) -> Finished {
    let mut command = Command::new("unshare");
    command
        .args([namespace, "sh", "-c", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("REACHD", env!("CARGO_BIN_EXE_reachd"))
        .envs(environment.iter().copied());
    run_to_end(command)
}

/// `phase/peer/reason` of every check that failed.
fn failures(finished: &Finished) -> Vec<String> {
    let report = finished.report();
    let checks = report["checks"].as_array().expect("checks").iter();
    let failed = checks
        .map(|check| &check["failure"])
        .filter(|failure| !failure.is_null());
    let text = |failure: &Value, key: &str| failure[key].as_str().unwrap_or("?").to_owned();
    failed
        .map(|failure| ["phase", "peer", "reason"].map(|key| text(failure, key)))
        .map(|parts| parts.join("/"))
        .collect()
}
