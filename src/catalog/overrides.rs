//! What the configuration sets apart for single endpoints, found by name or host; and the wildcards that
//! are left without anybody to stand in for them.

use std::collections::BTreeMap;

use super::feature::{Entry, Kind};
use super::{NotProbed, Selected, did_you_mean};
use crate::config::{Located, Overrides, Problem};

/// Gives each endpoint what is written for its name and, below that, for its host. A key that is the name
/// of an endpoint is meant for that one only, even if others share its host.
pub(super) fn attach(
    written: &BTreeMap<String, Located<Overrides>>,
    selected: &mut Selected,
    problems: &mut Vec<Problem>,
) {
    let names: Vec<String> = selected
        .endpoints
        .iter()
        .map(|(endpoint, _)| endpoint.name.clone())
        .collect();
    let hosts: Vec<String> = selected
        .endpoints
        .iter()
        .map(|(endpoint, _)| endpoint.target.host())
        .collect();

    for (key, overrides) in written {
        if !names.contains(key) && !hosts.contains(key) {
            problems.push(unmatched(key, overrides, &names, &selected.not_probed));
        }
    }
    for ((endpoint, overrides), host) in selected.endpoints.iter_mut().zip(&hosts) {
        let of_name = written.get(&endpoint.name);
        let of_host = written.get(host).filter(|_| !names.contains(host));
        let of_catalog = std::mem::take(overrides);
        let settings = [of_name, of_host].into_iter().flatten();
        *overrides = settings
            .map(|written| &written.value)
            .chain([&of_catalog])
            .fold(Overrides::default(), specific_over_general);
    }
}

/// Adds the wildcards of which no host is probed.
pub(super) fn tell_uncovered<'a>(
    required: impl Iterator<Item = &'a Entry>,
    service: &str,
    selected: &mut Selected,
) {
    for wildcard in required.filter(|entry| entry.kind == Kind::Wildcard) {
        let is_represented = selected.endpoints.iter().any(|(endpoint, overrides)| {
            endpoint.service == service
                && endpoint.stands_in_for.as_deref() == Some(wildcard.name())
                && overrides.enabled != Some(false)
        });
        if !is_represented {
            selected.not_probed.push(NotProbed {
                service: service.to_owned(),
                endpoint: wildcard.name().to_owned(),
                why: unrepresented(wildcard),
            });
        }
    }
}

fn unrepresented(wildcard: &Entry) -> String {
    let why = wildcard.not_probed.as_deref();
    let why = why.unwrap_or("no host that stands in for it is probed");
    format!("a wildcard names no host to connect to, and {why}; add one under endpoints")
}

fn specific_over_general(specific: Overrides, general: &Overrides) -> Overrides {
    let Overrides {
        enabled,
        critical,
        routes,
        interval,
        timeout,
        retry,
        inspection,
        hold,
        revocation,
        credentials,
        tls,
        pins,
    } = specific;
    Overrides {
        enabled: enabled.or(general.enabled),
        critical: critical.or(general.critical),
        routes: routes.or_else(|| general.routes.clone()),
        interval: interval.or(general.interval),
        timeout: timeout.or(general.timeout),
        retry: retry.or(general.retry),
        inspection: inspection.or(general.inspection),
        hold: hold.or(general.hold),
        revocation: revocation.or_else(|| general.revocation.clone()),
        credentials: credentials.or_else(|| general.credentials.clone()),
        tls: tls.or_else(|| general.tls.clone()),
        pins: pins.or_else(|| general.pins.clone()),
    }
}

fn unmatched(
    key: &str,
    written: &Located<Overrides>,
    names: &[String],
    not_probed: &[NotProbed],
) -> Problem {
    let (message, hint) = match not_probed.iter().find(|missing| missing.endpoint == key) {
        Some(missing) => (
            format!("\"{key}\" is not probed, so there is nothing to override"),
            missing.why.clone(),
        ),
        None => (
            format!("no selected endpoint has the name or the host \"{key}\""),
            did_you_mean(key, names.iter().map(String::as_str)),
        ),
    };
    Problem {
        at: written.at.clone(),
        message,
        hint: Some(hint),
    }
}
