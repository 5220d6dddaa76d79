//! The identity of a check in URLs: service, endpoint and route as three percent-encoded segments, so that
//! anybody can write a link to a check from its labels.

use std::fmt::Write;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;

use crate::plan::CheckKey;

/// The check that a path names. A service and a route have no slash in their names, so what stands between
/// them is the endpoint, encoded or not: reverse proxies and Grafana's links leave a slash as it is.
pub(super) fn to_check(path: Result<Path<(String, String)>, PathRejection>) -> Option<CheckKey> {
    let Path((service, rest)) = path.ok()?;
    let (endpoint, route) = rest.rsplit_once('/')?;
    Some(CheckKey {
        service,
        endpoint: endpoint.to_owned(),
        route: route.to_owned(),
    })
}

/// `site/admin-service/corp`: every byte but the unreserved ones of RFC 3986 is encoded, `/` as well.
pub(super) fn of_check(service: &str, endpoint: &str, route: &str) -> String {
    let mut path = String::new();
    for (index, segment) in [service, endpoint, route].into_iter().enumerate() {
        if index > 0 {
            path.push('/');
        }
        encode(&mut path, segment);
    }
    path
}

fn encode(path: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stand_for_themselves() {
        assert_eq!(
            of_check("site", "admin-service", "corp"),
            "site/admin-service/corp"
        );
        assert_eq!(
            of_check("a/b", "<c>?d#é", "..%2f"),
            "a%2Fb/%3Cc%3E%3Fd%23%C3%A9/..%252f"
        );
    }
}
