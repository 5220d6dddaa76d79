//! Reasons of the phase `connect`: no TCP connection came about, to the endpoint or to the proxy.

use super::{Explanation, owner};
use crate::outcome::{ConnectReason, Peer};

pub(super) fn explain(reason: ConnectReason, peer: Peer) -> Explanation {
    match (reason, peer) {
        (ConnectReason::Refused, Peer::Endpoint) => REFUSED,
        (ConnectReason::Refused, Peer::Proxy) => REFUSED_PROXY,
        (ConnectReason::Timeout, Peer::Endpoint) => TIMEOUT,
        (ConnectReason::Timeout, Peer::Proxy) => TIMEOUT_PROXY,
        (ConnectReason::Unreachable, Peer::Endpoint) => UNREACHABLE,
        (ConnectReason::Unreachable, Peer::Proxy) => UNREACHABLE_PROXY,
        (ConnectReason::Reset, Peer::Endpoint) => RESET,
        (ConnectReason::Reset, Peer::Proxy) => RESET_PROXY,
        (ConnectReason::NoRoute, Peer::Endpoint) => NO_ROUTE,
        (ConnectReason::NoRoute, Peer::Proxy) => NO_ROUTE_PROXY,
    }
}

// === The endpoint's address: on a direct or bypassed route ===

const REFUSED: Explanation = Explanation {
    what: "The endpoint's address answered that nothing listens on this port.",
    likely: &[
        "A firewall on the way rejects the connection in the endpoint's name.",
        "The service on the endpoint is stopped, or the port in the URL is wrong.",
        "DNS gives the wrong address, such as one of a block page.",
    ],
    steps: &[
        "Compare the address in the failure's detail with `nslookup HOST` from another network.",
        "Repeat: `Test-NetConnection HOST -Port PORT`.",
        "For a host of a cloud: look for a reject rule on the firewall. For your own server: see that its service runs.",
    ],
    owner: owner::NETWORK,
};

const TIMEOUT: Explanation = Explanation {
    what: "The endpoint's address did not answer the connection attempt in time. Windows programs report this as error 12002 or 12029.",
    likely: &[
        "A firewall drops the packets silently: the direct way out is closed, or not open for this address.",
        "Rules by IP address are out of date. Intune's hosts moved behind Azure Front Door in December 2025.",
        "The endpoint is down, or the answer takes another way back.",
    ],
    steps: &[
        "Repeat: `Test-NetConnection HOST -Port PORT`, and the same from a machine that has internet access.",
        "Look for drops of this source and destination in the firewall's log.",
        "If this server may only leave through the proxy, take `direct` out of the endpoint's routes.",
        "Prefer rules by host name, or the service tag AzureFrontDoor.MicrosoftSecurity for Intune.",
    ],
    owner: owner::NETWORK,
};

const UNREACHABLE: Explanation = Explanation {
    what: "A router on the way said that the endpoint's address is not to be reached, or nobody in this machine's own network answered for it.",
    likely: &[
        "A router or firewall forbids the destination, and says so: by design, where only the proxy leads out.",
        "A router on the way has no route to it, or a link is down.",
        "The address is in this machine's own network, and no machine has it.",
    ],
    steps: &[
        "See how far it goes: `tracert HOST`. The last router that answers is the place to look.",
        "Check whether only IPv6 fails: `Test-NetConnection -ComputerName ADDRESS -Port PORT` for each address of the host.",
        "Give the network team the source, the destination and the last router.",
    ],
    owner: owner::NETWORK,
};

const RESET: Explanation = Explanation {
    what: "The connection to the endpoint was reset before it stood.",
    likely: &[
        "A firewall or intrusion prevention system cuts the connection.",
        "The endpoint, or the load balancer before it, is overloaded or restarting.",
    ],
    steps: &[
        "Repeat a few times: `Test-NetConnection HOST -Port PORT`. Always means a rule, sometimes means load.",
        "Look for this destination in the logs of the firewall and of intrusion prevention.",
    ],
    owner: owner::NETWORK,
};

