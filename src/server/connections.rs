//! Connections of clients: so many at once and no more, each for a bounded time, and all of them drained at the end.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use super::events::Events;
use super::hosts::Hosts;
use super::listening::{Client, Door, Listener, Stream};
use super::supervised::supervised;
use super::web::{H2, Keeper};
use super::{Front, Server, router};
use crate::metrics::Metrics;

/// How many clients are served at once, over all listeners. More of them wait in the backlog.
const CONNECTIONS: usize = 256;

/// How long a client may take to send a request's head, or to begin with the next one: less than any scrape
/// waits, so that idle clients cannot keep Prometheus out.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the head of a request may be, in bytes.
const HEAD_LIMIT: usize = 32 * 1024;

/// How long a connection is kept for further requests.
const LIFETIME: Duration = Duration::from_secs(60);

/// How long a client may take after that, or after the end of the server, to read what it is owed.
const GRACE: Duration = Duration::from_secs(30);

/// How long the server waits at its own end for clients to read what they are owed.
const DRAIN: Duration = Duration::from_millis(1500);

/// How long to wait when a client could not be accepted, for the like of too many open files. Each further pause is
/// twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How long such a pause is at most: less than any scrape waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How many requests a client may have under way at once over HTTP/2.
const STREAMS: u32 = 64;

/// How often a silent client of HTTP/2 is asked whether it is still there.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// How often the server shows that it lives.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// All that a client's connection needs.
#[derive(Clone)]
struct Reception {
    service: TowerToHyperService<Router>,
    /// The same for those who come in by a door of which only this machine knows.
    service_for_locals: TowerToHyperService<Router>,
    /// Who knows how TLS is spoken; nobody where it is not.
    keeper: Option<Arc<Keeper>>,
    metrics: Arc<Metrics>,
    slots: Arc<Semaphore>,
    connections: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
}

/// Serves clients of all listeners until `shutdown`, and then those that are being answered, within a second and a half.
pub async fn serve(
    listeners: Vec<Listener>,
    server: Server,
    front: Front,
    shutdown: impl Future<Output = ()> + Send,
) {
    serve_at(listeners, server, front, shutdown).await;
}

async fn serve_at<D: Door>(
    doors: Vec<D>,
    server: Server,
    front: Front,
    shutdown: impl Future<Output = ()> + Send,
) {
    let Front {
        web,
        place,
        hosts,
        heartbeat,
    } = front;
    let keeper = match web.map(Keeper::new).transpose() {
        Ok(keeper) => keeper.map(Arc::new),
        Err(error) => {
            error!(%error, "the web configuration cannot be brought into force");
            return;
        }
    };
    let stop = CancellationToken::new();
    let (server, events) = (Arc::new(server), Events::new(stop.clone()));
    let over_tls = keeper.as_ref().is_some_and(|keeper| keeper.tls().is_some());
    let service = |is_local| {
        let hosts = Hosts {
            names: hosts.clone(),
            is_local,
            over_tls,
            keeper: keeper.clone(),
        };
        let router = router(Arc::clone(&server), events.clone(), place.clone(), hosts);
        TowerToHyperService::new(router)
    };
    let reception = Reception {
        service: service(false),
        service_for_locals: service(true),
        keeper: keeper.clone(),
        metrics: Arc::clone(&server.metrics),
        slots: Arc::new(Semaphore::new(CONNECTIONS)),
        connections: TaskTracker::new(),
        stop: stop.clone(),
        abort: CancellationToken::new(),
    };
    let mut tasks = JoinSet::new();
    reception.keep(&mut tasks, "the task that tells of events", move || {
        let (events, server) = (events.clone(), Arc::clone(&server));
        async move { events.tell(&server).await }
    });
    reception.keep(&mut tasks, "the heart", move || {
        let heartbeat = heartbeat.clone();
        async move {
            let mut beats = interval(BEAT_EVERY);
            loop {
                beats.tick().await;
                heartbeat.beat();
            }
        }
    });
    if let Some(keeper) = &reception.keeper {
        let keeper = Arc::clone(keeper);
        reception.keep(&mut tasks, "the keeper of its configuration", move || {
            let keeper = Arc::clone(&keeper);
            async move { keeper.follow().await }
        });
    }
    for door in doors {
        let (door, accepting) = (Arc::new(door), reception.clone());
        reception.keep(&mut tasks, "a listener", move || {
            accepting.clone().accept(Arc::clone(&door))
        });
    }
    shutdown.await;
    stop.cancel();
    // Doors close with their tasks; nobody is to knock in vain at one behind which nobody is.
    while tasks.join_next().await.is_some() {}
    reception.drain().await;
}

