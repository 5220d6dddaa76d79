//! Client certificates: read while the configuration is loaded, so that a missing or wrong file is a problem of the
//! configuration and not of every probe; and again by the probe, when the files change.

use std::path::{Path, PathBuf};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::files::{path, read_bounded};
use super::reader::{Fields, Value};
use crate::endpoint::ClientFiles;

const MAX_FILE_BYTES: u64 = 1 << 20;

/// The certificate and the key of the files, which fit. Or in one line why not; no key is ever shown.
///
/// # Errors
/// When a file cannot be read, lacks what it is for, or the key is another certificate's.
pub fn client_certificate(files: &ClientFiles) -> Result<CertifiedKey, String> {
    let certificates = certificates(&files.certificate)?;
    let key = private_key(&files.key)?;
    let (certificate_file, key_file) = (files.certificate.display(), files.key.display());
    pair(certificates, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("the key in {key_file} is not that of the certificate in {certificate_file}")
        }
        error => format!("{certificate_file} and {key_file} cannot be used together: {error}"),
    })
}

/// A certificate with its key.
pub(super) fn pair(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, rustls::Error> {
    CertifiedKey::from_der(certificates, key, &aws_lc_rs::default_provider())
}

/// The keys `client_certificate` and `client_key`.
pub(super) fn read_fields(fields: &mut Fields<'_>) -> Option<ClientFiles> {
    let certificate = fields.get("client_certificate");
    let key = fields.get("client_key");
    let (certificate, key) = match (certificate, key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return None,
        (Some(alone), None) => return alone.refuse("`client_key` is missing beside it"),
        (None, Some(alone)) => return alone.refuse("`client_certificate` is missing beside it"),
    };
    let certificate_file = readable(&certificate, |path| certificates(path).map(drop));
    let key_file = readable(&key, |path| private_key(path).map(drop));
    let files = ClientFiles {
        certificate: certificate_file?,
        key: key_file?,
    };
    match client_certificate(&files) {
        Ok(_) => Some(files),
        Err(why) => key.refuse(why),
    }
}

fn readable(value: &Value<'_>, read: impl FnOnce(&Path) -> Result<(), String>) -> Option<PathBuf> {
    let path = path(value)?;
    match read(&path) {
        Ok(()) => Some(path),
        Err(why) => value.refuse(why),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    certificates_in(&read(path)?, &path.display().to_string())
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    private_key_in(&read(path)?, &path.display().to_string())
}

/// What a file of certificates or a key holds.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    read_bounded(path, MAX_FILE_BYTES)
}

/// The certificates of a PEM text, which problems call `place`.
pub(super) fn certificates_in(
    content: &[u8],
    place: &str,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(content).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Err(format!("{place} holds no PEM certificate"))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("{place} is not valid PEM: {error}")),
    }
}

/// The private key of a PEM text, which problems call `place`.
pub(super) fn private_key_in(
    content: &[u8],
    place: &str,
) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(content).map_err(|_| {
        if is_encrypted(content) {
            return format!("the key in {place} is encrypted; write it without a passphrase");
        }
        format!("{place} holds no PEM private key")
    })
}

/// PKCS#8 says so in its label, the older form in a header.
fn is_encrypted(content: &[u8]) -> bool {
    let text = String::from_utf8_lossy(content);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn what_cannot_be_used_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        let certificate = file("certificate.pem", &certificate.pem());
        let fitting = file("fitting.key", &key.serialize_pem());
        let other = file("other.key", &other.serialize_pem());
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let encrypted = file("encrypted.key", encrypted);
        let table = [
            (&certificate, &fitting, None),
            (
                &certificate,
                &other,
                Some("is not that of the certificate in"),
            ),
            (
                &certificate,
                &certificate,
                Some("certificate.pem holds no PEM private key"),
            ),
            (&certificate, &encrypted, Some("encrypted.key is encrypted")),
            (
                &fitting,
                &fitting,
                Some("fitting.key holds no PEM certificate"),
            ),
        ];
        for (certificate, key, expected) in table {
            let files = ClientFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            };
            let fault = client_certificate(&files).map(drop).err();
            let is_expected = match (&fault, expected) {
                (None, None) => true,
                (Some(fault), Some(expected)) => fault.contains(expected),
                _ => false,
            };
            assert!(is_expected, "{fault:?} {expected:?}");
        }
    }
}
