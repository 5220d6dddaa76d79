"""Everything about one endpoint, or a few: choose it above."""

from grafana import BAD, GOOD, WARNING, between, now, override, placed, query, rows_of, stat, table, thresholds, timeline, timeseries, words
from shared import (AVAILABILITY, CHECKS, DAYS_LEFT, FAILURE, FAILURE_COLORS, HISTOGRAMS, OK_OR_FAILS, REASON_TO_RUNBOOK, SECONDS, availability, colored, made, mean_durations,
                    percentile)
from seen import INTERCEPTED, REVOCATION_STATES

STATUS_CODES = [
    between(100, 299, "", GOOD, 0),
    between(300, 399, "", "light-green", 1),
    between(400, 499, "", "yellow", 2),
    between(500, 599, "", WARNING, 3),
]

reachable = stat(
    "Reachable now",
    "The latest probe over each route. With several endpoints selected: whether all of them were reached.",
    [now(f"min by (route) (reachd_probe_success{{{CHECKS}}})", "{{route}}")],
    explain="endpoint_down",
    color="background",
    name="value_and_name",
    side_by_side=True,
    no_value="No probe yet",
    defaults={"mappings": [OK_OR_FAILS], "thresholds": thresholds(BAD, (1, GOOD))},
)
available = stat(
    "Availability",
    "The share of probes that succeeded within the time range, over all selected routes.",
    [now(availability(CHECKS, ""), "Availability")],
    unit="percentunit",
    no_value="No probe",
    defaults={"thresholds": AVAILABILITY, "decimals": 2},
)
typical = stat(
    "Half of the probes within",
    "The median of how long probes took within the time range.",
    [now(percentile(0.5, HISTOGRAMS, "", "$__range"), "50 %")],
    unit="s",
    no_value="No histograms",
    defaults={"thresholds": SECONDS},
)
slowest = stat(
    "95 % of probes within",
    "So long at most 95 of 100 probes took within the time range.",
    [now(percentile(0.95, HISTOGRAMS, "", "$__range"), "95 %")],
    unit="s",
    no_value="No histograms",
    defaults={"thresholds": SECONDS},
)
days = stat(
    "Certificate valid for",
    "Until the first certificate ends of those on the way from the server's to its root.",
    [now(f'(min(reachd_tls_certificate_not_after_timestamp_seconds{{{CHECKS},peer="endpoint"}}) - time()) / 86400', "Days")],
    unit="suffix: days",
    explain="certificate_expiring",
    no_value="No TLS",
    defaults={"thresholds": DAYS_LEFT, "decimals": 0},
)

