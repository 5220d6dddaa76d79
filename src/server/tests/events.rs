//! Events: at once, then for every change, bounded in number and in time.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::{Running, history};

async fn listening(server: &Running) -> TcpStream {
    let mut stream = server.connected().await;
    let request = b"GET /api/v1/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n";
    stream.write_all(request).await.unwrap();
    stream
}

/// What comes until this was heard, or the end.
async fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut heard = String::new();
    let mut buffer = [0; 4096];
    while !heard.contains(wanted) {
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => heard.push_str(&String::from_utf8_lossy(&buffer[..read])),
            _ => break,
        }
    }
    heard
}

#[tokio::test(start_paused = true)]
async fn clients_are_told_at_once_and_of_changes_once_a_second() {
    let server = Running::new(history(), false).await;
    let mut stream = listening(&server).await;
    let first = until(&mut stream, "\"causes\":1}").await;
    assert!(first.contains("content-type: text/event-stream"), "{first}");
    assert!(first.contains("event: status"), "{first}");
    assert!(first.contains("\"verdict\":\"critical\""), "{first}");

    let begun = Instant::now();
    for _ in 0..3 {
        for _ in 0..100 {
            server.changes.count();
        }
        until(&mut stream, "event: status").await;
    }
    let elapsed = begun.elapsed();
    assert!(
        (2..4).contains(&elapsed.as_secs()),
        "three changes took {elapsed:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_changes_lives_and_ends_before_the_servers_patience() {
    let server = Running::new(history(), false).await;
    let mut stream = listening(&server).await;
    until(&mut stream, "event: status").await;
    let begun = Instant::now();
    let rest = until(&mut stream, "nothing of the kind").await;
    assert!(rest.matches(":\n").count() >= 4, "heartbeats: {rest}");
    assert_eq!(begun.elapsed().as_secs(), 50);
}

#[tokio::test]
async fn only_so_many_clients_are_told() {
    let server = Running::new(history(), false).await;
    let mut clients = Vec::new();
    for _ in 0..64 {
        let mut stream = listening(&server).await;
        until(&mut stream, "event: status").await;
        clients.push(stream);
    }
    let answer = server.get("/api/v1/events").await;
    assert_eq!(answer.status(), "503");
    assert!(answer.has("content-type: application/problem+json"));
    // Whoever leaves makes room as soon as that is noticed, and all end with the server.
    server.stop.send(()).unwrap();
    timeout(Duration::from_secs(3), server.served)
        .await
        .unwrap()
        .unwrap();
}
