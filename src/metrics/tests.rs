//! Tests of the room as a whole, and what they share.

mod format;
mod open_metrics;
mod outcomes;
mod protobuf;
mod reference;
mod replan;

use std::collections::BTreeMap;

use super::*;
use crate::endpoint::RevocationMethod;
use crate::outcome::{
    CertificatePlace, CertificateSeen, InterceptionSeen, Peer, RedirectSeen, RevocationSeen,
    RevocationState, TlsSeen,
};
use crate::plan::fixture::{self, expired, success};
use crate::route::Via;

/// A whole scrape.
fn scrape(metrics: &Metrics) -> String {
    let pieces: Vec<Bytes> = metrics.exposition(Format::Text).collect();
    String::from_utf8(pieces.concat()).unwrap()
}

/// A scrape without reachd's own health.
fn of_checks(metrics: &Metrics) -> String {
    let text = scrape(metrics);
    let own = ["# HELP process_", "# HELP reachd_build_info"];
    let end = own.iter().filter_map(|head| text.find(head)).min().unwrap();
    text[..end].to_owned()
}

/// The samples of a scrape: what stands before the value, and the value.
fn samples(text: &str) -> BTreeMap<String, String> {
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let double = samples.insert(series.to_owned(), value.to_owned());
        assert_eq!(double, None, "twice: {series}");
    }
    samples
}

/// The series of a scrape whose name begins like this.
fn series(metrics: &Metrics, start: &str) -> Vec<String> {
    let lines = of_checks(metrics);
    let found = lines.lines().filter(|line| line.starts_with(start));
    found.map(str::to_owned).collect()
}

fn gateway() -> Arc<Check> {
    fixture::check("site", "gateway", "https://gateway.example/")
}

fn metrics_of(plan: &Plan) -> Metrics {
    let metrics = Metrics::new();
    metrics.planned(plan);
    metrics
}

/// A failure that shows everything which can be shown.
fn full_failure(at: u64) -> Arc<Outcome> {
    let day = |day: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400);
    let certificate = |subject: &str, not_after| CertificateSeen {
        subject: subject.to_owned(),
        issuer: "CN=Corp \"Issuing\" CA, O=Corp\\IT".to_owned(),
        names: Vec::new(),
        serial: "0a1b".to_owned(),
        not_before: day(1),
        not_after,
        key: "RSA 2048".to_owned(),
        signature_algorithm: "sha256WithRSAEncryption".to_owned(),
        fingerprint_sha256: "c0ffee".to_owned(),
    };
    let mut outcome = (*expired(at)).clone();
    outcome.observed = success(at).observed.clone();
    outcome.observed.interception = Some(InterceptionSeen {
        intercepted: true,
        issuer: None,
    });
    outcome.observed.http.as_mut().unwrap().redirects = vec![RedirectSeen {
        status: 302,
        url: "https://other.example/".to_owned(),
        via: Via::Direct,
    }];
    outcome.observed.clock_offset_seconds = Some(-1.25);
    let seen = |certificate, state| RevocationSeen {
        certificate,
        subject: "CN=first".into(),
        method: RevocationMethod::Crl,
        state,
        url: Some("http://pki.example/ca.crl".into()),
        detail: None,
        this_update: None,
        next_update: Some(day(2)),
    };
    outcome.observed.revocation = [
        seen(CertificatePlace::Leaf, RevocationState::Good),
        seen(CertificatePlace::Intermediate, RevocationState::Good),
        // Of two intermediate certificates, the worse one stands for both.
        seen(CertificatePlace::Intermediate, RevocationState::Stale),
    ]
    .into();
    outcome.observed.tls = vec![
        TlsSeen {
            peer: Peer::Endpoint,
            version: Some("TLSv1.2"),
            cipher: Some("TLS_OLD"),
            key_exchange: None,
            alpn: None,
            certificates: vec![
                certificate("CN=first", day(20)),
                certificate("CN=between", day(10)),
            ]
            .into(),
            path: Arc::default(),
        },
        TlsSeen {
            peer: Peer::Endpoint,
            version: Some("TLSv1.3"),
            cipher: Some("TLS_AES_128_GCM_SHA256"),
            key_exchange: None,
            alpn: Some("h2".into()),
            certificates: [certificate("CN=last", day(30))].into(),
            path: Arc::default(),
        },
    ];
    Arc::new(outcome)
}
