//! Causes that lie with an endpoint, or with the way to it alone.

use crate::explain::{Explanation, owner};

pub(super) const DOWN: Explanation = Explanation {
    what: "The endpoint fails over every route over which it is probed, and nothing bigger explains that.",
    likely: &[
        "The server or the service behind the name is down, or does not answer as it should.",
        "Its name, address or certificate was changed, or its URL in the configuration is wrong.",
        "It is blocked before the routes part: by a firewall that all of them pass.",
    ],
    steps: &[
        "See in the evidence how it fails, and `reachd explain REASON` for that.",
        "Try from elsewhere, such as a telephone's network. It works there: it is blocked here.",
        "Ask its operator, or look at the status page of the cloud.",
    ],
    owner: owner::ENDPOINT,
};

pub(super) const ROUTE_ONLY: Explanation = Explanation {
    what: "Endpoints fail over this route and are reachable over another: the way is at fault, not they.",
    likely: &[
        "A firewall or policy on this way does not allow them.",
        "The route is not meant for them: many networks allow the internet only over the proxy.",
        "The resolver of this route gives other addresses than that of the other.",
    ],
    steps: &[
        "See in the evidence which endpoints fail, how, and over which route they work.",
        "Ask the network team, or the team of the proxy, for the rule that stops them.",
        "Where the route is not meant for them: take it from the endpoint's `routes`.",
    ],
    owner: owner::NETWORK,
};

pub(super) const FLAPPING: Explanation = Explanation {
    what: "Probes succeed and fail by turns: something works for a part of the connections, or of the time.",
    likely: &[
        "One server of a pool, or one address of several, is at fault.",
        "A line or device on the way is overloaded or loses packets.",
        "A limit is reached again and again: of connections, ports or requests.",
    ],
    steps: &[
        "Compare the addresses of probes that fail with those of probes that succeed.",
        "Look for a pattern in time: the same minute of the hour, or working hours.",
        "Ask whoever runs the pool, the line or the limit that the failures point to.",
    ],
    owner: owner::ENDPOINT,
};

pub(super) const DEGRADED: Explanation = Explanation {
    what: "The endpoint is reachable, but takes far longer than it used to.",
    likely: &[
        "The server is overloaded, or another one answers from farther away.",
        "A line on the way is full, or loses packets that are sent again.",
    ],
    steps: &[
        "See in the evidence which phase became slow: connect is the line, request the server.",
        "Compare the routes, and the addresses before and after.",
        "Ask the network team for the line, or the endpoint's operator for the server.",
    ],
    owner: owner::ENDPOINT,
};
