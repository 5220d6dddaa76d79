//! The effective section.

use url::{Position, Url};

use super::{DiscoverySettings, FileSource, HttpSource, M365Source, ServerLogin, TargetDefaults};
use crate::config::effective::overrides;
use crate::config::scalars::duration_text;
use crate::config::secrets::REDACTED;
use crate::config::yaml::Yaml;
use crate::endpoint::TlsSettings;

/// Writes it, without secrets.
pub(in crate::config) fn written(settings: &DiscoverySettings, global: &TlsSettings) -> Yaml {
    let DiscoverySettings {
        file_sd,
        http_sd,
        m365: service,
    } = settings;
    let servers = http_sd.iter().map(|source| server(source, global));
    Yaml::mapping([
        (
            "file_sd",
            Yaml::List(file_sd.iter().map(file).collect()).if_any(),
        ),
        ("http_sd", Yaml::List(servers.collect()).if_any()),
        ("m365", service.as_ref().map(m365)),
    ])
}

fn file(source: &FileSource) -> Yaml {
    let own = Yaml::mapping([(
        "files",
        Some(Yaml::texts([source.pattern.to_string_lossy()])),
    )]);
    own.and(defaults(&source.defaults))
}

fn server(source: &HttpSource, global: &TlsSettings) -> Yaml {
    let own = source.tls.ca_file.as_ref();
    let own = own.filter(|own| Some(*own) != global.ca_file.as_ref());
    let has_name = source.name != source.url[..Position::AfterPath];
    let tls =
        own.map(|path| Yaml::mapping([("ca_file", Some(Yaml::text(path.to_string_lossy())))]));
    let written = Yaml::mapping([
        ("name", has_name.then(|| Yaml::text(&source.name))),
        ("url", Some(address(&source.url))),
        (
            "refresh_interval",
            Some(Yaml::Plain(duration_text(source.refresh_interval))),
        ),
        ("route", Some(Yaml::text(&source.route))),
        ("auth", source.login.as_ref().map(login)),
        ("tls", tls),
    ]);
    written.and(defaults(&source.defaults))
}

/// A URL without its query, where a token may stand.
fn address(url: &Url) -> Yaml {
    match url.query() {
        None => Yaml::text(url.as_str()),
        Some(_) => Yaml::text(format!("{}?{REDACTED}", &url[..Position::AfterPath])),
    }
}

fn login(login: &ServerLogin) -> Yaml {
    let secret = || Some(Yaml::text(REDACTED));
    match login {
        ServerLogin::Basic { username, .. } => Yaml::mapping([(
            "basic",
            Some(Yaml::mapping([
                ("username", Some(Yaml::text(username))),
                ("password", secret()),
            ])),
        )]),
        ServerLogin::Bearer(_) => {
            Yaml::mapping([("bearer", Some(Yaml::mapping([("token", secret())])))])
        }
    }
}

fn m365(source: &M365Source) -> Yaml {
    let M365Source {
        instance,
        areas,
        required_only,
        route,
        tenant,
        url,
        overrides: own,
    } = source;
    let written = Yaml::mapping([
        ("instance", Some(Yaml::text(instance.as_str()))),
        (
            "service_areas",
            Some(Yaml::texts(areas.iter().map(|area| area.as_str()))),
        ),
        ("required_only", Some(Yaml::plain(*required_only))),
        ("route", Some(Yaml::text(route))),
        ("tenant", tenant.as_ref().map(Yaml::text)),
        ("url", Some(address(url))),
    ]);
    written.and(overrides(own))
}

fn defaults(defaults: &TargetDefaults) -> Yaml {
    let own = Yaml::mapping([("service", Some(Yaml::text(&defaults.service)))]);
    own.and(overrides(&defaults.overrides))
}
