//! reachd answers all day one question: is every required internet endpoint reachable, by every way out that
//! we have, and if not, which hop is at fault and what should be done?
//!
//! ```text
//!  reachd.yml ─> config ─┐                            ┌─> metrics ──> /metrics
//!                        ├─> plan ─> scheduler ─> probe ─> history ──> the page, the API
//!     built in ─> catalog ┤            (outcomes)     ├─> diagnosis ─> causes
//!   lists ─> discovery ───┘                │          └─> the log of changes
//!                                          │
//!                                          └─> report (check)      explain: what a reason means
//! ```
//!
//! A probe is one attempt at one check, an endpoint over a route. What it finds is a value, the outcome, and
//! never an error. Probes know nothing of metrics or logs; observers are told of outcomes.
//!
//! The rooms of the house, from the ground up. A room uses only those above it in this list; a test holds it
//! to that.
//!
//! * [`platform`]: what is particular to the operating system.
//! * [`endpoint`]: what must be reachable, and what is expected of it.
//! * [`route`]: a way out: direct, or over a proxy that some hosts bypass.
//! * [`outcome`]: what a probe found: phases, peers, reasons, timings, evidence.
//! * [`explain`]: what a failure means, likely causes, what to do, who owns it.
//! * [`config`]: the file as written, read into domain types, with every problem at once.
//! * [`catalog`]: the built-in sets of required endpoints, with their sources.
//! * [`plan`]: configuration and catalog together: every check that is to run.
//! * [`probe`]: the phases in their order, over hickory, tokio, rustls and hyper.
//! * [`observer`]: who is told of outcomes; the log of changes.
//! * [`discovery`]: files and servers that name targets, and what they named last.
//! * [`metrics`]: the Prometheus exposition.
//! * [`history`]: the last outcomes of every check.
//! * [`diagnosis`]: many outcomes in, the few causes that they have out.
//! * [`report`]: what a run of all checks comes to, as text and JSON.
//! * [`scheduler`]: each check at a fixed rate, and its idle connection at another; bounded and cancellable.
//! * [`server`]: the page, the metrics and the API over HTTP.
//! * [`app`]: the wiring of all this into commands.
//!
//! Beside them, in builds for tests and for fuzzing only, `fuzzed` says what the readers of outside data stand.

pub mod app;
pub mod catalog;
pub mod config;
pub mod diagnosis;
pub mod discovery;
pub mod endpoint;
pub mod explain;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
pub mod history;
pub mod metrics;
pub mod observer;
pub mod outcome;
pub mod plan;
pub mod platform;
pub mod probe;
pub mod report;
pub mod route;
pub mod scheduler;
pub mod server;
