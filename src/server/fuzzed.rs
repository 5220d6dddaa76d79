//! What the readers of clients' requests stand, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use axum::http::{HeaderMap, HeaderValue, Uri, header};

use super::selection::{Selection, pairs};
use super::web::credentials;
use super::{api, metrics};
use crate::metrics::Format;

/// The query of a page or of the API: a selection survives its own query.
pub fn query(bytes: &[u8]) {
    let Some(uri) = uri(bytes) else {
        return;
    };
    let selection = Selection::lenient(&pairs(&uri));
    let again = format!("/?{}", selection.query(1));
    let again: Result<Uri, _> = again.parse();
    assert!(again.is_ok() || uri.query().is_none_or(|query| query.len() > 10_000));
    if let Ok(again) = again {
        assert_eq!(Selection::lenient(&pairs(&again)), selection);
    }
    let is_question = api::is_question(&uri);
    assert!(is_question || uri.query().is_some());
}

fn uri(bytes: &[u8]) -> Option<Uri> {
    let text = str::from_utf8(bytes).ok()?;
    format!("/?{text}").parse().ok()
}

/// Headers of a request: what is acceptable and who logs in.
pub fn request_headers(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(100) {
        let Ok(value) = HeaderValue::from_bytes(line) else {
            continue;
        };
        if let Some((user, password)) = credentials(&value) {
            assert!(!user.contains(':'));
            assert!(user.len() + password.len() < line.len());
        }
        headers.append(header::ACCEPT, value);
    }
    assert!(Format::ALL.contains(&metrics::wanted(&headers)));
}
