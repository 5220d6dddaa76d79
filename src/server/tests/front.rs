//! Paths that stand elsewhere, and who is let in.

use std::fs;

use super::*;
use crate::server::PathFlag;

fn at(prefix: &str, metrics: &str) -> Front {
    let flag = |text: &str| text.parse::<PathFlag>().unwrap();
    Front {
        place: Place::new(&flag(prefix), &flag(metrics)).unwrap(),
        ..Front::default()
    }
}

fn guarded(text: &str) -> Front {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.yml");
    fs::write(&file, text).unwrap();
    Front {
        web: Some(WebFile::load(&file).unwrap()),
        ..Front::default()
    }
}

#[tokio::test]
async fn everything_stands_below_the_prefix() {
    let server = Running::behind(at("/tools/reachd", "/telemetry"), history(), true).await;
    for path in [
        "/tools/reachd/",
        "/tools/reachd/telemetry",
        "/tools/reachd/-/healthy",
        "/tools/reachd/assets/page.js",
        "/tools/reachd/api/v1/checks?service=site&limit=1",
    ] {
        assert_eq!(server.get(path).await.status(), "200", "{path}");
    }
    for path in ["/metrics", "/tools/reachd/metrics", "/-/healthy", "/tools"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), "404", "{path}");
        assert!(answer.has("x-content-type-options: nosniff"), "{path}");
    }
    for path in ["/", "/tools/reachd"] {
        let answer = server.get(path).await;
        assert!(answer.has("location: /tools/reachd/"), "{}", answer.head);
    }
    let chosen = server
        .json("/tools/reachd/api/v1/checks?service=site&limit=1")
        .await;
    assert_eq!(chosen["total"], 4);
    let api = server.json("/tools/reachd/api/v1/openapi.json").await;
    assert_eq!(api["servers"], json!([{"url": "/tools/reachd"}]));
    let odd = server.get("/tools/reachd/checks/a%2Fb/c/d").await;
    assert_eq!(odd.status(), "404");
}

#[tokio::test]
async fn the_links_of_pages_lead_below_the_prefix() {
    let server = Running::behind(at("/r", "/telemetry"), history(), false).await;
    let checks = server.json("/r/api/v1/checks").await;
    let id = checks["checks"][0]["id"].as_str().unwrap();
    for path in ["/r/".to_owned(), format!("/r/checks/{id}")] {
        let page = server.get(&path).await;
        let links = ["href=\"", "src=\"", "action=\""];
        let links = links
            .iter()
            .flat_map(|link| page.text().split(link).skip(1));
        let links: Vec<&str> = links.filter_map(|rest| rest.split('"').next()).collect();
        assert!(links.len() > 8, "{links:?}");
        for link in links {
            let is_relative = link.starts_with(['#', '?']);
            assert!(link.starts_with("/r/") || is_relative, "{link}");
            let link = link.split('#').next().unwrap();
            if !link.is_empty() {
                let base = if is_relative { path.as_str() } else { "" };
                let link = format!("{base}{link}")
                    .replace("&#38;", "&")
                    .replace("&amp;", "&");
                assert_eq!(server.get(&link).await.status(), "200", "{link}");
            }
        }
    }
}

#[tokio::test]
async fn without_a_login_nothing_is_told() {
    let hash = bcrypt::hash("wonderland", 4).unwrap();
    let front = guarded(&format!(
        "basic_auth_users: {{alice: {hash}}}\nhttp_server_config: {{headers: {{X-Frame-Options: sameorigin}}}}\n"
    ));
    let server = Running::behind(front, history(), true).await;
    let login = "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==\r\n";
    for path in [
        "/",
        "/metrics",
        "/-/healthy",
        "/-/ready",
        "/nothing",
        "/api/v1/events",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), "401", "{path}");
        assert!(answer.has("www-authenticate: Basic"), "{}", answer.head);
        assert!(answer.has("x-frame-options: sameorigin"), "{}", answer.head);
    }
    assert_eq!(server.ask("POST", "/-/reload", "").await.status(), "401");
    let answer = server.ask("GET", "/metrics", login).await;
    assert_eq!(answer.status(), "200");
    assert!(answer.has("x-frame-options: sameorigin"), "{}", answer.head);
    assert!(!answer.has("x-frame-options: DENY"), "{}", answer.head);
}

