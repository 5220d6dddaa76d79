//! The certificates of one run: a root that reachd is told to trust, and every fault a certificate can have.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use sha2::{Digest, Sha256};

/// The names of the good certificate; every server of the lab is one of them.
const GOOD_NAMES: [&str; 2] = ["*.lab.test", "lab.test"];

/// id-pe-authorityInfoAccess (RFC 5280 §4.2.2.1).
const AUTHORITY_INFORMATION_ACCESS: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 1];

/// A folder with a `.pem` (the chain as served, leaf first) and a `.key` for each certificate.
pub(crate) struct Pki {
    dir: PathBuf,
    /// The fingerprint of the root that reachd is told to trust.
    pub(crate) root_sha256: String,
    /// Those of the servers' own certificates, by name.
    pub(crate) leaves_sha256: RefCell<BTreeMap<String, String>>,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

impl Pki {
    /// Makes all of it in `dir`.
    pub(crate) fn make(dir: &Path) -> Self {
        fs::create_dir(dir).unwrap();
        let mut pki = Self {
            dir: dir.to_owned(),
            root_sha256: String::new(),
            leaves_sha256: RefCell::default(),
        };
        let root = authority("Lab Root", None);
        let intermediate = authority("Lab Intermediate", Some(&root));
        let unknown_root = authority("Unknown Root", None);
        let client_authority = authority("Lab Client Authority", None);
        pki.write("root.pem", &root.pem());
        pki.write("unknown-root.pem", &unknown_root.pem());
        pki.write("client-ca.pem", &client_authority.pem());

        pki.leaf("good", &valid(&GOOD_NAMES), &intermediate, true);
        pki.leaf("expired", &between(2020, 2021), &intermediate, true);
        pki.leaf("not-yet-valid", &between(2047, 2049), &intermediate, true);
        let day = Duration::from_secs(24 * 3600);
        let mut soon = valid(&GOOD_NAMES);
        let (year, month, day) = date_of(SystemTime::now() + 3 * day);
        soon.not_after = date_time_ymd(year, month, day);
        pki.leaf("soon", &soon, &intermediate, true);
        // By its name a root that the catalog requires.
        let catalogs = authority("DigiCert Global Root G2", None);
        let graph = valid(&["graph.microsoft.com"]);
        pki.leaf("graph", &graph, &catalogs, true);
        let elsewhere = valid(&["www.elsewhere.test"]);
        pki.leaf("wrong-host", &elsewhere, &intermediate, true);
        pki.leaf("unknown-issuer", &valid(&GOOD_NAMES), &unknown_root, true);
        // Servers that do not send their intermediate certificate, and say where it is: there, and in other ways.
        let points = |name: &str, path: &str, issuer: &Authority| {
            let mut params = valid(&GOOD_NAMES);
            let uri = format!("http://web.lab.test/issuers/{path}");
            params.custom_extensions = vec![ca_issuers(&uri)];
            pki.leaf(name, &params, issuer, false);
        };
        points("no-intermediate", "intermediate.der", &intermediate);
        points("no-intermediate-pem", "intermediate.pem", &intermediate);
        points("lost-intermediate", "absent.der", &intermediate);
        points("junk-intermediate", "junk", &intermediate);
        let unknown_intermediate = authority("Unknown Intermediate", Some(&unknown_root));
        points("unknown-intermediate", "unknown.der", &unknown_intermediate);
        let issuers = dir.join("issuers");
        fs::create_dir(&issuers).unwrap();
        fs::write(issuers.join("intermediate.der"), intermediate.der()).unwrap();
        fs::write(issuers.join("intermediate.pem"), intermediate.pem()).unwrap();
        fs::write(issuers.join("unknown.der"), unknown_intermediate.der()).unwrap();
        fs::write(issuers.join("junk"), "no certificate").unwrap();
        let mut client = valid(&["reachd.lab.test"]);
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        pki.leaf("client", &client, &client_authority, false);
        pki.leaf("wrong-client", &client, &unknown_root, false);
        let mut without_names = valid(&GOOD_NAMES);
        without_names.subject_alt_names.clear();
        pki.leaf("no-names", &without_names, &intermediate, true);
        pki.write("intermediate.pem", &intermediate.pem());
        pki.write("intermediate.key", &intermediate.key().serialize_pem());
        pki.by_openssl("sha1", "rsa:2048", "-sha1");
        pki.by_openssl("small-key", "rsa:1024", "-sha256");

        let hostile = valid(&[
            "*.tls.hostile.lab.test",
            "*.h2.hostile.lab.test",
            "dns.hostile.lab.test",
        ]);
        pki.leaf("hostile", &hostile, &intermediate, true);

        // Who looks into the traffic makes certificates of its own.
        let inspection = authority("Corp Inspection CA", None);
        pki.write("inspection.pem", &inspection.pem());
        pki.write("inspection.key", &inspection.key().serialize_pem());
        pki.root_sha256 = fingerprint(root.der());

        // A proxy has a name of its own and, so that nobody takes one for the other, an authority of its own.
        let proxy_root = authority("Proxy Root", None);
        pki.write("proxy-root.pem", &proxy_root.pem());
        pki.leaf("proxy", &valid(&["squid.lab.test"]), &proxy_root, false);

        let key = KeyPair::generate().unwrap();
        let self_signed = valid(&GOOD_NAMES).self_signed(&key).unwrap();
        pki.write("self-signed.pem", &self_signed.pem());
        pki.write("self-signed.key", &key.serialize_pem());
        pki.remember("self-signed", self_signed.der());
        pki
    }

