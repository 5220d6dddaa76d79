//! A question over TCP or TLS (RFC 7766, RFC 7858), where messages stand behind their length: the first one that comes
//! back with the number of the question is its answer, readable or not.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_resolver::net::NetError;
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::probe::stream::{BoxedStream, Paced, Stream};

/// How a server that is asked over TLS is recognised.
pub(super) struct Secured<'a> {
    pub(super) config: &'a ClientConfig,
    pub(super) server_name: &'a str,
}

/// Asks over a connection of its own.
pub(super) async fn ask(
    server: SocketAddr,
    secured: Option<Secured<'_>>,
    request: &DnsRequest,
) -> Result<DnsResponse, NetError> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true).ok();
    let stream = Paced::new(stream);
    let mut stream: BoxedStream = match secured {
        None => Box::new(stream),
        Some(secured) => Box::new(secured.handshake(stream).await?),
    };
    let question = request.to_vec()?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    let framed = [&length.to_be_bytes()[..], &question].concat();
    stream.write_all(&framed).await?;
    stream.flush().await?;
    loop {
        let length = stream.read_u16().await?;
        let mut message = vec![0; usize::from(length)];
        stream.read_exact(&mut message).await?;
        if message.starts_with(&request.metadata.id.to_be_bytes()) {
            return Ok(DnsResponse::from_buffer(message)?);
        }
    }
}

impl Secured<'_> {
    async fn handshake<S: Stream>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let name = ServerName::try_from(self.server_name.to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::new(self.config.clone()));
        connector.connect(name, stream).await
    }
}