// === impl Reception ===

impl Reception {
    /// Runs a task, over and over if need be, until the end.
    fn keep<F>(
        &self,
        tasks: &mut JoinSet<()>,
        what: &'static str,
        start: impl FnMut() -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let (metrics, stop) = (Arc::clone(&self.metrics), self.stop.clone());
        tasks.spawn(async move {
            let running = supervised(what, &metrics, &stop, start);
            stop.run_until_cancelled(running).await;
        });
    }

    async fn accept(mut self, door: Arc<impl Door>) {
        if door.is_local() {
            self.service = self.service_for_locals.clone();
        }
        let mut trouble = Trouble::default();
        loop {
            // Nothing is accepted before there is room for it. Nobody closes this semaphore.
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
                return;
            };
            match door.accept().await {
                Ok(client) => {
                    trouble.is_over();
                    let connection = Box::pin(self.clone().connection(client, slot));
                    let abort = self.abort.clone();
                    self.connections
                        .spawn(async move { abort.run_until_cancelled(connection).await });
                }
                Err(error) => {
                    self.metrics.web_accept_failed();
                    sleep(trouble.pause_after(&error)).await;
                }
            }
        }
    }

    async fn connection(self, client: Client, _slot: OwnedSemaphorePermit) {
        let _tells_of_a_panic = TellsOfPanic(&self.metrics);
        let tls = self.keeper.as_ref().and_then(|keeper| keeper.tls());
        let Some(tls) = tls else {
            return self.http_1(client).await;
        };
        let handshake = TlsAcceptor::from(tls).accept(client);
        match timeout(HEAD_TIMEOUT, handshake).await {
            Ok(Ok(client)) if client.get_ref().1.alpn_protocol() == Some(H2) => {
                self.http_2(client).await;
            }
            Ok(Ok(client)) => self.http_1(client).await,
            Ok(Err(error)) => debug!(%error, "a TLS handshake with a client failed"),
            Err(_) => debug!("a client did not end its TLS handshake in time"),
        }
    }

    async fn http_1(&self, client: impl Stream + 'static) {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(client), self.service.clone());
        self.serve(connection, http1::Connection::graceful_shutdown)
            .await;
    }

    async fn http_2(&self, client: impl Stream + 'static) {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(ASK_EVERY)
            .keep_alive_timeout(HEAD_TIMEOUT)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(HEAD_LIMIT).unwrap_or(u32::MAX))
            .serve_connection(TokioIo::new(client), self.service.clone());
        self.serve(connection, http2::Connection::graceful_shutdown)
            .await;
    }

    /// Serves a client for so long and no longer.
    async fn serve<C: Future<Output = hyper::Result<()>>>(
        &self,
        connection: C,
        shut_down: impl FnOnce(Pin<&mut C>),
    ) {
        let mut connection = pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => Ok(served),
            () = until_enough(&self.stop) => {
                shut_down(connection.as_mut());
                timeout(GRACE, connection).await
            }
        };
        match served {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "a client of the web server broke off"),
            Err(_) => debug!("a client of the web server did not read its answer in time"),
        }
    }

    /// Lets those that are being answered read what they are owed.
    async fn drain(self) {
        self.connections.close();
        if timeout(DRAIN, self.connections.wait()).await.is_err() {
            warn!("not every client of the web server had read its answer when reachd stopped");
        }
        self.abort.cancel();
        self.connections.wait().await;
    }
}

async fn until_enough(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = sleep(LIFETIME) => {}
    }
}

/// Clients that could not be accepted, one after the other.
#[derive(Debug, Default)]
struct Trouble {
    in_a_row: u64,
    pause: Duration,
}

impl Trouble {
    /// How long to wait after one more.
    fn pause_after(&mut self, error: &io::Error) -> Duration {
        // A client that went away while it waited is no trouble of ours.
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
        ) {
            return Duration::ZERO;
        }
        if self.in_a_row == 0 {
            warn!(%error, "the web server cannot accept clients, and keeps trying");
        }
        self.in_a_row += 1;
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.pause
    }

    fn is_over(&mut self) {
        if self.in_a_row > 0 {
            let failed = self.in_a_row;
            info!(failed, "the web server accepts clients again");
        }
        *self = Self::default();
    }
}

/// Counts and logs the fault of a task that panics.
struct TellsOfPanic<'a>(&'a Metrics);

impl Drop for TellsOfPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.web_panicked();
            error!("the web server lost a connection to a fault of its own, please report it");
        }
    }
}

#[cfg(test)]
mod tests;
