//! Causes that lie with a proxy.

use crate::explain::{Explanation, owner};

pub(super) const DOWN: Explanation = Explanation {
    what: "The proxy cannot be reached or used: several endpoints fail before it has done anything for them, and none gets through.",
    likely: &[
        "The proxy, or the load balancer before it, is down or being restarted.",
        "A firewall blocks the way between this machine and the proxy.",
        "Its name, port or kind in the configuration is wrong, or its own name is no longer resolved.",
    ],
    steps: &[
        "Try it: `curl -v -x http://PROXY:PORT https://HOST/`. Refused: nothing listens. Silent: it is blocked.",
        "Look at the proxy's service and log, or at the pool of its load balancer.",
        "While it lasts: compare with another route in reachd, and fail over where there is one.",
    ],
    owner: owner::PROXY,
};

pub(super) const AUTHENTICATION: Explanation = Explanation {
    what: "The proxy answers, but does not accept the login of those who ask: it wants another one, or refuses the one it gets.",
    likely: &[
        "The password of the service account was changed, has expired, or the account is locked.",
        "No login is configured, or one of a scheme that the proxy does not offer.",
        "There is no Kerberos ticket: the keytab is old, or no domain controller is reachable.",
    ],
    steps: &[
        "See in the evidence which schemes the proxy offers, and as whom reachd logs in.",
        "Try the account: `curl -v -x http://PROXY:PORT --proxy-user USER --proxy-anyauth https://HOST/`.",
        "Renew the password or keytab, or have the endpoints exempted from the login: Microsoft asks for that.",
    ],
    owner: owner::PROXY,
};

pub(super) const POLICY: Explanation = Explanation {
    what: "The proxy works, and its policy denies the endpoints that the evidence lists.",
    likely: &[
        "They are not on the allow-list of this source or account.",
        "The category or reputation that the proxy gives to the hosts is blocked.",
        "The port is not allowed for tunnels.",
    ],
    steps: &[
        "Hand the list of endpoints to the proxy team: `reachd catalog show FEATURE` has them with their sources.",
        "Ask which rule denied them: the proxy's log has it at the time of the failure.",
        "Where only some are denied, compare with those that the evidence lists as reachable.",
    ],
    owner: owner::PROXY,
};

pub(super) const UPSTREAM: Explanation = Explanation {
    what: "The proxy answers, but gets nowhere: it fails for several endpoints and gets through to none.",
    likely: &[
        "The proxy's own way to the internet is down: its uplink, firewall or parent proxy.",
        "The resolver that the proxy asks is down, so that it resolves no name.",
        "The proxy is overloaded, or has used up its connections or ports.",
    ],
    steps: &[
        "Read what the proxy says in the evidence: a name not resolved, a connection refused, a time-out.",
        "Try from the proxy itself: `curl -v https://HOST/`, and `nslookup HOST`.",
        "Have the proxy team look at its uplink, parent and resolvers.",
    ],
    owner: owner::PROXY,
};

pub(super) const SLOW: Explanation = Explanation {
    what: "The proxy takes far longer than it used to, for several endpoints at once.",
    likely: &[
        "The proxy is overloaded: processor, connections, or the scanning of content.",
        "Its login is slow, for its domain controller or directory is.",
        "The resolver that the proxy asks, or the line behind it, is slow.",
    ],
    steps: &[
        "Compare `reachd_probe_last_phase_duration_seconds` by phase for this route: connect is the line, proxy the rest.",
        "Compare with the route `direct`, where there is one.",
        "Have the proxy team look at its load at the time at which the cause appeared.",
    ],
    owner: owner::PROXY,
};

pub(super) const IDLE_TIMEOUT: Explanation = Explanation {
    what: "Connections over this way are cut while they are idle, sooner than the endpoint needs.",
    likely: &[
        "The proxy's time-out for idle tunnels is shorter than `hold.for`.",
        "A firewall or load balancer on the way has a shorter idle time-out.",
    ],
    steps: &[
        "See in the evidence after how long, and by whom. Always the same time: it is an idle time-out.",
        "Have it raised for these hosts: tenant attach wants at least 3 minutes for `*.manage.microsoft.com`.",
        "Compare with another route that holds: the endpoint is not at fault then.",
    ],
    owner: owner::PROXY,
};
