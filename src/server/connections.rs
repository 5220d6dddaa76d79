//! Connections of clients: so many at once and no more, each for a bounded time, and all of them drained at the end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::events::Events;
use super::{Server, router};

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

/// How long to wait when a connection could not be accepted, for the like of too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves clients of all listeners until `shutdown`, and then those that are being answered, within a second and a half.
pub async fn serve(
    listeners: Vec<TcpListener>,
    server: Server,
    shutdown: impl Future<Output = ()> + Send,
) {
    let stop = CancellationToken::new();
    let (server, events) = (Arc::new(server), Events::new(stop.clone()));
    let service = TowerToHyperService::new(router(Arc::clone(&server), events.clone()));
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut acceptors = JoinSet::new();
    acceptors.spawn(async move { events.tell(&server).await });
    for listener in listeners {
        acceptors.spawn(accept(
            listener,
            service.clone(),
            Arc::clone(&slots),
            stop.clone(),
        ));
    }
    shutdown.await;
    stop.cancel();
    while let Some(ended) = acceptors.join_next().await {
        log_panic(ended);
    }
}

async fn accept(
    listener: TcpListener,
    service: TowerToHyperService<Router>,
    slots: Arc<Semaphore>,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    while let Some(Ok((stream, slot))) = stop.run_until_cancelled(next(&listener, &slots)).await {
        connections.spawn(connection(stream, service.clone(), stop.clone(), slot));
        while let Some(ended) = connections.try_join_next() {
            log_panic(ended);
        }
    }
    drop(listener);
    let drained = async {
        while let Some(ended) = connections.join_next().await {
            log_panic(ended);
        }
    };
    if timeout(DRAIN, drained).await.is_err() {
        warn!("not every client of the web server had read its answer when reachd stopped");
    }
}

/// The next client, when there is room for it. The error is that of a closed semaphore, and never happens.
async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Result<(TcpStream, OwnedSemaphorePermit), tokio::sync::AcquireError> {
    let slot = Arc::clone(slots).acquire_owned().await?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok((stream, slot)),
            Err(error) => {
                warn!(%error, "the web server could not accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    service: TowerToHyperService<Router>,
    stop: CancellationToken,
    _slot: OwnedSemaphorePermit,
) {
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), service)
    );
    let served = tokio::select! {
        served = connection.as_mut() => Ok(served),
        () = until_enough(&stop) => {
            connection.as_mut().graceful_shutdown();
            timeout(GRACE, connection).await
        }
    };
    match served {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "a client of the web server broke off"),
        Err(_) => debug!("a client of the web server did not read its answer in time"),
    }
}

async fn until_enough(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = sleep(LIFETIME) => {}
    }
}

fn log_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        error!(%error, "the web server lost a connection to a fault of its own");
    }
}
