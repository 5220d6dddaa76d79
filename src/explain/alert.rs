//! The alerts of the Prometheus rules that are delivered with reachd: what it means that one fires, and what to do.
//! A test holds this list and the rules equal.

mod itself;
mod objective;
mod reachability;
mod seen;

use super::Explanation;

/// An alert of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// The label `alertname`.
    pub name: &'static str,
    /// What it means.
    pub explanation: Explanation,
}

/// All of them, in the order of the rules.
pub const ALERTS: &[Alert] = &[
    of("ReachdCause", reachability::CAUSE),
    of("ReachdCriticalEndpointDown", reachability::CRITICAL_DOWN),
    of("ReachdEndpointDown", reachability::DOWN),
    of("ReachdServiceDown", reachability::SERVICE_DOWN),
    of("ReachdServiceDegraded", reachability::SERVICE_DEGRADED),
    of("ReachdErrorBudgetBurnsFast", objective::BURNS_FAST),
    of("ReachdErrorBudgetBurns", objective::BURNS),
    of("ReachdErrorBudgetBurnsSlowly", objective::BURNS_SLOWLY),
    of("ReachdLatencyHigh", objective::LATENCY),
    of("ReachdCertificateExpiresIn30Days", seen::EXPIRES_IN_30_DAYS),
    of("ReachdCertificateExpiresIn7Days", seen::EXPIRES_IN_7_DAYS),
    of("ReachdCertificateExpiresIn1Day", seen::EXPIRES_IN_1_DAY),
    of("ReachdTlsIntercepted", seen::INTERCEPTED),
    of("ReachdRevocationBlocked", seen::REVOCATION_BLOCKED),
    of("ReachdRevocationStale", seen::REVOCATION_STALE),
    of("ReachdHoldCut", seen::HOLD_CUT),
    of("ReachdDown", itself::DOWN),
    of("ReachdAbsent", itself::ABSENT),
    of("ReachdStale", itself::STALE),
    of("ReachdProbesSkipped", itself::PROBES_SKIPPED),
    of("ReachdConfigReloadFailed", itself::RELOAD_FAILED),
    of("ReachdDiscoveryFailing", itself::DISCOVERY_FAILING),
    of("ReachdHistoryNotWritten", itself::HISTORY_NOT_WRITTEN),
];

const fn of(name: &'static str, explanation: Explanation) -> Alert {
    Alert { name, explanation }
}
