"""Whether reachd itself is well: does it probe, on time, with which configuration."""

from grafana import BAD, GOOD, NEUTRAL, WARNING, bars, fixed, label_variable, now, override, placed, query, rows_of, stat, table, thresholds, timeseries, words
from shared import CHECKS, INSTANCES, colored, made

UP = words({0: ("BROKEN", BAD), 1: ("OK", GOOD)})
OF_CHECKS = f"{CHECKS},{INSTANCES}"

running = stat(
    "Running",
    "How many reachd are scraped.",
    [now(f"count(reachd_build_info{{{INSTANCES}}}) or vector(0)", "reachd")],
    color="background",
    defaults={"thresholds": thresholds(BAD, (1, GOOD))},
)
checks = stat(
    "Checks",
    "Endpoints over routes, of all plans in force.",
    [now(f"sum(reachd_checks{{{INSTANCES}}})", "Checks")],
    no_value="Not scraped",
    defaults={"thresholds": thresholds(NEUTRAL)},
)
configuration = stat(
    "Configuration",
    "Whether the last attempt to load the configuration succeeded, everywhere. REFUSED: an older one stays in force, and the log says what is wrong.",
    [now(f"min(reachd_config_last_reload_successful{{{INSTANCES}}})", "Configuration")],
    color="background",
    no_value="Not scraped",
    defaults={"mappings": [words({0: ("REFUSED", BAD), 1: ("OK", GOOD)})], "thresholds": thresholds(BAD, (1, GOOD))},
)
stale = stat(
    "Oldest probe",
    "How long ago the check was probed that waits longest.",
    [now(f"time() - min(reachd_probe_last_run_timestamp_seconds{{{OF_CHECKS}}})", "Oldest")],
    unit="s",
    color="background",
    no_value="No probe yet",
    defaults={"thresholds": thresholds(GOOD, (300, WARNING), (900, BAD)), "decimals": 0},
)
skipped_now = stat(
    "Skipped",
    "Turns of probes and holds within the time range that passed because the one before was still under way.",
    [now(f"sum(increase(reachd_probes_skipped_total{{{INSTANCES}}}[$__range])) + sum(increase(reachd_holds_skipped_total{{{INSTANCES}}}[$__range]))", "Skipped")],
    no_value="Not scraped",
    color="background",
    defaults={"thresholds": thresholds(GOOD, (1, WARNING)), "decimals": 0},
)
faults = stat(
    "Own faults",
    "Probes and holds within the time range that a fault of reachd itself ended. The log says which; please report it.",
    [now(f"sum(increase(reachd_probe_panics_total{{{INSTANCES}}}[$__range]))", "Faults")],
    no_value="Not scraped",
    color="background",
    defaults={"thresholds": thresholds(GOOD, (1, BAD)), "decimals": 0},
)

