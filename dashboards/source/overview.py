"""What is wrong, where, and since when: the first look."""

from grafana import BAD, GOOD, WARNING, bars, now, override, placed, query, rows_of, stat, table, thresholds, timeline, timeseries
from shared import (AVAILABILITY, CAUSE_TO_RUNBOOK, CHECKS, FAILURE, FAILURE_COLORS, HISTOGRAMS, REASON_TO_RUNBOOK, ROW_TO_ENDPOINT, SECONDS, SERIES_TO_ENDPOINT,
                    SERIES_TO_ROUTES, SERVICES, STATUS, YES_OR_NO, availability, colored, made, percentile, with_columns)

NOTHING_FAILS = "Nothing fails."

causes_now = stat(
    "Causes",
    "How many faults are behind everything that fails. One dead proxy is one cause, however many checks fail of it.",
    [now("count(max by (cause, subject) (reachd_cause)) or vector(0)", "Causes")],
    color="background",
    defaults={"thresholds": thresholds(GOOD, (1, WARNING)), "mappings": []},
)
critical_now = stat(
    "Critical endpoints failing",
    "Endpoints that their service cannot do without and that fail over at least one of the selected routes.",
    [now(f'count(max by (service, endpoint) (reachd_probe_failing{{{CHECKS},critical="true"}})) or vector(0)', "Endpoints")],
    color="background",
    defaults={"thresholds": thresholds(GOOD, (1, BAD))},
)
failing_now = stat(
    "Checks failing",
    "Checks (an endpoint over a route) whose latest probe failed, critical or not.",
    [now(f"count(max by (service, endpoint, route) (reachd_probe_failing{{{CHECKS}}})) or vector(0)", "Checks")],
    color="background",
    defaults={"thresholds": thresholds(GOOD, (1, WARNING))},
)
available = stat(
    "Availability",
    "The share of probes that succeeded within the time range.",
    [now(availability(CHECKS, ""), "Availability")],
    unit="percentunit",
    no_value="No probe yet",
    defaults={"thresholds": AVAILABILITY, "decimals": 2},
)
slowest = stat(
    "95 % of probes within",
    "So long at most 95 of 100 probes took within the time range, failures included.",
    [now(percentile(0.95, HISTOGRAMS, "", "$__range"), "95 %")],
    unit="s",
    no_value="No histograms",
    defaults={"thresholds": SECONDS},
)
oldest = stat(
    "Latest probe of each check",
    "How long ago the check was probed that waits longest. Much longer than the interval: reachd is busy, stopped or not scraped.",
    [now(f"time() - min(max by (service, endpoint, route) (reachd_probe_last_run_timestamp_seconds{{{CHECKS}}}))", "Oldest")],
    unit="s",
    no_value="No probe yet",
    defaults={"thresholds": thresholds(GOOD, (300, WARNING), (900, BAD)), "decimals": 0},
)

causes = table(
    "What is behind it",
    "The faults that reachd infers from all outcomes together. Begin here: each row links to what it means and what to do.",
    [rows_of("max by (cause, subject, critical) (reachd_cause)")],
    columns={"cause": "Cause", "subject": "At fault", "critical": "Critical"},
    no_value="No cause: what fails, if anything, fails alone.",
    sort={"Critical": True},
    overrides=[
        override("Cause", links=[CAUSE_TO_RUNBOOK]),
        override("Critical", mappings=[YES_OR_NO], custom_cellOptions=colored(), custom_width=90),
    ],
)
services = stat(
    "Services by route",
    "OK: everything that the service needs is reachable over the route. WARNING: only what it can do without fails. CRITICAL: it stops. "
    "All endpoints of a service count, whichever are selected.",
    [now(f"max by (service, route) (reachd_service_status{{{SERVICES}}})", "{{service}} · {{route}}")],
    color="background",
    name="value_and_name",
    no_value="No service has been probed yet.",
    defaults={"mappings": [STATUS], "thresholds": thresholds(GOOD, (1, WARNING), (2, BAD)), "links": [SERIES_TO_ROUTES]},
)
history = timeline(
    "Services over time",
    "The same over the time range. Marks on the time axes of all panels show when causes were there.",
    [query(f"max by (service, route) (reachd_service_status{{{SERVICES}}})", "{{service}} · {{route}}")],
    explain="endpoint_down",
    no_value="No service has been probed yet.",
    defaults={"mappings": [STATUS], "color": {"mode": "thresholds"}, "thresholds": thresholds(GOOD, (1, WARNING), (2, BAD)), "links": [SERIES_TO_ROUTES]},
)
failing_expression = with_columns(f"reachd_probe_failing{{{CHECKS}}}", "url", "reachd_endpoint_info")
failing = table(
    "What fails now",
    "Every check whose latest probe failed: the phase, whom it spoke to, and the reason. Endpoints lead to their own dashboard, reasons to the runbook.",
    [rows_of(f"max by (service, endpoint, route, critical, phase, peer, reason, url) ({failing_expression})")],
    columns={"service": "Service", "endpoint": "Endpoint", "route": "Route", "phase": "Phase", "peer": "Peer", "reason": "Reason",
             "critical": "Critical", "url": "URL"},
    no_value=NOTHING_FAILS,
    sort={"Critical": True},
    overrides=[
        override("Endpoint", links=[ROW_TO_ENDPOINT]),
        override("Reason", links=[REASON_TO_RUNBOOK]),
        override("Service", custom_width=130),
        override("Route", custom_width=90),
        override("Phase", custom_width=100),
        override("Peer", custom_width=90),
        override("Reason", custom_width=150),
        override("Critical", mappings=[YES_OR_NO], custom_cellOptions=colored(), custom_width=90),
    ],
)
failures = timeseries(
    "Failed probes by reason",
    "How many probes failed in each interval of the graph, by phase and reason. One colour that begins at once over many checks is one fault.",
    [query(f"sum by (phase, peer, reason) (increase(reachd_probe_failures_total{{{CHECKS}}}[$__rate_interval])) > 0", FAILURE)],
    unit="short",
    bars=True,
    no_value="No probe failed in this time.",
    defaults={"decimals": 0},
    overrides=FAILURE_COLORS,
)
by_service = timeseries(
    "Availability by service and route",
    "The share of probes that succeeded, over time.",
    [query(availability(CHECKS, "service, route", "$__rate_interval"), "{{service}} · {{route}}")],
    unit="percentunit",
    no_value="No probe in this time.",
    defaults={"max": 1, "thresholds": AVAILABILITY},
)
latency = bars(
    "Slowest checks",
    "The eight checks whose probes took longest: 95 of 100 took at most so long within the time range. Where histograms are kept by service, a bar is a service.",
    [now(f"topk(8, {percentile(0.95, HISTOGRAMS, 'service, endpoint, route', '$__range')})", "{{endpoint}} ({{service}}) · {{route}}")],
    unit="s",
    explain="degraded",
    no_value="No histograms (metrics.histograms: none), or no probe in this time.",
    defaults={"thresholds": SECONDS, "min": 0, "links": [SERIES_TO_ENDPOINT]},
)

OVERVIEW = made(
    "reachd-overview",
    "Is every required endpoint reachable over every route, and if not, which hop is at fault?",
    placed(
        (4, (4, causes_now), (4, critical_now), (4, failing_now), (4, available), (4, slowest), (4, oldest)),
        (8, (9, causes), (15, services)),
        (8, (24, history)),
        (8, (24, failing)),
        (9, (12, failures), (12, latency)),
        (8, (24, by_service)),
    ),
)
