//! Judges an answer by what the endpoint is expected to say.

use hyper::header::CONTENT_ENCODING;
use hyper::{HeaderMap, Version};
use url::Url;

use super::{MAX_HEAD_BYTES, login};
use crate::endpoint::Expectation;
use crate::outcome::{Failure, ResponseReason, shortened};

/// What a field counts beside its name and value (RFC 9113 §6.5.2).
const FIELD_OVERHEAD: usize = 32;

/// An answer is judged in the order in which it comes: status, headers, body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) method: &'static str,
    pub(super) url: &'a Url,
    pub(super) expectation: &'a Expectation,
}

impl Judge<'_> {
    /// Over HTTP/1.1 it is the library that takes no more. Over HTTP/2 it would not say why, so that it takes twice as much.
    pub(super) fn head_size(&self, version: Version, headers: &HeaderMap) -> Result<(), Failure> {
        if version != Version::HTTP_2 {
            return Ok(());
        }
        let sizes = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + FIELD_OVERHEAD);
        if sizes.sum::<usize>() > MAX_HEAD_BYTES {
            let what = "the head of the answer is longer than 64 KiB";
            return Err(self.failure(ResponseReason::TooLarge, what));
        }
        Ok(())
    }

    pub(super) fn head(&self, status: u16, headers: &HeaderMap) -> Result<(), Failure> {
        if !self.expectation.status.accepts(status) {
            let demand = login::demand(status, headers);
            let meaning = self.expectation.meaning_of(status);
            let what = format!("answered {status}{demand}{meaning}");
            return Err(self.failure(ResponseReason::BadStatus, &what));
        }
        for rule in &self.expectation.headers {
            let mut values = headers.get_all(&rule.name).iter().peekable();
            if values.peek().is_none() {
                let what = format!("answered {status} without the header `{}`", rule.name);
                return Err(self.failure(ResponseReason::HeaderMismatch, &what));
            }
            if !values.any(|value| rule.value.is_match(value.as_bytes())) {
                let what = format!(
                    "no value of the header `{}` matches `{}`",
                    rule.name, rule.value
                );
                return Err(self.failure(ResponseReason::HeaderMismatch, &what));
            }
        }
        Ok(())
    }

    pub(super) fn body(&self, body: &[u8], headers: &HeaderMap) -> Result<(), Failure> {
        match &self.expectation.body {
            Some(rule) if !rule.0.is_match(body) => {
                let what = format!(
                    "the body ({} bytes{}) does not match `{}`",
                    body.len(),
                    packed(headers),
                    rule.0
                );
                Err(self.failure(ResponseReason::BodyMismatch, &what))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn body_too_long(&self) -> Failure {
        let limit = self.expectation.max_body_bytes;
        self.failure(
            ResponseReason::TooLarge,
            &format!("the body is longer than {limit} bytes"),
        )
    }

    fn failure(&self, reason: ResponseReason, what: &str) -> Failure {
        Failure::of_endpoint(reason, format!("{} {}: {what}", self.method, self.url))
    }
}

/// Says that a body came packed, which nobody asked for: it is not unpacked, and so is no bomb.
fn packed(headers: &HeaderMap) -> String {
    const MOST_BYTES_SHOWN: usize = 64;
    headers
        .get(CONTENT_ENCODING)
        .map_or_else(String::new, |coding| {
            let coding = String::from_utf8_lossy(coding.as_bytes()).into_owned();
            let coding = shortened(coding, MOST_BYTES_SHOWN);
            format!(", packed with {coding} although nobody asked for that")
        })
}

#[cfg(test)]
mod tests {
    use regex::bytes::Regex;

    use super::*;
    use crate::endpoint::{BodyRule, HeaderRule, StatusRule};

    fn reason(verdict: Result<(), Failure>) -> Option<String> {
        verdict.err().map(|failure| failure.reason.to_string())
    }

    #[test]
    fn status_headers_and_body_are_judged() {
        let url = Url::parse("https://www.example.test/").unwrap();
        let expectation = Expectation {
            status: StatusRule::OneOf(vec![200]),
            headers: vec![HeaderRule {
                name: "x-kind".to_owned(),
                value: Regex::new("^odata").unwrap(),
            }],
            body: Some(BodyRule(Regex::new("Edmx").unwrap())),
            ..Expectation::default()
        };
        let judge = Judge {
            method: "GET",
            url: &url,
            expectation: &expectation,
        };
        let mut headers = HeaderMap::new();
        assert_eq!(
            reason(judge.head(200, &headers)).as_deref(),
            Some("response/header_mismatch")
        );
        headers.append("x-kind", "html".parse().unwrap());
        assert_eq!(
            reason(judge.head(200, &headers)).as_deref(),
            Some("response/header_mismatch")
        );
        headers.append("x-kind", "odata-4".parse().unwrap());
        assert_eq!(reason(judge.head(200, &headers)), None);
        assert_eq!(
            reason(judge.head(401, &headers)).as_deref(),
            Some("response/bad_status")
        );
        assert_eq!(reason(judge.body(b"<edmx:Edmx/>", &headers)), None);
        assert_eq!(
            reason(judge.body(b"blocked", &headers)).as_deref(),
            Some("response/body_mismatch")
        );
    }
}