#[tokio::test]
async fn more_requests_than_allowed_are_refused() {
    let front = guarded("rate_limit: {interval: 1h, burst: 2}");
    let server = Running::behind(front, history(), false).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(server.get("/-/healthy").await.status().to_owned());
    }
    assert_eq!(statuses, ["200", "200", "429"]);
}

#[tokio::test]
async fn what_is_sent_as_it_happens_is_not_compressed() {
    let server = Running::new(history(), false).await;
    let mut stream = server.connected().await;
    let request = "GET /api/v1/events HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut begin = [0; 2048];
    let read = stream.read(&mut begin).await.unwrap();
    let head = String::from_utf8_lossy(&begin[..read]).to_lowercase();
    assert!(head.contains("text/event-stream"), "{head}");
    assert!(!head.contains("content-encoding"), "{head}");
}

#[tokio::test]
async fn answers_are_compressed_once_and_only_for_those_who_ask() {
    let server = Running::new(history(), false).await;
    let table = [
        ("", false),
        ("Accept-Encoding: identity\r\n", false),
        ("Accept-Encoding: gzip;q=0\r\n", false),
        ("Accept-Encoding: br\r\n", false),
        ("Accept-Encoding: deflate, gzip;q=0.5\r\n", true),
    ];
    for (header, expected) in table {
        let answer = server.ask("GET", "/metrics", header).await;
        let encodings = answer.head.matches("content-encoding: gzip").count();
        assert_eq!(encodings, usize::from(expected), "{header}");
        assert_eq!(answer.body.starts_with(b"# HELP"), !expected, "{header}");
    }
}

/// What a server says to whoever asks for it by another name.
async fn asked_for(server: &Running, host: &str, headers: &str) -> Answer {
    let mut stream = server.connected().await;
    let request =
        format!("GET /config HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    answer(stream).await
}

#[tokio::test]
async fn a_site_that_has_its_name_lead_here_learns_nothing() {
    let server = Running::new(history(), true).await;
    let own = format!("localhost:{}", server.address.port());
    assert_eq!(asked_for(&server, &own, "").await.status(), "200");
    let refused = asked_for(&server, "evil.example:9797", "").await;
    assert_eq!(refused.status(), "421");
    assert!(refused.text().contains("--web.host"), "{}", refused.text());
    assert!(!refused.text().contains("evil"), "{}", refused.text());
    assert!(refused.has("x-frame-options: DENY"), "{}", refused.head);

    let named = Front {
        hosts: vec!["reachd.corp.example".parse().unwrap()],
        ..Front::default()
    };
    let server = Running::behind(named, history(), true).await;
    let own = asked_for(&server, "reachd.corp.example", "").await;
    assert_eq!(own.status(), "200");
    assert_eq!(asked_for(&server, "evil.example", "").await.status(), "421");
}

#[tokio::test]
async fn where_there_are_logins_any_name_may_lead_here() {
    let hash = "$2y$04$AQUBAgMEBQYHCAkKCwwNDuL8psxDtkasFlkF3vVwIZrjvxcy6YYYq";
    let front = guarded(&format!("basic_auth_users: {{alice: {hash}}}"));
    let server = Running::behind(front, history(), false).await;
    assert_eq!(
        asked_for(&server, "reachd.corp.example", "").await.status(),
        "401"
    );
    let login = "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==\r\n";
    let told = asked_for(&server, "reachd.corp.example", login).await;
    assert_eq!(told.status(), "200");
}

#[tokio::test]
async fn no_other_site_may_read() {
    let server = Running::new(history(), false).await;
    for path in ["/", "/api/v1/status", "/metrics", "/config"] {
        let answer = server
            .ask("GET", path, "Origin: https://evil.example\r\n")
            .await;
        assert_eq!(answer.status(), "200", "{path}");
        let head = answer.head.to_ascii_lowercase();
        assert!(!head.contains("access-control-"), "{path}: {head}");
        assert!(!head.contains("set-cookie"), "{path}: {head}");
    }
    let preflight = server.ask(
        "OPTIONS",
        "/api/v1/status",
        "Origin: https://evil.example\r\n",
    );
    assert_eq!(preflight.await.status(), "405");
}

#[tokio::test]
async fn nobody_can_have_anything_probed() {
    let server = Running::new(history(), true).await;
    for path in ["/probe?target=http://169.254.169.254/", "/api/v1/probe"] {
        assert_eq!(server.get(path).await.status(), "404", "{path}");
        assert_eq!(server.ask("POST", path, "").await.status(), "404", "{path}");
    }
}
