"""Which way out is best: direct against each proxy."""

from grafana import BAD, GOOD, WARNING, bars, now, override, placed, query, rows_of, table, thresholds, timeseries
from shared import AVAILABILITY, CHECKS, HISTOGRAMS, SECONDS, availability, colored, made, mean_durations, percentile

NOT_PROBED = {"type": "special", "options": {"match": "null", "result": {"text": "not probed", "color": "transparent", "index": 0}}}
BETTER_LESS = thresholds(GOOD, (0.25, WARNING), (1, BAD))

# The mean of the probes within the range, one value a check: the sum of its phases.
DURATION = "sum by (job, instance, service, endpoint, route) (avg_over_time(reachd_probe_last_phase_duration_seconds{%s}[$__range]))"
TIME = "sum by (route) (avg_over_time(reachd_probe_last_phase_duration_seconds{%s}[%s]))"
WITH_PROXY = CHECKS + ',peer="proxy"'
OVER_PROXIES = CHECKS + ',route!="direct"'
DIRECT = 'service=~"$service",endpoint=~"$endpoint",route="direct"'


def proxy_share(window):
    """Of the time that probes take over each route, what goes to the proxy."""
    return f"{TIME % (WITH_PROXY, window)} / ({TIME % (CHECKS, window)} > 0)"


ranking = table(
    "Routes, the best first",
    "By availability within the time range. The share of the proxy is how much of the time goes to its name, its connection, its login and its answer.",
    [
        rows_of(availability(CHECKS, "route"), "A"),
        rows_of(f"count by (route) (group by (service, endpoint, route) (reachd_probe_success{{{CHECKS}}}))", "B"),
        rows_of(f"count by (route) (group by (service, endpoint, route) (reachd_probe_failing{{{CHECKS}}})) or "
                f"count by (route) (reachd_probe_success{{{CHECKS}}}) * 0", "C"),
        rows_of(percentile(0.5, HISTOGRAMS, "route", "$__range"), "D"),
        rows_of(percentile(0.95, HISTOGRAMS, "route", "$__range"), "E"),
        rows_of(proxy_share("$__range"), "F"),
    ],
    columns={"route": "Route", "Value #A": "Availability", "Value #B": "Checks", "Value #C": "Failing now", "Value #D": "50 % within",
             "Value #E": "95 % within", "Value #F": "Proxy's share"},
    joined="route",
    explain="route_only",
    no_value="No probe in this time.",
    sort={"Availability": True},
    overrides=[
        override("Availability", unit="percentunit", decimals=2, thresholds=AVAILABILITY, custom_cellOptions=colored()),
        override("Failing now", thresholds=thresholds(GOOD, (1, WARNING)), custom_cellOptions=colored("text")),
        override("50 % within", unit="s", thresholds=SECONDS),
        override("95 % within", unit="s", thresholds=SECONDS, custom_cellOptions=colored("text")),
        override("Proxy's share", unit="percentunit", decimals=0, noValue="none", thresholds=thresholds("text")),
    ],
)
slower = bars(
    "Slower than direct by",
    "How much longer a probe takes over the route than directly: the mean over the endpoints that are probed both ways. Less than nothing: it is faster. "
    "Probes that fail early make a route look fast: look at the availability first.",
    [now(
        f"avg by (route) ({DURATION % OVER_PROXIES} - on (job, instance, service, endpoint) group_left () {DURATION % DIRECT})",
        "{{route}}",
    )],
    unit="s",
    explain="proxy_slow",
    no_value="No endpoint is probed both directly and over one of these routes.",
    defaults={"thresholds": BETTER_LESS},
)
matrix = table(
    "Endpoints by route",
    "The share of probes of each endpoint that succeeded over each route within the time range. One red column is a route, one red row an endpoint.",
    [rows_of(f'label_join({availability(CHECKS, "service, endpoint, route")}, "check", " · ", "service", "endpoint")')],
    columns={},
    matrix=("check", "route"),
    unit="percentunit",
    explain="route_only",
    no_value="No probe in this time.",
    sort={"Service · endpoint": False},
    defaults={"thresholds": AVAILABILITY, "decimals": 1, "mappings": [NOT_PROBED]},
    custom={"cellOptions": colored()},
    overrides=[override("check\\route", displayName="Service · endpoint", custom_cellOptions={"type": "auto"}, custom_width=320)],
)
success = timeseries(
    "Availability by route",
    "The share of probes that succeeded, over time.",
    [query(availability(CHECKS, "route", "$__rate_interval"), "{{route}}")],
    unit="percentunit",
    explain="proxy_down",
    no_value="No probe in this time.",
    defaults={"max": 1, "thresholds": AVAILABILITY},
)
tail = timeseries(
    "95 % of probes within, by route",
    "How long probes take over each route.",
    [query(percentile(0.95, HISTOGRAMS, "route"), "{{route}}")],
    unit="s",
    explain="proxy_slow",
    no_value="No histograms (metrics.histograms: none), or no probe in this time.",
    defaults={"thresholds": SECONDS},
)
share = timeseries(
    "The proxy's share of the time",
    "How much of a probe goes to the proxy itself: its name, the connection and the TLS session with it, its login, its answer to CONNECT.",
    [query(proxy_share("$__rate_interval"), "{{route}}")],
    unit="percentunit",
    explain="proxy_slow",
    no_value="No proxy among the selected routes.",
    defaults={"max": 1, "thresholds": thresholds(GOOD, (0.5, WARNING))},
)
hop = timeseries(
    "What the proxy takes",
    "Seconds that a probe spends with the proxy, by route: the mean of the selected checks.",
    [query(
        f'sum by (route) (avg_over_time(reachd_probe_last_phase_duration_seconds{{{CHECKS},peer="proxy"}}[$__rate_interval])) '
        f"/ count by (route) (reachd_probe_success{{{CHECKS}}})",
        "{{route}}",
    )],
    unit="s",
    explain="proxy_slow",
    no_value="No proxy among the selected routes.",
    defaults={"thresholds": SECONDS},
)
failures = timeseries(
    "Failed probes by route and phase",
    "How many probes failed in each interval of the graph, by the phase in which they failed and whom it spoke to.",
    [query(f"sum by (route, phase, peer) (increase(reachd_probe_failures_total{{{CHECKS}}}[$__rate_interval])) > 0", "{{route}}: {{phase}} ({{peer}})")],
    unit="short",
    explain="proxy_down",
    bars=True,
    no_value="No probe failed in this time.",
    defaults={"decimals": 0},
)

ROUTES = made(
    "reachd-routes",
    "Direct against each proxy: which way out works, which is slow, and what the proxy costs.",
    placed(
        (6, (16, ranking), (8, slower)),
        (9, (24, mean_durations(CHECKS, repeat="route"))),
        (8, (12, success), (12, tail)),
        (8, (12, hop), (12, share)),
        (11, (12, matrix), (12, failures)),
    ),
)
