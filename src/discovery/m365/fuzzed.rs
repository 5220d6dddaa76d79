//! What the readers of the service's answers, and of what is kept of them, stand, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use std::time::{Duration, SystemTime};

use url::Url;

use super::memory::Memory;
use super::sets::{EndpointSet, endpoints};
use super::{HOUR, Versions};
use crate::config::{M365Area, M365Instance, M365Source, Overrides};
use crate::discovery::MOST_TARGETS;
use crate::discovery::fuzzed::are_fit;

/// More names that are not probed are counted only.
const MOST_NOT_PROBED: usize = 501;

/// When everything happens.
const NOW: Duration = Duration::from_secs(1_800_000_000);

/// What the service answers: sets of endpoints, or versions.
pub fn m365_endpoints(bytes: &[u8]) {
    if let Ok(sets) = serde_json::from_slice::<Vec<EndpointSet>>(bytes) {
        are_used(&sets);
    }
    serde_json::from_slice::<Versions>(bytes).ok();
}

/// What is kept of it on disk: whatever it says, nobody waits longer than an hour because of it.
pub fn m365_memory(bytes: &[u8]) {
    let Ok(memory) = serde_json::from_slice::<Memory>(bytes) else {
        return;
    };
    let now = SystemTime::UNIX_EPOCH + NOW;
    let memory = memory.of_query("query".to_owned(), now);
    assert!(memory.rest(now).is_none_or(|rest| rest <= HOUR));
    assert!(!memory.refused().is_empty());
    memory.is_refused(now);
    memory.version_at(now);
    memory.success();
    are_used(&memory.sets);
}

fn are_used(sets: &[EndpointSet]) {
    let Ok(url) = Url::parse("https://endpoints.office.com/") else {
        return;
    };
    let source = M365Source {
        instance: M365Instance::Worldwide,
        areas: M365Area::ALL.to_vec(),
        required_only: false,
        route: "direct".to_owned(),
        tenant: None,
        url,
        overrides: Overrides::default(),
    };
    let found = endpoints(sets, &source);
    assert!(found.endpoints.len() <= MOST_TARGETS);
    assert!(found.not_probed.len() <= MOST_NOT_PROBED);
    are_fit(&found);
}
