//! What a proxy's answer means: its status, what it says went wrong (Squid's `X-Squid-Error`, `Proxy-Status`
//! of RFC 9209), and how to tell its own pages from the endpoint's.

use std::borrow::Cow;

use hyper::StatusCode;
use hyper::header::{AsHeaderName, LOCATION, PROXY_AUTHENTICATE, SERVER, VIA};
use url::Url;

use super::Head;
use crate::outcome::{Failure, FailureReason, ProxyReason, ProxySeen, ResponseReason};
use crate::probe::authentication::{Challenges, Refusal};
use crate::probe::http::{clock_offset, without_login};
use crate::probe::list;
use crate::route::Proxy;

/// So much of what a proxy says in one place is kept.
const MOST_CHARACTERS_SHOWN: usize = 256;

/// Products that answer errors of their own with their name in `Server`.
const PROXY_PRODUCTS: [&str; 8] = [
    "squid",
    "tinyproxy",
    "zscaler",
    "bluecoat",
    "mcafee web gateway",
    "ironport",
    "fortiproxy",
    "privoxy",
];

impl Head<'_> {
    /// What the proxy said for itself.
    pub(super) fn seen(&self, to_connect: bool) -> ProxySeen {
        ProxySeen {
            connect_status: to_connect.then_some(self.status.as_u16()),
            offered_authentication: self.offered_authentication(),
            product: self.text(SERVER).or_else(|| self.text(VIA)),
            error: self.error(),
            clock_offset_seconds: clock_offset(self.headers),
            ..ProxySeen::default()
        }
    }

    /// What a proxy says of itself in an answer that it relays.
    pub(in crate::probe) fn relayed(&self) -> ProxySeen {
        ProxySeen {
            product: self.text(VIA),
            ..ProxySeen::default()
        }
    }

    fn offered_authentication(&self) -> Vec<String> {
        Challenges::of(self.headers.get_all(PROXY_AUTHENTICATE)).schemes()
    }

    /// What the proxy says went wrong, in its own words.
    fn error(&self) -> Option<String> {
        self.text("x-squid-error").or_else(|| self.proxy_status())
    }

    /// The last member is of the proxy nearest to us that writes this field, the ones before it are of others
    /// (RFC 9209 §2). Whether the nearest one does, its name in the last `Via` tells. A success is none of its errors.
    fn proxy_status(&self) -> Option<String> {
        if self.status.is_success() {
            return None;
        }
        let text = self.text("proxy-status")?;
        let last = list::members(&text).pop()?.to_owned();
        let name = last.split(';').next().unwrap_or_default();
        let name = name.trim().trim_matches('"').to_ascii_lowercase();
        let is_nearest = self.relays().last().is_none_or(|nearest| *nearest == name);
        (is_nearest && last.contains("error=")).then_some(last)
    }

    /// Who relayed the answer, the nearest last: the names of `Via` in lower case, without ports.
    fn relays(&self) -> Vec<String> {
        let values = self.headers.get_all(VIA).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        let entries = values.iter().flat_map(|value| list::members(value));
        let names = entries.filter_map(|entry| {
            let received_by = entry.split_ascii_whitespace().nth(1)?;
            let has_port = received_by.rfind(':') > received_by.rfind(']');
            let host = received_by.rsplit_once(':').filter(|_| has_port);
            Some(
                host.map_or(received_by, |(host, _)| host)
                    .to_ascii_lowercase(),
            )
        });
        names.collect()
    }

    fn phrase(&self) -> Cow<'_, str> {
        match self.phrase {
            Some(phrase) => {
                let phrase = String::from_utf8_lossy(phrase.as_bytes());
                Cow::Owned(phrase.chars().take(MOST_CHARACTERS_SHOWN).collect())
            }
            None => Cow::Borrowed(self.status.canonical_reason().unwrap_or_default()),
        }
    }

    fn location(&self) -> Option<String> {
        self.text(LOCATION).filter(|_| self.status.is_redirection())
    }

    /// Whether it is a redirect to the proxy itself: no endpoint sends its clients there.
    fn leads_to(&self, proxy: &Proxy) -> bool {
        let location = self.location();
        let target = location.and_then(|location| Url::parse(&location).ok());
        let host = target.as_ref().and_then(Url::host);
        host.is_some_and(|host| host.to_owned() == proxy.authority.host)
    }

    fn names_itself(&self) -> bool {
        let server = self.text(SERVER).unwrap_or_default().to_ascii_lowercase();
        PROXY_PRODUCTS
            .iter()
            .any(|product| server.starts_with(product))
    }

    fn text<K: AsHeaderName>(&self, name: K) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(
            String::from_utf8_lossy(value.as_bytes())
                .chars()
                .take(MOST_CHARACTERS_SHOWN)
                .collect(),
        )
    }
}

