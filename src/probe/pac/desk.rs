//! What one run of a script keeps: its time, the names that are known to it, what it said, and why it must stop.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::bounded;
use super::trouble::Trouble;

/// What a script may take to be loaded, and again for each answer.
pub(super) const TIME: Duration = Duration::from_secs(1);

/// So many names one answer may ask for.
pub(super) const MOST_NAMES: usize = 20;

/// So many messages are kept, and so much of each.
const MOST_ALERTS: usize = 20;
const MOST_CHARACTERS: usize = 256;

/// The addresses of names, as far as they were asked for; none for a name that there is not.
pub(super) type Names = HashMap<String, Vec<IpAddr>>;

/// The script cannot go on, and the desk knows why.
#[derive(Debug)]
pub(super) struct Stopped;

/// The desk of an engine; each run finds it cleared.
pub(super) struct Desk {
    names: RefCell<Names>,
    alerts: RefCell<Vec<String>>,
    began: Cell<Instant>,
    stopped: RefCell<Option<Trouble>>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            names: RefCell::default(),
            alerts: RefCell::default(),
            began: Cell::new(Instant::now()),
            stopped: RefCell::default(),
        }
    }

    /// Clears the desk for a run that knows these names.
    pub(super) fn clear(&self, names: Names) {
        self.names.replace(names);
        self.alerts.take();
        self.stopped.take();
        self.clock_begins();
    }

    /// Ends the run; returns what the script said.
    pub(super) fn close(&self) -> Vec<String> {
        self.alerts.take()
    }

    pub(super) fn clock_begins(&self) {
        self.began.set(Instant::now());
    }

    /// Asked by the engine every now and then.
    pub(super) fn must_stop(&self) -> bool {
        if self.began.get().elapsed() > TIME {
            self.stop(Trouble::Overrun(TIME));
        }
        self.stopped.borrow().is_some()
    }

    /// Why the run was stopped. It stays so whatever the script makes of it.
    pub(super) fn stopped(&self) -> Option<Trouble> {
        self.stopped.borrow().clone()
    }

    /// The addresses of a name. Where they are not known, the run ends: it begins again when they are.
    pub(super) fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Stopped> {
        if self.stopped.borrow().is_some() {
            return Err(Stopped);
        }
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
        if let Ok(address) = literal {
            return Ok(vec![address]);
        }
        if let Some(known) = self.names.borrow().get(host) {
            return Ok(known.clone());
        }
        if !could_be_name(host) {
            return Ok(Vec::new());
        }
        self.stop(if self.names.borrow().len() < MOST_NAMES {
            Trouble::NameNeeded(host.to_owned())
        } else {
            Trouble::TooManyLookUps(MOST_NAMES)
        });
        Err(Stopped)
    }

    pub(super) fn alert(&self, message: &str) {
        let mut alerts = self.alerts.borrow_mut();
        if alerts.len() < MOST_ALERTS {
            alerts.push(bounded(message, MOST_CHARACTERS));
        }
    }

    /// The first reason is the one.
    fn stop(&self, why: Trouble) {
        self.stopped.borrow_mut().get_or_insert(why);
    }
}

fn could_be_name(host: &str) -> bool {
    (1..=253).contains(&host.len()) && host.chars().all(|c| c.is_ascii_graphic())
}
