//! Alerts that something cannot be reached.

use crate::explain::{Explanation, owner};

pub(super) const CAUSE: Explanation = Explanation {
    what: "reachd infers from the outcomes of its checks what is at fault: the labels `cause` and `subject` name it.",
    likely: &[
        "What the cause's own explanation lists: `reachd explain CAUSE`.",
        "A change at the time at which the alert began: of a proxy, a firewall, DNS or a certificate.",
    ],
    steps: &[
        "Read what the cause means and what to do: `reachd explain CAUSE`, or /explain/CAUSE of reachd's page.",
        "Look at its evidence on reachd's page, or at `/api/v1/causes`: which checks say so, and which contradict.",
        "Hand it to the owner that the explanation names, with the evidence.",
    ],
    owner: owner::CONFIGURATION,
};

pub(super) const CRITICAL_DOWN: Explanation = Explanation {
    what: "A critical endpoint has not been reachable over this route for minutes: its service does not work over it.",
    likely: &[
        "What the reason says with which it fails; where the labels `cause` and `subject` are there, they name what is behind it.",
        "Only this endpoint is blocked or down: where many fail together, a cause is told in place of this.",
        "No cause is inferred yet, for the check has a long interval or fails now and then.",
    ],
    steps: &[
        "Read why it fails: `reachd explain REASON` with the phase and reason of the description.",
        "Look at the endpoint over the other routes: reachable over one means that this route is at fault.",
        "Try it by hand: `reachd check --endpoint NAME --route ROUTE` on reachd's machine.",
    ],
    owner: owner::CONFIGURATION,
};

pub(super) const DOWN: Explanation = Explanation {
    what: "An endpoint that is not critical has not been reachable over this route for an hour or longer.",
    likely: &[
        "What the reason says with which it fails; where the labels `cause` and `subject` are there, they name what is behind it.",
        "Nobody opened the way, because its service works without this endpoint.",
        "The endpoint was given up by its operator, and is still in the configuration.",
    ],
    steps: &[
        "Read why it fails: `reachd explain REASON` with the phase and reason of the description.",
        "Decide whether it is needed: if not, disable it under `catalog.overrides` or take it out of `endpoints`.",
        "If it is, have the way opened as for the critical ones.",
    ],
    owner: owner::CONFIGURATION,
};

pub(super) const SERVICE_DOWN: Explanation = Explanation {
    what: "Critical endpoints of the service fail over this route, one or another for many minutes: it does not work over it.",
    likely: &[
        "Endpoints take turns in failing, so that none of them was down for long enough to be told by itself.",
        "The way out is overloaded, or loses packets.",
        "The alerts about its endpoints or their cause were silenced.",
    ],
    steps: &[
        "See which fail, and why: `reachd_probe_failing` with this service and route, or reachd's page.",
        "Compare with the other routes of the same service.",
        "Look at the causes: `reachd_cause`, above all `flapping`, `degraded` and `proxy_slow`.",
    ],
    owner: owner::CONFIGURATION,
};

pub(super) const SERVICE_DEGRADED: Explanation = Explanation {
    what: "Endpoints of the service that are not critical have been failing over this route for hours: it works, but not all of it.",
    likely: &[
        "Endpoints take turns in failing, so that none of them was down for long enough to be told by itself.",
        "Nobody opened the way, because the service works without them.",
    ],
    steps: &[
        "See which fail, and why: `reachd_probe_failing` with this service and route, or reachd's page.",
        "Read what breaks without them: `reachd catalog show FEATURE`.",
        "Disable what you do not need under `catalog.overrides`, and have the rest opened.",
    ],
    owner: owner::CONFIGURATION,
};
