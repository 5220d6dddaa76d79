//! What the readers of this room stand, given anything at all.
#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a broken promise is told"
)]

use std::path::Path;

use regex::RegexBuilder;
use url::Host;

use super::context::Context;
use super::effective::bypass_texts;
use super::{Config, Problems, Suggestion, web};
use crate::route::{Bypass, BypassPattern};

/// What stands for every secret: the content of the one file that may be named as a password, and of one variable.
const SECRET: &str = "hunter2";

/// How the hashes of passwords begin.
const HASH: &str = "$2y$";

/// No problem is longer, whatever is in the file.
const LONGEST_PROBLEM: usize = 32 * 1024;

/// How many lines are taken for patterns.
const MOST_PATTERNS: usize = 64;

/// The configuration: what is wrong is told without a secret and within bounds; what is right comes back from its own
/// effective YAML.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    // Only what is in a file of its own is known to be a secret.
    if text.contains(SECRET) || text.contains("<secret>") {
        return;
    }
    let without_secret = |name: &str| (name == "HOST").then(|| "cm01.example".to_owned());
    match Config::parse("f.yml", text, files(), &without_secret) {
        Ok(config) => comes_back(&config),
        Err(problems) => are_told(&problems),
    }
}

fn comes_back(config: &Config) {
    let shown = config.effective_yaml();
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(!format!("{config:?}").contains(SECRET), "{shown}");
    let with_secrets = shown.replace("\"<secret>\"", "${SECRET}");
    // The query of a source of targets, which may be a secret, too.
    let with_secrets = with_secrets.replace("?<secret>", "?x");
    let environment = |name: &str| (name == "SECRET").then(|| SECRET.to_owned());
    let back = Config::parse("f.yml", &with_secrets, files(), &environment);
    assert!(back.is_ok(), "{back:?}\n{shown}");
    let Ok(back) = back else {
        return;
    };
    assert_eq!(back.effective_yaml(), shown);
    if !shown.contains("<secret>") {
        assert_eq!(*config, back, "{shown}");
    }
}

fn are_told(problems: &Problems) {
    assert!(!problems.0.is_empty());
    for problem in &problems.0 {
        let told = problem.to_string();
        assert!(told.len() <= LONGEST_PROBLEM, "{} bytes", told.len());
        assert!(!told.contains(SECRET), "{told}");
        assert!(!told.contains(char::is_control), "{told:?}");
    }
}

/// The web configuration: hashes of passwords are shown nowhere.
pub fn web_configuration(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if text.contains(SECRET) {
        return;
    }
    match web::read(text, &Context::without_variables("web.yml", files())) {
        Ok(config) => assert!(!format!("{config:?}").contains(HASH), "{text}"),
        Err(problems) => are_told(&problems),
    }
}

/// The output of `netsh winhttp`: what is made of it is a configuration.
pub fn winhttp(bytes: &[u8]) {
    match Suggestion::of_winhttp(bytes) {
        Ok(suggestion) => is_a_configuration(&suggestion),
        Err(error) => assert!(error.to_string().len() <= LONGEST_PROBLEM, "{error}"),
    }
}

/// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, a line each: what is made of them is a configuration, and no
/// password is shown.
pub fn environment(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let names = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"];
    let lookup = |name: &str| {
        let mut variables = names.iter().zip(text.lines());
        let found = variables.find(|(known, _)| **known == name);
        found.map(|(_, value)| value.to_owned())
    };
    let shown = match Suggestion::of_environment(&lookup) {
        Ok(suggestion) => {
            is_a_configuration(&suggestion);
            suggestion.to_string()
        }
        Err(problems) => {
            are_told(&problems);
            problems.to_string()
        }
    };
    let (all, as_passwords) = (
        text.matches(SECRET).count(),
        text.matches(&format!("//user:{SECRET}@")).count(),
    );
    if all == as_passwords {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

fn is_a_configuration(suggestion: &Suggestion) {
    let text = suggestion.to_string();
    let environment = |_: &str| Some(SECRET.to_owned());
    let read = Config::parse("f.yml", &text, Path::new(""), &environment);
    assert!(read.is_ok(), "{read:?}\n{text}");
}

/// Patterns of bypass lists, a line each after the host: what is written of one means the same, and a wildcard matches
/// what a regular expression does.
pub fn bypass(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.lines();
    let named = lines.next().and_then(|host| Host::parse(host).ok());
    let known = ["cm01", "us.manage.example", "10.1.2.3", "[fd00::1]"];
    let known = known.iter().filter_map(|host| Host::parse(host).ok());
    let hosts: Vec<Host> = known.chain(named).collect();
    for line in lines.take(MOST_PATTERNS) {
        for read in [BypassPattern::winhttp(line), BypassPattern::no_proxy(line)] {
            let Ok(pattern) = read else {
                continue;
            };
            means_what_is_written(&pattern, &hosts);
            matches_as_a_regex(&pattern, &hosts);
        }
    }
}

fn means_what_is_written(pattern: &BypassPattern, hosts: &[Host]) {
    let written = bypass_texts(pattern);
    let read: Result<Vec<_>, _> = written
        .iter()
        .map(|text| BypassPattern::winhttp(text))
        .collect();
    assert!(read.is_ok(), "{pattern:?} is written as {written:?}");
    let (one, back) = (
        Bypass::new(vec![pattern.clone()]),
        Bypass::new(read.unwrap_or_default()),
    );
    for host in hosts {
        for port in [80, 443] {
            let both = (one.matches(host, port), back.matches(host, port));
            assert_eq!(both.0, both.1, "{pattern:?} {written:?} {host}");
        }
    }
}

fn matches_as_a_regex(pattern: &BypassPattern, hosts: &[Host]) {
    let BypassPattern::Wildcard {
        pattern: text,
        port: None,
    } = pattern
    else {
        return;
    };
    let pieces: Vec<String> = text.split('*').map(regex::escape).collect();
    let expression = format!("(?s)^{}$", pieces.join(".*"));
    let Ok(expression) = RegexBuilder::new(&expression).build() else {
        return;
    };
    let bypass = Bypass::new(vec![pattern.clone()]);
    for host in hosts {
        let name = match host {
            Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let expected = expression.is_match(&name);
        assert_eq!(bypass.matches(host, 443), expected, "{text} {name}");
    }
}

/// Where files are that may be named.
fn files() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/files"))
}
