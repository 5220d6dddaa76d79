//! A server of targets: asked again and again, as Prometheus asks it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use tokio::task::spawn_blocking;

use super::board::Found;
use super::target::{endpoints, groups_in_json};
use crate::config::{HttpSource, ServerLogin};
use crate::endpoint::Origin;
use crate::outcome::Failure;
use crate::probe::{Errand, Fetched};

const JSON: &str = "application/json";

/// How often the server will be asked.
const REFRESH_INTERVAL: HeaderName =
    HeaderName::from_static("x-prometheus-refresh-interval-seconds");

/// What the server names now; in one line, why that cannot be had.
pub(super) async fn ask(source: &Arc<HttpSource>, errand: &Errand) -> Result<Found, String> {
    let headers = headers(source)?;
    let fetched = errand.get(&source.url, headers).await;
    let fetched = fetched.map_err(|failure| told(&failure))?;
    // Off the probing thread: a long list takes its time.
    let source = Arc::clone(source);
    let read = spawn_blocking(move || targets(&source, &fetched)).await;
    read.unwrap_or_else(|error| Err(error.to_string()))
}

/// A failure in one line.
pub(super) fn told(failure: &Failure) -> String {
    let Failure {
        reason,
        peer,
        detail,
    } = failure;
    format!("{reason} ({}): {detail}", peer.as_str())
}

fn targets(source: &HttpSource, fetched: &Fetched) -> Result<Found, String> {
    match fetched.status {
        200 => {}
        status @ 300..400 => {
            return Err(format!(
                "answered {status}: with a login, no redirect is followed"
            ));
        }
        status => return Err(format!("answered {status}, and not 200")),
    }
    let kind = fetched.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(JSON) {
        let shown: String = essence.chars().take(80).collect();
        return Err(format!(
            "answered with the content type `{shown}`, and not {JSON}"
        ));
    }
    let groups = groups_in_json("the answer", &fetched.body)?;
    endpoints(&groups, &source.defaults, Origin::HttpSd)
}

fn headers(source: &HttpSource) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(JSON));
    let seconds = source.refresh_interval.as_secs_f64().to_string();
    let seconds = HeaderValue::from_str(&seconds).map_err(|error| error.to_string())?;
    headers.insert(REFRESH_INTERVAL, seconds);
    let login = match &source.login {
        None => return Ok(headers),
        Some(ServerLogin::Basic { username, password }) => {
            let pair = format!("{username}:{}", password.expose());
            format!("Basic {}", STANDARD.encode(pair))
        }
        Some(ServerLogin::Bearer(token)) => format!("Bearer {}", token.expose()),
    };
    let mut login = HeaderValue::from_str(&login)
        .map_err(|_| "the login cannot be put into a header".to_owned())?;
    login.set_sensitive(true);
    headers.insert(AUTHORIZATION, login);
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::TargetDefaults;
    use crate::endpoint::TlsSettings;
    use crate::route::Secret;

    fn source(login: Option<ServerLogin>) -> HttpSource {
        HttpSource {
            name: "s".to_owned(),
            url: "https://s.example/sd".parse().unwrap(),
            refresh_interval: Duration::from_millis(1500),
            route: "direct".to_owned(),
            login,
            tls: TlsSettings::default(),
            defaults: TargetDefaults::default(),
        }
    }

    fn answer(status: u16, kind: &'static str, body: &str) -> Fetched {
        let kind = (CONTENT_TYPE, HeaderValue::from_static(kind));
        Fetched {
            status,
            headers: HeaderMap::from_iter([kind]),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn an_answer_is_json_with_the_status_200() {
        let good = answer(
            200,
            "Application/JSON; charset=utf-8",
            r#"[{"targets":["a:1"]}]"#,
        );
        assert_eq!(targets(&source(None), &good).unwrap().endpoints.len(), 1);
        let empty = answer(200, JSON, "[]");
        assert_eq!(targets(&source(None), &empty).unwrap(), Found::default());
        let cases = [
            (answer(500, JSON, "[]"), "answered 500, and not 200"),
            (
                answer(302, JSON, "[]"),
                "answered 302: with a login, no redirect is followed",
            ),
            (
                answer(200, "text/html", "[]"),
                "answered with the content type `text/html`, and not application/json",
            ),
            (
                answer(200, JSON, "<html>"),
                "the answer:1:1: expected value",
            ),
        ];
        for (answer, expected) in cases {
            assert_eq!(targets(&source(None), &answer).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_login_is_sent_and_not_shown() {
        let secret = || Secret::new("hunter2".to_owned());
        let basic = ServerLogin::Basic {
            username: "svc".to_owned(),
            password: secret(),
        };
        for (login, sent) in [
            (basic, "Basic c3ZjOmh1bnRlcjI="),
            (ServerLogin::Bearer(secret()), "Bearer hunter2"),
        ] {
            let headers = headers(&source(Some(login))).unwrap();
            assert_eq!(headers[AUTHORIZATION], sent);
            assert_eq!(headers[REFRESH_INTERVAL], "1.5");
            let shown = format!("{headers:?}");
            assert!(
                !shown.contains("hunter2") && !shown.contains("c3Zj"),
                "{shown}"
            );
        }
    }
}
