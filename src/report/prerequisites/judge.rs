//! How each thing that reachd verifies stands: what was found in, a state with its grounds and advice out.

mod chain;
mod checks;

use self::checks::of_checks;
use super::{Evidence, State};
use crate::catalog::{ADMINISTRATION_SERVICE, Subject, TENANT_ATTACH};
use crate::endpoint::Origin;
use crate::outcome::{Outcome, Phase, RootState};
use crate::plan::Check;
use crate::report::{HoldResult, of_trust_store};

/// A clock that is so many seconds off is right: the header counts whole ones, and answers take their time.
const CLOCK_IS_RIGHT: f64 = 30.0;

/// Kerberos refuses what is more off (RFC 4120 §1.3: 5 minutes, typically).
const CLOCK_IS_REFUSED: f64 = 300.0;

/// How one prerequisite stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judgement {
    pub(super) state: State,
    pub(super) seen: Vec<String>,
    pub(super) what_to_do: Vec<String>,
}

pub(super) fn judge(
    subject: Subject,
    remedy: &[String],
    roots: &[String],
    evidence: Evidence<'_>,
) -> Judgement {
    // The trust store is there without any probe.
    if subject == Subject::TrustStore {
        return trust_store(roots, evidence).with_remedy(remedy);
    }
    if !evidence.probed {
        let how = format!("`{}` verifies it.", evidence.command);
        return Judgement::not_verified(
            vec!["not verified now: nothing was probed".to_owned()],
            vec![how],
        );
    }
    let judgement = match subject {
        Subject::Endpoints => {
            of_checks(evidence, is_plain_endpoint, nothing_required).with_not_probed(evidence)
        }
        Subject::Gateway => of_checks(evidence, is_gateway, || no_gateway(evidence)),
        Subject::RevocationHosts => of_checks(evidence, is_revocation_host, nothing_required),
        Subject::AdministrationService => administration_service(evidence),
        Subject::TlsInspection => chain::inspection(evidence),
        Subject::RevocationOfTheGateway => chain::revocation(evidence),
        Subject::ProxyIdleTime => idle_time(evidence),
        Subject::Clock => clock(evidence),
        Subject::TrustStore => trust_store(roots, evidence),
    };
    judgement.with_remedy(remedy)
}

// === which checks are meant ===

/// Of the catalog, or of what its endpoints lead to: what others named says nothing of what is required.
fn is_of(check: &Check, feature: &str) -> bool {
    let endpoint = &check.endpoint;
    let is_required = matches!(
        endpoint.origin,
        Origin::Catalog | Origin::Certificate | Origin::Redirect
    );
    is_required && endpoint.service == feature
}

fn is_of_tenant_attach(check: &Check) -> bool {
    is_of(check, TENANT_ATTACH)
}

fn is_revocation_host(check: &Check) -> bool {
    is_of_tenant_attach(check) && check.endpoint.serves_revocation
}

fn is_own(check: &Check) -> bool {
    is_of_tenant_attach(check) && !check.endpoint.serves_revocation
}

/// A stand-in that is critical is that of the tenant's own region: the catalog makes only `gateway_host` so, and an
/// override any other one.
fn is_gateway(check: &Check) -> bool {
    is_own(check) && check.endpoint.critical && check.endpoint.stands_in_for.is_some()
}

fn is_plain_endpoint(check: &Check) -> bool {
    is_own(check) && !is_gateway(check)
}

fn is_administration_service(check: &Check) -> bool {
    is_of(check, ADMINISTRATION_SERVICE)
}

// === where there is nothing to judge by ===

fn nothing_required() -> Judgement {
    Judgement::not_verified(
        vec!["nothing of it was probed: the configuration leaves all of it out".to_owned()],
        vec!["Look at catalog.overrides, and at `reachd config check`.".to_owned()],
    )
}

fn no_gateway(evidence: Evidence<'_>) -> Judgement {
    let others = evidence
        .results
        .iter()
        .filter(|(check, _)| is_own(check) && check.endpoint.stands_in_for.is_some());
    let mut seen =
        vec!["which host it is is not known: catalog.variables.gateway_host is not set".to_owned()];
    if others.count() > 0 {
        seen.push(
            "hosts that stand in for its wildcard were probed with the other endpoints".to_owned(),
        );
    }
    Judgement::not_verified(
        seen,
        vec![
            "Look into GenericUploadWorker.log on the service connection point for \"Creating web request to\", and set \
             catalog.variables.gateway_host to that host."
                .to_owned(),
        ],
    )
}

// === subjects of their own ===

fn administration_service(evidence: Evidence<'_>) -> Judgement {
    let nothing = || {
        Judgement::not_verified(
            vec!["not probed: catalog.variables.sms_provider is not set".to_owned()],
            vec!["Set catalog.variables.sms_provider to the full name of the server with the SMS Provider.".to_owned()],
        )
    };
    let mut judgement = of_checks(evidence, is_administration_service, nothing);
    let asks_for_login = evidence.results.iter().any(|(check, outcome)| {
        is_administration_service(check)
            && outcome.result.is_ok()
            && outcome
                .observed
                .http
                .as_ref()
                .is_some_and(|http| http.status == 401)
    });
    if asks_for_login {
        judgement.seen.push(
            "it answers 401: it is there and asks for a login; whether it carries out queries was not tried".to_owned(),
        );
    }
    judgement
}

