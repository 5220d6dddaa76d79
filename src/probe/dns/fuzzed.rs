//! What the readers of name servers' answers stand, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use hickory_resolver::proto::op::{DnsResponse, Query};
use hickory_resolver::proto::rr::Name;

use super::answer::{Answer, MOST_ANSWERS_SEEN, wire_type};
use crate::endpoint::{DnsExpectation, RecordType};

/// So many aliases are followed, and the one that is too many is kept.
const MOST_ALIASES: usize = 17;

/// No detail is longer: the answers that are kept, and no more of each than is shown.
const LONGEST_DETAIL: usize = 64 * 1024;

/// An answer as it comes over the wire, to several questions: what is kept and told of it is bounded, and an address is
/// never that of another name.
pub fn dns_answer(bytes: &[u8]) {
    let Ok(response) = DnsResponse::from_buffer(bytes.to_vec()) else {
        return;
    };
    let Ok(name) = Name::from_str("web.test.") else {
        return;
    };
    let server = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53));
    for record in [RecordType::A, RecordType::Cname, RecordType::Txt] {
        let record = wire_type(record);
        let query = Query::query(name.clone(), record);
        let answer = Answer::received(&query, &response, server);
        assert!(answer.detail().len() <= LONGEST_DETAIL);
        let seen = answer.seen();
        assert!(seen.cname_chain.len() <= MOST_ANSWERS_SEEN);
        assert!(seen.answers.len() <= MOST_ANSWERS_SEEN);
        let judged = answer.judge(record, &DnsExpectation::default());
        assert!(judged.is_ok() || answer.detail().len() <= LONGEST_DETAIL);
        let is_usable = !answer.addresses().is_empty();
        assert!(!is_usable || answer.is_final());
        let Answer::Received { records, stray, .. } = &answer else {
            continue;
        };
        assert!(stray.is_none() || answer.reason().is_some() || !is_usable);
        let aliases = records
            .iter()
            .filter(|record| record.record_type() == wire_type(RecordType::Cname));
        if record != wire_type(RecordType::Cname) {
            assert!(aliases.count() <= MOST_ALIASES);
        }
    }
}
