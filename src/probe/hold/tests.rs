//! What becomes of an idle connection, under paused time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::time::{Sleep, sleep};
use url::{Host, Url};

use super::heard::Heard;
use super::idle::{Idle, Use};
use crate::endpoint::{Authority, Target};
use crate::outcome::{Failure, Observed, Peer};
use crate::plan::fixture::proxied;
use crate::probe::stream::BoxedStream;
use crate::route::Route;

const WANTED: Duration = Duration::from_secs(180);
const TIMEOUT: Duration = Duration::from_secs(10);

/// Breaks after a while.
struct Breaks {
    after: Pin<Box<Sleep>>,
    with: io::ErrorKind,
}

impl AsyncRead for Breaks {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.after.as_mut().poll(cx).map(|()| Err(self.with.into()))
    }
}

impl AsyncWrite for Breaks {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn breaks(after: u64, with: io::ErrorKind) -> BoxedStream {
    let after = Box::pin(sleep(Duration::from_secs(after)));
    Box::new(Breaks { after, with })
}

fn authority() -> Authority {
    Authority {
        host: Host::parse("a.example").unwrap(),
        port: 443,
    }
}

/// What became of a connection.
struct Passed {
    result: Result<(), Failure>,
    lived: u64,
    status: Option<u16>,
}

impl Passed {
    fn failure(&self) -> (&'static str, Peer, u64) {
        let failure = self.result.as_ref().unwrap_err();
        (failure.reason.as_str(), failure.peer, self.lived)
    }

    fn detail(&self) -> &str {
        &self.result.as_ref().unwrap_err().detail
    }
}

/// Holds a connection, which is used at its end where it is one of HTTP.
async fn pass(stream: BoxedStream, target: &Target, route: &Route) -> Passed {
    let at_end = match target {
        Target::Http(url) => Some(Use {
            url,
            timeout: TIMEOUT,
        }),
        _ => None,
    };
    let mut idle = Idle {
        stream,
        target,
        proxy: route.proxy().map(|proxy| &**proxy),
        wanted: WANTED,
        at_end,
        lived: None,
        heard: Heard::default(),
    };
    let mut observed = Observed::default();
    let result = idle.pass(&mut observed).await;
    Passed {
        result,
        lived: idle.lived().unwrap().as_secs(),
        status: observed.http.map(|http| http.status),
    }
}

/// Holds a connection directly, of which the peer makes what it likes.
async fn pass_with<F: Future<Output = ()> + Send + 'static>(
    target: &Target,
    behaviour: impl FnOnce(DuplexStream) -> F,
) -> Passed {
    let (ours, theirs) = duplex(256 * 1024);
    let peer = tokio::spawn(behaviour(theirs));
    let passed = pass(Box::new(ours), target, &Route::direct()).await;
    peer.abort();
    passed
}

fn https() -> Target {
    Target::Http(Url::parse("https://a.example/x?y").unwrap())
}

