//! Reasons of the phase `proxy`: the proxy was reached, but did not give what it was asked for.

use super::{Explanation, owner};
use crate::outcome::ProxyReason;

pub(super) fn explain(reason: ProxyReason) -> Explanation {
    match reason {
        ProxyReason::AuthRequired => AUTH_REQUIRED,
        ProxyReason::AuthRejected => AUTH_REJECTED,
        ProxyReason::UnsupportedAuth => UNSUPPORTED_AUTH,
        ProxyReason::CredentialsUnavailable => CREDENTIALS_UNAVAILABLE,
        ProxyReason::Forbidden => FORBIDDEN,
        ProxyReason::BadGateway => BAD_GATEWAY,
        ProxyReason::GatewayTimeout => GATEWAY_TIMEOUT,
        ProxyReason::ServiceUnavailable => SERVICE_UNAVAILABLE,
        ProxyReason::NameNotResolved => NAME_NOT_RESOLVED,
        ProxyReason::Timeout => TIMEOUT,
        ProxyReason::Closed => CLOSED,
        ProxyReason::ProtocolError => PROTOCOL_ERROR,
        ProxyReason::SocksRejected => SOCKS_REJECTED,
        ProxyReason::UnexpectedStatus => UNEXPECTED_STATUS,
        ProxyReason::PacUnavailable => PAC_UNAVAILABLE,
        ProxyReason::PacError => PAC_ERROR,
    }
}

const AUTH_REQUIRED: Explanation = Explanation {
    what: "The proxy asks for a login (407, or by SOCKS), and reachd has none configured for it.",
    likely: &[
        "The proxy has no exception from login for this host or this server. Microsoft asks for unauthenticated access to the Intune hosts.",
        "The site system logs in with an account that reachd was not given.",
        "A proxy script (PAC) sends hosts to this proxy that should go elsewhere.",
    ],
    steps: &[
        "Ask the proxy team for an exception from login for the host. It also helps Windows, which checks certificates as SYSTEM without a login.",
        "Or set `auth` of the proxy in reachd's configuration, to the account of the site system's Proxy tab.",
        "Test: `curl -v -x http://PROXY:PORT https://HOST/` shows the 407 and the schemes on offer.",
    ],
    owner: owner::PROXY,
};

const AUTH_REJECTED: Explanation = Explanation {
    what: "The proxy was sent a login and does not accept it: it answers 407 again, or refuses by SOCKS.",
    likely: &[
        "The password is wrong or has expired, or the account is locked.",
        "The account may not use the proxy, or not for this host.",
        "The proxy cannot reach its directory to check the account.",
    ],
    steps: &[
        "Test with the same account: `curl -v -x http://PROXY:PORT -U USER https://HOST/`. It asks for the password.",
        "See whether the account is locked or expired: `net user USER /domain`.",
        "Renew the password in reachd's password file and in the site system's proxy server account.",
        "If the account is good, ask the proxy team what its log says of it.",
    ],
    owner: owner::PROXY,
};

const UNSUPPORTED_AUTH: Explanation = Explanation {
    what: "The proxy asks for a login (407, or by SOCKS), and offers no scheme that is configured in reachd.",
    likely: &[
        "The proxy offers Negotiate or NTLM only, and reachd is given Basic or Digest credentials.",
        "Its Negotiate takes Kerberos only, and reachd is given NTLM credentials.",
        "The proxy team switched the configured scheme off, or the SOCKS proxy takes GSSAPI only.",
        "NTLM is configured, and the proxy keeps connections open in the way of HTTP/1.0 only, or its NTLM knows no Unicode.",
    ],
    steps: &[
        "See which schemes the proxy offers: the failure's detail, or `curl -v -x http://PROXY:PORT https://HOST/`.",
        "Set another kind of `auth` in reachd's configuration: basic, digest, ntlm or negotiate.",
        "Or ask the proxy team for an exception from login for the required hosts.",
    ],
    owner: owner::PROXY,
};

const CREDENTIALS_UNAVAILABLE: Explanation = Explanation {
    what: "There is nothing to log in to the proxy with: no Kerberos ticket could be had for it. The proxy was reached, and was not asked.",
    likely: &[
        "The ticket has expired and nobody ran `kinit` for reachd's account, or the keytab is older than the account's password.",
        "No domain controller (KDC) answers, or the clocks differ by more than five minutes.",
        "The proxy has no service principal HTTP/PROXY in the directory, or its URL or a script (PAC) has another name than that, or its address.",
        "It is not the KDC but reachd: its helper process for Kerberos did not start, died, or was busy with other probes. The detail says so.",
    ],
    steps: &[
        "Read the detail: the library's own words, or what befell reachd's helper. Busy ends with the KDC's outage; else see the limits on memory and processes.",
        "See the tickets as the account of reachd: `klist`. With a keytab: `kinit -kt KEYTAB PRINCIPAL`, then `kvno HTTP/PROXY`.",
        "Make the keytab anew if `kinit` says that the preauthentication failed.",
        "Ask the identity team for the service principal of the proxy: `setspn -Q HTTP/PROXY`.",
    ],
    owner: owner::IDENTITY,
};

