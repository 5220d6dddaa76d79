//! What a probe comes to with what the store has for it.

use std::future::pending;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::time::sleep;

use super::certificate::subjects;
use super::fixture::{Authority, Crl, LIST, RESPONDER};
use super::*;
use crate::outcome::FailureReason;
use crate::plan::{Check, fixture};
use crate::probe::Prober;

const SECOND: Duration = Duration::from_secs(1);

/// A probe that looks for revocation.
fn probe(mode: RevocationMode) -> Probe {
    let mut check = (*fixture::check("s", "e", "https://web.test/")).clone();
    check.revocation.mode = mode;
    check.revocation.methods = vec![RevocationMethod::Ocsp, RevocationMethod::Crl];
    let check: Arc<Check> = Arc::new(check);
    let prober = Prober::new(&fixture::plan([&check])).unwrap();
    prober.probe_of(&check).unwrap()
}

impl Probe {
    /// Has the store come to this by a fetch that is under way.
    fn will_have<F>(&self, subject: &Subject, method: RevocationMethod, fetched: F)
    where
        F: Future<Output = Result<Document, Trouble>> + Send + 'static,
    {
        let is_answer = method == RevocationMethod::Ocsp;
        let url = if is_answer { RESPONDER } else { LIST };
        let key = Key {
            issuer: subject.issuer.digest,
            serial: is_answer.then(|| subject.serial.clone()),
            url: Url::parse(url).unwrap().to_string(),
            route: "direct".to_owned(),
        };
        let store = &self.means.store;
        store.find(&key, SECOND, |_| fetched);
    }
}

fn document(authority: &Authority) -> Document {
    let now = SystemTime::now();
    let list = authority.list(&Crl::default());
    Document::of_list(&list, &authority.subject(&[1]), now, now).unwrap()
}

fn presented(path: &[CertificateDer<'static>]) -> Presented {
    Presented {
        path: path.into(),
        staple: Vec::new(),
    }
}

fn states(journal: &Journal) -> Vec<RevocationState> {
    let seen = journal.observed.revocation.iter();
    seen.map(|seen| seen.state).collect()
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_nobody_tells_of_leaves_the_next_one_its_time() {
    let authority = Authority::new("CA");
    let path = [
        authority.certificate(&[1]),
        authority.certificate(&[2]),
        authority.der(),
    ];
    let probe = probe(RevocationMode::Require);
    let [leaf, intermediate] = &subjects(&path)[..] else {
        panic!("the root is not asked about");
    };
    probe.will_have(leaf, RevocationMethod::Ocsp, pending());
    probe.will_have(leaf, RevocationMethod::Crl, pending());
    let good = document(&authority);
    probe.will_have(intermediate, RevocationMethod::Ocsp, async {
        sleep(5 * SECOND).await;
        Ok(good)
    });
    let started = Instant::now();
    let mut journal = Journal::new(started + 8 * SECOND);
    let result = probe
        .look_for_revocation(&presented(&path), &mut journal)
        .await;
    assert!(result.is_err());
    let expected = [
        RevocationState::Unreachable,
        RevocationState::Unreachable,
        RevocationState::Good,
    ];
    assert_eq!(states(&journal), expected);
    // Half of the time is the leaf's.
    assert_eq!(started.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_had_costs_the_next_probe_nothing_and_says_why() {
    let authority = Authority::new("CA");
    let path = [authority.certificate(&[1]), authority.der()];
    let probe = probe(RevocationMode::Report);
    let leaf = &subjects(&path)[0];
    for method in [RevocationMethod::Ocsp, RevocationMethod::Crl] {
        probe.will_have(leaf, method, async {
            let why = "connect/timeout at the proxy: no answer in time";
            sleep(9 * SECOND).await;
            Err(Trouble::new(RevocationReason::Timeout, why))
        });
    }
    let presented = presented(&path);
    let look = async || {
        let started = Instant::now();
        let mut journal = Journal::new(started + 8 * SECOND);
        let result = probe.look_for_revocation(&presented, &mut journal);
        result.await.unwrap();
        let [warning] = &journal.warnings[..] else {
            panic!("{:?}", journal.warnings);
        };
        (started.elapsed(), warning.detail.clone())
    };
    let (took, _) = look().await;
    assert_eq!(took, 4 * SECOND);
    sleep(60 * SECOND).await;
    let (took, told) = look().await;
    assert_eq!(took, Duration::ZERO);
    assert!(told.contains("connect/timeout at the proxy"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_a_warning() {
    let authority = Authority::new("CA");
    let path = [authority.certificate(&[1]), authority.der()];
    let probe = probe(RevocationMode::Require);
    let leaf = &subjects(&path)[0];
    let known = Document {
        renew: SystemTime::now(),
        ..document(&authority)
    };
    let until = humantime::format_rfc3339_seconds(known.until).to_string();
    probe.will_have(leaf, RevocationMethod::Ocsp, async { Ok(known) });
    sleep(SECOND).await;
    probe.will_have(leaf, RevocationMethod::Ocsp, async {
        Err(Trouble::new(RevocationReason::Unreachable, "connect/refused").over("direct"))
    });
    sleep(Duration::from_millis(100)).await;
    let mut journal = Journal::new(Instant::now() + 8 * SECOND);
    let presented = presented(&path);
    let result = probe.look_for_revocation(&presented, &mut journal);
    result.await.unwrap();
    assert_eq!(states(&journal), [RevocationState::Good]);
    let [warning] = &journal.warnings[..] else {
        panic!("{:?}", journal.warnings);
    };
    let reason = FailureReason::Revocation(RevocationReason::Unreachable);
    assert_eq!(warning.reason, reason);
    let seen = journal.observed.revocation[0].detail.as_deref();
    for said in [warning.detail.as_str(), seen.unwrap()] {
        for expected in ["over the route direct", "connect/refused", until.as_str()] {
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }
    assert!(warning.detail.contains(RESPONDER), "{}", warning.detail);
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_cannot_be_read_is_unknown() {
    let authority = Authority::new("CA");
    let path = [CertificateDer::from(vec![0x30, 0]), authority.der()];
    let mut journal = Journal::new(Instant::now() + 8 * SECOND);
    let failure = probe(RevocationMode::Require)
        .look_for_revocation(&presented(&path), &mut journal)
        .await
        .unwrap_err();
    let reason = FailureReason::Revocation(RevocationReason::Unknown);
    assert_eq!(failure.reason, reason);
    assert!(
        failure.detail.contains("cannot be read"),
        "{}",
        failure.detail
    );
    assert_eq!(states(&journal), [RevocationState::Unknown; 2]);
}
