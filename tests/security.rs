//! What docs/security.md claims. Each claim names the tests that hold it; here are those that nothing else holds.
//!
//! | file | what it shows |
//! |---|---|
//! | `claims.rs` | each claim names tests, and they are there |
//! | `secrets.rs` | the daemon at work, with every kind of secret, shows none and leaves none behind |

mod claims;
mod secrets;

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use regex::Regex;

use crate::kit::{Lab, command, run_to_end};
use crate::suite::{SharedLab, trial};

/// The project's folder.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("security::secrets_stay_inside", lab, secrets::stay_inside),
        trial("security::what_weakens_is_refused", lab, weakens),
    ]
}

/// Those that need no lab.
pub(crate) fn of_files() -> Vec<Trial> {
    let tests: [(&str, fn()); 4] = [
        ("security::every_claim_has_its_tests", claims::have_tests),
        ("security::builds_are_locked", locked),
        ("security::nothing_is_unsafe_or_from_elsewhere", sources),
        ("security::rights_are_given_up", rights),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    tests.into_iter().map(trial).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a folder whose name ends so.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            files.push(path);
        }
    }
    files
}

/// No command of cargo's that compiles or looks at dependencies may choose others than Cargo.lock has.
fn locked() {
    let resolves = Regex::new(
        r"\bcargo (build|test|clippy|doc|install|deb|deny [^\n]*check)\b([^\n]*\\\n)*[^\n]*",
    )
    .unwrap();
    let mut found = 0;
    for file in [
        "tests/run",
        "deploy/docker/Dockerfile",
        "deploy/debian/build",
    ] {
        let text = read(file);
        let code: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .collect();
        let code = code.join("\n");
        for called in resolves.find_iter(&code) {
            let line = called.as_str();
            assert!(line.contains("--locked"), "{file}: {line}");
            found += 1;
        }
    }
    assert!(found >= 10, "{found}");
    let run = read("tests/run");
    for checked in ["check bans licenses sources", "check advisories"] {
        assert!(run.contains(checked), "{checked}");
    }
}

fn sources() {
    let manifest = read("Cargo.toml");
    assert!(manifest.contains("\nunsafe_code = \"forbid\"\n"));
    assert!(!manifest.contains("\nbuild = ") && !Path::new(ROOT).join("build.rs").exists());
    assert!(!manifest.contains("git = ") && !manifest.contains("[patch"));
    let lock = read("Cargo.lock");
    let mut packages = 0;
    for package in lock.split("[[package]]").skip(1) {
        if package.contains("\nname = \"reachd\"\n") {
            continue;
        }
        let source = "\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
        assert!(
            package.contains(source) && package.contains("\nchecksum = \""),
            "{package}"
        );
        packages += 1;
    }
    assert!(packages > 100, "{packages}");
    // The lock file has what nobody compiles, too: cargo deny looks at what is.
    for refused in ["ring", "openssl", "native-tls"] {
        let line = format!("crate = \"{refused}\"");
        assert!(read("deny.toml").contains(&line), "{refused}");
    }
    for line in [
        "unknown-registry = \"deny\"",
        "unknown-git = \"deny\"",
        "yanked = \"deny\"",
    ] {
        assert!(read("deny.toml").contains(line), "{line}");
    }
}

fn rights() {
    let unit = read("deploy/systemd/reachd.service");
    for line in [
        "DynamicUser=yes",
        "StateDirectoryMode=0700",
        "UMask=0077",
        "LimitCORE=0",
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
    ] {
        assert!(unit.lines().any(|one| one == line), "{line}");
    }
    let pod = read("deploy/helm/reachd/templates/statefulset.yaml");
    for line in [
        "runAsNonRoot: true",
        "seccompProfile: {type: RuntimeDefault}",
        "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true",
        "capabilities: {drop: [ALL]}",
        "automountServiceAccountToken: false",
    ] {
        assert!(pod.lines().any(|one| one.trim() == line), "{line}");
    }
}

/// There is no way to say that a certificate need not be verified, that an old version will do, or a login in a URL.
fn weakens(lab: &Lab) {
    let endpoint =
        |more: &str| format!("endpoints: [{{name: web, url: \"https://web.lab.test/\"{more}}}]\n");
    let cases = [
        (
            endpoint(", tls: {insecure_skip_verify: true}"),
            "insecure_skip_verify: unknown key",
        ),
        (endpoint(", tls: {verify: false}"), "verify: unknown key"),
        (
            endpoint("") + "tls: {min_version: \"1.1\"}\n",
            "min_version",
        ),
        (
            endpoint(", auth: {basic: {username: a, password: hunter2}}"),
            "must not stand in the file",
        ),
        (
            "endpoints: [{name: web, url: \"https://a:hunter2@web.lab.test/\"}]\n".to_owned(),
            "url",
        ),
        (
            endpoint("") + "proxies: {corp: {url: \"http://a:hunter2@squid.lab.test:3128\"}}\n",
            "url",
        ),
    ];
    for (number, (config, expected)) in cases.into_iter().enumerate() {
        let file = lab.write(&format!("weak-{number}.yml"), &config);
        let file = file.to_str().expect("a path in UTF-8");
        let refused = run_to_end(command(&["config", "check", file]));
        assert_eq!(refused.exit_code, 64, "{config}: {refused:?}");
        assert!(refused.stderr.contains(expected), "{expected}: {refused:?}");
        assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
    }
}