    fn leaf(&self, name: &str, params: &CertificateParams, issuer: &Authority, with_issuer: bool) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        self.remember(name, certificate.der());
        let mut chain = certificate.pem();
        if with_issuer {
            chain.push_str(&issuer.pem());
        }
        let key = key.serialize_pem();
        self.write(&format!("{name}.pem"), &chain);
        self.write(&format!("{name}.key"), &key);
        // The one file that haproxy wants.
        self.write(&format!("{name}.both"), &format!("{chain}{key}"));
    }

    /// A leaf such as nobody makes any more; only openssl still does.
    fn by_openssl(&self, name: &str, key: &str, digest: &str) {
        let file = |extension: &str| {
            let path = self.dir.join(format!("{name}.{extension}"));
            path.to_str().expect("a path in UTF-8").to_owned()
        };
        let authority = |extension: &str| {
            let path = self.dir.join(format!("intermediate.{extension}"));
            path.to_str().expect("a path in UTF-8").to_owned()
        };
        let subject = format!("/CN={name}.lab.test");
        let names = format!("subjectAltName=DNS:{name}.lab.test");
        let command = format!(
            "openssl req -x509 -newkey {key} -nodes {digest} -days 3650 -subj {subject} -addext {names} -addext \
             basicConstraints=critical,CA:FALSE -CA {} -CAkey {} -keyout {} -out {}",
            authority("pem"),
            authority("key"),
            file("key"),
            file("pem")
        );
        let words: Vec<&str> = command.split(' ').collect();
        let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {said}");
        let chain = [file("pem"), authority("pem")].map(|path| fs::read_to_string(path).unwrap());
        self.write(&format!("{name}.pem"), &chain.concat());
    }

    fn remember(&self, name: &str, der: &[u8]) {
        let mut leaves = self.leaves_sha256.borrow_mut();
        leaves.insert(name.to_owned(), fingerprint(der));
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.dir.join(file), text).unwrap();
    }
}

fn authority(name: &str, issuer: Option<&Authority>) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 1, 1);
    let key = KeyPair::generate().unwrap();
    match issuer {
        Some(issuer) => CertifiedIssuer::signed_by(params, key, issuer).unwrap(),
        None => CertifiedIssuer::self_signed(params, key).unwrap(),
    }
}

/// The SHA-256 of a certificate, as openssl writes it.
fn fingerprint(der: &[u8]) -> String {
    let digest = Sha256::digest(der);
    let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

fn valid(names: &[&str]) -> CertificateParams {
    leaf_params(names, 2020, 2049)
}

fn between(first: i32, last: i32) -> CertificateParams {
    leaf_params(&GOOD_NAMES, first, last)
}

fn leaf_params(names: &[&str], first: i32, last: i32) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names.clone()).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, names[0].as_str());
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(first, 1, 1);
    params.not_after = date_time_ymd(last, 1, 1);
    params
}

/// The day on which a moment is.
fn date_of(time: SystemTime) -> (i32, u8, u8) {
    let text = humantime::format_rfc3339_seconds(time).to_string();
    let mut parts = text[..10].split('-');
    let mut next = || parts.next().expect("a date");
    let year = next().parse().unwrap();
    let [month, day] = [(); 2].map(|()| next().parse().unwrap());
    (year, month, day)
}

/// Says where the issuer's certificate is to be had: `AccessDescription { id-ad-caIssuers, URI }` in DER.
fn ca_issuers(uri: &str) -> CustomExtension {
    const ID_AD_CA_ISSUERS: [u8; 10] = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    const CONTEXT_6_URI: u8 = 0x86;
    const SEQUENCE: u8 = 0x30;
    let uri = tagged(CONTEXT_6_URI, uri.as_bytes());
    let description = tagged(SEQUENCE, &[&ID_AD_CA_ISSUERS[..], &uri].concat());
    let content = tagged(SEQUENCE, &description);
    CustomExtension::from_oid_content(&AUTHORITY_INFORMATION_ACCESS, content)
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("a short extension");
    assert!(length < 128, "the long form of a length is not needed here");
    [&[tag, length], content].concat()
}
