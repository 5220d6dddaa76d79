//! Where a redirect leads, and which ones are not followed.

use std::borrow::Cow;

use hyper::header::LOCATION;
use hyper::{HeaderMap, Uri};
use url::Url;

use super::HttpProbe;
use crate::endpoint::{Authority, Expectation};
use crate::outcome::{Failure, ResponseReason};
use crate::probe::pac::Question;

/// So much of a Location that cannot be followed is shown.
const MOST_CHARACTERS_SHOWN: usize = 256;

/// One request of a probe: where it goes and whether over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::probe) struct Hop {
    pub(in crate::probe) authority: Authority,
    pub(in crate::probe) secure: bool,
}

impl HttpProbe<'_> {
    /// The next request.
    pub(in crate::probe) fn hop(&self) -> Result<Hop, Failure> {
        let authority = Authority::of(&self.url).ok_or_else(|| {
            let detail = format!("{} has no host", self.url);
            Failure::of_endpoint(ResponseReason::BadRedirect, detail)
        })?;
        Ok(Hop {
            authority,
            secure: self.url.scheme() == "https",
        })
    }

    /// What a proxy script is asked for it.
    pub(in crate::probe) fn question(&self, hop: &Hop) -> Question {
        if hop.secure {
            Question::of_tunnel(&hop.authority)
        } else {
            Question::of_plain_http(&self.url, &hop.authority)
        }
    }
}

/// The URL that a redirect leads to (RFC 9110 §10.2.2), if it may be followed.
pub(super) fn target(
    method: &str,
    from: &Url,
    status: u16,
    headers: &HeaderMap,
    expectation: &Expectation,
    followed: usize,
) -> Result<Url, Failure> {
    let failure = |reason, what: String| {
        let detail = format!("{method} {from}: {what}");
        Err(Failure::of_endpoint(reason, detail))
    };
    let location = headers
        .get(LOCATION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let Some(location) = location else {
        return failure(
            ResponseReason::BadRedirect,
            format!("answered {status} without a Location"),
        );
    };
    let mut target = match from.join(&location) {
        Ok(target) => target,
        Err(error) => {
            let shown = without_login(&location);
            let location: String = shown.chars().take(MOST_CHARACTERS_SHOWN).collect();
            let what = format!("answered {status} with the Location `{location}`: {error}");
            return failure(ResponseReason::BadRedirect, what);
        }
    };
    without_what_no_request_carries(&mut target);
    if followed >= usize::from(expectation.max_redirects) {
        let what = format!(
            "more than {} redirects, the next one to {}",
            expectation.max_redirects,
            shown(&target)
        );
        return failure(ResponseReason::TooManyRedirects, what);
    }
    match (from.scheme(), target.scheme()) {
        (_, "https") | ("http", "http") => {}
        _ => {
            let what = format!("answered {status}, leading to {}", shown(&target));
            return failure(ResponseReason::RedirectToOtherScheme, what);
        }
    }
    if target.host().is_none() {
        return failure(
            ResponseReason::BadRedirect,
            format!("answered {status}, leading to {target}"),
        );
    }
    if target.as_str().parse::<Uri>().is_err() {
        let length = target.as_str().len();
        let what = format!(
            "answered {status} with a Location of {length} bytes that no request can carry"
        );
        return failure(ResponseReason::BadRedirect, what);
    }
    Ok(target)
}

/// Where a redirect leads. What has no host may have a login all the same, which nothing took out of it.
fn shown(target: &Url) -> Cow<'_, str> {
    if target.cannot_be_a_base() {
        return without_login(target.as_str());
    }
    Cow::Borrowed(target.as_str())
}

/// A text that may be a URL, as it may be told: whatever stands before the last `@` may be somebody's password.
pub(in crate::probe) fn without_login(text: &str) -> Cow<'_, str> {
    match text.rsplit_once('@') {
        Some((_, rest)) => Cow::Owned(format!("...@{rest}")),
        None => Cow::Borrowed(text),
    }
}

/// Credentials and fragments are not sent (RFC 9110 §4.2.4), and nobody needs to read them.
pub(in crate::probe) fn without_what_no_request_carries(target: &mut Url) {
    // A URL with a host can have neither user nor password refused.
    target.set_username("").ok();
    target.set_password(None).ok();
    target.set_fragment(None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_followed_and_what_is_not() {
        let table = [
            (
                "https://a.test/x/y",
                Some("../z"),
                0,
                Ok("https://a.test/z"),
            ),
            (
                "http://a.test/",
                Some("https://b.test/"),
                9,
                Ok("https://b.test/"),
            ),
            (
                "https://a.test/",
                Some("//b.test:8443/q?1"),
                0,
                Ok("https://b.test:8443/q?1"),
            ),
            (
                "https://a.test/",
                Some("http://a.test/"),
                0,
                Err("response/redirect_to_other_scheme"),
            ),
            (
                "http://a.test/",
                Some("ftp://a.test/"),
                0,
                Err("response/redirect_to_other_scheme"),
            ),
            (
                "https://a.test/",
                Some("https://"),
                0,
                Err("response/bad_redirect"),
            ),
            ("https://a.test/", None, 0, Err("response/bad_redirect")),
            (
                "https://a.test/",
                Some("/next"),
                10,
                Err("response/too_many_redirects"),
            ),
        ];
        for (from, location, followed, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(location) = location {
                headers.insert(LOCATION, location.parse().unwrap());
            }
            let from = Url::parse(from).unwrap();
            let result = target(
                "GET",
                &from,
                302,
                &headers,
                &Expectation::default(),
                followed,
            );
            let result = result
                .map(|url| url.to_string())
                .map_err(|failure| failure.reason.to_string());
            assert_eq!(
                result,
                expected.map(str::to_owned).map_err(str::to_owned),
                "{from} {location:?}"
            );
        }
    }

    #[test]
    fn a_password_in_a_location_is_not_shown() {
        for (location, followed) in [
            ("ftp://u:hunter2@a.test/", 0),
            ("http://u:hunter2@a.test/", 99),
            ("http://u:hunter2@a.test:x/", 0),
            ("http://u:hunter2@a .test/", 0),
            ("location: https://u:hunter2@a.test/", 0),
            ("location: https://u:hunter2@a.test/", 99),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, location.parse().unwrap());
            let from = Url::parse("http://a.test/").unwrap();
            let failure = target(
                "GET",
                &from,
                302,
                &headers,
                &Expectation::default(),
                followed,
            );
            let failure = failure.unwrap_err();
            assert!(failure.detail.contains(".test"), "{failure:?}");
            assert!(!failure.detail.contains("hunter2"), "{failure:?}");
        }
    }

    #[test]
    fn a_location_that_no_request_can_carry_is_refused() {
        let mut headers = HeaderMap::new();
        let location = format!("/{}", "x".repeat(70_000));
        headers.insert(LOCATION, location.parse().unwrap());
        let from = Url::parse("https://a.test/").unwrap();
        let failure = target("GET", &from, 302, &headers, &Expectation::default(), 0).unwrap_err();
        assert_eq!(failure.reason.to_string(), "response/bad_redirect");
        assert!(failure.detail.len() < 500, "{}", failure.detail.len());
    }
}