/// Why a proxy refused, and the detail for people. `login` is why its demand for a login is not met.
pub(super) fn refusal(
    head: &Head<'_>,
    proxy: &Proxy,
    login: Option<&Refusal>,
) -> (ProxyReason, String) {
    let said = head
        .error()
        .map(|error| format!(", {error}"))
        .unwrap_or_default();
    let answered = format!("answered {} {}{said}", head.status.as_u16(), head.phrase());
    if head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        return authentication(head, login, &answered);
    }
    let reason = of_error(head).unwrap_or(match head.status.as_u16() {
        // Tinyproxy's answer to credentials that it does not accept.
        401 if proxy.credentials.is_some() => ProxyReason::AuthRejected,
        403 => ProxyReason::Forbidden,
        502 => ProxyReason::BadGateway,
        503 => ProxyReason::ServiceUnavailable,
        504 => ProxyReason::GatewayTimeout,
        // Squid's ERR_CANNOT_FORWARD comes with 500, and so does everything that Tinyproxy cannot connect to.
        500 if said.contains("ERR_CANNOT_FORWARD")
            || head.phrase().eq_ignore_ascii_case("Unable to connect") =>
        {
            ProxyReason::BadGateway
        }
        _ => ProxyReason::UnexpectedStatus,
    });
    (reason, answered)
}

/// If an answer to plain HTTP is the proxy's own, the failure that it tells of: a refusal, a page that says that
/// the endpoint is blocked, a portal that wants a login first. A proxy relays an endpoint's answers as they are,
/// so that only a sign of its own tells the two apart.
pub(in crate::probe) fn own_answer(
    head: &Head<'_>,
    proxy: &Proxy,
    login: Option<&Refusal>,
) -> Option<(Failure, ProxySeen)> {
    if !is_own(head, proxy) {
        return None;
    }
    let (reason, mut detail) = refusal(head, proxy, login);
    let reason: FailureReason = match reason {
        ProxyReason::UnexpectedStatus => ResponseReason::ProxyStatus.into(),
        reason => reason.into(),
    };
    if let Some(location) = head.location() {
        let location = without_login(&location);
        detail = format!("{detail}, which leads to {location}");
    }
    let detail = format!("proxy {} ({}) {detail}", proxy.name, proxy.authority);
    Some((Failure::of_proxy(reason, detail), head.seen(false)))
}

fn is_own(head: &Head<'_>, proxy: &Proxy) -> bool {
    if head.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED || head.error().is_some() {
        return true;
    }
    if head.status.is_client_error() || head.status.is_server_error() {
        // The nearest proxy may add its own `Via` to its own page. More of them: the page came from beyond.
        return head.names_itself() && head.relays().len() <= 1;
    }
    // What is no error may be the answer of an endpoint that has the same product before it. A relay adds its
    // Via (RFC 9110 §7.6.3); an answer without one was made here.
    let made_here = head.names_itself() && !head.headers.contains_key(VIA);
    made_here || head.leads_to(proxy)
}

fn authentication(
    head: &Head<'_>,
    login: Option<&Refusal>,
    answered: &str,
) -> (ProxyReason, String) {
    let offered = head.offered_authentication();
    let offers = if offered.is_empty() {
        "no scheme".to_owned()
    } else {
        offered.join(", ")
    };
    let (reason, note) = login.unwrap_or(&Refusal::NoCredentials).clone().told();
    (reason, format!("{answered}; it offers {offers}; {note}"))
}

