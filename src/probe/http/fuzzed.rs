//! What the readers of endpoints' answers stand, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use hyper::header::{HeaderValue, LOCATION};
use url::Url;

use super::clock_offset;
use super::judge::Judge;
use super::redirect::target;
use crate::endpoint::Expectation;
use crate::outcome::Failure;
use crate::probe::fuzzed::{LONGEST_DETAIL, SECRET, headers};

/// The headers of an answer, a line each: where a redirect leads can be asked without a login, and what is told is short.
pub fn http_answer(bytes: &[u8]) {
    let headers = headers(bytes);
    let expectation = Expectation::default();
    assert!(clock_offset(&headers).is_none_or(f64::is_finite));
    for from in ["https://web.test/a/b", "http://web.test/"] {
        let Ok(from) = Url::parse(from) else {
            return;
        };
        let judge = Judge {
            method: "GET",
            url: &from,
            expectation: &expectation,
        };
        for status in [200, 401, 407, 503] {
            if let Err(failure) = judge.head(status, &headers) {
                is_told(&failure);
            }
        }
        match target("GET", &from, 302, &headers, &expectation, 0) {
            Ok(to) => {
                assert!(matches!(to.scheme(), "https" | "http"), "{to}");
                assert!(to.scheme() == "https" || from.scheme() == "http", "{to}");
                assert!(to.username().is_empty() && to.password().is_none(), "{to}");
                assert!(to.has_host() && to.fragment().is_none(), "{to}");
            }
            Err(failure) => {
                is_told(&failure);
                let location = headers.get(LOCATION).map(HeaderValue::as_bytes);
                let location = String::from_utf8_lossy(location.unwrap_or_default());
                assert!(
                    !has_login(&location) || !failure.detail.contains(SECRET),
                    "{failure:?}"
                );
            }
        }
    }
}

/// Whether it is a URL with a password, which is nowhere else in it.
fn has_login(location: &str) -> bool {
    let Some((scheme, _)) = location.split_once(&format!("//user:{SECRET}@")) else {
        return false;
    };
    // After anything else it may be a path.
    let is_scheme = ["", "http:", "https:", "ftp:"].contains(&scheme);
    is_scheme && location.matches(SECRET).count() == 1
}

fn is_told(failure: &Failure) {
    let told = &failure.detail;
    assert!(told.len() <= LONGEST_DETAIL, "{} bytes", told.len());
}
