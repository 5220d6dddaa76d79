//! What the readers of proxies' answers stand, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use std::io::Cursor;
use std::time::Duration;

use hyper::StatusCode;
use hyper::ext::ReasonPhrase;
use hyper::header::{HeaderValue, LOCATION};
use tokio::io::{AsyncReadExt, join, sink};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use super::Head;
use super::answer::{own_answer, refusal};
use super::socks::Request;
use crate::outcome::{Failure, Observed, Peer};
use crate::probe::fuzzed::{LONGEST_DETAIL, SECRET, authority, headers, proxy};
use crate::route::{Names, ProxyKind};

/// As much as is kept of what a proxy says in one place: characters, which take up to four bytes.
const LONGEST_SAID: usize = 4 * 256;

/// What grants a tunnel: a method, and a reply with a name of no length.
const SHORTEST: usize = 2 + 4 + 1 + 2;

thread_local! {
    static RUNTIME: Option<Runtime> = Builder::new_current_thread().enable_time().build().ok();
}

/// What a SOCKS proxy answers: it is read to its last byte and no further, or refused in a few words without the
/// password.
pub fn socks_answer(bytes: &[u8]) {
    let socks = ProxyKind::Socks5 {
        names: Names::ResolvedByProxy,
    };
    let (proxy, target) = (proxy(socks), authority("web.test", 443));
    let request = Request {
        proxy: &proxy,
        target: &target,
        address: None,
    };
    let asked = async {
        let stream = join(Cursor::new(bytes.to_vec()), sink());
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut observed = Observed::default();
        let opened = request
            .open(Box::new(stream), deadline, &mut observed)
            .await;
        let mut rest = Vec::new();
        if let Ok(mut stream) = opened {
            assert!(stream.read_to_end(&mut rest).await.is_ok());
            return Ok(rest);
        }
        opened.map(|_| rest)
    };
    let asked = RUNTIME.with(|runtime| runtime.as_ref().map(|runtime| runtime.block_on(asked)));
    match asked {
        Some(Ok(rest)) => assert!(bytes.ends_with(&rest) && bytes.len() >= rest.len() + SHORTEST),
        Some(Err(failure)) => is_told(&failure),
        None => {}
    }
}

fn is_told(failure: &Failure) {
    assert_eq!(failure.peer, Peer::Proxy);
    let told = &failure.detail;
    assert!(told.len() <= LONGEST_DETAIL, "{} bytes", told.len());
    assert!(!told.contains(SECRET), "{told}");
}

/// The head of an HTTP proxy's answer, to CONNECT or in an endpoint's place: its status in two bytes, its phrase, and its
/// headers a line each. What is kept and told of it is short.
pub fn connect_answer(bytes: &[u8]) {
    let Some((status, rest)) = bytes.split_at_checked(2) else {
        return;
    };
    let status = u16::from_be_bytes([status[0], status[1]]) % 500 + 100;
    let Ok(status) = StatusCode::from_u16(status) else {
        return;
    };
    let end = rest.iter().position(|byte| *byte == b'\n');
    let (phrase, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let phrase = ReasonPhrase::try_from(phrase).ok();
    let headers = headers(rest);
    let head = Head {
        status,
        phrase: phrase.as_ref(),
        headers: &headers,
    };
    let proxy = proxy(ProxyKind::Http);
    let seen = head.seen(true);
    assert!(seen.offered_authentication.len() <= 16);
    let said = [seen.product, seen.error, head.relayed().product];
    for said in said.into_iter().flatten() {
        assert!(said.len() <= LONGEST_SAID, "{said}");
    }
    assert!(seen.clock_offset_seconds.is_none_or(f64::is_finite));
    let (_, told) = refusal(&head, &proxy, None);
    assert!(told.len() <= LONGEST_DETAIL, "{} bytes", told.len());
    let own = own_answer(&head, &proxy, None);
    assert!(own.is_some() || status != StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    if let Some((failure, _)) = own {
        let location = headers.get(LOCATION).map(HeaderValue::as_bytes);
        let logins = count(location.unwrap_or_default(), &format!("//user:{SECRET}@"));
        let is_elsewhere = count(bytes, SECRET) != logins;
        assert!(is_elsewhere || !failure.detail.contains(SECRET));
        assert!(failure.detail.len() <= LONGEST_DETAIL);
    }
}

fn count(bytes: &[u8], text: &str) -> usize {
    let windows = bytes.windows(text.len());
    windows.filter(|window| *window == text.as_bytes()).count()
}
