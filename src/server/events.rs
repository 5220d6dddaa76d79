//! Server-sent events: how things stand, whenever that changed and at most once a second, for so many clients at once
//! and no more. Whoever reads slowly misses what came between, and never the latest.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::sleep;
use tokio_stream::Stream;
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;

use super::api::Pulse;
use super::{Server, respond};

/// How many clients are told at once. Each of them takes one of the server's connections.
pub(super) const CLIENTS: usize = 64;

/// How often clients are told at most.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// How often a client hears that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How long a client is told before it must ask anew: less than a connection lives.
const LIFETIME: Duration = Duration::from_secs(50);

/// How long a client is to wait before it asks anew.
const RETRY: Duration = Duration::from_secs(1);

/// Who is told, and of what.
#[derive(Debug, Clone)]
pub(super) struct Events {
    told: watch::Sender<Arc<str>>,
    slots: Arc<Semaphore>,
    stop: CancellationToken,
}

/// What one client is told, until its time is over or the server ends.
struct Telling {
    told: WatchStream<Arc<str>>,
    end: Pin<Box<dyn Future<Output = ()> + Send>>,
    _slot: OwnedSemaphorePermit,
}

// === impl Events ===

impl Events {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self {
            told: watch::Sender::new(Arc::from("")),
            slots: Arc::new(Semaphore::new(CLIENTS)),
            stop,
        }
    }

    /// Tells everybody of every change until the end.
    pub(super) async fn tell(&self, server: &Server) {
        let (mut changes, mut causes) = (server.changes.subscribe(), server.causes.clone());
        loop {
            tokio::select! {
                Ok(()) = changes.changed() => {}
                Ok(()) = causes.changed() => {}
                () = self.stop.cancelled() => return,
            }
            if self.told.receiver_count() > 0 {
                self.told.send_replace(Pulse::of(server).json());
            }
            sleep(AT_MOST_EVERY).await;
        }
    }

    /// What a new client is told, first of all how things stand now; `None` where there are too many.
    fn telling(&self, server: &Server) -> Option<Telling> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().ok()?;
        let mut receiver = self.told.subscribe();
        self.told.send_replace(Pulse::of(server).json());
        receiver.mark_changed();
        let stop = self.stop.clone();
        Some(Telling {
            told: WatchStream::from_changes(receiver),
            end: Box::pin(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(LIFETIME) => {}
                }
            }),
            _slot: slot,
        })
    }
}

/// `/api/v1/events`.
pub(super) async fn events(
    State(server): State<Arc<Server>>,
    axum::Extension(events): axum::Extension<Events>,
) -> Response {
    match events.telling(&server) {
        Some(telling) => Sse::new(telling)
            .keep_alive(KeepAlive::new().interval(HEARTBEAT))
            .into_response(),
        None => respond::problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "As many clients as may be are told of events already.",
        ),
    }
}

// === impl Telling ===

impl Stream for Telling {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.told).poll_next(context).map(|pulse| {
            let event = Event::default().event("status").retry(RETRY);
            pulse.map(|pulse| Ok(event.data(pulse)))
        })
    }
}
