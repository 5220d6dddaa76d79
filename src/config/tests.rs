//! What holds for the configuration as a whole: bad files and their problems as data, secrets, the round trip
//! of the effective configuration, and that decoder, schema, samples and reference agree.

mod agreement;
mod refused;
mod round_trip;
mod values;

use std::path::Path;

use super::{Config, Problems};

/// What no test may ever find in an output.
const SECRET: &str = "hunter2";

fn environment(name: &str) -> Option<String> {
    match name {
        "SECRET" | "CORP_PROXY_PASSWORD" => Some(SECRET.to_owned()),
        "HOST" => Some("cm01.example".to_owned()),
        _ => None,
    }
}

fn parse(text: &str) -> Result<Config, Problems> {
    Config::parse("f.yml", text, Path::new("/nowhere"), &environment)
}

/// A folder with the files that samples and examples name.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default()
        .self_signed(&key)
        .unwrap();
    std::fs::write(folder.path().join("corp-ca.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.path().join("corp-password"), format!("{SECRET}\r\n")).unwrap();
    let both = format!("{}{}", certificate.pem(), key.serialize_pem());
    std::fs::write(folder.path().join("client.pem"), both).unwrap();
    std::fs::write(folder.path().join("corp.keytab"), [5, 2]).unwrap();
    folder
}
