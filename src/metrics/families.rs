//! The families of the exposition that speak of checks: name, type, help, and who tells a row, in whichever format.
//! docs/metrics.md explains each; a test compares the two.

use super::histogram::HistogramSet;
use super::published::{CheckRow, ServiceRow};
use super::revocation;
use super::rows;
use super::sample::{Head, Kind, Samples};
use super::sources;
use crate::discovery::SourceStatus;

/// A metric family.
pub(super) struct Family {
    pub(super) head: Head<'static>,
    pub(super) rows: Rows,
}

/// Of what a family has rows, and how one is written. A row may have nothing to say.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    Checks(fn(&mut Samples<'_>, &CheckRow)),
    Histograms(fn(&mut Samples<'_>, &HistogramSet)),
    Services(fn(&mut Samples<'_>, &ServiceRow)),
    Sources(fn(&mut Samples<'_>, &SourceStatus)),
}

/// Every family, in the order of the exposition.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        head: Head {
            name: "reachd_probe_success",
            kind: Kind::Gauge,
            help: "Whether the latest probe found the endpoint reachable.",
        },
        rows: Rows::Checks(rows::probe_success),
    },
    Family {
        head: Head {
            name: "reachd_probes_total",
            kind: Kind::Counter,
            help: "Probes that came to a result.",
        },
        rows: Rows::Checks(rows::probes),
    },
    Family {
        head: Head {
            name: "reachd_probe_failures_total",
            kind: Kind::Counter,
            help: "Probes that failed, by phase, peer and reason.",
        },
        rows: Rows::Checks(rows::probe_failures),
    },
    Family {
        head: Head {
            name: "reachd_probe_failing",
            kind: Kind::Gauge,
            help: "Present with the value 1 while the latest probe failed, and why.",
        },
        rows: Rows::Checks(rows::probe_failing),
    },
    Family {
        head: Head {
            name: "reachd_probe_duration_seconds",
            kind: Kind::Histogram,
            help: "How long probes took from start to verdict.",
        },
        rows: Rows::Histograms(rows::probe_duration),
    },
    Family {
        head: Head {
            name: "reachd_phase_duration_seconds",
            kind: Kind::Histogram,
            help: "How long each phase that was reached took, a failing one included.",
        },
        rows: Rows::Histograms(rows::phase_duration),
    },
    Family {
        head: Head {
            name: "reachd_probe_last_phase_duration_seconds",
            kind: Kind::Gauge,
            help: "How long each phase that the latest probe reached took.",
        },
        rows: Rows::Checks(rows::last_phase_duration),
    },
    Family {
        head: Head {
            name: "reachd_probe_last_run_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When the latest probe started.",
        },
        rows: Rows::Checks(rows::last_run),
    },
    Family {
        head: Head {
            name: "reachd_probe_interval_seconds",
            kind: Kind::Gauge,
            help: "How often the check is to run.",
        },
        rows: Rows::Checks(rows::interval),
    },
    Family {
        head: Head {
            name: "reachd_endpoint_info",
            kind: Kind::Gauge,
            help: "What is probed and how the first hop leaves.",
        },
        rows: Rows::Checks(rows::endpoint_info),
    },
    Family {
        head: Head {
            name: "reachd_http_status_code",
            kind: Kind::Gauge,
            help: "The status of the last HTTP answer of the latest probe.",
        },
        rows: Rows::Checks(rows::http_status_code),
    },
    Family {
        head: Head {
            name: "reachd_http_redirects",
            kind: Kind::Gauge,
            help: "How many redirects the latest probe followed.",
        },
        rows: Rows::Checks(rows::http_redirects),
    },
    Family {
        head: Head {
            name: "reachd_tls_info",
            kind: Kind::Gauge,
            help: "What the last TLS handshake of the latest probe agreed on.",
        },
        rows: Rows::Checks(rows::tls_info),
    },
    Family {
        head: Head {
            name: "reachd_tls_certificate_not_after_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When the validity of what was presented to the latest probe ends: of the server certificate, and of the first to end on the way to its root.",
        },
        rows: Rows::Checks(rows::certificate_not_after),
    },
    Family {
        head: Head {
            name: "reachd_tls_certificate_info",
            kind: Kind::Gauge,
            help: "The server certificate that was presented to the latest probe.",
        },
        rows: Rows::Checks(rows::certificate_info),
    },
    Family {
        head: Head {
            name: "reachd_tls_intercepted",
            kind: Kind::Gauge,
            help: "Whether the latest probe was presented a certificate that leads to none of the expected roots.",
        },
        rows: Rows::Checks(rows::tls_intercepted),
    },
    Family {
        head: Head {
            name: "reachd_revocation_status",
            kind: Kind::Gauge,
            help: "Present with the value 1 for what the latest probe found out about revocation, by certificate and method.",
        },
        rows: Rows::Checks(revocation::status),
    },
    Family {
        head: Head {
            name: "reachd_crl_next_update_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When the next list of revoked certificates is due, of each that the latest probe used.",
        },
        rows: Rows::Checks(revocation::next_update),
    },
    Family {
        head: Head {
            name: "reachd_clock_offset_seconds",
            kind: Kind::Gauge,
            help: "The endpoint's clock by its Date header minus ours.",
        },
        rows: Rows::Checks(rows::clock_offset),
    },
    Family {
        head: Head {
            name: "reachd_hold_seconds",
            kind: Kind::Gauge,
            help: "How long the latest connection that was held idle lived.",
        },
        rows: Rows::Checks(rows::hold_seconds),
    },
    Family {
        head: Head {
            name: "reachd_hold_success",
            kind: Kind::Gauge,
            help: "Whether the latest connection that was held idle lived as long as it must.",
        },
        rows: Rows::Checks(rows::hold_success),
    },
    Family {
        head: Head {
            name: "reachd_hold_failing",
            kind: Kind::Gauge,
            help: "Present with the value 1 while the latest hold failed, and why.",
        },
        rows: Rows::Checks(rows::hold_failing),
    },
    Family {
        head: Head {
            name: "reachd_hold_last_run_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When the latest hold started.",
        },
        rows: Rows::Checks(rows::hold_last_run),
    },
    Family {
        head: Head {
            name: "reachd_service_status",
            kind: Kind::Gauge,
            help: "0 when all endpoints of the service are reachable over the route, 1 when only such as are \
               not critical fail, 2 when a critical one fails.",
        },
        rows: Rows::Services(rows::service_status),
    },
    Family {
        head: Head {
            name: "reachd_discovery_up",
            kind: Kind::Gauge,
            help: "Whether the source of targets was good when it was last looked at.",
        },
        rows: Rows::Sources(sources::up),
    },
    Family {
        head: Head {
            name: "reachd_discovery_targets",
            kind: Kind::Gauge,
            help: "How many endpoints the source named when it was last good.",
        },
        rows: Rows::Sources(sources::targets),
    },
    Family {
        head: Head {
            name: "reachd_discovery_last_success_timestamp_seconds",
            kind: Kind::Gauge,
            help: "When the source of targets was last good.",
        },
        rows: Rows::Sources(sources::last_success),
    },
];
