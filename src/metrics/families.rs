//! The families of the exposition that speak of checks: name, type, help, and who writes a row.
//! docs/metrics.md explains each; a test compares the two.

use super::histogram::HistogramSet;
use super::published::{CheckRow, ServiceRow};
use super::revocation;
use super::rows;
use super::sources;
use super::text::Lines;
use crate::discovery::SourceStatus;

/// A metric family.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) help: &'static str,
    pub(super) rows: Rows,
}

/// Of what a family has rows, and how one is written. A row may have nothing to say.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    Checks(fn(&mut Lines<'_>, &CheckRow)),
    Histograms(fn(&mut Lines<'_>, &HistogramSet)),
    Services(fn(&mut Lines<'_>, &ServiceRow)),
    Sources(fn(&mut Lines<'_>, &SourceStatus)),
}

/// Every family, in the order of the exposition.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "reachd_probe_success",
        kind: "gauge",
        help: "Whether the latest probe found the endpoint reachable.",
        rows: Rows::Checks(rows::probe_success),
    },
    Family {
        name: "reachd_probes_total",
        kind: "counter",
        help: "Probes that came to a result.",
        rows: Rows::Checks(rows::probes),
    },
    Family {
        name: "reachd_probe_failures_total",
        kind: "counter",
        help: "Probes that failed, by phase, peer and reason.",
        rows: Rows::Checks(rows::probe_failures),
    },
    Family {
        name: "reachd_probe_failing",
        kind: "gauge",
        help: "Present with the value 1 while the latest probe failed, and why.",
        rows: Rows::Checks(rows::probe_failing),
    },
    Family {
        name: "reachd_probe_duration_seconds",
        kind: "histogram",
        help: "How long probes took from start to verdict.",
        rows: Rows::Histograms(rows::probe_duration),
    },
    Family {
        name: "reachd_phase_duration_seconds",
        kind: "histogram",
        help: "How long each phase that was reached took, a failing one included.",
        rows: Rows::Histograms(rows::phase_duration),
    },
    Family {
        name: "reachd_probe_last_phase_duration_seconds",
        kind: "gauge",
        help: "How long each phase that the latest probe reached took.",
        rows: Rows::Checks(rows::last_phase_duration),
    },
    Family {
        name: "reachd_probe_last_run_timestamp_seconds",
        kind: "gauge",
        help: "When the latest probe started.",
        rows: Rows::Checks(rows::last_run),
    },
    Family {
        name: "reachd_probe_interval_seconds",
        kind: "gauge",
        help: "How often the check is to run.",
        rows: Rows::Checks(rows::interval),
    },
    Family {
        name: "reachd_endpoint_info",
        kind: "gauge",
        help: "What is probed and how the first hop leaves.",
        rows: Rows::Checks(rows::endpoint_info),
    },
    Family {
        name: "reachd_http_status_code",
        kind: "gauge",
        help: "The status of the last HTTP answer of the latest probe.",
        rows: Rows::Checks(rows::http_status_code),
    },
    Family {
        name: "reachd_http_redirects",
        kind: "gauge",
        help: "How many redirects the latest probe followed.",
        rows: Rows::Checks(rows::http_redirects),
    },
    Family {
        name: "reachd_tls_info",
        kind: "gauge",
        help: "What the last TLS handshake of the latest probe agreed on.",
        rows: Rows::Checks(rows::tls_info),
    },
    Family {
        name: "reachd_tls_certificate_not_after_timestamp_seconds",
        kind: "gauge",
        help: "When the validity of what was presented to the latest probe ends: of the server certificate, and of the first to end on the way to its root.",
        rows: Rows::Checks(rows::certificate_not_after),
    },
    Family {
        name: "reachd_tls_certificate_info",
        kind: "gauge",
        help: "The server certificate that was presented to the latest probe.",
        rows: Rows::Checks(rows::certificate_info),
    },
    Family {
        name: "reachd_tls_intercepted",
        kind: "gauge",
        help: "Whether the latest probe was presented a certificate that leads to none of the expected roots.",
        rows: Rows::Checks(rows::tls_intercepted),
    },
    Family {
        name: "reachd_revocation_status",
        kind: "gauge",
        help: "Present with the value 1 for what the latest probe found out about revocation, by certificate and method.",
        rows: Rows::Checks(revocation::status),
    },
    Family {
        name: "reachd_crl_next_update_timestamp_seconds",
        kind: "gauge",
        help: "When the next list of revoked certificates is due, of each that the latest probe used.",
        rows: Rows::Checks(revocation::next_update),
    },
    Family {
        name: "reachd_clock_offset_seconds",
        kind: "gauge",
        help: "The endpoint's clock by its Date header minus ours.",
        rows: Rows::Checks(rows::clock_offset),
    },
    Family {
        name: "reachd_hold_seconds",
        kind: "gauge",
        help: "How long the latest connection that was held idle lived.",
        rows: Rows::Checks(rows::hold_seconds),
    },
    Family {
        name: "reachd_hold_success",
        kind: "gauge",
        help: "Whether the latest connection that was held idle lived as long as it must.",
        rows: Rows::Checks(rows::hold_success),
    },
    Family {
        name: "reachd_hold_failing",
        kind: "gauge",
        help: "Present with the value 1 while the latest hold failed, and why.",
        rows: Rows::Checks(rows::hold_failing),
    },
    Family {
        name: "reachd_hold_last_run_timestamp_seconds",
        kind: "gauge",
        help: "When the latest hold started.",
        rows: Rows::Checks(rows::hold_last_run),
    },
    Family {
        name: "reachd_service_status",
        kind: "gauge",
        help: "0 when all endpoints of the service are reachable over the route, 1 when only such as are \
               not critical fail, 2 when a critical one fails.",
        rows: Rows::Services(rows::service_status),
    },
    Family {
        name: "reachd_discovery_up",
        kind: "gauge",
        help: "Whether the source of targets was good when it was last looked at.",
        rows: Rows::Sources(sources::up),
    },
    Family {
        name: "reachd_discovery_targets",
        kind: "gauge",
        help: "How many endpoints the source named when it was last good.",
        rows: Rows::Sources(sources::targets),
    },
    Family {
        name: "reachd_discovery_last_success_timestamp_seconds",
        kind: "gauge",
        help: "When the source of targets was last good.",
        rows: Rows::Sources(sources::last_success),
    },
];
