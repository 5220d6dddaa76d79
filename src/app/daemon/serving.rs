//! The server on a thread of its own, so that no scrape delays a probe.

use std::io;
use std::net;
use std::thread;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Fault;
use crate::server::{Server, serve};

/// The server at work. Whatever ends it ends the daemon: one that cannot be scraped is of no use.
#[derive(Debug)]
pub(super) struct Serving(thread::JoinHandle<Result<(), Fault>>);

impl Serving {
    /// Serves clients of all listeners until `stop`, which the end of the server sets off, too.
    pub(super) fn start(
        listeners: Vec<net::TcpListener>,
        server: Server,
        stop: CancellationToken,
    ) -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| cannot_start(&error))?;
        Self::on_thread(stop.clone(), move || {
            runtime.block_on(async {
                let listeners = listeners.into_iter().map(registered);
                let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
                serve(listeners, server, stop.cancelled()).await;
                Ok(())
            })
        })
    }

    /// Waits for the end of the server, which must have been told to stop, and says what was wrong with it.
    pub(super) fn end(self) -> Result<(), Fault> {
        self.0.join().unwrap_or_else(|_| {
            Err(Fault::Internal(
                "the web server ended by a fault of reachd, please report it".to_owned(),
            ))
        })
    }

    /// Runs any server on a thread.
    pub(super) fn on_thread(
        stop: CancellationToken,
        serve: impl FnOnce() -> Result<(), Fault> + Send + 'static,
    ) -> Result<Self, Fault> {
        let body = move || {
            let _ends_with_server = stop.drop_guard();
            serve()
        };
        let thread = thread::Builder::new().name("server".to_owned()).spawn(body);
        thread.map(Self).map_err(|error| cannot_start(&error))
    }
}

fn registered(listener: net::TcpListener) -> Result<TcpListener, Fault> {
    let listener = TcpListener::from_std(listener)
        .map_err(|error| Fault::Internal(format!("a listener cannot be served: {error}")))?;
    if let Ok(address) = listener.local_addr() {
        info!(%address, "serving the page, /metrics and the API");
    }
    Ok(listener)
}

fn cannot_start(error: &io::Error) -> Fault {
    Fault::Internal(format!("the server cannot be started: {error}"))
}
