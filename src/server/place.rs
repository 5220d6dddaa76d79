//! At which paths the server answers: everything below a prefix, where a reverse proxy or a user wants that, and the
//! metrics at a path of their own.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};

use super::respond::not_found;

/// Where the metrics are within reachd.
const METRICS: &str = "/metrics";

/// The first segments of paths at which reachd has other things, or may have one day.
const TAKEN: [&str; 10] = [
    "", "-", "api", "assets", "causes", "checks", "config", "explain", "outages", "probe",
];

/// A page is a few MiB at most; more than this is none.
const LARGEST_PAGE: usize = 64 << 20;

/// Where the server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What stands before every path: nothing, or `/reachd`.
    prefix: String,
    /// The path of the metrics after that.
    metrics: String,
}

// === impl Place ===

impl Place {
    /// From `--web.route-prefix` and `--web.telemetry-path`.
    ///
    /// # Errors
    /// The metrics would stand where something else does.
    pub fn new(prefix: &PathFlag, metrics: &PathFlag) -> Result<Self, String> {
        let metrics = metrics.0.clone();
        let first = metrics.split('/').nth(1).unwrap_or_default();
        if TAKEN.contains(&first) {
            return Err(format!(
                "--web.telemetry-path: reachd has something else at /{first}"
            ));
        }
        Ok(Self {
            prefix: prefix.0.clone(),
            metrics,
        })
    }

    /// A path of reachd as clients ask for it.
    #[must_use]
    pub fn path(&self, own: &str) -> String {
        let own = if own == METRICS { &self.metrics } else { own };
        format!("{}{own}", self.prefix)
    }

    /// What is at these paths. The routes and their pages know nothing of where they stand.
    pub(super) fn around(self, routes: Router) -> Router {
        if self == Self::default() {
            return routes;
        }
        // A layer sees a request after it was routed; so the routes are below a router that has none.
        Router::new()
            .fallback_service(routes)
            .layer(from_fn_with_state(self, arrive))
    }

    /// What a path asks for within reachd; `None` where there is nothing.
    fn within(&self, path: &str) -> Option<String> {
        let own = path.strip_prefix(&self.prefix)?;
        match own {
            _ if own == self.metrics => Some(METRICS.to_owned()),
            METRICS => None,
            _ if own.starts_with('/') => Some(own.to_owned()),
            _ => None,
        }
    }

    /// Makes the links of a page lead to where they lead.
    fn relinked(&self, page: &str) -> String {
        let mut page = page.replace(
            &format!("href=\"{METRICS}\""),
            &format!("href=\"{}\"", self.metrics),
        );
        // Templates escape the quotes of what they are given, so that nothing else looks like this.
        for link in ["href=\"/", "src=\"/", "action=\"/"] {
            let (name, _) = link.split_at(link.len() - 1);
            page = page.replace(link, &format!("{name}{}/", self.prefix));
        }
        page
    }
}

impl Default for Place {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            metrics: METRICS.to_owned(),
        }
    }
}

async fn arrive(State(place): State<Place>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !place.prefix.is_empty() && (path == place.prefix || path == "/") {
        return Redirect::temporary(&place.path("/")).into_response();
    }
    let within = place.within(path);
    match within.and_then(|path| at(request.uri(), &path)) {
        Some(uri) => *request.uri_mut() = uri,
        None => return not_found(request.uri().clone()).await,
    }
    relink(&place, next.run(request).await).await
}

/// The same question of another path.
fn at(uri: &Uri, path: &str) -> Option<Uri> {
    let asked = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(asked.ok()?);
    Uri::from_parts(parts).ok()
}

/// Makes an answer lead to where it leads, if it is a page or leads elsewhere.
async fn relink(place: &Place, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Some(target) = headers.get(header::LOCATION)
        && target.as_bytes().starts_with(b"/")
        && let Ok(moved) =
            HeaderValue::try_from([place.prefix.as_bytes(), target.as_bytes()].concat())
    {
        headers.insert(header::LOCATION, moved);
    }
    let kind = headers.get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(page) = to_bytes(body, LARGEST_PAGE).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    let page = place.relinked(&String::from_utf8_lossy(&page));
    Response::from_parts(parts, Body::from(page))
}

/// A path as a flag names it, without the slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFlag(String);

impl PathFlag {
    /// Where the metrics are unless told otherwise.
    #[must_use]
    pub fn metrics() -> Self {
        Self(METRICS.to_owned())
    }
}

impl std::str::FromStr for PathFlag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let is_segment = |text: &str| {
            !text.is_empty() && ![".", ".."].contains(&text) && text.chars().all(is_plain)
        };
        let path = text.strip_suffix('/').unwrap_or(text);
        let is_path = path.split('/').skip(1).all(is_segment);
        if text.starts_with('/') && is_path {
            return Ok(Self(path.to_owned()));
        }
        Err(
            "a path begins with `/`, and has letters, digits, `-`, `.`, `_` and `~` between its slashes",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(prefix: &str, metrics: &str) -> Result<Place, String> {
        Place::new(&prefix.parse().unwrap(), &metrics.parse().unwrap())
    }

    #[test]
    fn only_plain_paths_are_taken() {
        for (text, path) in [("/", ""), ("/a", "/a"), ("/a/b.c/", "/a/b.c")] {
            assert_eq!(text.parse(), Ok(PathFlag(path.to_owned())), "{text}");
        }
        for text in [
            "", "a", "//", "/a//b", "/a/..", "/{a}", "/a?b", "/a b", "/ä",
        ] {
            assert!(text.parse::<PathFlag>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_metrics_take_nobodys_place() {
        for taken in ["/", "/api/metrics", "/config", "/-/metrics", "/assets"] {
            assert!(place("/", taken).is_err(), "{taken}");
        }
        for free in ["/metrics", "/internal/metrics", "/configuration", "/m"] {
            assert!(place("/reachd", free).is_ok(), "{free}");
        }
    }

    #[test]
    fn what_is_outside_of_the_prefix_is_not_there() {
        let place = place("/tools/reachd/", "/telemetry").unwrap();
        for (path, within) in [
            ("/tools/reachd/", Some("/")),
            ("/tools/reachd/api/v1/status", Some("/api/v1/status")),
            ("/tools/reachd/telemetry", Some("/metrics")),
            ("/tools/reachd/metrics", None),
            ("/tools/reachdx", None),
            ("/metrics", None),
            ("/tools/reachd", None),
        ] {
            assert_eq!(place.within(path).as_deref(), within, "{path}");
        }
        assert_eq!(place.path("/metrics"), "/tools/reachd/telemetry");
        assert_eq!(place.path("/-/healthy"), "/tools/reachd/-/healthy");
    }

    #[test]
    fn links_are_moved_and_values_are_not() {
        let place = place("/r", "/telemetry").unwrap();
        let page = "<a href=\"/metrics\"><form action=\"/\"><img src=\"/a\"><input value=\"/b\"><a href=\"#c\">";
        let moved = "<a href=\"/r/telemetry\"><form action=\"/r/\"><img src=\"/r/a\"><input value=\"/b\"><a href=\"#c\">";
        assert_eq!(place.relinked(page), moved);
    }
}
