//! A connection that speaks HTTP/1.1, over which one request may follow another, and the request that is under way.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::{Driver, MAX_HEAD_BYTES, Watch, Watched};
use crate::outcome::Phase;
use crate::probe::journal::Journal;
use crate::probe::stream::BoxedStream;
use crate::probe::tls::Demand;

/// A connection that is ready for a request.
pub(in crate::probe) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Driver,
}

/// One request of several, and what is seen on the wire meanwhile.
#[derive(Debug)]
pub(in crate::probe) struct Leg {
    /// None while no request is under way.
    started: Option<Instant>,
    pub(in crate::probe) watch: Watch,
    /// Whether the peer asked for a client certificate, and so may refuse us.
    pub(in crate::probe) demand: Demand,
}

impl Connection {
    pub(in crate::probe) async fn open(
        stream: BoxedStream,
        watch: &Watch,
    ) -> Result<Self, hyper::Error> {
        let io = TokioIo::new(Watched::new(stream, watch));
        let mut builder = Builder::new();
        builder
            .max_buf_size(MAX_HEAD_BYTES)
            .max_header_size(MAX_HEAD_BYTES);
        let (sender, connection) = builder.handshake(io).await?;
        let driver = Driver::new(connection.with_upgrades());
        Ok(Self { sender, driver })
    }

    /// Sends a request and waits for the head of the answer.
    pub(in crate::probe) async fn ask(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        let answer = self.sender.send_request(request);
        self.driver.drive(answer).await
    }

    /// Reads past the body of an answer, and tells whether another request can follow.
    pub(in crate::probe) async fn is_free_after(&mut self, body: Incoming) -> bool {
        self.driver.reads_past(body).await && self.driver.drive(self.sender.ready()).await.is_ok()
    }

    /// What keeps the last answer coming.
    pub(in crate::probe) fn into_driver(self) -> Driver {
        self.driver
    }
}

impl Leg {
    /// The first one, which begins now.
    pub(in crate::probe) fn first(demand: Demand) -> Self {
        Self {
            started: Some(Instant::now()),
            watch: Watch::new(),
            demand,
        }
    }

    /// When it began; none while no request is under way.
    pub(in crate::probe) fn started(&self) -> Option<Instant> {
        self.started
    }

    /// Whether the peer ended a connection that it had left open, and said nothing to the request.
    pub(in crate::probe) fn was_abandoned(&self) -> bool {
        self.watch.ended() && self.watch.first_byte().is_none()
    }

    /// Ends as a talk with a proxy that led to nothing yet.
    pub(in crate::probe) fn ends_in_phase_proxy(&mut self, journal: &mut Journal) {
        if let Some(started) = self.started.take() {
            journal.took(Phase::Proxy.with_proxy(), started);
        }
    }

    /// The next one begins on the same connection.
    pub(in crate::probe) fn begins(&mut self) {
        self.started = Some(Instant::now());
        self.watch.waits_for_first_byte();
    }

    /// The next one begins on another connection.
    pub(in crate::probe) fn begins_elsewhere(&mut self, demand: Demand) {
        *self = Self::first(demand);
    }
}