const NO_ROUTE: Explanation = Explanation {
    what: "This machine itself has no route to the endpoint's address. No packet was sent.",
    likely: &[
        "The machine has no default gateway: by design, where only the proxy leads out.",
        "The name has an IPv6 address only, and this machine has no IPv6.",
        "A network adapter is down.",
        "Not the route is missing but a socket: the failure's detail says so where reachd has used up its file descriptors.",
    ],
    steps: &[
        "Look at the routes: `route print`, on Linux `ip route get ADDRESS`.",
        "If the machine is meant to leave through the proxy only, take `direct` out of the endpoint's routes.",
        "Otherwise restore the default gateway or the adapter.",
    ],
    owner: owner::SERVER,
};

// === The proxy's address ===

const REFUSED_PROXY: Explanation = Explanation {
    what: "The proxy's machine answered that nothing listens on the proxy's port. Nothing on this route can be reached.",
    likely: &[
        "The proxy service is stopped or restarting.",
        "The port is wrong. Configuration Manager assumes 80 where none is set; many proxies use 3128 or 8080.",
        "A firewall rejects the connection.",
    ],
    steps: &[
        "Repeat: `Test-NetConnection PROXY -Port PORT`.",
        "Compare the port with the Proxy tab of the site system and with `netsh winhttp show proxy`.",
        "Have the proxy service started, or correct `proxies` in reachd's configuration.",
    ],
    owner: owner::PROXY,
};

const TIMEOUT_PROXY: Explanation = Explanation {
    what: "The proxy's address did not answer the connection attempt in time. Nothing on this route can be reached.",
    likely: &[
        "The proxy is down, or its load balancer has no healthy member.",
        "A firewall drops the packets between this machine and the proxy.",
        "The proxy's name resolves to an old address.",
    ],
    steps: &[
        "Repeat: `Test-NetConnection PROXY -Port PORT`, here and on a machine in another network.",
        "Only here fails: have the firewall rule from this machine to the proxy checked.",
        "Fails everywhere: the proxy is down. Compare the address with `nslookup PROXY`.",
    ],
    owner: owner::PROXY,
};

const UNREACHABLE_PROXY: Explanation = Explanation {
    what: "A router on the way said that the proxy's address is not to be reached, or nobody in this machine's own network answered for it.",
    likely: &[
        "The proxy's machine is off, and nobody answers for its address.",
        "A link or a route between this network and the proxy's is down.",
        "A router or firewall forbids the destination, and says so.",
    ],
    steps: &[
        "See how far it goes: `tracert PROXY`. The last router that answers is the place to look.",
        "Try from another network, to tell the proxy's side from this one.",
        "Give the network team the source, the destination and the last router.",
    ],
    owner: owner::NETWORK,
};

const RESET_PROXY: Explanation = Explanation {
    what: "The connection to the proxy was reset before it stood. Nothing on this route can be reached.",
    likely: &[
        "The proxy, or the load balancer before it, is overloaded or restarting.",
        "A firewall between this machine and the proxy cuts the connection.",
    ],
    steps: &[
        "Repeat a few times: `Test-NetConnection PROXY -Port PORT`. Always means a rule, sometimes means load.",
        "Have the proxy's number of connections checked against its limit.",
    ],
    owner: owner::PROXY,
};

const NO_ROUTE_PROXY: Explanation = Explanation {
    what: "This machine itself has no route to the proxy's address. No packet was sent.",
    likely: &[
        "A network adapter is down, or a static route is missing.",
        "The proxy's name has an IPv6 address only, and this machine has no IPv6.",
        "Not the route is missing but a socket: the failure's detail says so where reachd has used up its file descriptors.",
    ],
    steps: &[
        "Look at the routes: `route print`, on Linux `ip route get ADDRESS`.",
        "See what the name resolves to: `nslookup PROXY`.",
        "Restore the adapter or the route.",
    ],
    owner: owner::SERVER,
};
