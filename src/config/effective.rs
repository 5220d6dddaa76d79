//! The effective configuration in the syntax of the file, with every default filled in and no secret shown.

mod ways;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) use ways::{bypass_texts, pac, proxy_with_password};

use super::endpoints::Kind;
use super::scalars::{duration_text, size_text};
use super::secrets::REDACTED;
use super::yaml::Yaml;
use super::{CatalogSelection, Config, EndpointSettings, Global, Located, Overrides, Retry};
use super::{chain, discovery, exposition, hold as holds, retry as retries, revocation, trust};
use crate::endpoint::{Expectation, Fingerprint, StatusRule, Target, TlsSettings, TlsVersion};

/// The whole configuration.
pub(super) fn written(config: &Config) -> Yaml {
    let endpoints = config.endpoints.iter();
    let endpoints = endpoints.map(|settings| endpoint(settings, &config.global.tls));
    let sources = config.discovery.as_ref();
    let state_dir = config.state_dir.as_ref();
    Yaml::mapping([
        ("global", Some(global(&config.global))),
        ("catalog", config.catalog.as_ref().map(catalog)),
        ("proxies", ways::proxies(config).if_any()),
        ("routes", Some(ways::routes(config))),
        ("revocation", Some(revocation::written(&config.revocation))),
        ("resolvers", ways::resolvers(config).if_any()),
        ("tls", Some(tls(&config.global.tls))),
        ("endpoints", Yaml::List(endpoints.collect()).if_any()),
        (
            "discovery",
            sources.map(|sources| discovery::written(sources, &config.global.tls)),
        ),
        ("metrics", Some(metrics(config))),
        (
            "state_dir",
            state_dir.map(|path| Yaml::text(path.to_string_lossy())),
        ),
    ])
}

fn global(global: &Global) -> Yaml {
    Yaml::mapping([
        (
            "interval",
            Some(Yaml::Plain(duration_text(global.interval))),
        ),
        ("timeout", Some(Yaml::Plain(duration_text(global.timeout)))),
        (
            "retry_interval",
            Some(retries::written(Retry::of(global.retry_interval))),
        ),
        ("concurrency", Some(Yaml::plain(global.concurrency))),
        (
            "hold_concurrency",
            Some(Yaml::plain(global.hold_concurrency)),
        ),
        ("workers", Some(Yaml::plain(global.workers))),
        ("resolver", Some(Yaml::text(global.resolver.name()))),
    ])
}

fn catalog(selection: &CatalogSelection) -> Yaml {
    let version = selection.configmgr_version.as_ref();
    let features = selection.features.iter();
    let variables = by_name(&selection.variables, |value| Yaml::text(value));
    let overrides = by_name(&selection.overrides, overrides);
    Yaml::mapping([
        ("cloud", Some(Yaml::text(&selection.cloud.value))),
        (
            "configmgr_version",
            version.map(|version| Yaml::plain(version.value)),
        ),
        (
            "features",
            Some(Yaml::texts(features.map(|feature| &feature.value))),
        ),
        ("variables", variables.if_any()),
        ("overrides", overrides.if_any()),
        (
            "discover_redirects",
            selection
                .discover_redirects
                .then(|| Yaml::plain(selection.discover_redirects)),
        ),
    ])
}

fn by_name<T>(entries: &BTreeMap<String, Located<T>>, write: impl Fn(&T) -> Yaml) -> Yaml {
    let entries = entries.iter();
    let written = entries.map(|(name, located)| (name.clone(), write(&located.value)));
    Yaml::Mapping(written.collect())
}

pub(super) fn overrides(overrides: &Overrides) -> Yaml {
    let Overrides {
        enabled,
        critical,
        routes,
        interval,
        timeout,
        retry,
        inspection,
        hold,
        revocation: of_revocation,
        credentials,
        tls: own_tls,
        pins,
    } = overrides;
    let pins = pins.as_deref().and_then(fingerprints);
    Yaml::mapping([
        ("enabled", enabled.map(Yaml::plain)),
        ("critical", critical.map(Yaml::plain)),
        ("routes", routes.as_ref().map(Yaml::texts)),
        ("interval", interval.map(duration_text).map(Yaml::Plain)),
        ("timeout", timeout.map(duration_text).map(Yaml::Plain)),
        ("retry_interval", retry.map(retries::written)),
        (
            "inspection",
            inspection.map(|inspection| Yaml::text(inspection.as_str())),
        ),
        ("hold", hold.as_ref().map(holds::written)),
        (
            "revocation",
            of_revocation.as_ref().map(revocation::overrides_written),
        ),
        (
            "auth",
            credentials
                .as_ref()
                .map(|credentials| ways::auth(credentials, &Yaml::text(REDACTED))),
        ),
        ("tls", own_tls.as_ref().map(tls)),
        (
            "expect",
            pins.map(|pins| Yaml::mapping([("certificate_sha256", Some(pins))])),
        ),
    ])
}