const FORBIDDEN: Explanation = Explanation {
    what: "The proxy's policy denies the endpoint. The proxy works, and so does the way to it.",
    likely: &[
        "The host is not on the proxy's allow list.",
        "The host is in a category that is blocked.",
        "The proxy allows CONNECT to port 443 only, or not from this server.",
    ],
    steps: &[
        "See the proxy's own words: `curl -v -x http://PROXY:PORT https://HOST/`.",
        "Ask for the host to be allowed from this server. `reachd catalog show tenant-attach` prints the whole list with its sources.",
        "Ask for wildcards such as *.manage.microsoft.com to be allowed as such, without TLS inspection.",
    ],
    owner: owner::PROXY,
};

const BAD_GATEWAY: Explanation = Explanation {
    what: "The proxy accepted the request but got no connection to the endpoint (502; SOCKS replies 3, 4 and 5).",
    likely: &[
        "A firewall between the proxy and the internet blocks the endpoint.",
        "A parent proxy is down or denies the host.",
        "The endpoint itself is down, or its name does not resolve at a SOCKS proxy.",
    ],
    steps: &[
        "Try another host over the same proxy: `curl -v -x http://PROXY:PORT https://www.example.com/`. If it fails too, the proxy has lost the internet.",
        "Compare the same endpoint over another route in reachd.",
        "Ask the proxy team for the proxy's log of this host.",
    ],
    owner: owner::PROXY,
};

const GATEWAY_TIMEOUT: Explanation = Explanation {
    what: "The proxy waited for the endpoint, or for a proxy above it, and gave up (504; SOCKS reply 6).",
    likely: &[
        "A firewall behind the proxy drops the packets to the endpoint.",
        "A parent proxy, or the proxy's DNS, is slow.",
        "The endpoint is down or overloaded.",
    ],
    steps: &[
        "Try another host over the same proxy: `curl -v -x http://PROXY:PORT https://www.example.com/`.",
        "If only this host fails, ask for the firewall behind the proxy to be checked for its addresses.",
        "Compare the same endpoint over another route in reachd.",
    ],
    owner: owner::PROXY,
};

const SERVICE_UNAVAILABLE: Explanation = Explanation {
    what: "The proxy answers that it cannot serve the request now (503).",
    likely: &[
        "The proxy is overloaded, restarting or in maintenance.",
        "It cannot reach the endpoint or resolve its name: Squid and others say 503 for that too.",
        "A load balancer before the proxy has no healthy member.",
    ],
    steps: &[
        "Read the proxy's own error in the failure's detail, or with `curl -v -x http://PROXY:PORT https://HOST/`.",
        "Every endpoint on this route fails: the proxy is at fault. Only this one: look behind the proxy.",
        "Ask the proxy team for load and log at this time.",
    ],
    owner: owner::PROXY,
};

const NAME_NOT_RESOLVED: Explanation = Explanation {
    what: "The proxy could not resolve the endpoint's name. On this route the proxy's DNS counts, not this machine's.",
    likely: &[
        "The DNS server that the proxy asks is down or does not resolve internet names.",
        "A DNS filter before the proxy blocks the name.",
        "The name is misspelt, or its owner has removed it.",
    ],
    steps: &[
        "Try another name over the same proxy: `curl -v -x http://PROXY:PORT https://www.example.com/`.",
        "Have `nslookup HOST` run on the proxy itself.",
        "If only this name fails there, compare with a DNS server outside your network.",
    ],
    owner: owner::PROXY,
};

const TIMEOUT: Explanation = Explanation {
    what: "The proxy took the connection but did not answer the request for a tunnel in time.",
    likely: &[
        "The proxy waits for something behind it: the endpoint, its DNS, a parent proxy or its directory.",
        "The proxy is overloaded.",
        "The timeout of the check is shorter than the proxy's own, so that its error never arrives.",
        "The URL has the wrong kind: an HTTP proxy waits for the end of a request when it is greeted by SOCKS.",
    ],
    steps: &[
        "See what it says in the end: `curl -v -m 120 -x http://PROXY:PORT https://HOST/`.",
        "Try another host over the same proxy. If that one is quick, the way behind the proxy is at fault.",
        "Ask the proxy team for the log of this host at this time.",
    ],
    owner: owner::PROXY,
};

