//! What is sent byte by byte, and what every answer means.

use std::time::Duration;

use tokio::io::duplex;

use super::*;
use crate::route::{Bypass, Names, ProxyKind, Secret};

const PATIENCE: Duration = Duration::from_secs(2);

fn proxy(credentials: bool) -> Proxy {
    Proxy {
        name: "corp".to_owned(),
        kind: ProxyKind::Socks5 {
            names: Names::ResolvedByProxy,
        },
        authority: authority("proxy.test", 1080),
        credentials: credentials.then(|| Credentials::Basic {
            username: "svc".to_owned(),
            password: Secret::new("hunter2".to_owned()),
        }),
        connect_headers: Vec::new(),
        bypass: Bypass::default(),
        resolver: None,
    }
}

fn authority(host: &str, port: u16) -> Authority {
    Authority {
        host: Host::parse(host).unwrap(),
        port,
    }
}

/// The result of a request, and what was sent, with a proxy that sends these bytes and closes.
async fn told(
    login: bool,
    address: Option<&str>,
    answers: &[u8],
) -> (Result<Vec<u8>, Failure>, Vec<u8>, Observed) {
    told_by(&proxy(login), address, answers).await
}

async fn told_by(
    proxy: &Proxy,
    address: Option<&str>,
    answers: &[u8],
) -> (Result<Vec<u8>, Failure>, Vec<u8>, Observed) {
    let (ours, mut theirs) = duplex(4096);
    theirs.write_all(answers).await.unwrap();
    let (mut receiving, mut sending) = tokio::io::split(theirs);
    sending.shutdown().await.unwrap();
    let target = authority("web.test", 443);
    let request = Request {
        proxy,
        target: &target,
        address: address.map(|address| address.parse().unwrap()),
    };
    let mut observed = Observed::default();
    let deadline = Instant::now() + PATIENCE;
    let result = request.open(Box::new(ours), deadline, &mut observed).await;
    let rest = match result {
        Ok(mut stream) => {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            Ok(rest)
        }
        Err(failure) => Err(failure),
    };
    let mut sent = Vec::new();
    receiving.read_to_end(&mut sent).await.unwrap();
    (rest, sent, observed)
}

const GRANTED: &[u8] = b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50";

#[tokio::test]
async fn a_name_is_sent_as_a_name_and_an_address_as_an_address() {
    let table: [(Option<&str>, &[u8]); 3] = [
        (None, b"\x05\x01\x00\x05\x01\x00\x03\x08web.test\x01\xbb"),
        (
            Some("10.1.2.3"),
            b"\x05\x01\x00\x05\x01\x00\x01\x0a\x01\x02\x03\x01\xbb",
        ),
        (
            Some("2001:db8::1"),
            b"\x05\x01\x00\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb",
        ),
    ];
    for (address, expected) in table {
        let (result, sent, observed) = told(false, address, GRANTED).await;
        assert_eq!(result, Ok(Vec::new()));
        assert_eq!(sent, expected, "{address:?}");
        assert_eq!(observed.proxy.unwrap().socks_reply, Some(0));
    }
}

#[tokio::test]
async fn the_login_is_sent_only_to_a_proxy_that_asks_for_it() {
    let granted = &GRANTED[2..];
    let asked = [b"\x05\x02\x01\x00", granted].concat();
    let (result, sent, _) = told(true, None, &asked).await;
    assert_eq!(result, Ok(Vec::new()));
    assert_eq!(
        sent,
        b"\x05\x02\x00\x02\x01\x03svc\x07hunter2\x05\x01\x00\x03\x08web.test\x01\xbb"
    );
    let (result, sent, _) = told(true, None, GRANTED).await;
    assert_eq!(result, Ok(Vec::new()));
    assert_eq!(
        sent,
        b"\x05\x02\x00\x02\x05\x01\x00\x03\x08web.test\x01\xbb"
    );
}

#[tokio::test]
async fn what_follows_the_reply_is_the_endpoints() {
    let table: [&[u8]; 3] = [
        b"\x01\x7f\x00\x00\x01\x00\x50",
        b"\x03\x03abc\x00\x50",
        b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50",
    ];
    for bound in table {
        let answers = [b"\x05\x00\x05\x00\x00", bound, b"SSH-2.0"].concat();
        let (result, _, _) = told(false, None, &answers).await;
        assert_eq!(result.as_deref(), Ok(&b"SSH-2.0"[..]), "{bound:?}");
    }
}

