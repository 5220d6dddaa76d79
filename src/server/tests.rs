//! Every path over a real connection, on a history that real observations made.

mod described;
mod events;
mod front;

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::config::ShownConfig;
use crate::history::{CheckHistory, History};
use crate::observer::Observer;
use crate::outcome::Outcome;
use crate::plan::fixture::{check, cut, plan, with_hold};
use crate::plan::{Check, OutcomeId};
use crate::report::sample;

/// The sample's checks with an hour behind them, and one that has not run.
pub(super) fn history() -> History {
    let history = History::default();
    let results = sample::results();
    let waiting = check("site", "waiting", "https://waiting.corp.example/");
    history.planned(&plan(
        results.iter().map(|(check, _)| check).chain([&waiting]),
    ));
    for (index, (check, outcome)) in results.iter().enumerate() {
        let watcher = history.watch(check);
        for minute in (0..45_u32).rev() {
            let mut outcome = Outcome::clone(outcome);
            outcome.started -= Duration::from_secs(60) * minute;
            let stretch = f64::from(minute * 7 % 11) / 10.0 + 0.5;
            outcome.duration = outcome.duration.mul_f64(stretch);
            if minute > 12 && minute % 17 != u32::try_from(index).unwrap() {
                outcome.result = Ok(());
            }
            watcher.observed(&Arc::new(outcome));
        }
    }
    history
}

/// What is exposed now.
pub(super) fn exposed(metrics: &Metrics) -> String {
    let pieces: Vec<_> = metrics.exposition(crate::metrics::Format::Text).collect();
    String::from_utf8(pieces.concat()).unwrap()
}

/// The same, as the page is given it.
pub(super) fn histories() -> Vec<CheckHistory> {
    history().snapshot()
}

/// What is known of one check after these outcomes.
pub(super) fn history_of(check: &Arc<Check>, outcomes: &[Arc<Outcome>]) -> CheckHistory {
    let history = History::default();
    history.planned(&plan([check]));
    let watcher = history.watch(check);
    for outcome in outcomes {
        watcher.observed(outcome);
    }
    history.of(&check.key()).unwrap()
}

/// What is served of a history.
fn server_of(history: History) -> Server {
    let metrics = Metrics::default();
    metrics.planned(&plan(history.snapshot().iter().map(|known| &known.check)));
    Server {
        metrics: Arc::new(metrics),
        history: Arc::new(history),
        changes: Changes::default(),
        config: watch::channel(ShownConfig::new("global:\n  interval: 1m\n")).1,
        not_probed: watch::channel(Arc::new(sample::not_probed())).1,
        causes: watch::channel(Arc::new(sample::causes())).1,
        trust_store: watch::channel(Arc::new(sample::trust_store())).1,
        reload: None,
        started: SystemTime::now(),
        shard: None,
    }
}

/// The same of the sample.
pub(super) fn server() -> Server {
    server_of(history())
}

/// A server on a port of its own, and whom to ask for its end.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    reloads: mpsc::Receiver<ReloadRequest>,
    changes: Changes,
}

/// An answer as it came.
struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Running {
    async fn new(history: History, lifecycle: bool) -> Self {
        Self::behind(Front::default(), history, lifecycle).await
    }

    async fn behind(front: Front, history: History, lifecycle: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (reload, reloads) = mpsc::channel(1);
        let server = Server {
            reload: lifecycle.then_some(reload),
            ..server_of(history)
        };
        let changes = server.changes.clone();
        let (stop, stopped) = oneshot::channel();
        let listeners = vec![Listener::Tcp(listener)];
        let task = tokio::spawn(serve(listeners, server, front, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            stop,
            served: task,
            reloads,
            changes,
        }
    }

    async fn connected(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Asks in HTTP/1.0, so that the end of the connection is the end of the body.
    async fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let mut stream = self.connected().await;
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{headers}\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        answer(stream).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert!(
            answer.has("content-type: application/json")
                || answer.has("content-type: application/problem+json"),
            "{}",
            answer.head
        );
        serde_json::from_slice(&answer.body).unwrap()
    }
}

async fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    Answer {
        head: String::from_utf8(bytes[..end].to_vec()).unwrap(),
        body: bytes[end + 4..].to_vec(),
    }
}

impl Answer {
    fn status(&self) -> &str {
        &self.head[9..12]
    }

