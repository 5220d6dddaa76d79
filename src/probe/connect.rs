//! The phase `connect`: addresses are tried one after the other in the order of RFC 8305 §4, each with a
//! fair share of the time that is left, so that one dead address cannot use it up.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::outcome::{ConnectReason, ConnectSeen, Failure, Observed, Peer};
use crate::platform;

/// More addresses of one name are not tried: the time for each would be too short to mean anything.
const MOST_ADDRESSES: usize = 8;

/// How many questions of TCP go unanswered before it gives the peer up.
const UNANSWERED: u32 = 3;

/// How long TCP waits for the answer to such a question at most: a peer that is gone is to be found out soon after
/// the first, however rarely it is asked.
const MOST_PATIENCE: Duration = Duration::from_secs(5);

/// Connects to the first address that answers.
pub(super) async fn connect(
    addresses: &[IpAddr],
    port: u16,
    peer: Peer,
    deadline: Instant,
    observed: &mut Observed,
) -> Result<TcpStream, Failure> {
    let addresses = &addresses[..addresses.len().min(MOST_ADDRESSES)];
    let mut attempts: Vec<(ConnectReason, String)> = Vec::new();
    for (tried, address) in addresses.iter().enumerate() {
        let address = SocketAddr::new(*address, port);
        let share = fair_share(deadline, addresses.len() - tried);
        let (reason, error) = match timeout_at(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A handshake and a request are single writes: waiting for more would only distort their time.
                stream.set_nodelay(true).ok();
                observed.connects.push(ConnectSeen {
                    peer,
                    address,
                    error: None,
                });
                return Ok(stream);
            }
            Ok(Err(error)) => (reason_of(&error, address), describe(&error)),
            Err(_) => (ConnectReason::Timeout, "no answer in time".to_owned()),
        };
        observed.connects.push(ConnectSeen {
            peer,
            address,
            error: Some(error.clone()),
        });
        attempts.push((reason, format!("{address}: {error}")));
    }
    Err(failure(attempts, peer))
}

/// Has TCP ask for the peer whenever the connection was idle for so long. After three questions without an answer
/// in quick succession the connection counts as lost.
pub(super) fn keep_alive(stream: &TcpStream, period: Duration) {
    let settings = TcpKeepalive::new()
        .with_time(period)
        .with_interval(period.min(MOST_PATIENCE))
        .with_retries(UNANSWERED);
    // Where the system cannot, the connection is as idle as without.
    SockRef::from(stream).set_tcp_keepalive(&settings).ok();
}

/// The moment until which one of `left` candidates may use the time up to the deadline.
pub(super) fn fair_share(deadline: Instant, left: usize) -> Instant {
    let now = Instant::now();
    let left = u32::try_from(left.max(1)).unwrap_or(u32::MAX);
    now + deadline.saturating_duration_since(now) / left
}

/// The most telling reason of all attempts: an answer tells more than silence, and silence more than a
/// family of addresses that this machine has no route for.
fn failure(attempts: Vec<(ConnectReason, String)>, peer: Peer) -> Failure {
    let rank = |reason: &ConnectReason| match reason {
        ConnectReason::NoRoute => 0,
        ConnectReason::Unreachable => 1,
        ConnectReason::Timeout => 2,
        ConnectReason::Reset => 3,
        ConnectReason::Refused => 4,
    };
    let reason = attempts.iter().map(|(reason, _)| *reason).max_by_key(rank);
    let details: Vec<String> = attempts.into_iter().map(|(_, detail)| detail).collect();
    Failure::new(
        reason.unwrap_or(ConnectReason::NoRoute),
        peer,
        details.join("; "),
    )
}

/// A shortage of this machine must not send anybody to look for it in the network.
fn describe(error: &io::Error) -> String {
    let is_of_the_network = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
    );
    if is_of_the_network {
        error.to_string()
    } else if let Some(shortage) = platform::shortage(error) {
        shortage
    } else {
        format!("this machine: {error}")
    }
}

fn reason_of(error: &io::Error, address: SocketAddr) -> ConnectReason {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectReason::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => ConnectReason::Reset,
        io::ErrorKind::TimedOut => ConnectReason::Timeout,
        io::ErrorKind::HostUnreachable => ConnectReason::Unreachable,
        // A router without a route says the same as a machine without one.
        io::ErrorKind::NetworkUnreachable if has_route(address) => ConnectReason::Unreachable,
        // What is left is this machine's own: NetworkUnreachable; PermissionDenied and InvalidInput, which a
        // `prohibit` and a `blackhole` route answer; no address of this family; no socket to be had.
        _ => ConnectReason::NoRoute,
    }
}

/// Whether this machine itself knows a way to the address. Connecting a datagram socket looks up the route and
/// sends nothing.
fn has_route(address: SocketAddr) -> bool {
    let unspecified: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((unspecified, 0)).is_ok_and(|socket| socket.connect(address).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_reason_wins() {
        let attempts = vec![
            (ConnectReason::NoRoute, "[::1]:1: no route".to_owned()),
            (ConnectReason::Refused, "127.0.0.1:1: refused".to_owned()),
            (
                ConnectReason::Timeout,
                "127.0.0.2:1: no answer in time".to_owned(),
            ),
        ];
        let failure = failure(attempts, Peer::Endpoint);
        assert_eq!(failure.reason, ConnectReason::Refused.into());
        assert_eq!(
            failure.detail,
            "[::1]:1: no route; 127.0.0.1:1: refused; 127.0.0.2:1: no answer in time"
        );
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_peer_that_is_gone_is_found_out_soon_after_the_first_question() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let socket = SockRef::from(&stream);
        for (period, interval) in [(1, 1), (5, 5), (60, 5), (3600, 5)] {
            keep_alive(&stream, Duration::from_secs(period));
            assert_eq!(socket.tcp_keepalive_time().unwrap().as_secs(), period);
            assert_eq!(socket.tcp_keepalive_interval().unwrap().as_secs(), interval);
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_candidate_has_a_fair_share_of_what_is_left() {
        let deadline = Instant::now() + Duration::from_secs(9);
        assert_eq!(
            fair_share(deadline, 3),
            Instant::now() + Duration::from_secs(3)
        );
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(
            fair_share(deadline, 2),
            Instant::now() + Duration::from_secs(3)
        );
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(fair_share(deadline, 1), Instant::now());
    }
}