async fn for_ever() {
    std::future::pending::<()>().await;
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn what_lives_until_its_time_is_up_is_held() {
    let passed = pass_with(&Target::Tcp(authority()), |theirs| async move {
        for_ever().await;
        drop(theirs);
    })
    .await;
    assert!(passed.result.is_ok());
    assert_eq!(passed.lived, 180);
}

#[tokio::test(start_paused = true)]
async fn an_end_without_a_farewell_is_laid_at_the_first_hop() {
    let (tcp, tls) = (Target::Tcp(authority()), Target::Tls(authority()));
    let (direct, corp) = (Route::direct(), proxied("proxy.example"));
    let cases = [
        (
            &tcp,
            &direct,
            io::ErrorKind::ConnectionReset,
            "reset",
            Peer::Endpoint,
        ),
        (
            &tcp,
            &corp,
            io::ErrorKind::ConnectionReset,
            "reset",
            Peer::Proxy,
        ),
        (
            &tls,
            &direct,
            io::ErrorKind::UnexpectedEof,
            "closed_early",
            Peer::Endpoint,
        ),
        (
            &tls,
            &corp,
            io::ErrorKind::UnexpectedEof,
            "closed_early",
            Peer::Proxy,
        ),
        (
            &tls,
            &corp,
            io::ErrorKind::InvalidData,
            "closed_early",
            Peer::Proxy,
        ),
        (
            &tcp,
            &direct,
            io::ErrorKind::TimedOut,
            "timeout",
            Peer::Endpoint,
        ),
    ];
    for (target, route, error, reason, peer) in cases {
        let passed = pass(breaks(4, error), target, route).await;
        assert_eq!(passed.failure(), (reason, peer, 4), "{error:?} {target}");
        assert!(
            passed.detail().contains("idle for 4.0 s of 180.0 s"),
            "{}",
            passed.detail()
        );
        assert_eq!(
            passed.detail().contains("over proxy corp"),
            peer == Peer::Proxy
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_farewell_inside_tls_is_the_endpoints_whatever_the_way() {
    let closes = || {
        let (ours, theirs) = duplex(1);
        tokio::spawn(async move {
            seconds(4).await;
            drop(theirs);
        });
        Box::new(ours)
    };
    let corp = proxied("proxy.example");
    let farewell = pass(closes(), &Target::Tls(authority()), &corp).await;
    assert_eq!(farewell.failure(), ("closed_early", Peer::Endpoint, 4));
    assert!(farewell.detail().contains("close_notify"));
    let plain = pass(closes(), &Target::Tcp(authority()), &corp).await;
    assert_eq!(plain.failure(), ("closed_early", Peer::Proxy, 4));
}

#[tokio::test(start_paused = true)]
async fn at_its_end_any_answer_will_do() {
    let passed = pass_with(&https(), |mut theirs| async move {
        let mut request = [0; 1024];
        let length = theirs.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        assert!(request.starts_with("GET /x?y HTTP/1.1\r\nHost: a.example\r\n"));
        theirs
            .write_all(b"HTTP/1.1 503 Later\r\n\r\n")
            .await
            .unwrap();
        for_ever().await;
    })
    .await;
    assert!(passed.result.is_ok(), "{:?}", passed.result);
    assert_eq!((passed.lived, passed.status), (180, Some(503)));
}

#[tokio::test(start_paused = true)]
async fn no_answer_at_its_end_means_that_it_was_forgotten() {
    let passed = pass_with(&https(), |theirs| async move {
        for_ever().await;
        drop(theirs);
    })
    .await;
    assert_eq!(passed.failure(), ("timeout", Peer::Endpoint, 180));
    assert!(
        passed.detail().contains("no answer within 10.0 s"),
        "{}",
        passed.detail()
    );

    let reset = pass(
        breaks(181, io::ErrorKind::ConnectionReset),
        &https(),
        &Route::direct(),
    )
    .await;
    assert_eq!(reset.failure(), ("reset", Peer::Endpoint, 180));
    assert!(
        reset.detail().contains("as soon as it was used"),
        "{}",
        reset.detail()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_said_unasked_is_told_and_bounded() {
    let passed = pass_with(&https(), |mut theirs| async move {
        seconds(60).await;
        theirs
            .write_all(b"HTTP/1.1 408 Request Time-out\r\nx: y\r\n")
            .await
            .unwrap();
    })
    .await;
    assert_eq!(passed.failure(), ("closed_early", Peer::Endpoint, 60));
    assert!(
        passed.detail().contains("`HTTP/1.1 408 Request Time-out`"),
        "{}",
        passed.detail()
    );

    let endless = pass_with(&Target::Tcp(authority()), |mut theirs| async move {
        let piece = [b'x'; 1024];
        while theirs.write_all(&piece).await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    assert!(endless.result.is_ok());
    assert_eq!(endless.lived, 180);
}

/// Reads the request, and answers it with the next thing it has to say.
async fn answer(stream: &mut DuplexStream, with: &[u8]) {
    let mut request = [0; 1024];
    let length = stream.read(&mut request).await.unwrap();
    assert!(request[..length].starts_with(b"GET "));
    stream.write_all(with).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_the_request_is_no_answer_to_it() {
    // More than is kept of it, and as much as an answer that nobody asked for.
    for said in [
        vec![b'x'; 200 * 1024],
        b"HTTP/1.1 408 Late\r\n\r\n".to_vec(),
    ] {
        let with_answer = said.clone();
        let silent = pass_with(&https(), |mut theirs| async move {
            seconds(1).await;
            theirs.write_all(&said).await.unwrap();
            for_ever().await;
        })
        .await;
        assert_eq!(silent.failure(), ("timeout", Peer::Endpoint, 180));

        let answered = pass_with(&https(), |mut theirs| async move {
            seconds(1).await;
            theirs.write_all(&with_answer).await.unwrap();
            answer(&mut theirs, b"HTTP/1.1 200 OK\r\n\r\n").await;
            for_ever().await;
        })
        .await;
        assert!(answered.result.is_ok(), "{:?}", answered.result);
        assert_eq!((answered.lived, answered.status), (180, Some(200)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_one_of_http() {
    let other = pass_with(&https(), |mut theirs| async move {
        answer(&mut theirs, b"+OK ready\r\n").await;
        for_ever().await;
    })
    .await;
    assert_eq!(other.failure(), ("timeout", Peer::Endpoint, 180));
    assert!(
        other.detail().contains("`+OK ready`, which is no HTTP/1"),
        "{}",
        other.detail()
    );

    let in_pieces = pass_with(&https(), |mut theirs| async move {
        answer(&mut theirs, b"HT").await;
        seconds(1).await;
        theirs.write_all(b"TP/1.0 204 None\r\n").await.unwrap();
        for_ever().await;
    })
    .await;
    assert!(in_pieces.result.is_ok(), "{:?}", in_pieces.result);
    assert_eq!(in_pieces.status, Some(204));
}

#[tokio::test(start_paused = true)]
async fn who_never_stops_talking_is_not_listened_to_for_ever() {
    for target in [https(), Target::Tcp(authority())] {
        let flood = pass_with(&target, |mut theirs| async move {
            let piece = vec![b'x'; 64 * 1024];
            while theirs.write_all(&piece).await.is_ok() {
                seconds(1).await;
            }
        })
        .await;
        // 4 MiB at 64 KiB a second.
        assert_eq!(flood.failure(), ("closed_early", Peer::Endpoint, 64));
        assert!(
            flood.detail().contains("said more than 4 MiB unasked"),
            "{}",
            flood.detail()
        );
    }
}
