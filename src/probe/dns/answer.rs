//! What came back for a question, and what it is worth.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use hickory_resolver::proto::op::{DnsResponse, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType as WireType};

use super::aliases::{Followed, follow};
use crate::endpoint::{DnsExpectation, RecordType};
use crate::outcome::{DnsReason, DnsSeen, Peer, shortened};

/// So many records of an answer are kept as evidence.
pub(super) const MOST_ANSWERS_SEEN: usize = 32;

/// So many bytes of each.
const MOST_BYTES_SHOWN: usize = 512;

/// The answer to one question, or why there is none.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// A server answered.
    Received {
        rcode: ResponseCode,
        /// Those of the name that was asked for, and of the names to which its aliases lead.
        records: Vec<Record>,
        /// Why no record is of that name where there are some.
        stray: Option<String>,
        server: IpAddr,
    },
    /// None did.
    Trouble { reason: DnsReason, detail: String },
}

// === impl Answer ===

impl Answer {
    pub(super) fn received(query: &Query, response: &DnsResponse, server: IpAddr) -> Self {
        let is_answer = match response.queries.as_slice() {
            [question] => question == query,
            // Who does not understand a question, or does not want to, may leave it out.
            [] => response.response_code != ResponseCode::NoError,
            _ => false,
        };
        if !is_answer {
            let detail = format!("{server}: what came back is the answer to another question");
            return Self::trouble(DnsReason::BadAnswer, detail);
        }
        let Followed { records, stray } = follow(query, &response.answers);
        Self::Received {
            rcode: response.response_code,
            records,
            stray,
            server,
        }
    }

    pub(super) fn trouble(reason: DnsReason, detail: String) -> Self {
        Self::Trouble { reason, detail }
    }

