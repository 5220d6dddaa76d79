//! Faults that come and go at random, on each server one after the other, on several servers at once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::settings::Random;
use super::site::{FAULTS, Fault, Site};

/// How long a fault lasts.
const LASTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// How long a server is well in between.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];

/// What is wrong now, and what comes next.
pub(super) struct Troubles {
    servers: Vec<Server>,
    /// How often each fault came.
    pub(super) seen: BTreeMap<String, u32>,
}

struct Server {
    /// Of its own, so that a seed means the same faults whatever happens elsewhere.
    random: Random,
    faults: &'static [Fault],
    present: Option<Fault>,
    changes_at: Instant,
}

impl Troubles {
    pub(super) fn new(seed: u64) -> Self {
        let now = Instant::now();
        let server = |(faults, number)| Server {
            random: Random::new(seed.wrapping_add(number)),
            faults,
            present: None,
            changes_at: now,
        };
        Self {
            servers: FAULTS.into_iter().zip(1..).map(server).collect(),
            seen: BTreeMap::new(),
        }
    }

    /// Begins and ends what is due.
    pub(super) fn go_on(&mut self, site: &mut Site<'_>) {
        for server in &mut self.servers {
            let is_due = Instant::now() >= server.changes_at;
            if !is_due || server.present.is_some_and(|fault| !site.can_end(fault)) {
                continue;
            }
            let [least, most] = if let Some(over) = server.present.take() {
                site.end(over);
                PAUSES
            } else {
                let fault = server.random.choose(server.faults);
                *self.seen.entry(format!("{fault:?}")).or_default() += 1;
                site.begin(fault);
                server.present = Some(fault);
                LASTS
            };
            server.changes_at = Instant::now() + server.random.between(least, most);
        }
    }

    /// Ends all there are.
    pub(super) fn end(&mut self, site: &mut Site<'_>) {
        for server in &mut self.servers {
            if let Some(over) = server.present.take() {
                site.end(over);
            }
        }
    }
}
