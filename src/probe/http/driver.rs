//! Drives a connection while something that needs it is awaited. Over HTTP/1.1 that is one task and no extra
//! wake-up; HTTP/2 has tasks of its own, which end with the connection.

use std::future::Future;
use std::pin::Pin;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};

/// The most that is read of an answer that nobody wants, so that the connection can be used again.
const MOST_UNWANTED_BYTES: usize = 256 * 1024;

/// A connection's own work, as long as there is any.
pub(in crate::probe) struct Driver {
    connection: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Driver {
    /// Takes over a connection. Its errors reach whoever waits for an answer over it, so its own result says
    /// nothing new.
    pub(in crate::probe) fn new<E>(
        connection: impl Future<Output = Result<(), E>> + Send + 'static,
    ) -> Self {
        Self {
            connection: Some(Box::pin(async move {
                connection.await.ok();
            })),
        }
    }

    /// Awaits `work` and keeps the connection going meanwhile.
    pub(in crate::probe) async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        if let Some(connection) = &mut self.connection {
            tokio::select! {
                biased;
                result = &mut work => return result,
                () = connection => self.connection = None,
            }
        }
        work.await
    }

    /// Reads past a body that nobody wants, and tells whether that came to its end.
    pub(in crate::probe) async fn reads_past(&mut self, mut body: Incoming) -> bool {
        let mut read = 0;
        while let Some(frame) = self.drive(body.frame()).await {
            let Ok(frame) = frame else { return false };
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > MOST_UNWANTED_BYTES {
                return false;
            }
        }
        true
    }
}
