//! What one run of a script keeps: its time, what it asked for, what it said, and why it must stop.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::bounded;
use super::trouble::Trouble;

/// What a script may take to be loaded, and again for each answer; waiting for names does not count.
const TIME: Duration = Duration::from_secs(1);

/// So many names one answer may ask for.
const MOST_NAMES: usize = 20;

/// So many messages are kept, and so much of each.
const MOST_ALERTS: usize = 20;
const MOST_CHARACTERS: usize = 256;

/// Finds the addresses of a name, or none. Nothing comes back where nobody waits for the answer any longer.
pub(super) type AskNames = dyn Fn(&str) -> Option<Vec<IpAddr>>;

/// The desk of one thread; each run finds it cleared.
pub(super) struct Desk {
    ask: RefCell<Option<Box<AskNames>>>,
    names: RefCell<HashMap<String, Vec<IpAddr>>>,
    alerts: RefCell<Vec<String>>,
    began: Cell<Instant>,
    waited: Cell<Duration>,
    stopped: RefCell<Option<Trouble>>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            ask: RefCell::default(),
            names: RefCell::default(),
            alerts: RefCell::default(),
            began: Cell::new(Instant::now()),
            waited: Cell::default(),
            stopped: RefCell::default(),
        }
    }

    /// Clears the desk for a run.
    pub(super) fn clear(&self, ask: Box<AskNames>) {
        self.ask.replace(Some(ask));
        self.names.take();
        self.alerts.take();
        self.stopped.take();
        self.clock_begins();
    }

    /// Ends the run; returns what the script said.
    pub(super) fn close(&self) -> Vec<String> {
        self.ask.take();
        self.alerts.take()
    }

    pub(super) fn clock_begins(&self) {
        self.began.set(Instant::now());
        self.waited.take();
    }

    /// Asked by the engine every now and then.
    pub(super) fn must_stop(&self) -> bool {
        if self.began.get().elapsed().saturating_sub(self.waited.get()) > TIME {
            self.stop(Trouble::Overrun(TIME));
        }
        self.stopped.borrow().is_some()
    }

    /// Why the run was stopped. It stays so whatever the script makes of it.
    pub(super) fn stopped(&self) -> Option<Trouble> {
        self.stopped.borrow().clone()
    }

    /// The addresses of a name; each is asked for once in a run.
    pub(super) fn resolve(&self, host: &str) -> Vec<IpAddr> {
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
        if let Ok(address) = literal {
            return vec![address];
        }
        if let Some(known) = self.names.borrow().get(host) {
            return known.clone();
        }
        if self.names.borrow().len() >= MOST_NAMES {
            self.stop(Trouble::TooManyLookUps(MOST_NAMES));
        }
        if self.stopped.borrow().is_some() || !could_be_name(host) {
            return Vec::new();
        }
        let started = Instant::now();
        let found = self.ask.borrow().as_ref().and_then(|ask| ask(host));
        self.waited.set(self.waited.get() + started.elapsed());
        let Some(found) = found else {
            self.stop(Trouble::Late);
            return Vec::new();
        };
        self.names
            .borrow_mut()
            .insert(host.to_owned(), found.clone());
        found
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
