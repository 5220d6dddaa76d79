//! The rows of the sources of targets.

use super::labels::Labels;
use super::sample::Samples;
use crate::discovery::SourceStatus;

pub(super) fn up(samples: &mut Samples<'_>, source: &SourceStatus) {
    if let Some(up) = source.up {
        samples.sample(&labels(source)).integer(u64::from(up));
    }
}

pub(super) fn targets(samples: &mut Samples<'_>, source: &SourceStatus) {
    let targets = u64::try_from(source.targets).unwrap_or(u64::MAX);
    samples.sample(&labels(source)).integer(targets);
}

pub(super) fn last_success(samples: &mut Samples<'_>, source: &SourceStatus) {
    if let Some(at) = source.last_success {
        samples.sample(&labels(source)).timestamp(at);
    }
}

fn labels(source: &SourceStatus) -> Labels {
    Labels::default()
        .with("source", &source.source)
        .with("kind", source.kind.as_str())
}
