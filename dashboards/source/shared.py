"""What the dashboards have in common: who is selected, how phases look, how one leads to another."""

from grafana import BAD, GOOD, NEUTRAL, WARNING, annotation, dashboard, datasource_variable, fixed, label_variable, link, matching, override, plain_link
from grafana import query, text_variable, thresholds, timeseries, words

# The checks that the variables choose.
CHECKS = 'service=~"$service",endpoint=~"$endpoint",route=~"$route"'
# Of series that a service has over a route.
SERVICES = 'service=~"$service",route=~"$route"'
# Of histograms: where they are kept by service (`metrics.histograms: service`), they have no endpoint.
HISTOGRAMS = 'service=~"$service",endpoint=~"($endpoint)|",route=~"$route"'
INSTANCES = 'instance=~"$instance"'

# One check of one reachd. Several may probe the same, so that nothing is joined by less.
CHECK = "job, instance, service, endpoint, route"

# Purple is the proxy's part of the way; the rest is the endpoint's, in the order in which it happens.
PHASE_COLORS = {
    "proxy: dns": "#E9D5F5",
    "proxy: connect": "#CFA8E8",
    "proxy: tls": "#B877D9",
    "proxy: answer": "#8F3BB8",
    "connect": "#3274D9",
    "dns": "#8AB8FF",
    "tls": "#F2CC0C",
    "revocation": "#FF9830",
    "request": "#73BF69",
    "response": "#37872D",
}

# Of failures, whose legend is "phase/reason (peer)".
FAILURE = "{{phase}}/{{reason}} ({{peer}})"
FAILURE_COLORS = [matching(f"^{phase}/", color=fixed(color)) for phase, color in PHASE_COLORS.items() if ":" not in phase] + [
    matching(rf"^{phase}/.*\(proxy\)$", color=fixed(PHASE_COLORS[f"proxy: {phase}"])) for phase in ("dns", "connect", "tls")
] + [matching("^proxy/", color=fixed(PHASE_COLORS["proxy: answer"]))]

OK_OR_FAILS = words({0: ("FAILS", BAD), 1: ("OK", GOOD)})
STATUS = words({0: ("OK", GOOD), 1: ("WARNING", WARNING), 2: ("CRITICAL", BAD)})
YES_OR_NO = {"type": "value", "options": {"true": {"text": "yes", "color": BAD, "index": 0}, "false": {"text": "no", "color": "transparent", "index": 1}}}

AVAILABILITY = thresholds(BAD, (0.95, WARNING), (0.999, GOOD))
DAYS_LEFT = thresholds(BAD, (7, WARNING), (30, GOOD))
SECONDS = thresholds(GOOD, (1, WARNING), (5, BAD))

DASHBOARDS = {
    "reachd-overview": "Overview",
    "reachd-endpoint": "Endpoint",
    "reachd-routes": "Routes compared",
    "reachd-certificates": "Certificates and revocation",
    "reachd-itself": "reachd itself",
}

KEPT = "${datasource:queryparam}&${reachd:queryparam}&${__url_time_range}"

# From a row of a table that has these columns, and from a series that has these labels.
ROW_TO_ENDPOINT = link(
    "This endpoint",
    f"/d/reachd-endpoint?{KEPT}&var-service=${{__data.fields.service}}&var-endpoint=${{__data.fields.endpoint}}&var-route=$__all",
)
SERIES_TO_ENDPOINT = link(
    "This endpoint",
    f"/d/reachd-endpoint?{KEPT}&var-service=${{__field.labels.service}}&var-endpoint=${{__field.labels.endpoint}}&var-route=$__all",
)
SERIES_TO_ROUTES = link("Compare the routes of this service", f"/d/reachd-routes?{KEPT}&var-service=${{__field.labels.service}}")
REASON_TO_RUNBOOK = link("What it means and what to do", "${reachd}/explain/${__data.fields.phase}/${__data.fields.reason}", new_tab=True)
CAUSE_TO_RUNBOOK = link("What it means and what to do", "${reachd}/explain/${__data.fields.cause}", new_tab=True)


