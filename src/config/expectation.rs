//! `expect` of an endpoint: what counts as reachable, as far as its kind of URL answers at all.

use super::chain;
use super::endpoints::{Kind, only_for};
use super::proxies::is_header_name;
use super::reader::{Fields, Value};
use super::scalars::{integer, regex, size};
use crate::endpoint::{BodyRule, DnsExpectation, Expectation, HeaderRule, StatusRule};

/// How much of a body may be read for judging it.
const MAX_BODY_BYTES: usize = 64 << 20;

/// What a DNS answer may be (RFC 1035 §4.1.1, RFC 2136 §2.2).
const RCODES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE",
];

/// Reads the section of an endpoint of this kind; of any, where its URL could not be read.
pub(super) fn read(value: &Value<'_>, kind: Option<Kind>) -> Option<Expectation> {
    value.fields(|fields| {
        only_for(&[Kind::Dns], kind, fields, &["rcode", "answer"]);
        let http = ["status", "body", "header", "max_redirects", "max_body"];
        only_for(&[Kind::Https, Kind::Http], kind, fields, &http);
        only_for(&[Kind::Https, Kind::Tls], kind, fields, &["chain"]);
        let expectation = match kind {
            Some(Kind::Https | Kind::Http) => of_http(fields),
            Some(Kind::Dns) => of_dns(fields),
            Some(Kind::Tls | Kind::Tcp) | None => Expectation::default(),
        };
        match kind {
            Some(Kind::Https | Kind::Tls) => Expectation {
                chain: fields.optional("chain", chain::read),
                ..expectation
            },
            _ => expectation,
        }
    })
}

fn of_http(fields: &mut Fields<'_>) -> Expectation {
    let default = Expectation::default();
    let status = fields.optional("status", |value| {
        value.filled_list(|item| integer(item, &(100..=599)))
    });
    let max_redirects = fields.optional("max_redirects", |value| integer(value, &(0..=10)));
    let max_body = fields.optional("max_body", |value| size(value, &(1..=MAX_BODY_BYTES)));
    Expectation {
        status: status.map_or(default.status, StatusRule::OneOf),
        body: fields.optional("body", regex).map(BodyRule),
        headers: fields.optional("header", headers).unwrap_or_default(),
        max_redirects: max_redirects.unwrap_or(default.max_redirects),
        max_body_bytes: max_body.unwrap_or(default.max_body_bytes),
        dns: default.dns,
        chain: None,
        revocation: None,
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
