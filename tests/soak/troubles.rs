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
    random: Random,
    servers: Vec<Server>,
    /// How often each fault came.
    pub(super) seen: BTreeMap<String, u32>,
}

struct Server {
    faults: &'static [Fault],
    present: Option<Fault>,
    changes_at: Instant,
}

impl Troubles {
    pub(super) fn new(random: Random) -> Self {
        let now = Instant::now();
        let server = |faults: &&'static [Fault]| Server {
            faults,
            present: None,
            changes_at: now,
        };
        Self {
            random,
            servers: FAULTS.iter().map(server).collect(),
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
                let fault = self.random.choose(server.faults);
                *self.seen.entry(format!("{fault:?}")).or_default() += 1;
                site.begin(fault);
                server.present = Some(fault);
                LASTS
            };
            server.changes_at = Instant::now() + self.random.between(least, most);
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