def colored(mode="background"):
    return {"type": f"color-{mode}", "mode": "basic"} if mode == "background" else {"type": f"color-{mode}"}


def mean_durations(selected, repeat=None, **more):
    """How long probes take by phase, as areas on top of each other."""
    duration = "avg_over_time(reachd_probe_last_phase_duration_seconds{%s,%s}[$__rate_interval])"
    checks = f"scalar(count(reachd_probe_success{{{selected}}}))"

    def phase(which, legend, ref):
        return query(f"sum by (phase) ({duration % (which, selected)}) / {checks}", legend, ref)

    return timeseries(
        "Time by phase over $route" if repeat else "Time by phase",
        "How long a probe takes, by what it spends the time on: the mean of the selected checks. Purple is the proxy's part. The areas add up to "
        "the whole probe; a phase that was not reached takes no time.",
        [
            phase('peer="proxy"', "proxy: {{phase}}", "A"),
            phase('peer="endpoint",phase=~"dns|connect"', "{{phase}}", "B"),
            phase('peer="endpoint",phase="tls"', "{{phase}}", "C"),
            phase('peer="endpoint",phase="revocation"', "{{phase}}", "D"),
            phase('peer="endpoint",phase=~"request|response"', "{{phase}}", "E"),
        ],
        unit="s",
        stack=True,
        repeat=repeat,
        no_value="No probe over this route in this time.",
        overrides=[override("proxy: proxy", displayName="proxy: answer", color=fixed(PHASE_COLORS["proxy: answer"]))]
        + [override(name, color=fixed(color)) for name, color in PHASE_COLORS.items()],
        defaults={"thresholds": SECONDS},
        **more,
    )


def availability(selected, by, window="$__range"):
    """The share of probes that succeeded; nothing where there was none."""
    grouped = f"sum by ({by})" if by else "sum"
    succeeded = f'{grouped} (increase(reachd_probes_total{{{selected},result="success"}}[{window}]))'
    return f"{succeeded} / ({grouped} (increase(reachd_probes_total{{{selected}}}[{window}])) > 0)"


def percentile(part, selected, by, window="$__rate_interval"):
    """A percentile of how long probes took; nothing where there was none."""
    grouped = ", ".join(["le"] + ([by] if by else []))
    return f"histogram_quantile({part}, sum by ({grouped}) (rate(reachd_probe_duration_seconds_bucket{{{selected}}}[{window}]))) >= 0"


def with_columns(expr, columns, info, on=CHECK):
    """Each series with labels of the info series of the same check and reachd."""
    return f"{expr} * on ({on}) group_left ({columns}) {info}"


def made(uid, description, panels, more_variables=(), **more):
    """A dashboard with what all have: variables, annotations and links to the others."""
    variables = [
        datasource_variable(),
        label_variable("service", "reachd_endpoint_info, service", "Service"),
        label_variable("endpoint", 'reachd_endpoint_info{service=~"$service"}, endpoint', "Endpoint"),
        label_variable("route", 'reachd_endpoint_info{service=~"$service",endpoint=~"$endpoint"}, route', "Route"),
        *more_variables,
        text_variable("reachd", "Runbook", "http://127.0.0.1:9797", "Where reachd serves its pages, for the links to the runbook."),
    ]
    cause = 'max by (cause, subject) (reachd_cause{critical="%s"})'
    annotations = [
        annotation("Critical causes", cause % "true", BAD, "{{cause}}", "{{subject}}"),
        annotation("Other causes", cause % "false", WARNING, "{{cause}}", "{{subject}}", enabled=False),
    ]
    links = [plain_link(name, f"/d/{other}", keep=True) for other, name in DASHBOARDS.items() if other != uid]
    name = DASHBOARDS[uid]
    title = name if name.startswith("reachd") else f"reachd: {name}"
    return dashboard(uid, title, description, panels, variables, annotations, links, **more)
