//! The rows of the sources of targets.

use super::text::{Labels, Lines};
use crate::discovery::SourceStatus;

pub(super) fn up(lines: &mut Lines<'_>, source: &SourceStatus) {
    if let Some(up) = source.up {
        lines.line(&labels(source)).integer(u64::from(up));
    }
}

pub(super) fn targets(lines: &mut Lines<'_>, source: &SourceStatus) {
    let targets = u64::try_from(source.targets).unwrap_or(u64::MAX);
    lines.line(&labels(source)).integer(targets);
}

pub(super) fn last_success(lines: &mut Lines<'_>, source: &SourceStatus) {
    if let Some(at) = source.last_success {
        lines.line(&labels(source)).timestamp(at);
    }
}

fn labels(source: &SourceStatus) -> Labels {
    Labels::default()
        .with("source", &source.source)
        .with("kind", source.kind.as_str())
}
