//! What the plan alone says of a check's probes: how they leave, and which steps they take unless a
//! redirect leads elsewhere.

use std::sync::Arc;

use url::Host;

use crate::endpoint::Target;
use crate::outcome::{Phase, Step};
use crate::plan::Check;
use crate::route::{Proxy, Via};

/// How the first hop leaves. A name is asked for without any proxy.
pub(super) fn via(check: &Check) -> Via {
    first_hop(check).0
}

/// The steps that a probe takes when all goes well.
pub(super) fn expected(check: &Check) -> Vec<Step> {
    let target = &check.endpoint.target;
    if let Target::Dns(_) = target {
        return vec![Phase::Dns.with_endpoint()];
    }

    let mut steps = Vec::new();
    if let (_, Some(proxy)) = first_hop(check) {
        if let Host::Domain(_) = proxy.authority.host {
            steps.push(Phase::Dns.with_proxy());
        }
        steps.push(Phase::Connect.with_proxy());
        if !is_plain_http(target) {
            steps.push(Phase::Proxy.with_proxy());
        }
    } else {
        if has_name(target) {
            steps.push(Phase::Dns.with_endpoint());
        }
        steps.push(Phase::Connect.with_endpoint());
    }
    if has_tls(target) {
        steps.push(Phase::Tls.with_endpoint());
    }
    if let Target::Http(_) = target {
        steps.push(Phase::Request.with_endpoint());
        steps.push(Phase::Response.with_endpoint());
    }
    steps
}

fn first_hop(check: &Check) -> (Via, Option<&Arc<Proxy>>) {
    let direct = (Via::Direct, None);
    match &check.endpoint.target {
        Target::Http(url) => match (url.host(), url.port_or_known_default()) {
            (Some(host), Some(port)) => check.route.to(&host, port),
            _ => direct,
        },
        Target::Tls(authority) | Target::Tcp(authority) => {
            check.route.to(&authority.host, authority.port)
        }
        Target::Dns(_) => direct,
    }
}

fn has_name(target: &Target) -> bool {
    match target {
        Target::Http(url) => matches!(url.host(), Some(Host::Domain(_))),
        Target::Tls(authority) | Target::Tcp(authority) => {
            matches!(authority.host, Host::Domain(_))
        }
        Target::Dns(_) => true,
    }
}

fn has_tls(target: &Target) -> bool {
    match target {
        Target::Http(url) => url.scheme() == "https",
        Target::Tls(_) => true,
        Target::Tcp(_) | Target::Dns(_) => false,
    }
}

fn is_plain_http(target: &Target) -> bool {
    matches!(target, Target::Http(url) if url.scheme() == "http")
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::endpoint::{Authority, DnsQuestion, RecordType};
    use crate::observer::fixture::{check_of, proxied};
    use crate::route::Route;

    fn target(text: &str) -> Target {
        let authority = |text: &str| {
            let (host, port) = text.rsplit_once(':').unwrap();
            Authority {
                host: Host::parse(host).unwrap(),
                port: port.parse().unwrap(),
            }
        };
        if let Some(rest) = text.strip_prefix("tls://") {
            Target::Tls(authority(rest))
        } else if let Some(rest) = text.strip_prefix("tcp://") {
            Target::Tcp(authority(rest))
        } else if let Some(name) = text.strip_prefix("dns:") {
            Target::Dns(DnsQuestion {
                name: name.to_owned(),
                record: RecordType::A,
            })
        } else {
            Target::Http(Url::parse(text).unwrap())
        }
    }

    #[test]
    fn target_and_route_fix_the_steps() {
        let direct = Route::direct;
        let named = || proxied("proxy.example");
        let address = || proxied("10.0.0.1");
        let cases = [
            (
                "https://a.example/",
                direct(),
                "direct",
                "dns/endpoint connect/endpoint tls/endpoint request/endpoint response/endpoint",
            ),
            (
                "https://[::1]/",
                direct(),
                "direct",
                "connect/endpoint tls/endpoint request/endpoint response/endpoint",
            ),
            (
                "http://a.example/",
                direct(),
                "direct",
                "dns/endpoint connect/endpoint request/endpoint response/endpoint",
            ),
            (
                "https://a.example/",
                named(),
                "proxy",
                "dns/proxy connect/proxy proxy/proxy tls/endpoint request/endpoint response/endpoint",
            ),
            (
                "http://a.example/",
                named(),
                "proxy",
                "dns/proxy connect/proxy request/endpoint response/endpoint",
            ),
            (
                "https://a.example/",
                address(),
                "proxy",
                "connect/proxy proxy/proxy tls/endpoint request/endpoint response/endpoint",
            ),
            (
                "https://a.corp.example/",
                named(),
                "bypass",
                "dns/endpoint connect/endpoint tls/endpoint request/endpoint response/endpoint",
            ),
            (
                "tls://a.example:8443",
                direct(),
                "direct",
                "dns/endpoint connect/endpoint tls/endpoint",
            ),
            (
                "tls://a.example:8443",
                address(),
                "proxy",
                "connect/proxy proxy/proxy tls/endpoint",
            ),
            ("tcp://10.1.2.3:25", direct(), "direct", "connect/endpoint"),
            (
                "tcp://a.example:25",
                named(),
                "proxy",
                "dns/proxy connect/proxy proxy/proxy",
            ),
            ("dns:a.example", named(), "direct", "dns/endpoint"),
        ];
        for (url, route, via_label, steps) in cases {
            let check = check_of("site", "endpoint", target(url), route);
            let written: Vec<String> = expected(&check)
                .iter()
                .map(|step| format!("{}/{}", step.phase, step.peer))
                .collect();
            assert_eq!(written.join(" "), steps, "{url} over {}", check.route.name);
            assert_eq!(via(&check).as_str(), via_label, "{url}");
        }
    }
}