instances = table(
    "Every reachd",
    "What runs where, for how long, and since when its configuration is in force.",
    [
        rows_of(f"max by (instance, version) (reachd_build_info{{{INSTANCES}}})", "A"),
        rows_of(f"max by (instance) (reachd_checks{{{INSTANCES}}})", "B"),
        rows_of(f"min by (instance) (reachd_config_last_reload_successful{{{INSTANCES}}})", "C"),
        rows_of(f"time() - max by (instance) (reachd_config_last_reload_success_timestamp_seconds{{{INSTANCES}}})", "D"),
        rows_of(f"time() - max by (instance) (process_start_time_seconds{{{INSTANCES}}} and on (job, instance) reachd_build_info)", "E"),
        rows_of(f"min by (instance) (reachd_history_store_up{{{INSTANCES}}})", "F"),
    ],
    columns={"instance": "Instance", "version": "Version", "Value #B": "Checks", "Value #C": "Configuration", "Value #D": "Loaded before",
             "Value #E": "Running for", "Value #F": "History on disk"},
    joined="instance",
    no_value="No reachd is scraped.",
    overrides=[
        override("Configuration", mappings=[words({0: ("REFUSED", BAD), 1: ("OK", GOOD)})], thresholds=thresholds(BAD, (1, GOOD)), custom_cellOptions=colored()),
        override("Loaded before", unit="s", decimals=0, thresholds=thresholds(NEUTRAL)),
        override("Running for", unit="s", decimals=0, thresholds=thresholds(NEUTRAL)),
        override("History on disk", mappings=[UP], noValue="not kept", thresholds=thresholds(BAD, (1, GOOD)), custom_cellOptions=colored("text")),
    ],
)
rate = timeseries(
    "Probes",
    "Probes that came to a result, each second.",
    [query(f"sum by (result) (rate(reachd_probes_total{{{OF_CHECKS}}}[$__rate_interval]))", "{{result}}")],
    unit="suffix:/s",
    stack=True,
    no_value="No probe in this time.",
    overrides=[override("success", color=fixed(GOOD)), override("failure", color=fixed(BAD))],
)
flight = timeseries(
    "Probes under way",
    "At most `global.concurrency` of them. A line that stays high means that probes wait for each other.",
    [query(f"sum by (instance) (reachd_probes_in_flight{{{INSTANCES}}})", "{{instance}}")],
    unit="short",
    fill=10,
    no_value="Not scraped.",
)
lag = timeseries(
    "How late probes start",
    "How much later than their turn. More than a second: the machine is too small, or too many probes wait for slow peers.",
    [
        query(f"histogram_quantile(0.99, sum by (le) (rate(reachd_scheduler_lag_seconds_bucket{{{INSTANCES}}}[$__rate_interval]))) >= 0", "99 %", "A"),
        query(f"histogram_quantile(0.5, sum by (le) (rate(reachd_scheduler_lag_seconds_bucket{{{INSTANCES}}}[$__rate_interval]))) >= 0", "50 %", "B"),
    ],
    unit="s",
    no_value="No probe in this time.",
    defaults={"thresholds": thresholds(GOOD, (1, WARNING))},
    overrides=[override("99 %", color=fixed("#1F60C4")), override("50 %", color=fixed("#8AB8FF"))],
)
skipped = timeseries(
    "Skipped turns",
    "Turns each second that passed because the probe or hold before was still under way or waiting.",
    [
        query(f"sum(rate(reachd_probes_skipped_total{{{INSTANCES}}}[$__rate_interval]))", "probes", "A"),
        query(f"sum(rate(reachd_holds_skipped_total{{{INSTANCES}}}[$__rate_interval]))", "holds", "B"),
    ],
    unit="suffix:/s",
    no_value="Not scraped.",
    defaults={"thresholds": thresholds(GOOD, (0.001, WARNING))},
    custom={"axisSoftMax": 0.1},
)
processor = timeseries(
    "Processor",
    "Of one processor, user and system together, the mean of five minutes: the process tells whole seconds only.",
    [query(f"rate(process_cpu_seconds_total{{{INSTANCES}}}[5m]) and on (job, instance) reachd_build_info", "{{instance}}")],
    unit="percentunit",
    fill=10,
    no_value="Not known: on Linux only.",
)
memory = timeseries(
    "Memory",
    "Memory in use (resident). It grows with the number of checks, and with the lists of revoked certificates that are kept.",
    [query(f"process_resident_memory_bytes{{{INSTANCES}}} and on (job, instance) reachd_build_info", "{{instance}}")],
    unit="bytes",
    fill=10,
    no_value="Not known: on Linux only.",
)
files = timeseries(
    "Open files",
    "Of those that may be open at once (`ulimit -n`): each probe under way needs a few.",
    [query(f"process_open_fds{{{INSTANCES}}} / (process_max_fds > 0) and on (job, instance) reachd_build_info", "{{instance}}")],
    unit="percentunit",
    fill=10,
    no_value="Not known: on Linux only.",
    defaults={"thresholds": thresholds(GOOD, (0.5, WARNING), (0.8, BAD))},
)
plan = bars(
    "Checks by service and route",
    "How many checks each service has over each route, of all plans in force.",
    [now(f"sort_desc(count by (service, route) (reachd_endpoint_info{{{OF_CHECKS}}}))", "{{service}} · {{route}}")],
    unit="short",
    no_value="Nothing is planned.",
    defaults={"thresholds": thresholds("blue"), "min": 0},
)
origins = bars(
    "Checks by origin",
    "Who named the endpoints: the configuration, the catalog, certificates, redirects, or a source of targets.",
    [now(f"sort_desc(count by (origin) (reachd_endpoint_info{{{OF_CHECKS}}}))", "{{origin}}")],
    unit="short",
    no_value="Nothing is planned.",
    defaults={"thresholds": thresholds("blue"), "min": 0},
)
sources = table(
    "Sources of targets",
    "Whether each source was good when it was last looked at. A broken one keeps what it named before in the plan.",
    [
        rows_of(f"min by (source) (reachd_discovery_up{{{INSTANCES}}})", "A"),
        rows_of(f"max by (source) (reachd_discovery_targets{{{INSTANCES}}})", "B"),
        rows_of(f"time() - min by (source) (reachd_discovery_last_success_timestamp_seconds{{{INSTANCES}}})", "C"),
    ],
    columns={"source": "Source", "Value #A": "State", "Value #B": "Targets", "Value #C": "Last good before"},
    joined="source",
    no_value="No discovery is configured.",
    overrides=[
        override("State", mappings=[UP], thresholds=thresholds(BAD, (1, GOOD)), custom_cellOptions=colored(), custom_width=110),
        override("Targets", custom_width=100, thresholds=thresholds(NEUTRAL)),
        override("Last good before", unit="s", decimals=0, thresholds=thresholds(NEUTRAL), custom_width=160),
    ],
)

ITSELF = made(
    "reachd-itself",
    "Whether reachd itself is well: does it probe, on time, and with which configuration.",
    placed(
        (4, (4, running), (4, checks), (4, configuration), (4, stale), (4, skipped_now), (4, faults)),
        (5, (24, instances)),
        (8, (8, rate), (8, flight), (8, lag)),
        (8, (8, processor), (8, memory), (8, files)),
        (9, (8, plan), (8, origins), (8, skipped)),
        (5, (24, sources)),
    ),
    more_variables=[label_variable("instance", "reachd_build_info, instance", "Instance")],
)
