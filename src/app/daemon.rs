//! The daemon: probes on one runtime, serves on another thread, reloads on request, and ends within five
//! seconds of being told to.

mod gathering;
mod inferring;
mod serving;
mod watchdog;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info, warn};

use self::gathering::Gathering;
use self::inferring::Inferring;
use self::serving::{Serving, front, sockets};
use self::watchdog::{Turns, feed};
use super::Fault;
use super::arguments::DaemonArguments;
use super::setup::{Setup, standings};
use crate::catalog::NotProbed;
use crate::config::ShownConfig;
use crate::diagnosis::Diagnosis;
use crate::history::History;
use crate::metrics::Metrics;
use crate::observer::{Observer, Observers, Redirects, StateLog};
use crate::outcome::{RootStanding, RootState};
use crate::plan::Shard;
use crate::platform::{ServiceManager, Signal, Signals};
use crate::report::of_trust_store;
use crate::report::words::counted;
use crate::scheduler::Scheduler;
use crate::server::{Changes, Heartbeat, ReloadRequest, Server};

/// How long probes under way may take to finish after a signal to stop; with what the server takes after that,
/// reachd ends within five seconds.
const GRACE: Duration = Duration::from_secs(3);

/// How long the rest may take after that, such as a file that is being read for a reload.
const LEFTOVERS: Duration = Duration::from_millis(200);

/// How often it is looked whether the time of a root is over.
const JUDGED_EVERY: Duration = Duration::from_secs(60);

/// Requests to reload that may wait for the one under way.
const WAITING_RELOADS: usize = 8;

pub(super) fn run(
    file: Option<&Path>,
    shard: Option<Shard>,
    arguments: &DaemonArguments,
) -> Result<ExitCode, Fault> {
    let setup = Setup::load(file, shard)?;
    let front = front(arguments)?;
    let runtime = probing_runtime(setup.config.global.workers)?;
    let (mut daemon, server) = {
        let _in_runtime = runtime.enter();
        Daemon::new(file, arguments, setup)
    };
    daemon.server_heartbeat = front.heartbeat.clone();
    let ended = live(&runtime, daemon, |stop| {
        Serving::start(sockets(arguments)?, server, front, stop)
    });
    runtime.shutdown_timeout(LEFTOVERS);
    ended?;
    info!("reachd has stopped");
    Ok(ExitCode::SUCCESS)
}

/// Probes and serves until a signal to stop comes, which is a good end, or one of the two fails, which is not.
fn live(
    runtime: &Runtime,
    daemon: Daemon,
    serve: impl FnOnce(CancellationToken) -> Result<Serving, Fault>,
) -> Result<(), Fault> {
    // Before anybody can see that reachd is there, so that none is missed.
    let signals = listen_for_signals(runtime)?;
    let stop = CancellationToken::new();
    let serving = serve(stop.clone())?;
    runtime.block_on(daemon.run(signals, &stop));
    serving.end()
}

/// Everything that a reload touches.
struct Daemon {
    file: Option<PathBuf>,
    /// As many threads as probe: a reload does not change that.
    workers: usize,
    /// What is in force.
    setup: Setup,
    /// Where redirects lead.
    redirects: Arc<Redirects>,
    /// When something was found that changes the plan.
    findings: Gathering,
    observers: Observers,
    diagnosis: Arc<Diagnosis>,
    inferring: Inferring,
    metrics: Arc<Metrics>,
    history: Arc<History>,
    scheduler: Scheduler,
    config: watch::Sender<ShownConfig>,
    not_probed: watch::Sender<Arc<Vec<NotProbed>>>,
    trust_store: watch::Sender<Arc<Vec<RootStanding>>>,
    reloads: mpsc::Receiver<ReloadRequest>,
    /// Who wants to know how the daemon fares.
    manager: Arc<ServiceManager>,
    /// When checks last had their turns.
    turns: Turns,
    /// When the server last showed that it lives.
    server_heartbeat: Heartbeat,
}

