//! The server on a thread of its own, so that no scrape delays a probe.

use std::io;
use std::thread;

use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Fault;
use crate::app::arguments::DaemonArguments;
use crate::platform::{ListeningSocket, sockets_of_systemd};
use crate::server::{Front, Listener, Place, Server, WebFile, serve};

/// The server at work. Whatever ends it ends the daemon: one that cannot be scraped is of no use.
#[derive(Debug)]
pub(super) struct Serving(thread::JoinHandle<Result<(), Fault>>);

impl Serving {
    /// Serves clients of all listeners until `stop`, which the end of the server sets off, too.
    pub(super) fn start(
        sockets: Vec<ListeningSocket>,
        server: Server,
        front: Front,
        stop: CancellationToken,
    ) -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| cannot_start(&error))?;
        server.metrics.runtime("serving", runtime.handle());
        Self::on_thread(stop.clone(), move || {
            runtime.block_on(async {
                let listeners = sockets.into_iter().map(registered);
                let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
                serve(listeners, server, front, stop.cancelled()).await;
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

/// By what way clients come in, as the flags say; read before anything is bound.
pub(super) fn front(arguments: &DaemonArguments) -> Result<Front, Fault> {
    let web = &arguments.web;
    let place = Place::new(&web.route_prefix, &web.telemetry_path).map_err(Fault::Usage)?;
    let file = web.web_config_file.as_deref();
    let file = file.map(WebFile::load).transpose().map_err(Fault::Usage)?;
    Ok(Front {
        web: file,
        place,
        hosts: web.hosts.clone(),
        ..Front::default()
    })
}

/// Binds before anything is probed, so that a taken port is told at once.
pub(super) fn sockets(arguments: &DaemonArguments) -> Result<Vec<ListeningSocket>, Fault> {
    if arguments.web.systemd_socket {
        return sockets_of_systemd()
            .map_err(|why| Fault::Usage(format!("--web.systemd-socket: {why}")));
    }
    let bind = |address| {
        ListeningSocket::bind(address).map_err(|error| {
            Fault::Usage(format!(
                "cannot listen on {address}: {error}; choose another --web.listen-address"
            ))
        })
    };
    arguments.listen_addresses.iter().map(bind).collect()
}

fn registered(socket: ListeningSocket) -> Result<Listener, Fault> {
    let place = socket.place();
    let listener = Listener::serving(socket)
        .map_err(|error| Fault::Internal(format!("a listener cannot be served: {error}")))?;
    info!(address = place, "serving the page, /metrics and the API");
    Ok(listener)
}

fn cannot_start(error: &io::Error) -> Fault {
    Fault::Internal(format!("the server cannot be started: {error}"))
}
