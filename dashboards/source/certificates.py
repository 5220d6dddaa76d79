"""Which certificate ends first, whether revocation is known, and who looks into the traffic."""

from grafana import BAD, GOOD, WARNING, bars, fixed, now, override, placed, query, rows_of, stat, table, thresholds, timeseries
from shared import CHECK, CHECKS, DAYS_LEFT, OK_OR_FAILS, ROW_TO_ENDPOINT, SERIES_TO_ENDPOINT, colored, made, with_columns
from seen import INTERCEPTED, REVOCATION_COLORS, REVOCATION_STATES

ENDS = "reachd_tls_certificate_not_after_timestamp_seconds"
DAY = 86400
ENDPOINT_AND_ROUTE = {"service": "Service", "endpoint": "Endpoint", "route": "Route"}

first_to_end = stat(
    "First certificate ends in",
    "The days until the first certificate ends, of all that endpoints and proxies present, their issuers' included.",
    [now(f"(min({ENDS}{{{CHECKS}}}) - time()) / {DAY}", "Days")],
    unit="suffix: days",
    explain="certificate_expiring",
    color="background",
    no_value="No TLS",
    defaults={"thresholds": DAYS_LEFT, "decimals": 0},
)
ending = stat(
    "End within 30 days",
    "Endpoints with a certificate that ends within 30 days or has ended, their issuers' included.",
    [now(f"count(min by (service, endpoint) ({ENDS}{{{CHECKS}}}) - time() < {30 * DAY}) or vector(0)", "Endpoints")],
    explain="certificate_expiring",
    color="background",
    defaults={"thresholds": thresholds(GOOD, (1, WARNING))},
)
revoked = stat(
    "Revoked",
    "Endpoints that present a certificate which its issuer has revoked, or whose issuer was.",
    [now(f'count(group by (service, endpoint) (reachd_revocation_status{{{CHECKS},state="revoked"}})) or vector(0)', "Endpoints")],
    explain="tls/revoked",
    color="background",
    defaults={"thresholds": thresholds(GOOD, (1, BAD))},
)
not_known = stat(
    "Revocation not known",
    "Endpoints of which it could not be found out over at least one route whether their certificates were revoked. Windows refuses such a connection where "
    "tenant attach makes it.",
    [now(f'count(group by (service, endpoint) (reachd_revocation_status{{{CHECKS},state=~"unknown|unreachable|invalid|stale"}} '
         f'unless on (job, instance, service, endpoint, route, certificate) reachd_revocation_status{{{CHECKS},state=~"good|revoked"}})) or vector(0)', "Endpoints")],
    explain="revocation_blocked",
    color="background",
    defaults={"thresholds": thresholds(GOOD, (1, WARNING))},
)
inspected = stat(
    "Inspected",
    "Endpoints whose certificate leads to none of the roots that they are known to use: somebody in between inspects TLS.",
    [now(f"count(max by (service, endpoint) (reachd_tls_intercepted{{{CHECKS}}}) == 1) or vector(0)", "Endpoints")],
    explain="tls_inspection",
    color="background",
    defaults={"thresholds": thresholds(GOOD, (1, WARNING))},
)
next_list = stat(
    "Next list due in",
    "Until the first of the lists of revoked certificates in use must be replaced by its successor. Less than nothing: it is late.",
    [now(f"min(reachd_crl_next_update_timestamp_seconds{{{CHECKS}}}) - time()", "Due")],
    unit="s",
    explain="revocation/stale",
    color="background",
    no_value="No list in use",
    defaults={"thresholds": thresholds(BAD, (0, WARNING), (43200, GOOD)), "decimals": 1},
)

