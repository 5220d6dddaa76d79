//! `/metrics`: the format that suits the client best, streamed, so that a large exposition is never in memory as a whole.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::Server;
use crate::metrics::Format;

/// What a client may say of a format without asking for another one: how it is encoded anyway, and what Prometheus 3
/// wants names to be, which here need no escaping.
const NO_MATTER: [&str; 2] = ["charset", "escaping"];

/// More of what is acceptable is not read.
const MOST_RANGES: usize = 64;

/// A range of media types that a client accepts (RFC 9110, section 12.5.1).
struct Range<'a> {
    kind: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f32,
}

pub(super) async fn metrics(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    let format = wanted(&headers);
    let pieces = server.metrics.exposition(format).map(Ok::<_, Infallible>);
    let body = Body::from_stream(tokio_stream::iter(pieces));
    let mut response = ([(header::CONTENT_TYPE, format.content_type())], body).into_response();
    let vary = HeaderValue::from_static("accept");
    response.headers_mut().append(header::VARY, vary);
    response
}

/// The format of the highest quality; of several such, the one that was named the most closely, and else the first. Text
/// where none suits: it is better than none.
pub(super) fn wanted(headers: &HeaderMap) -> Format {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let accepted: Vec<&str> = accepted.filter_map(|value| value.to_str().ok()).collect();
    let ranges = accepted.iter().flat_map(|value| split(value, ','));
    let ranges: Vec<Range<'_>> = ranges.filter_map(Range::parse).take(MOST_RANGES).collect();
    let mut best = (Format::Text, (0.0, 0));
    for format in Format::ALL {
        let closest = ranges
            .iter()
            .filter_map(|range| Some((range.closeness(format)?, range.quality)))
            .reduce(|one, next| if next.0 > one.0 { next } else { one });
        if let Some((closeness, quality)) = closest
            && quality > 0.0
            && (quality, closeness) > best.1
        {
            best = (format, (quality, closeness));
        }
    }
    best.0
}

// === impl Range ===

impl<'a> Range<'a> {
    /// `None` for what is no range.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = split(text, ';');
        let kind = parts.next().filter(|kind| kind.contains('/'))?;
        let mut quality = 1.0;
        let mut parameters = Vec::new();
        for part in parts {
            let Some((name, value)) = part.split_once('=') else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name.eq_ignore_ascii_case("q") {
                // What is no number from 0 to 1 is not wanted much.
                let number = value.parse().ok();
                quality = number.filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.0);
                break;
            }
            if !NO_MATTER.iter().any(|it| name.eq_ignore_ascii_case(it)) {
                parameters.push((name, value));
            }
        }
        Some(Self {
            kind,
            parameters,
            quality,
        })
    }

    /// How closely it describes a format, if it does: the more, the more of it is named.
    fn closeness(&self, format: Format) -> Option<usize> {
        let mut parts = split(format.content_type(), ';');
        let own_kind = parts.next()?;
        let own: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
        let is_own = |(name, value): &(&str, &str)| {
            let mut own = own.iter();
            own.any(|(own_name, own_value)| {
                name.eq_ignore_ascii_case(own_name) && value.eq_ignore_ascii_case(own_value)
            })
        };
        if self.kind == "*/*" {
            return Some(0);
        }
        let main = own_kind.split('/').next();
        if self
            .kind
            .strip_suffix("/*")
            .is_some_and(|kind| Some(kind) == main)
        {
            return Some(1);
        }
        let fits = self.kind.eq_ignore_ascii_case(own_kind) && self.parameters.iter().all(is_own);
        fits.then_some(2 + self.parameters.len())
    }
}

/// The parts between separators that are not within quotes, without the spaces around them.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let parts = text.split(move |character| {
        is_quoted ^= character == '"';
        character == separator && !is_quoted
    });
    parts.map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOBUF: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

    #[test]
    fn the_best_of_what_is_accepted_is_sent() {
        let prometheus_2_42 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let with_native = format!("{PROTOBUF},{prometheus_2_42}");
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let telegraf = format!("{PROTOBUF};q=0.7,text/plain;version=0.0.4;q=0.3");
        let no_text = format!("text/plain;q=0, {PROTOBUF};q=0.001");
        let quoted = PROTOBUF.replace("delimited", "\"delimited\"");
        let cases = [
            ("", Format::Text),
            ("*/*", Format::Text),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Format::Text,
            ),
            (prometheus_2_42, Format::OpenMetrics),
            (with_native.as_str(), Format::Protobuf),
            (prometheus_3, Format::OpenMetrics),
            (telegraf.as_str(), Format::Protobuf),
            (no_text.as_str(), Format::Protobuf),
            (quoted.as_str(), Format::Protobuf),
            ("application/openmetrics-text", Format::OpenMetrics),
            (
                "Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            (
                "application/openmetrics-text;q=0.4,text/plain;q=0.5",
                Format::Text,
            ),
            (
                "application/openmetrics-text;q=0.5,text/*;q=0.5",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text,text/plain", Format::Text),
            ("application/openmetrics-text;q=0,*/*", Format::Text),
            (
                "text/plain;q=0,application/openmetrics-text;q=0,*/*;q=0.3",
                Format::Protobuf,
            ),
            ("application/openmetrics-text;q=2", Format::Text),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
                Format::Text,
            ),
            ("image/png;q=1", Format::Text),
            (";;,,=q", Format::Text),
        ];
        for (accept, format) in cases {
            let mut headers = HeaderMap::new();
            if !accept.is_empty() {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(wanted(&headers), format, "{accept}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT, "text/plain;q=0.5".parse().unwrap());
        headers.append(
            header::ACCEPT,
            "application/openmetrics-text".parse().unwrap(),
        );
        assert_eq!(wanted(&headers), Format::OpenMetrics);
    }
}