/// Whether credentials are configured, what is answered, the reason, and a part of the detail.
type Row = (bool, &'static [u8], &'static str, &'static str);

const ANSWERS: &[Row] = &[
    (
        false,
        b"\x05\x00\x05\x01\0\x01",
        "socks_rejected",
        "reply 1: general",
    ),
    (
        false,
        b"\x05\x00\x05\x02\0\x01",
        "forbidden",
        "reply 2: not allowed",
    ),
    (
        false,
        b"\x05\x00\x05\x03\0\x01",
        "bad_gateway",
        "network unreachable",
    ),
    (
        false,
        b"\x05\x00\x05\x04\0\x01",
        "bad_gateway",
        "does not resolve",
    ),
    (
        false,
        b"\x05\x00\x05\x05\0\x01",
        "bad_gateway",
        "connection refused",
    ),
    (
        false,
        b"\x05\x00\x05\x06\0\x01",
        "gateway_timeout",
        "TTL expired",
    ),
    (
        false,
        b"\x05\x00\x05\x07\0\x01",
        "socks_rejected",
        "command not",
    ),
    (
        false,
        b"\x05\x00\x05\x08\0\x01",
        "socks_rejected",
        "address type",
    ),
    (
        false,
        b"\x05\x00\x05\x5b\0\x01",
        "socks_rejected",
        "reply 91",
    ),
    (false, b"\x05\xff", "auth_required", "no credentials"),
    (true, b"\x05\xff", "unsupported_auth", "neither"),
    (true, b"\x05\x02\x01\x01", "auth_rejected", "status 1"),
    (false, b"\x05\x02", "protocol_error", "method 2"),
    (true, b"\x05\x01", "protocol_error", "method 1"),
    (
        false,
        b"HTTP/1.1 400 Bad Request\r\n",
        "protocol_error",
        "HTTP proxy",
    ),
    (false, b"\x00\x5b", "protocol_error", "0x00"),
    (false, b"\x05\x00\x04\x00\x00\x01", "protocol_error", "0x04"),
    (
        false,
        b"\x05\x00\x05\x00\x00\x02",
        "protocol_error",
        "type 2",
    ),
    (false, b"", "closed", "the greeting"),
    (false, b"\x05", "closed", "the greeting"),
    (true, b"\x05\x02\x01", "closed", "the login"),
    (false, b"\x05\x00\x05\x00\x00", "closed", "the request"),
    (
        false,
        b"\x05\x00\x05\x00\x00\x03\x05ab",
        "closed",
        "the request",
    ),
];

#[tokio::test]
async fn every_other_answer_has_its_reason() {
    for (login, answers, reason, detail) in ANSWERS {
        let (result, _, _) = told(*login, None, answers).await;
        let failure = result.unwrap_err();
        assert_eq!(
            failure.reason.to_string(),
            format!("proxy/{reason}"),
            "{answers:?}"
        );
        assert!(failure.detail.contains(detail), "{}", failure.detail);
        assert!(!failure.detail.contains("hunter2"));
    }
}

#[tokio::test]
async fn only_a_name_can_fail_to_resolve_at_the_proxy() {
    let (result, _, _) = told(false, Some("10.1.2.3"), b"\x05\x00\x05\x04\0\x01").await;
    let detail = result.unwrap_err().detail;
    assert!(
        detail.contains("web.test:443 (10.1.2.3) at proxy corp"),
        "{detail}"
    );
    assert!(detail.ends_with("reply 4: host unreachable"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_waited_for_until_the_deadline() {
    let (ours, _theirs) = duplex(4096);
    let (proxy, target) = (proxy(false), authority("web.test", 443));
    let request = Request {
        proxy: &proxy,
        target: &target,
        address: None,
    };
    let started = Instant::now();
    let result = request
        .open(Box::new(ours), started + PATIENCE, &mut Observed::default())
        .await;
    let failure = result.err().unwrap();
    assert_eq!(failure.reason, ProxyReason::Timeout.into());
    assert_eq!(started.elapsed(), PATIENCE);
}

#[tokio::test]
async fn what_does_not_fit_is_not_sent() {
    let (proxy, target) = (proxy(false), authority(&"a.".repeat(150), 443));
    let request = Request {
        proxy: &proxy,
        target: &target,
        address: None,
    };
    let failure = request.message().unwrap_err();
    assert!(failure.detail.contains("255 bytes"), "{}", failure.detail);
}

#[test]
fn an_ipv4_address_is_preferred() {
    let addresses = |list: &[&str]| -> Vec<IpAddr> {
        list.iter()
            .map(|address| address.parse().unwrap())
            .collect()
    };
    let told = |list: &[&str]| preferred(&addresses(list)).map(|address| address.to_string());
    assert_eq!(told(&["::1", "10.1.2.3"]).as_deref(), Some("10.1.2.3"));
    assert_eq!(told(&["::1", "::2"]).as_deref(), Some("::1"));
    assert_eq!(told(&[]), None);
}

#[tokio::test]
async fn credentials_that_socks_has_no_method_for_are_not_offered() {
    let ntlm = Credentials::Ntlm {
        username: "svc".to_owned(),
        domain: None,
        password: Secret::new("hunter2".to_owned()),
    };
    let proxy = Proxy {
        credentials: Some(ntlm),
        ..proxy(false)
    };
    let (found, sent, _) = told_by(&proxy, None, b"\x05\xff").await;
    assert_eq!(sent, b"\x05\x01\x00");
    let failure = found.unwrap_err();
    assert_eq!(failure.reason, ProxyReason::UnsupportedAuth.into());
    let expected = "NTLM credentials are configured; SOCKS takes basic only";
    assert!(failure.detail.contains(expected), "{failure:?}");
    let (found, _, _) = told_by(&proxy, None, &[b"\x05\x00", &GRANTED[2..]].concat()).await;
    assert!(found.is_ok(), "{found:?}");
}