reachability = timeline(
    "Reachable over time",
    "Each probe of each check, as it came out.",
    [query(f"min by (service, endpoint, route) (reachd_probe_success{{{CHECKS}}})", "{{endpoint}} · {{route}}")],
    explain="endpoint_down",
    no_value="No probe in this time.",
    defaults={"mappings": [OK_OR_FAILS], "color": {"mode": "thresholds"}, "thresholds": thresholds(BAD, (1, GOOD))},
)
why = table(
    "Why it fails now",
    "The phase, whom it spoke to and the reason of each latest probe that failed.",
    [rows_of(f"max by (service, endpoint, route, phase, peer, reason) (reachd_probe_failing{{{CHECKS}}})")],
    columns={"endpoint": "Endpoint", "route": "Route", "phase": "Phase", "peer": "Peer", "reason": "Reason"},
    no_value="It does not fail.",
    overrides=[override("Reason", links=[REASON_TO_RUNBOOK], custom_cellOptions=colored("text"), color={"mode": "fixed", "fixedColor": BAD})],
)
percentiles = timeseries(
    "How long probes take",
    "Percentiles of the whole probe. Where histograms are kept by service, these are the service's.",
    [
        query(percentile(0.99, HISTOGRAMS, ""), "99 %", "A"),
        query(percentile(0.95, HISTOGRAMS, ""), "95 %", "B"),
        query(percentile(0.5, HISTOGRAMS, ""), "50 %", "C"),
    ],
    unit="s",
    explain="degraded",
    legend=("mean", "max"),
    no_value="No histograms (metrics.histograms: none), or no probe in this time.",
    overrides=[override("99 %", color={"mode": "fixed", "fixedColor": "#1F60C4"}), override("95 %", color={"mode": "fixed", "fixedColor": "#5794F2"}),
               override("50 %", color={"mode": "fixed", "fixedColor": "#8AB8FF"})],
    defaults={"thresholds": SECONDS},
)
failures = timeseries(
    "Failed probes by reason",
    "How many probes failed in each interval of the graph, by phase, reason and whom the phase spoke to.",
    [query(f"sum by (phase, peer, reason) (increase(reachd_probe_failures_total{{{CHECKS}}}[$__rate_interval])) > 0", FAILURE)],
    unit="short",
    bars=True,
    no_value="No probe failed in this time.",
    defaults={"decimals": 0},
    overrides=FAILURE_COLORS,
)
codes = timeline(
    "HTTP status",
    "The status of the last answer of each probe. Any answer means reachable, except those with which a proxy or a broken server speaks (407, 502, ...), "
    "unless the endpoint expects more.",
    [query(f"max by (service, endpoint, route) (reachd_http_status_code{{{CHECKS}}})", "{{endpoint}} · {{route}}")],
    unit="none",
    explain="response/bad_status",
    no_value="No HTTP answer in this time.",
    defaults={"mappings": STATUS_CODES, "color": {"mode": "thresholds"}, "thresholds": thresholds("dark-red")},
)
seen = table(
    "What HTTP showed",
    "The status of the latest answer, the redirects followed to it, and the endpoint's clock minus ours by its Date header.",
    [
        rows_of(f'label_join(max by (endpoint, route) (reachd_http_status_code{{{CHECKS}}}), "check", " · ", "endpoint", "route")', "A"),
        rows_of(f'label_join(max by (endpoint, route) (reachd_http_redirects{{{CHECKS}}}), "check", " · ", "endpoint", "route")', "B"),
        rows_of(f'label_join(max by (endpoint, route) (reachd_clock_offset_seconds{{{CHECKS}}}), "check", " · ", "endpoint", "route")', "C"),
    ],
    columns={"check": "Check", "Value #A": "Status", "Value #B": "Redirects", "Value #C": "Clock off by"},
    joined="check",
    explain="clock_wrong",
    no_value="No HTTP answer.",
    overrides=[
        override("Status", unit="none", mappings=STATUS_CODES, thresholds=thresholds("dark-red"), custom_cellOptions=colored("text")),
        override("Clock off by", unit="s", thresholds=thresholds(BAD, (-60, GOOD), (60, BAD)), custom_cellOptions=colored("text")),
    ],
)
handshakes = table(
    "TLS",
    "What the latest handshake agreed on, with the endpoint, and with the proxy where it speaks TLS.",
    [rows_of(f"max by (endpoint, route, peer, version, cipher, alpn) (reachd_tls_info{{{CHECKS}}})")],
    columns={"endpoint": "Endpoint", "route": "Route", "peer": "With", "version": "Version", "cipher": "Cipher", "alpn": "ALPN"},
    explain="tls/handshake_failure",
    no_value="No TLS.",
    overrides=[override("Version", custom_width=90), override("ALPN", custom_width=90, noValue="none"), override("Route", custom_width=90), override("With", custom_width=90)],
)
certificate = table(
    "Certificate",
    "The server certificate, who issued it and the root that it leads to. An empty root: it is not trusted.",
    [rows_of(f'max by (route, subject, issuer, root) (reachd_tls_certificate_info{{{CHECKS},peer="endpoint"}})')],
    columns={"route": "Route", "subject": "Subject", "issuer": "Issuer", "root": "Root"},
    explain="certificate_expiring",
    no_value="No TLS.",
    overrides=[override("Route", custom_width=90), override("Subject", custom_width=230), override("Root", noValue="not trusted")],
)
revocation = table(
    "Revocation",
    "What the latest probe found out about the server's certificate (leaf) and those of its issuers.",
    [rows_of(f"max by (route, certificate, method, state) (reachd_revocation_status{{{CHECKS}}})")],
    columns={"route": "Route", "certificate": "Certificate", "method": "Method", "state": "State"},
    explain="revocation_blocked",
    no_value="Revocation is not looked at.",
    overrides=[override("State", mappings=[REVOCATION_STATES], custom_cellOptions=colored(), custom_width=130)],
)
interception = stat(
    "Inspected",
    "Whether the certificate leads to none of the roots that the endpoint is known to use: then somebody in between inspects TLS.",
    [now(f"max by (route) (reachd_tls_intercepted{{{CHECKS}}})", "{{route}}")],
    explain="tls_inspection",
    color="background",
    name="value_and_name",
    side_by_side=True,
    no_value="Not known",
    defaults={"mappings": [INTERCEPTED], "thresholds": thresholds(GOOD, (1, WARNING))},
)
held = stat(
    "Idle connection lived",
    "How long the latest connection that was held idle lived. It must live as long as the endpoint's `hold` says.",
    [now(f"min by (route) (reachd_hold_seconds{{{CHECKS}}})", "{{route}}")],
    unit="s",
    explain="idle_timeout",
    name="value_and_name",
    side_by_side=True,
    no_value="No hold",
    defaults={"thresholds": thresholds("text")},
)
holds = timeline(
    "Idle connections over time",
    "Whether connections that were held idle lived as long as they must.",
    [query(f"min by (service, endpoint, route) (reachd_hold_success{{{CHECKS}}})", "{{endpoint}} · {{route}}")],
    explain="idle_timeout",
    no_value="No connection is held idle: the selected endpoints have no `hold`.",
    defaults={"mappings": [words({0: ("CUT", BAD), 1: ("LIVED", GOOD)})], "color": {"mode": "thresholds"}, "thresholds": thresholds(BAD, (1, GOOD))},
)
cut = table(
    "Who cuts idle connections",
    "Why the latest hold failed: `closed_early` and `reset` say who ended it, `timeout` that it was forgotten silently.",
    [rows_of(f"max by (service, endpoint, route, phase, peer, reason) (reachd_hold_failing{{{CHECKS}}})")],
    columns={"endpoint": "Endpoint", "route": "Route", "phase": "Phase", "peer": "Peer", "reason": "Reason"},
    explain="idle_timeout",
    no_value="Nobody does, as far as connections are held.",
    overrides=[override("Reason", links=[REASON_TO_RUNBOOK], custom_cellOptions=colored("text"), color={"mode": "fixed", "fixedColor": BAD})],
)

ENDPOINT = made(
    "reachd-endpoint",
    "One endpoint over every route: where the time goes, why it fails, its certificate, and whether idle connections live.",
    placed(
        (4, (8, reachable), (4, available), (4, typical), (4, slowest), (4, days)),
        (9, (24, mean_durations(CHECKS, repeat="route"))),
        (7, (12, reachability), (12, why)),
        (8, (12, percentiles), (12, failures)),
        ("HTTP",),
        (6, (12, codes), (12, seen)),
        ("Certificate and revocation",),
        (8, (5, interception), (11, certificate), (8, revocation)),
        (6, (24, handshakes)),
        ("Idle connections",),
        (6, (6, held), (9, holds), (9, cut)),
    ),
)
