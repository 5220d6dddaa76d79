//! Reasons of the phase `hold`: a connection that must stay open although nothing is said did not.

use super::{Explanation, owner};
use crate::outcome::{HoldReason, Peer};

pub(super) fn explain(reason: HoldReason, peer: Peer) -> Explanation {
    match (reason, peer) {
        (HoldReason::ClosedEarly, Peer::Endpoint) => CLOSED_EARLY,
        (HoldReason::ClosedEarly, Peer::Proxy) => CLOSED_EARLY_PROXY,
        (HoldReason::Reset, Peer::Endpoint) => RESET,
        (HoldReason::Reset, Peer::Proxy) => RESET_PROXY,
        (HoldReason::Timeout, Peer::Endpoint) => TIMEOUT,
        (HoldReason::Timeout, Peer::Proxy) => TIMEOUT_PROXY,
    }
}

// === On a direct or bypassed route, or with the endpoint's own word inside TLS ===

const CLOSED_EARLY: Explanation = Explanation {
    what: "The idle connection was closed before its time, by the endpoint or by a device that speaks in its name.",
    likely: &[
        "The server closes connections over which nothing was asked: compare its own limit with `hold.for`.",
        "A firewall or load balancer on the way has a shorter idle time-out and ends connections cleanly.",
        "A device that inspects TLS stands in between and has an idle time-out of its own.",
    ],
    steps: &[
        "Compare the routes in reachd. Closed after the same time over each: it is the server.",
        "Repeat: `openssl s_client -connect HOST:PORT`, say nothing, and see when it ends.",
        "Only here: ask the network team for the idle time-out on the way; tenant attach wants 3 minutes.",
    ],
    owner: owner::ENDPOINT,
};

const RESET: Explanation = Explanation {
    what: "The idle connection to the endpoint was reset before its time, or as soon as it was used again.",
    likely: &[
        "A firewall on the way dropped the flow from its table, and resets what it no longer knows.",
        "A load balancer or the server resets connections that were idle for too long.",
        "The server was restarted meanwhile.",
    ],
    steps: &[
        "Look at the time in the failure's detail. The same each time: an idle time-out, on the way or at the server.",
        "Have the firewall's and the load balancer's idle time-out for TCP raised above `hold.for`.",
        "Where that cannot be: have the application use TCP keep-alive, and set `hold.keep_alive` likewise.",
    ],
    owner: owner::NETWORK,
};

const TIMEOUT: Explanation = Explanation {
    what: "The idle connection looked open, but what was sent over it got no answer: the flow was forgotten on the way.",
    likely: &[
        "A firewall or address translator on the way forgets idle flows and drops their packets silently.",
        "The endpoint went away meanwhile, and nobody answers in its place.",
    ],
    steps: &[
        "Look for drops of this source and destination in the firewall's log, of packets that open no connection.",
        "Have its idle time-out for TCP raised above `hold.for`, or have it send resets.",
        "Where that cannot be: have the application use TCP keep-alive, and set `hold.keep_alive` likewise.",
    ],
    owner: owner::NETWORK,
};

// === On a proxied route, without a word of the endpoint's ===

const CLOSED_EARLY_PROXY: Explanation = Explanation {
    what: "The idle connection was closed before its time on the proxy's side, without a word of the endpoint's own.",
    likely: &[
        "The proxy ends idle tunnels: its idle time-out is shorter than `hold.for`.",
        "A load balancer before the proxy, or a firewall behind it, ends idle connections sooner.",
        "The endpoint itself closed, without TLS's word of farewell, and the proxy passed that on.",
    ],
    steps: &[
        "Compare the time in the failure's detail with the proxy's idle time-out, such as squid's `read_timeout`.",
        "Have it raised for these hosts: tenant attach wants at least 3 minutes for `*.manage.microsoft.com`.",
        "Closed after the same time over another route, too: it is the endpoint.",
    ],
    owner: owner::PROXY,
};

const RESET_PROXY: Explanation = Explanation {
    what: "The idle connection to the proxy was reset before its time, or as soon as it was used again.",
    likely: &[
        "The proxy or the load balancer before it resets tunnels that were idle for too long.",
        "A firewall between this machine and the proxy forgot the flow, and resets what it no longer knows.",
        "The proxy was restarted, or its policy was loaded anew.",
    ],
    steps: &[
        "Look at the time in the failure's detail. The same each time: an idle time-out. Else look for restarts.",
        "Have the idle time-outs of the proxy and its load balancer raised above `hold.for`.",
        "Where that cannot be: have the application use TCP keep-alive, and set `hold.keep_alive` likewise.",
    ],
    owner: owner::PROXY,
};

const TIMEOUT_PROXY: Explanation = Explanation {
    what: "The idle connection to the proxy looked open, but what was sent over it got no answer: it was forgotten on the way.",
    likely: &[
        "A firewall between this machine and the proxy forgets idle flows and drops their packets silently.",
        "The same happens behind the proxy, which waits for the endpoint as we do.",
    ],
    steps: &[
        "Look for drops between this machine and the proxy in the firewall's log, of packets that open no connection.",
        "Have the idle time-out for TCP raised above `hold.for`, before and behind the proxy.",
        "Where that cannot be: have the application use TCP keep-alive, and set `hold.keep_alive` likewise.",
    ],
    owner: owner::NETWORK,
};
