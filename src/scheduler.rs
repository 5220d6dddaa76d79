//! When each check is probed: first runs spread evenly, then at a fixed rate without drift, within a limit on all
//! probes together, of which those that go the same way have no more than their share. A turn that comes while a
//! probe still runs is skipped and counted. A check that begins to fail is probed once more before its next turn, so
//! that a blip is told from an outage. A check that has a hold has a second rhythm for it, within a limit of its own,
//! so that connections which stand idle for minutes keep no probe waiting.

mod dispatcher;
mod limit;
mod round;
mod turns;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::dispatcher::{Dispatcher, Order};
use crate::observer::Observers;
use crate::outcome::{HoldOutcome, Outcome};
use crate::plan::Check;

/// Orders that may wait while another one is carried out.
const WAITING_ORDERS: usize = 1;

/// Makes the future of one probe; called anew for each, so that no check holds a future while it waits.
pub type ProbeFunction =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// Makes the future of one hold; called anew for each.
pub type HoldFunction =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = HoldOutcome> + Send>> + Send + Sync>;

/// A check and how it is probed.
#[derive(Clone)]
pub struct Job {
    /// What is probed, and how often.
    pub check: Arc<Check>,
    /// How.
    pub probe: ProbeFunction,
    /// How its connection is held, where the endpoint has a hold.
    pub hold: Option<HoldFunction>,
}

/// How much may be under way at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Concurrency {
    /// Probes.
    pub probes: usize,
    /// Connections held idle, beside the probes.
    pub holds: usize,
}

/// Runs the jobs of the plan in force, until it is stopped or dropped.
#[derive(Debug)]
pub struct Scheduler {
    orders: mpsc::Sender<Order>,
    dispatcher: JoinHandle<bool>,
}

impl Scheduler {
    /// A scheduler without jobs, on the runtime in which it is made.
    #[must_use]
    pub fn new(observers: Observers) -> Self {
        let (orders, received) = mpsc::channel(WAITING_ORDERS);
        let dispatcher = Dispatcher::new(observers).run(received);
        Self {
            orders,
            dispatcher: tokio::spawn(dispatcher),
        }
    }

    /// Brings a plan into force: checks that are gone stop, those that did not change keep their rhythm, new
    /// and changed ones start, spread evenly: over most of their interval, over a minute, or a second apart,
    /// whatever is shortest. The observers know the plan already.
    pub async fn apply(&self, jobs: Vec<Job>, concurrency: Concurrency) {
        self.order(Order::Apply { jobs, concurrency }).await;
    }

    /// Starts no more probes, lets those under way finish for as long as `grace`, and aborts the rest. Says
    /// whether all of them finished. Holds end at once.
    pub async fn stop(self, grace: Duration) -> bool {
        self.order(Order::Stop { grace }).await;
        self.dispatcher.await.unwrap_or(false)
    }

    async fn order(&self, order: Order) {
        if self.orders.send(order).await.is_err() {
            tracing::error!(
                "nothing is probed any more: this is a fault of reachd, please report it"
            );
        }
    }
}

#[cfg(test)]
mod tests;