const CLOSED: Explanation = Explanation {
    what: "The proxy closed the connection instead of answering the request for a tunnel.",
    likely: &[
        "The proxy service crashed or restarted in this moment.",
        "The port belongs to something else: a proxy that expects TLS or SOCKS, or another service.",
        "A security device cuts the connection when it sees the host's name.",
    ],
    steps: &[
        "Repeat: `curl -v -x http://PROXY:PORT https://HOST/`, and again with another host.",
        "Closed for every host: check the proxy's port and type. Closed for this host only: look for a filter.",
        "Ask the proxy team for the log of this client at this time.",
    ],
    owner: owner::PROXY,
};

const PROTOCOL_ERROR: Explanation = Explanation {
    what: "What answers on the proxy's port does not speak the protocol of the configured URL: HTTP or SOCKS version 5.",
    likely: &[
        "The kind is wrong: the proxy expects HTTP, TLS or SOCKS, and the URL in the configuration says otherwise.",
        "The port is wrong: it belongs to another service.",
    ],
    steps: &[
        "Compare host and port with the Proxy tab of the site system and with `netsh winhttp show proxy`.",
        "See what answers: `curl -v -x http://PROXY:PORT https://HOST/`; then with `https://` and `socks5h://` before PROXY.",
        "Correct `proxies` in reachd's configuration.",
    ],
    owner: owner::CONFIGURATION,
};

const UNEXPECTED_STATUS: Explanation = Explanation {
    what: "The proxy answered the request for a tunnel with a status that has no meaning there.",
    likely: &[
        "What listens there is a web server and not a proxy, so that it does not know CONNECT (400, 404, 405, 501).",
        "The proxy wants the user to accept a page first, and redirects to it (302, 511).",
        "The proxy limits the number of requests (429).",
    ],
    steps: &[
        "See the whole answer: `curl -v -x http://PROXY:PORT https://HOST/`.",
        "Compare host and port with the Proxy tab of the site system and with `netsh winhttp show proxy`.",
        "Ask the proxy team what the status means, and for an exception for this server.",
    ],
    owner: owner::PROXY,
};

const SOCKS_REJECTED: Explanation = Explanation {
    what: "The SOCKS proxy refused the request without a cause that tells more (replies 1, 7, 8 and unknown ones).",
    likely: &[
        "The proxy failed inside: its log has the cause, and SOCKS has no word for it.",
        "It cannot resolve the endpoint's name, or cannot connect, and says no more than that.",
        "It does not take the kind of address it was sent (reply 8): IPv6, or a name.",
    ],
    steps: &[
        "Repeat with the name and with an address: `curl -v -x socks5h://PROXY:PORT https://HOST/`, then with `socks5://`.",
        "If only one of the two works, use that scheme in the proxy's URL in reachd's configuration.",
        "Ask the proxy team for the proxy's log of this host at this time.",
    ],
    owner: owner::PROXY,
};

const PAC_UNAVAILABLE: Explanation = Explanation {
    what: "The proxy script (PAC) cannot be had, so nobody knows which proxy to ask.",
    likely: &[
        "The server of the script is down, or its name does not resolve from this network.",
        "The script was moved or removed (404), or its server now wants a login (401).",
        "The script is longer than 1 MiB, which Windows refuses as well.",
        "The server speaks TLS with a certificate that is not trusted here: see `tls` of the proxy in the configuration.",
    ],
    steps: &[
        "Fetch it by hand, without a proxy: `curl -v --noproxy '*' URL`.",
        "Compare the URL with the machine's own: `netsh winhttp show advproxy` (AutoconfigUrl).",
        "Ask whoever runs the script's server. Windows clients of it go out directly, or nowhere, until it is back.",
    ],
    owner: owner::PROXY,
};

const PAC_ERROR: Explanation = Explanation {
    what: "The proxy script (PAC) was run and failed, or its answer is none that names a proxy.",
    likely: &[
        "The last change of the script broke it: a syntax error, or a name that does not exist, at the line of the detail.",
        "The script does not end, or takes too much memory, for this URL.",
        "Its server sends a web page (a login, an error) in place of the script.",
        "It answers with a kind of proxy that reachd does not speak, such as SOCKS4.",
    ],
    steps: &[
        "See what it answers: `reachd proxies pac URL-OR-FILE https://HOST/` prints the answer, what it means, and errors with their line.",
        "Ask whoever keeps the script to mend the line that the detail names. Browsers hide such errors by going out directly.",
    ],
    owner: owner::PROXY,
};