impl Daemon {
    fn new(file: Option<&Path>, arguments: &DaemonArguments, setup: Setup) -> (Self, Server) {
        let metrics = Arc::new(Metrics::new());
        if let Some(shard) = setup.shard {
            metrics.shard(shard);
        }
        let history = Arc::new(history_of(&setup, &metrics));
        let redirects = Arc::new(Redirects::default());
        let changes = Changes::default();
        let diagnosis = Arc::new(Diagnosis::default());
        let turns = Turns::default();
        let observers = Observers(vec![
            Arc::clone(&metrics) as Arc<dyn Observer>,
            Arc::clone(&history) as Arc<dyn Observer>,
            Arc::new(StateLog::default()),
            Arc::clone(&redirects) as Arc<dyn Observer>,
            Arc::clone(&diagnosis) as Arc<dyn Observer>,
            Arc::new(turns.clone()),
            // The last one: who is told of a change finds it where it is kept.
            Arc::new(changes.clone()),
        ]);
        let (config, shown_config) = watch::channel(setup.shown.clone());
        let (not_probed, shown_not_probed) =
            watch::channel(Arc::new(setup.plan.not_probed.clone()));
        let (trust_store, shown_trust_store) =
            watch::channel(Arc::new(standings(&setup.trust_store)));
        let (ask_to_reload, reloads) = mpsc::channel(WAITING_RELOADS);
        let server = Server {
            metrics: Arc::clone(&metrics),
            history: Arc::clone(&history),
            changes,
            causes: diagnosis.causes(),
            config: shown_config,
            not_probed: shown_not_probed,
            trust_store: shown_trust_store,
            reload: arguments.enable_lifecycle.then_some(ask_to_reload),
            started: SystemTime::now(),
            shard: setup.shard,
        };
        let daemon = Self {
            file: file.map(Path::to_owned),
            workers: setup.config.global.workers,
            findings: Gathering::new([
                setup.changes(),
                redirects.changes(),
                setup.discovery.changes(),
            ]),
            redirects,
            setup,
            scheduler: Scheduler::new(observers.clone()),
            observers,
            inferring: Inferring::new(&diagnosis, &metrics, &history),
            diagnosis,
            metrics,
            history,
            config,
            not_probed,
            trust_store,
            reloads,
            manager: Arc::new(ServiceManager::of_environment()),
            turns,
            server_heartbeat: Heartbeat::default(),
        };
        (daemon, server)
    }

    /// Probes until a signal to stop comes, or the server ends.
    async fn run(mut self, mut signals: Signals, stop: &CancellationToken) {
        self.metrics.runtime("probing", &Handle::current());
        self.bring_into_force().await;
        self.manager.ready();
        let (manager, turns) = (Arc::clone(&self.manager), self.turns.clone());
        let heartbeat = self.server_heartbeat.clone();
        let feeding = AbortOnDropHandle::new(tokio::spawn(async move {
            feed(&manager, &turns, &heartbeat).await;
        }));
        let inferring = AbortOnDropHandle::new(tokio::spawn(self.inferring.clone().run()));
        self.reload_until_end(&mut signals, stop).await;
        info!("stopping: probes under way may finish");
        self.manager.stopping();
        self.manager
            .status("stopping: probes under way may finish".to_owned());
        // Whoever waits for a reload learns that there will be none.
        drop(self.reloads);
        if !self.scheduler.stop(GRACE).await {
            warn!("some probes had not finished after {GRACE:?} and were aborted");
        }
        drop((inferring, feeding));
        let history = self.history;
        // A disk may take its time, and the server answers meanwhile.
        if !spawn_blocking(move || history.close())
            .await
            .unwrap_or(false)
        {
            warn!("the end of the history was not written down");
        }
        // Only now, so that what the last probes found can still be scraped.
        stop.cancel();
    }

