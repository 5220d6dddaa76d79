//! Files that the configuration names: read while it is loaded, within bounds, so that a missing one is a
//! problem of the configuration and not of every probe.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::reader::Value;
use crate::route::Secret;

const MAX_SECRET_BYTES: u64 = 64 << 10;
const MAX_CA_FILE_BYTES: u64 = 4 << 20;
const MAX_KEYTAB_BYTES: u64 = 1 << 20;

/// How the files of MIT's and Heimdal's Kerberos begin that hold keys.
const KEYTAB_VERSION: u8 = 5;

/// The content of a file, or in one line why there is none. A pipe or a device could hold up the reader for
/// ever, so only regular files are opened.
pub(super) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let unreadable = |error| format!("cannot read {}: {error}", path.display());
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(format!("{} is not a regular file", path.display()));
    }
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut content))
        .map_err(unreadable)?;
    if content.len() as u64 > most {
        let most = most >> 10;
        return Err(format!("{} is larger than {most} KiB", path.display()));
    }
    Ok(content)
}

/// A secret kept in a file of its own, without the newline at its end.
pub(super) fn secret(value: &Value<'_>) -> Option<Secret> {
    let path = path(value)?;
    let content = match read_bounded(&path, MAX_SECRET_BYTES) {
        Ok(content) => content,
        Err(why) => return value.refuse(why),
    };
    let Ok(text) = String::from_utf8(content) else {
        return value.refuse(format!("{} is not UTF-8 text", path.display()));
    };
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return value.refuse(format!("{} is empty", path.display()));
    }
    Some(Secret::new(line.to_owned()))
}

/// A PEM file with at least one certificate in it.
pub(super) fn ca_file(value: &Value<'_>) -> Option<PathBuf> {
    let path = path(value)?;
    let mut seen = value.context.ca_files.borrow_mut();
    let fault = seen
        .entry(path.clone())
        .or_insert_with(|| ca_file_fault(&path));
    match fault {
        None => Some(path),
        Some(fault) => value.refuse(fault.clone()),
    }
}

fn ca_file_fault(path: &Path) -> Option<String> {
    let content = match read_bounded(path, MAX_CA_FILE_BYTES) {
        Ok(content) => content,
        Err(why) => return Some(why),
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => {
            Some(format!("{} holds no PEM certificate", path.display()))
        }
        Ok(certificates) => unusable(certificates).map(|error| {
            format!(
                "{} holds a certificate that cannot be used: {error}",
                path.display()
            )
        }),
        Err(error) => Some(format!("{} is not valid PEM: {error}", path.display())),
    }
}

/// Why one of the certificates cannot be trusted as an authority, if one cannot.
pub(super) fn unusable(certificates: Vec<CertificateDer<'_>>) -> Option<rustls::Error> {
    let mut roots = RootCertStore::empty();
    let add = |certificate: CertificateDer<'_>| roots.add(certificate.into_owned()).err();
    certificates.into_iter().find_map(add)
}

/// A file with keys of Kerberos.
pub(super) fn keytab(value: &Value<'_>) -> Option<PathBuf> {
    let path = path(value)?;
    match read_bounded(&path, MAX_KEYTAB_BYTES) {
        Ok(content) if content.first() == Some(&KEYTAB_VERSION) => Some(path),
        Ok(_) => value.refuse(format!("{} is not a keytab", path.display())),
        Err(why) => value.refuse(why),
    }
}

/// A folder that is there, or is made when reachd starts.
pub(super) fn state_dir(value: &Value<'_>) -> Option<PathBuf> {
    let path = path(value)?;
    match fs::metadata(&path) {
        Ok(metadata) if !metadata.is_dir() => {
            value.refuse(format!("{} is not a folder", path.display()))
        }
        _ => Some(path),
    }
}

/// Relative paths count from the folder of the configuration file.
pub(super) fn path(value: &Value<'_>) -> Option<PathBuf> {
    let text = value.text()?;
    if text.is_empty() {
        return value.refuse("the path is empty");
    }
    let path = value.context.base_dir.join(text);
    value.context.named_files.borrow_mut().insert(path.clone());
    Some(path)
}
