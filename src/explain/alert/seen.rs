//! Alerts about what probes saw on the way: certificates, revocation, idle connections.

use crate::explain::{Explanation, owner};

const EXPIRING: &[&str] = &[
    "Nobody renewed it: many are renewed by hand, or their automatic renewal fails.",
    "It was renewed, and the server, or one of several, still presents the old one.",
    "It is the authority of a proxy that inspects TLS, or an intermediate certificate on the way to the root.",
];

const RENEW: &[&str] = &[
    "See whose it is: `reachd_tls_certificate_info` with this endpoint has subject, issuer and serial number.",
    "With the peer `proxy`, the proxy's own certificate is meant: tell the proxy team.",
    "Have it renewed and bound, and the service restarted if it keeps the old one. A cloud renews its own.",
];

pub(super) const EXPIRES_IN_30_DAYS: Explanation = Explanation {
    what: "A certificate that this endpoint or proxy presents, or one on the way to its root, ends within thirty days.",
    likely: EXPIRING,
    steps: RENEW,
    owner: owner::PKI,
};

pub(super) const EXPIRES_IN_7_DAYS: Explanation = Explanation {
    what: "A certificate that this endpoint or proxy presents, or one on the way to its root, ends within a week.",
    likely: EXPIRING,
    steps: RENEW,
    owner: owner::PKI,
};

pub(super) const EXPIRES_IN_1_DAY: Explanation = Explanation {
    what: "A certificate that this endpoint or proxy presents, or one on the way to its root, ends within a day, or has ended.",
    likely: EXPIRING,
    steps: RENEW,
    owner: owner::PKI,
};

pub(super) const INTERCEPTED: Explanation = Explanation {
    what: "Somebody in between presents a certificate of their own in the endpoint's place: its TLS traffic is inspected.",
    likely: &[
        "The proxy or firewall inspects TLS, and this host is not exempted from that.",
        "The endpoint's operator moved to another root authority, and what reachd expects is older than that.",
    ],
    steps: &[
        "See who it is: the issuer in `reachd_tls_certificate_info` with this endpoint and route.",
        "Have the host exempted from inspection. Microsoft supports none for its management hosts.",
        "If the issuer is the operator's own, add its root to the endpoint's `expect.chain.roots`.",
    ],
    owner: owner::PROXY,
};

pub(super) const REVOCATION_BLOCKED: Explanation = Explanation {
    what: "Nobody could say whether the endpoint's certificate was revoked: lists and answers of its authority cannot be fetched.",
    likely: &[
        "The proxy or firewall does not let the hosts of the authority through: they are plain HTTP on port 80.",
        "Lists are fetched over another route than the endpoint: `revocation.route` says which.",
        "The authority's host is down.",
    ],
    steps: &[
        "See which URL it is on the check's page, or in the warnings of `reachd check --endpoint NAME`.",
        "Have the hosts allowed without a login: Windows fetches lists as SYSTEM, which has no proxy password.",
        "Try it: `certutil -url URL`, or `curl -v URL` over the same route.",
    ],
    owner: owner::PROXY,
};

pub(super) const REVOCATION_STALE: Explanation = Explanation {
    what: "The newest list or answer about revocation that can be had for this endpoint is out of date: strict clients refuse it.",
    likely: &[
        "The authority did not publish a new list in time: usual for internal ones that are switched off.",
        "A proxy or content network keeps an old list in its cache.",
        "The clock of reachd's machine is ahead.",
    ],
    steps: &[
        "See which list it is, and when the next was due: `reachd_crl_next_update_timestamp_seconds`.",
        "Fetch it by hand over each route and compare: `certutil -dump FILE`, `openssl crl -noout -nextupdate`.",
        "Have the authority publish a new list, or the proxy's cache cleared.",
    ],
    owner: owner::PKI,
};

pub(super) const HOLD_CUT: Explanation = Explanation {
    what: "An idle connection to the endpoint over this route did not live as long as `hold.for` demands: somebody cut it.",
    likely: &[
        "The proxy's time-out for idle tunnels is shorter than that.",
        "A firewall or load balancer on the way has a shorter idle time-out.",
    ],
    steps: &[
        "See after how long: `reachd_hold_seconds`. Always the same time means an idle time-out.",
        "See who ended it: the peer and reason of `reachd_hold_failing`, and `reachd explain hold/REASON`.",
        "Have the time-out raised for this host: tenant attach wants at least 3 minutes.",
    ],
    owner: owner::PROXY,
};
