//! Bad files and their problems as data, what a good one comes to, and that decoder, sample and reference agree.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

const REFERENCE: &str = include_str!("../../../docs/web.md");
const SAMPLE: &str = include_str!("../../../deploy/web.yml");

/// Of "wonderland".
const HASH: &str = "$2y$04$AQUBAgMEBQYHCAkKCwwNDuL8psxDtkasFlkF3vVwIZrjvxcy6YYYq";

/// A folder with the files that sample and examples name.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["server", "client-ca", "other"] {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default()
            .self_signed(&key)
            .unwrap();
        let write = |extension: &str, text: String| {
            fs::write(folder.path().join(format!("{name}.{extension}")), text).unwrap();
        };
        write("pem", certificate.pem());
        write("key", key.serialize_pem());
    }
    folder
}

fn parse(text: &str, folder: &Path) -> Result<WebConfig, Problems> {
    read(text, &Context::without_variables("web.yml", folder))
}

#[test]
fn each_bad_file_has_exactly_its_problems() {
    const MARK: &str = "#! ";
    let folder = folder();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/testdata/web");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let marked = text.lines().filter_map(|line| line.strip_prefix(MARK));
        let expected: Vec<&str> = marked.collect();
        let problems = parse(&text, folder.path()).unwrap_err();
        assert!(!format!("{problems:?}").contains("hunter2"));
        let found = problems
            .to_string()
            .replace("web.yml:", "")
            .replace(&format!("{}/", folder.path().display()), "");
        if found.lines().collect::<Vec<_>>() != expected {
            let lines: Vec<String> = found.lines().map(|line| format!("{MARK}{line}")).collect();
            wrong.push(format!("{} has\n{}", path.display(), lines.join("\n")));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count >= 6, "only {count} files");
}

#[test]
fn the_smallest_file_is_all_defaults() {
    let config = parse("{}", Path::new("")).unwrap();
    assert!(config.tls.is_none() && config.http2);
    assert!(config.headers.is_empty() && config.users.is_empty());
    assert_eq!(config.rate_limit, None);
}

#[test]
fn the_defaults_of_tls_are_those_of_the_exporters() {
    let folder = folder();
    let text = "tls_server_config: {cert_file: server.pem, key_file: server.key}";
    let tls = parse(text, folder.path()).unwrap().tls.unwrap();
    assert_eq!(tls.client_policy, ClientPolicy::NoClientCert);
    assert_eq!(
        (tls.min_version, tls.max_version),
        (TlsVersion::Tls12, TlsVersion::Tls13)
    );
    assert!(tls.prefer_own_order && tls.cipher_suites.is_empty() && tls.curves.is_empty());
}

#[test]
fn certificates_may_stand_in_the_file_itself() {
    let folder = folder();
    let inline = |name: &str| {
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        text.replace('\n', "\n    ")
    };
    let text = format!(
        "tls_server_config:\n  cert: |\n    {}\n  key: |\n    {}\n  client_ca: |\n    {}\n  client_auth_type: \
         RequireClientCert\n",
        inline("server.pem"),
        inline("server.key"),
        inline("other.pem"),
    );
    let tls = parse(&text, Path::new("")).unwrap().tls.unwrap();
    assert_eq!(tls.client_policy, ClientPolicy::RequireAnyClientCert);
    assert_eq!(tls.client_authorities.len(), 1);
}

#[test]
fn a_limit_of_nothing_is_none() {
    for off in ["{interval: 0}", "{interval: 0s, burst: 0}"] {
        let config = parse(&format!("rate_limit: {off}"), Path::new("")).unwrap();
        assert_eq!(config.rate_limit, None, "{off}");
    }
    let config = parse("rate_limit: {interval: 1m30s, burst: 5}", Path::new("")).unwrap();
    let expected = RateLimit {
        interval: Duration::from_secs(90),
        burst: 5,
    };
    assert_eq!(config.rate_limit, Some(expected));
}

#[test]
fn no_hash_is_shown() {
    let config = parse(
        &format!("basic_auth_users: {{alice: {HASH}}}"),
        Path::new(""),
    );
    let config = config.unwrap();
    assert_eq!(config.users["alice"].expose(), HASH);
    assert!(!format!("{config:?}{config:#?}").contains(HASH));
}

#[test]
fn every_file_that_counts_is_known_whatever_came_of_it() {
    let folder = folder();
    let path = folder.path().join("web.yml");
    let missing = WebReading::of(&path);
    assert!(missing.config.is_err());
    assert_eq!(missing.files, [path.as_path()]);
    let text = "tls_server_config: {cert_file: server.pem, key_file: gone.key}";
    fs::write(&path, text).unwrap();
    let broken = WebReading::of(&path);
    assert!(broken.config.is_err());
    let named = ["gone.key", "server.pem"].map(|name| folder.path().join(name));
    assert_eq!(broken.files[1..], named);
}

#[test]
fn sample_and_examples_are_valid_and_the_reference_names_every_key() {
    let folder = folder();
    let blocks = REFERENCE.split("```yaml\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split_once("```"));
    let examples: Vec<&str> = blocks
        .map(|(example, _)| example)
        .filter(|example| !example.contains("scrape_configs"))
        .collect();
    assert!(!examples.is_empty());
    let context = Context::without_variables("sample", folder.path());
    for text in examples.into_iter().chain([SAMPLE]) {
        if let Err(problems) = read(text, &context) {
            panic!("{problems}\n{text}");
        }
    }
    let asked: BTreeSet<String> = context
        .asked
        .take()
        .iter()
        .flat_map(|(path, keys)| {
            keys.iter()
                .map(move |key| format!("{path}.{key}").trim_start_matches('.').to_owned())
        })
        .collect();
    let rows = REFERENCE.lines().filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<String> = rows
        .filter_map(|row| Some(row.split('`').nth(1)?.to_owned()))
        .filter(|key| !key.starts_with('-'))
        .collect();
    assert_eq!(documented, asked);
}
