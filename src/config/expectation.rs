//! `expect` of an endpoint: what counts as reachable, as far as its kind of URL answers at all.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::chain;
use super::endpoints::{Kind, only_for};
use super::proxies::is_header_name;
use super::reader::{Fields, Value};
use super::scalars::{integer, regex, size};
use crate::endpoint::{BodyRule, DnsExpectation, Expectation, Fingerprint, HeaderRule, StatusRule};

/// How much of a body may be read for judging it.
const MAX_BODY_BYTES: usize = 64 << 20;

/// The statuses of HTTP (RFC 9110 §15).
const STATUSES: RangeInclusive<u16> = 100..=599;

/// A sentence or two.
const MOST_CHARACTERS_OF_MEANING: usize = 500;

/// How many digits the fingerprint has that Windows calls the thumbprint: SHA-1.
const DIGITS_OF_THUMBPRINT: usize = 40;

/// What a DNS answer may be (RFC 1035 §4.1.1, RFC 2136 §2.2).
const RCODES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE",
];

/// Reads the section of an endpoint of this kind; of any, where its URL could not be read.
pub(super) fn read(value: &Value<'_>, kind: Option<Kind>) -> Option<Expectation> {
    value.fields(|fields| {
        only_for(&[Kind::Dns], kind, fields, &["rcode", "answer"]);
        let http = [
            "status",
            "meaning",
            "body",
            "header",
            "max_redirects",
            "max_body",
        ];
        only_for(&[Kind::Https, Kind::Http], kind, fields, &http);
        let secured = ["chain", "certificate_sha256"];
        only_for(&[Kind::Https, Kind::Tls], kind, fields, &secured);
        let expectation = match kind {
            Some(Kind::Https | Kind::Http) => of_http(fields),
            Some(Kind::Dns) => of_dns(fields),
            Some(Kind::Tls | Kind::Tcp) | None => Expectation::default(),
        };
        match kind {
            Some(Kind::Https | Kind::Tls) => Expectation {
                chain: fields.optional("chain", chain::read),
                pins: pins(fields).unwrap_or_default(),
                ..expectation
            },
            _ => expectation,
        }
    })
}

/// What an override says of it: which certificates there must be.
pub(super) fn of_override(value: &Value<'_>) -> Option<Vec<Fingerprint>> {
    value.fields(pins)?
}

/// The key `certificate_sha256`.
fn pins(fields: &mut Fields<'_>) -> Option<Vec<Fingerprint>> {
    fields.optional("certificate_sha256", |value| value.filled_list(pin))
}

fn pin(value: &Value<'_>) -> Option<Fingerprint> {
    let text = value.text()?;
    match text.parse() {
        Ok(fingerprint) => Some(fingerprint),
        Err(error) => {
            let digits = text.chars().filter(char::is_ascii_hexdigit).count();
            let is_thumbprint = digits == DIGITS_OF_THUMBPRINT;
            let hint = is_thumbprint.then(|| {
                "this is SHA-1, the thumbprint of Windows; `reachd check --verbose` shows the SHA-256".to_owned()
            });
            value.refuse_with(error.to_string(), hint)
        }
    }
}

fn of_http(fields: &mut Fields<'_>) -> Expectation {
    let default = Expectation::default();
    let status = fields.optional("status", |value| {
        value.filled_list(|item| integer(item, &STATUSES))
    });
    let max_redirects = fields.optional("max_redirects", |value| integer(value, &(0..=10)));
    let max_body = fields.optional("max_body", |value| size(value, &(1..=MAX_BODY_BYTES)));
    Expectation {
        status: status.map_or(default.status, StatusRule::OneOf),
        status_meanings: fields.optional("meaning", meanings).unwrap_or_default(),
        body: fields.optional("body", regex).map(BodyRule),
        headers: fields.optional("header", headers).unwrap_or_default(),
        max_redirects: max_redirects.unwrap_or(default.max_redirects),
        max_body_bytes: max_body.unwrap_or(default.max_body_bytes),
        ..default
    }
}

fn of_dns(fields: &mut Fields<'_>) -> Expectation {
    let default = DnsExpectation::default();
    Expectation {
        dns: DnsExpectation {
            rcode: fields.optional("rcode", rcode).unwrap_or(default.rcode),
            answer: fields.optional("answer", regex).map(BodyRule),
        },
        ..Expectation::default()
    }
}

fn meanings(value: &Value<'_>) -> Option<BTreeMap<u16, Arc<str>>> {
    let meaning = |(status, value): (&str, Value<'_>)| {
        let status = status.parse().ok();
        let Some(status) = status.filter(|status| STATUSES.contains(status)) else {
            return value.refuse("the key is not a status of HTTP, 100 to 599");
        };
        let text = value.text()?;
        let length = text.chars().count();
        let is_good =
            (1..=MOST_CHARACTERS_OF_MEANING).contains(&length) && !text.contains(char::is_control);
        if !is_good {
            return value.refuse(format!(
                "expected 1 to {MOST_CHARACTERS_OF_MEANING} characters on one line"
            ));
        }
        Some((status, text.into()))
    };
    Some(value.entries()?.into_iter().filter_map(meaning).collect())
}

fn headers(value: &Value<'_>) -> Option<Vec<HeaderRule>> {
    let rule = |(name, value): (&str, Value<'_>)| {
        if !is_header_name(name) {
            return value.refuse("the key is not the name of a header (RFC 9110)");
        }
        Some(HeaderRule {
            name: name.to_ascii_lowercase(),
            value: regex(&value)?,
        })
    };
    Some(value.entries()?.into_iter().filter_map(rule).collect())
}

fn rcode(value: &Value<'_>) -> Option<String> {
    let text = value.text()?.to_ascii_uppercase();
    if RCODES.contains(&text.as_str()) {
        return Some(text);
    }
    let known = RCODES.join(", ");
    value.refuse(format!("{} is not one of {known}", value.shown()))
}