fn tls(tls: &TlsSettings) -> Yaml {
    let TlsSettings {
        ca_file,
        min_version,
        max_version,
        server_name,
        alpn,
        client,
    } = tls;
    let version = |wanted: &TlsVersion| {
        let mut all = trust::VERSIONS.iter();
        let known = all.find(|(_, version)| version == wanted);
        known.map(|(text, _)| Yaml::text(*text))
    };
    let path = |path: &PathBuf| Yaml::text(path.to_string_lossy());
    let client = client.as_ref();
    Yaml::mapping([
        ("ca_file", ca_file.as_ref().map(path)),
        ("min_version", version(min_version)),
        ("max_version", version(max_version)),
        ("server_name", server_name.as_ref().map(Yaml::text)),
        ("alpn", alpn.as_ref().map(Yaml::texts)),
        (
            "client_certificate",
            client.map(|files| path(&files.certificate)),
        ),
        ("client_key", client.map(|files| path(&files.key))),
    ])
}

fn endpoint(settings: &EndpointSettings, global: &TlsSettings) -> Yaml {
    let endpoint = &settings.endpoint;
    let own_tls = Some(&settings.tls).filter(|own| *own != global);
    let record = match &endpoint.target {
        Target::Dns(question) => Some(Yaml::text(question.record.as_str())),
        _ => None,
    };
    let resolver = settings.resolver.as_ref();
    let labels = endpoint.labels.iter();
    let labels = labels.map(|(name, value)| (name.clone(), Yaml::text(value)));
    let labels = Yaml::Mapping(labels.collect());
    let own = Yaml::mapping([
        ("name", Some(Yaml::text(&endpoint.name))),
        ("service", Some(Yaml::text(&endpoint.service))),
        ("url", Some(Yaml::text(endpoint.target.to_string()))),
        ("record", record),
        ("critical", Some(Yaml::plain(endpoint.critical))),
        ("labels", labels.if_any()),
        (
            "resolver",
            resolver.map(|resolver| Yaml::text(resolver.name())),
        ),
        ("tls", own_tls.map(tls)),
        (
            "expect",
            expectation(&endpoint.expectation, Kind::of(&endpoint.target)),
        ),
    ]);
    own.and(overrides(&settings.overrides))
}

fn expectation(expectation: &Expectation, kind: Kind) -> Option<Yaml> {
    let chain = expectation.chain.as_ref().map(chain::written);
    let pins = fingerprints(&expectation.pins);
    match kind {
        Kind::Https | Kind::Http => {
            let status = match &expectation.status {
                StatusRule::ServiceConnectionPoint => None,
                StatusRule::OneOf(statuses) => {
                    Some(Yaml::List(statuses.iter().map(Yaml::plain).collect()))
                }
            };
            let headers = expectation.headers.iter();
            let headers = headers.map(|rule| (rule.name.clone(), Yaml::text(rule.value.as_str())));
            let body = expectation.body.as_ref();
            let meanings = expectation.status_meanings.iter();
            let meanings = meanings.map(|(status, text)| (status.to_string(), Yaml::text(&**text)));
            let max_body = size_text(expectation.max_body_bytes);
            Some(Yaml::mapping([
                ("status", status),
                ("meaning", Yaml::Mapping(meanings.collect()).if_any()),
                ("body", body.map(|rule| Yaml::text(rule.0.as_str()))),
                ("header", Yaml::Mapping(headers.collect()).if_any()),
                (
                    "max_redirects",
                    Some(Yaml::plain(expectation.max_redirects)),
                ),
                ("max_body", Some(Yaml::Plain(max_body))),
                ("chain", chain),
                ("certificate_sha256", pins),
            ]))
        }
        Kind::Dns => {
            let answer = expectation.dns.answer.as_ref();
            Some(Yaml::mapping([
                ("rcode", Some(Yaml::text(&expectation.dns.rcode))),
                ("answer", answer.map(|rule| Yaml::text(rule.0.as_str()))),
            ]))
        }
        Kind::Tls => Yaml::mapping([("chain", chain), ("certificate_sha256", pins)]).if_any(),
        Kind::Tcp => None,
    }
}

fn fingerprints(pins: &[Fingerprint]) -> Option<Yaml> {
    Yaml::texts(pins.iter().map(Fingerprint::as_str)).if_any()
}

fn metrics(config: &Config) -> Yaml {
    let chosen = config.metrics.histograms;
    let choice = exposition::CHOICES
        .iter()
        .find(|(_, choice)| *choice == chosen);
    let buckets = config.metrics.buckets.iter().map(Yaml::plain);
    Yaml::mapping([
        ("histograms", choice.map(|(text, _)| Yaml::text(*text))),
        ("buckets", Some(Yaml::List(buckets.collect()))),
        (
            "native_histograms",
            Some(Yaml::plain(config.metrics.native_histograms)),
        ),
    ])
}