leaf_expression = with_columns(
    f'({ENDS}{{{CHECKS},position="leaf",peer="endpoint"}} - time()) / {DAY}', "subject, issuer, root", "reachd_tls_certificate_info", f"{CHECK}, peer"
)
certificates = table(
    "Certificates of endpoints, the first to end above",
    "The server certificate that each endpoint presents, with who issued it and the root that it leads to (empty: it is not trusted). Two rows of one endpoint: "
    "it depends on the route, or the servers take turns.",
    [rows_of(f"min by (service, endpoint, subject, issuer, root) ({leaf_expression})")],
    columns={"service": "Service", "endpoint": "Endpoint", "Value": "Ends in", "subject": "Subject", "issuer": "Issuer", "root": "Root"},
    explain="certificate_expiring",
    no_value="No TLS.",
    sort={"Ends in": False},
    overrides=[
        override("Ends in", unit="suffix: days", decimals=0, thresholds=DAYS_LEFT, custom_cellOptions=colored(), custom_width=110),
        override("Endpoint", links=[ROW_TO_ENDPOINT], custom_width=170),
        override("Service", custom_width=130),
        override("Subject", custom_width=240),
        override("Root", noValue="not trusted"),
    ],
)
chains = bars(
    "First to end on the way to the root",
    "The eight endpoints on whose way to the root a certificate ends first, be it the server's or an issuer's.",
    [now(f'sort(bottomk(8, (min by (service, endpoint) ({ENDS}{{{CHECKS},position="chain",peer="endpoint"}}) - time()) / {DAY}))', "{{endpoint}} ({{service}})")],
    unit="suffix: days",
    explain="certificate_expiring",
    no_value="No TLS.",
    defaults={"thresholds": DAYS_LEFT, "min": 0, "max": 90, "decimals": 0, "links": [SERIES_TO_ENDPOINT]},
)
proxy_expression = with_columns(
    f'({ENDS}{{{CHECKS},position="leaf",peer="proxy"}} - time()) / {DAY}', "subject, issuer", "reachd_tls_certificate_info", f"{CHECK}, peer"
)
of_proxies = table(
    "Certificates of proxies",
    "What proxies present that are spoken to over TLS (`https://`).",
    [rows_of(f"min by (route, subject, issuer) ({proxy_expression})")],
    columns={"route": "Route", "Value": "Ends in", "subject": "Subject", "issuer": "Issuer"},
    explain="certificate_expiring",
    no_value="No proxy is spoken to over TLS, or none answers.",
    overrides=[override("Ends in", unit="suffix: days", decimals=0, thresholds=DAYS_LEFT, custom_cellOptions=colored(), custom_width=110)],
)
interception = table(
    "Who looks into the traffic",
    "Endpoints whose certificate leads to none of the expected roots, with the issuer that they show in place of their own.",
    [rows_of(
        "max by (service, endpoint, route, issuer) ("
        + with_columns(f"(reachd_tls_intercepted{{{CHECKS}}} == 1)", "issuer", 'reachd_tls_certificate_info{peer="endpoint"}')
        + ")"
    )],
    columns=ENDPOINT_AND_ROUTE | {"issuer": "Inspected by"},
    explain="tls_inspection",
    no_value="Nobody, as far as endpoints say which roots are theirs.",
    overrides=[override("Endpoint", links=[ROW_TO_ENDPOINT]), override("Inspected by", custom_cellOptions=colored("text"), color=fixed(WARNING))],
)
states = timeseries(
    "What is known about revocation",
    "In how many ways (a certificate of a check, by one method) which state was found.",
    [query(f"count by (state) (max by (service, endpoint, route, certificate, method, state) (reachd_revocation_status{{{CHECKS}}}))", "{{state}}")],
    unit="short",
    explain="revocation_blocked",
    stack=True,
    no_value="Revocation is not looked at.",
    defaults={"decimals": 0},
    overrides=[override(name, color=fixed(color)) for name, color in REVOCATION_COLORS.items()],
)
trouble = table(
    "Where revocation is not known",
    "What is neither good nor simply not offered, for each certificate: the server's (leaf) or an issuer's (intermediate).",
    [rows_of(f'max by (service, endpoint, route, certificate, method, state) (reachd_revocation_status{{{CHECKS},state!~"good|not_offered"}})')],
    columns=ENDPOINT_AND_ROUTE | {"certificate": "Certificate", "method": "Method", "state": "State"},
    explain="revocation_blocked",
    no_value="It is known of every certificate that names a way to find it out.",
    overrides=[override("State", mappings=[REVOCATION_STATES], custom_cellOptions=colored(), custom_width=120), override("Endpoint", links=[ROW_TO_ENDPOINT])],
)
lists = table(
    "Lists of revoked certificates",
    "When the successor of each list is due. One that is late makes what depends on it not known.",
    [rows_of(f"min by (url) (reachd_crl_next_update_timestamp_seconds{{{CHECKS}}}) - time()")],
    columns={"url": "List", "Value": "Next due in"},
    explain="revocation/stale",
    no_value="No list in use.",
    sort={"Next due in": False},
    overrides=[override("Next due in", unit="s", decimals=1, thresholds=thresholds(BAD, (0, WARNING), (43200, GOOD)), custom_cellOptions=colored(), custom_width=140)],
)
hosts = table(
    "Hosts that revocation needs",
    "Lists, responders and issuers' certificates that the certificates name, probed past all caches: what fails here breaks services when the caches run out.",
    [rows_of("min by (service, endpoint, route) (reachd_probe_success{%s} and on (%s) reachd_endpoint_info{origin=\"certificate\"})" % (CHECKS, CHECK))],
    columns=ENDPOINT_AND_ROUTE | {"Value": "Now"},
    explain="revocation_blocked",
    no_value="No certificate names any, or revocation.derived_interval is off.",
    sort={"Now": False},
    overrides=[override("Now", mappings=[OK_OR_FAILS], thresholds=thresholds(BAD, (1, GOOD)), custom_cellOptions=colored(), custom_width=90),
               override("Endpoint", links=[ROW_TO_ENDPOINT])],
)
versions = bars(
    "TLS versions and ciphers",
    "How many checks agreed on which, with their endpoint.",
    [now(f'count by (version, cipher) (group by (service, endpoint, route, version, cipher) (reachd_tls_info{{{CHECKS},peer="endpoint"}}))', "{{version}} {{cipher}}")],
    unit="short",
    explain="tls/protocol_version",
    no_value="No TLS.",
    defaults={"thresholds": thresholds("blue"), "min": 0},
)
roots = table(
    "Roots that the catalog's endpoints need",
    "Whether each trust store in use has them.",
    [rows_of("max by (root, store, state) (reachd_trust_store_root)")],
    columns={"root": "Root", "store": "Trust store", "state": "State"},
    explain="trust_store",
    no_value="No endpoint of the catalog is probed whose roots are known.",
    sort={"State": False},
    overrides=[override("State", custom_cellOptions=colored(), custom_width=130, mappings=[{"type": "value", "options": {
        "present": {"text": "present", "color": GOOD, "index": 0},
        "missing": {"text": "missing", "color": BAD, "index": 1},
        "expired": {"text": "expired", "color": BAD, "index": 2},
        "not_yet_valid": {"text": "not yet valid", "color": WARNING, "index": 3},
    }}])],
)

CERTIFICATES = made(
    "reachd-certificates",
    "Which certificate ends first, whether revocation is known, and who looks into the traffic.",
    placed(
        (4, (4, first_to_end), (4, ending), (4, revoked), (4, not_known), (4, next_list), (4, inspected)),
        (9, (16, certificates), (8, chains)),
        (5, (12, interception), (12, of_proxies)),
        ("Revocation",),
        (8, (10, states), (14, trouble)),
        (8, (10, lists), (14, hosts)),
        ("Handshakes and trust",),
        (6, (12, versions), (12, roots)),
    ),
    refresh="1m",
)