    fn has(&self, header: &str) -> bool {
        self.head
            .lines()
            .any(|line| line.eq_ignore_ascii_case(header))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

#[tokio::test]
async fn metrics_are_streamed_in_the_text_format() {
    let server = Running::new(history(), false).await;
    let answer = server.get("/metrics").await;
    assert!(
        answer.has("content-type: text/plain; version=0.0.4; charset=utf-8"),
        "{}",
        answer.head
    );
    assert!(
        answer.text().contains("\nreachd_probes_total{"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask_for_it() {
    let server = Running::new(history(), false).await;
    for path in ["/", "/metrics", "/api/v1/checks"] {
        let answer = server.ask("GET", path, "Accept-Encoding: gzip\r\n").await;
        assert!(
            answer.has("content-encoding: gzip"),
            "{path}: {}",
            answer.head
        );
        assert_eq!(answer.body[..2], [0x1f, 0x8b], "{path}");
    }
}

#[tokio::test]
async fn ready_means_that_every_check_ran() {
    let server = Running::new(history(), false).await;
    assert_eq!(server.get("/-/healthy").await.text(), "Healthy\n");
    assert_eq!(server.get("/-/ready").await.status(), "503");

    let all_ran = History::default();
    let (check, outcome) = &sample::results()[0];
    all_ran.planned(&plan([check]));
    all_ran.watch(check).observed(outcome);
    let server = Running::new(all_ran, false).await;
    assert_eq!(server.get("/-/ready").await.status(), "200");
}

#[tokio::test]
async fn reloading_is_off_unless_it_was_switched_on() {
    let server = Running::new(history(), false).await;
    let answer = server.ask("POST", "/-/reload", "").await;
    assert_eq!(answer.status(), "403");
    assert!(
        answer.text().contains("--web.enable-lifecycle"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn reloading_answers_what_came_of_it() {
    let mut server = Running::new(history(), true).await;
    assert_eq!(server.get("/-/reload").await.status(), "405");
    let elsewhere = server
        .ask("POST", "/-/reload", "Origin: http://elsewhere.example\r\n")
        .await;
    assert_eq!(elsewhere.status(), "403");

    let results = [
        (Ok(()), "200", "in force"),
        (
            Err("reachd.yml:3:1: bad".to_owned()),
            "500",
            "\nreachd.yml:3:1: bad\n",
        ),
    ];
    for (result, status, text) in results {
        let mut reloads = server.reloads;
        let reloader = tokio::spawn(async move {
            let request: ReloadRequest = reloads.recv().await.unwrap();
            request.reply.send(result).unwrap();
            reloads
        });
        server.reloads = mpsc::channel(1).1;
        let answer = server.ask("POST", "/-/reload", "").await;
        assert_eq!(answer.status(), status);
        assert!(answer.text().contains(text), "{}", answer.text());
        server.reloads = reloader.await.unwrap();
    }
}

#[tokio::test]
async fn the_configuration_is_shown_as_text() {
    let server = Running::new(history(), false).await;
    let answer = server.get("/config").await;
    assert!(
        answer.has("content-type: text/plain; charset=utf-8"),
        "{}",
        answer.head
    );
    assert_eq!(answer.text(), "global:\n  interval: 1m\n");
}

#[tokio::test]
async fn the_status_counts_checks_by_service_and_route() {
    let server = Running::new(history(), false).await;
    let status = server.json("/api/v1/status").await;
    assert_eq!(status["verdict"], "critical");
    assert_eq!(status["message_id"], 11412);
    assert_eq!(status["ready"], false);
    assert_eq!(
        status["counts"],
        json!({"checks": 12, "succeeding": 5, "failing": 6, "failing_critical": 4, "waiting": 1, "holds_failing": 0})
    );
    assert_eq!(
        status["services"][1],
        json!({"service": "site", "title": "site", "route": "direct", "status": "critical", "checks": 3,
               "failing": [{"endpoint": "admin-service", "critical": true, "phase": "tls", "peer": "endpoint", "reason": "expired"}],
               "breaks": [], "verdict": "critical", "message_id": 11412,
               "counts": {"checks": 3, "succeeding": 1, "failing": 1, "failing_critical": 1, "waiting": 1, "holds_failing": 0}})
    );
    assert_eq!(status["not_probed"][0]["endpoint"], "<cmg>.cloudapp.net");
    let root = &status["trust_store"][1];
    assert_eq!(
        (&root["state"], &root["bundled"]),
        (&json!("missing"), &json!(false))
    );
}

#[tokio::test]
async fn before_the_first_outcome_there_is_no_verdict() {
    let history = History::default();
    history.planned(&plan([&check("s", "e", "https://host.example/")]));
    let server = Running::new(history, false).await;
    assert_eq!(server.json("/api/v1/status").await["verdict"], Value::Null);
    let checks = server.json("/api/v1/checks").await;
    assert_eq!(
        checks["checks"][0],
        json!({"id": "s/e/direct", "service": "s", "endpoint": "e", "route": "direct", "url": "https://host.example/",
               "critical": true, "origin": "configuration", "interval_seconds": 60.0, "timeout_seconds": 10.0, "state": "waiting", "since": null,
               "recent": {"outcomes": 0, "failures": 0}})
    );
}

#[tokio::test]
async fn checks_are_the_reports_objects_with_what_the_history_adds() {
    let server = Running::new(history(), false).await;
    let checks = server.json("/api/v1/checks").await;
    let check = &checks["checks"][0];
    assert_eq!(check["id"], "site/admin-service/corp");
    assert_eq!(check["state"], "failing");
    assert_eq!(check["since"], "2026-11-22T17:48:00Z");
    assert_eq!(check["started"], "2026-11-22T18:00:00Z");
    assert_eq!(check["recent"]["outcomes"], 45);
    let results = sample::results();
    let report = crate::report::Report::new(&results, &[], sample::started(), Duration::ZERO);
    let reported = serde_json::to_value(&report.checks[0]).unwrap();
    for (key, value) in reported.as_object().unwrap() {
        assert_eq!(&check[key], value, "{key}");
    }
}

#[tokio::test]
async fn a_check_with_a_hold_says_how_it_fared() {
    let history = History::default();
    let gateway = with_hold(&check("s", "held", "https://host.example/"));
    let other = check("s", "other", "https://host.example/");
    history.planned(&plan([&gateway, &other]));
    let (watcher, key) = (history.watch(&gateway), gateway.key());
    assert_eq!(history.of(&key).unwrap().hold, None);
    watcher.held(&cut(1));
    let server = Running::new(history, false).await;
    let checks = server.json("/api/v1/checks").await;
    let hold = &checks["checks"][0]["hold"];
    assert_eq!(
        [
            &hold["for_seconds"],
            &hold["interval_seconds"],
            &hold["seconds"]
        ],
        [&json!(180.0), &json!(900.0), &json!(4.0)]
    );
    assert_eq!(hold["failure"]["reason"], "closed_early");
    assert_eq!(hold["success"], false);
    assert!(checks["checks"][1].get("hold").is_none());
    let status = server.json("/api/v1/status").await;
    assert_eq!(status["counts"]["holds_failing"], 1);
    assert_eq!(status["verdict"], Value::Null, "no probe ran yet");
}

#[tokio::test]
async fn a_check_is_found_by_its_labels_whatever_they_contain() {
    let history = History::default();
    let odd = check("a/b", "c?d <e>", "https://host.example/");
    history.planned(&plan([&odd]));
    history.watch(&odd).observed(&sample::results()[0].1);
    let server = Running::new(history, false).await;
    let id = server.json("/api/v1/checks").await["checks"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(id, "a%2Fb/c%3Fd%20%3Ce%3E/direct");
    let check = server.json(&format!("/api/v1/checks/{id}")).await;
    assert_eq!(check["endpoint"], "c?d <e>");
    assert_eq!(
        check["outcomes"][0]["failure"],
        json!({"phase": "tls", "peer": "endpoint", "reason": "expired"})
    );
    assert_eq!(
        check["failures"][0]["observed"]["addresses"][0],
        "10.0.4.17"
    );
    assert_eq!(server.get(&format!("/checks/{id}")).await.status(), "200");
}

#[tokio::test]
async fn nothing_of_the_request_is_repeated_in_a_refusal() {
    let server = Running::new(history(), false).await;
    let paths = [
        "/%3Cscript%3Ealert(1)%3C/script%3E",
        "/checks/%3Cscript%3E/b/c",
        "/api/v1/checks/%3Cscript%3E/b/c",
        "/api/v1/%3Cscript%3E",
        "/checks/%ff/b/c",
        "/explain/%3Cscript%3E",
        "/explain/tls/expired%3Cscript%3E",
        "/explain/%ff",
    ];
    for path in paths {
        let answer = server.get(path).await;
        assert!(
            ["404", "400"].contains(&answer.status()),
            "{path}: {}",
            answer.head
        );
        // The pages have a script of their own.
        let text = answer
            .text()
            .replace("<script src=\"/assets/page.js\"></script>", "");
        assert!(!text.contains("script"), "{path}: {text}");
    }
    assert_eq!(
        server.json("/api/v1/nothing").await,
        json!({"title": "Not Found", "status": 404, "detail": "There is nothing at this path."})
    );
    let answer = server.ask("DELETE", "/api/v1/status", "").await;
    assert_eq!(answer.status(), "405");
    assert!(answer.has("allow: GET,HEAD"), "{}", answer.head);
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_strict() {
    let server = Running::new(history(), false).await;
    for path in [
        "/",
        "/metrics",
        "/config",
        "/api/v1/status",
        "/nothing",
        "/assets/style.css",
    ] {
        let answer = server.get(path).await;
        assert!(
            answer
                .head
                .contains("\r\ncontent-security-policy: default-src 'none'; script-src 'self'; style-src 'self';"),
            "{path}: {}",
            answer.head
        );
        for header in [
            "x-content-type-options: nosniff",
            "x-frame-options: DENY",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(answer.has(header), "{path}: {}", answer.head);
        }
        let rest = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n";
        assert!(answer.head.contains(rest), "{path}: {}", answer.head);
        let is_asset = path.starts_with("/assets/");
        assert_eq!(answer.has("cache-control: no-store"), !is_asset, "{path}");
    }
}

#[tokio::test]
async fn what_the_layers_refuse_has_the_form_of_other_refusals() {
    let server = Running::new(history(), true).await;
    let cases = [
        ("POST", "Sec-Fetch-Site: cross-site\r\n", "403", "Forbidden"),
        (
            "GET",
            "Content-Length: 5000\r\n",
            "413",
            "Payload Too Large",
        ),
    ];
    for (method, headers, status, title) in cases {
        let answer = server.ask(method, "/api/v1/status", headers).await;
        assert_eq!(answer.status(), status);
        assert!(
            answer.has("content-type: application/problem+json"),
            "{}",
            answer.head
        );
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["title"], title);
        assert_eq!(problem["status"].to_string(), status);
        let answer = server.ask("POST", "/-/reload", headers).await;
        assert_eq!(answer.status(), status);
        let is_a_line = answer.text().ends_with(".\n");
        assert!(is_a_line && answer.has("content-type: text/plain; charset=utf-8"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_given_up() {
    let server = Running::new(history(), true).await;
    // Nobody here reads the configuration again.
    let answer = server.ask("POST", "/-/reload", "").await;
    assert_eq!(answer.status(), "503");
    assert_eq!(answer.text(), "The answer did not come in time.\n");
}

#[tokio::test]
async fn explanations_are_found_by_every_form_of_their_name() {
    let server = Running::new(history(), false).await;
    for (path, title) in [
        ("/explain/proxy_down", "<h1>proxy_down</h1>"),
        ("/explain/tls/expired", "<h1>tls/expired</h1>"),
        ("/explain/tls.expired", "<h1>tls/expired</h1>"),
        ("/explain/expired", "<h1>tls/expired</h1>"),
        ("/explain/refused", "<h1>refused</h1>"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), "200", "{path}");
        assert!(answer.text().contains(title), "{path}: {}", answer.text());
        assert!(answer.text().contains("Who can mend it"), "{path}");
    }
    let unknown = server.get("/explain/proxy_dwn").await;
    assert_eq!(unknown.status(), "404");
    assert!(unknown.has("content-type: text/html; charset=utf-8"));
    assert!(unknown.text().contains("<a href=\"/explain/proxy_down\">"));
    let long = format!("/explain/{}", "a".repeat(5_000));
    assert_eq!(server.get(&long).await.status(), "404");
}

#[tokio::test]
async fn a_check_shows_the_latency_that_is_asked_for() {
    let history = History::default();
    let check = check("s", "e", "https://host.example/");
    history.planned(&plan([&check]));
    let mut outcome = Outcome::clone(&sample::results()[2].1);
    outcome.started = SystemTime::now();
    history.watch(&check).observed(&Arc::new(outcome));
    let server = Running::new(history, false).await;
    for (span, unit) in [
        ("", "Each column is a probe"),
        ("?span=nonsense", "Each column is a probe"),
        ("?span=1h", "Each column is the mean of two minutes"),
        ("?span=24h", "Each column is the mean of half an hour"),
        ("?span=7d", "Each column is the mean of three hours"),
    ] {
        let page = server.get(&format!("/checks/s/e/direct{span}")).await;
        assert!(page.text().contains(unit), "{span}: {}", page.text());
        assert!(page.text().contains(": 0 of "), "{span}: {}", page.text());
    }
    let told = server.json("/api/v1/checks/s/e/direct").await;
    let windows: Vec<_> = told["latency"].as_array().unwrap().iter().collect();
    assert_eq!(windows.len(), 3);
    assert_eq!(windows[1]["window"], "24h");
    let point = &windows[1]["points"][0];
    assert_eq!(
        (&point["probes"], &point["failures"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(point["phases"][0]["phase"], "dns");
}

#[tokio::test(start_paused = true)]
async fn clients_that_dawdle_do_not_hold_the_server() {
    let server = Running::new(history(), false).await;
    let mut dawdlers = Vec::new();
    for _ in 0..256 {
        let mut stream = server.connected().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost").await.unwrap();
        dawdlers.push(stream);
    }
    let begun = tokio::time::Instant::now();
    assert_eq!(server.get("/-/healthy").await.status(), "200");
    assert!(
        begun.elapsed() < Duration::from_secs(25),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_after_a_minute_however_busy_it_is() {
    let server = Running::new(history(), false).await;
    let mut stream = server.connected().await;
    let begun = tokio::time::Instant::now();
    let mut buffer = [0; 4096];
    while stream
        .write_all(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .is_ok()
    {
        if stream.read(&mut buffer).await.unwrap_or(0) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    let elapsed = begun.elapsed().as_secs();
    assert!((60..=95).contains(&elapsed), "{elapsed} s");
}

#[tokio::test(start_paused = true)]
async fn the_server_ends_with_its_clients_within_its_deadline() {
    let server = Running::new(history(), false).await;
    let mut idle = server.connected().await;
    idle.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    assert!(idle.read(&mut [0; 4096]).await.unwrap() > 0);
    let mut stuck = server.connected().await;
    stuck.write_all(b"GET / HTTP/1.1\r\nHost").await.unwrap();

    let begun = tokio::time::Instant::now();
    server.stop.send(()).unwrap();
    server.served.await.unwrap();
    assert!(
        begun.elapsed() <= Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(idle.read(&mut [0; 64]).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn an_outcome_is_found_by_its_id() {
    let history = history();
    let failing = history
        .snapshot()
        .into_iter()
        .find(|it| !it.failures.is_empty());
    let failing = failing.unwrap();
    let (key, digest) = (failing.check.key(), failing.check.key().digest());
    let server = Running::new(history, false).await;
    for outcome in [
        &failing.recent[0],
        &failing.failures[0],
        failing.latest().unwrap(),
    ] {
        let id = OutcomeId::new(digest, outcome.started);
        let answer = server.json(&format!("/api/v1/outcomes/{id}")).await;
        assert_eq!(answer["id"], id.to_string());
        assert_eq!(
            answer["check"],
            path::of_check(&key.service, &key.endpoint, &key.route)
        );
        assert_eq!(answer["success"], outcome.result.is_ok());
        assert_eq!(answer["seconds"], outcome.duration.as_secs_f64());
    }
    let unknown = OutcomeId::new(digest, SystemTime::UNIX_EPOCH);
    for (id, status) in [(unknown.to_string(), 404), ("x".to_owned(), 400)] {
        let answer = server.json(&format!("/api/v1/outcomes/{id}")).await;
        assert_eq!(answer["status"], status, "{id}");
    }
}

/// The paths that the reference describes: each heading is one, as in "## `GET /metrics`".
fn documented() -> Vec<(&'static str, &'static str)> {
    let reference = include_str!("../../docs/api.md");
    let headings = reference
        .lines()
        .filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
    headings
        .filter_map(|heading| heading.split_once(' '))
        .collect()
}

#[tokio::test]
async fn every_path_of_the_reference_is_there() {
    let history = history();
    let check = &history.snapshot()[0];
    let latest = check.latest().unwrap();
    let known = OutcomeId::new(check.check.key().digest(), latest.started);
    let server = Running::new(history, false).await;
    for (method, path) in documented() {
        let path = path
            .replace("{service}/{endpoint}/{route}", "site/admin-service/direct")
            .replace("{name}", "tls/expired")
            .replace("{id}", &known.to_string());
        let status = server.ask(method, &path, "").await.status().to_owned();
        assert!(
            !["404", "405"].contains(&status.as_str()),
            "{method} {path}: {status}"
        );
    }
}

#[test]
fn every_path_is_in_the_reference() {
    let routes = include_str!("../server.rs").split(".route(").skip(1);
    let paths: Vec<_> = routes.filter_map(|route| route.split('"').nth(1)).collect();
    assert!(paths.len() > 10, "{paths:?}");
    for path in paths {
        // What the router takes whole is an endpoint and a route.
        let path = path
            .replace("{*rest}", "{endpoint}/{route}")
            .replace("{*name}", "{name}");
        assert!(
            documented()
                .iter()
                .any(|(_, documented)| *documented == path),
            "{path} is not in docs/api.md"
        );
    }
}
