//! Which trust stores are judged.

use std::fs;

use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::endpoint::{ChainExpectation, Endpoint, Inspection};
use crate::plan::fixture;

/// A check of the catalog's that needs a root, with its own file of authorities or without one.
fn check(name: &str, root: &ExpectedRoot, ca_file: Option<&Path>) -> Arc<Check> {
    let check = fixture::check("tenant-attach", name, "https://web.test/");
    let mut endpoint = Endpoint::clone(&check.endpoint);
    endpoint.cloud = Some("public".to_owned());
    endpoint.expectation.chain = Some(ChainExpectation {
        roots: [root.clone()].into(),
        issuers: Vec::new(),
        inspection: Inspection::Tolerated,
    });
    Arc::new(Check {
        endpoint: Arc::new(endpoint),
        tls: Arc::new(TlsSettings {
            ca_file: ca_file.map(Path::to_owned),
            ..TlsSettings::default()
        }),
        ..Check::clone(&check)
    })
}

#[test]
fn every_trust_store_is_judged_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roots.pem");
    let own = CertificateParams::default();
    let own = own.self_signed(&KeyPair::generate().unwrap()).unwrap();
    fs::write(&file, own.pem()).unwrap();
    let root = ExpectedRoot {
        name: "some root".to_owned(),
        sha256: "ab".repeat(32).parse().unwrap(),
    };
    let checks = [
        check("a", &root, None),
        check("b", &root, Some(&file)),
        check("c", &root, Some(&file)),
    ];
    let plan = fixture::plan(&checks);
    let required = Prober::new(&plan).unwrap().trust_store(&plan);
    let stores: Vec<&str> = required.iter().map(|root| root.store.as_str()).collect();
    assert_eq!(stores, ["system", file.to_str().unwrap()]);
}
