//! Drives a connection while something that needs it is awaited. Over HTTP/1.1 that is one task and no extra
//! wake-up; HTTP/2 has tasks of its own, which end with the connection.

use std::future::Future;
use std::pin::Pin;

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
}