    /// Whether another server need not be asked: the name exists, or it does not.
    pub(super) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Received {
                rcode: ResponseCode::NoError | ResponseCode::NXDomain,
                ..
            }
        )
    }

    /// An answer tells more than a network error, and that more than silence.
    pub(super) fn or_more_telling(self, other: Self, replace: bool) -> Self {
        let rank = |answer: &Self| match answer {
            Self::Received { .. } => 2,
            Self::Trouble {
                reason: DnsReason::Timeout,
                ..
            } => 0,
            Self::Trouble { .. } => 1,
        };
        if replace || rank(&other) > rank(&self) {
            other
        } else {
            self
        }
    }

    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        match self {
            Self::Received {
                rcode: ResponseCode::NoError,
                records,
                ..
            } => addresses_of(records),
            _ => Vec::new(),
        }
    }

    /// Why a host cannot be reached by what this answer says; `None` when it has addresses.
    pub(super) fn reason(&self) -> Option<DnsReason> {
        match self {
            Self::Trouble { reason, .. } => Some(*reason),
            Self::Received {
                rcode: ResponseCode::NoError,
                stray: Some(_),
                ..
            } => Some(DnsReason::BadAnswer),
            Self::Received {
                rcode: ResponseCode::NoError,
                ..
            } => self.addresses().is_empty().then_some(DnsReason::NoAddress),
            Self::Received { rcode, .. } => Some(reason_of_rcode(*rcode)),
        }
    }

    pub(super) fn detail(&self) -> String {
        match self {
            Self::Trouble { detail, .. } => detail.clone(),
            Self::Received {
                rcode,
                records,
                stray,
                server,
            } => {
                let text: Vec<String> = records.iter().take(MOST_ANSWERS_SEEN).map(shown).collect();
                let rcode = rcode_name(*rcode);
                match (stray, text.is_empty()) {
                    (Some(stray), _) => {
                        format!("{server} answered {rcode}, which cannot be used: {stray}")
                    }
                    (None, true) => format!("{server} answered {rcode} without a record"),
                    (None, false) => format!("{server} answered {rcode}: {}", text.join(", ")),
                }
            }
        }
    }

    /// Judges the answer to a `dns:` endpoint.
    pub(super) fn judge(
        &self,
        asked: WireType,
        expectation: &DnsExpectation,
    ) -> Result<(), (DnsReason, String)> {
        let (rcode, records, stray) = match self {
            Self::Trouble { reason, detail } => return Err((*reason, detail.clone())),
            Self::Received {
                rcode,
                records,
                stray,
                ..
            } => (*rcode, records, stray),
        };
        if rcode_name(rcode) != expectation.rcode {
            let reason = match rcode {
                ResponseCode::NoError => DnsReason::BadAnswer,
                rcode => reason_of_rcode(rcode),
            };
            return Err((
                reason,
                format!("{}, expected {}", self.detail(), expectation.rcode),
            ));
        }
        let mut of_type = records
            .iter()
            .filter(|record| record.record_type() == asked)
            .peekable();
        if rcode == ResponseCode::NoError && of_type.peek().is_none() {
            let reason = match stray {
                Some(_) => DnsReason::BadAnswer,
                None => DnsReason::NoAddress,
            };
            return Err((reason, self.detail()));
        }
        match &expectation.answer {
            Some(rule) if !of_type.any(|record| rule.0.is_match(text_of(record).as_bytes())) => {
                let detail = format!("{}, expected a record matching `{}`", self.detail(), rule.0);
                Err((DnsReason::BadAnswer, detail))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn seen(&self) -> DnsSeen {
        let Self::Received { rcode, records, .. } = self else {
            return nothing_seen();
        };
        let records = records.iter().take(MOST_ANSWERS_SEEN);
        let (aliases, others): (Vec<&Record>, Vec<&Record>) =
            records.partition(|record| record.record_type() == WireType::CNAME);
        DnsSeen {
            rcode: Some(rcode_name(*rcode)),
            ttl_seconds: aliases.iter().chain(&others).map(|record| record.ttl).min(),
            cname_chain: aliases.into_iter().map(alias_of).collect(),
            answers: others.into_iter().map(shown).collect(),
            ..nothing_seen()
        }
    }
}

/// What is to be filled in with whose name it was, and who was asked.
pub(super) fn nothing_seen() -> DnsSeen {
    DnsSeen {
        peer: Peer::Endpoint,
        name: String::new(),
        resolver: Arc::default(),
        rcode: None,
        cname_chain: Vec::new(),
        ttl_seconds: None,
        answers: Vec::new(),
    }
}

pub(super) fn addresses_of(records: &[Record]) -> Vec<IpAddr> {
    let address = |record: &Record| match &record.data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    };
    records.iter().filter_map(address).collect()
}

pub(super) fn wire_type(record: RecordType) -> WireType {
    match record {
        RecordType::A => WireType::A,
        RecordType::Aaaa => WireType::AAAA,
        RecordType::Caa => WireType::CAA,
        RecordType::Cname => WireType::CNAME,
        RecordType::Https => WireType::HTTPS,
        RecordType::Mx => WireType::MX,
        RecordType::Ns => WireType::NS,
        RecordType::Ptr => WireType::PTR,
        RecordType::Soa => WireType::SOA,
        RecordType::Srv => WireType::SRV,
        RecordType::Txt => WireType::TXT,
    }
}

fn text_of(record: &Record) -> String {
    record.data.to_string()
}

fn shown(record: &Record) -> String {
    shortened(text_of(record), MOST_BYTES_SHOWN)
}

fn alias_of(record: &Record) -> String {
    match &record.data {
        RData::CNAME(name) => without_dot(name),
        _ => text_of(record),
    }
}

/// A name as it is written in a URL; the root keeps its dot.
pub(super) fn without_dot(name: &Name) -> String {
    let text = name.to_ascii();
    match text.strip_suffix('.') {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => text,
    }
}

fn reason_of_rcode(rcode: ResponseCode) -> DnsReason {
    match rcode {
        ResponseCode::NXDomain => DnsReason::NxDomain,
        ResponseCode::ServFail => DnsReason::ServFail,
        ResponseCode::Refused => DnsReason::Refused,
        _ => DnsReason::BadAnswer,
    }
}

/// The mnemonics of the IANA registry "DNS RCODEs".
fn rcode_name(rcode: ResponseCode) -> Cow<'static, str> {
    let number = u16::from(rcode);
    let name = match number {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        16 => "BADVERS",
        23 => "BADCOOKIE",
        _ => return format!("RCODE{number}").into(),
    };
    name.into()
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use hickory_resolver::proto::rr::rdata::{CNAME, TXT};
    use regex::bytes::Regex;

    use super::*;
    use crate::endpoint::BodyRule;

    fn record(data: RData) -> Record {
        Record::from_rdata(Name::from_str("name.test.").unwrap(), 60, data)
    }

    fn answer(rcode: ResponseCode, records: Vec<Record>) -> Answer {
        Answer::Received {
            rcode,
            records,
            stray: None,
            server: "192.0.2.53".parse().unwrap(),
        }
    }

    #[test]
    fn aliases_are_written_like_the_names_they_stand_for() {
        let alias = |name| record(RData::CNAME(CNAME(Name::from_str(name).unwrap())));
        let text = record(RData::CNAME(CNAME(Name::root())));
        let seen = answer(ResponseCode::NoError, vec![alias("web.test."), text]).seen();
        assert_eq!(seen.cname_chain, ["web.test", "."]);
    }

    #[test]
    fn an_answer_is_judged_by_rcode_type_and_text() {
        let text = record(RData::TXT(TXT::new(vec!["v=spf1 -all".to_owned()])));
        let expectation = |rcode: &str, regex: Option<&str>| DnsExpectation {
            rcode: rcode.to_owned(),
            answer: regex.map(|regex| BodyRule(Regex::new(regex).unwrap())),
        };
        let reason = |answer: &Answer, expectation: &DnsExpectation| {
            answer
                .judge(WireType::TXT, expectation)
                .err()
                .map(|(reason, _)| reason)
        };
        let good = answer(ResponseCode::NoError, vec![text]);
        let nxdomain = answer(ResponseCode::NXDomain, Vec::new());
        let empty = answer(ResponseCode::NoError, Vec::new());
        assert_eq!(reason(&good, &expectation("NOERROR", Some("spf1"))), None);
        assert_eq!(
            reason(&good, &expectation("NOERROR", Some("dkim"))),
            Some(DnsReason::BadAnswer)
        );
        assert_eq!(
            reason(&good, &expectation("NXDOMAIN", None)),
            Some(DnsReason::BadAnswer)
        );
        assert_eq!(reason(&nxdomain, &expectation("NXDOMAIN", None)), None);
        assert_eq!(
            reason(&nxdomain, &expectation("NOERROR", None)),
            Some(DnsReason::NxDomain)
        );
        assert_eq!(
            reason(&empty, &expectation("NOERROR", None)),
            Some(DnsReason::NoAddress)
        );
    }
}
