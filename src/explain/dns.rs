//! Reasons of the phase `dns`: the name of the endpoint, or of the proxy, could not be resolved.

use super::{Explanation, owner};
use crate::outcome::{DnsReason, Peer};

pub(super) fn explain(reason: DnsReason, peer: Peer) -> Explanation {
    match (reason, peer) {
        (DnsReason::NxDomain, Peer::Endpoint) => NXDOMAIN,
        (DnsReason::NxDomain, Peer::Proxy) => NXDOMAIN_PROXY,
        (DnsReason::NoAddress, Peer::Endpoint) => NO_ADDRESS,
        (DnsReason::NoAddress, Peer::Proxy) => NO_ADDRESS_PROXY,
        (DnsReason::ServFail, Peer::Endpoint) => SERVFAIL,
        (DnsReason::ServFail, Peer::Proxy) => SERVFAIL_PROXY,
        (DnsReason::Refused, Peer::Endpoint) => REFUSED,
        (DnsReason::Refused, Peer::Proxy) => REFUSED_PROXY,
        (DnsReason::Timeout, Peer::Endpoint) => TIMEOUT,
        (DnsReason::Timeout, Peer::Proxy) => TIMEOUT_PROXY,
        (DnsReason::NetworkError, Peer::Endpoint) => NETWORK_ERROR,
        (DnsReason::NetworkError, Peer::Proxy) => NETWORK_ERROR_PROXY,
        (DnsReason::BadAnswer, Peer::Endpoint) => BAD_ANSWER,
        (DnsReason::BadAnswer, Peer::Proxy) => BAD_ANSWER_PROXY,
    }
}

// === The endpoint's name: on a direct or bypassed route, or asked for by a `dns:` endpoint ===

const NXDOMAIN: Explanation = Explanation {
    what: "The DNS server says that the endpoint's name does not exist. Windows programs report this as error 12007.",
    likely: &[
        "Internal DNS servers do not resolve internet names here, because only the proxy is meant to.",
        "A DNS filter answers this way for names that it blocks.",
        "An internal zone of the same name hides the public one.",
        "The name is misspelt in the configuration, or its owner has removed it.",
    ],
    steps: &[
        "Ask the same server: `nslookup HOST`, and `nslookup HOST DNSSERVER` for each of the others. Compare the answers.",
        "If this server may only leave through the proxy, take `direct` out of the endpoint's routes.",
        "Otherwise have the name resolved: a forwarder, or an exception in the DNS filter.",
    ],
    owner: owner::DNS,
};

const NO_ADDRESS: Explanation = Explanation {
    what: "The endpoint's name exists but has no address. For a `dns:` endpoint: no record of the type asked for.",
    likely: &[
        "The record was removed, or an alias (CNAME) points to a name without an address.",
        "A DNS filter strips the addresses from its answers.",
        "An internal zone holds the name but not this record.",
    ],
    steps: &[
        "Look at both address types: `nslookup -type=A HOST` and `nslookup -type=AAAA HOST`.",
        "Follow the alias, if there is one: `nslookup -type=CNAME HOST`.",
        "Compare with a DNS server outside your network. If that one has an address, the fault is in yours.",
    ],
    owner: owner::DNS,
};

const SERVFAIL: Explanation = Explanation {
    what: "The DNS server tried and could not answer for the endpoint's name (SERVFAIL).",
    likely: &[
        "The DNS server cannot reach its forwarder or the internet.",
        "DNSSEC validation fails, for a wrong clock on the DNS server or a broken zone.",
        "The name servers of the endpoint's zone are down.",
    ],
    steps: &[
        "Ask for another internet name: `nslookup www.example.com`. If it fails too, the DNS server or its forwarder is at fault.",
        "Ask the forwarder itself: `nslookup HOST FORWARDER`.",
        "If only this name fails, test without validation: `dig +cd HOST`. An answer now means a DNSSEC fault.",
    ],
    owner: owner::DNS,
};

const REFUSED: Explanation = Explanation {
    what: "The DNS server refuses to answer for the endpoint's name (REFUSED). It works, but not for this client or name.",
    likely: &[
        "The server does not resolve internet names (recursion is off).",
        "Its access list lacks this machine's address.",
        "The wrong server is configured: one that serves its own zones only.",
    ],
    steps: &[
        "See which servers are asked: `ipconfig /all`, or `resolvers` in reachd's configuration.",
        "Repeat from here: `nslookup HOST DNSSERVER`. Then from a machine where it works.",
        "Have this machine's address added to the access list, or name another server.",
    ],
    owner: owner::DNS,
};

const TIMEOUT: Explanation = Explanation {
    what: "No DNS server answered for the endpoint's name in time.",
    likely: &[
        "A firewall drops DNS (port 53, UDP and TCP) between this machine and the server.",
        "The DNS server is down or overloaded, or its service is stopped: over UDP a closed port looks like silence.",
        "The server answers, but its forwarder to the internet is slow or blocked.",
    ],
    steps: &[
        "Ask for an internal name: `nslookup INTERNALNAME`. If that works, the path from the DNS server to the internet is at fault.",
        "Test the port: `Test-NetConnection DNSSERVER -Port 53`. It tests TCP; `nslookup -vc HOST DNSSERVER` asks over TCP.",
        "If only the proxy is meant to resolve internet names, take `direct` out of the endpoint's routes.",
    ],
    owner: owner::DNS,
};

