//! Both address families of one name: asked for together, and taken together.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType as WireType};
use tokio::time::{Instant, timeout};

use super::answer::{Answer, nothing_seen};
use super::exchange::Servers;
use crate::outcome::{DnsReason, DnsSeen};

/// How long the other address family may still take once one has answered (RFC 8305 §3, Resolution Delay).
///
/// There, a client that hears of IPv6 addresses first connects at once and lets the other family join the race.
/// Here addresses are tried in turn and not in a race, so their order stands before the first connection; and
/// what a probe saw should not depend on which of two answers was the faster by a hair.
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// The answers for both address families; `None` for one that was not waited for.
#[derive(Debug)]
pub(super) struct Findings {
    v4: Option<Answer>,
    v6: Option<Answer>,
}

impl Findings {
    /// A and AAAA are asked for at once. When one has brought addresses, the other has a short while left:
    /// a server that swallows AAAA questions must not make every name time out.
    pub(super) async fn of(servers: &Servers, name: &Name, deadline: Instant) -> Self {
        let ask = |record| {
            let query = Query::query(name.clone(), record);
            async move { servers.ask(&query, deadline).await }
        };
        let (v6, v4) = (ask(WireType::AAAA), ask(WireType::A));
        tokio::pin!(v6, v4);
        tokio::select! {
            v6 = &mut v6 => Self { v4: second(&v6, v4).await, v6: Some(v6) },
            v4 = &mut v4 => Self { v6: second(&v4, v6).await, v4: Some(v4) },
        }
    }

    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        self.both().flat_map(Answer::addresses).collect()
    }

    /// Why there is no address; `None` when there is one. An error of either family tells more than the
    /// other's empty answer, and that the name does not exist tells most.
    pub(super) fn reason(&self) -> Option<DnsReason> {
        self.telling()?.reason()
    }

    pub(super) fn detail(&self) -> String {
        self.telling().map(Answer::detail).unwrap_or_default()
    }

    /// The response code is that of the answer which decides; records are those of both families.
    pub(super) fn seen(&self) -> DnsSeen {
        let mut all = self.telling().map_or_else(nothing_seen, Answer::seen);
        all.answers.clear();
        for one in self.both().map(Answer::seen) {
            all.ttl_seconds = all.ttl_seconds.into_iter().chain(one.ttl_seconds).min();
            if all.cname_chain.is_empty() {
                all.cname_chain = one.cname_chain;
            }
            all.answers.extend(one.answers);
        }
        all
    }

    /// The answer that decides: one with addresses, else the one that tells most of why there are none.
    fn telling(&self) -> Option<&Answer> {
        self.both().max_by_key(|answer| match answer.reason() {
            None => 4,
            Some(DnsReason::NxDomain) => 3,
            Some(DnsReason::NoAddress) => 1,
            Some(_) => 2,
        })
    }

    fn both(&self) -> impl Iterator<Item = &Answer> {
        self.v6.iter().chain(&self.v4)
    }
}

/// Waits for the second family: as long as it takes when the first brought nothing, else but a moment.
async fn second(first: &Answer, other: impl Future<Output = Answer>) -> Option<Answer> {
    if first.addresses().is_empty() {
        return Some(other.await);
    }
    timeout(RESOLUTION_DELAY, other).await.ok()
}

/// IPv6 and IPv4 in turn, IPv6 first (RFC 8305 §4).
pub(super) fn in_family_order(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = addresses.into_iter().partition(IpAddr::is_ipv6);
    let mut ordered = Vec::with_capacity(v6.len() + v4.len());
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    loop {
        let pair = [v6.next(), v4.next()];
        if pair == [None, None] {
            return ordered;
        }
        ordered.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use hickory_resolver::proto::op::ResponseCode;
    use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME};
    use hickory_resolver::proto::rr::{RData, Record};

    use super::*;

    fn answer(rcode: ResponseCode, records: Vec<RData>) -> Answer {
        let name = Name::from_str("name.test.").unwrap();
        let record = |data| Record::from_rdata(name.clone(), 60, data);
        Answer::Received {
            rcode,
            records: records.into_iter().map(record).collect(),
            stray: None,
            server: "192.0.2.53".parse().unwrap(),
        }
    }

    fn address(text: &str) -> Answer {
        let data = match text.parse().unwrap() {
            IpAddr::V4(address) => RData::A(A(address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(address)),
        };
        answer(ResponseCode::NoError, vec![data])
    }

    #[test]
    fn families_alternate_and_ipv6_comes_first() {
        let addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].map(|text| text.parse().unwrap());
        let ordered: Vec<String> = in_family_order(addresses.to_vec())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(ordered, ["2001:db8::1", "192.0.2.1", "192.0.2.2"]);
    }

    #[test]
    fn the_more_telling_family_gives_the_verdict_and_the_code() {
        let code = |rcode| Some(answer(rcode, Vec::new()));
        let empty = || code(ResponseCode::NoError);
        let v4 = || Some(address("192.0.2.1"));
        let v6 = || Some(address("2001:db8::1"));
        let silence = || Some(Answer::trouble(DnsReason::Timeout, "silent".to_owned()));
        let table = [
            (v4(), silence(), None, Some("NOERROR")),
            (v4(), None, None, Some("NOERROR")),
            (v4(), code(ResponseCode::ServFail), None, Some("NOERROR")),
            (v4(), code(ResponseCode::NXDomain), None, Some("NOERROR")),
            (code(ResponseCode::Refused), v6(), None, Some("NOERROR")),
            (
                empty(),
                empty(),
                Some(DnsReason::NoAddress),
                Some("NOERROR"),
            ),
            (empty(), silence(), Some(DnsReason::Timeout), None),
            (
                code(ResponseCode::NXDomain),
                silence(),
                Some(DnsReason::NxDomain),
                Some("NXDOMAIN"),
            ),
            (
                code(ResponseCode::ServFail),
                empty(),
                Some(DnsReason::ServFail),
                Some("SERVFAIL"),
            ),
        ];
        for (v4, v6, reason, rcode) in table {
            let findings = Findings { v4, v6 };
            assert_eq!(findings.reason(), reason, "{findings:?}");
            assert_eq!(findings.seen().rcode.as_deref(), rcode, "{findings:?}");
        }
    }

    #[test]
    fn what_both_families_said_is_kept() {
        let findings = Findings {
            v4: Some(address("192.0.2.1")),
            v6: Some(address("2001:db8::1")),
        };
        let seen = findings.seen();
        assert_eq!(seen.answers, ["2001:db8::1", "192.0.2.1"]);
        assert_eq!(seen.ttl_seconds, Some(60));
    }

    #[test]
    fn a_dangling_alias_is_no_address_and_is_shown() {
        let alias = RData::CNAME(CNAME(Name::from_str("gone.test.").unwrap()));
        let findings = Findings {
            v4: Some(answer(ResponseCode::NoError, vec![alias])),
            v6: None,
        };
        assert_eq!(findings.reason(), Some(DnsReason::NoAddress));
        assert_eq!(findings.seen().cname_chain, ["gone.test"]);
        assert!(findings.detail().contains("gone.test."));
    }
}
