//! Causes on the way out that concern everybody: the network and the resolvers.

use crate::explain::{Explanation, owner};

pub(super) const NETWORK_DOWN: Explanation = Explanation {
    what: "This machine reaches nothing: different hosts, resolvers and proxies are all silent at once.",
    likely: &[
        "The network interface, its cable, switch port or VLAN is down, or the machine lost its address.",
        "The default gateway or the firewall behind it is down or was changed.",
        "The machine was isolated, by a quarantine or by a host firewall.",
    ],
    steps: &[
        "Look at addresses and routes: `ip address`, `ip route`, or `ipconfig /all` and `route print`.",
        "Ping the default gateway; then a resolver and a proxy, to see how far packets get.",
        "Ask the network team what changed at the time at which the cause appeared.",
    ],
    owner: owner::NETWORK,
};

pub(super) const RESOLVER_DOWN: Explanation = Explanation {
    what: "A resolver fails for several names and for none it succeeds: whoever asks it reaches nothing by name.",
    likely: &[
        "The DNS server is down or overloaded, or its forwarders cannot be reached.",
        "A firewall blocks port 53 (or 853, 443) between this machine and the server.",
        "The configured address is wrong, or the server no longer serves this network.",
    ],
    steps: &[
        "Ask it yourself for two names: `nslookup HOST SERVER` or `dig @SERVER HOST`.",
        "Ask another resolver for the same names. It answers: the first one is at fault.",
        "Have the DNS team look at the server, its forwarders and its log.",
    ],
    owner: owner::DNS,
};

pub(super) const RESOLVER_WRONG: Explanation = Explanation {
    what: "A resolver's answer cannot be right: it denies a name that another one knows, or gives a private address for a public name.",
    likely: &[
        "A DNS filter or sinkhole answers in the place of the real servers.",
        "A zone of one's own hides the public one (split DNS), and lacks this name or holds an old one.",
        "A private endpoint is configured for a service of the cloud, and is not reachable from here.",
    ],
    steps: &[
        "Compare the answers: `dig @SERVER HOST` for each resolver that the evidence names.",
        "Ask the DNS team for a filter, a policy zone or an internal zone that covers the name.",
        "Have the name exempted, or forwarded to a resolver that answers for the internet.",
    ],
    owner: owner::DNS,
};