/// What the proxy's own words say more exactly than its status.
fn of_error(head: &Head<'_>) -> Option<ProxyReason> {
    let error = head.error()?;
    let says = |words: &[&str]| words.iter().any(|word| error.contains(word));
    if says(&["ERR_DNS_FAIL", "dns_error", "dns_timeout"]) {
        return Some(ProxyReason::NameNotResolved);
    }
    if says(&[
        "ERR_ACCESS_DENIED",
        "http_request_denied",
        "destination_ip_prohibited",
    ]) {
        return Some(ProxyReason::Forbidden);
    }
    None
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use hyper::ext::ReasonPhrase;
    use hyper::header::{HeaderName, HeaderValue};
    use url::Host;

    use super::*;
    use crate::endpoint::Authority;
    use crate::route::{Bypass, Credentials, ProxyKind, Secret};

    fn proxy(credentials: bool) -> Proxy {
        Proxy {
            name: "corp".to_owned(),
            kind: ProxyKind::Http,
            authority: Authority {
                host: Host::parse("proxy.test").unwrap(),
                port: 3128,
            },
            credentials: credentials.then(|| Credentials::Basic {
                username: "svc".to_owned(),
                password: Secret::new("hunter2".to_owned()),
            }),
            connect_headers: Vec::new(),
            bypass: Bypass::default(),
            resolver: None,
        }
    }

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        list.iter().map(pair).collect()
    }

    fn head<'a>(status: u16, phrase: Option<&'a ReasonPhrase>, headers: &'a HeaderMap) -> Head<'a> {
        Head {
            status: StatusCode::from_u16(status).unwrap(),
            phrase,
            headers,
        }
    }

    #[test]
    fn a_refused_tunnel() {
        let squid = |error| vec![("x-squid-error", error)];
        let table = [
            (403, None, vec![], ProxyReason::Forbidden),
            (502, None, vec![], ProxyReason::BadGateway),
            (503, None, vec![], ProxyReason::ServiceUnavailable),
            (
                503,
                None,
                squid("ERR_CONNECT_FAIL 111"),
                ProxyReason::ServiceUnavailable,
            ),
            (
                503,
                None,
                squid("ERR_DNS_FAIL 0"),
                ProxyReason::NameNotResolved,
            ),
            (
                502,
                None,
                vec![("proxy-status", "corp; error=dns_error")],
                ProxyReason::NameNotResolved,
            ),
            (504, None, vec![], ProxyReason::GatewayTimeout),
            (
                500,
                None,
                squid("ERR_CANNOT_FORWARD 0"),
                ProxyReason::BadGateway,
            ),
            (
                500,
                Some(b"Unable to connect".as_slice()),
                vec![],
                ProxyReason::BadGateway,
            ),
            (500, None, vec![], ProxyReason::UnexpectedStatus),
            (302, None, vec![], ProxyReason::UnexpectedStatus),
            (429, None, vec![], ProxyReason::UnexpectedStatus),
        ];
        for (status, phrase, list, expected) in table {
            let headers = headers(&list);
            let phrase = phrase.map(ReasonPhrase::from_static);
            let head = head(status, phrase.as_ref(), &headers);
            assert_eq!(refusal(&head, &proxy(false), None).0, expected, "{head:?}");
        }
    }

    #[test]
    fn a_demand_for_authentication() {
        let ntlm = headers(&[
            ("proxy-authenticate", "NTLM"),
            ("proxy-authenticate", "Negotiate"),
        ]);
        let head_of_407 = head(407, None, &ntlm);
        let why = || "why not".to_owned();
        let table = [
            (None, ProxyReason::AuthRequired),
            (Some(Refusal::NoCredentials), ProxyReason::AuthRequired),
            (Some(Refusal::Rejected(why())), ProxyReason::AuthRejected),
            (
                Some(Refusal::NotOffered(why())),
                ProxyReason::UnsupportedAuth,
            ),
            (Some(Refusal::Malformed(why())), ProxyReason::ProtocolError),
        ];
        for (login, expected) in table {
            let (reason, detail) = refusal(&head_of_407, &proxy(true), login.as_ref());
            assert_eq!(reason, expected, "{detail}");
            assert!(detail.contains("it offers ntlm, negotiate; "), "{detail}");
        }
        let none = HeaderMap::new();
        let unauthorized = head(401, None, &none);
        assert_eq!(
            refusal(&unauthorized, &proxy(true), None).0,
            ProxyReason::AuthRejected
        );
        let unexpected = refusal(&unauthorized, &proxy(false), None).0;
        assert_eq!(unexpected, ProxyReason::UnexpectedStatus);
        assert_eq!(
            head_of_407.seen(true).offered_authentication,
            ["ntlm", "negotiate"]
        );
    }

    #[test]
    fn the_schemes_of_all_challenges_are_found() {
        let table = [
            ("Basic realm=\"x\"", "basic"),
            (
                "Negotiate, NTLM, Basic realm=\"a, b\"",
                "negotiate ntlm basic",
            ),
            (
                "Digest realm=\"x, Basic\", nonce=\"y\", qop = \"auth\", Basic realm=\"x\"",
                "digest basic",
            ),
            ("Negotiate YII==", "negotiate"),
            ("Basic, basic", "basic"),
            ("", ""),
        ];
        for (value, expected) in table {
            let headers = headers(&[("proxy-authenticate", value)]);
            let offered = head(407, None, &headers).seen(true).offered_authentication;
            assert_eq!(offered.join(" "), expected, "{value}");
        }
    }

    #[test]
    fn only_the_nearest_proxy_speaks_for_itself() {
        let reason = |value| {
            let headers = headers(&[("proxy-status", value)]);
            own_answer(&head(403, None, &headers), &proxy(false), None)
                .map(|(failure, _)| failure.reason.to_string())
        };
        let denied = "corp; error=http_request_denied";
        assert_eq!(reason(denied).as_deref(), Some("proxy/forbidden"));
        assert_eq!(
            reason("cdn.example; error=http_request_denied, corp; received-status=403"),
            None
        );
    }

    #[test]
    fn what_another_on_the_way_says_is_not_the_proxys() {
        let denied = "http_request_denied";
        let table = [
            (403, "cdn.example; error=", "1.1 corp", None),
            (
                403,
                "corp; error=",
                "1.1 cdn.example, 1.1 Corp:3128 (squid)",
                Some("proxy/forbidden"),
            ),
            (403, "\"corp\"; error=", "1.1 corp", Some("proxy/forbidden")),
            (200, "corp; error=", "1.1 corp", None),
            (204, "corp; error=", "", None),
        ];
        for (status, proxy_status, via, expected) in table {
            let mut headers = HeaderMap::new();
            let text = format!("{proxy_status}{denied}");
            headers.insert("proxy-status", text.parse().unwrap());
            if !via.is_empty() {
                headers.insert(VIA, via.parse().unwrap());
            }
            let own = own_answer(&head(status, None, &headers), &proxy(false), None);
            let reason = own.map(|(failure, _)| failure.reason.to_string());
            assert_eq!(reason.as_deref(), expected, "{status} {text} {via}");
        }
        let squid = |via| headers(&[("server", "squid/5.7"), ("via", via)]);
        let reason = |via| {
            let headers = squid(via);
            own_answer(&head(503, None, &headers), &proxy(false), None)
                .map(|(failure, _)| failure.reason.to_string())
        };
        let own = Some("proxy/service_unavailable".to_owned());
        assert_eq!(reason("1.1 corp (squid/5.7)"), own);
        assert_eq!(reason("1.1 reverse.example (squid/5.7), 1.1 corp"), None);
    }

    #[test]
    fn only_a_sign_of_its_own_makes_an_answer_the_proxys() {
        let squid = headers(&[
            ("x-squid-error", "ERR_ACCESS_DENIED 0"),
            ("server", "squid/5.7"),
        ]);
        let relayed = headers(&[("via", "1.1 proxy.test (squid/5.7)"), ("server", "nginx")]);
        let tinyproxy = headers(&[("server", "tinyproxy/1.11.1")]);
        let reason = |status, headers: &HeaderMap| {
            let head = head(status, None, headers);
            own_answer(&head, &proxy(false), None).map(|(failure, _)| failure.reason.to_string())
        };
        assert_eq!(reason(403, &squid).as_deref(), Some("proxy/forbidden"));
        assert_eq!(reason(403, &relayed), None);
        assert_eq!(reason(503, &relayed), None);
        assert_eq!(
            reason(400, &tinyproxy).as_deref(),
            Some("response/proxy_status")
        );
        assert_eq!(
            reason(407, &HeaderMap::new()).as_deref(),
            Some("proxy/auth_required")
        );
    }

    /// Status, headers, reason.
    type Page = (
        u16,
        &'static [(&'static str, &'static str)],
        Option<&'static str>,
    );

    #[test]
    fn a_page_in_the_place_of_an_answer_is_the_proxys_only_with_a_sign() {
        let own = "response/proxy_status";
        let table: [Page; 9] = [
            (200, &[("server", "Zscaler/6.2")], Some(own)),
            (200, &[("server", "squid/5.7"), ("via", "1.1 corp")], None),
            (200, &[("x-squid-error", "200:ERR_BLOCKED 0")], Some(own)),
            (200, &[("server", "nginx")], None),
            (
                302,
                &[("location", "http://proxy.test/login?url=x")],
                Some(own),
            ),
            (302, &[("location", "https://proxy.test:8443/")], Some(own)),
            (302, &[("location", "http://www.example.test/")], None),
            (302, &[("location", "/proxy.test")], None),
            (200, &[("location", "http://proxy.test/")], None),
        ];
        for (status, list, expected) in table {
            let pairs = list.iter().map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            });
            let headers = pairs.collect();
            let answer = own_answer(&head(status, None, &headers), &proxy(false), None);
            let reason = answer.map(|(failure, _)| failure.reason.to_string());
            assert_eq!(reason.as_deref(), expected, "{status} {list:?}");
        }
    }
}