const NETWORK_ERROR: Explanation = Explanation {
    what: "The DNS server that was asked for the endpoint's name could not be spoken to at all.",
    likely: &[
        "This machine has no DNS server configured, cannot read its settings, or has no route to the server.",
        "Over TCP: nothing listens on the server's DNS port. The service is stopped or the address is wrong.",
        "With DNS over TLS or HTTPS: the server's certificate is not accepted, or port 853 or 443 is closed.",
        "This machine has no socket left to ask with: the failure's detail says so where reachd has used up its file descriptors.",
    ],
    steps: &[
        "See which servers are configured: `ipconfig /all`, on Linux `resolvectl status` or /etc/resolv.conf.",
        "Test the port: `Test-NetConnection DNSSERVER -Port 53` (853 for TLS, 443 for HTTPS).",
        "Correct `resolvers` in reachd's configuration, or the network settings of this machine.",
    ],
    owner: owner::SERVER,
};

const BAD_ANSWER: Explanation = Explanation {
    what: "The DNS server's answer for the endpoint's name could not be used, or is not what the endpoint expects.",
    likely: &[
        "The endpoint's `expect` names another response code or answer than the zone now has.",
        "A DNS filter answers with an address of its own, to show a block page.",
        "A device on the way rewrites or truncates DNS.",
    ],
    steps: &[
        "Compare the answer in the failure's detail with `nslookup HOST` and with a DNS server outside your network.",
        "If the new answer is right, correct the endpoint's `expect`.",
        "If the address belongs to your DNS filter, ask for an exception for this name.",
    ],
    owner: owner::DNS,
};

// === The proxy's own name ===

const NXDOMAIN_PROXY: Explanation = Explanation {
    what: "The DNS server says that the proxy's own name does not exist. Nothing on this route can be reached.",
    likely: &[
        "The proxy's name is misspelt, or lacks its domain, in the configuration.",
        "The proxy was replaced and its DNS record removed.",
        "This machine asks a DNS server that does not know the internal zone.",
    ],
    steps: &[
        "Ask yourself: `nslookup PROXY`, with the full name.",
        "Compare with what the site uses: the Proxy tab of the site system, and `netsh winhttp show proxy`.",
        "Correct `proxies` in reachd's configuration, or have the record restored.",
    ],
    owner: owner::DNS,
};

const NO_ADDRESS_PROXY: Explanation = Explanation {
    what: "The proxy's own name exists in DNS but has no address. Nothing on this route can be reached.",
    likely: &[
        "The address record was removed, or an alias points to nothing.",
        "A load balancer's DNS gives no address because no proxy behind it is healthy.",
    ],
    steps: &[
        "Look at the record: `nslookup PROXY` and `nslookup -type=CNAME PROXY`.",
        "Ask the proxy team which name is in use now.",
        "Have the record restored, or correct `proxies` in reachd's configuration.",
    ],
    owner: owner::DNS,
};

const SERVFAIL_PROXY: Explanation = Explanation {
    what: "The DNS server could not answer for the proxy's own name (SERVFAIL). Nothing on this route can be reached.",
    likely: &[
        "The internal zone is not loaded on this DNS server, or its transfer has expired.",
        "The server cannot reach the one that holds the zone.",
    ],
    steps: &[
        "Ask each internal DNS server: `nslookup PROXY DNSSERVER`.",
        "If some answer and some do not, take the failing one out of this machine's network settings until it is mended.",
        "Have the zone and the forwarders of the failing server checked.",
    ],
    owner: owner::DNS,
};

const REFUSED_PROXY: Explanation = Explanation {
    what: "The DNS server refuses to answer for the proxy's own name (REFUSED). Nothing on this route can be reached.",
    likely: &[
        "The wrong DNS server is asked: an external one, which does not serve the internal zone.",
        "Its access list lacks this machine's address.",
    ],
    steps: &[
        "See which servers are asked: `ipconfig /all`, or the `resolver` of the proxy in reachd's configuration.",
        "Ask an internal one: `nslookup PROXY DNSSERVER`. If it answers, use that one.",
        "Otherwise have this machine's address added to the access list.",
    ],
    owner: owner::DNS,
};

const TIMEOUT_PROXY: Explanation = Explanation {
    what: "No DNS server answered for the proxy's own name in time. Nothing on this route can be reached.",
    likely: &[
        "The internal DNS server is down or overloaded, or its service is stopped: over UDP a closed port looks like silence.",
        "A firewall drops DNS (port 53, UDP and TCP) between this machine and the server.",
    ],
    steps: &[
        "Ask each server: `nslookup PROXY DNSSERVER`.",
        "Test the port: `Test-NetConnection DNSSERVER -Port 53`.",
        "If every name is slow, treat it as a failure of DNS and not of the proxy.",
    ],
    owner: owner::DNS,
};

const NETWORK_ERROR_PROXY: Explanation = Explanation {
    what: "The DNS server that was asked for the proxy's own name could not be spoken to at all.",
    likely: &[
        "This machine has no DNS server configured, cannot read its settings, or has no route to the server.",
        "Over TCP: nothing listens on the server's DNS port. The service is stopped or the address is wrong.",
        "This machine has no socket left to ask with: the failure's detail says so where reachd has used up its file descriptors.",
    ],
    steps: &[
        "See which servers are configured: `ipconfig /all`, on Linux `resolvectl status` or /etc/resolv.conf.",
        "Test the port: `Test-NetConnection DNSSERVER -Port 53`.",
        "Correct this machine's network settings, or `resolvers` in reachd's configuration.",
    ],
    owner: owner::SERVER,
};

const BAD_ANSWER_PROXY: Explanation = Explanation {
    what: "The DNS server's answer for the proxy's own name could not be used.",
    likely: &[
        "The record is broken: an alias that leads back to itself, or a chain that is too long.",
        "A device on the way rewrites or truncates DNS.",
    ],
    steps: &[
        "Look at the whole answer: `nslookup -debug PROXY`.",
        "Ask a second internal DNS server, and compare.",
        "Have the record corrected.",
    ],
    owner: owner::DNS,
};