    /// Reloads whenever that is asked for, and extends the plan whenever something was found. The end does not wait for a reload under way: the files may lie on a
    /// mount that hangs.
    async fn reload_until_end(&mut self, signals: &mut Signals, stop: &CancellationToken) {
        let mut judging = interval(JUDGED_EVERY);
        judging.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let request = tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Reload => None,
                    Signal::Stop => return,
                },
                Some(request) = self.reloads.recv() => Some(request),
                () = self.findings.are_gathered() => {
                    tokio::select! {
                        () = self.take_what_was_found() => continue,
                        () = signals.stop() => return,
                        () = stop.cancelled() => return,
                    }
                }
                () = stop.cancelled() => return,
                _ = judging.tick() => {
                    self.judge_roots();
                    continue;
                }
            };
            let result = tokio::select! {
                result = self.reload() => result,
                () = signals.stop() => return,
                () = stop.cancelled() => return,
            };
            if let Some(request) = request {
                // Whoever asked may have gone away meanwhile.
                request.reply.send(result).ok();
            }
        }
    }

    /// Reads the configuration anew, aside; a bad one leaves everything as it is.
    async fn reload(&mut self) -> Result<(), String> {
        self.manager.reloading();
        let result = self.loaded_anew().await;
        // Ready again, whatever came of it: the former configuration is in force where the new one is bad.
        self.manager.ready();
        result
    }

    async fn loaded_anew(&mut self) -> Result<(), String> {
        let file = self.file.clone();
        let former = self.setup.heritage(&self.redirects);
        let load = move || Setup::succeeding(&former, file.as_deref());
        let loaded = spawn_blocking(load).await;
        let loaded = loaded.unwrap_or_else(|fault| Err(Fault::Internal(fault.to_string())));
        match loaded {
            Ok(setup) => {
                self.setup = setup;
                self.setup.reloaded();
                self.bring_into_force().await;
                Ok(())
            }
            Err(fault) => {
                error!(error = %fault, "the configuration was not reloaded: the former one stays in force");
                self.metrics.reloaded(false, SystemTime::now());
                let status = "the configuration was not reloaded: the former one stays in force";
                self.manager.status(status.to_owned());
                Err(fault.to_string())
            }
        }
    }

    /// What was found since becomes a part of the plan; what is not found any more leaves it.
    async fn take_what_was_found(&mut self) {
        let (setup, redirects) = (self.setup.clone(), Arc::clone(&self.redirects));
        let found = spawn_blocking(move || setup.with_what_was_found(&redirects)).await;
        let found = found.unwrap_or_else(|fault| Err(Fault::Internal(fault.to_string())));
        match found {
            Ok(Some(found)) => {
                self.setup.take(found);
                self.apply_plan().await;
                let checks = self.setup.plan.checks.len();
                let derived = self.setup.plan.derived();
                info!(checks, derived, "the plan follows what was found");
            }
            Ok(None) => {}
            Err(fault) => error!(error = %fault, "what was found cannot be probed"),
        }
    }

    async fn bring_into_force(&mut self) {
        for notice in &*self.setup.notices {
            warn!("{notice}");
        }
        if let Some(shortage) = self.setup.plan.shortage_of_holds() {
            warn!("{shortage}");
        }
        let workers = self.setup.config.global.workers;
        if workers != self.workers {
            warn!(
                workers,
                "global.workers takes effect at the next start: {} until then", self.workers
            );
        }
        self.apply_plan().await;
        let setup = &self.setup;
        self.config.send_replace(setup.shown.clone());
        self.publish_roots(standings(&setup.trust_store));
        self.metrics.sources(&setup.discovery);
        self.metrics.reloaded(true, SystemTime::now());
        let (checks, not_probed) = (setup.plan.checks.len(), setup.plan.not_probed.len());
        let source = self
            .file
            .as_ref()
            .map_or("the embedded default".to_owned(), |file| {
                file.display().to_string()
            });
        let shard = setup.shard.map(tracing::field::display);
        info!(
            checks,
            not_probed, shard, source, "the configuration is in force"
        );
    }

    /// Observers first, so that they know the checks of which they are told. They and the probes are prepared aside: of
    /// ten thousand checks that takes longer than a probe may be late.
    async fn apply_plan(&mut self) {
        let (setup, observers) = (self.setup.clone(), self.observers.clone());
        let inferring = self.inferring.clone();
        let prepared = spawn_blocking(move || {
            observers.planned(&setup.plan);
            inferring.at_once();
            setup.jobs()
        });
        let Ok(jobs) = prepared.await else {
            error!("the plan could not be prepared: this is a fault of reachd, please report it");
            return;
        };
        let setup = &self.setup;
        setup.comes_into_force();
        self.scheduler.apply(jobs, setup.concurrency()).await;
        self.not_probed
            .send_replace(Arc::new(setup.plan.not_probed.clone()));
        let checks = setup.plan.checks.len();
        self.manager
            .status(format!("probing {}", counted(checks, "check")));
    }

    /// The time of a root may be over while the plan stays the same.
    fn judge_roots(&self) {
        let standings = standings(&self.setup.trust_store);
        if **self.trust_store.borrow() != standings {
            self.publish_roots(standings);
        }
    }

    fn publish_roots(&self, standings: Vec<RootStanding>) {
        self.metrics.trust_store(&standings);
        self.diagnosis.trust_store(&standings);
        log_trust_store(&standings);
        self.trust_store.send_replace(Arc::new(standings));
    }
}

/// The history goes on where it ended, where there is a folder for the state; a reload does not change that.
fn history_of(setup: &Setup, metrics: &Arc<Metrics>) -> History {
    let Some(folder) = &setup.config.state_dir else {
        return History::default();
    };
    let metrics = Arc::clone(metrics);
    History::kept_in(folder, Box::new(move |is_up| metrics.history_store(is_up)))
}

fn log_trust_store(roots: &[RootStanding]) {
    let is_well = roots.iter().all(|root| root.state == RootState::Present);
    let Some(summary) = of_trust_store(roots).into_iter().next() else {
        return;
    };
    if is_well {
        info!("trust store: {summary}");
        return;
    }
    for root in roots.iter().filter(|root| root.state != RootState::Present) {
        let (state, sha256) = (root.state.as_str(), &root.sha256);
        warn!(
            root = root.root,
            store = root.store,
            state,
            sha256,
            "a root that required endpoints may need {}",
            root.state.words()
        );
    }
}

fn listen_for_signals(runtime: &Runtime) -> Result<Signals, Fault> {
    let _in_runtime = runtime.enter();
    Signals::listen()
        .map_err(|error| Fault::Internal(format!("signals cannot be listened for: {error}")))
}

/// One thread is best up to some hundred probes a second: no hand-over between threads.
fn probing_runtime(workers: usize) -> Result<Runtime, Fault> {
    let mut builder = match workers {
        0 | 1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(workers.max(1)).enable_all().build();
    runtime.map_err(|error| Fault::Internal(format!("no runtime can be started: {error}")))
}

#[cfg(test)]
mod tests;
