//! Alerts that an objective is not met.

use crate::explain::{Explanation, owner};

const LIKELY: &[&str] = &[
    "Critical endpoints fail now and then: each time too short to be told as a cause or as down.",
    "The way out is overloaded at busy hours, or one member of a pool behind it is bad.",
    "Timeouts are tight for this way: most failures are of the kind `timeout` then.",
];

const STEPS: &[&str] = &[
    "See what fails most: `topk(5, sum by (endpoint, phase, reason) (increase(reachd_probe_failures_total[1h])))`.",
    "Compare the routes: one that is worse than the others for all endpoints is at fault itself.",
    "Look on reachd's page when the failures come: busy hours speak for load, every n-th probe for a pool.",
];

pub(super) const BURNS_FAST: Explanation = Explanation {
    what: "Probes of critical endpoints fail so often that the error budget of a month would be gone in two days. No cause explains it.",
    likely: LIKELY,
    steps: STEPS,
    owner: owner::NETWORK,
};

pub(super) const BURNS: Explanation = Explanation {
    what: "Probes of critical endpoints have failed for hours, so often that the error budget of a month would be gone in five days.",
    likely: LIKELY,
    steps: STEPS,
    owner: owner::NETWORK,
};

pub(super) const BURNS_SLOWLY: Explanation = Explanation {
    what: "Over three days, probes of critical endpoints failed more often than the objective allows. Nothing is on fire.",
    likely: LIKELY,
    steps: STEPS,
    owner: owner::NETWORK,
};

pub(super) const LATENCY: Explanation = Explanation {
    what: "Of the service's probes over this route, more than one in twenty takes longer than the latency objective allows.",
    likely: &[
        "The proxy is overloaded, scans content, or is slow to check logins.",
        "A resolver is slow, or the first of several does not answer.",
        "The line is full, or the way leads over another continent.",
    ],
    steps: &[
        "See which phase it is: `reachd_phase_duration_seconds` by phase and peer, or the dashboard of a route.",
        "Compare with another route: slow over both is the endpoint, DNS or the line.",
        "If it has always been so, set `reachd:objective:latency_seconds` in the rules to what you can live with.",
    ],
    owner: owner::NETWORK,
};
