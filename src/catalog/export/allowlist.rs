//! Hosts and ports, one pair a line, for whoever runs the firewall.

use std::collections::BTreeMap;

use super::Export;
use crate::catalog::address::Address;
use crate::catalog::need::Need;
use crate::catalog::table::{self, prefixed};

/// Sorted, each host and port once; a comment says who needs it.
pub(super) fn written(export: &Export) -> String {
    let mut pairs: BTreeMap<&Address, Vec<&Need<'static>>> = BTreeMap::new();
    for need in export.filled() {
        pairs.entry(&need.address).or_default().push(need);
    }
    let rows: Vec<[String; 3]> = pairs
        .into_iter()
        .map(|(address, needs)| [address.host.clone(), address.service(), comment(&needs)])
        .collect();
    let mut text = prefixed("# ", &export.head());
    text.push_str("# A * stands for one character or more, dots among them.\n\n");
    text.push_str(&table::columns(&rows));
    let tail = export.tail();
    if !tail.is_empty() {
        text.push('\n');
        text.push_str(&prefixed("# ", &tail));
    }
    text
}

/// The features that need it, each once and with its criticality, and the newest date.
fn comment(needs: &[&Need<'static>]) -> String {
    let mut features: BTreeMap<&str, bool> = BTreeMap::new();
    for need in needs {
        *features.entry(need.feature).or_default() |= need.critical;
    }
    let features: Vec<String> = features
        .into_iter()
        .map(|(feature, critical)| {
            let critical = if critical { " (critical)" } else { "" };
            format!("{feature}{critical}")
        })
        .collect();
    let dates = needs.iter().map(|need| need.date());
    format!(
        "# {}; {}",
        features.join(", "),
        dates.max().unwrap_or_default()
    )
}
