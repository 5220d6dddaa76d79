//! Where targets come from that the configuration itself does not name: files and servers in Prometheus' formats, and
//! the Microsoft 365 endpoints web service. Whatever is broken keeps the last good set.

mod board;
mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod m365;
mod pattern;
mod server;
mod source;
mod target;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::timeout;

use self::board::Board;
use self::source::{Settings, Source};
use crate::catalog::NotProbed;
use crate::config::{Config, EndpointSettings};
use crate::endpoint::Origin;
use crate::plan::{Check, Plan};
use crate::probe::Prober;

/// More targets are not taken, neither of one source nor of all together.
const MOST_TARGETS: usize = 10_000;

/// All sources of targets of a configuration, with what they know.
#[derive(Debug)]
pub struct Discovery {
    sources: Vec<Arc<Source>>,
    changed: watch::Sender<()>,
}

/// What all sources found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// What is to be probed, each once.
    pub endpoints: Vec<EndpointSettings>,
    /// What cannot be, and why.
    pub not_probed: Vec<NotProbed>,
}

/// How a source fares.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceStatus {
    /// The pattern of the files, the name of the server, or the instance of the service.
    pub source: String,
    /// What kind of source it is.
    pub kind: Origin,
    /// Whether the last attempt was good; `None` before the first.
    pub up: Option<bool>,
    /// How many endpoints it names.
    pub targets: usize,
    /// When it was last good.
    pub last_success: Option<SystemTime>,
}

impl Discovery {
    /// The sources of a configuration. Those whose settings did not change go on as they were in the former one; of the
    /// others, files are read here, and servers are asked [later](Self::begin); what they named before stays until then.
    #[must_use]
    pub fn new(config: &Config, plan: &Plan, former: Option<&Self>) -> Self {
        let changed = former.map_or_else(watch::Sender::default, |former| former.changed.clone());
        let settings = Settings::all_of(config, &plan.errands);
        let former = former.map_or(&[][..], |former| &former.sources);
        let source = |settings: Settings| {
            let mut known = former.iter();
            match known.find(|source| source.settings == settings) {
                Some(source) => Arc::clone(source),
                None => Arc::new(Source::new(settings, &changed, former)),
            }
        };
        Self {
            sources: settings.into_iter().map(source).collect(),
            changed,
        }
    }

    /// What the sources have found so far, to be probed as the configuration has it.
    #[must_use]
    pub fn found(&self, config: &Config) -> Findings {
        let mut findings = Findings::default();
        let mut known: HashMap<(String, String), usize> = HashMap::new();
        for source in &self.sources {
            let found = source.board.found();
            findings.not_probed.extend(found.not_probed.iter().cloned());
            let mut left_out = 0;
            for settings in &found.endpoints {
                let settings = EndpointSettings {
                    tls: config.global.tls.clone(),
                    ..settings.clone()
                };
                let endpoint = &settings.endpoint;
                let key = (endpoint.service.clone(), endpoint.name.clone());
                let same = known.get(&key).map(|index| &findings.endpoints[*index]);
                if same == Some(&settings) {
                    continue;
                }
                if findings.endpoints.len() >= MOST_TARGETS {
                    left_out += 1;
                    continue;
                }
                known.entry(key).or_insert(findings.endpoints.len());
                findings.endpoints.push(settings);
            }
            if left_out > 0 {
                findings.not_probed.push(NotProbed {
                    service: source.settings.kind().as_str().to_owned(),
                    endpoint: source.settings.name(),
                    why: format!(
                        "{left_out} targets: all sources together have at most {MOST_TARGETS}"
                    ),
                });
            }
        }
        findings
    }

    /// Grows whenever what is found changes, as long as these are the sources.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.boards().map(Board::revision).sum()
    }

    /// How the sources fare, in the order of the configuration.
    #[must_use]
    pub fn statuses(&self) -> Vec<SourceStatus> {
        let statuses = self.sources.iter().map(|source| source.status());
        statuses.collect()
    }

    /// What is wrong with the sources at the moment, one line each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.boards().filter_map(Board::problem).collect()
    }

    /// Tells when something may have been found or lost; of these sources, and all that succeed them.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// From now on, files are looked at and servers asked in the background, as long as this value lives. Within a
    /// runtime only.
    pub fn begin(&self, prober: &Prober) {
        for source in &self.sources {
            source.begin(|errand: &Arc<Check>| prober.errand_of(errand));
        }
    }

    /// Asks every server once, all at the same time, and waits no longer than this.
    pub async fn ask_once(&self, prober: &Prober, patience: Duration) {
        let asked = self.sources.iter().map(|source| {
            let source = Arc::clone(source);
            let errand = source
                .settings
                .errand()
                .and_then(|errand| prober.errand_of(errand));
            tokio::spawn(async move {
                if let Some(errand) = errand
                    && timeout(patience, source.ask(&errand)).await.is_err()
                {
                    let why = format!("no answer within {} s", patience.as_secs());
                    source.board.failed(&why);
                }
            })
        });
        for task in asked.collect::<Vec<_>>() {
            // A fault of reachd in one source is told on standard error, and stops no other.
            task.await.ok();
        }
    }

    fn boards(&self) -> impl Iterator<Item = &Board> {
        self.sources.iter().map(|source| &*source.board)
    }
}

#[cfg(test)]
mod tests;