fn trust_store(required: &[String], evidence: Evidence<'_>) -> Judgement {
    let roots = evidence.trust_store;
    let mut lines = of_trust_store(roots);
    if lines.is_empty() {
        return Judgement::not_verified(
            vec!["no endpoint that is planned says which roots it needs".to_owned()],
            vec!["Let the configuration take tenant-attach from the catalog.".to_owned()],
        );
    }
    let mut faulty = roots.iter().filter(|root| root.state != RootState::Present);
    let state = match (
        faulty.clone().count(),
        faulty.any(|root| required.contains(&root.root)),
    ) {
        (0, _) => State::Met,
        (_, true) => State::NotMet,
        (_, false) => State::Warning,
    };
    // What it advises is advice, too.
    let (advice, seen) = lines
        .drain(..)
        .partition(|line: &String| line.starts_with("Install what is missing"));
    Judgement {
        state,
        seen,
        what_to_do: advice,
    }
}

fn idle_time(evidence: Evidence<'_>) -> Judgement {
    let held: Vec<_> = evidence
        .holds
        .iter()
        .filter(|(check, _)| is_own(check))
        .collect();
    if held.is_empty() && evidence.not_held > 0 {
        return Judgement::not_verified(
            vec![format!(
                "not verified now: {} not held, for that takes 3 minutes",
                if evidence.not_held == 1 {
                    "1 idle connection was".to_owned()
                } else {
                    format!("{} idle connections were", evidence.not_held)
                }
            )],
            vec![format!("`{} --hold` holds them.", evidence.command)],
        );
    }
    if held.is_empty() {
        return Judgement::not_verified(
            vec!["no endpoint that was probed has an idle connection to hold".to_owned()],
            vec![
                "Set catalog.variables.gateway_host, or take `hold: none` out of catalog.overrides."
                    .to_owned(),
            ],
        );
    }
    let state_of = |outcome: &crate::outcome::HoldOutcome| match &outcome.result {
        Ok(()) => State::Met,
        Err(failure) if failure.phase() == Phase::Hold => State::NotMet,
        // It was never opened, which says nothing of how long it would live.
        Err(_) => State::NotVerified,
    };
    let states = held.iter().map(|(_, outcome)| state_of(outcome));
    let seen = held.iter().filter_map(|(check, outcome)| {
        let words = HoldResult::new(check, outcome)?.words();
        let (endpoint, route) = (&check.endpoint.name, &check.route.name);
        Some(format!("{endpoint} over {route}: {words}"))
    });
    Judgement {
        state: states.max().unwrap_or(State::NotVerified),
        seen: seen.collect(),
        what_to_do: Vec::new(),
    }
}

fn clock(evidence: Evidence<'_>) -> Judgement {
    let offset =
        |(_, outcome): &(_, std::sync::Arc<Outcome>)| outcome.observed.clock_offset_seconds;
    let mut offsets: Vec<f64> = evidence.results.iter().filter_map(offset).collect();
    offsets.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (offsets.first(), offsets.last()) else {
        return Judgement::not_verified(
            vec!["no answer with a Date header came".to_owned()],
            vec!["Mend the way to the endpoints first.".to_owned()],
        );
    };
    // One host or cache that is wrong does not make all the others wrong.
    let median = offsets[offsets.len() / 2];
    let state = match median.abs() {
        ..=CLOCK_IS_RIGHT => State::Met,
        ..=CLOCK_IS_REFUSED => State::Warning,
        _ => State::NotMet,
    };
    let seen = format!(
        "{} answers: their clocks minus this one are {median:.1} s in the median (from {least:.1} s to {most:.1} s)",
        offsets.len()
    );
    Judgement {
        state,
        seen: vec![seen],
        what_to_do: Vec::new(),
    }
}

// === impl Judgement ===

impl Judgement {
    /// Nobody looked, or there was nothing to see.
    pub(super) fn not_verified(seen: Vec<String>, what_to_do: Vec<String>) -> Self {
        Self {
            state: State::NotVerified,
            seen,
            what_to_do,
        }
    }

    /// What the data file advises goes before what this run suggests.
    fn with_remedy(mut self, remedy: &[String]) -> Self {
        match self.state {
            State::Met => self.what_to_do.clear(),
            State::NotVerified => {}
            State::Warning | State::NotMet => {
                let suggested = std::mem::take(&mut self.what_to_do);
                self.what_to_do = remedy.to_vec();
                self.what_to_do.extend(suggested);
            }
        }
        self
    }

    /// Names what is required and was not probed.
    fn with_not_probed(mut self, evidence: Evidence<'_>) -> Self {
        let left_out = evidence.not_probed.iter();
        let left_out = left_out.filter(|entry| entry.service == TENANT_ATTACH);
        for entry in left_out.filter(|entry| entry.endpoint != "<gateway_host>") {
            self.seen
                .push(format!("not probed: {}: {}", entry.endpoint, entry.why));
        }
        self
    }
}
