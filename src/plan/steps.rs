//! What the plan alone says of a check's probes: how they leave, which steps they take unless a redirect
//! leads elsewhere, and why they never take the others.

use url::Host;

use super::Check;
use crate::endpoint::{RevocationMode, Target};
use crate::outcome::{Phase, Step, WhyNotRun};
use crate::route::{Credentials, Exit, Names, Proxy, Via, Way};

/// A step and, where a probe of its kind never takes it, the reason.
type PlannedStep = (Step, Option<WhyNotRun>);

impl Check {
    /// How the first hop leaves, as far as it is known before. A name is asked for without any proxy.
    #[must_use]
    pub fn via(&self) -> Via {
        self.first_hop().via()
    }

    /// The steps that a probe takes when all goes well.
    pub fn expected_steps(&self) -> impl Iterator<Item = Step> {
        let login = self.logs_in_without_tunnel();
        let steps = self.steps().into_iter();
        steps
            .filter(move |(step, never)| {
                never.is_none() || (login && *step == Phase::Proxy.with_proxy())
            })
            .map(|(step, _)| step)
    }

    /// The steps that belong to a probe of this kind, in their order, and why those never run that do not.
    #[must_use]
    pub fn steps(&self) -> Vec<PlannedStep> {
        self.steps_by(self.first_hop())
    }

    /// The same for a first hop that left this way; of one for which a script was not asked yet, only what all
    /// ways have in common.
    #[must_use]
    pub fn steps_by(&self, exit: Exit<'_>) -> Vec<PlannedStep> {
        let target = &self.endpoint.target;
        let scripted = matches!(self.route.way, Way::Pac(_));
        let mut steps = Vec::with_capacity(Step::ALL.len());
        match exit {
            Exit::Proxy(proxy) => self.to_proxy(proxy, scripted, &mut steps),
            Exit::Pac(_) => steps.push((Phase::Proxy.with_proxy(), None)),
            Exit::Direct if scripted => {
                let never = Some(WhyNotRun::ScriptChoseDirect);
                steps.push((Phase::Proxy.with_proxy(), None));
                steps.push((Phase::Dns.with_proxy(), never));
                steps.push((Phase::Connect.with_proxy(), never));
                self.to_endpoint(&mut steps);
            }
            Exit::Direct | Exit::Bypass => self.to_endpoint(&mut steps),
        }
        match target {
            Target::Http(_) => {
                let no_tls = is_plain_http(target).then_some(WhyNotRun::PlainHttp);
                steps.push((Phase::Tls.with_endpoint(), no_tls));
                // Of a list or an answer it is the content that is looked at.
                let not_asked = match self.endpoint.publishes {
                    Some(_) => None,
                    None => no_tls.or_else(|| self.not_asked_for_revocation()),
                };
                steps.push((Phase::Revocation.with_endpoint(), not_asked));
                steps.push((Phase::Request.with_endpoint(), None));
                steps.push((Phase::Response.with_endpoint(), None));
            }
            Target::Tls(_) => {
                steps.push((Phase::Tls.with_endpoint(), None));
                let not_asked = self.not_asked_for_revocation();
                steps.push((Phase::Revocation.with_endpoint(), not_asked));
            }
            Target::Tcp(_) | Target::Dns(_) => {}
        }
        steps
    }

    fn not_asked_for_revocation(&self) -> Option<WhyNotRun> {
        let off = self.revocation.mode == RevocationMode::Off;
        off.then_some(WhyNotRun::Disabled)
    }

    /// A script that was asked has taken its time of the phase `proxy`, with a tunnel or without.
    fn to_proxy(&self, proxy: &Proxy, scripted: bool, steps: &mut Vec<PlannedStep>) {
        let without_tunnel = is_plain_http(&self.endpoint.target) && proxy.takes_requests();
        let no_tunnel = (without_tunnel && !scripted).then_some(WhyNotRun::NoTunnel);
        steps.push((
            Phase::Dns.with_proxy(),
            without_a_name(&proxy.authority.host),
        ));
        steps.push((Phase::Connect.with_proxy(), None));
        if proxy.tls().is_some() {
            steps.push((Phase::Tls.with_proxy(), None));
        }
        // The endpoint's name is resolved before the tunnel that is to lead to its address.
        steps.push((Phase::Dns.with_endpoint(), self.resolved_elsewhere(proxy)));
        steps.push((Phase::Proxy.with_proxy(), no_tunnel));
        steps.push((
            Phase::Connect.with_endpoint(),
            Some(WhyNotRun::ConnectedByProxy),
        ));
    }

    fn to_endpoint(&self, steps: &mut Vec<PlannedStep>) {
        if let Some(authority) = self.endpoint.target.authority() {
            steps.push((Phase::Dns.with_endpoint(), without_a_name(&authority.host)));
            steps.push((Phase::Connect.with_endpoint(), None));
        } else {
            steps.push((Phase::Dns.with_endpoint(), None));
        }
    }

    /// Whether a proxy that is asked for plain HTTP answers with a challenge before it answers the request.
    fn logs_in_without_tunnel(&self) -> bool {
        let Exit::Proxy(proxy) = self.first_hop() else {
            return false;
        };
        let answers_challenges = match &proxy.credentials {
            None | Some(Credentials::Basic { .. }) => false,
            Some(
                Credentials::Digest { .. } | Credentials::Ntlm { .. } | Credentials::Negotiate(_),
            ) => true,
        };
        answers_challenges && is_plain_http(&self.endpoint.target) && proxy.takes_requests()
    }

