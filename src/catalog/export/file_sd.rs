//! Targets of Prometheus (`file_sd_configs`), for those who probe with the `blackbox_exporter`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Export;
use crate::catalog::ask::AskError;
use crate::catalog::feature::Kind;
use crate::catalog::need::Need;

/// The module for an endpoint of which any answer will do.
const MODULE: &str = "reachd_http";

/// The module for an endpoint whose redirects are needed too.
const FOLLOWING_MODULE: &str = "reachd_http_follow";

/// Targets that have their labels in common.
#[derive(Serialize)]
struct Group<'e> {
    targets: Vec<&'e str>,
    labels: Labels<'e>,
}

/// What a module is asked for, and what the series of a target bear.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Labels<'e> {
    #[serde(rename = "__param_module")]
    module: &'static str,
    cloud: &'static str,
    critical: &'static str,
    kind: &'static str,
    service: &'e str,
}

/// The URLs that can be probed, in groups of the same labels.
pub(super) fn written(export: &Export) -> Result<String, AskError> {
    let mut groups: BTreeMap<Labels<'_>, Vec<&str>> = BTreeMap::new();
    for need in export.filled().filter(|need| is_target(need)) {
        let labels = labels(export, need);
        groups.entry(labels).or_default().push(&need.url);
    }
    let groups: Vec<Group<'_>> = groups
        .into_iter()
        .map(|(labels, mut targets)| {
            targets.sort_unstable();
            targets.dedup();
            Group { targets, labels }
        })
        .collect();
    let json = serde_json::to_string_pretty(&groups);
    json.map(|json| json + "\n")
        .map_err(|error| AskError::Unwritable(error.to_string()))
}

fn labels<'e>(export: &Export, need: &'e Need<'static>) -> Labels<'e> {
    Labels {
        module: if need.follow_redirects {
            FOLLOWING_MODULE
        } else {
            MODULE
        },
        cloud: export.scope.cloud.as_str(),
        critical: if need.critical { "true" } else { "false" },
        kind: need.kind.as_str(),
        service: need.feature,
    }
}

/// Others stand in for a wildcard.
fn is_target(need: &Need<'_>) -> bool {
    need.not_probed.is_none() && need.kind != Kind::Wildcard
}

/// What is needed but cannot be a target, and nothing stands in for it.
pub(super) fn unprobed(export: &Export) -> impl Iterator<Item = String> {
    let unprobed = export.filled().filter_map(|need| {
        let (name, feature) = (&need.name, need.feature);
        let why = need.not_probed.as_ref()?;
        Some(format!("{name} ({feature}): {why}"))
    });
    unprobed.chain(export.unfilled())
}
