//! The rows about revocation. A path may have several intermediate certificates, and redirects lead to several
//! servers: what stands for all of them is the worst.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::published::CheckRow;
use super::sample::Samples;
use crate::endpoint::RevocationMethod;
use crate::outcome::{CertificatePlace, RevocationSeen};

/// More lists of one check are not shown: a path has a list a certificate.
const MOST_LISTS: usize = 8;

pub(super) fn status(samples: &mut Samples<'_>, row: &CheckRow) {
    let Some(outcome) = row.numbers.latest() else {
        return;
    };
    for place in [CertificatePlace::Leaf, CertificatePlace::Intermediate] {
        for method in RevocationMethod::ALL {
            let all = outcome.observed.revocation.iter();
            let of_it = all.filter(|seen| seen.certificate == place && seen.method == method);
            if let Some(state) = of_it.map(|seen| seen.state).max() {
                samples
                    .sample(&row.numbers.labels)
                    .label("certificate", place.as_str())
                    .label("method", method.as_str())
                    .label("state", state.as_str())
                    .integer(1);
            }
        }
    }
}

pub(super) fn next_update(samples: &mut Samples<'_>, row: &CheckRow) {
    let Some(outcome) = row.numbers.latest() else {
        return;
    };
    let mut lists: BTreeMap<&Arc<str>, SystemTime> = BTreeMap::new();
    for RevocationSeen {
        method,
        url,
        next_update,
        ..
    } in outcome.observed.revocation.iter()
    {
        let list = url.as_ref().zip(*next_update);
        let Some((url, due)) = list.filter(|_| *method == RevocationMethod::Crl) else {
            continue;
        };
        if lists.len() < MOST_LISTS || lists.contains_key(url) {
            let earliest = lists.entry(url).or_insert(due);
            *earliest = due.min(*earliest);
        }
    }
    for (url, due) in lists {
        samples
            .sample(&row.numbers.labels)
            .seen("url", url)
            .timestamp(due);
    }
}