    fn resolved_elsewhere(&self, proxy: &Proxy) -> Option<WhyNotRun> {
        match proxy.names() {
            Names::ResolvedByProxy => Some(WhyNotRun::ResolvedByProxy),
            Names::ResolvedHere => {
                let authority = self.endpoint.target.authority()?;
                without_a_name(&authority.host)
            }
        }
    }

    fn first_hop(&self) -> Exit<'_> {
        match self.endpoint.target.authority() {
            Some(authority) => self.route.to(&authority.host, authority.port),
            None => Exit::Direct,
        }
    }
}

fn without_a_name(host: &Host<String>) -> Option<WhyNotRun> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(_) | Host::Ipv6(_) => Some(WhyNotRun::AddressLiteral),
    }
}

fn is_plain_http(target: &Target) -> bool {
    matches!(target, Target::Http(url) if url.scheme() == "http")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use url::Url;

    use super::*;
    use crate::endpoint::{Authority, DnsQuestion, RecordType, TlsSettings};
    use crate::plan::fixture::{check_of, proxied, proxied_by, scripted};
    use crate::route::{ProxyKind, Route, Secret, Way};

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
            assert_eq!(written(&check), steps, "{url} over {}", check.route.name);
            assert_eq!(check.via().as_str(), via_label, "{url}");
        }
    }

    #[test]
    fn the_kind_of_proxy_fixes_more_of_them() {
        let tls = ProxyKind::Https {
            tls: TlsSettings::default(),
        };
        let here = ProxyKind::Socks5 {
            names: Names::ResolvedHere,
        };
        let there = ProxyKind::Socks5 {
            names: Names::ResolvedByProxy,
        };
        let cases = [
            (
                "https://a.example/",
                &tls,
                "dns/proxy connect/proxy tls/proxy proxy/proxy tls/endpoint request/endpoint response/endpoint",
            ),
            (
                "http://a.example/",
                &tls,
                "dns/proxy connect/proxy tls/proxy request/endpoint response/endpoint",
            ),
            (
                "http://a.example/",
                &there,
                "dns/proxy connect/proxy proxy/proxy request/endpoint response/endpoint",
            ),
            (
                "tls://a.example:8443",
                &here,
                "dns/proxy connect/proxy dns/endpoint proxy/proxy tls/endpoint",
            ),
            (
                "tcp://10.1.2.3:25",
                &here,
                "dns/proxy connect/proxy proxy/proxy",
            ),
        ];
        for (url, kind, steps) in cases {
            let route = proxied_by("proxy.example", kind.clone());
            let check = check_of("site", "endpoint", target(url), route);
            assert_eq!(written(&check), steps, "{url} over {kind:?}");
        }
    }

    #[test]
    fn a_login_by_challenge_takes_time_of_the_proxys_own_even_without_a_tunnel() {
        let digest = Credentials::Digest {
            username: "svc".to_owned(),
            password: Secret::new("hunter2".to_owned()),
        };
        let basic = Credentials::Basic {
            username: "svc".to_owned(),
            password: Secret::new("hunter2".to_owned()),
        };
        let cases = [
            (
                digest,
                "connect/proxy proxy/proxy request/endpoint response/endpoint",
            ),
            (basic, "connect/proxy request/endpoint response/endpoint"),
        ];
        for (credentials, steps) in cases {
            let mut route = proxied("10.0.0.1");
            if let Way::Proxy(proxy) = &mut route.way {
                Arc::make_mut(proxy).credentials = Some(credentials);
            }
            let check = check_of("site", "endpoint", target("http://a.example/"), route);
            assert_eq!(written(&check), steps);
            let (_, never) = check.steps()[3];
            assert_eq!(never, Some(WhyNotRun::NoTunnel));
        }
    }

    #[test]
    fn a_script_is_asked_before_anything_is_known() {
        let cases = [
            (
                "https://a.example/",
                "pac",
                "proxy/proxy tls/endpoint request/endpoint response/endpoint",
            ),
            ("tcp://a.example:25", "pac", "proxy/proxy"),
            (
                "tls://a.corp.example:443",
                "bypass",
                "dns/endpoint connect/endpoint tls/endpoint",
            ),
        ];
        for (url, via, steps) in cases {
            let check = check_of("site", "endpoint", target(url), scripted());
            assert_eq!(written(&check), steps, "{url}");
            assert_eq!(check.via().as_str(), via, "{url}");
        }
    }

    #[test]
    fn what_the_script_chose_fixes_the_rest() {
        let check = check_of("site", "endpoint", target("http://a.example/"), scripted());
        let direct = check.steps_by(Exit::Direct);
        let never = |step| {
            let found = direct.iter().find(|(found, _)| *found == step);
            found.and_then(|(_, never)| *never)
        };
        let chosen = Some(WhyNotRun::ScriptChoseDirect);
        assert_eq!(never(Phase::Connect.with_proxy()), chosen);
        assert_eq!(never(Phase::Connect.with_endpoint()), None);
        let over = proxied("proxy.example");
        let over = check.steps_by(Exit::Proxy(over.proxy().unwrap()));
        let tunnel = over
            .iter()
            .find(|(step, _)| *step == Phase::Proxy.with_proxy());
        assert_eq!(tunnel, Some(&(Phase::Proxy.with_proxy(), None)));
    }

    fn written(check: &Check) -> String {
        let steps = check.expected_steps();
        let steps: Vec<String> = steps
            .map(|step| format!("{}/{}", step.phase, step.peer))
            .collect();
        steps.join(" ")
    }
}
